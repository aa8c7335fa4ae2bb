//! What a program prints as rows: JSON, lines, CSV, or one text.

use std::str::FromStr as _;

use chrono::DateTime;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::super::http::cell;
use crate::domain::{
    pack::{CommandFormat, CommandRead},
    rows::Rows,
    value::Value,
};

/// How a run ended, as the columns say it that every answer has.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub exit: Option<i32>,
    pub took_ms: Option<i64>,
    pub error: Option<String>,
}

impl Facts {
    fn cell(&self, column: &str) -> Value {
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
        match column {
            "ok" => Value::Bool(self.error.is_none()),
            "exit" => number(self.exit.map(i64::from)),
            "took_ms" => number(self.took_ms),
            "error" => self.error.as_deref().map_or(Value::Null, Value::text),
            _ => Value::Null,
        }
    }
}

/// One row that says what went wrong, for a read that judges exactly this.
pub(super) fn failed(read: &CommandRead, facts: &Facts) -> Rows {
    let columns = read.known_columns().unwrap_or_else(|| CommandRead::ALWAYS.map(ToOwned::to_owned).to_vec());
    // A column of the read's own of the same name has no value here.
    let own = |column: &str| read.columns.iter().any(|(name, _)| name == column) || read.header.iter().any(|name| name == column);
    let row: Vec<Value> = columns.iter().map(|column| if own(column) { Value::Null } else { facts.cell(column) }).collect();
    Rows::new(columns, [row])
}

/// The rows, or what the output is not.
pub(super) fn rows(read: &CommandRead, output: &[u8], facts: &Facts) -> Result<Rows, String> {
    let (own, rows) = match read.format {
        CommandFormat::Text => (vec!["output".to_owned()], vec![vec![Value::text(words(output).trim_end())]]),
        CommandFormat::Lines => {
            let text = words(output);
            let row = |(number, line): (usize, &str)| vec![Value::text(line), Value::Integer(number as i64 + 1)];
            (vec!["line".to_owned(), "number".to_owned()], text.lines().enumerate().map(row).collect())
        }
        CommandFormat::Csv => csv(read, output)?,
        CommandFormat::Json => json(read, output)?,
    };
    let columns = read.with_own(&own);
    let always = columns.len() - own.len();
    let facts: Vec<Value> = columns.iter().take(always).map(|column| facts.cell(column)).collect();
    Ok(Rows::new(columns, rows.into_iter().map(|row| facts.iter().cloned().chain(row).collect())))
}

fn words(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

type Table = (Vec<String>, Vec<Vec<Value>>);

fn csv(read: &CommandRead, output: &[u8]) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(read.header.is_empty()).from_reader(output);
    let mistake = |error: csv::Error| format!("its output is not CSV: {error}");
    let columns: Vec<String> = if read.header.is_empty() {
        reader.headers().map_err(mistake)?.iter().map(|name| name.trim().to_owned()).collect()
    } else {
        read.header.clone()
    };
    if columns.is_empty() {
        return Err("it printed nothing, not even the line that names the columns: where it prints none, name them in `header`"
            .to_owned());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(mistake)?;
        if record.len() != columns.len() {
            return Err(format!("its output has {} columns where {} are named", record.len(), columns.len()));
        }
        rows.push(record.iter().map(typed).collect());
    }
    Ok((columns, rows))
}

/// A number, a moment or a truth where the text is written as one and nothing is lost by it; else the text.
fn typed(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    if let Ok(whole) = i64::from_str(text)
        && whole.to_string() == text
    {
        return Value::Integer(whole);
    }
    let figures = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = figures.split_once('.').is_some_and(|(whole, rest)| {
        let are_figures = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        are_figures(whole) && are_figures(rest) && (whole == "0" || !whole.starts_with('0'))
    });
    if is_decimal && let Ok(decimal) = Decimal::from_str(text) {
        return Value::Decimal(decimal);
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match DateTime::parse_from_rfc3339(text) {
            Ok(moment) if text.len() >= 20 => Value::Time(moment.to_utc()),
            _ => Value::text(text),
        },
    }
}

fn json(read: &CommandRead, output: &[u8]) -> Result<Table, String> {
    let whole: Json = serde_json::from_slice(output).map_err(|error| format!("its output is not JSON: {error}"))?;
    let elements = match &read.rows {
        Some(pointer) => match whole.pointer(pointer) {
            Some(Json::Array(elements)) => elements.clone(),
            Some(_) | None => return Err(format!("its output has no list at `{pointer}`")),
        },
        None => match whole {
            Json::Array(elements) => elements,
            one => vec![one],
        },
    };
    if !read.columns.is_empty() {
        let columns = read.columns.iter().map(|(name, _)| name.clone()).collect();
        let at = |element: &Json, pointer: &str| element.pointer(pointer).map_or(Value::Null, |json| cell(json.clone()));
        let row = |element: &Json| read.columns.iter().map(|(_, pointer)| at(element, pointer)).collect();
        return Ok((columns, elements.iter().map(row).collect()));
    }
    let mut columns: Vec<String> = Vec::new();
    for name in elements.iter().filter_map(Json::as_object).flat_map(serde_json::Map::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    if elements.iter().any(|element| !element.is_object()) {
        return Ok((vec!["value".to_owned()], elements.into_iter().map(|element| vec![cell(element)]).collect()));
    }
    let row =
        |element: &Json| columns.iter().map(|name| element.get(name).map_or(Value::Null, |json| cell(json.clone()))).collect();
    let rows = elements.iter().map(row).collect();
    Ok((columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::CommandLine;

    fn read(format: CommandFormat) -> CommandRead {
        CommandRead {
            line: CommandLine::default(),
            format,
            columns: Vec::new(),
            rows: None,
            header: Vec::new(),
            done: vec![0],
            probe: false,
        }
    }

    fn said(read: &CommandRead, output: &str) -> Result<Vec<Vec<String>>, String> {
        let facts = Facts { exit: Some(0), took_ms: Some(7), error: None };
        let rows = rows(read, output.as_bytes(), &facts)?;
        let head = rows.columns().to_vec();
        Ok(std::iter::once(head).chain(rows.iter().map(|row| row.values().iter().map(Value::original).collect())).collect())
    }

    fn table(rows: &[&[&str]]) -> Vec<Vec<String>> {
        let always = |row: usize| if row == 0 { ["ok", "exit", "took_ms", "error"] } else { ["true", "0", "7", ""] };
        let row =
            |(number, row): (usize, &&[&str])| always(number).iter().chain(row.iter()).map(|cell| (*cell).to_owned()).collect();
        rows.iter().enumerate().map(row).collect()
    }

    #[test]
    fn text_is_one_row_and_lines_are_a_row_each() {
        assert_eq!(said(&read(CommandFormat::Text), "a\nb\n\n").unwrap(), table(&[&["output"], &["a\nb"]]));
        assert_eq!(
            said(&read(CommandFormat::Lines), "a\n\nb").unwrap(),
            table(&[&["line", "number"], &["a", "1"], &["", "2"], &["b", "3"]])
        );
        assert_eq!(said(&read(CommandFormat::Lines), "").unwrap(), table(&[&["line", "number"]]));
    }

    #[test]
    fn json_is_its_own_names_or_what_is_pointed_at() {
        let list = r#"{"items": [{"name": "a", "size": 3}, {"name": "b", "made": "2026-11-20T09:00:00Z"}]}"#;
        let mut pointed = read(CommandFormat::Json);
        pointed.rows = Some("/items".into());
        assert_eq!(
            said(&pointed, list).unwrap(),
            table(&[&["name", "size", "made"], &["a", "3", ""], &["b", "", "2026-11-20T09:00:00+00:00"]])
        );
        pointed.columns = vec![("file".into(), "/name".into())];
        assert_eq!(said(&pointed, list).unwrap(), table(&[&["file"], &["a"], &["b"]]));
        assert_eq!(said(&read(CommandFormat::Json), "[1, 2]").unwrap(), table(&[&["value"], &["1"], &["2"]]));
        assert_eq!(said(&read(CommandFormat::Json), r#"{"a": 1}"#).unwrap(), table(&[&["a"], &["1"]]));
        pointed.rows = Some("/none".into());
        assert_eq!(said(&pointed, list).unwrap_err(), "its output has no list at `/none`");
        assert!(said(&pointed, "usage: x").unwrap_err().starts_with("its output is not JSON: "));
    }

    #[test]
    fn csv_cells_are_what_they_are_written_as_and_nothing_is_lost() {
        let given = "name,count,price,code,at,ok\n\"a, b\",12,1.50,007,2026-11-20T09:00:00Z,true\n";
        let rows = rows(&read(CommandFormat::Csv), given.as_bytes(), &Facts::default()).unwrap();
        let row = rows.first().unwrap();
        assert!(matches!(row.find("count"), Some(Value::Integer(12))));
        assert!(matches!(row.find("price"), Some(Value::Decimal(_))));
        assert!(matches!(row.find("at"), Some(Value::Time(_))));
        assert_eq!(row.find("ok"), Some(&Value::Bool(true)), "a column of the output's own goes before ours");
        assert_eq!((row.find("code").unwrap().original(), row.find("name").unwrap().original()), ("007".into(), "a, b".into()));
        let mut named = read(CommandFormat::Csv);
        named.header = vec!["day".into(), "state".into()];
        assert_eq!(said(&named, "mon,ok\ntue,\n").unwrap(), table(&[&["day", "state"], &["mon", "ok"], &["tue", ""]]));
        assert!(said(&named, "mon,ok\ntue\n").unwrap_err().contains("not CSV"));
        assert!(said(&named, "mon\n").unwrap_err().contains("1 columns where 2 are named"));
        for nothing in ["", "\n", "\r\n\n"] {
            let why = said(&read(CommandFormat::Csv), nothing).unwrap_err();
            assert!(why.starts_with("it printed nothing, not even the line that names the columns"), "{nothing:?}: {why}");
            assert_eq!(said(&named, nothing).unwrap(), table(&[&["day", "state"]]), "named in the pack, no row is no row");
        }
        assert_eq!(said(&read(CommandFormat::Csv), "day,state\n").unwrap(), table(&[&["day", "state"]]));
    }

    #[test]
    fn what_failed_is_one_row_where_that_is_judged() {
        let facts = Facts { exit: Some(2), took_ms: Some(7), error: Some("no answer".into()) };
        let rows = failed(&read(CommandFormat::Text), &facts);
        let row = rows.first().unwrap();
        assert_eq!(row.find("ok"), Some(&Value::Bool(false)));
        assert_eq!((row.find("error").unwrap().original(), row.find("output")), ("no answer".into(), Some(&Value::Null)));
    }
}
