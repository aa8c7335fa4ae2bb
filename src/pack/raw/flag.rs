//! `[flags]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, RawEffect, RawRead};

/// A switch of the business.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawFlag {
    pub title: String,
    pub read: RawRead,
    /// The column of the first row with its value.
    pub column: String,
    pub values: Vec<String>,
    /// The value that it should have.
    pub normal: String,
    /// How it is written; `value` and `reason` are at hand. Becomes the action `flag.NAME`.
    pub set: OneOrMany<RawEffect>,
    /// What shows that the new value is live.
    #[serde(default)]
    pub probes: Vec<RawProbe>,
    /// How long to go on probing (default `2m`).
    pub observe_for: Option<String>,
    /// The check whose recovery ends the reason for the flip.
    pub back_when: Option<String>,
    /// How often it looks (default `60s`).
    pub every: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// A question with a known answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawProbe {
    pub title: String,
    pub read: RawRead,
    pub column: String,
    /// What the column must say; a template that may use `value`.
    pub expect: String,
}
