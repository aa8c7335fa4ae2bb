//! The last picture, kept in pieces: SQLite copies what it is given several times, and what it has once been lent for
//! that stays with the program.

use std::io;

use sqlx::{Connection as _, Row as _};

use super::{Store, memory::BEGIN, parse, unwritable};
use crate::{domain::snapshot::Snapshot, ports::StoreError};

/// Bytes of a piece.
const PIECE: usize = 16 * 1024;

/// The picture that was kept last; none before the first.
pub(super) async fn last(store: &Store) -> Result<Option<Snapshot>, StoreError> {
    let mut inner = store.inner.lock().await;
    let rows = sqlx::query("SELECT piece FROM snapshots ORDER BY number")
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| store.unreadable(error))?;
    let mut whole = Vec::with_capacity(rows.len() * PIECE);
    for row in &rows {
        whole.extend_from_slice(row.try_get("piece").map_err(|error| store.unreadable(error))?);
    }
    drop(rows);
    if whole.is_empty() { Ok(None) } else { parse("the snapshot", &String::from_utf8_lossy(&whole)).map(Some) }
}

/// Puts `snapshot` in the place of the one before, wholly or not at all.
pub(super) async fn keep(store: &Store, snapshot: &Snapshot) -> Result<(), StoreError> {
    let mut pieces = Pieces::default();
    serde_json::to_writer(&mut pieces, snapshot).map_err(|error| unwritable(&format!("the snapshot: {error}")))?;
    let mut inner = store.writer().await?;
    let mut transaction = inner.connection.begin_with(BEGIN).await.map_err(|error| store.not_written(error))?;
    let count = pieces.0.len() as i64;
    for (number, piece) in (1_i64..).zip(pieces.0) {
        sqlx::query(
            "INSERT INTO snapshots (number, piece) VALUES ($1, $2) ON CONFLICT (number) DO UPDATE SET piece = excluded.piece",
        )
        .bind(number)
        .bind(piece)
        .execute(&mut *transaction)
        .await
        .map_err(|error| store.not_written(error))?;
    }
    sqlx::query("DELETE FROM snapshots WHERE number > $1")
        .bind(count)
        .execute(&mut *transaction)
        .await
        .map_err(|error| store.not_written(error))?;
    transaction.commit().await.map_err(|error| store.not_written(error))
}

/// What is written, cut into pieces.
#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.last().is_none_or(|last| last.len() == PIECE) {
            self.0.push(Vec::with_capacity(PIECE));
        }
        let Some(last) = self.0.last_mut() else { return Ok(0) };
        let fitting = bytes.len().min(PIECE - last.len());
        last.extend(bytes.iter().take(fitting));
        Ok(fitting)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
