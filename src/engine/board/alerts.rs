//! Alerts: the judge's memory of every check, job and reconciliation, and what is said of it.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Board, Came, Changes, reports, said};
use crate::{
    domain::{
        check::{self, Judgement, Memory, Observation},
        pack, reconcile,
        rows::Rows,
        severity::Severity,
        snapshot::{Alert, Failure, Handling, Reading, Subject},
        tenure::Tenure,
        text::Text,
    },
    ports::{Remembered, SourceError},
};

/// Readings kept for the operator's `why`.
const READINGS_KEPT: usize = 60;

/// A check between its looks.
#[derive(Debug)]
pub struct CheckSlot {
    memory: Memory,
    judgement: Option<Judgement>,
    /// Newest first.
    recent: Arc<[Reading]>,
    looked_at: Option<DateTime<Utc>>,
    failure: Option<Failure>,
}

impl CheckSlot {
    pub fn new(check: &pack::Check, remembered: &HashMap<String, Remembered>) -> Self {
        let memory = remembered
            .get(&Subject::Check(check.id.clone()).name())
            .and_then(|found| found.memory.clone())
            // A memory of another version is forgotten rather than believed.
            .and_then(|memory| serde_json::from_value(memory).ok())
            .unwrap_or_default();
        Self { memory, judgement: None, recent: Arc::from([]), looked_at: None, failure: None }
    }

    pub fn apply(&mut self, check: &pack::Check, answer: Result<Rows, SourceError>, came: &Came) -> Changes {
        let observation = match answer.map_err(|error| said(&error)).and_then(|rows| check::measure(check, &rows, came.at)) {
            Ok(measurement) => {
                self.looked_at = Some(came.at);
                self.failure = None;
                Observation::Read { at: came.at, measurement }
            }
            Err(why) => {
                self.failure = Some(came.failure(self.failure.as_ref(), why.clone()));
                Observation::Blind { why }
            }
        };
        self.judge(check, observation, came.now)
    }

    /// A check that has not been looked at since the start keeps what is remembered of it: it is not news that nobody
    /// has looked yet.
    pub fn rejudge(&mut self, check: &pack::Check, now: DateTime<Utc>) -> Changes {
        if self.judgement.is_none() {
            return Changes::default();
        }
        self.judge(check, Observation::Nothing, now)
    }

    fn judge(&mut self, check: &pack::Check, observation: Observation, now: DateTime<Utc>) -> Changes {
        let is_look = !matches!(observation, Observation::Nothing);
        let (memory, judgement) = check::judge(check, &self.memory, observation, now);
        self.memory = memory;
        if let Some(reading) = &judgement.reading {
            self.recent = with(reading.clone(), &self.recent);
        }
        let flips: Vec<_> = judgement.flip.iter().cloned().collect();
        // The holding clocks must survive a restart too, so every look is remembered, not only a flip.
        let memories = if is_look || !flips.is_empty() {
            serde_json::to_value(&self.memory).map(|memory| vec![(Subject::Check(check.id.clone()), memory)]).unwrap_or_default()
        } else {
            Vec::new()
        };
        self.judgement = Some(judgement);
        Changes { flips, memories }
    }

    pub fn alert(&self, check: &pack::Check, now: DateTime<Utc>) -> Alert {
        let judgement = self.judgement.as_ref();
        Alert {
            subject: Subject::Check(check.id.clone()),
            title: check.title.clone(),
            severity: judgement.map_or(Severity::Unknown, |judgement| judgement.severity),
            since: judgement.map(|judgement| judgement.since).or(self.memory.tenure.since).unwrap_or(now),
            reading: judgement.map_or_else(String::new, |judgement| judgement.said.clone()),
            detail: judgement.map_or_else(|| reports::never_looked(check.every), |judgement| judgement.detail.clone()),
            rule: check::rule(check),
            turning: judgement.and_then(|judgement| judgement.turning.clone()),
            recent: Arc::clone(&self.recent),
            playbook: check.playbook.clone(),
            looked_at: self.looked_at,
            every: check.every,
            failure: self.failure.clone(),
            handling: Handling::default(),
        }
    }
}

/// What a job's or a reconciliation's health was, and since when.
#[derive(Debug, Default)]
pub struct TenureSlot {
    tenure: Tenure,
    detail: Text,
    /// Newest first.
    recent: Arc<[Reading]>,
    judged_look: Option<DateTime<Utc>>,
    /// Since the start: what is only remembered is not known yet.
    is_judged: bool,
}

impl TenureSlot {
    pub fn remembered(found: Option<&Remembered>) -> Self {
        let tenure = found
            .and_then(|found| found.memory.clone())
            .and_then(|memory| serde_json::from_value(memory).ok())
            .unwrap_or_default();
        Self { tenure, ..Self::default() }
    }

    fn judged(
        &mut self,
        subject: Subject,
        (severity, detail, began): (Severity, Text, Option<DateTime<Utc>>),
        looked_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Changes {
        let (tenure, flip) = self.tenure.judged(&subject, severity, detail.clone(), began, now);
        let is_new_look = looked_at != self.judged_look;
        if is_new_look || flip.is_some() {
            let reading = Reading { at: looked_at.unwrap_or(now), value: None, severity, said: detail.clone() };
            self.recent = with(reading, &self.recent);
        }
        let changed = tenure != self.tenure;
        self.tenure = tenure;
        self.detail = detail;
        self.judged_look = looked_at;
        self.is_judged = true;
        let memories = if changed {
            serde_json::to_value(&self.tenure).map(|memory| vec![(subject, memory)]).unwrap_or_default()
        } else {
            Vec::new()
        };
        Changes { flips: flip.into_iter().collect(), memories }
    }
}

impl Board {
    pub(super) fn judge_job(&mut self, index: usize, now: DateTime<Utc>) -> Changes {
        let look = &self.jobs[index].look;
        let judged = match (look.fresh(now), &look.failure) {
            (Some(health), None) => (health.severity, Text::new(health.why.clone()), health.since),
            (_, Some(failure)) => (Severity::Unknown, failure.said.clone(), None),
            (None, None) if look.looked_at.is_none() => return Changes::default(),
            (None, None) => (Severity::Unknown, Text::new("the last look is too old"), None),
        };
        let looked_at = look.looked_at;
        let subject = Subject::Job(self.pack.jobs[index].id.clone());
        self.job_slots[index].judged(subject, judged, looked_at, now)
    }

    pub(super) fn judge_reconciliation(&mut self, index: usize, now: DateTime<Utc>) -> Changes {
        let look = &self.reconciliations[index].look;
        let judged = match (look.fresh(now), &look.failure) {
            (Some(statement), None) if statement.is_even() => {
                (reconcile::severity(statement), Text::new("both sides say the same"), None)
            }
            (Some(statement), None) => {
                let said = Text::new(reports::difference_said(statement));
                (reconcile::severity(statement), said, reports::differs_since(statement))
            }
            (_, Some(failure)) => (Severity::Unknown, failure.said.clone(), None),
            (None, None) if look.looked_at.is_none() => return Changes::default(),
            (None, None) => (Severity::Unknown, Text::new("the last look is too old"), None),
        };
        let looked_at = look.looked_at;
        let subject = Subject::Reconciliation(self.pack.reconciliations[index].id.clone());
        self.reconciliation_slots[index].judged(subject, judged, looked_at, now)
    }

    pub(super) fn job_alert(&self, index: usize, now: DateTime<Utc>) -> Alert {
        let (job, report) = (&self.pack.jobs[index], &self.jobs[index]);
        Alert {
            subject: Subject::Job(job.id.clone()),
            title: job.title.clone(),
            reading: report.look.value.as_ref().map_or_else(String::new, |health| health.state.clone()),
            rule: job_rule(job),
            playbook: job.playbook.clone(),
            looked_at: report.look.looked_at,
            every: job.every,
            failure: report.look.failure.clone(),
            ..slot_alert(&self.job_slots[index], Subject::Job(job.id.clone()), job.every, now)
        }
    }

    pub(super) fn reconciliation_alert(&self, index: usize, now: DateTime<Utc>) -> Alert {
        let (reconciliation, report) = (&self.pack.reconciliations[index], &self.reconciliations[index]);
        let subject = Subject::Reconciliation(reconciliation.id.clone());
        Alert {
            title: reconciliation.title.clone(),
            reading: report.look.value.as_ref().map_or_else(String::new, |statement| reports::difference_figures(statement)),
            rule: "yellow where a row of one ledger has no equal row in the other".to_owned(),
            looked_at: report.look.looked_at,
            every: reconciliation.every,
            failure: report.look.failure.clone(),
            ..slot_alert(&self.reconciliation_slots[index], subject, reconciliation.every, now)
        }
    }
}

/// The readings with one more, the oldest dropped where there are enough.
fn with(reading: Reading, earlier: &[Reading]) -> Arc<[Reading]> {
    std::iter::once(reading).chain(earlier.iter().cloned()).take(READINGS_KEPT).collect()
}

fn job_rule(job: &pack::Job) -> String {
    let span = |duration| crate::domain::age::span(chrono::TimeDelta::from_std(duration).unwrap_or_default());
    format!(
        "due by `{}` ({}), late after {}, yellow when late by {}, red when late by {} or failed",
        job.schedule.cron,
        job.schedule.evaluated_in,
        span(job.grace),
        span(job.missed_after),
        span(job.failed_after)
    )
}

fn slot_alert(slot: &TenureSlot, subject: Subject, every: std::time::Duration, now: DateTime<Utc>) -> Alert {
    let never = !slot.is_judged;
    Alert {
        subject,
        title: String::new(),
        severity: if never { Severity::Unknown } else { slot.tenure.severity },
        since: slot.tenure.since.unwrap_or(now),
        reading: String::new(),
        detail: if never { reports::never_looked(every) } else { slot.detail.clone() },
        rule: String::new(),
        turning: None,
        recent: Arc::clone(&slot.recent),
        playbook: None,
        looked_at: None,
        every,
        failure: None,
        handling: Handling::default(),
    }
}
