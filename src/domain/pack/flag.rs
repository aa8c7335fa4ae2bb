//! Flags: switches of the business and how a flip is observed.

use std::time::Duration;

use super::{Action, Check, Query};

use crate::domain::{id::Id, template::Template};

/// A switch: written -> deployed -> observed, with a lease until its normal value is back.
#[derive(Clone, Debug)]
pub struct Flag {
    pub id: Id<Flag>,
    pub title: String,
    pub query: Query,
    /// The column of the query's first row that holds the value.
    pub column: String,
    pub values: Vec<String>,
    pub normal: String,
    /// `flag.NAME` among the actions: its input `value` is the new value.
    pub set: Id<Action>,
    /// What shows that the new value is live; all must hold.
    pub probes: Vec<Probe>,
    /// How long to go on probing before the flip is called unobserved.
    pub observe_for: Duration,
    /// The check whose recovery ends the reason for the flip.
    pub back_when: Option<Id<Check>>,
    pub every: Duration,
    pub covers: Vec<String>,
}

/// A question with a known answer.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What it asks, in words ("Bleeding from paw").
    pub title: String,
    /// May use `{{ value }}`, the flag's new value.
    pub query: Query,
    pub column: String,
    pub expect: Template,
}
