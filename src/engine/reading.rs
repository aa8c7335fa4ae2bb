//! How far ledgers that are being read have come: counted where their rows come in, told with every picture.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{pack::Pack, snapshot::ReadSoFar};

/// Shorter ones are over before they could be told.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(1);

/// One count for each reconciliation, in the pack's order.
#[derive(Debug)]
pub struct Readings(Vec<Count>);

/// The rows of both sides so far.
#[derive(Debug, Default)]
pub struct Count {
    began: Mutex<Option<DateTime<Utc>>>,
    theirs: AtomicUsize,
    ours: AtomicUsize,
}

/// Counts as long as it lives; a look that is given up ends with it.
#[derive(Debug)]
pub struct Counting<'a>(&'a Count);

impl Readings {
    pub fn of(pack: &Pack) -> Self {
        Self(pack.reconciliations.iter().map(|_| Count::default()).collect())
    }

    /// Begins to count for one of the pack's reconciliations.
    pub fn begin(&self, index: usize, now: DateTime<Utc>) -> Option<Counting<'_>> {
        let count = self.0.get(index)?;
        count.theirs.store(0, Relaxed);
        count.ours.store(0, Relaxed);
        count.set(Some(now));
        Some(Counting(count))
    }

    /// What is to be told of one of them.
    pub fn told(&self, index: usize, now: DateTime<Utc>) -> Option<ReadSoFar> {
        let count = self.0.get(index)?;
        let since = count.began.lock().ok().and_then(|began| *began)?;
        let reading = ReadSoFar { since, theirs: count.theirs.load(Relaxed), ours: count.ours.load(Relaxed) };
        (now - since >= WORTH_TELLING).then_some(reading)
    }

    pub fn are_under_way(&self) -> bool {
        self.0.iter().any(|count| count.began.lock().is_ok_and(|began| began.is_some()))
    }
}

impl Count {
    fn set(&self, to: Option<DateTime<Utc>>) {
        if let Ok(mut began) = self.began.lock() {
            *began = to;
        }
    }
}

impl Counting<'_> {
    pub fn theirs(&self) -> &AtomicUsize {
        &self.0.theirs
    }

    pub fn ours(&self) -> &AtomicUsize {
        &self.0.ours
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_than_a_moment_is_told_until_it_is_over() {
        let readings = Readings(vec![Count::default()]);
        let now: DateTime<Utc> = "2026-03-20T12:00:00Z".parse().unwrap();
        assert!(!readings.are_under_way() && readings.begin(1, now).is_none());
        let counting = readings.begin(0, now).unwrap();
        counting.theirs().fetch_add(2_000, Relaxed);
        assert_eq!((readings.told(0, now), readings.are_under_way()), (None, true));
        let later = now + TimeDelta::seconds(2);
        assert_eq!(readings.told(0, later), Some(ReadSoFar { since: now, theirs: 2_000, ours: 0 }));
        drop(counting);
        assert_eq!((readings.told(0, later), readings.are_under_way()), (None, false));
    }
}
