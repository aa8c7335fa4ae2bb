//! PostgreSQL, also behind a transaction pooler: every look is one read-only transaction with unnamed statements, and
//! nothing is left behind on the server.

mod address;
mod bind;
mod cell;
mod interval;
mod line;
mod numeric;

use std::{path::Path, sync::Arc, time::Duration};

use crate::domain::zone::Zone;
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use self::{
    address::Address,
    line::{Described, Line, Terms},
};
use super::{
    Acted, Broken, Statement,
    claims::{Contended, Contest},
    fault::{Fault, FaultKind},
    lane::{Lane, Place},
    parts::Parts,
};
use crate::domain::{rows::Rows, value::Value};

/// Looks that may be under way at once: a locked table, or a slow statement, keeps the others waiting for none of it.
pub(super) const LOOKS_AT_ONCE: usize = 3;

/// Connections at the most: the looks, a long list, and one that acts.
const PLACES: usize = LOOKS_AT_ONCE + 2;

/// A look waits so long for a table that somebody has locked; an act waits half of its time.
const LOOK_WAITS: Duration = Duration::from_secs(2);

pub(super) struct Postgres {
    options: PgConnectOptions,
    unsafe_because: Option<String>,
    lane: Lane<Line>,
    timeout: Duration,
    zone: Zone,
}

impl Postgres {
    /// `authority` is a file with the certificates of those who may sign the server's; a `timestamp` is a moment of `zone`.
    pub(super) fn open(url: &str, timeout: Duration, authority: Option<&Path>, zone: Zone) -> Result<Self, String> {
        let Address { options, unsafe_because } = Address::read(url, authority)?;
        // Poolers refuse start-up settings that they do not know; floats come in binary, where digits do not matter.
        let options = options.extra_float_digits(None).application_name("wheelhouse").disable_statement_logging();
        Ok(Self { options, unsafe_because, lane: Lane::with_places(PLACES), timeout, zone })
    }

    /// Why the line is not safe, where its address wants it so.
    pub(super) fn unsafe_because(&self) -> Option<&str> {
        self.unsafe_because.as_deref()
    }

    pub(super) async fn read(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        match self.read_once(text, values).await {
            Err(fault) if fault.is_mixed_up => {
                self.distrust();
                self.read_once(text, values).await
            }
            answer => answer,
        }
    }

    async fn read_once(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin(&place, READING).await?;
        let described = self.describe(&mut line, text, READING).await?;
        let mut parts = Parts::gathered();
        line.pour(values, &described, &mut parts).await?;
        line.finish("commit").await?;
        place.keep(line);
        parts.end()
    }

    /// As `read`, in parts. Nothing is begun anew once a part was passed on.
    pub(super) async fn stream(&self, text: &str, values: &[Value], mut parts: Parts<'_>) -> Result<Rows, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin(&place, READING).await?;
        let described = self.describe(&mut line, text, READING).await?;
        line.have_patience(parts.patience(self.timeout)).await?;
        line.pour(values, &described, &mut parts).await?;
        line.finish("commit").await?;
        place.keep(line);
        parts.end()
    }

    pub(super) async fn columns(&self, text: &str) -> Result<Option<Vec<String>>, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin(&place, READING).await?;
        let described = self.describe(&mut line, text, READING).await?;
        line.finish("rollback").await?;
        place.keep(line);
        Ok(Some(described.columns.clone()))
    }

    pub(super) async fn act(&self, statement: &Statement<'_>) -> Result<Acted, Broken> {
        let before_commit = async {
            let place = self.lane.enter().await;
            let mut line = self.begin_described(&place, statement).await?;
            let verdict = line.changes(statement).await?;
            if verdict.is_some() {
                line.finish("rollback").await?;
            }
            Ok::<_, Fault>((place, line, verdict))
        };
        // Dropping the connection before the commit is sent ends the transaction at the server.
        let Ok(ready) = tokio::time::timeout(self.timeout, before_commit).await else {
            self.distrust();
            return Err(Fault::timed_out().into());
        };
        let (place, line, verdict) = ready?;
        if let Some(verdict) = verdict {
            place.keep(line);
            return Ok(verdict);
        }
        self.commit(place, line).await.map(|()| Acted::Committed)
    }

    async fn commit(&self, place: Place<'_, Line>, mut line: Line) -> Result<(), Broken> {
        match tokio::time::timeout(self.timeout, line.finish("commit")).await {
            Ok(Ok(())) => {
                place.keep(line);
                Ok(())
            }
            // The server's own refusal (a deferred constraint, a lost race) ends the transaction; all else is doubt.
            Ok(Err(fault)) => {
                let in_doubt = !fault.is_verdict || fault.kind == FaultKind::Lost || fault.kind == FaultKind::TimedOut;
                Err(Broken { fault, in_doubt })
            }
            Err(_) => Err(Broken { fault: Fault::timed_out(), in_doubt: true }),
        }
    }

    /// A claim in one transaction; whoever takes the same number meanwhile waits for it.
    pub(super) async fn claim(&self, mut contest: Contest<'_>) -> Result<Contended, Broken> {
        let before_commit = async {
            let place = self.lane.enter().await;
            let mut line = self.begin_with(&place, &contest.texts()).await?;
            let contended = contest.run(&mut line).await?;
            if !matches!(contended, Contended::Stands) {
                line.finish("rollback").await?;
            }
            Ok::<_, Fault>((place, line, contended))
        };
        let Ok(ready) = tokio::time::timeout(self.timeout, before_commit).await else {
            self.distrust();
            return Err(Fault::timed_out().into());
        };
        let (place, line, contended) = ready?;
        if matches!(contended, Contended::Stands) {
            self.commit(place, line).await?;
        } else {
            place.keep(line);
        }
        Ok(contended)
    }

    /// One statement in a transaction of its own.
    pub(super) async fn change(&self, text: &str, values: &[Value]) -> Result<(), Broken> {
        let before_commit = async {
            let place = self.lane.enter().await;
            let mut line = self.begin_with(&place, &[text.to_owned()]).await?;
            line.execute(text, values).await?;
            Ok::<_, Fault>((place, line))
        };
        let Ok(ready) = tokio::time::timeout(self.timeout, before_commit).await else {
            self.distrust();
            return Err(Fault::timed_out().into());
        };
        let (place, line) = ready?;
        self.commit(place, line).await
    }

    /// How many rows a statement would change; it is rolled back.
    pub(super) async fn rehearse(&self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin_with(&place, &[text.to_owned()]).await?;
        let changed = line.execute(text, values).await?;
        line.finish("rollback").await?;
        place.keep(line);
        Ok(changed)
    }

    /// A connection with a transaction begun: a kept one, or, where that went stale, a new one.
    async fn begin(&self, place: &Place<'_, Line>, begin: &str) -> Result<Line, Fault> {
        if let Some(mut kept) = place.take()
            && self.start(&mut kept, begin).await.is_ok()
        {
            return Ok(kept);
        }
        let connection = self.options.connect().await.map_err(|error| address::refused(&error, &self.options))?;
        let mut line = Line::new(connection, self.zone);
        self.start(&mut line, begin).await?;
        Ok(line)
    }

    /// A transaction for an act, every statement of it described before: a name that is taken would end it.
    async fn begin_described(&self, place: &Place<'_, Line>, statement: &Statement<'_>) -> Result<Line, Fault> {
        let texts = statement.marks.map(|marks| marks.write.as_str()).into_iter().chain([statement.text]);
        self.begin_with(place, &texts.map(str::to_owned).collect::<Vec<_>>()).await
    }

    async fn begin_with(&self, place: &Place<'_, Line>, texts: &[String]) -> Result<Line, Fault> {
        let mut line = self.begin(place, WRITING).await?;
        for text in texts {
            self.describe(&mut line, text, WRITING).await?;
        }
        Ok(line)
    }

    async fn start(&self, line: &mut Line, begin: &str) -> Result<(), Fault> {
        let half = self.timeout / 2;
        let lock = if begin == READING { half.min(LOOK_WAITS) } else { half };
        // The server's word comes before our own patience ends: then it is known what became of a statement.
        let terms = Terms { statement: self.timeout * 9 / 10, lock, silence: self.timeout * 2 };
        line.start(begin, &terms).await
    }

    /// As `Line::describe`, for a transaction that may be begun anew.
    async fn describe(&self, line: &mut Line, text: &str, begin: &str) -> Result<Arc<Described>, Fault> {
        // Only the driver's named statements can be described; behind a pooler another program's may bear the name.
        for _ in 0..NAMES_TO_TRY {
            match line.describe(text).await {
                Err(fault) if fault.is_mixed_up => {
                    line.finish("rollback").await?;
                    self.start(line, begin).await?;
                }
                answer => return answer,
            }
        }
        line.describe(text).await
    }

    pub(super) fn distrust(&self) {
        self.lane.distrust();
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The driver's options would print the password.
        f.debug_struct("Postgres").field("lane", &self.lane).finish_non_exhaustive()
    }
}

const READING: &str = "begin read only";
const WRITING: &str = "begin";

/// Another program of ours that ended in the middle leaves one name taken.
const NAMES_TO_TRY: usize = 8;
