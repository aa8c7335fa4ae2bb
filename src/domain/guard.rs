//! Whether the guards of an action hold for a row. A missing, empty or wrongly typed field fails; there is no override.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    age::{self, CLOCK_SKEW},
    expression::Expression,
    pack::{Action, Guard, GuardRule, WindowClock},
    rows::{Params, Row},
    text::Text,
    value::Value,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardVerdict {
    pub title: String,
    pub holds: bool,
    /// By how much, or what is missing.
    pub said: Text,
}

/// Every guard of the action, in order, over the row and the inputs.
pub fn verdicts(action: &Action, row: &Params, now: DateTime<Utc>) -> Vec<GuardVerdict> {
    let row = Row::from(row);
    action.guards.iter().map(|guard| verdict(guard, &row, now)).collect()
}

pub fn verdict(guard: &Guard, row: &Row, now: DateTime<Utc>) -> GuardVerdict {
    let judged = match &guard.rule {
        GuardRule::Within { column, window, clock } => within(row, column, *window, clock, now),
        GuardRule::Holds(expression) => holds(expression, row, now),
    };
    let (holds, said) = match judged {
        Ok(said) => (true, said),
        Err(said) => (false, in_words(guard, row, now).unwrap_or(said)),
    };
    GuardVerdict { title: guard.title.clone(), holds, said: Text::new(said) }
}

/// What the guard itself says where it fails; nothing where the row does not give what that needs.
fn in_words(guard: &Guard, row: &Row, now: DateTime<Utc>) -> Option<String> {
    let mut names = row.params();
    names.entry("now".to_owned()).or_insert(Value::Time(now));
    let said = guard.says.as_ref()?.render(&names).ok()?;
    (!said.trim().is_empty()).then_some(said)
}

/// The names that a guard reads: columns, inputs, parts of JSON cells.
pub fn columns(guard: &Guard) -> Vec<String> {
    match &guard.rule {
        GuardRule::Within { column, clock: WindowClock::Now, .. } => vec![column.clone()],
        GuardRule::Within { column, clock: WindowClock::RequestedAt(requested), .. } => vec![column.clone(), requested.clone()],
        GuardRule::Holds(expression) => expression.columns(),
    }
}

/// Elapsed time, exact to the millisecond: at the end of the window itself it is over.
fn within(
    row: &Row,
    column: &str,
    window: std::time::Duration,
    clock: &WindowClock,
    now: DateTime<Utc>,
) -> Result<String, String> {
    let start = moment(row, column, now)?;
    let judged_at = match clock {
        WindowClock::Now => now,
        WindowClock::RequestedAt(requested) => moment(row, requested, now)?,
    };
    if judged_at < start - CLOCK_SKEW {
        return Err(format!("{column} is after the request"));
    }
    let window = TimeDelta::from_std(window).map_err(|_| format!("the window of {column} is out of range"))?;
    let left = window - (judged_at - start);
    if left > TimeDelta::zero() { Ok(format!("{} left", age::span(left))) } else { Err(format!("over by {}", age::span(-left))) }
}

fn moment(row: &Row, column: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    match row.find(column) {
        None | Some(Value::Null) => Err(format!("no {column}")),
        Some(Value::Time(time)) if *time > now + CLOCK_SKEW => Err(format!("{column} is in the future")),
        Some(Value::Time(time)) => Ok(*time),
        Some(_) => Err(format!("{column} is not a time")),
    }
}

/// The fields that it read, as they are: a verdict must show what it was judged by.
fn holds(expression: &Expression, row: &Row, now: DateTime<Utc>) -> Result<String, String> {
    let read = || {
        let fields = expression.columns().into_iter().filter_map(|name| row.find(&name).map(|value| format!("{name} {value}")));
        fields.collect::<Vec<_>>().join(", ")
    };
    match expression.evaluate_with(row, &Params::from([("now".to_owned(), Value::Time(now))])) {
        // SQLite has no booleans.
        Ok(Value::Bool(true) | Value::Integer(1)) => Ok(read()),
        Ok(Value::Bool(false) | Value::Integer(0)) => Err(read()),
        Ok(Value::Null) => Err(format!("`{}` has no value", expression.source())),
        Ok(_) => Err(format!("`{}` is neither yes nor no", expression.source())),
        Err(why) => Err(match why {
            super::expression::NoValue::Null(column) | super::expression::NoValue::NoColumn(column) => format!("no {column}"),
            super::expression::NoValue::Mistake(said) => said,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::template::Template;

    fn now() -> DateTime<Utc> {
        "2026-04-06T00:00:00Z".parse().unwrap()
    }

    fn guard(clock: WindowClock) -> Guard {
        let rule = GuardRule::Within { column: "purchased_at".to_owned(), window: Duration::from_hours(72), clock };
        Guard { title: "within 3 days".to_owned(), rule, says: None }
    }

    fn row(cells: &[(&str, Value)]) -> Row {
        Row::from(&cells.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Params>())
    }

    fn ago(millis: i64) -> Value {
        Value::Time(now() - TimeDelta::milliseconds(millis))
    }

    const WINDOW: i64 = 72 * 3_600_000;

    #[test]
    fn the_window_is_elapsed_time_and_has_no_exceptions() {
        for (value, holds, said) in [
            (ago(WINDOW - 1), true, "0s left"),
            (ago(WINDOW), false, "over by 0s"),
            (ago(WINDOW + 1), false, "over by 0s"),
            (ago(WINDOW + 90_000_000), false, "over by 1d 1h"),
            (ago(WINDOW - 10_200_000), true, "2h50m left"),
            (ago(0), true, "3d left"),
            (ago(-30_000), true, "3d left"),
            (ago(-120_000), false, "purchased_at is in the future"),
            (Value::Null, false, "no purchased_at"),
            (Value::text("2026-04-05T00:00:00Z"), false, "purchased_at is not a time"),
            (Value::Integer(1_775_000_000), false, "purchased_at is not a time"),
        ] {
            let verdict = verdict(&guard(WindowClock::Now), &row(&[("purchased_at", value)]), now());
            assert_eq!((verdict.holds, verdict.said.shown()), (holds, said));
        }
        let missing = verdict(&guard(WindowClock::Now), &row(&[]), now());
        assert_eq!((missing.holds, missing.said.shown()), (false, "no purchased_at"));
    }

    #[test]
    fn the_moment_of_the_request_can_be_the_clock() {
        let clock = || WindowClock::RequestedAt("requested_at".to_owned());
        let day = 24 * 3_600_000;
        for (purchased, requested, holds, said) in [
            (ago(6 * day), ago(5 * day), true, "2d left"),
            (ago(6 * day), ago(3 * day), false, "over by 0s"),
            (ago(6 * day), Value::Null, false, "no requested_at"),
            (ago(2 * day), ago(3 * day), false, "purchased_at is after the request"),
            (ago(6 * day), ago(-day), false, "requested_at is in the future"),
        ] {
            let row = row(&[("purchased_at", purchased), ("requested_at", requested)]);
            let verdict = verdict(&guard(clock()), &row, now());
            assert_eq!((verdict.holds, verdict.said.shown()), (holds, said));
        }
    }

    #[test]
    fn a_condition_that_has_no_value_fails() {
        let guard = Guard {
            title: "not refunded yet".to_owned(),
            rule: GuardRule::Holds(Expression::parse("amount_refunded == 0").unwrap()),
            says: None,
        };
        for (cells, holds, said) in [
            (&[("amount_refunded", Value::Integer(0))][..], true, "amount_refunded 0"),
            (&[("amount_refunded", Value::Integer(5))], false, "amount_refunded 5"),
            (&[("amount_refunded", Value::Null)], false, "no amount_refunded"),
            (&[], false, "no amount_refunded"),
        ] {
            let verdict = verdict(&guard, &row(cells), now());
            assert_eq!((verdict.holds, verdict.said.shown()), (holds, said));
        }
        let rule = GuardRule::Holds(Expression::parse("amount_refunded + 2").unwrap());
        let number = Guard { title: String::new(), rule, says: None };
        assert!(!super::verdict(&number, &row(&[("amount_refunded", Value::Integer(0))]), now()).holds);
    }

    #[test]
    fn a_guard_that_fails_says_it_in_its_own_words_where_the_row_gives_them() {
        let rule = GuardRule::Holds(Expression::parse("ok").unwrap());
        let says = Some(Template::parse("{{ error }}: heal it first").unwrap());
        let guard = Guard { title: "the endpoint answers".to_owned(), rule, says };
        let error = ("error", Value::text("GET /health answered 500"));
        for (cells, holds, said) in [
            (&[("ok", Value::Bool(false)), error.clone()][..], false, "GET /health answered 500: heal it first"),
            (&[("ok", Value::Bool(true)), error], true, "ok yes"),
            (&[("ok", Value::Bool(false))], false, "ok no"),
            (&[], false, "no ok"),
        ] {
            let verdict = super::verdict(&guard, &row(cells), now());
            assert_eq!((verdict.holds, verdict.said.shown()), (holds, said));
        }
    }
}
