//! Where the operator is: a pane, a queue being worked, a page being read.

use crate::domain::{
    id::Id,
    pack::{Flag, Job, Metric, Playbook, Queue, Reconciliation},
    plan::ActionId,
    snapshot::Subject,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    Alerts,
    Queues,
    Jobs,
    Reconciliation,
    Flags,
    Playbooks,
    Metrics,
    Journal,
}

impl Pane {
    pub const ALL: [Self; 8] = [
        Self::Alerts,
        Self::Queues,
        Self::Jobs,
        Self::Reconciliation,
        Self::Flags,
        Self::Playbooks,
        Self::Metrics,
        Self::Journal,
    ];

    pub fn number(self) -> usize {
        self as usize + 1
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Alerts => "Alerts",
            Self::Queues => "Queues",
            Self::Jobs => "Jobs",
            Self::Reconciliation => "Reconciliation",
            Self::Flags => "Flags",
            Self::Playbooks => "Playbooks",
            Self::Metrics => "Metrics",
            Self::Journal => "Journal",
        }
    }
}

/// One thing that a row stands for and a page can be about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Alert(Subject),
    /// The row that stands for all that is well.
    Healthy,
    Queue(Id<Queue>),
    Item(Id<Queue>, String),
    Job(Id<Job>),
    Statement(Id<Reconciliation>),
    Discrepancy(Id<Reconciliation>, String),
    Flag(Id<Flag>),
    Playbook(Id<Playbook>),
    Metric(Id<Metric>),
    /// A line of the journal, by its sequence number.
    Line(u64),
    /// A run of a command, by its act.
    Run(ActionId),
}

impl Thing {
    /// What `y` copies.
    pub fn name(&self) -> String {
        match self {
            Self::Alert(subject) => subject.name(),
            Self::Healthy => "healthy".to_owned(),
            Self::Queue(id) => id.to_string(),
            Self::Item(_, key) | Self::Discrepancy(_, key) => key.clone(),
            Self::Job(id) => id.to_string(),
            Self::Statement(id) => id.to_string(),
            Self::Flag(id) => id.to_string(),
            Self::Playbook(id) => id.to_string(),
            Self::Metric(id) => id.to_string(),
            Self::Line(sequence) => sequence.to_string(),
            Self::Run(plan) => plan.to_string(),
        }
    }

    /// What history and notes are kept under.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Alert(subject) => Some(subject.clone()),
            Self::Job(id) => Some(Subject::Job(id.clone())),
            Self::Statement(id) | Self::Discrepancy(id, _) => Some(Subject::Reconciliation(id.clone())),
            Self::Healthy
            | Self::Queue(_)
            | Self::Item(..)
            | Self::Flag(_)
            | Self::Playbook(_)
            | Self::Metric(_)
            | Self::Line(_)
            | Self::Run(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub pane: Pane,
    pub zoomed: bool,
    /// The queue being worked, in the queues pane.
    pub queue: Option<Id<Queue>>,
    /// What is being read, over the panes.
    pub page: Option<Thing>,
}

impl Default for Place {
    fn default() -> Self {
        Self { pane: Pane::Alerts, zoomed: false, queue: None, page: None }
    }
}

/// Views gone through, for `[`, `]` and `-`.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    back: Vec<Place>,
    forth: Vec<Place>,
}

/// Views remembered; older ones are forgotten.
const REMEMBERED: usize = 50;

impl Trail {
    pub fn leave(&mut self, from: Place) {
        if self.back.last() != Some(&from) {
            self.back.push(from);
        }
        if self.back.len() > REMEMBERED {
            self.back.remove(0);
        }
        self.forth.clear();
    }

    pub fn back(&mut self, from: Place) -> Option<Place> {
        let to = self.back.pop()?;
        self.forth.push(from);
        Some(to)
    }

    pub fn forth(&mut self, from: Place) -> Option<Place> {
        let to = self.forth.pop()?;
        self.back.push(from);
        Some(to)
    }
}
