//! A job's health from its history: each time that it was due, paired with the run that came for it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    clock_change::clock_change,
    history::{End, Recorded, recorded},
    schedule::Times,
};

use crate::domain::{
    age, figure,
    pack::Job,
    rows::Rows,
    severity::Severity,
    snapshot::{JobHealth, Run, RunOutcome},
};

/// Due times drawn and counted, the latest ones: more than any history that is looked through.
const DUE_TIMES: usize = 1_000;
/// A scheduler may fire a moment early.
const EARLY: TimeDelta = TimeDelta::seconds(5);
/// A run is not called slow for seconds.
const NOT_YET_LONG: Duration = Duration::from_mins(1);

/// A due time and the runs that came for it, up to the next one: the first, and its further attempts.
struct Slot {
    due: DateTime<Utc>,
    runs: Vec<Recorded>,
}

/// What is read from the slots before it is said.
struct Course {
    slots: Vec<Slot>,
    /// The first due time since the last run; those that are counted may begin much later.
    unanswered: Option<DateTime<Utc>>,
    usual: Option<Duration>,
    now: DateTime<Utc>,
    grace: TimeDelta,
}

pub fn health(job: &Job, runs: &Rows, now: DateTime<Utc>) -> JobHealth {
    let times = Times::of(&job.schedule.cron, job.schedule.evaluated_in);
    let mut health = JobHealth {
        severity: Severity::Unknown,
        state: "?".to_owned(),
        why: String::new(),
        since: None,
        runs: Vec::new(),
        expected: times.as_ref().and_then(|times| times.at_or_before(now)),
        next: times.as_ref().and_then(|times| times.after(now)),
        missed: 0,
        usual: None,
        clock_change: clock_change(&job.schedule, now),
        effect: Vec::new(),
    };
    let runs = match recorded(&job.history_columns, runs, now) {
        Ok(runs) => runs,
        Err(why) => return JobHealth { why: format!("the history cannot be read: {why}"), ..health },
    };
    let Some((oldest, newest)) = runs.first().zip(runs.last()).map(|(first, last)| (first.started, last.started)) else {
        return JobHealth { why: "the history holds no run".to_owned(), ..health };
    };
    let mut due = times.as_ref().map_or_else(Vec::new, |times| times.between(oldest + EARLY, now, DUE_TIMES));
    // However long ago the last run was: what came of it still stands.
    let its_time = times.as_ref().and_then(|times| times.at_or_before(newest + EARLY));
    if let Some(its_time) = its_time.filter(|its_time| due.first().is_some_and(|first| its_time < first)) {
        due.insert(0, its_time);
    }
    let unanswered = times.as_ref().and_then(|times| times.after(newest + EARLY));
    let course = Course { usual: usual(&runs), slots: slots(&due, runs), unanswered, now, grace: delta(job.grace) };
    health.missed = course.missed() as u32;
    health.usual = course.usual;
    health.runs = course.told();
    (health.severity, health.state, health.why) = course.judged(job);
    health.since = course.troubled_since().filter(|_| health.severity > Severity::Unknown);
    health
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(36_525)).min(TimeDelta::days(36_525))
}

/// The median of those that went well.
fn usual(runs: &[Recorded]) -> Option<Duration> {
    let mut took: Vec<Duration> = runs.iter().filter(|run| run.end == End::Succeeded).filter_map(Recorded::took).collect();
    took.sort_unstable();
    let upper = took.get(took.len() / 2)?;
    let lower = took.get((took.len() - 1) / 2)?;
    Some((*upper + *lower) / 2)
}

/// Runs before the first due time are left out: nobody knows what they came for.
fn slots(due: &[DateTime<Utc>], runs: Vec<Recorded>) -> Vec<Slot> {
    let mut slots: Vec<Slot> = due.iter().map(|due| Slot { due: *due, runs: Vec::new() }).collect();
    for run in runs {
        let place = due.partition_point(|due| *due <= run.started + EARLY);
        if let Some(slot) = place.checked_sub(1).and_then(|place| slots.get_mut(place)) {
            slot.runs.push(run);
        }
    }
    slots
}

impl Slot {
    /// The first run came for it, and so did each that says it is a further attempt; the rest were started by hand.
    fn is_due(&self, index: usize) -> bool {
        index == 0 || self.runs.get(index).and_then(|run| run.attempt).is_some_and(|attempt| attempt > 1)
    }

    /// Tries since its last success.
    fn tries(&self) -> u32 {
        let failed = self.runs.iter().rev().take_while(|run| run.end != End::Succeeded).filter(|run| run.end == End::Failed);
        failed.count() as u32
    }
}

impl Course {
    fn is_over(&self, slot: &Slot) -> bool {
        slot.due + self.grace < self.now
    }

    /// The due times since the last run for which none came, their grace over.
    fn outstanding(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().rev().take_while(|slot| slot.runs.is_empty()).filter(|slot| self.is_over(slot))
    }

    /// The first due time since the last run, where none came for it and its grace is over.
    fn absent_since(&self) -> Option<DateTime<Utc>> {
        self.unanswered.filter(|due| *due + self.grace < self.now)
    }

    /// How many runs did not come; of more than are counted, so many.
    fn missed(&self) -> usize {
        let empty = self.slots.iter().rev().take_while(|slot| slot.runs.is_empty()).count();
        if empty < DUE_TIMES { self.outstanding().count() } else { DUE_TIMES }
    }

    fn last(&self) -> Option<(&Slot, &Recorded)> {
        self.slots.iter().rev().find_map(|slot| Some((slot, slot.runs.last()?)))
    }

    fn is_slow(&self, took: Duration) -> bool {
        self.usual.is_some_and(|usual| took > usual * 2)
    }

    /// Newest first.
    fn told(&self) -> Vec<Run> {
        let told = |slot: &Slot| {
            let runs = slot.runs.iter().enumerate().map(|(index, run)| Run {
                due: slot.is_due(index).then_some(slot.due),
                started: Some(run.started),
                finished: run.finished,
                outcome: match run.end {
                    End::Succeeded if run.took().is_some_and(|took| self.is_slow(took)) => RunOutcome::Slow,
                    End::Succeeded => RunOutcome::Succeeded,
                    End::Failed => RunOutcome::Failed,
                    End::Running => RunOutcome::Running,
                },
                attempt: run.attempt,
                error: run.error.clone(),
            });
            let missed = Run {
                due: Some(slot.due),
                started: None,
                finished: None,
                outcome: RunOutcome::Missed,
                attempt: None,
                error: None,
            };
            let is_missed = slot.runs.is_empty() && self.is_over(slot);
            runs.rev().chain(is_missed.then_some(missed)).collect::<Vec<_>>()
        };
        self.slots.iter().rev().flat_map(told).collect()
    }

    fn judged(&self, job: &Job) -> (Severity, String, String) {
        let standing = self.last().map_or_else(
            || (Severity::Unknown, "?".to_owned(), "no run could be placed".to_owned()),
            |(slot, run)| self.last_run(job, slot, run),
        );
        let late = self.late(job);
        // The worse of the two; of equals the failure, which says more.
        match late {
            Some(late) if late.0 > standing.0 => late,
            Some(late) if standing.0 > Severity::Green => (standing.0, standing.1, format!("{}; {}", standing.2, late.2)),
            Some(late) => late,
            None => standing,
        }
    }

    fn late(&self, job: &Job) -> Option<(Severity, String, String)> {
        let first = self.absent_since()?;
        let count = self.missed();
        let counted = if count < DUE_TIMES { count.to_string() } else { format!("{}+", figure::quantity(DUE_TIMES as f64, "")) };
        let late_by = self.now - first;
        let (severity, state) = if late_by >= delta(job.failed_after) {
            (Severity::Red, format!("MISSED {counted}"))
        } else if late_by >= delta(job.missed_after) {
            (Severity::Yellow, format!("MISSED {counted}"))
        } else {
            (Severity::Yellow, format!("LATE {}", age::span(late_by)))
        };
        let since = first.with_timezone(&job.schedule.meant_in).format("%a %-d %b %H:%M %Z");
        let why = if count == 1 {
            format!("the run of {since} did not come")
        } else {
            format!("{counted} runs did not come, the first of {since}")
        };
        Some((severity, state, why))
    }

    fn last_run(&self, job: &Job, slot: &Slot, run: &Recorded) -> (Severity, String, String) {
        let when = run.started.with_timezone(&job.schedule.meant_in).format("%a %-d %b %H:%M %Z");
        match run.end {
            End::Succeeded => {
                let took = run.took();
                let took_text = took.map_or_else(String::new, |took| format!(" in {}", age::span(delta(took))));
                let usual = match (self.usual, took.is_some_and(|took| self.is_slow(took))) {
                    (Some(usual), true) => format!(", usually {}", age::span(delta(usual))),
                    (Some(_) | None, _) => String::new(),
                };
                (Severity::Green, "ok".to_owned(), format!("ran {when}{took_text}{usual}"))
            }
            End::Failed => {
                let tries = run.attempt.unwrap_or_else(|| slot.tries()).max(1);
                let error = run.error.as_ref().map_or_else(String::new, |error| format!(": {}", error.one_line()));
                let row = self.failures_in_a_row();
                let row = if row > 1 { format!(", {row} failures in a row") } else { String::new() };
                let state = if job.attempts > 1 { format!("FAILED {tries}/{}", job.attempts) } else { "FAILED".to_owned() };
                (Severity::Red, state, format!("the run of {when} failed{row}{error}"))
            }
            End::Running => self.running(job, slot, run, &when.to_string()),
        }
    }

    fn troubled_since(&self) -> Option<DateTime<Utc>> {
        let ended = self.slots.iter().rev().flat_map(|slot| slot.runs.iter().rev()).filter(|run| run.end != End::Running);
        let failed = ended.take_while(|run| run.end == End::Failed).last().map(|run| run.started);
        failed.into_iter().chain(self.absent_since()).min()
    }

    /// Runs that ended badly since the last that went well; one that still runs says nothing yet.
    fn failures_in_a_row(&self) -> usize {
        let ended = self.slots.iter().rev().flat_map(|slot| slot.runs.iter().rev()).filter(|run| run.end != End::Running);
        ended.take_while(|run| run.end == End::Failed).count()
    }

    fn running(&self, job: &Job, slot: &Slot, run: &Recorded, when: &str) -> (Severity, String, String) {
        let elapsed = self.now - run.started;
        let span = age::span(elapsed);
        let longer_than = |limit: Duration| elapsed > delta(limit.max(NOT_YET_LONG));
        if elapsed >= delta(job.failed_after) {
            return (Severity::Red, format!("RUNNING {span}"), format!("has not ended since {when}"));
        }
        if let Some(usual) = self.usual.filter(|usual| longer_than(*usual * 2)) {
            let usual = age::span(delta(usual));
            return (Severity::Yellow, format!("RUNNING {span}"), format!("runs since {when}, usually {usual}"));
        }
        let failures = self.failures_in_a_row();
        if failures > 0 {
            let tries = run.attempt.unwrap_or_else(|| slot.tries() + 1);
            let state = if job.attempts > 1 { format!("RUNNING {tries}/{}", job.attempts) } else { "RUNNING".to_owned() };
            return (Severity::Red, state, format!("runs again since {when}, after {failures} failed"));
        }
        (Severity::Green, format!("RUNNING {span}"), format!("runs since {when}"))
    }
}
