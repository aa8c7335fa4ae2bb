//! Commands as they are written: a program, what is read from it, what it is run for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawHeader, RawRead};

/// A program of this machine. It is given its arguments as they are, never by a shell, and of the cockpit's own environment
/// only `PATH`, `HOME`, `LANG` and what is listed here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawProgram {
    /// A path that begins with `/` or `~/`, or a name that is looked for in `PATH`.
    pub program: String,
    /// Where it runs: a path that begins with `/` or `~/` (default: the home directory).
    pub directory: Option<String>,
    /// Variables of its environment: `PGSERVICE = "shop"`; a secret as `PGPASSWORD_env`, `_file` or `_command`.
    #[serde(default)]
    pub environment: BTreeMap<String, RawHeader>,
    /// Variables that are passed on as the cockpit has them (`SSH_AUTH_SOCK`).
    #[serde(default)]
    pub inherit: Vec<String>,
    /// The environment variable whose value is written to its standard input, which is empty else.
    pub stdin_env: Option<String>,
    /// The file (mode 0600) that is written to its standard input.
    pub stdin_file: Option<String>,
    /// The command (program and arguments) whose output is written to its standard input.
    pub stdin_command: Option<Vec<String>>,
    /// The arguments with which it says its version; `connect check` asks it.
    #[serde(default)]
    pub version: Vec<String>,
    /// It may go on when the cockpit ends, or when its time is over (default `false`).
    #[serde(default)]
    pub detached: bool,
    /// The longest that one run may take; then it is ended, with all that it started (default `60s`).
    pub timeout: Option<String>,
}

/// A run whose output becomes rows; `ok`, `exit`, `took_ms` and `error` are always among the columns. It must only read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawCommandRead {
    /// The connection.
    pub on: String,
    /// Its arguments; each is a template and stays one argument, whatever it holds.
    #[serde(default)]
    pub args: Vec<String>,
    /// How what it prints is read (default `text`).
    pub format: Option<RawCommandFormat>,
    /// With `json`: column = JSON pointer into the output (default: an object's own names).
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// With `json`: pointer to an array, one row for each element.
    pub rows: Option<String>,
    /// With `csv`: the columns, where no first line names them.
    #[serde(default)]
    pub header: Vec<String>,
    /// Exit codes with which it has answered (default `[0]`).
    pub done: Option<Vec<i32>>,
    /// Whatever goes wrong is one row with `ok = false` and `error`, not a failure to look (default `false`).
    #[serde(default)]
    pub probe: bool,
    /// Columns in minor units that become money.
    #[serde(default)]
    pub money: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawCommandFormat {
    Json,
    Lines,
    Csv,
    Text,
}

/// One run; exit code 0 is done, any other says that nothing was done, unless it is said otherwise here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawCommandEffect {
    /// The connection.
    pub on: String,
    /// Its arguments; each is a template and stays one argument, whatever it holds.
    #[serde(default)]
    pub args: Vec<String>,
    /// Exit codes that mean done (default `[0]`).
    pub done: Option<Vec<i32>>,
    /// Exit codes that mean that nothing was done; where it is given, a code that stands nowhere is unknown.
    pub refused: Option<Vec<i32>>,
    /// Exit codes after which nobody knows how far it came.
    #[serde(default)]
    pub unknown: Vec<i32>,
    /// A read that finds a trace of the run: a row says that it happened, none that it did not. It may use `sent_at`,
    /// `action_id`, the row and the inputs.
    pub found_by: Option<Box<RawRead>>,
}
