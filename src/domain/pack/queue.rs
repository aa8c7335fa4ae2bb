//! Queues: pending work, in rows.

use std::time::Duration;

use super::{Action, Query};

use crate::domain::{expression::Expression, id::Id};

/// Pending work. Selection, marks and actions follow the item's id, never its place.
#[derive(Clone, Debug)]
pub struct Queue {
    pub id: Id<Queue>,
    pub title: String,
    pub query: Query,
    /// The column that names an item.
    pub key: String,
    /// The name by which journal and claims know its items: in queues of the same name, the same id is the same thing.
    pub items: Id<Queue>,
    /// The column with the time since which it waits.
    pub since: Option<String>,
    pub deadline: Option<Deadline>,
    /// Columns by which the items stand together, counted.
    pub group: Vec<String>,
    pub minutes_each: f64,
    /// The count below which the queue is where it should be.
    pub target_below: Option<u64>,
    pub presets: Vec<Preset>,
    pub actions: Vec<Id<Action>>,
    /// What the list shows, in order; never empty.
    pub columns: Vec<ColumnSpec>,
    /// The column whose text is read in full in the detail (a review's words).
    pub body: Option<String>,
    /// Said when nothing waits.
    pub empty: String,
    pub every: Duration,
    pub covers: Vec<String>,
}

/// `column` + `after` is the last moment.
#[derive(Clone, Debug)]
pub struct Deadline {
    pub column: String,
    pub after: Duration,
}

/// A named filter over an item's columns.
#[derive(Clone, Debug)]
pub struct Preset {
    pub name: String,
    pub filter: Expression,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    pub column: String,
    pub title: String,
    pub format: ColumnFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnFormat {
    /// As the cell's own type says.
    Plain,
    /// A time as its age.
    Age,
    /// A time in the pack's zone.
    Time,
    /// A time to come as what is left until then.
    Left,
    /// A fraction as a percentage.
    Percent,
    /// Never cut in the middle.
    Id,
}
