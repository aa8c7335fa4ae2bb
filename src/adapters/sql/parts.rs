//! Rows as a database hands them over: gathered into one answer, or passed on in parts.

use std::{
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    LARGEST_ANSWER, MOST_ROWS,
    fault::{Fault, FaultKind},
};
use crate::{
    domain::{
        rows::Rows,
        text::{Text, counted},
        value::Value,
    },
    ports::Taker,
};

/// So many rows are one part, or as many as are so many bytes.
const PART: usize = 2_000;
const PART_BYTES: usize = 4 << 20;
/// A row of more bytes is no row of a ledger: it is refused before anything is made of it.
const LARGEST_ROW: usize = 8 << 20;
/// A list that is passed on may take so many times as long in all as a look; each of its parts no longer than one.
const PATIENCE: u32 = 60;

/// How far a list has been passed on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    parts: AtomicUsize,
    /// Why what came cannot be used: not the database's fault.
    unusable: OnceLock<String>,
}

impl Progress {
    pub(super) fn is_blank(&self) -> bool {
        self.parts.load(Ordering::Relaxed) == 0
    }

    pub(super) fn unusable(self) -> Option<String> {
        self.unusable.into_inner()
    }

    /// Waits for the work as long as parts come in time; `None` where the next one did not.
    pub(super) async fn while_it_goes_on<T>(&self, work: impl Future<Output = T> + Send, timeout: Duration) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let before = self.parts.load(Ordering::Relaxed);
            if let Ok(done) = tokio::time::timeout(timeout, &mut work).await {
                return Some(done);
            }
            if self.parts.load(Ordering::Relaxed) == before {
                return None;
            }
        }
    }
}

/// Where rows go.
pub(super) struct Parts<'a> {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// Of the rows that are held, as the database told them.
    bytes: usize,
    /// Rows that were passed on.
    passed: usize,
    taker: Option<&'a mut dyn Taker>,
    progress: Option<&'a Progress>,
}

impl<'a> Parts<'a> {
    /// Gathers all.
    pub(super) fn gathered() -> Self {
        Self { columns: Vec::new(), rows: Vec::new(), bytes: 0, passed: 0, taker: None, progress: None }
    }

    pub(super) fn to(taker: &'a mut dyn Taker, progress: &'a Progress) -> Self {
        Self { taker: Some(taker), progress: Some(progress), ..Self::gathered() }
    }

    /// How long the whole may take where a look may take so long.
    pub(super) fn patience(&self, timeout: Duration) -> Duration {
        if self.taker.is_some() { timeout.saturating_mul(PATIENCE) } else { timeout }
    }

    /// True until the columns are known.
    pub(super) fn is_blank(&self) -> bool {
        self.columns.is_empty()
    }

    pub(super) fn head(&mut self, columns: Vec<String>) {
        self.columns = columns;
    }

    /// Whether the next row, its cells of so many bytes, is small enough to be made cells of.
    pub(super) fn admit(&mut self, cells: impl Iterator<Item = usize> + Clone) -> Result<(), Fault> {
        let size: usize = cells.clone().map(|bytes| size_of::<Value>() + bytes).sum();
        self.bytes += size;
        let refused = |said: String| Err(Fault::new(FaultKind::Refused, said));
        if self.taker.is_none() {
            let rows = counted(self.rows.len() as u64, "row");
            return if self.bytes <= LARGEST_ANSWER {
                Ok(())
            } else {
                refused(format!("more than {} MiB after {rows}; add a `limit`, or sum up in the statement", LARGEST_ANSWER >> 20))
            };
        }
        if size <= LARGEST_ROW {
            return Ok(());
        }
        let (largest, bytes) = cells.enumerate().max_by_key(|(_, bytes)| *bytes).unwrap_or_default();
        let column = self.columns.get(largest).map_or_else(String::new, |name| Text::new(name.as_str()).one_line());
        let (row, mib) = (self.passed + self.rows.len() + 1, bytes.div_ceil(1 << 20));
        refused(format!(
            "row {row} is bigger than {} MiB, its `{column}` alone {mib} MiB; leave that column out of the statement, or shorten it there",
            LARGEST_ROW >> 20
        ))
    }

    /// A row that was admitted.
    pub(super) fn push(&mut self, row: Vec<Value>) -> Result<(), Fault> {
        if self.taker.is_none() && self.rows.len() == MOST_ROWS {
            return Err(Fault::new(
                FaultKind::Refused,
                format!("more than {MOST_ROWS} rows; add a `limit`, or sum up in the statement"),
            ));
        }
        self.rows.push(row);
        let is_full = self.rows.len() == PART || self.bytes >= PART_BYTES;
        if self.taker.is_some() && is_full { self.pass_on() } else { Ok(()) }
    }

    fn pass_on(&mut self) -> Result<(), Fault> {
        self.passed += self.rows.len();
        self.bytes = 0;
        let rows = Rows::new(self.columns.clone(), std::mem::take(&mut self.rows));
        let (Some(taker), Some(progress)) = (&mut self.taker, self.progress) else { return Ok(()) };
        progress.parts.fetch_add(1, Ordering::Relaxed);
        taker.take(rows).map_err(|why| {
            let fault = Fault::new(FaultKind::Refused, why.as_str());
            drop(progress.unusable.set(why));
            fault
        })
    }

    /// All that was gathered; what was passed on is not among it.
    pub(super) fn end(mut self) -> Result<Rows, Fault> {
        if self.taker.is_some() {
            self.pass_on()?;
        }
        Ok(Rows::new(self.columns, self.rows))
    }
}
