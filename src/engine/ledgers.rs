//! Reading two ledgers at once, row by row into their books, and pairing them.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::{reader::Reader, reading::Counting};
use crate::{
    domain::{
        archive::{Evidence, Origin},
        pack::{self, Ledger, Pack, Reconciliation},
        reconcile::{self, Book},
        rows::{Params, Rows, clock_names},
        snapshot::Statement,
        text::Text,
        value::Value,
    },
    ports::{SourceError, Taker},
};

/// So many rows are paired on the spot; more would keep everything else waiting, and have a thread of their own.
const AT_ONCE: usize = 20_000;

/// A statement, and what it is made of.
#[derive(Debug)]
pub struct Paired {
    pub statement: Statement,
    pub evidence: Evidence,
}

struct IntoBook<'a> {
    book: Book,
    count: Option<&'a AtomicUsize>,
}

impl Taker for IntoBook<'_> {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.book.take(&rows)?;
        if let Some(count) = self.count {
            count.store(self.book.len(), Relaxed);
        }
        Ok(())
    }
}

pub(super) async fn pair(
    reconciliation: &Reconciliation,
    pack: &Pack,
    reader: &Reader,
    counting: Option<&Counting<'_>>,
    now: DateTime<Utc>,
) -> Result<Paired, SourceError> {
    let ledger = |id| {
        let missing = || SourceError::Refused(Text::new(format!("the pack has no ledger `{id}`")));
        pack::find(&pack.ledgers, id).ok_or_else(missing)
    };
    let (theirs, ours) = (ledger(&reconciliation.theirs)?, ledger(&reconciliation.ours)?);
    let (from, to) = (now - TimeDelta::from_std(reconciliation.window).unwrap_or(TimeDelta::MAX), now);
    let (reach_from, reach_to) = reconcile::reach(reconciliation, from, to);
    let mut params = clock_names(now);
    params.insert("from".to_owned(), Value::Time(reach_from));
    params.insert("to".to_owned(), Value::Time(reach_to));
    let (of_theirs, of_ours) = (counting.map(Counting::theirs), counting.map(Counting::ours));
    let theirs = read(theirs, pack, reader, &params, of_theirs, now);
    let (theirs, ours) = tokio::join!(theirs, read(ours, pack, reader, &params, of_ours, now));
    let ((theirs, of_theirs), (ours, of_ours)) = (theirs?, ours?);
    let rows = theirs.len() + ours.len();
    let work = {
        let reconciliation = reconciliation.clone();
        move || reconcile::reconcile(&reconciliation, theirs, ours, from, to, now)
    };
    let (statement, sheet) = if rows <= AT_ONCE {
        work()
    } else {
        let ended = tokio::task::spawn_blocking(work).await;
        ended.map_err(|error| SourceError::Malformed(Text::new(format!("the pairing broke off: {error}"))))?
    };
    let evidence = Evidence { origins: [of_theirs, of_ours], sheet, asked_at: now };
    Ok(Paired { statement, evidence })
}

async fn read(
    ledger: &Ledger,
    pack: &Pack,
    reader: &Reader,
    params: &Params,
    count: Option<&AtomicUsize>,
    now: DateTime<Utc>,
) -> Result<(Book, Origin), SourceError> {
    let mut into = IntoBook { book: Book::new(ledger, pack.currency), count };
    let started = Instant::now();
    let requests = reader.stream(&ledger.query, params, now, &mut into).await?;
    let took = started.elapsed();
    let origin = Origin::of(ledger, pack, params, requests, into.book.len(), took.max(Duration::from_millis(1)));
    Ok((into.book, origin))
}
