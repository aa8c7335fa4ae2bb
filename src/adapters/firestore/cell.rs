//! Values as the interface spells them: one key that names the kind. A value of a kind that nobody knows is told, never dropped.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

use crate::domain::{document::FieldValue, value::Value};

/// A typed cell; `below` is the name of the database's root, before which references lose it.
pub(super) fn cell(value: &Json, below: &str) -> Value {
    let Some((kind, held)) = value.as_object().and_then(|value| value.iter().next()) else { return odd(value) };
    let text = held.as_str();
    match (kind.as_str(), text) {
        ("nullValue", _) => Value::Null,
        ("booleanValue", _) => held.as_bool().map_or_else(|| odd(value), Value::Bool),
        // A number of 64 bits travels as text.
        ("integerValue", _) => {
            let number = text.map_or_else(|| held.as_i64(), |text| text.parse().ok());
            number.map_or_else(|| odd(value), Value::Integer)
        }
        ("doubleValue", _) => double(held).unwrap_or_else(|| odd(value)),
        ("timestampValue", Some(text)) => moment(text).map_or_else(|| odd(value), Value::Time),
        ("stringValue", Some(text)) => Value::text(text),
        ("bytesValue", Some(text)) => STANDARD.decode(text).map_or_else(|_| odd(value), |bytes| Value::text(hex::encode(bytes))),
        ("referenceValue", Some(text)) => Value::text(text.strip_prefix(below).unwrap_or(text)),
        ("geoPointValue" | "arrayValue" | "mapValue", _) => Value::Json(plain(value, below)),
        _ => odd(value),
    }
}

/// What is not understood is shown as it came: as text, which no rule takes for a number or a truth.
fn odd(value: &Json) -> Value {
    Value::text(value.to_string())
}

/// Exact as it is written; what a decimal cannot hold, `NaN` and infinity are text.
fn double(held: &Json) -> Option<Value> {
    let written = match held {
        Json::Number(number) => number.to_string(),
        Json::String(word) => return Some(Value::text(word.as_str())),
        _ => return None,
    };
    let decimal =
        if written.contains(['e', 'E']) { Decimal::from_scientific(&written) } else { Decimal::from_str_exact(&written) };
    // What is so small that nothing is left of it is not nothing.
    let fits = decimal.ok().filter(|decimal| !decimal.is_zero() || held.as_f64() == Some(0.0));
    Some(fits.map_or_else(|| Value::text(written), Value::Decimal))
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}

/// A list or an object as plain JSON: moments, bytes and references as text.
fn plain(value: &Json, below: &str) -> Json {
    let Some((kind, held)) = value.as_object().and_then(|value| value.iter().next()) else { return value.clone() };
    match kind.as_str() {
        "mapValue" => {
            let fields = held.get("fields").and_then(Json::as_object).into_iter().flatten();
            Json::Object(fields.map(|(name, value)| (name.clone(), plain(value, below))).collect())
        }
        "arrayValue" => {
            held.get("values").and_then(Json::as_array).into_iter().flatten().map(|value| plain(value, below)).collect()
        }
        "geoPointValue" => json!({
            "latitude": held.get("latitude").cloned().unwrap_or_else(|| json!(0.0)),
            "longitude": held.get("longitude").cloned().unwrap_or_else(|| json!(0.0)),
        }),
        "timestampValue" | "doubleValue" => held.clone(),
        _ => match cell(value, below) {
            Value::Null => Json::Null,
            Value::Bool(truth) => truth.into(),
            Value::Integer(number) => number.into(),
            other => other.original().into(),
        },
    }
}

/// What a value is, where its cell alone would write back something else.
pub(super) fn lost_kind(value: &Json, below: &str) -> Option<String> {
    let written = encoded(&FieldValue::of_cell(&cell(value, below)), below.trim_end_matches('/'));
    let lost = said(first_difference(value, &written)?);
    Some(match kind(value) {
        "arrayValue" => format!("an array with {lost} in it"),
        "mapValue" => format!("a map with {lost} in it"),
        "doubleValue" => "a number beyond a decimal".to_owned(),
        _ => lost.to_owned(),
    })
}

fn kind(value: &Json) -> &str {
    value.as_object().and_then(|value| value.keys().next()).map_or("", String::as_str)
}

fn said(kind: &str) -> &'static str {
    match kind {
        "bytesValue" => "bytes",
        "referenceValue" => "a reference",
        "geoPointValue" => "a geo point",
        "timestampValue" => "a timestamp",
        "doubleValue" => "a double",
        _ => "a value of a kind that is not known",
    }
}

/// The first kind in it that is another in what would be written.
fn first_difference<'a>(value: &'a Json, written: &Json) -> Option<&'a str> {
    if kind(value) != kind(written) {
        return Some(kind(value));
    }
    let items = |value: &'a Json| value.pointer("/arrayValue/values").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let in_items =
        |(at, there): (usize, &'a Json)| first_difference(there, written.pointer(&format!("/arrayValue/values/{at}"))?);
    let fields = value.pointer("/mapValue/fields").and_then(Json::as_object);
    let in_field = |(name, there): (&String, &'a Json)| first_difference(there, written.pointer("/mapValue/fields")?.get(name)?);
    items(value).iter().enumerate().find_map(in_items).or_else(|| fields.into_iter().flatten().find_map(in_field))
}

/// The value as the interface wants it.
pub(super) fn encoded(value: &FieldValue, root: &str) -> Json {
    match value {
        FieldValue::None => json!({ "nullValue": null }),
        FieldValue::Truth(truth) => json!({ "booleanValue": truth }),
        FieldValue::Integer(number) => json!({ "integerValue": number.to_string() }),
        FieldValue::Double(number) => json!({ "doubleValue": number }),
        FieldValue::Time(moment) => json!({ "timestampValue": spelt(*moment) }),
        FieldValue::Text(text) => json!({ "stringValue": text }),
        FieldValue::Reference(document) => json!({ "referenceValue": format!("{root}/{document}") }),
        FieldValue::Bytes(digits) => json!({ "bytesValue": STANDARD.encode(hex::decode(digits).unwrap_or_default()) }),
        FieldValue::Place { latitude, longitude } => json!({ "geoPointValue": { "latitude": latitude, "longitude": longitude } }),
        FieldValue::List(items) => list(items.iter().map(|item| encoded(item, root))),
        FieldValue::Json(json) => of_json(json),
    }
}

/// To the nanosecond: a precondition must be exactly what was read.
pub(super) fn spelt(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

fn list(values: impl Iterator<Item = Json>) -> Json {
    json!({ "arrayValue": { "values": values.collect::<Vec<_>>() } })
}

fn of_json(json: &Json) -> Json {
    match json {
        Json::Null => json!({ "nullValue": null }),
        Json::Bool(truth) => json!({ "booleanValue": truth }),
        Json::Number(number) => match number.as_i64() {
            Some(number) => json!({ "integerValue": number.to_string() }),
            None => json!({ "doubleValue": number }),
        },
        Json::String(text) => json!({ "stringValue": text }),
        Json::Array(items) => list(items.iter().map(of_json)),
        Json::Object(fields) => {
            let fields: Map<String, Json> = fields.iter().map(|(name, value)| (name.clone(), of_json(value))).collect();
            json!({ "mapValue": { "fields": fields } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BELOW: &str = "projects/p/databases/(default)/documents/";

    #[test]
    fn every_kind_of_value_has_its_cell() {
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        for (value, expected) in [
            (json!({ "nullValue": null }), Value::Null),
            (json!({ "booleanValue": false }), Value::Bool(false)),
            (json!({ "integerValue": "9223372036854775807" }), Value::Integer(i64::MAX)),
            (json!({ "integerValue": "-7" }), Value::Integer(-7)),
            (json!({ "doubleValue": 0.1 }), decimal("0.1")),
            (json!({ "doubleValue": 5 }), decimal("5")),
            (json!({ "doubleValue": 1.5e-7 }), decimal("0.00000015")),
            (json!({ "doubleValue": "NaN" }), Value::text("NaN")),
            (json!({ "doubleValue": "-Infinity" }), Value::text("-Infinity")),
            (json!({ "doubleValue": 1e300 }), Value::text("1e+300")),
            (json!({ "doubleValue": 1e-300 }), Value::text("1e-300")),
            (
                json!({ "timestampValue": "2026-11-19T08:00:00.123456789Z" }),
                Value::Time("2026-11-19T08:00:00.123456789Z".parse().unwrap()),
            ),
            (json!({ "stringValue": "2026-11-19T08:00:00Z" }), Value::text("2026-11-19T08:00:00Z")),
            (json!({ "bytesValue": "wN4=" }), Value::text("c0de")),
            (json!({ "referenceValue": format!("{BELOW}users/u1") }), Value::text("users/u1")),
            (
                json!({ "referenceValue": "projects/q/databases/(default)/documents/users/u1" }),
                Value::text("projects/q/databases/(default)/documents/users/u1"),
            ),
            (
                json!({ "geoPointValue": { "latitude": -33.9, "longitude": 151 } }),
                Value::Json(json!({ "latitude": -33.9, "longitude": 151 })),
            ),
            (json!({ "geoPointValue": {} }), Value::Json(json!({ "latitude": 0.0, "longitude": 0.0 }))),
            (json!({ "arrayValue": {} }), Value::Json(json!([]))),
            (
                json!({ "arrayValue": { "values": [{ "integerValue": "1" }, { "stringValue": "x" }, { "bytesValue": "wN4=" }, { "nullValue": null }] } }),
                Value::Json(json!([1, "x", "c0de", null])),
            ),
            (
                json!({ "mapValue": { "fields": { "a": { "mapValue": {} }, "t": { "timestampValue": "2026-11-19T08:00:00Z" },
                    "n": { "doubleValue": 0.5 }, "r": { "referenceValue": format!("{BELOW}users/u1") } } } }),
                Value::Json(json!({ "a": {}, "t": "2026-11-19T08:00:00Z", "n": 0.5, "r": "users/u1" })),
            ),
        ] {
            assert_eq!(cell(&value, BELOW), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_understood_is_text_that_no_rule_takes_for_anything() {
        for value in [
            json!({ "futureValue": 7 }),
            json!({ "integerValue": "1.5" }),
            json!({ "booleanValue": "yes" }),
            json!({ "timestampValue": "yesterday" }),
            json!({ "bytesValue": "***" }),
            json!({ "stringValue": 3 }),
            json!({}),
            json!(3),
        ] {
            let cell = cell(&value, BELOW);
            assert_eq!(cell, Value::text(value.to_string()));
            assert_eq!((cell.number(), cell.time()), (None, None));
        }
    }

    #[test]
    fn what_is_written_reads_back_as_it_was() {
        let root = BELOW.trim_end_matches('/');
        let moment = "2026-11-19T08:00:00.123456Z".parse().unwrap();
        for (value, cell_of_it) in [
            (FieldValue::None, Value::Null),
            (FieldValue::Truth(true), Value::Bool(true)),
            (FieldValue::Integer(i64::MIN), Value::Integer(i64::MIN)),
            (FieldValue::Double(0.25), Value::Decimal("0.25".parse().unwrap())),
            (FieldValue::Time(moment), Value::Time(moment)),
            (FieldValue::Text("a\u{0}b".into()), Value::text("a\u{0}b")),
            (FieldValue::Reference("users/u1".into()), Value::text("users/u1")),
            (FieldValue::Bytes("c0de".into()), Value::text("c0de")),
            (
                FieldValue::Place { latitude: -33.9, longitude: 151.0 },
                Value::Json(json!({ "latitude": -33.9, "longitude": 151.0 })),
            ),
            (FieldValue::List(vec![FieldValue::Integer(1), FieldValue::Text("x".into())]), Value::Json(json!([1, "x"]))),
            (
                FieldValue::Json(json!({ "a": [1, 0.5, null, { "b": true }] })),
                Value::Json(json!({ "a": [1, 0.5, null, { "b": true }] })),
            ),
        ] {
            assert_eq!(cell(&encoded(&value, root), BELOW), cell_of_it, "{value:?}");
        }
    }

    #[test]
    fn a_cell_that_would_be_written_back_as_something_else_says_what_it_was() {
        let lost = |value: Json| lost_kind(&value, BELOW);
        let time = json!({ "timestampValue": "2026-11-19T08:00:00Z" });
        for (value, kind) in [
            (json!({ "bytesValue": "wN4=" }), "bytes"),
            (json!({ "referenceValue": format!("{BELOW}users/u1") }), "a reference"),
            (json!({ "geoPointValue": { "latitude": 1, "longitude": 2 } }), "a geo point"),
            (json!({ "doubleValue": "NaN" }), "a number beyond a decimal"),
            (json!({ "doubleValue": 1e300 }), "a number beyond a decimal"),
            (json!({ "arrayValue": { "values": [{ "nullValue": null }, &time] } }), "an array with a timestamp in it"),
            (
                json!({ "mapValue": { "fields": { "a": { "mapValue": { "fields": { "t": &time } } } } } }),
                "a map with a timestamp in it",
            ),
            (json!({ "mapValue": { "fields": { "n": { "doubleValue": 5 } } } }), "a map with a double in it"),
            (json!({ "futureValue": 7 }), "a value of a kind that is not known"),
        ] {
            assert_eq!(lost(value.clone()).as_deref(), Some(kind), "{value}");
        }
        for value in [
            time,
            json!({ "nullValue": null }),
            json!({ "integerValue": "5" }),
            json!({ "doubleValue": 5 }),
            json!({ "doubleValue": 0.5 }),
            json!({ "stringValue": "2026-11-19T08:00:00Z" }),
            json!({ "arrayValue": {} }),
            json!({ "mapValue": { "fields": { "a": { "arrayValue": { "values": [{ "doubleValue": 0.5 }, { "integerValue": "1" }] } } } } }),
        ] {
            assert_eq!(lost(value.clone()), None, "{value}");
        }
    }
}
