//! The audit written out whole, for people and programs that do not have this one.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use futures_util::TryStreamExt as _;
use serde_json::json;

use super::{Store, audit, audit::Record, unreadable};

use crate::{
    domain::text::{self, Text},
    ports::StoreError,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, in ASCII; every field as it was hashed.
    JsonLines,
    /// For a spreadsheet: made safe to read, and nothing in it is taken for a formula.
    Csv,
}

const COLUMNS: [&str; 9] = ["sequence", "at", "who", "word", "said", "severity", "payload", "previous", "hash"];

impl Store {
    /// Writes every event, oldest first; answers how many.
    pub async fn export(&self, format: Format, out: &mut (dyn Write + Send)) -> Result<u64, StoreError> {
        let mut inner = self.inner.lock().await;
        let mut rows = sqlx::query("SELECT * FROM audit ORDER BY sequence").fetch(&mut inner.connection);
        let mut writer = Writer::new(format, out).map_err(|error| not_exported(&error))?;
        let mut events = 0;
        while let Some(row) = rows.try_next().await.map_err(unreadable)? {
            writer.write(&audit::record(&row).map_err(unreadable)?).map_err(|error| not_exported(&error))?;
            events += 1;
        }
        writer.finish().map_err(|error| not_exported(&error))?;
        Ok(events)
    }
}

fn not_exported(error: &io::Error) -> StoreError {
    StoreError::Unreadable(Text::new(format!("the export stopped: {error}")))
}

enum Writer<'a> {
    JsonLines(&'a mut (dyn Write + Send)),
    Csv(Box<csv::Writer<&'a mut (dyn Write + Send)>>),
}

impl<'a> Writer<'a> {
    fn new(format: Format, out: &'a mut (dyn Write + Send)) -> io::Result<Self> {
        match format {
            Format::JsonLines => Ok(Self::JsonLines(out)),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(COLUMNS)?;
                Ok(Self::Csv(Box::new(writer)))
            }
        }
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let Record { sequence, at, who, word, said, severity, payload, previous, hash } = record;
        match self {
            Self::JsonLines(out) => {
                let line = json!({
                    "sequence": sequence, "at": at, "who": who, "word": word, "said": said, "severity": severity,
                    "payload": payload, "previous": previous, "hash": hash,
                });
                writeln!(out, "{}", ascii(&line.to_string()))
            }
            Self::Csv(writer) => {
                let sequence = sequence.to_string();
                let cells = [&sequence, at, who, word, said, severity, payload, previous, hash];
                Ok(writer.write_record(cells.map(|cell| text::csv_cell(cell).into_owned()))?)
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::JsonLines(out) => out.flush(),
            Self::Csv(mut writer) => writer.flush(),
        }
    }
}

/// The same JSON with everything beyond printable ASCII escaped: no terminal or eye can be deceived by it.
fn ascii(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            line.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_are_ascii_and_the_same_json() {
        let value = json!("naïve \u{202e} 犬 🐕 \u{7f}");
        let line = ascii(&value.to_string());
        assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
