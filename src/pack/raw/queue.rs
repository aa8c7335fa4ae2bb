//! `[queues]` as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::RawRead;

/// Pending work.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawQueue {
    pub title: String,
    pub read: RawRead,
    /// The column that names an item.
    pub id: String,
    /// What its items are, in a word: an item of two queues with the same word is one, and is decided once (default: the
    /// queue's own name). Needed where another queue offers the same action.
    pub items: Option<String>,
    /// The column with the time since which it waits.
    pub since: Option<String>,
    pub deadline: Option<RawDeadline>,
    /// Columns by which its items stand together, each group counted.
    #[serde(default)]
    pub group: Vec<String>,
    /// What one item takes the operator (default 1).
    pub minutes_each: Option<f64>,
    pub target: Option<RawQueueTarget>,
    /// Named filters: expressions over an item's columns.
    #[serde(default)]
    pub presets: BTreeMap<String, String>,
    /// What can be done to an item.
    #[serde(default)]
    pub actions: Vec<String>,
    /// What the list shows, in order.
    pub columns: Vec<RawColumn>,
    /// The column whose text is read in full in the detail.
    pub body: Option<String>,
    /// Said when nothing waits.
    pub empty: Option<String>,
    /// How often it looks (default `60s`).
    pub every: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// The last moment: so long after a column's time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawDeadline {
    pub column: String,
    pub after: String,
}

/// The count below which the queue is where it should be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawQueueTarget {
    pub below: u64,
}

/// A column of the list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawColumn {
    pub column: String,
    /// The head (default: the column's name).
    pub title: Option<String>,
    #[serde(rename = "as", default)]
    pub format: RawColumnFormat,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawColumnFormat {
    #[default]
    Plain,
    Age,
    Time,
    Left,
    Percent,
    Id,
}
