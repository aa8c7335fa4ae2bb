//! One cell of what a connection answered.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde::{Deserialize, Serialize};

use super::{
    money::Money,
    text::{self, Text},
};

/// A typed cell. Times are UTC; money is in minor units.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Integer(i64),
    Decimal(Decimal),
    Money(Money),
    Time(DateTime<Utc>),
    Text(Text),
    Json(serde_json::Value),
}

impl Value {
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number in it: integers, decimals, money in major units. Text is never a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Decimal(number) => number.to_f64(),
            Self::Money(money) => Some(money.major()),
            Self::Null | Self::Bool(_) | Self::Time(_) | Self::Text(_) | Self::Json(_) => None,
        }
    }

    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Decimal(number) if number.is_integer() => number.to_i64(),
            Self::Money(money) => Some(money.minor),
            Self::Null | Self::Bool(_) | Self::Decimal(_) | Self::Time(_) | Self::Text(_) | Self::Json(_) => None,
        }
    }

    pub fn time(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Decimal(_) | Self::Money(_) | Self::Text(_) | Self::Json(_) => {
                None
            }
        }
    }

    /// The original text, for ids and for sending back; numbers as they are written.
    pub fn original(&self) -> String {
        match self {
            Self::Text(text) => text.original().to_owned(),
            Self::Time(time) => time.to_rfc3339(),
            Self::Money(money) => money.minor.to_string(),
            Self::Null => String::new(),
            Self::Bool(truth) => truth.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Json(json) => json.to_string(),
        }
    }

    /// The same with every text in it as others may be told it.
    #[must_use]
    pub fn spoken(&self) -> Self {
        match self {
            Self::Text(text) => Self::text(text::spoken(text.original()).into_owned()),
            Self::Json(json) => Self::Json(spoken_json(json)),
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Decimal(_) | Self::Money(_) | Self::Time(_) => self.clone(),
        }
    }

    /// Order for sorting a column: nulls last, numbers by size, text without regard to case.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => self.to_string().to_lowercase().cmp(&other.to_string().to_lowercase()),
            },
        }
    }
}

fn spoken_json(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::String(text) => text::spoken(text).into_owned().into(),
        serde_json::Value::Array(elements) => elements.iter().map(spoken_json).collect(),
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(name, value)| (text::spoken(name).into_owned(), spoken_json(value))).collect()
        }
        other => other.clone(),
    }
}

/// Safe for a screen, on one line; times as RFC 3339 in UTC (a screen formats times in its own zone).
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.pad(""),
            Self::Bool(truth) => f.pad(if *truth { "yes" } else { "no" }),
            Self::Integer(number) => fmt::Display::fmt(number, f),
            Self::Decimal(number) => fmt::Display::fmt(number, f),
            Self::Money(money) => fmt::Display::fmt(money, f),
            Self::Time(time) => f.pad(&time.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
            Self::Text(text) => f.pad(&text.one_line()),
            Self::Json(json) => f.pad(&Text::new(json.to_string()).one_line()),
        }
    }
}
