//! `[checks]` and `[metrics]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RawRead;

/// A query and the rule that judges its answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawCheck {
    pub title: String,
    pub read: RawRead,
    /// An expression over the first row's columns and `rows`, their number.
    pub value: String,
    #[serde(default)]
    pub unit: String,
    pub yellow: Option<RawLimit>,
    pub red: Option<RawLimit>,
    /// How long a better reading must hold before the severity goes down.
    pub recovers_after: Option<String>,
    /// A yellow of this age becomes red.
    pub escalates_after: Option<String>,
    /// A time in each row since which it is so, as an expression; the earliest counts (default: since it was first seen).
    pub since: Option<String>,
    /// How often it looks (default `60s`, `30s` with a red limit).
    pub every: Option<String>,
    pub playbook: Option<String>,
    /// One line about the reading, as a template over the first row's columns.
    pub detail: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// One comparison, and how long it must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawLimit {
    pub at_least: Option<f64>,
    pub above: Option<f64>,
    pub at_most: Option<f64>,
    pub below: Option<f64>,
    pub is: Option<RawBound>,
    pub is_not: Option<RawBound>,
    /// How long a reading must be beyond the limit before it counts (`30m`).
    #[serde(rename = "for")]
    pub holds: Option<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::pack) enum RawBound {
    Truth(bool),
    Number(f64),
    Text(String),
}

/// A figure that is watched, not judged.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawMetric {
    pub title: String,
    pub read: RawRead,
    /// An expression over the first row's columns.
    pub value: String,
    /// The same figure one period ago.
    pub previous: Option<String>,
    #[serde(default)]
    pub unit: String,
    /// How it is said, as a template over the columns.
    pub said: Option<String>,
    pub target: Option<RawTarget>,
    /// Rows of (`at`, `value`), oldest first.
    pub series: Option<RawRead>,
    /// Numerator, denominator and window in words.
    #[serde(default)]
    pub definition: String,
    /// How often it looks (default `60s`).
    pub every: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// Where a figure should be; exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::pack) struct RawTarget {
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}
