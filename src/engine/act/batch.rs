//! Acts that were confirmed together. Each is still an act of its own; the batch counts, pauses and ends.

use chrono::{DateTime, Utc};

use crate::domain::{
    plan::{BatchId, Standing},
    snapshot::BatchReport,
};

#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) report: BatchReport,
    /// A batch of money stops at the first outcome that nobody knows.
    pub(super) moves_money: bool,
}

impl Batch {
    pub(super) fn new(id: BatchId, title: String, total: usize, moves_money: bool, now: DateTime<Utc>) -> Self {
        let report =
            BatchReport { id, title, total, done: 0, failed: 0, skipped: 0, paused: false, started_at: now, ended_at: None };
        Self { report, moves_money }
    }

    /// Counts an act that is over; answers whether it was the last.
    pub(super) fn count(&mut self, standing: Standing, now: DateTime<Utc>) -> bool {
        let report = &mut self.report;
        match standing {
            Standing::Done => report.done += 1,
            Standing::Rejected => report.failed += 1,
            Standing::Changed | Standing::Refused | Standing::TakenBack | Standing::NotSent => report.skipped += 1,
            Standing::Held | Standing::Waiting | Standing::UnderWay | Standing::Unknown => return false,
        }
        let is_last = report.done + report.failed + report.skipped >= report.total;
        if is_last && report.ended_at.is_none() {
            report.ended_at = Some(now);
            return true;
        }
        false
    }

    pub(super) fn said(&self) -> String {
        let BatchReport { title, total, done, failed, skipped, .. } = &self.report;
        format!("{title}: {done} of {total} done, {failed} failed, {skipped} skipped")
    }
}
