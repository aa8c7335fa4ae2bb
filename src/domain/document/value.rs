//! A typed value for a field, and what is to become of a field.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{text, value::Value};

/// What a field can hold, as far as anything here writes it or asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    None,
    Truth(bool),
    Integer(i64),
    Double(f64),
    Time(DateTime<Utc>),
    Text(String),
    /// A document below the same database.
    Reference(String),
    /// In hexadecimal digits.
    Bytes(String),
    Place {
        latitude: f64,
        longitude: f64,
    },
    List(Vec<FieldValue>),
    /// An object or a list.
    Json(serde_json::Value),
}

impl FieldValue {
    /// A cell's own kind; money is its minor units.
    pub fn of_cell(cell: &Value) -> Self {
        match cell {
            Value::Null => Self::None,
            Value::Bool(truth) => Self::Truth(*truth),
            Value::Integer(number) => Self::Integer(*number),
            Value::Money(money) => Self::Integer(money.minor),
            Value::Decimal(_) => cell.number().map_or(Self::None, Self::Double),
            Value::Time(time) => Self::Time(*time),
            Value::Text(text) => Self::Text(text.original().to_owned()),
            Value::Json(json) => Self::Json(json.clone()),
        }
    }

    /// In words, for who decides about it.
    pub fn said(&self) -> String {
        match self {
            Self::None => "nothing".to_owned(),
            Self::Truth(truth) => truth.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Time(time) => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Self::Text(words) => format!("\"{}\"", text::spoken(words)),
            Self::Reference(document) => document.clone(),
            Self::Bytes(digits) => format!("{} bytes", digits.len() / 2),
            Self::Place { latitude, longitude } => format!("{latitude}, {longitude}"),
            Self::List(items) => format!("[{}]", items.iter().map(Self::said).collect::<Vec<_>>().join(", ")),
            Self::Json(json) => text::spoken(&json.to_string()).into_owned(),
        }
    }
}

/// What is to become of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Set(FieldValue),
    /// The moment at which the database writes it, by its own clock.
    ServerTime,
    Remove,
}

/// How the document must be for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precondition {
    Absent,
    /// Last changed at exactly this moment, of its own clock.
    UnchangedSince(DateTime<Utc>),
}
