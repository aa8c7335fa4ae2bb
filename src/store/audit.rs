//! The hash-chained audit: one row for each event, each carrying the hash of the one before.

use futures_util::TryStreamExt as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use chrono::{DateTime, SecondsFormat, Utc};

use super::head::Head;

use crate::domain::{journal::Entry, severity::Severity, snapshot::JournalLine, text::Text};

/// Where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence}: {why}")]
pub struct Broken {
    pub sequence: u64,
    pub why: String,
}

/// A chain that holds from its first event to its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub events: u64,
    pub head: Head,
}

/// An event as it is stored and exported, text for text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub sequence: u64,
    pub at: String,
    pub who: String,
    pub word: String,
    pub said: String,
    pub severity: String,
    pub payload: String,
    pub previous: String,
    pub hash: String,
}

impl Record {
    /// SHA-256, in hex, of the compact JSON array of sequence, previous hash and what was stored: anybody can repeat it.
    pub fn digest(&self) -> String {
        let Self { sequence, at, who, word, said, severity, payload, previous, hash: _ } = self;
        let bytes = json!([sequence, previous, at, who, word, said, severity, payload]).to_string();
        hex::encode(Sha256::digest(bytes))
    }

    fn line(&self) -> JournalLine {
        JournalLine {
            sequence: self.sequence,
            at: DateTime::parse_from_rfc3339(&self.at).map(|at| at.to_utc()).unwrap_or_default(),
            who: self.who.clone(),
            word: self.word.clone(),
            said: Text::new(self.said.as_str()),
            severity: severity_of(&self.severity),
            printed: printed(&self.payload),
        }
    }
}

/// Most payloads have none: those are not parsed.
fn printed(payload: &str) -> Option<Text> {
    let facts: serde_json::Value = payload.contains("\"printed\"").then(|| serde_json::from_str(payload).ok())??;
    facts.get("printed")?.as_str().map(Text::new)
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn severity_of(word: &str) -> Severity {
    Severity::ALL.into_iter().find(|severity| severity.word() == word).unwrap_or(Severity::Unknown)
}

pub(super) fn record(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let sequence: i64 = row.try_get("sequence")?;
    Ok(Record {
        sequence: sequence.cast_unsigned(),
        at: row.try_get("at")?,
        who: row.try_get("who")?,
        word: row.try_get("word")?,
        said: row.try_get("said")?,
        severity: row.try_get("severity")?,
        payload: row.try_get("payload")?,
        previous: row.try_get("previous")?,
        hash: row.try_get("hash")?,
    })
}

/// Adds an event behind `head`, inside the caller's transaction.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    head: &Head,
    entry: &Entry,
) -> Result<(Head, JournalLine), sqlx::Error> {
    let mut record = Record {
        sequence: head.sequence + 1,
        at: time(entry.at),
        who: entry.who.clone(),
        word: entry.word.clone(),
        said: entry.said.original().to_owned(),
        severity: entry.severity.word().to_owned(),
        payload: entry.payload.to_string(),
        previous: head.hash.clone(),
        hash: String::new(),
    };
    record.hash = record.digest();
    sqlx::query(
        "INSERT INTO audit (sequence, at, who, word, said, severity, payload, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(record.sequence.cast_signed())
    .bind(&record.at)
    .bind(&record.who)
    .bind(&record.word)
    .bind(&record.said)
    .bind(&record.severity)
    .bind(&record.payload)
    .bind(&record.previous)
    .bind(&record.hash)
    .execute(&mut *connection)
    .await?;
    if let Some(subject) = entry.payload.get("subject").and_then(serde_json::Value::as_str) {
        sqlx::query("INSERT INTO notes (sequence, subject) VALUES ($1, $2)")
            .bind(record.sequence.cast_signed())
            .bind(subject)
            .execute(&mut *connection)
            .await?;
    }
    Ok((Head { sequence: record.sequence, hash: record.hash.clone() }, record.line()))
}

pub(super) fn lines(rows: &[SqliteRow]) -> Result<Vec<JournalLine>, sqlx::Error> {
    rows.iter().map(|row| record(row).map(|record| record.line())).collect()
}

/// The last event, taken as it stands.
pub(super) async fn last(connection: &mut SqliteConnection) -> Result<Option<Record>, sqlx::Error> {
    sqlx::query("SELECT * FROM audit ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(record)
        .transpose()
}

pub(super) async fn at(connection: &mut SqliteConnection, sequence: u64) -> Result<Option<Record>, sqlx::Error> {
    sqlx::query("SELECT * FROM audit WHERE sequence = $1")
        .bind(sequence.cast_signed())
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(record)
        .transpose()
}

/// Walks the whole chain, then holds it against the head kept outside.
pub(super) async fn verify(
    connection: &mut SqliteConnection,
    outside: Option<&Head>,
    noted: Option<&str>,
) -> Result<Result<Verified, Broken>, sqlx::Error> {
    let mut head = Head::empty();
    let mut noted_seen = noted.is_none_or(|noted| noted == head.hash);
    let mut outside_seen = outside.is_some_and(|outside| *outside == head);
    let mut rows = sqlx::query("SELECT * FROM audit ORDER BY sequence").fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let sequence = head.sequence + 1;
        let record = match record(&row) {
            Ok(record) => record,
            Err(error) => return Ok(Err(Broken { sequence, why: format!("it cannot be read: {error}") })),
        };
        let why = if record.sequence != sequence {
            format!("it is missing; the next one is {}", record.sequence)
        } else if record.previous != head.hash {
            "it does not follow the event before it".to_owned()
        } else if record.hash != record.digest() {
            "its words and its hash do not agree".to_owned()
        } else {
            head = Head { sequence, hash: record.hash };
            outside_seen |= outside.is_some_and(|outside| *outside == head);
            noted_seen |= noted == Some(&head.hash);
            continue;
        };
        return Ok(Err(Broken { sequence, why }));
    }
    Ok(match outside {
        None if head.sequence > 0 => {
            Err(Broken { sequence: head.sequence, why: "the head kept outside the database is gone".to_owned() })
        }
        Some(outside) if outside.sequence > head.sequence => Err(Broken {
            sequence: head.sequence + 1,
            why: format!("the tail is cut: the head kept outside stands at {}", outside.sequence),
        }),
        Some(outside) if !outside_seen => {
            Err(Broken { sequence: outside.sequence, why: "its hash is not the one kept outside".to_owned() })
        }
        Some(_) | None if !noted_seen => Err(Broken {
            sequence: head.sequence + 1,
            why: "the head that was noted elsewhere is not in it: the tail is cut, or it is another chain".to_owned(),
        }),
        Some(_) | None => Ok(Verified { events: head.sequence, head }),
    })
}
