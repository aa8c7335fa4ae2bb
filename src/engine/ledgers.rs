//! Reading two ledgers at once, row by row into their books, and pairing them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::reader::Reader;
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

struct IntoBook(Book);

impl Taker for IntoBook {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.0.take(&rows)
    }
}

pub(super) async fn pair(
    reconciliation: &Reconciliation,
    pack: &Pack,
    reader: &Reader,
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
    let (theirs, ours) = tokio::join!(read(theirs, pack, reader, &params, now), read(ours, pack, reader, &params, now));
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
    now: DateTime<Utc>,
) -> Result<(Book, Origin), SourceError> {
    let mut book = IntoBook(Book::new(ledger, pack.currency));
    let started = Instant::now();
    let requests = reader.stream(&ledger.query, params, now, &mut book).await?;
    let took = started.elapsed();
    let origin = Origin::of(ledger, params, requests, book.0.len(), took.max(Duration::from_millis(1)));
    Ok((book.0, origin))
}
