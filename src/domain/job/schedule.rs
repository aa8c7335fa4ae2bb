//! The moments that a cron expression stands for in a zone, as Debian's cron counts them: what falls in the hour that a
//! clock skips runs once right after it, what falls in the hour that comes twice runs the first time.
//!
//! The expression is only asked about a clock that never changes; the zone is reckoned here. Asked about the zone itself,
//! the cron library (croner 4.0.2) invents a run after the skipped hour for a job that has just run before it.

use std::str::FromStr as _;

use crate::domain::zone::Zone;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, SubsecRound as _, TimeDelta, TimeZone as _, Utc};
use croner::{Cron, Direction, JobType};

use super::zone::{change_between, offset};

/// No zone sets its clock by more in one go, the date line apart.
const LARGEST_CHANGE: TimeDelta = TimeDelta::hours(3);

/// A cron expression evaluated in one zone.
#[derive(Clone, Debug)]
pub struct Times {
    cron: Cron,
    zone: Zone,
}

impl Times {
    /// `None` where the expression is no cron expression; a validated pack has none such.
    pub fn of(cron: &str, zone: Zone) -> Option<Self> {
        Cron::from_str(cron).ok().map(|cron| Self { cron, zone })
    }

    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The first one later than `moment`; none for an expression that never comes (30 February).
    pub fn after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let reach = self.reach(moment);
        let mut first: Option<DateTime<Utc>> = None;
        for civil in self.civil(self.local(moment) - reach, Direction::Forward) {
            let later = self.instants(civil).into_iter().flatten().filter(|time| *time > moment);
            first = first.into_iter().chain(later).min();
            if first.is_some_and(|first| civil >= self.local(first) + reach) {
                break;
            }
        }
        first
    }

    /// The last one not later than `moment`.
    pub fn at_or_before(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let reach = self.reach(moment);
        let mut last: Option<DateTime<Utc>> = None;
        for civil in self.civil(self.local(moment) + reach, Direction::Backward) {
            let earlier = self.instants(civil).into_iter().flatten().filter(|time| *time <= moment);
            last = last.into_iter().chain(earlier).max();
            if last.is_some_and(|last| civil <= self.local(last) - reach) {
                break;
            }
        }
        last
    }

    /// Those from the last one not later than `from` to `until`, oldest first; the latest `at_most` of them.
    pub fn between(&self, from: DateTime<Utc>, until: DateTime<Utc>, at_most: usize) -> Vec<DateTime<Utc>> {
        let before = |time: &DateTime<Utc>| self.at_or_before(*time - TimeDelta::seconds(1)).filter(|_| *time > from);
        let mut times: Vec<_> = std::iter::successors(self.at_or_before(until), before).take(at_most).collect();
        times.reverse();
        times
    }

    fn local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.with_timezone(&self.zone).naive_local()
    }

    /// How far the order of wall-clock times may differ from the order of moments: not at all, away from a change.
    fn reach(&self, moment: DateTime<Utc>) -> TimeDelta {
        let is_near = offset(self.zone, moment - LARGEST_CHANGE) != offset(self.zone, moment + LARGEST_CHANGE);
        if is_near { LARGEST_CHANGE } else { TimeDelta::zero() }
    }

    /// The moments at which the wall clock's time makes the job run.
    fn instants(&self, civil: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
        match self.zone.from_local_datetime(&civil) {
            MappedLocalTime::Single(time) => [Some(time.to_utc()), None],
            MappedLocalTime::Ambiguous(first, second) => {
                [Some(first.to_utc()), (!self.is_at_fixed_times()).then(|| second.to_utc())]
            }
            MappedLocalTime::None if self.is_at_fixed_times() => [self.right_after_gap(civil), None],
            MappedLocalTime::None => [None, None],
        }
    }

    /// The moment at which the clock leapt over `civil`.
    fn right_after_gap(&self, civil: NaiveDateTime) -> Option<DateTime<Utc>> {
        // Earlier than this wall-clock time is in any zone.
        let early = civil.and_utc() - TimeDelta::hours(26);
        let unchanged = (civil - offset(self.zone, early)).and_utc();
        change_between(self.zone, early, unchanged)
    }

    /// True where every run stands at one time of day (`0 2 * * *`), not at intervals (`*/15 * * * *`).
    pub(super) fn is_at_fixed_times(&self) -> bool {
        self.cron.determine_job_type() == JobType::FixedTime
    }

    /// True where it runs at all hours alike, so that no zone and no clock change moves it.
    pub(super) fn is_every_hour(&self) -> bool {
        self.cron.pattern.hours.values().len() == 24
    }

    /// The times of a clock that does not change, within `[from, until)`.
    pub(super) fn by_steady_clock(&self, from: NaiveDateTime, until: NaiveDateTime) -> Vec<NaiveDateTime> {
        self.civil(from, Direction::Forward).take_while(|time| *time < until).collect()
    }

    /// The times of a clock that does not change, from `start` on. (The library's own iterator writes to the terminal
    /// when it finds no more.)
    fn civil(&self, start: NaiveDateTime, direction: Direction) -> impl Iterator<Item = NaiveDateTime> {
        let find = move |from: &DateTime<Utc>, inclusive| match direction {
            Direction::Forward => self.cron.find_next_occurrence(from, inclusive).ok(),
            Direction::Backward => self.cron.find_previous_occurrence(from, inclusive).ok(),
        };
        let first = find(&start.trunc_subsecs(0).and_utc(), true);
        std::iter::successors(first, move |time| find(time, false)).map(|time| time.naive_utc())
    }
}
