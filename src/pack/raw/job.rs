//! `[jobs]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, RawEffect, RawRead};

/// A scheduled task of the business.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawJob {
    pub title: String,
    /// A cron expression.
    pub schedule: String,
    /// The zone in which the scheduler evaluates it (default: the business's).
    pub evaluated_in: Option<String>,
    /// The zone in which its owner thinks of it (default: the business's).
    pub meant_in: Option<String>,
    /// A run may start so much later before it is called late (default `10m`).
    pub grace: Option<String>,
    /// Late by this much is yellow (default `24h`).
    pub missed_after: Option<String>,
    /// Late by this much is red (default `48h`).
    pub failed_after: Option<String>,
    /// Tries of one run before it has failed for good (default 1).
    pub attempts: Option<u32>,
    /// Its runs, newest first.
    pub history: RawRead,
    pub history_columns: RawHistoryColumns,
    /// One row of figures, shown before and after a run.
    pub effect: Option<RawRead>,
    /// How to run it by hand; becomes the action `job.NAME`.
    #[serde(default)]
    pub run: OneOrMany<RawEffect>,
    /// What it does, and what it means when it fails.
    #[serde(default)]
    pub note: String,
    pub playbook: Option<String>,
    /// How often it looks (default `60s`).
    pub every: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// Which columns of the history say what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawHistoryColumns {
    pub started: String,
    pub finished: Option<String>,
    pub status: String,
    /// The word in `status` for a run that went well.
    pub succeeded: String,
    /// The word in `status` for a run under way.
    pub running: Option<String>,
    pub attempt: Option<String>,
    pub error: Option<String>,
}
