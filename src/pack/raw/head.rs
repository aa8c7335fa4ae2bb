//! `[pack]`, `[playbooks]` and `[policy]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

/// The business itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawHead {
    /// What the header says.
    pub title: String,
    /// The business's own zone (`Australia/Sydney`).
    pub timezone: String,
    /// The currency of its money (`AUD`).
    pub currency: String,
}

/// What to do when: a title and a Markdown file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawPlaybook {
    pub title: String,
    /// Markdown, beside the pack file (`playbooks/stock.md`).
    pub file: String,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// Limits over all actions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawPolicy {
    /// The most money that one session may send, in major units (`"500.00"`).
    pub money_per_session: Option<String>,
    /// The most money that one day may send, in major units (`"1000.00"`).
    pub money_per_day: Option<String>,
    /// What the operator may never do, in words.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// When the operator comes back, as a cron expression in the business's zone: where a deferred alert goes.
    pub defer_to: Option<String>,
}
