//! Metrics: figures that are watched and not judged.

use std::time::Duration;

use super::Query;

use crate::domain::{expression::Expression, id::Id, template::Template};

/// A figure that is watched, not judged.
#[derive(Clone, Debug)]
pub struct Metric {
    pub id: Id<Metric>,
    pub title: String,
    pub query: Query,
    pub value: Expression,
    /// `%`, `ms`, `A$` ...; money is known by the value's own type.
    pub unit: String,
    /// How the figure is said, over the columns (`{{ used }}/{{ slots }}`); the value itself where there is none.
    pub said: Option<Template>,
    /// The same figure one period ago.
    pub previous: Option<Expression>,
    pub target: Option<Target>,
    /// Rows of (`at`, `value`), oldest first, for the sparkline.
    pub series: Option<Query>,
    /// Numerator, denominator and window in words: printed with the value, so that nobody compares two things.
    pub definition: String,
    pub every: Duration,
    pub covers: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}
