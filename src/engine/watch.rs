//! What is looked at: every check, queue, job, reconciliation, flag and metric of a pack, each at its own interval.

use std::time::Duration;

use crate::{
    domain::{pack::Pack, snapshot::Subject},
    engine::message::Scope,
};

/// One thing that is looked at, by its place in the pack's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watch {
    Check(usize),
    Queue(usize),
    Job(usize),
    Reconciliation(usize),
    Flag(usize),
    Metric(usize),
}

impl Watch {
    /// All of a pack, what can be red first: a first screen fills in the order in which it is read.
    pub fn all(pack: &Pack) -> Vec<Self> {
        let mut watches: Vec<Self> = (0..pack.checks.len()).map(Self::Check).collect();
        watches.extend((0..pack.jobs.len()).map(Self::Job));
        watches.extend((0..pack.queues.len()).map(Self::Queue));
        watches.extend((0..pack.flags.len()).map(Self::Flag));
        watches.extend((0..pack.reconciliations.len()).map(Self::Reconciliation));
        watches.extend((0..pack.metrics.len()).map(Self::Metric));
        watches
    }

    pub fn every(self, pack: &Pack) -> Duration {
        match self {
            Self::Check(index) => pack.checks[index].every,
            Self::Queue(index) => pack.queues[index].every,
            Self::Job(index) => pack.jobs[index].every,
            Self::Reconciliation(index) => pack.reconciliations[index].every,
            Self::Flag(index) => pack.flags[index].every,
            Self::Metric(index) => pack.metrics[index].every,
        }
    }

    /// Its name in messages: `checks.refund_rate`.
    pub fn name(self, pack: &Pack) -> String {
        match self {
            Self::Check(index) => format!("checks.{}", pack.checks[index].id),
            Self::Queue(index) => format!("queues.{}", pack.queues[index].id),
            Self::Job(index) => format!("jobs.{}", pack.jobs[index].id),
            Self::Reconciliation(index) => format!("reconciliations.{}", pack.reconciliations[index].id),
            Self::Flag(index) => format!("flags.{}", pack.flags[index].id),
            Self::Metric(index) => format!("metrics.{}", pack.metrics[index].id),
        }
    }

    /// The alert that it feeds, if any.
    pub fn subject(self, pack: &Pack) -> Option<Subject> {
        match self {
            Self::Check(index) => Some(Subject::Check(pack.checks[index].id.clone())),
            Self::Job(index) => Some(Subject::Job(pack.jobs[index].id.clone())),
            Self::Reconciliation(index) => Some(Subject::Reconciliation(pack.reconciliations[index].id.clone())),
            Self::Queue(_) | Self::Flag(_) | Self::Metric(_) => None,
        }
    }

    pub fn is_in(self, scope: &Scope, pack: &Pack) -> bool {
        match (scope, self) {
            (Scope::All, _) | (Scope::Alerts, Self::Check(_) | Self::Job(_)) | (Scope::Metrics, Self::Metric(_)) => true,
            (Scope::Queue(id), Self::Queue(index)) => pack.queues[index].id == *id,
            (Scope::Job(id), Self::Job(index)) => pack.jobs[index].id == *id,
            (Scope::Reconciliation(id), Self::Reconciliation(index)) => pack.reconciliations[index].id == *id,
            (Scope::Flag(id), Self::Flag(index)) => pack.flags[index].id == *id,
            (Scope::Alerts | Scope::Metrics | Scope::Queue(_) | Scope::Job(_) | Scope::Reconciliation(_) | Scope::Flag(_), _) => {
                false
            }
        }
    }
}
