//! How far ledgers and long lists that are being read have come: counted where their rows come in, told with every picture.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use chrono::{DateTime, TimeDelta, Utc};

use super::watch::Watch;
use crate::domain::{
    pack::Pack,
    snapshot::{PagesSoFar, ReadSoFar},
};

/// Shorter ones are over before they could be told.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(1);

/// What is being read.
#[derive(Debug, Default)]
pub struct Readings {
    /// One count for each reconciliation, in the pack's order.
    ledgers: Vec<Count>,
    /// The looks that come in pages.
    pages: Mutex<BTreeMap<Watch, PagesSoFar>>,
}

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

/// Counts the pages of one look as long as it lives.
#[derive(Debug)]
pub struct PageCounting<'a> {
    readings: &'a Readings,
    watch: Watch,
    since: DateTime<Utc>,
}

impl Readings {
    pub fn of(pack: &Pack) -> Self {
        Self { ledgers: pack.reconciliations.iter().map(|_| Count::default()).collect(), ..Self::default() }
    }

    /// Begins to count for one of the pack's reconciliations.
    pub fn begin(&self, index: usize, now: DateTime<Utc>) -> Option<Counting<'_>> {
        let count = self.ledgers.get(index)?;
        count.theirs.store(0, Relaxed);
        count.ours.store(0, Relaxed);
        count.set(Some(now));
        Some(Counting(count))
    }

    /// What is to be told of one of them.
    pub fn told(&self, index: usize, now: DateTime<Utc>) -> Option<ReadSoFar> {
        let count = self.ledgers.get(index)?;
        let since = count.began.lock().ok().and_then(|began| *began)?;
        let reading = ReadSoFar { since, theirs: count.theirs.load(Relaxed), ours: count.ours.load(Relaxed) };
        (now - since >= WORTH_TELLING).then_some(reading)
    }

    /// Begins to count the pages of a look; one that comes as a whole never shows.
    pub fn begin_pages(&self, watch: Watch, now: DateTime<Utc>) -> PageCounting<'_> {
        PageCounting { readings: self, watch, since: now }
    }

    /// The looks that are worth telling of, with how far each has come.
    pub fn pages(&self, now: DateTime<Utc>) -> BTreeMap<Watch, PagesSoFar> {
        let pages = self.lock_pages();
        let is_long = |so_far: &PagesSoFar| now - so_far.since >= WORTH_TELLING;
        pages.iter().filter(|(_, so_far)| is_long(so_far)).map(|(watch, so_far)| (*watch, *so_far)).collect()
    }

    fn lock_pages(&self) -> MutexGuard<'_, BTreeMap<Watch, PagesSoFar>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn are_under_way(&self) -> bool {
        self.ledgers.iter().any(|count| count.began.lock().is_ok_and(|began| began.is_some()))
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

impl PageCounting<'_> {
    pub fn came(&self, rows: usize) {
        let mut pages = self.readings.lock_pages();
        let so_far = pages.entry(self.watch).or_insert(PagesSoFar { since: self.since, pages: 0, rows: 0 });
        so_far.pages += 1;
        so_far.rows += rows;
    }
}

impl Drop for PageCounting<'_> {
    fn drop(&mut self) {
        self.readings.lock_pages().remove(&self.watch);
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
        let readings = Readings { ledgers: vec![Count::default()], ..Readings::default() };
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
    #[test]
    fn the_pages_of_a_look_are_told_once_it_takes_longer_than_a_moment_until_it_is_over() {
        let readings = Readings::default();
        let now: DateTime<Utc> = "2026-03-20T12:00:00Z".parse().unwrap();
        let later = now + TimeDelta::seconds(1);
        let (whole, paged) = (readings.begin_pages(Watch::Check(0), now), readings.begin_pages(Watch::Queue(3), now));
        assert_eq!(readings.pages(later), BTreeMap::new(), "nothing has come of either");
        paged.came(100);
        paged.came(70);
        assert_eq!(readings.pages(now), BTreeMap::new(), "it may be over in a moment");
        let so_far = PagesSoFar { since: now, pages: 2, rows: 170 };
        assert_eq!(readings.pages(later), BTreeMap::from([(Watch::Queue(3), so_far)]));
        assert_eq!(so_far.said(), "2 pages, 170 rows");
        assert_eq!(PagesSoFar { pages: 12, rows: 1_200, ..so_far }.said(), "12 pages, 1,200 rows");
        assert_eq!(PagesSoFar { pages: 1, rows: 1, ..so_far }.said(), "1 page, 1 row");
        drop((whole, paged));
        assert_eq!(readings.pages(later), BTreeMap::new());
    }
}
