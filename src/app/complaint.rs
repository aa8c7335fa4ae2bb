//! Why the program could not do what it was asked: words for standard error, and the exit status.

use std::fmt;

use crate::pack::Problems;

/// Bad usage, a wrong pack, a record that cannot be opened. The Monitoring Plugins convention makes them 3, unknown.
pub const UNUSABLE: u8 = 3;

#[derive(Debug)]
pub enum Complaint {
    Said(String),
    Problems(Problems),
}

impl Complaint {
    pub fn said(words: impl Into<String>) -> Self {
        Self::Said(words.into())
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(words) => write!(f, "wheelhouse: {words}"),
            Self::Problems(problems) => fmt::Display::fmt(problems, f),
        }
    }
}

impl From<Problems> for Complaint {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

impl From<std::io::Error> for Complaint {
    fn from(error: std::io::Error) -> Self {
        Self::Said(error.to_string())
    }
}
