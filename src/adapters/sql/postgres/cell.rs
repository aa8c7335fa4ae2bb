//! What PostgreSQL answered as cells: each type as what it means, and whatever has no place here as the server's own
//! words for it. Never a look that fails for a type.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain::zone::Zone;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Utc, offset::LocalResult};
use rust_decimal::{Decimal, prelude::FromPrimitive as _};
use sqlx::{
    Row as _, TypeInfo as _, ValueRef as _,
    postgres::{PgRow, PgTypeInfo, PgTypeKind},
    types::Uuid,
};

use super::{interval, numeric::numeric};
use crate::{
    adapters::sql::{
        cell,
        fault::{Fault, FaultKind},
    },
    domain::value::Value,
};

/// The type under a domain.
pub(super) fn base(kind: &PgTypeInfo) -> PgTypeInfo {
    match kind.kind() {
        PgTypeKind::Domain(under) => base(under),
        _ => kind.clone(),
    }
}

/// Enums, and extensions' texts, travel as their letters.
pub(super) fn is_text_at_heart(kind: &PgTypeInfo) -> bool {
    matches!(kind.kind(), PgTypeKind::Enum(_)) || matches!(kind.name(), "citext" | "ltree")
}

/// Types that are read as they travel.
const NATIVE: [&str; 23] = [
    "BOOL",
    "INT2",
    "INT4",
    "INT8",
    "OID",
    "FLOAT4",
    "FLOAT8",
    "NUMERIC",
    "TIMESTAMPTZ",
    "TIMESTAMP",
    "DATE",
    "TIME",
    "INTERVAL",
    "UUID",
    "JSON",
    "JSONB",
    "BYTEA",
    "INET",
    "VOID",
    "TEXT",
    "VARCHAR",
    "CHAR",
    "NAME",
];

/// How the server is asked to say a column whose type has no place here; `None` where it has one.
pub(super) fn asked_as(kind: &PgTypeInfo, column: &str) -> Option<String> {
    let kind = base(kind);
    Some(match kind.kind() {
        // Numbers beyond what JSON's readers keep stay exact as texts.
        PgTypeKind::Array(element) if matches!(base(element).name(), "NUMERIC" | "MONEY") => format!("to_json({column}::text[])"),
        PgTypeKind::Array(_) | PgTypeKind::Composite(_) => format!("to_json({column})"),
        _ if NATIVE.contains(&kind.name()) => return None,
        _ if kind.name() == "RECORD" => format!("to_json({column})"),
        // Only the server knows how many decimals its currency has.
        _ if kind.name() == "MONEY" => format!("{column}::numeric"),
        _ => format!("{column}::text"),
    })
}

/// One cell; a `timestamp` is a moment of `zone`. A type that has no place here became known to the server only after
/// the statement was described: described anew, the server is asked for its words.
pub(super) fn decode(row: &PgRow, index: usize, zone: Zone) -> Result<Value, Fault> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = base(&raw.type_info());
    if !NATIVE.contains(&kind.name()) && !is_text_at_heart(&kind) {
        let said = format!("a column has become {} meanwhile", kind.name().to_lowercase());
        return Err(Fault { is_mixed_up: true, ..Fault::new(FaultKind::Busy, said) });
    }
    let bytes = raw.as_bytes().map_err(|why| Fault::new(FaultKind::Malformed, why.to_string()))?;
    Ok(value(kind.name(), bytes, zone).unwrap_or_else(|| Value::text(format!("\\x{}", hex::encode(bytes)))))
}

/// `None` where these bytes are no such thing.
fn value(kind: &str, bytes: &[u8], zone: Zone) -> Option<Value> {
    Some(match kind {
        "BOOL" => Value::Bool(*bytes.first()? != 0),
        "INT2" => Value::Integer(i16::from_be_bytes(exactly(bytes)?).into()),
        "INT4" => Value::Integer(i32::from_be_bytes(exactly(bytes)?).into()),
        "INT8" => Value::Integer(i64::from_be_bytes(exactly(bytes)?)),
        "OID" => Value::Integer(u32::from_be_bytes(exactly(bytes)?).into()),
        "FLOAT4" => float4(f32::from_be_bytes(exactly(bytes)?)),
        "FLOAT8" => cell::float(f64::from_be_bytes(exactly(bytes)?)),
        "NUMERIC" => numeric(bytes)?,
        "TIMESTAMPTZ" => moment(i64::from_be_bytes(exactly(bytes)?), |naive| Some(naive.and_utc())),
        "TIMESTAMP" => moment(i64::from_be_bytes(exactly(bytes)?), |naive| in_zone(naive, zone)),
        // A day is no moment: where it begins depends on who asks.
        "DATE" => day(i32::from_be_bytes(exactly(bytes)?)),
        "TIME" => Value::text(interval::clock(i64::from_be_bytes(exactly(bytes)?))),
        "INTERVAL" => Value::text(interval::said(bytes)?),
        "UUID" => Value::text(Uuid::from_slice(bytes).ok()?.to_string()),
        "JSON" => json(bytes),
        // Its first byte is the version of its form.
        "JSONB" => json(bytes.strip_prefix(&[1])?),
        "BYTEA" => Value::text(hex::encode(bytes)),
        "INET" => Value::text(address(bytes)?),
        "VOID" => Value::Null,
        // Filled up with blanks that mean nothing.
        "CHAR" => Value::text(letters(bytes).trim_end_matches(' ')),
        _ => Value::text(letters(bytes).as_str()),
    })
}

fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

/// A server that keeps letters of any kind (`SQL_ASCII`) may send what is no text.
fn letters(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is too deep, or a number beyond all bounds, is read as it was written.
fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).map_or_else(|_| Value::text(letters(bytes).as_str()), Value::Json)
}

fn float4(number: f32) -> Value {
    match Decimal::from_f32(number) {
        Some(decimal) if !decimal.is_zero() || number == 0.0 => Value::Decimal(decimal.normalize()),
        _ => cell::unfit_float(number.into(), format!("{number:e}")),
    }
}

/// The beginning of PostgreSQL's time, 2000-01-01, in microseconds since 1970.
const BEGINNING: i64 = 946_684_800_000_000;

fn naive(micros: i64) -> Option<NaiveDateTime> {
    micros.checked_add(BEGINNING).and_then(DateTime::from_timestamp_micros).map(|moment| moment.naive_utc())
}

fn moment(micros: i64, placed: impl Fn(NaiveDateTime) -> Option<DateTime<Utc>>) -> Value {
    match micros {
        i64::MAX => Value::text("infinity"),
        i64::MIN => Value::text("-infinity"),
        micros => match naive(micros) {
            Some(naive) => placed(naive).map_or_else(|| Value::text(naive.to_string()), Value::Time),
            None => Value::text(format!("{} years after 2000", micros / 31_556_952_000_000)),
        },
    }
}

/// `None` where the clocks showed it twice, or never: then nobody can tell which moment was meant.
fn in_zone(naive: NaiveDateTime, zone: Zone) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(moment) => Some(moment.to_utc()),
        LocalResult::Ambiguous(..) | LocalResult::None => None,
    }
}

fn day(days: i32) -> Value {
    match days {
        i32::MAX => Value::text("infinity"),
        i32::MIN => Value::text("-infinity"),
        days => {
            let beginning = NaiveDate::from_ymd_opt(2000, 1, 1);
            let day = beginning.and_then(|day| day.checked_add_signed(TimeDelta::days(days.into())));
            Value::text(day.map_or_else(|| format!("{days} days after 2000-01-01"), |day| day.to_string()))
        }
    }
}

/// An address, with its mask where that is not the whole of it.
fn address(bytes: &[u8]) -> Option<String> {
    let (head, bytes) = bytes.split_first_chunk::<4>()?;
    let (address, whole) = match bytes.len() {
        4 => (Ipv4Addr::from(exactly::<4>(bytes)?).to_string(), 32),
        16 => (Ipv6Addr::from(exactly::<16>(bytes)?).to_string(), 128),
        _ => return None,
    };
    let [_, bits, ..] = *head;
    Some(if bits == whole { address } else { format!("{address}/{bits}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_that_came_twice_or_never_is_no_moment() {
        let zone: Zone = "Australia/Sydney".parse().unwrap();
        let at = |text: &str| {
            let naive: NaiveDateTime = text.parse().unwrap();
            moment(naive.and_utc().timestamp_micros() - BEGINNING, |naive| in_zone(naive, zone))
        };
        assert_eq!(at("2026-11-19T19:00:00"), Value::Time("2026-11-19T08:00:00Z".parse().unwrap()));
        assert_eq!(at("2026-04-05T02:30:00"), Value::text("2026-04-05 02:30:00"), "twice");
        assert_eq!(at("2026-10-04T02:30:00"), Value::text("2026-10-04 02:30:00"), "never");
    }

    #[test]
    fn what_lies_beyond_all_clocks_is_read_and_breaks_nothing() {
        let never = |naive: NaiveDateTime| Some(naive.and_utc());
        assert_eq!(moment(i64::MAX, never), Value::text("infinity"));
        assert_eq!(moment(i64::MIN, never), Value::text("-infinity"));
        assert_eq!(moment(i64::MAX - 1, never), Value::text("292277 years after 2000"));
        assert_eq!(day(i32::MAX), Value::text("infinity"));
        assert_eq!(day(i32::MAX - 1), Value::text("2147483646 days after 2000-01-01"));
        for kind in
            NATIVE.iter().filter(|kind| !matches!(**kind, "BYTEA" | "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "VOID" | "JSON"))
        {
            assert_eq!(value(kind, &[], Zone::UTC), None, "{kind}");
        }
    }
}
