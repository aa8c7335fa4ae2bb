//! How old the data on the screen is. Never younger than the oldest reading that is shown as if it were now.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::model::Model;
use crate::domain::snapshot::{Failure, Look, Snapshot};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The oldest reading that is shown as current.
    Current(DateTime<Utc>),
    /// The same, where most of what is watched is not current.
    InPart(DateTime<Utc>),
    /// No reading is current; the last one, if there was any, was made then.
    Nothing(Option<DateTime<Utc>>),
    /// No look has ended yet.
    Looking,
}

/// One reading: when it was made, how often it should be, whether a later look failed.
struct Made {
    at: Option<DateTime<Utc>>,
    every: Duration,
    has_failed: bool,
}

impl Made {
    fn of<T>(look: &Look<T>) -> Self {
        Self::new(look.looked_at, look.every, look.failure.as_ref())
    }

    fn new(at: Option<DateTime<Utc>>, every: Duration, failure: Option<&Failure>) -> Self {
        Self { at, every, has_failed: failure.is_some() }
    }

    fn is_current(&self, now: DateTime<Utc>) -> bool {
        let limit = TimeDelta::from_std(self.every * 2).unwrap_or(TimeDelta::MAX);
        !self.has_failed && self.at.is_some_and(|at| now - at <= limit)
    }
}

impl Model {
    pub fn freshness(&self) -> Freshness {
        let Some(snapshot) = &self.snapshot else { return Freshness::Looking };
        let all = made(snapshot);
        let current: Vec<DateTime<Utc>> =
            all.iter().filter(|made| made.is_current(self.now)).filter_map(|made| made.at).collect();
        if let Some(oldest) = current.iter().min() {
            let is_part = current.len() * 2 < all.len();
            return if is_part { Freshness::InPart(*oldest) } else { Freshness::Current(*oldest) };
        }
        let last_answers = snapshot.sources.iter().filter_map(|source| source.last_ok);
        let last = all.iter().filter_map(|made| made.at).chain(last_answers).max();
        let has_failed = all.iter().any(|made| made.has_failed) || snapshot.sources.iter().any(|source| source.failure.is_some());
        match last {
            None if !has_failed => Freshness::Looking,
            last => Freshness::Nothing(last),
        }
    }
}

fn made(snapshot: &Snapshot) -> Vec<Made> {
    let alerts = snapshot.alerts.iter().map(|alert| Made::new(alert.looked_at, alert.every, alert.failure.as_ref()));
    let queues = snapshot.queues.iter().map(|report| Made::of(&report.look));
    let jobs = snapshot.jobs.iter().map(|report| Made::of(&report.look));
    let statements = snapshot.reconciliations.iter().map(|report| Made::of(&report.look));
    let flags = snapshot.flags.iter().map(|report| Made::of(&report.look));
    let metrics = snapshot.metrics.iter().map(|report| Made::of(&report.look));
    alerts.chain(queues).chain(jobs).chain(statements).chain(flags).chain(metrics).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        engine::message::Event,
        ui::{Msg, model::fixture, update},
    };

    fn with(change: impl FnOnce(&mut Snapshot)) -> Model {
        let mut snapshot = fixture::snapshot();
        change(&mut snapshot);
        let mut model = fixture::model();
        update(&mut model, Msg::Event(Event::Snapshot(Arc::new(snapshot))), fixture::now());
        model
    }

    #[test]
    fn the_oldest_reading_shown_as_current_is_the_age_of_the_screen() {
        let now = fixture::now();
        assert_eq!(fixture::model().freshness(), Freshness::Current(now));
        let old = now - TimeDelta::seconds(100);
        let model = with(|snapshot| Arc::make_mut(&mut snapshot.queues[0]).look.looked_at = Some(old));
        assert_eq!(model.freshness(), Freshness::Current(old));
        let too_old = now - TimeDelta::seconds(121);
        let model = with(|snapshot| Arc::make_mut(&mut snapshot.queues[0]).look.looked_at = Some(too_old));
        assert_eq!(model.freshness(), Freshness::Current(now), "what is dimmed says its own age");
        let model = with(|snapshot| {
            let look = &mut Arc::make_mut(&mut snapshot.queues[0]).look;
            (look.looked_at, look.failure) = (Some(old), Some(fixture::failure()));
        });
        assert_eq!(model.freshness(), Freshness::Current(now), "and so does what failed since");
        let model = with(|snapshot| {
            let look = snapshot.queues[0].look.clone();
            *snapshot = Snapshot { sequence: 9, ..fixture::failed() };
            Arc::make_mut(&mut snapshot.queues[0]).look = look;
        });
        assert_eq!(model.freshness(), Freshness::InPart(now), "one pane that answers makes no fresh screen");
    }

    #[test]
    fn a_snapshot_taken_now_of_nothing_that_could_be_read_is_not_fresh() {
        let model = with(|snapshot| *snapshot = Snapshot { sequence: 9, ..fixture::failed() });
        let Freshness::Nothing(Some(at)) = model.freshness() else { panic!("{:?}", model.freshness()) };
        assert!(at < fixture::now());
        let mut model = fixture::model();
        let later = fixture::now() + TimeDelta::minutes(14);
        update(&mut model, Msg::Tick, later);
        assert_eq!(model.freshness(), Freshness::Nothing(Some(fixture::now())), "the picture of an earlier visit");
        let model = with(|snapshot| {
            *snapshot = Snapshot { sequence: 9, ..fixture::failed() };
            snapshot.sources[0].last_ok = None;
        });
        assert_eq!(model.freshness(), Freshness::Nothing(None));
    }
}
