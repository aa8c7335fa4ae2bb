//! What outlives a start beside the acts. Payloads are JSON, columns only what is looked for.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::{Connection as _, Row as _, sqlite::SqliteRow};

use super::{Store, audit, json, parse, picture, unreadable};

use crate::{
    domain::{
        id::Id,
        journal::Entry,
        pack::{Flag, Reconciliation},
        snapshot::{FlagFlip, Flip, Handling, JournalLine, SignOff, Snapshot, Subject},
    },
    ports::{Memory, Remembered, StoreError, Visit},
};

pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

#[async_trait]
impl Memory for Store {
    async fn load_memories(&self) -> Result<HashMap<String, Remembered>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query("SELECT subject, memory, handling FROM memories")
            .fetch_all(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        rows.iter()
            .map(|row| {
                let subject: String = row.try_get("subject").map_err(|error| self.unreadable(error))?;
                let remembered =
                    Remembered { memory: optional(row, "memory")?, handling: optional(row, "handling")?.unwrap_or_default() };
                Ok((subject, remembered))
            })
            .collect()
    }

    async fn save_memories(&self, memories: &[(Subject, serde_json::Value)]) -> Result<(), StoreError> {
        let rows: Vec<_> =
            memories.iter().map(|(subject, memory)| serde_json::json!([subject.name(), memory.to_string()])).collect();
        let mut inner = self.writer().await?;
        // One statement, which is a transaction by itself and one message to the driver's thread.
        sqlx::query(
            "INSERT INTO memories (subject, memory) SELECT value ->> 0, value ->> 1 FROM json_each($1) WHERE true \
             ON CONFLICT (subject) DO UPDATE SET memory = excluded.memory",
        )
        .bind(serde_json::Value::from(rows).to_string())
        .execute(&mut inner.connection)
        .await
        .map_err(|error| self.not_written(error))?;
        Ok(())
    }

    async fn save_handling(&self, subject: &Subject, handling: &Handling, entry: &Entry) -> Result<JournalLine, StoreError> {
        let handling = json("the handling", handling)?;
        let entry = about(entry, subject);
        let mut inner = self.writer().await?;
        let before = inner.head.clone();
        let mut transaction = inner.connection.begin_with(BEGIN).await.map_err(|error| self.not_written(error))?;
        sqlx::query(
            "INSERT INTO memories (subject, handling) VALUES ($1, $2) \
             ON CONFLICT (subject) DO UPDATE SET handling = excluded.handling",
        )
        .bind(subject.name())
        .bind(handling)
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.not_written(error))?;
        let (head, line) = audit::append(&mut transaction, &before, &entry).await.map_err(|error| self.not_written(error))?;
        transaction.commit().await.map_err(|error| self.not_written(error))?;
        inner.advance(head).await.map_err(|error| self.located(error))?;
        Ok(line)
    }

    async fn record_flip(&self, flip: &Flip) -> Result<(), StoreError> {
        let text = json("a flip", flip)?;
        let mut inner = self.writer().await?;
        sqlx::query("INSERT INTO flips (subject, at, flip) VALUES ($1, $2, $3)")
            .bind(flip.subject.name())
            .bind(audit::time(flip.at))
            .bind(text)
            .execute(&mut inner.connection)
            .await
            .map_err(|error| self.not_written(error))?;
        Ok(())
    }

    async fn flips(&self, subject: &Subject, at_most: usize) -> Result<Vec<Flip>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query("SELECT flip FROM flips WHERE subject = $1 ORDER BY number DESC LIMIT $2")
            .bind(subject.name())
            .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
            .fetch_all(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        rows.iter().map(|row| required(row, "flip")).collect()
    }

    async fn flips_since(&self, since: DateTime<Utc>) -> Result<Vec<Flip>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query("SELECT flip FROM flips WHERE at >= $1 ORDER BY number")
            .bind(audit::time(since))
            .fetch_all(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        rows.iter().map(|row| required(row, "flip")).collect()
    }

    async fn lines_about(&self, subject: &Subject, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query(
            "SELECT audit.* FROM notes JOIN audit USING (sequence) WHERE subject = $1 ORDER BY sequence DESC LIMIT $2",
        )
        .bind(subject.name())
        .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        audit::lines(&rows).map_err(|error| self.unreadable(error))
    }

    async fn sign_off(
        &self,
        reconciliation: &Id<Reconciliation>,
        sign_off: &SignOff,
        statement: &serde_json::Value,
        entry: &Entry,
    ) -> Result<JournalLine, StoreError> {
        let statement = json("the statement", statement)?;
        let text = json("the sign-off", sign_off)?;
        let entry = about(entry, &Subject::Reconciliation(reconciliation.clone()));
        let mut inner = self.writer().await?;
        let before = inner.head.clone();
        let mut transaction = inner.connection.begin_with(BEGIN).await.map_err(|error| self.not_written(error))?;
        sqlx::query("INSERT INTO statements (hash, statement) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING")
            .bind(&sign_off.hash)
            .bind(statement)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.not_written(error))?;
        let (head, line) = audit::append(&mut transaction, &before, &entry).await.map_err(|error| self.not_written(error))?;
        sqlx::query("INSERT INTO sign_offs (sequence, reconciliation, hash, sign_off) VALUES ($1, $2, $3, $4)")
            .bind(line.sequence.cast_signed())
            .bind(reconciliation.as_str())
            .bind(&sign_off.hash)
            .bind(text)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.not_written(error))?;
        transaction.commit().await.map_err(|error| self.not_written(error))?;
        inner.advance(head).await.map_err(|error| self.located(error))?;
        Ok(line)
    }

    async fn last_sign_off(&self, reconciliation: &Id<Reconciliation>) -> Result<Option<SignOff>, StoreError> {
        let mut inner = self.inner.lock().await;
        let row = sqlx::query("SELECT sign_off FROM sign_offs WHERE reconciliation = $1 ORDER BY sequence DESC LIMIT 1")
            .bind(reconciliation.as_str())
            .fetch_optional(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        row.as_ref().map(|row| required(row, "sign_off")).transpose()
    }

    async fn statement(&self, hash: &str) -> Result<Option<serde_json::Value>, StoreError> {
        let mut inner = self.inner.lock().await;
        let row = sqlx::query("SELECT statement FROM statements WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        row.as_ref().map(|row| required(row, "statement")).transpose()
    }

    async fn save_flag_flip(&self, flag: &Id<Flag>, flip: Option<&FlagFlip>) -> Result<(), StoreError> {
        let text = flip.map(|flip| json("a flag's flip", flip)).transpose()?;
        let mut inner = self.writer().await?;
        let query = match text {
            Some(text) => sqlx::query(
                "INSERT INTO flag_flips (flag, flip) VALUES ($1, $2) ON CONFLICT (flag) DO UPDATE SET flip = excluded.flip",
            )
            .bind(flag.as_str())
            .bind(text),
            None => sqlx::query("DELETE FROM flag_flips WHERE flag = $1").bind(flag.as_str()),
        };
        query.execute(&mut inner.connection).await.map_err(|error| self.not_written(error))?;
        Ok(())
    }

    async fn flag_flips(&self) -> Result<Vec<(Id<Flag>, FlagFlip)>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query("SELECT flag, flip FROM flag_flips ORDER BY flag")
            .fetch_all(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        rows.iter()
            .map(|row| {
                let flag: String = row.try_get("flag").map_err(|error| self.unreadable(error))?;
                Ok((Id::new(flag), required(row, "flip")?))
            })
            .collect()
    }

    async fn last_snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        picture::last(self).await
    }

    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        picture::keep(self, snapshot).await
    }

    async fn begin_visit(&self, operator: &str, at: DateTime<Utc>) -> Result<i64, StoreError> {
        let mut inner = self.writer().await?;
        let visit = sqlx::query("INSERT INTO visits (operator, began) VALUES ($1, $2)")
            .bind(operator)
            .bind(audit::time(at))
            .execute(&mut inner.connection)
            .await
            .map_err(|error| self.not_written(error))?;
        Ok(visit.last_insert_rowid())
    }

    async fn end_visit(&self, number: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut inner = self.writer().await?;
        sqlx::query("UPDATE visits SET ended = $2 WHERE number = $1")
            .bind(number)
            .bind(audit::time(at))
            .execute(&mut inner.connection)
            .await
            .map_err(|error| self.not_written(error))?;
        Ok(())
    }

    async fn last_visit(&self, before: i64) -> Result<Option<Visit>, StoreError> {
        let mut inner = self.inner.lock().await;
        let row = sqlx::query("SELECT number, operator, began, ended FROM visits WHERE number < $1 ORDER BY number DESC LIMIT 1")
            .bind(before)
            .fetch_optional(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        row.as_ref().map(visit).transpose()
    }
}

/// The entry with its subject named, so that it is found again among the subject's lines.
fn about(entry: &Entry, subject: &Subject) -> Entry {
    let mut entry = entry.clone();
    let mut payload = match entry.payload {
        serde_json::Value::Object(facts) => facts,
        serde_json::Value::Null => serde_json::Map::new(),
        other => serde_json::Map::from_iter([("facts".to_owned(), other)]),
    };
    payload.insert("subject".to_owned(), subject.name().into());
    entry.payload = serde_json::Value::Object(payload);
    entry
}

fn visit(row: &SqliteRow) -> Result<Visit, StoreError> {
    let time = |text: String| {
        DateTime::parse_from_rfc3339(&text).map(|at| at.to_utc()).map_err(|error| unreadable(sqlx::Error::Decode(error.into())))
    };
    let ended: Option<String> = row.try_get("ended").map_err(unreadable)?;
    Ok(Visit {
        number: row.try_get("number").map_err(unreadable)?,
        operator: row.try_get("operator").map_err(unreadable)?,
        began: time(row.try_get("began").map_err(unreadable)?)?,
        ended: ended.map(time).transpose()?,
    })
}

fn required<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get(column).map_err(unreadable)?;
    parse(column, &text)
}

fn optional<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.try_get(column).map_err(unreadable)?;
    text.map(|text| parse(column, &text)).transpose()
}
