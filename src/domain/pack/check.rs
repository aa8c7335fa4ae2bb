//! Checks: a query and the rule that judges its answer.

use std::{fmt, time::Duration};

use super::{Playbook, Query};

use crate::domain::{expression::Expression, id::Id, template::Template};

/// A query and the rule that judges its answer.
#[derive(Clone, Debug)]
pub struct Check {
    pub id: Id<Check>,
    pub title: String,
    pub query: Query,
    /// Over the columns of the first row, and `rows` (their number). Null, no row or a failure is Unknown.
    pub value: Expression,
    pub unit: String,
    pub yellow: Option<Limit>,
    pub red: Option<Limit>,
    /// How long a better reading must hold before the severity goes down: against flapping.
    pub recovers_after: Duration,
    /// A yellow of this age becomes red.
    pub escalates_after: Option<Duration>,
    /// Since when the outside says that it is so: a time in each row, of which the earliest counts. The moment of the
    /// first look where it says nothing.
    pub since: Option<Expression>,
    pub every: Duration,
    pub playbook: Option<Id<Playbook>>,
    /// One line about the reading, over the columns of the first row (`attempt {{ attempt }}/5`).
    pub detail: Option<Template>,
    pub covers: Vec<String>,
}

/// A limit, and how long a reading must be beyond it before it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    pub comparison: Comparison,
    pub bound: Bound,
    pub holds: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
    Is,
    IsNot,
}

impl Comparison {
    pub const ALL: [Self; 6] = [Self::AtLeast, Self::Above, Self::AtMost, Self::Below, Self::Is, Self::IsNot];

    /// The key in a pack.
    pub fn word(self) -> &'static str {
        match self {
            Self::AtLeast => "at_least",
            Self::Above => "above",
            Self::AtMost => "at_most",
            Self::Below => "below",
            Self::Is => "is",
            Self::IsNot => "is_not",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Number(f64),
    Text(String),
    Truth(bool),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Text(text) => f.pad(text),
            Self::Truth(truth) => f.pad(if *truth { "yes" } else { "no" }),
        }
    }
}
