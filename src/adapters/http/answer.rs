//! An HTTP answer as rows: `ok`, `status`, `latency_ms`, `body`, `error`, and the columns that the query points at.

use chrono::DateTime;
use rust_decimal::{Decimal, prelude::FromPrimitive as _};
use serde_json::Value as Json;

use super::{
    super::transport::{NoReply, Reply, Transport},
    link,
};
use crate::{
    domain::{pack::HttpRead, rows::Rows, value::Value},
    ports::SourceError,
};

/// Always there, before the query's own.
const ALWAYS: [&str; 5] = ["ok", "status", "latency_ms", "body", "error"];

pub(super) fn rows(transport: &Transport, read: &HttpRead, path: &str, reply: &Reply) -> Result<Rows, SourceError> {
    let problem = problem(transport, read, path, reply);
    if let Some(problem) = problem {
        return if read.probe {
            Ok(table(read, Some(reply), vec![row(read, Some(reply), None, Some(&problem.to_string()))]))
        } else {
            Err(problem)
        };
    }
    let json = reply.json();
    if read.rows.is_empty() {
        return Ok(table(read, Some(reply), vec![row(read, Some(reply), json.as_ref(), None)]));
    }
    let elements = json.as_ref().and_then(|json| list(read, json)).unwrap_or_default();
    let wanted = elements.iter().filter(|element| read.only.iter().all(|proof| proof.holds(element)));
    Ok(table(read, Some(reply), wanted.map(|element| row(read, Some(reply), Some(element), None)).collect()))
}

/// The first list that stands where the query looks for one.
fn list<'a>(read: &HttpRead, json: &'a Json) -> Option<&'a [Json]> {
    read.rows.iter().find_map(|pointer| json.pointer(pointer)?.as_array()).map(Vec::as_slice)
}

/// No row at all.
pub(super) fn none(read: &HttpRead) -> Rows {
    table(read, None, Vec::new())
}

/// One row that says what failed, for a query that judges exactly this.
pub(super) fn failed_probe(read: &HttpRead, transport: &Transport, failure: &NoReply) -> Rows {
    table(read, None, vec![row(read, None, None, Some(&transport.unread(failure).to_string()))])
}

/// Why the answer cannot be used.
fn problem(transport: &Transport, read: &HttpRead, path: &str, reply: &Reply) -> Option<SourceError> {
    let said = |words: &str| transport.text(format_args!("{} {path} answered {}{words}", read.method, reply.status));
    // Only where it is told: what it must not tell is looked for in all of the answer.
    let excerpt = || match reply.excerpt() {
        excerpt if excerpt.is_empty() => excerpt,
        excerpt => format!(": {excerpt}"),
    };
    match reply.status {
        200..300 => {}
        300..400 => {
            let place = reply.header("location").unwrap_or("nowhere");
            return Some(SourceError::Refused(said(&format!(": moved to {place}, which is outside the connection's address"))));
        }
        401 | 403 => return Some(SourceError::Denied(said(&format!("{}; check the connection's credentials", excerpt())))),
        400..500 => return Some(SourceError::Refused(said(&excerpt()))),
        _ => return Some(SourceError::Malformed(said(&excerpt()))),
    }
    if let Some(cut) = &reply.cut {
        return Some(SourceError::Malformed(said(&format!(", but {cut}"))));
    }
    if read.columns.is_empty() && read.rows.is_empty() {
        return None;
    }
    let Some(json) = reply.json() else {
        return Some(SourceError::Malformed(said(&format!(", but not with JSON{}", excerpt()))));
    };
    let pointer = read.rows.first()?;
    if list(read, &json).is_none() {
        return Some(SourceError::Malformed(said(&format!(", but there is no list at `{pointer}`{}", excerpt()))));
    }
    // A part of a list, taken for the whole, would count too little. A probe judges one answer, and this is one.
    let takes_all = read.pages.is_none() && !read.probe;
    let goes_on = takes_all && link::find(&reply.headers, "next").is_ok_and(|next| next.is_some());
    // An address alone does not say what is posted to it.
    let pages =
        if read.method.eq_ignore_ascii_case("post") { "`pages.cursor` or `pages.number`" } else { "`pages.link = \"next\"`" };
    goes_on.then(|| {
        SourceError::Refused(said(&format!(
            " with a part of the list alone: its `Link` header names a next page; write {pages} beside `rows` to read all of it, \
             and `at_most` as well where the first rows are enough"
        )))
    })
}

fn table(read: &HttpRead, reply: Option<&Reply>, rows: Vec<Vec<Value>>) -> Rows {
    let rows = Rows::new(columns(read), rows);
    match reply {
        Some(reply) => reply.rows_without_echoes(rows),
        None => rows,
    }
}

/// A column of the query takes the place of one that is always there.
fn columns(read: &HttpRead) -> Vec<String> {
    let always = ALWAYS.iter().filter(|name| !read.columns.iter().any(|(own, _)| own == *name));
    always.map(|name| (*name).to_owned()).chain(read.columns.iter().map(|(name, _)| name.clone())).collect()
}

fn row(read: &HttpRead, reply: Option<&Reply>, json: Option<&Json>, error: Option<&str>) -> Vec<Value> {
    columns(read)
        .iter()
        .map(|name| match read.columns.iter().find(|(own, _)| own == name) {
            Some((_, pointer)) => {
                let found = json.and_then(|json| json.pointer(pointer)).map_or(Value::Null, |json| cell(json.clone()));
                if read.times.contains(name) {
                    moment(found)
                } else if read.numbers.contains(name) {
                    number(found)
                } else {
                    found
                }
            }
            None => match (name.as_str(), reply) {
                ("ok", _) => Value::Bool(error.is_none()),
                ("error", _) => error.map_or(Value::Null, Value::text),
                ("status", Some(reply)) => Value::Integer(reply.status.into()),
                ("latency_ms", Some(reply)) => Value::Integer(reply.took.as_millis() as i64),
                ("body", Some(reply)) => match json {
                    Some(json) => Value::Json(json.clone()),
                    None => Value::text(String::from_utf8_lossy(&reply.body).into_owned()),
                },
                _ => Value::Null,
            },
        })
        .collect()
}

/// No moment that a business meets is told in seconds by so large a number, nor in milliseconds by a smaller one.
const MILLISECONDS: i64 = 100_000_000_000;

fn moment(cell: Value) -> Value {
    let time = cell.integer().and_then(|unix| {
        if unix.abs() >= MILLISECONDS { DateTime::from_timestamp_millis(unix) } else { DateTime::from_timestamp(unix, 0) }
    });
    time.map_or(cell, Value::Time)
}

/// What is no number stays what it is: a rule then says that it is none.
fn number(cell: Value) -> Value {
    let Value::Text(text) = &cell else { return cell };
    let text = text.original().trim();
    match (text.parse(), text.parse()) {
        (Ok(whole), _) => Value::Integer(whole),
        (Err(_), Ok(decimal)) => Value::Decimal(decimal),
        (Err(_), Err(_)) => cell,
    }
}

/// A JSON value as a cell; a text that is a moment (RFC 3339) is one.
pub(in crate::adapters) fn cell(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Integer(whole),
            (None, Some(float)) => Decimal::from_f64(float).map_or_else(|| Value::text(number.to_string()), Value::Decimal),
            (None, None) => Value::text(number.to_string()),
        },
        Json::String(text) => match DateTime::parse_from_rfc3339(&text) {
            Ok(moment) if text.len() >= 20 => Value::Time(moment.to_utc()),
            _ => Value::text(text),
        },
        nested @ (Json::Array(_) | Json::Object(_)) => Value::Json(nested),
    }
}
