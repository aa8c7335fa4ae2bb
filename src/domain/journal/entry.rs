//! One event for the record: who did what, as a sentence, and the facts behind it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{severity::Severity, text::Text};

/// The operator under whose name the program itself writes.
pub const SYSTEM: &str = "system";

/// An event before it has its place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    /// The operator, or `system`.
    pub who: String,
    /// `REFUND`, `APPROVE`, `ACK` ...
    pub word: String,
    pub said: Text,
    pub severity: Severity,
    /// The facts, for programs.
    pub payload: serde_json::Value,
}

impl Entry {
    pub fn new(at: DateTime<Utc>, who: impl Into<String>, word: impl Into<String>, said: impl Into<Text>) -> Self {
        Self {
            at,
            who: who.into(),
            word: word.into(),
            said: said.into(),
            severity: Severity::Green,
            payload: serde_json::Value::Null,
        }
    }

    /// An event that nobody in particular caused.
    pub fn by_system(at: DateTime<Utc>, word: impl Into<String>, said: impl Into<Text>) -> Self {
        Self::new(at, SYSTEM, word, said)
    }

    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    #[must_use]
    pub fn payload(mut self, payload: serde_json::Value) -> Self {
        self.payload = payload;
        self
    }
}
