//! What the journal says of archived statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::super::Store;
use crate::{domain::text::Text, ports::StoreError};

/// The journal's latest line about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub sequence: u64,
    /// The statement's name in the archive.
    pub name: String,
    /// `reconciliation.NAME`, as the line says it.
    pub subject: String,
    pub who: Text,
    pub at: DateTime<Utc>,
    pub word: Filings,
    /// SHA-256 of each of its files, by the file's name.
    pub hashes: BTreeMap<String, String>,
}

/// What became of a statement in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filings {
    Signed,
    Archived,
    /// After its seven years.
    Removed,
}

impl Filings {
    /// As the journal writes it.
    pub const REMOVED: &str = "REMOVE";

    pub fn said(self) -> &'static str {
        match self {
            Self::Signed => "signed off",
            Self::Archived => "archived",
            Self::Removed => "taken away",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "SIGNOFF" => Self::Signed,
            Self::REMOVED => Self::Removed,
            _ => Self::Archived,
        }
    }
}

impl Store {
    /// The latest line about each statement that was ever archived, by the statements' names.
    pub async fn noted(&self) -> Result<BTreeMap<String, Noted>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query(
            "SELECT sequence, who, at, word, payload FROM audit WHERE word IN ('SIGNOFF', 'ARCHIVE', 'REMOVE')
             AND json_extract(payload, '$.archive') IS NOT NULL ORDER BY sequence",
        )
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        let all = rows.iter().map(noted).collect::<Result<Vec<_>, _>>().map_err(|error| self.unreadable(error))?;
        Ok(all.into_iter().map(|noted| (noted.name.clone(), noted)).collect())
    }
}

fn noted(row: &SqliteRow) -> Result<Noted, sqlx::Error> {
    let payload: serde_json::Value = serde_json::from_str(&row.try_get::<String, _>("payload")?).unwrap_or_default();
    let text = |name: &str| payload.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let hashes = payload.get("files").cloned().and_then(|files| serde_json::from_value(files).ok());
    let sequence: i64 = row.try_get("sequence")?;
    let at: String = row.try_get("at")?;
    Ok(Noted {
        sequence: sequence.cast_unsigned(),
        name: text("archive"),
        subject: text("subject"),
        who: Text::new(row.try_get::<String, _>("who")?),
        at: at.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        word: Filings::of(&row.try_get::<String, _>("word")?),
        hashes: hashes.unwrap_or_default(),
    })
}
