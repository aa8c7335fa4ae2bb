//! `wheelhouse pack check` and `wheelhouse pack schema`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use super::output;
use crate::pack::{self, Problems};

/// 0 where the pack is right, 3 where it is not.
pub fn check(file: &Path, json: bool) -> io::Result<u8> {
    match pack::load(file) {
        Ok(loaded) => {
            let pack = &loaded.pack;
            let counts = format!(
                "{}: {} is right: {} connections, {} checks, {} queues, {} jobs, {} reconciliations, {} flags, {} metrics, {} actions, {} playbooks\n",
                file.display(),
                pack.title,
                pack.connections.len(),
                pack.checks.len(),
                pack.queues.len(),
                pack.jobs.len(),
                pack.reconciliations.len(),
                pack.flags.len(),
                pack.metrics.len(),
                pack.actions.len(),
                pack.playbooks.len(),
            );
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
    let text = if io::stderr().is_terminal() { problems.in_colour() } else { problems.to_string() };
    output::complain(text.trim_end());
    let count = problems.len();
    output::complain(&format!("\n{count} problem{} found", if count == 1 { "" } else { "s" }));
    Ok(())
}

pub fn print_schema() -> io::Result<()> {
    output::print_json(&pack::schema())
}
