//! What the journal says of an archived statement.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::super::Store;
use crate::{domain::text::Text, ports::StoreError};

/// The journal's line about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub sequence: u64,
    pub who: Text,
    pub at: Text,
    /// `SIGNOFF` or `ARCHIVE`.
    pub word: String,
    /// SHA-256 of each of its files, by the file's name.
    pub hashes: BTreeMap<String, String>,
}

impl Store {
    /// The line that tells of a statement by its name in the archive, the latest where there are several.
    pub async fn noted(&self, name: &str) -> Result<Option<Noted>, StoreError> {
        let mut inner = self.inner.lock().await;
        let row = sqlx::query(
            "SELECT sequence, who, at, word, payload FROM audit WHERE word IN ('SIGNOFF', 'ARCHIVE')
             AND json_extract(payload, '$.archive') = $1 ORDER BY sequence DESC LIMIT 1",
        )
        .bind(name)
        .fetch_optional(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: &str| row.try_get::<String, _>(column).map_err(|error| self.unreadable(error));
        let payload: serde_json::Value = serde_json::from_str(&text("payload")?).unwrap_or_default();
        let hashes = payload.get("files").cloned().and_then(|files| serde_json::from_value(files).ok());
        let sequence: i64 = row.try_get("sequence").map_err(|error| self.unreadable(error))?;
        Ok(Some(Noted {
            sequence: sequence.cast_unsigned(),
            who: Text::new(text("who")?),
            at: Text::new(text("at")?),
            word: text("word")?,
            hashes: hashes.unwrap_or_default(),
        }))
    }
}
