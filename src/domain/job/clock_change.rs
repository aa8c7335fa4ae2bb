//! Clock changes told ahead: what the hour that is skipped, or comes twice, does to a job; and where the zone that it is
//! evaluated in is not the one that it is meant in, what time that makes.

use crate::domain::zone::Zone;
use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Utc};

use super::{
    schedule::Times,
    zone::{change_between, offset},
};

use crate::domain::pack::Schedule;

const AHEAD: TimeDelta = TimeDelta::days(7);

/// A moment at which a zone's clock is set, and by how much it stands before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Transition {
    at: DateTime<Utc>,
    before: FixedOffset,
    after: FixedOffset,
}

impl Transition {
    fn leap(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.after.local_minus_utc() - self.before.local_minus_utc()))
    }

    /// `clocks go forward on Sun 4 Oct`.
    fn said(&self) -> String {
        let way = if self.leap() > TimeDelta::zero() { "forward" } else { "back" };
        format!("clocks go {way} on {}", self.at.with_timezone(&self.before).format("%a %-d %b"))
    }
}

/// What the operator should know about the clocks now, or before the runs of the next seven days.
pub fn clock_change(schedule: &Schedule, now: DateTime<Utc>) -> Option<String> {
    let times = Times::of(&schedule.cron, schedule.evaluated_in)?;
    let mut said = Vec::new();
    said.extend(two_zones(&times, schedule.meant_in, now));
    said.extend(transition(schedule.evaluated_in, now).and_then(|transition| at_transition(&times, transition)));
    if schedule.evaluated_in != schedule.meant_in && !times.is_every_hour() {
        said.extend(transition(schedule.meant_in, now).and_then(|transition| drift(&times, schedule.meant_in, transition)));
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// The zone's first clock change within the next seven days.
fn transition(zone: Zone, now: DateTime<Utc>) -> Option<Transition> {
    let before = offset(zone, now);
    let hours = (1..=AHEAD.num_hours()).map(|hour| now + TimeDelta::hours(hour));
    let late = hours.into_iter().find(|at| offset(zone, *at) != before)?;
    let at = change_between(zone, late - TimeDelta::hours(1), late)?;
    Some(Transition { at, before, after: offset(zone, late) })
}

fn clock(time: NaiveDateTime) -> String {
    time.format("%H:%M").to_string()
}

/// The runs that fall in the hour that is skipped or comes twice. A job that runs at every hour alike loses nothing.
fn at_transition(times: &Times, transition: Transition) -> Option<String> {
    let Transition { at, before, after } = transition;
    let leap = transition.leap();
    let (from, until) = if leap > TimeDelta::zero() { (at, at + leap) } else { (at + leap, at) };
    let hit = times.by_steady_clock(from.with_timezone(&before).naive_local(), until.with_timezone(&before).naive_local());
    let first = hit.first()?;
    let and_more = if hit.len() > 1 { format!(" to {}", clock(*hit.last()?)) } else { String::new() };
    let hit = format!("{}{and_more}", clock(*first));
    if leap > TimeDelta::zero() {
        if times.is_at_fixed_times() {
            let actual = times.after(at - TimeDelta::seconds(1))?.with_timezone(&after);
            return Some(format!("{}: {hit} runs at {}", transition.said(), clock(actual.naive_local())));
        }
        let is_made_up = times.after(at - TimeDelta::seconds(1)).is_some_and(|next| next < at + leap);
        return (!is_made_up).then(|| format!("{}: {hit} does not run", transition.said()));
    }
    if times.is_at_fixed_times() {
        return Some(format!("{}: {hit} comes twice and runs once", transition.said()));
    }
    // A job that also runs in the hour after both passings simply goes on.
    let goes_on = times.after(at - leap - TimeDelta::seconds(1)).is_some_and(|next| next < at - leap - leap);
    (!goes_on).then(|| format!("{}: {hit} runs both times", transition.said()))
}

/// `runs at 13:00 in Australia/Sydney, where 02:00 is meant: it is evaluated in UTC`.
fn two_zones(times: &Times, meant_in: Zone, now: DateTime<Utc>) -> Option<String> {
    let next = times.after(now).filter(|_| !times.is_every_hour())?;
    let (evaluated, meant) = (next.with_timezone(&offset(times.zone(), next)), next.with_timezone(&offset(meant_in, next)));
    (evaluated.offset() != meant.offset()).then(|| {
        format!(
            "{} is evaluated in {}: it is {} in {meant_in}",
            clock(evaluated.naive_local()),
            times.zone(),
            clock(meant.naive_local())
        )
    })
}

/// The zone that it is meant in changes its clock and the scheduler's does not: the hour moves for those who wait for it.
fn drift(times: &Times, meant_in: Zone, transition: Transition) -> Option<String> {
    let (last, next) =
        (times.at_or_before(transition.at - TimeDelta::seconds(1))?, times.after(transition.at - TimeDelta::seconds(1))?);
    // The scheduler's own clock may change on the same day.
    if offset(times.zone(), last) != offset(times.zone(), next) {
        return None;
    }
    let in_old_time = next.with_timezone(&transition.before);
    let in_new_time = next.with_timezone(&offset(meant_in, next));
    Some(format!(
        "{}: from then it runs at {} instead of {} in {meant_in}",
        transition.said(),
        clock(in_new_time.naive_local()),
        clock(in_old_time.naive_local())
    ))
}
