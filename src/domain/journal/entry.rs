//! One event for the record: who did what, as a sentence, and the facts behind it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::state::Act;

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

    /// The entry that tells of an act's new state.
    pub fn of(act: &Act, severity: Severity, now: DateTime<Utc>) -> Self {
        let Act { plan, state } = act;
        let mut payload = json!({
            "act": plan.id,
            "action": plan.action,
            "target": plan.target,
            "phase": state.phase.word(),
            "step": state.steps_done(),
            "attempt": state.attempts,
            "key": state.mark(plan).key(),
            "amount": plan.amount,
            "batch": plan.batch,
            "answer": state.answers.last(),
        });
        if let (Some(printed), Some(facts)) = (&state.printed, payload.as_object_mut()) {
            facts.insert("printed".to_owned(), json!(printed));
        }
        // A flag, a job or a repair is named by its title; an item of a queue by its label.
        let (word, name) = plan.title.split_once(' ').unwrap_or((&plan.title, ""));
        let name = if plan.target.queue.is_none() && !name.is_empty() { format!("{name} ") } else { String::new() };
        let said = format!("{name}{}: {}", plan.label.original(), state.said.original());
        Self::new(now, plan.operator.clone(), word.to_uppercase(), said).severity(severity).payload(payload)
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
