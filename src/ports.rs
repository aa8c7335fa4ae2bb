//! What the engine asks of the outside: reading, acting, remembering, the time. Adapters and the store answer.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{
    id::Id,
    pack::{Connection, Query},
    plan::{ActionId, Order},
    rows::{Params, Rows},
    text::Text,
};

/// Why a look failed. The words are safe to show and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody answered: refused, no route, name unknown, TLS.
    #[error("{0}")]
    Unreachable(Text),
    /// It answered and did not want to: 4xx, a statement with a mistake.
    #[error("{0}")]
    Refused(Text),
    /// Wrong or missing credentials or permissions.
    #[error("{0}")]
    Denied(Text),
    /// An answer that could not be understood: not JSON, a field missing, 5xx.
    #[error("{0}")]
    Malformed(Text),
    #[error("no answer within {}", humantime(*.0))]
    TimedOut(Duration),
}

fn humantime(duration: Duration) -> String {
    if duration.as_secs() == 0 { format!("{} ms", duration.as_millis()) } else { format!("{} s", duration.as_secs()) }
}

/// An outside system that can be read.
#[async_trait]
pub trait Source: Send + Sync {
    /// Rows with at least the columns that the query names. Never writes. Bounded by the connection's timeout.
    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError>;

    /// Finds mistakes in a query without running it, where the system can; its columns, where they are known.
    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError>;
}

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

/// An outside system that can be acted upon.
#[async_trait]
pub trait Doer: Send + Sync {
    /// Carries out one attempt. Only the journal's driver calls this, after the attempt is on disk.
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome;

    /// Looks whether an earlier attempt happened. Never writes.
    async fn look_up(&self, order: &Order, mark: &Mark) -> Found;
}

/// A connection, opened.
pub trait System: Source + Doer {}

impl<T: Source + Doer> System for T {}

/// Every connection of a pack, by its name.
#[derive(Clone, Default)]
pub struct Connections(pub HashMap<Id<Connection>, Arc<dyn System>>);

impl Connections {
    pub fn find(&self, id: &Id<Connection>) -> Option<&Arc<dyn System>> {
        self.0.get(id)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The time; a test's clock stands where it is put.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock, moved by `ahead`, so that a demo can stand at a chosen moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    pub ahead: chrono::TimeDelta,
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }
}
