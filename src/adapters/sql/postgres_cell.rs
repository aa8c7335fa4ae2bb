//! PostgreSQL's types and our cells: a value is written as the type that the server wants, never guessed.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::{Decimal, prelude::FromPrimitive as _};
use sqlx::{
    Column as _, Decode, Encode, Postgres, Row as _, Type, TypeInfo as _, ValueRef as _,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgRow, PgTypeInfo, PgTypeKind, PgValueRef, types::PgInterval},
    types::{Json, Uuid},
};

use super::{
    cell,
    fault::{Fault, FaultKind},
};
use crate::domain::value::Value;

/// One value on its way to a parameter whose type the server has told.
pub(super) struct Bind<'a> {
    pub(super) value: &'a Value,
    pub(super) kind: PgTypeInfo,
}

impl Type<Postgres> for Bind<'_> {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Bind<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if self.value.is_null() {
            return Ok(IsNull::Yes);
        }
        encode(self.value, &base(&self.kind), buffer)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.kind.clone())
    }
}

/// The type under a domain.
fn base(kind: &PgTypeInfo) -> PgTypeInfo {
    match kind.kind() {
        PgTypeKind::Domain(under) => base(under),
        _ => kind.clone(),
    }
}

fn encode(value: &Value, kind: &PgTypeInfo, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
    let unfit = || BoxDynError::from(format!("it must be {}", kind.name().to_lowercase()));
    let whole = || value.integer().or_else(|| value.original().parse().ok()).ok_or_else(unfit);
    let moment = || value.time().or_else(|| cell::declared_moment(&value.original())).ok_or_else(unfit);
    match kind.name() {
        "BOOL" => {
            let truth = match value {
                Value::Bool(truth) => *truth,
                other => match other.original().as_str() {
                    "true" | "t" | "yes" | "1" => true,
                    "false" | "f" | "no" | "0" => false,
                    _ => return Err(unfit()),
                },
            };
            put(&truth, buffer)
        }
        "INT2" => put(&i16::try_from(whole()?)?, buffer),
        "INT4" => put(&i32::try_from(whole()?)?, buffer),
        "INT8" => put(&whole()?, buffer),
        "FLOAT4" | "FLOAT8" => {
            let number: f64 = match value {
                Value::Money(money) => money.minor as f64,
                other => other.number().or_else(|| other.original().parse().ok()).ok_or_else(unfit)?,
            };
            if kind.name() == "FLOAT4" { put(&(number as f32), buffer) } else { put(&number, buffer) }
        }
        "NUMERIC" => put(&value.original().parse::<Decimal>().map_err(|_| unfit())?, buffer),
        "UUID" => put(&value.original().parse::<Uuid>().map_err(|_| unfit())?, buffer),
        "TIMESTAMPTZ" => put(&moment()?, buffer),
        "TIMESTAMP" => put(&moment()?.naive_utc(), buffer),
        "DATE" => put(&moment()?.date_naive(), buffer),
        "TIME" => put(&value.original().parse::<NaiveTime>().map_err(|_| unfit())?, buffer),
        "JSON" | "JSONB" => {
            let json = match value {
                Value::Json(json) => json.clone(),
                Value::Text(text) => serde_json::from_str(text.original()).map_err(|_| unfit())?,
                other => serde_json::Value::String(other.original()),
            };
            <Json<serde_json::Value> as Encode<'_, Postgres>>::encode_by_ref(&Json(json), buffer)
        }
        "BYTEA" => put(&hex::decode(value.original()).map_err(|_| unfit())?, buffer),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => put(&value.original(), buffer),
        _ if is_text_at_heart(kind) => put(&value.original(), buffer),
        other => Err(format!("no value here becomes {}; cast the parameter in the statement", other.to_lowercase()).into()),
    }
}

fn put<'q, T: Encode<'q, Postgres>>(value: &T, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
    value.encode_by_ref(buffer)
}

/// Enums, and extensions' texts, travel as their letters.
fn is_text_at_heart(kind: &PgTypeInfo) -> bool {
    matches!(kind.kind(), PgTypeKind::Enum(_)) || matches!(kind.name(), "citext" | "ltree")
}

/// A cell by its column's type.
pub(super) fn decode(row: &PgRow, index: usize) -> Result<Value, Fault> {
    let column = row.column(index).name();
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = base(&raw.type_info());
    value(raw, &kind).map_err(|why| Fault::new(FaultKind::Malformed, format!("column `{column}`: {why}")))
}

fn value(raw: PgValueRef<'_>, kind: &PgTypeInfo) -> Result<Value, BoxDynError> {
    Ok(match kind.name() {
        "BOOL" => Value::Bool(read(raw)?),
        "INT2" => Value::Integer(read::<i16>(raw)?.into()),
        "INT4" => Value::Integer(read::<i32>(raw)?.into()),
        "INT8" => Value::Integer(read(raw)?),
        "OID" => Value::Integer(read::<sqlx::postgres::types::Oid>(raw)?.0.into()),
        "FLOAT4" => {
            let number: f32 = read(raw)?;
            Decimal::from_f32(number)
                .map_or_else(|| Value::text(number.to_string()), |decimal| Value::Decimal(decimal.normalize()))
        }
        "FLOAT8" => cell::float(read(raw)?),
        "NUMERIC" => Value::Decimal(read(raw)?),
        "TIMESTAMPTZ" => Value::Time(read::<DateTime<Utc>>(raw)?),
        "TIMESTAMP" => Value::Time(read::<NaiveDateTime>(raw)?.and_utc()),
        // A day is no moment: where it begins depends on who asks.
        "DATE" => Value::text(read::<NaiveDate>(raw)?.to_string()),
        "TIME" => Value::text(read::<NaiveTime>(raw)?.to_string()),
        "INTERVAL" => Value::text(interval(&read(raw)?)),
        "UUID" => Value::text(read::<Uuid>(raw)?.to_string()),
        "JSON" | "JSONB" => Value::Json(read::<Json<serde_json::Value>>(raw)?.0),
        "BYTEA" => Value::text(hex::encode(read::<Vec<u8>>(raw)?)),
        "VOID" => Value::Null,
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "\"CHAR\"" => Value::text(raw.as_str()?),
        "TEXT[]" | "VARCHAR[]" | "CHAR[]" | "NAME[]" => list::<String>(raw)?,
        "INT4[]" => list::<i32>(raw)?,
        "INT8[]" => list::<i64>(raw)?,
        "BOOL[]" => list::<bool>(raw)?,
        "UUID[]" => {
            let ids: Vec<Option<Uuid>> = read(raw)?;
            Value::Json(ids.into_iter().map(|id| id.map(|id| id.to_string())).collect())
        }
        _ if is_text_at_heart(kind) => Value::text(raw.as_str()?),
        other => {
            return Err(format!("its type {} has no place here; cast it to text in the statement", other.to_lowercase()).into());
        }
    })
}

fn read<'r, T: Decode<'r, Postgres>>(raw: PgValueRef<'r>) -> Result<T, BoxDynError> {
    T::decode(raw)
}

fn list<'r, T>(raw: PgValueRef<'r>) -> Result<Value, BoxDynError>
where
    Vec<Option<T>>: Decode<'r, Postgres>,
    Option<T>: Into<serde_json::Value>,
{
    let values: Vec<Option<T>> = read(raw)?;
    Ok(Value::Json(serde_json::Value::Array(values.into_iter().map(Into::into).collect())))
}

fn interval(interval: &PgInterval) -> String {
    let seconds = interval.microseconds / 1_000_000;
    let sign = if seconds < 0 { "-" } else { "" };
    let clock = format!("{sign}{:02}:{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    let mut said = String::new();
    for (count, unit) in [(interval.months, "mon"), (interval.days, "d")] {
        if count != 0 {
            said = format!("{said}{count} {unit} ");
        }
    }
    said + &clock
}
