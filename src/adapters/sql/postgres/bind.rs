//! Our values on their way to PostgreSQL: each is written as the type that the server wants, never guessed.

use crate::domain::zone::Zone;
use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use sqlx::{
    Encode, Postgres, Type, TypeInfo as _,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo},
    types::{Json, Uuid},
};

use super::cell::{base, is_text_at_heart};
use crate::{adapters::sql::cell, domain::value::Value};

/// One value on its way to a parameter whose type the server has told.
pub(super) struct Bind<'a> {
    pub(super) value: &'a Value,
    pub(super) kind: PgTypeInfo,
    /// Where a `timestamp` without a zone is meant.
    pub(super) zone: Zone,
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
        encode(self.value, &base(&self.kind), self.zone, buffer)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.kind.clone())
    }
}

fn encode(value: &Value, kind: &PgTypeInfo, zone: Zone, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
    let unfit = || BoxDynError::from(format!("it must be {}", kind.name().to_lowercase()));
    let whole = || value.integer().or_else(|| value.original().parse().ok()).ok_or_else(unfit);
    let moment = || value.time().or_else(|| cell::declared_moment(&value.original())).ok_or_else(unfit);
    let end_of_time = match value.original().as_str() {
        "infinity" => Some((i64::MAX, i32::MAX)),
        "-infinity" => Some((i64::MIN, i32::MIN)),
        _ => None,
    };
    match (kind.name(), end_of_time) {
        ("TIMESTAMPTZ" | "TIMESTAMP", Some((micros, _))) => return put(&micros, buffer),
        ("DATE", Some((_, days))) => return put(&days, buffer),
        _ => {}
    }
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
        "TIMESTAMP" => put(&moment()?.with_timezone(&zone).naive_local(), buffer),
        "DATE" => {
            // A day that is written as one is meant as it stands.
            let day = value.original().parse::<NaiveDate>();
            put(&day.or_else(|_| moment().map(|moment| moment.with_timezone(&zone).date_naive()))?, buffer)
        }
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
