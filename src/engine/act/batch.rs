//! Acts that were confirmed together. Each is still an act of its own; the batch counts, pauses and ends.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::driver::Driver;

use crate::{
    domain::{
        ends::Ends,
        journal::{Act, Entry, Event, Phase},
        plan::{ActionId, BatchId, Standing},
        recovery::CutBatch,
        severity::Severity,
        snapshot::BatchReport,
        text::Text,
    },
    engine::message,
};

#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) report: BatchReport,
    /// It stops at the first outcome that nobody knows; one of money always does.
    pub(super) stops_at_unknown: bool,
    /// How each of its acts that are over ended.
    ends: HashMap<ActionId, Standing>,
}

impl Batch {
    pub(super) fn new(id: BatchId, title: String, total: usize, stops_at_unknown: bool, now: DateTime<Utc>) -> Self {
        let report = BatchReport { id, title, total, ends: Ends::default(), paused: false, started_at: now, ended_at: None };
        Self { report, stops_at_unknown, ends: HashMap::new() }
    }

    /// Counts an act that is over; answers whether it was the last.
    pub(super) fn count(&mut self, act: &ActionId, standing: Standing, now: DateTime<Utc>) -> bool {
        if !standing.is_over() {
            return false;
        }
        // One that failed half way and was gone on with is counted as it ended last.
        self.ends.insert(act.clone(), standing);
        let report = &mut self.report;
        report.ends = Ends::default();
        report.ends.extend(self.ends.values().copied());
        let is_last = report.ends.through() >= report.total;
        if is_last && report.ended_at.is_none() {
            report.ended_at = Some(now);
            return true;
        }
        false
    }

    /// The line that closes it in the journal.
    pub(super) fn entry(&self, who: &str, now: DateTime<Utc>) -> Entry {
        let BatchReport { id, title, total, ends, .. } = &self.report;
        let Ends { done, unproven, failed, skipped } = ends;
        let counts = json!({
            "batch": id, "of": total, "done": done, "unproven": unproven, "failed": failed, "skipped": skipped,
        });
        Entry::new(now, who, "BATCH", format!("{title}: {}", ends.said(*total))).payload(counts)
    }
}

impl Driver {
    /// Gives every batch that an earlier run left its closing line, and tells of it. Nothing of it is sent by itself.
    pub(super) async fn close_cut_batches(&mut self) {
        let journal = Arc::clone(&self.setup.journal);
        let batches = match journal.cut_batches().await {
            Ok(batches) => batches,
            Err(error) => return self.fail(&error),
        };
        let now = self.now();
        for acts in batches {
            let Some(id) = acts.iter().find_map(|act| act.plan.batch.clone()) else { continue };
            let Some(cut) = CutBatch::count(&id, &acts, now) else { continue };
            if self.batches.iter().any(|batch| batch.report.id == id) {
                continue;
            }
            let (said, is_in_doubt, operator) = (cut.said(), cut.unknown > 0, &cut.operator);
            let severity = if is_in_doubt { Severity::Unknown } else { Severity::Yellow };
            let entry = Entry::new(now, operator.as_str(), "BATCH", said.as_str()).severity(severity);
            self.record(&entry.payload(json!({ "batch": id, "of": acts.len(), "cut": true }))).await;
            let said = Text::new(format!("recovery settled {said}; :recovery tells each"));
            (self.setup.tell)(message::Event::Notice { said, is_error: is_in_doubt });
        }
    }

    /// Nothing has to be unlocked for pausing; going on sends, hours later perhaps, and asks for all that sending asks for.
    pub(super) async fn pause(&mut self, id: &BatchId, paused: bool) -> Result<Text, Text> {
        if !paused {
            self.may_act()?;
            if !self.lock.is_open(self.now()) {
                return Err(Text::new("writing is locked: W unlocks it, then P goes on with the batch"));
            }
        }
        let in_doubt = self.running.iter().map(|running| &running.act).find(|act| {
            act.plan.batch.as_ref() == Some(id) && matches!(act.state.phase, Phase::Unknown { .. } | Phase::Conflict)
        });
        let in_doubt = in_doubt.map(|act| act.plan.label.original().to_owned());
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.report.id == *id) else {
            return Err(Text::new("there is no such batch"));
        };
        if let (false, true, Some(label)) = (paused, batch.stops_at_unknown, in_doubt) {
            return Err(Text::new(format!("nobody knows yet whether {label} happened: look it up first")));
        }
        batch.report.paused = paused;
        let title = batch.report.title.clone();
        let (word, said) = if paused { ("PAUSE", "paused") } else { ("RESUME", "goes on") };
        let said = format!("{title} {said}");
        let entry = Entry::new(self.now(), self.setup.operator.clone(), word, said.as_str());
        self.record(&entry).await;
        Ok(Text::new(said))
    }

    /// Nothing has to be unlocked for it: nothing is sent by taking back.
    pub(super) async fn cancel(&mut self, id: &BatchId) -> Result<Text, Text> {
        let held: Vec<_> =
            self.intended().filter(|act| act.plan.batch.as_ref() == Some(id)).map(|act| act.plan.id.clone()).collect();
        for id in &held {
            self.feed(id, Event::TakeBack).await;
        }
        self.broken.clone().map_or_else(|| Ok(Text::new(format!("{} taken back before they were sent", held.len()))), Err)
    }

    pub(super) fn intended(&self) -> impl Iterator<Item = &Act> {
        self.running.iter().map(|running| &running.act).filter(|act| matches!(act.state.phase, Phase::Intent { .. }))
    }
}
