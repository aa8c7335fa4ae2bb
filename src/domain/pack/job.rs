//! Jobs: scheduled tasks of the business and where their runs are read.

use std::time::Duration;

use crate::domain::zone::Zone;

use super::{Action, Playbook, Query};

use crate::domain::id::Id;

/// A scheduled task of the business.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: Id<Job>,
    pub title: String,
    pub schedule: Schedule,
    /// A run may start so much later before it is called late.
    pub grace: Duration,
    /// Late by this much is yellow "missed"; by `failed_after` red.
    pub missed_after: Duration,
    pub failed_after: Duration,
    /// Tries of one run before it has failed for good.
    pub attempts: u32,
    /// The runs, newest first.
    pub history: Query,
    pub history_columns: HistoryColumns,
    /// What it achieves, counted before and after a run (each column of the one row is a figure).
    pub effect: Option<Query>,
    /// `job.NAME` among the actions, where the pack says how to run it.
    pub run: Option<Id<Action>>,
    pub playbook: Option<Id<Playbook>>,
    /// What it does and what it means when it fails.
    pub note: String,
    pub every: Duration,
    pub covers: Vec<String>,
}

/// A cron expression and its two zones.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub cron: String,
    /// The zone in which the scheduler evaluates it (Vercel, Netlify: UTC).
    pub evaluated_in: Zone,
    /// The zone in which its owner thinks of it.
    pub meant_in: Zone,
}

/// Which columns of the history say what.
#[derive(Clone, Debug)]
pub struct HistoryColumns {
    pub started: String,
    pub finished: Option<String>,
    pub status: String,
    /// The words in `status` for a run that went well, and for one under way.
    pub succeeded: String,
    pub running: Option<String>,
    pub attempt: Option<String>,
    pub error: Option<String>,
}
