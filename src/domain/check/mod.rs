//! Judging readings against a check's rule. Never green when blind: what could not be read, is too old, is of the wrong
//! type or comes from the future is Unknown.
//!
//! The severity by the rule (`base`) goes on underneath while it is blind; what is shown is `base`, raised by age where
//! the check says so, or Unknown.

mod clock;
mod limit;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    age::{self, CLOCK_SKEW},
    figure::figure,
    pack,
    rows::{Row, Rows},
    severity::Severity,
    snapshot::{Flip, Reading, Subject, Turning},
    tenure::Tenure,
    text::Text,
    value::Value,
};

pub use clock::SideClock;
pub use limit::rule;

/// What a look brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub value: Value,
    /// With its unit.
    pub said: String,
    /// The check's own line about it.
    pub detail: Text,
    /// Since when the outside says that it is so.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
}

/// What there is to judge.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    Read {
        at: DateTime<Utc>,
        measurement: Measurement,
    },
    /// It could not look, or there was nothing to judge; why.
    Blind {
        why: Text,
    },
    /// No look has ended since the last judgement; only time has passed.
    Nothing,
}

/// What a check remembers from one judgement to the next, and over a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub tenure: Tenure,
    /// By the rule, as of the last reading; `None` before the first.
    base: Option<Severity>,
    /// Since when `base` is at least yellow; what escalation counts from.
    troubled_since: Option<DateTime<Utc>>,
    yellow: Option<SideClock>,
    red: Option<SideClock>,
    pub last_reading_at: Option<DateTime<Utc>>,
    pub last: Option<Measurement>,
    /// Why it cannot see, since the last look.
    blind: Option<Text>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub severity: Severity,
    pub since: DateTime<Utc>,
    /// The last reading as it is said, with its unit; empty where there never was one.
    pub said: String,
    /// One more thing to know, or why it is Unknown.
    pub detail: Text,
    pub turning: Option<Turning>,
    /// For the list of recent readings, where a look has ended.
    pub reading: Option<Reading>,
    pub flip: Option<Flip>,
}

/// The check's value over the first row, or why there is none. No row at all still has the number of its rows.
pub fn measure(check: &pack::Check, rows: &Rows, now: DateTime<Utc>) -> Result<Measurement, Text> {
    let facts = rows.facts(now);
    let value = match check.value.evaluate(&Row::from(&facts)) {
        Ok(Value::Null) => return Err(Text::new(format!("`{}` is empty", check.value.source()))),
        Ok(value) => value,
        Err(_) if rows.is_empty() => return Err(Text::new("the query answered no row")),
        Err(why) => return Err(Text::new(why.to_string())),
    };
    for limit in [&check.yellow, &check.red].into_iter().flatten() {
        limit.is_exceeded(&value)?;
    }
    let detail = match &check.detail {
        None => Text::new(""),
        // A line that cannot be said must not hide the reading.
        Some(template) => Text::new(template.render(&facts).unwrap_or_else(|why| format!("(detail: {why})"))),
    };
    let since = check
        .since
        .as_ref()
        .and_then(|since| rows.iter().filter_map(|row| since.evaluate(row).ok()?.time()).filter(|since| *since <= now).min());
    Ok(Measurement { said: figure(&value, &check.unit), value, detail, since })
}

/// Takes an observation into account at `now`. Call it when a look has ended and, with `Nothing`, when time has passed.
pub fn judge(check: &pack::Check, memory: &Memory, observation: Observation, now: DateTime<Utc>) -> (Memory, Judgement) {
    let mut memory = memory.clone();
    let looked = !matches!(observation, Observation::Nothing);
    match observation {
        Observation::Read { at, .. } if at > now + CLOCK_SKEW => {
            memory.blind = Some(Text::new(format!("the reading is {} from the future: a clock is wrong", age::span(at - now))));
        }
        // An answer that was overtaken; where the memory is from the future, it is the memory that is wrong.
        Observation::Read { at, .. } if memory.last_reading_at.is_some_and(|last| at < last && last <= now) => {}
        Observation::Read { at, measurement } => match read(check, &mut memory, &measurement.value, at) {
            Ok(()) => {
                memory.last_reading_at = Some(at);
                memory.last = Some(measurement);
                memory.blind = None;
            }
            Err(why) => memory.blind = Some(why),
        },
        Observation::Blind { why } => memory.blind = Some(why),
        Observation::Nothing => {}
    }

    let blind = memory.blind.clone().or_else(|| too_old(check, &memory, now));
    let severity = if blind.is_some() { Severity::Unknown } else { escalated(check, &memory, now) };
    let said = memory.last.as_ref().map_or_else(String::new, |last| last.said.clone());
    let detail = blind.clone().or_else(|| memory.last.as_ref().map(|last| last.detail.clone())).unwrap_or_else(|| Text::new(""));
    let why = blind.clone().unwrap_or_else(|| Text::new(said.clone()));
    let began = memory.last.as_ref().and_then(|last| last.since);
    let (tenure, flip) = memory.tenure.judged(&Subject::Check(check.id.clone()), severity, why.clone(), began, now);
    let reading = looked.then(|| Reading {
        at: if blind.is_some() { now } else { memory.last_reading_at.unwrap_or(now) },
        value: memory.last.as_ref().filter(|_| blind.is_none()).map(|last| last.value.clone()),
        severity,
        said: why,
    });
    let turning = if blind.is_some() { None } else { turning(check, &memory, severity, now) };
    memory.tenure = tenure;
    let since = memory.tenure.since.unwrap_or(now);
    (memory, Judgement { severity, since, said, detail, turning, reading, flip })
}

/// Runs the clocks of both limits and moves `base`.
fn read(check: &pack::Check, memory: &mut Memory, value: &Value, at: DateTime<Utc>) -> Result<(), Text> {
    let exceeded = |limit: &Option<pack::Limit>| limit.as_ref().map_or(Ok(false), |limit| limit.is_exceeded(value));
    let beyond_red = exceeded(&check.red)?;
    let beyond_yellow = exceeded(&check.yellow)? || beyond_red;
    let seen_for = match memory.last_reading_at {
        Some(last) if memory.blind.is_none() && at - last <= double(check.every) => at - last,
        Some(_) | None => TimeDelta::zero(),
    };
    let yellow = SideClock::read(memory.yellow.as_ref(), beyond_yellow, at, seen_for);
    let red = SideClock::read(memory.red.as_ref(), beyond_red, at, seen_for);

    let holds = |limit: &pack::Limit| delta(limit.holds);
    let worse = if check.red.as_ref().is_some_and(|limit| red.has_been(true, holds(limit))) {
        Severity::Red
    } else if check.yellow.as_ref().is_some_and(|limit| yellow.has_been(true, holds(limit))) {
        Severity::Yellow
    } else {
        Severity::Green
    };
    let recovers = delta(check.recovers_after);
    let current = memory.base.unwrap_or(Severity::Green);
    let best = if current == Severity::Green || yellow.has_been(false, recovers) {
        Severity::Green
    } else if current == Severity::Red && red.has_been(false, recovers) && check.yellow.is_some() {
        Severity::Yellow
    } else {
        current
    };
    let base = worse.max(best);
    memory.troubled_since = (base >= Severity::Yellow).then(|| memory.troubled_since.unwrap_or(at));
    memory.base = Some(base);
    (memory.yellow, memory.red) = (Some(yellow), Some(red));
    Ok(())
}

fn escalated(check: &pack::Check, memory: &Memory, now: DateTime<Utc>) -> Severity {
    let base = memory.base.unwrap_or(Severity::Unknown);
    let is_old = match (check.escalates_after, memory.troubled_since) {
        (Some(after), Some(since)) => now - since >= delta(after),
        (None, _) | (_, None) => false,
    };
    if base == Severity::Yellow && is_old { Severity::Red } else { base }
}

fn too_old(check: &pack::Check, memory: &Memory, now: DateTime<Utc>) -> Option<Text> {
    let Some(at) = memory.last_reading_at else {
        return Some(Text::new("not read yet"));
    };
    let age = now - at;
    if age > double(check.every) {
        Some(Text::new(format!("the last reading is {} old", age::span(age))))
    } else if age < -CLOCK_SKEW {
        Some(Text::new(format!("the last reading is {} from the future: a clock is wrong", age::span(-age))))
    } else {
        None
    }
}

/// The worse severity that it is on its way to, where a limit is exceeded and has not been for long enough.
fn turning(check: &pack::Check, memory: &Memory, severity: Severity, now: DateTime<Utc>) -> Option<Turning> {
    let levels = [(Severity::Red, &check.red, &memory.red), (Severity::Yellow, &check.yellow, &memory.yellow)];
    levels.into_iter().find_map(|(into, limit, clock)| {
        let (limit, clock) = (limit.as_ref()?, clock.as_ref()?);
        let remains = delta(limit.holds) - clock.held();
        let counts_at = memory.last_reading_at.unwrap_or(now) + remains;
        (into > severity && clock.beyond).then_some(Turning { into, since: clock.since, counts_at })
    })
}

fn delta(duration: Duration) -> TimeDelta {
    // A century is longer than any rule, and still adds up with any time.
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(36_525)).min(TimeDelta::days(36_525))
}

fn double(every: Duration) -> TimeDelta {
    delta(every.saturating_mul(2))
}

#[cfg(test)]
mod tests;
