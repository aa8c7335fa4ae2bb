//! What both databases share in reading cells: moments written as text, and floats as decimals.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::{Decimal, prelude::FromPrimitive as _};

use crate::domain::value::Value;

/// A moment as databases and programs write it: RFC 3339, or date and time of day, which are UTC without an offset.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    // Cheap to refuse: most texts are no moments, and every cell is asked.
    if bytes.len() < 19 || bytes.len() > 40 || bytes.get(4) != Some(&b'-') || bytes.get(13) != Some(&b':') {
        return None;
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|naive| naive.and_utc())
        .or_else(|| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok().map(|moment| moment.to_utc()))
}

/// As `moment`, where the column is declared to hold moments: to the minute, or the day's beginning, count as well.
pub(super) fn declared_moment(text: &str) -> Option<DateTime<Utc>> {
    moment(text)
        .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok().map(|naive| naive.and_utc()))
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN).and_utc()))
}

/// A float as the shortest decimal that means it; what no decimal can hold stays text, never another number.
pub(super) fn float(number: f64) -> Value {
    match Decimal::from_f64(number) {
        // What is so small that nothing is left of it is not nothing.
        Some(decimal) if !decimal.is_zero() || number == 0.0 => Value::Decimal(decimal.normalize()),
        _ => unfit_float(number, format!("{number:e}")),
    }
}

/// A float that is no decimal, as databases write it; `written` where it is a number.
pub(super) fn unfit_float(number: f64, written: String) -> Value {
    Value::text(match number {
        number if number.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => written,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_known_by_their_shape() {
        for (text, seen) in [
            ("2026-11-19T08:00:00Z", "2026-11-19T08:00:00+00:00"),
            ("2026-11-19T19:00:00+11:00", "2026-11-19T08:00:00+00:00"),
            ("2026-11-19 08:00:00", "2026-11-19T08:00:00+00:00"),
            ("2026-11-19 08:00:00.250", "2026-11-19T08:00:00.250+00:00"),
            ("2026-11-19T08:00:00", "2026-11-19T08:00:00+00:00"),
            ("2026-11-19 19:00:00+11", "2026-11-19T08:00:00+00:00"),
        ] {
            assert_eq!(moment(text).map(|moment| moment.to_rfc3339()).as_deref(), Some(seen), "{text}");
        }
        for text in
            ["2026-11-19", "2026-11-19 08:00", "at 2026-11-19 08:00:00", "2026-13-19 08:00:00", "", "rv_2026-11-19 08:00:00"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
        assert!(declared_moment("2026-11-19").is_some());
        assert!(declared_moment("2026-11-19 08:00").is_some());
    }

    #[test]
    fn floats_become_the_decimal_that_was_meant() {
        assert_eq!(float(0.9), Value::Decimal(Decimal::new(9, 1)));
        assert_eq!(float(f64::INFINITY), Value::text("Infinity"));
        assert_eq!(float(f64::NAN), Value::text("NaN"));
        assert_eq!(float(1e300), Value::text("1e300"));
        assert_eq!(float(1e-300), Value::text("1e-300"));
        assert_eq!(float(-0.0), Value::Decimal(Decimal::ZERO));
    }
}
