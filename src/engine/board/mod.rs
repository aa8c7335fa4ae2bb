//! What is known: every reading with its age, every alert with its memory. Takes what looks bring, gives snapshots.
//!
//! Never green when blind: what has not been read for twice its interval is judged again by time alone.

mod alerts;
mod reports;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    look::{Answers, Seen},
    watch::Watch,
};
use crate::{
    domain::{
        alert,
        archive::Evidence,
        pack::Pack,
        snapshot::{
            Alert, Failure, FlagFlip, FlagReport, Flip, Handling, JobReport, Look, MetricReport, QueueReport,
            ReconciliationReport, SignOff, Subject,
        },
        text::Text,
    },
    ports::{Remembered, SourceError},
};
use alerts::{CheckSlot, TenureSlot};

/// Everything that is read, in the pack's order.
#[derive(Debug)]
pub struct Board {
    pack: Arc<Pack>,
    checks: Vec<CheckSlot>,
    job_slots: Vec<TenureSlot>,
    reconciliation_slots: Vec<TenureSlot>,
    handling: HashMap<Subject, Handling>,
    pub queues: Vec<Arc<QueueReport>>,
    pub jobs: Vec<Arc<JobReport>>,
    pub reconciliations: Vec<Arc<ReconciliationReport>>,
    /// What each of their statements is made of; not in the picture, which goes to the screen and to the disk.
    evidence: Vec<Option<Arc<Evidence>>>,
    pub flags: Vec<Arc<FlagReport>>,
    pub metrics: Vec<Arc<MetricReport>>,
}

/// What a look, or time, changed that must be remembered.
#[derive(Debug, Default)]
pub struct Changes {
    pub flips: Vec<Flip>,
    /// Subjects whose judge's memory is to be saved.
    pub memories: Vec<(Subject, serde_json::Value)>,
}

impl Board {
    /// Starts from what was remembered of the alerts, by `Subject::name`.
    pub fn new(pack: Arc<Pack>, remembered: &HashMap<String, Remembered>) -> Self {
        let slot = |subject: Subject| TenureSlot::remembered(remembered.get(&subject.name()));
        let handling = Watch::all(&pack)
            .into_iter()
            .filter_map(|watch| watch.subject(&pack))
            .filter_map(|subject| remembered.get(&subject.name()).map(|found| (subject, found.handling.clone())))
            .collect();
        Self {
            checks: pack.checks.iter().map(|check| CheckSlot::new(check, remembered)).collect(),
            job_slots: pack.jobs.iter().map(|job| slot(Subject::Job(job.id.clone()))).collect(),
            reconciliation_slots: pack
                .reconciliations
                .iter()
                .map(|reconciliation| slot(Subject::Reconciliation(reconciliation.id.clone())))
                .collect(),
            handling,
            queues: pack.queues.iter().map(reports::empty_queue).collect(),
            jobs: pack.jobs.iter().map(reports::empty_job).collect(),
            reconciliations: pack.reconciliations.iter().map(reports::empty_reconciliation).collect(),
            evidence: vec![None; pack.reconciliations.len()],
            flags: pack.flags.iter().map(reports::empty_flag).collect(),
            metrics: pack.metrics.iter().map(reports::empty_metric).collect(),
            pack,
        }
    }

    /// Takes what a look brought. `next_try` is when it will be tried again, for those that failed.
    pub fn apply(&mut self, seen: Seen, next_try: DateTime<Utc>, now: DateTime<Utc>) -> Changes {
        let pack = Arc::clone(&self.pack);
        let Seen { watch, at, took_ms, answer } = seen;
        let came = Came { at, took_ms, next_try, now };
        match (watch, answer) {
            (Watch::Check(index), answer) => self.checks[index].apply(&pack.checks[index], answer.map(one), &came),
            (Watch::Queue(index), answer) => {
                let queue = &pack.queues[index];
                let items =
                    answer.map_err(|error| said(&error)).and_then(|answer| reports::items(queue, &pack, &one(answer), now));
                let report = &mut self.queues[index];
                let look = came.look(&report.look, items);
                *report = Arc::new(QueueReport { look, ..QueueReport::clone(report) });
                Changes::default()
            }
            (Watch::Flag(index), answer) => {
                let flag = &pack.flags[index];
                let value = answer.map_err(|error| said(&error)).and_then(|answer| reports::flag_value(flag, &one(answer)));
                let report = &mut self.flags[index];
                *report = Arc::new(FlagReport { look: came.look(&report.look, value), ..FlagReport::clone(report) });
                Changes::default()
            }
            (Watch::Metric(index), answer) => {
                let metric = &pack.metrics[index];
                let reading = answer.map_err(|error| said(&error)).map(|answer| reports::metric(metric, answer, at));
                let report = &mut self.metrics[index];
                *report = Arc::new(MetricReport { look: came.look(&report.look, reading), ..MetricReport::clone(report) });
                Changes::default()
            }
            (Watch::Job(index), answer) => {
                let health =
                    answer.map_err(|error| said(&error)).map(|answer| reports::job_health(&pack.jobs[index], answer, now));
                let report = &mut self.jobs[index];
                *report = Arc::new(JobReport { look: came.look(&report.look, health), ..JobReport::clone(report) });
                self.judge_job(index, now)
            }
            (Watch::Reconciliation(index), answer) => {
                let reconciliation = &pack.reconciliations[index];
                let statement = match answer.map_err(|error| said(&error)) {
                    Ok(Answers::Statement(paired)) => {
                        self.evidence[index] = Some(Arc::new(paired.evidence));
                        Ok(paired.statement)
                    }
                    Ok(_) => Err(Text::new(format!("{}: the look brought no ledgers", reconciliation.title))),
                    Err(said) => Err(said),
                };
                let report = &mut self.reconciliations[index];
                let look = came.look(&report.look, statement);
                *report = Arc::new(ReconciliationReport { look, ..ReconciliationReport::clone(report) });
                self.judge_reconciliation(index, now)
            }
        }
    }

    /// Judges by time alone: what is too old now, what has been yellow for too long.
    pub fn rejudge(&mut self, now: DateTime<Utc>) -> Changes {
        let pack = Arc::clone(&self.pack);
        let mut changes = Changes::default();
        for (slot, check) in self.checks.iter_mut().zip(&pack.checks) {
            changes.add(slot.rejudge(check, now));
        }
        for index in 0..self.jobs.len() {
            changes.add(self.judge_job(index, now));
        }
        for index in 0..self.reconciliations.len() {
            changes.add(self.judge_reconciliation(index, now));
        }
        changes
    }

    /// A flip ends what the operator did about the alert: it is another alert now.
    pub fn flipped(&mut self, subject: &Subject) -> bool {
        self.handling.remove(subject).is_some_and(|handling| handling != Handling::default())
    }

    pub fn handling(&self, subject: &Subject) -> Handling {
        self.handling.get(subject).cloned().unwrap_or_default()
    }

    pub fn handle(&mut self, subject: Subject, handling: Handling) {
        self.handling.insert(subject, handling);
    }

    /// What a reconciliation's statement, as it stands, is made of; none before the first look of this run.
    pub fn evidence(&self, index: usize) -> Option<Arc<Evidence>> {
        self.evidence.get(index).cloned().flatten()
    }

    pub fn set_sign_off(&mut self, index: usize, sign_off: Option<SignOff>) {
        let report = &mut self.reconciliations[index];
        *report = Arc::new(ReconciliationReport { signed_off: sign_off, ..ReconciliationReport::clone(report) });
    }

    pub fn set_flip(&mut self, index: usize, flip: Option<FlagFlip>) {
        let report = &mut self.flags[index];
        *report = Arc::new(FlagReport { flip, ..FlagReport::clone(report) });
    }

    /// Every alert, in the order in which they want attention.
    pub fn alerts(&self, now: DateTime<Utc>) -> Vec<Arc<Alert>> {
        let checks = self.checks.iter().zip(&self.pack.checks).map(|(slot, check)| slot.alert(check, now));
        let jobs = (0..self.jobs.len()).map(|index| self.job_alert(index, now));
        let reconciliations = (0..self.reconciliations.len()).map(|index| self.reconciliation_alert(index, now));
        let mut alerts: Vec<Arc<Alert>> = checks
            .chain(jobs)
            .chain(reconciliations)
            .map(|mut alert| {
                alert.handling = self.handling(&alert.subject);
                Arc::new(alert)
            })
            .collect();
        alert::sort(&mut alerts, now);
        alerts
    }
}

impl Changes {
    fn add(&mut self, other: Self) {
        self.flips.extend(other.flips);
        self.memories.extend(other.memories);
    }
}

/// When an answer was asked for, and how long it took.
struct Came {
    at: DateTime<Utc>,
    took_ms: u64,
    next_try: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Came {
    /// The look after this answer; where it failed, the last good value stays.
    fn look<T>(&self, before: &Look<T>, answer: Result<T, Text>) -> Look<T> {
        match answer {
            Ok(value) => Look {
                value: Some(Arc::new(value)),
                looked_at: Some(self.at),
                took_ms: self.took_ms,
                every: before.every,
                failure: None,
                reading: None,
            },
            Err(said) => Look {
                value: before.value.clone(),
                looked_at: before.looked_at,
                took_ms: self.took_ms,
                every: before.every,
                failure: Some(self.failure(before.failure.as_ref(), said)),
                reading: None,
            },
        }
    }

    fn failure(&self, before: Option<&Failure>, said: Text) -> Failure {
        let (since, tries) = before.map_or((self.now, 0), |failure| (failure.since, failure.tries));
        Failure { said, since, tries: tries + 1, next_try: Some(self.next_try) }
    }
}

fn said(error: &SourceError) -> Text {
    Text::new(error.to_string())
}

/// The rows of a look that asks one query.
fn one(answers: Answers) -> crate::domain::rows::Rows {
    match answers {
        Answers::One(rows) | Answers::Metric { rows, .. } | Answers::Job { runs: rows, .. } => rows,
        Answers::Statement(_) => crate::domain::rows::Rows::default(),
    }
}
