//! `wheelhouse pack check` and `wheelhouse pack schema`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use super::output;
use crate::{
    domain::text,
    pack::{self, Problems},
};

/// 0 where the pack is right, 3 where it is not.
pub fn check(file: &Path, json: bool) -> io::Result<u8> {
    match pack::load(file) {
        Ok(loaded) => {
            let pack = &loaded.pack;
            let parts = [
                (pack.connections.len(), "connection"),
                (pack.checks.len(), "check"),
                (pack.queues.len(), "queue"),
                (pack.jobs.len(), "job"),
                (pack.reconciliations.len(), "reconciliation"),
                (pack.flags.len(), "flag"),
                (pack.metrics.len(), "metric"),
                (pack.actions.len(), "action"),
                (pack.playbooks.len(), "playbook"),
            ];
            let parts = parts.map(|(count, thing)| text::counted(count, thing)).join(", ");
            let counts = format!("{}: {} is right: {parts}\n", file.display(), pack.title);
            if json {
                output::print_json(&serde_json::json!([]))?;
            } else {
                output::print(&counts)?;
            }
            Ok(0)
        }
        Err(problems) => {
            print_problems(&problems, json)?;
            Ok(3)
        }
    }
}

fn print_problems(problems: &Problems, json: bool) -> io::Result<()> {
    if json {
        return output::print_json(&problems.to_json());
    }
    if io::stderr().is_terminal() {
        output::complain_in_colour(problems.in_colour().trim_end());
    } else {
        output::complain(problems.to_string().trim_end());
    }
    output::complain(&format!("\n{} found", text::counted(problems.len(), "problem")));
    Ok(())
}

pub fn print_schema() -> io::Result<()> {
    output::print_json(&pack::schema())
}
