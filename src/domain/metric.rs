//! Reading a metric: the figure as it is said, its change, its target. Two figures of different kinds are never compared.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{
    figure::{figure, quantity},
    money::Currency,
    pack::{Metric, Target},
    rows::{Row, Rows},
    snapshot::MetricReading,
    value::Value,
};

/// A figure that cannot be had says why, in `said`, and has no value.
pub fn read(metric: &Metric, rows: &Rows, series: Option<&Rows>, now: DateTime<Utc>) -> MetricReading {
    let facts = rows.facts(now);
    let row = Row::from(&facts);
    let (times, series) = series.map(points).unwrap_or_default();
    let value = match measured(metric, &row) {
        Ok(value) => value,
        Err(why) => return MetricReading { said: why, series, times, ..MetricReading::default() },
    };
    let previous = metric.previous.as_ref().and_then(|expression| expression.evaluate(&row).ok());
    let target = metric.target.zip(value.number()).map(|(target, number)| met(target, number, &metric.unit));
    let said = metric
        .said
        .as_ref()
        .and_then(|template| {
            let mut names = facts;
            names.entry("value".to_owned()).or_insert_with(|| value.clone());
            template.render(&names).ok()
        })
        .unwrap_or_else(|| figure(&value, &metric.unit));
    let change = previous.and_then(|previous| change(&value, &previous));
    MetricReading { change, value: Some(value), said, series, times, target }
}

fn measured(metric: &Metric, row: &Row) -> Result<Value, String> {
    let value = metric.value.evaluate(row).map_err(|why| format!("no value: {why}"))?;
    match (&value, metric.unit.as_str()) {
        (Value::Null, _) => Err(format!("no value: `{}` is empty", metric.value.source())),
        (Value::Money(_), unit) if !unit.is_empty() && !is_money(unit) => {
            Err(format!("`{}` is money, its unit says `{unit}`", metric.value.source()))
        }
        (Value::Text(_) | Value::Bool(_) | Value::Time(_) | Value::Json(_), unit) if !unit.is_empty() => {
            Err(format!("`{}` is not a number of `{unit}`", metric.value.source()))
        }
        _ => Ok(value),
    }
}

fn is_money(unit: &str) -> bool {
    unit.ends_with(['$', '€', '£', '¥']) || Currency::from_code(unit).is_some()
}

/// As a fraction of the figure before; none where that was nothing, or something else (another currency, no money).
fn change(value: &Value, previous: &Value) -> Option<f64> {
    match (value, previous) {
        (Value::Money(now), Value::Money(before)) if now.currency != before.currency => return None,
        (Value::Money(_), Value::Money(_)) => {}
        (Value::Money(_), _) | (_, Value::Money(_)) => return None,
        _ => {}
    }
    let (now, before) = (value.number()?, previous.number()?);
    (before != 0.0).then(|| (now - before) / before.abs())
}

fn met(target: Target, number: f64, unit: &str) -> (String, bool) {
    let (bound, is_met, most) = match target {
        Target::AtLeast(bound) => (bound, number >= bound, ""),
        Target::AtMost(bound) => (bound, number <= bound, "at most "),
    };
    let verdict = if is_met { "met" } else { "not met" };
    (format!("target {most}{}: {verdict}", quantity(bound, unit)), is_met)
}

/// The numbers of the column `value` (else of the last column), oldest first whatever the order they came in; with their
/// times, where each of them has one.
fn points(rows: &Rows) -> (Vec<DateTime<Utc>>, Vec<f64>) {
    let number = |row: &Row| match row.find("value") {
        Some(value) => value.number(),
        None => row.cells().last().and_then(|(_, value)| value.number()),
    };
    let mut points: Vec<_> =
        rows.iter().filter_map(|row| number(row).map(|number| (row.find("at").and_then(moment), number))).collect();
    // Stable: without times they stay as they came.
    points.sort_by_key(|(at, _)| *at);
    let times: Option<Vec<_>> = points.iter().map(|(at, _)| *at).collect();
    (times.unwrap_or_default(), points.into_iter().map(|(_, number)| number).collect())
}

/// A time, or a day, which begins at midnight UTC.
fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let day = |text: String| text.get(..10)?.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    value.time().or_else(|| day(value.original()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{
        expression::Expression,
        id::Id,
        money::Money,
        pack::{Query, Read, Sql},
    };

    fn metric(unit: &str) -> Metric {
        let sql = Sql { text: String::new(), numbered: String::new(), parameters: vec![] };
        Metric {
            id: Id::new("revenue"),
            title: "Revenue".to_owned(),
            query: Query { on: Id::new("db"), read: Read::Sql(sql), money: vec![] },
            value: Expression::parse("now_").unwrap(),
            unit: unit.to_owned(),
            said: None,
            previous: Some(Expression::parse("before").unwrap()),
            target: None,
            series: None,
            definition: String::new(),
            every: Duration::from_mins(1),
            covers: vec![],
        }
    }

    fn rows(now: Value, before: Value) -> Rows {
        Rows::new(["now_".to_owned(), "before".to_owned()], [vec![now, before]])
    }

    fn reading(now: Value, before: Value) -> MetricReading {
        read(&metric(""), &rows(now, before), None, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn the_change_is_a_fraction_of_the_period_before() {
        assert_eq!(reading(Value::Integer(112), Value::Integer(100)).change, Some(0.12));
        assert_eq!(reading(Value::Integer(5), Value::Integer(-10)).change, Some(1.5));
        assert_eq!(reading(Value::Integer(5), Value::Integer(0)).change, None);
        assert_eq!(reading(Value::Integer(5), Value::Null).change, None);
        let money = |code| Value::Money(Money::new(100, Currency::from_code(code).unwrap()));
        assert_eq!(change(&money("AUD"), &money("AUD")), Some(0.0));
        assert_eq!(change(&money("AUD"), &money("USD")), None);
        assert_eq!(change(&money("AUD"), &Value::Integer(100)), None);
    }

    #[test]
    fn no_value_says_why() {
        let missing = reading(Value::Null, Value::Integer(1));
        assert_eq!((missing.value, missing.said.as_str()), (None, "no value: `now_` is empty"));
        let text = read(&metric("ms"), &rows(Value::text("12"), Value::Null), None, DateTime::UNIX_EPOCH);
        assert_eq!((text.value, text.said.as_str()), (None, "`now_` is not a number of `ms`"));
    }

    #[test]
    fn a_target_is_met_or_not() {
        let mut metric = metric("%");
        for (target, value, said, is_met) in [
            (Target::AtLeast(25.0), 18, "target 25%: not met", false),
            (Target::AtLeast(25.0), 25, "target 25%: met", true),
            (Target::AtMost(10.0), 10, "target at most 10%: met", true),
            (Target::AtMost(10.0), 11, "target at most 10%: not met", false),
        ] {
            metric.target = Some(target);
            let reading = read(&metric, &rows(Value::Integer(value), Value::Null), None, DateTime::UNIX_EPOCH);
            assert_eq!(reading.target, Some((said.to_owned(), is_met)));
            assert_eq!(reading.said, format!("{value}%"));
        }
    }

    #[test]
    fn a_series_is_told_oldest_first() {
        let at = |day| Value::Time(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day));
        let columns = || ["at".to_owned(), "value".to_owned()];
        let cells = [(3, 30), (1, 10), (2, 20)].map(|(day, value)| vec![at(day), Value::Integer(value)]);
        let series = Rows::new(columns(), cells.into_iter().chain([vec![at(4), Value::Null]]));
        let reading = read(&metric(""), &rows(Value::Integer(1), Value::Null), Some(&series), DateTime::UNIX_EPOCH);
        assert_eq!(reading.series, [10.0, 20.0, 30.0]);
    }
}
