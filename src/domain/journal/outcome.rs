//! What is sent with an attempt, and what the outside answers to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{plan::ActionId, text::Text};

/// Names one attempt of one step of one act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub action: ActionId,
    pub step: usize,
    /// From 1.
    pub attempt: u32,
    /// Goes into the outside's own record beside the id (`metadata`), for whoever reads it there.
    pub target: String,
    pub operator: String,
}

impl Mark {
    /// The idempotency key: the same at every attempt of this step.
    pub fn key(&self) -> String {
        format!("{}-{}", self.action, self.step)
    }
}

/// What the outside answered to an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The outside's name for what it did (`re_1Nx...`), where it has one.
    pub reference: Option<String>,
    /// The outside's name for the request (Stripe's `Request-Id`).
    pub request: Option<String>,
    /// In words, for the operator.
    pub said: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Confirmed(Answer),
    /// It did not happen and may be asked again, with the same key, after so long.
    Again { after: Duration, why: Text },
    /// It did not happen and will not.
    Rejected(Text),
    /// It did not happen because the rows are not as they were; nothing was changed.
    Changed(Text),
    /// Nobody knows whether it happened.
    Unknown(Text),
}

/// What a look for an act of ours found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It happened, and it was us.
    Ours(Answer),
    /// It certainly did not happen.
    Absent,
    /// Something like it happened, and nothing says by whom.
    Unlabelled(Text),
    /// This system keeps no trace that could be looked up, or it did not answer.
    CannotTell(Text),
}

/// What has become of something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It is as it was done.
    Stands(Text),
    /// The outside is still at it.
    Open,
    /// The outside undid it, with its reason.
    Undone(Text),
    /// Nobody knew its name outside (a person said that it was done), and it is this: looked at under it from now on.
    Named(Answer),
    /// Nothing outside can be told to be it: what becomes of it is not seen.
    Lost(Text),
    /// Nobody answered, or this system keeps no trace of what it did.
    CannotTell(Text),
}
