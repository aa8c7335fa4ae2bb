//! Programs of this machine: which one, in what surroundings, and what is read from what it prints.

use std::path::PathBuf;

use super::SecretSource;

use crate::domain::command::CommandLine;

/// A program and its surroundings. It inherits nothing but `PATH`, `HOME`, `LANG` and what is listed here.
#[derive(Clone, Debug)]
pub struct Program {
    /// A path, or a name that is looked for in `PATH`.
    pub program: String,
    /// Where it runs; `None` is the operator's home directory.
    pub directory: Option<PathBuf>,
    /// Variables of its environment, and where their values are found.
    pub environment: Vec<(String, SecretSource)>,
    /// Variables that are passed on as the cockpit has them, where it has them.
    pub inherit: Vec<String>,
    /// What it reads from its standard input, which else is empty.
    pub input: Option<SecretSource>,
    /// The arguments with which it says its version; empty where it is not asked.
    pub version: Vec<String>,
    /// It may go on when the cockpit ends.
    pub is_detached: bool,
}

/// A run whose output becomes rows. Always there: `ok`, `exit`, `took_ms`, `error`.
#[derive(Clone, Debug)]
pub struct CommandRead {
    pub line: CommandLine,
    pub format: CommandFormat,
    /// Column name -> JSON pointer into the output (into each element, where it is a list).
    pub columns: Vec<(String, String)>,
    /// JSON pointer to an array: one row for each element.
    pub rows: Option<String>,
    /// The columns of CSV that has no line with their names.
    pub header: Vec<String>,
    /// Exit codes with which it has answered.
    pub done: Vec<i32>,
    /// The run itself is what is being judged: whatever goes wrong is one row with `ok = false` and `error`.
    pub probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandFormat {
    /// Objects, or a list of them.
    Json,
    /// A row for each line: `line`, `number`.
    Lines,
    /// The first line has the names of the columns.
    Csv,
    /// One row: `output`.
    Text,
}

impl CommandFormat {
    pub const ALL: [Self; 4] = [Self::Json, Self::Lines, Self::Csv, Self::Text];

    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Lines => "lines",
            Self::Csv => "csv",
            Self::Text => "text",
        }
    }
}

impl CommandRead {
    /// The columns of every answer; one of the read's own takes the place of one of these.
    pub const ALWAYS: [&'static str; 4] = ["ok", "exit", "took_ms", "error"];

    /// All columns, where they do not come with the output itself.
    pub fn known_columns(&self) -> Option<Vec<String>> {
        let own: Vec<String> = match self.format {
            CommandFormat::Json if !self.columns.is_empty() => self.columns.iter().map(|(name, _)| name.clone()).collect(),
            CommandFormat::Csv if !self.header.is_empty() => self.header.clone(),
            CommandFormat::Json | CommandFormat::Csv => return None,
            CommandFormat::Lines => ["line", "number"].map(ToOwned::to_owned).to_vec(),
            CommandFormat::Text => vec!["output".to_owned()],
        };
        Some(self.with_own(&own))
    }

    /// Those of every answer, then its own.
    pub fn with_own(&self, own: &[String]) -> Vec<String> {
        let always = Self::ALWAYS.iter().filter(|name| !own.iter().any(|own| own == *name));
        always.map(|name| (*name).to_owned()).chain(own.iter().cloned()).collect()
    }
}
