//! The wiring: pack, adapters, engine and terminal. The one place that knows everybody.

mod business;
mod choice;
mod clock;
mod cockpit;
mod complaint;
mod connect;
mod errands;
mod init;
mod log;
mod paths;
mod picture;
mod prepare;
mod screen;
mod shelf;

use std::{ffi::OsString, io::IsTerminal as _, path::PathBuf, process::ExitCode};

use crate::{
    adapters,
    cli::{
        arguments::{Arguments, Command, ConnectCommand, JournalCommand, PackCommand},
        ddl, keys, manual, output, pack as pack_command,
    },
    demo::built_in,
    domain::rights::Asking,
};

use business::Opening;
use choice::Choice;
use complaint::{Complaint, UNUSABLE};

/// Runs the program on its arguments. The exit status is the answer to what was asked; a complaint goes to standard
/// error and is 3, as the Monitoring Plugins have it.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let built_in: Vec<&str> = built_in::ALL.iter().map(|pack| pack.name).collect();
    let arguments = match Arguments::read(words, &built_in) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers; everything else is bad usage.
            let status = if error.use_stderr() { UNUSABLE } else { 0 };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    match dispatch(&arguments) {
        Ok(status) => ExitCode::from(status),
        Err(complaint) => {
            output::complain(&complaint.to_string());
            ExitCode::from(UNUSABLE)
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<u8, Complaint> {
    match &arguments.command {
        Some(Command::Pack { command: PackCommand::Check { file, json } }) => Ok(pack_command::check(file, *json)?),
        Some(Command::Pack { command: PackCommand::Ddl { file, database } }) => Ok(ddl::print(file.as_deref(), *database)??),
        Some(Command::Pack { command: PackCommand::Schema }) => done(pack_command::print_schema()),
        Some(Command::Keys { markdown }) => done(keys::print(*markdown)),
        Some(Command::Completions { shell }) => done(manual::print_completions(*shell)),
        Some(Command::Man) => done(manual::print_man()),
        None | Some(Command::Demo { .. }) => cockpit(arguments),
        Some(Command::Check { json, all }) => errands::check(opening(arguments)?, *json, *all),
        Some(Command::Snapshot { screen, size, format, keys }) => {
            let look = screen::Look::choose(arguments, &Choice::make(arguments)?)?;
            picture::print(opening(arguments)?, &look, screen, size, *format, keys)
        }
        Some(Command::Do { action, ids, inputs, dry_run, confirm, wait, json }) => {
            let errand = errands::Deed { action, ids, inputs, dry_run: *dry_run, confirm, wait: *wait, json: *json };
            errands::carry_out(opening(arguments)?, &errand)
        }
        Some(Command::Init(told)) => init::run(told),
        Some(Command::Reconcile { verify: Some(file), .. }) => shelf::verify(file, opening(arguments).ok().as_ref()),
        Some(Command::Reconcile { name, json, list: true, .. }) => shelf::list(&opening(arguments)?, name.as_deref(), *json),
        Some(Command::Reconcile { remove_old: true, .. }) => shelf::remove_old(&opening(arguments)?),
        Some(Command::Reconcile { name, json, csv, archive, .. }) => {
            let errand = errands::Reconciling { name: name.as_deref(), json: *json, csv: *csv, archive: *archive };
            errands::reconcile(opening(arguments)?, &errand)
        }
        Some(Command::Connect { command: ConnectCommand::Check { names, writes, json } }) => {
            if *writes && arguments.business.read_only {
                return Err(Complaint::said("`--writes` sends what would write if it could: not with `--read-only`"));
            }
            let asking = if *writes { Asking::Writes } else { Asking::Reads };
            connect::check(&opening(arguments)?, names, asking, *json)
        }
        Some(Command::Journal { command: JournalCommand::Verify { head } }) => {
            errands::verify(&opening(arguments)?, head.as_deref())
        }
        Some(Command::Journal { command: JournalCommand::Export { format } }) => errands::export(&opening(arguments)?, *format),
        Some(Command::Journal { command: JournalCommand::Recover }) => errands::recover(opening(arguments)?),
    }
}

fn done(printed: std::io::Result<()>) -> Result<u8, Complaint> {
    Ok(printed.map(|()| 0)?)
}

fn opening(arguments: &Arguments) -> Result<Opening, Complaint> {
    adapters::install_tls();
    let opening = Opening::new(Choice::make(arguments)?, arguments.business.clone());
    if let Some(directory) = log_directory(&opening) {
        log::start(&directory);
    }
    Ok(opening)
}

fn log_directory(opening: &Opening) -> Option<PathBuf> {
    opening.record().and_then(|record| record.parent().map(std::path::Path::to_path_buf)).filter(|directory| directory.is_dir())
}

fn cockpit(arguments: &Arguments) -> Result<u8, Complaint> {
    let opening = opening(arguments)?;
    let stdout = std::io::stdout();
    if !stdout.is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Complaint::said(
            "the cockpit needs a terminal. Without one: `wheelhouse check`, `snapshot`, `do`, `reconcile`, `journal`",
        ));
    }
    let look = screen::Look::choose(arguments, &opening.choice)?;
    let model = look.model(&opening, screen::last_picture(&opening));
    let ended = cockpit::open(opening, model, look.theme, &look.settings)?;
    Ok(ended.exit_code())
}
