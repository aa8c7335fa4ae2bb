//! A cell as it is handed to a book: borrowed, so that a million of them cost no copies.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::domain::{money::Money, value::Value};

/// As `Value`, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Decimal(Decimal),
    Money(Money),
    Time(DateTime<Utc>),
    Text(&'a str),
    Json(&'a serde_json::Value),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Integer(number) => Self::Integer(*number),
            Value::Decimal(number) => Self::Decimal(*number),
            Value::Money(money) => Self::Money(*money),
            Value::Time(time) => Self::Time(*time),
            Value::Text(text) => Self::Text(text.original()),
            Value::Json(json) => Self::Json(json),
        }
    }
}

impl Cell<'_> {
    /// With a copy of its text, for being told.
    pub fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Integer(number) => Value::Integer(number),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Money(money) => Value::Money(money),
            Self::Time(time) => Value::Time(time),
            Self::Text(text) => Value::text(text),
            Self::Json(json) => Value::Json(json.clone()),
        }
    }
}
