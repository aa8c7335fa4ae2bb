//! Reading a connection: one look in flight for each, a few where one need not wait for another, its health noted.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use chrono::{DateTime, Utc};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    domain::{
        id::Id,
        money::Currency,
        pack::{Connection, Pack, Query, Read, StripeRead},
        rows::{Params, Rows},
        snapshot::{Failure, SourceReport},
        text::Text,
        value::Value,
    },
    ports::{Connections, PageCame, SourceError, Taker},
};

/// Looks that waited while so many before them ran out of time share the failure: twenty queries at a database that
/// hangs are told of after two of them, and one slow query does not speak for the others.
const TIMED_OUT: u32 = 2;

/// Reads queries; remembers how each connection last answered.
#[derive(Debug)]
pub struct Reader {
    connections: Connections,
    gates: HashMap<Id<Connection>, Gate>,
    health: Mutex<Vec<SourceReport>>,
    currency: Currency,
}

impl Reader {
    pub fn new(pack: &Pack, connections: Connections) -> Self {
        let gate = |connection: &Connection| {
            let at_once = connections.find(&connection.id).map_or(1, |system| system.looks_at_once());
            (connection.id.clone(), Gate::with_lanes(at_once))
        };
        let gates = pack.connections.iter().map(gate).collect();
        let health = pack
            .connections
            .iter()
            .map(|connection| SourceReport {
                id: connection.id.clone(),
                kind: connection.kind.word().to_owned(),
                last_ok: None,
                took_ms: None,
                failure: None,
                budget: None,
                progress: None,
            })
            .collect();
        Self { connections, gates, health: Mutex::new(health), currency: pack.currency }
    }

    /// The rows, without those that another connection has already, where the query says so.
    pub async fn read(&self, query: &Query, params: &Params, now: DateTime<Utc>) -> Result<Rows, SourceError> {
        self.read_aloud(query, params, now, &|_| {}).await
    }

    /// As `read`; `came` is told of each page of a long list as it comes.
    pub async fn read_aloud(
        &self,
        query: &Query,
        params: &Params,
        now: DateTime<Utc>,
        came: &PageCame<'_>,
    ) -> Result<Rows, SourceError> {
        let rows = self.read_all(query, params, now, came).await?;
        let Read::Stripe(StripeRead { except: Some(except), .. }) = &query.read else { return Ok(rows) };
        if rows.is_empty() {
            return Ok(rows);
        }
        let done = Query { on: except.on.clone(), read: Read::Sql(except.sql.clone()), money: Vec::new() };
        let done = self.read_all(&done, params, now, &|_| {}).await.map_err(|error| unheld(&except.on, &error))?;
        let done = done.iter().filter_map(|row| row.values().first().map(Value::original)).collect();
        Ok(rows.without("id", &done))
    }

    async fn read_all(
        &self,
        query: &Query,
        params: &Params,
        now: DateTime<Utc>,
        heard: &PageCame<'_>,
    ) -> Result<Rows, SourceError> {
        let unknown = || SourceError::Unreachable(Text::new(format!("there is no connection `{}`", query.on)));
        let system = self.connections.find(&query.on).ok_or_else(unknown)?;
        let gate = self.gates.get(&query.on).ok_or_else(unknown)?;
        let came = Instant::now();
        // The gate is never closed, so the permit always comes; a look that waits is bounded by the one before it.
        let _permit = gate.lanes.acquire().await;
        if let Some(error) = gate.down_since(came) {
            return Err(error);
        }
        let started = Instant::now();
        let answer = system.read_aloud(query, params, heard).await;
        gate.note(answer.as_ref().err());
        self.note(&query.on, started.elapsed(), answer.as_ref().err(), now);
        answer.map(|rows| rows.with_money(&query.money, self.currency))
    }

    /// As `read`, handing the rows over as they come. A long ledger keeps no look waiting: it has a lane of its own.
    pub async fn stream(
        &self,
        query: &Query,
        params: &Params,
        now: DateTime<Utc>,
        taker: &mut dyn Taker,
    ) -> Result<Vec<String>, SourceError> {
        let unknown = || SourceError::Unreachable(Text::new(format!("there is no connection `{}`", query.on)));
        let system = self.connections.find(&query.on).ok_or_else(unknown)?;
        let gate = self.gates.get(&query.on).ok_or_else(unknown)?;
        let came = Instant::now();
        let _permit = gate.ledgers.acquire().await;
        if let Some(error) = gate.down_since(came) {
            return Err(error);
        }
        let started = Instant::now();
        let mut taker = WithMoney { taker, columns: &query.money, currency: self.currency };
        let answer = system.stream(query, params, &mut taker).await;
        gate.note(answer.as_ref().err());
        self.note(&query.on, started.elapsed(), answer.as_ref().err(), now);
        answer
    }

    pub fn health(&self) -> Vec<SourceReport> {
        let mut health = self.health.lock().map(|health| health.clone()).unwrap_or_default();
        for report in &mut health {
            if let Some(system) = self.connections.find(&report.id) {
                report.budget = system.budget();
                report.progress = system.progress();
            }
        }
        health
    }

    /// Rows that have come of the lists that are being read, over all connections.
    pub fn progress(&self) -> Vec<Text> {
        self.connections.0.values().filter_map(|system| system.progress()).collect()
    }

    fn note(&self, id: &Id<Connection>, took: Duration, error: Option<&SourceError>, now: DateTime<Utc>) {
        let Ok(mut health) = self.health.lock() else { return };
        let Some(report) = health.iter_mut().find(|report| report.id == *id) else { return };
        // A statement that the database refuses is the pack's fault: the connection itself is well.
        let down = error.filter(|error| !matches!(error, SourceError::Refused(_)));
        match down {
            None => {
                report.last_ok = Some(now);
                report.took_ms = Some(took.as_millis() as u64);
                report.failure = None;
            }
            Some(error) => {
                let (since, tries) = report.failure.as_ref().map_or((now, 0), |failure| (failure.since, failure.tries));
                report.failure = Some(Failure { said: Text::new(error.to_string()), since, tries: tries + 1, next_try: None });
            }
        }
    }
}

/// What was read cannot be held against what is done: half an answer, which would look whole.
fn unheld(on: &Id<Connection>, error: &SourceError) -> SourceError {
    let said = Text::new(format!("what of it is done already could not be read from {on}: {error}"));
    match error {
        SourceError::Unreachable(_) => SourceError::Unreachable(said),
        SourceError::Busy(_) | SourceError::TimedOut(_) => SourceError::Busy(said),
        SourceError::Denied(_) => SourceError::Denied(said),
        SourceError::Malformed(_) => SourceError::Malformed(said),
        SourceError::Refused(_) => SourceError::Refused(said),
    }
}

/// Makes money of minor units on the way.
struct WithMoney<'a> {
    taker: &'a mut dyn Taker,
    columns: &'a [String],
    currency: Currency,
}

impl Taker for WithMoney<'_> {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.taker.take(rows.with_money(self.columns, self.currency))
    }
}

/// Lets few looks at a time through to a connection.
#[derive(Debug)]
struct Gate {
    lanes: Semaphore,
    /// Of long lists, one at a time.
    ledgers: Semaphore,
    /// The looks in a row that nobody answered, and the last of them.
    silence: Mutex<Option<(u32, Instant, SourceError)>>,
}

impl Gate {
    fn with_lanes(lanes: usize) -> Self {
        Self { lanes: Semaphore::new(lanes), ledgers: Semaphore::new(1), silence: Mutex::new(None) }
    }

    fn note(&self, error: Option<&SourceError>) {
        let Ok(mut silence) = self.silence.lock() else { return };
        let weight = match error {
            Some(SourceError::Unreachable(_)) => TIMED_OUT,
            Some(SourceError::TimedOut(_) | SourceError::Busy(_)) => 1,
            Some(SourceError::Refused(_) | SourceError::Denied(_) | SourceError::Malformed(_)) | None => 0,
        };
        *silence = error.filter(|_| weight > 0).map(|error| {
            let before = silence.as_ref().map_or(0, |(count, _, _)| *count);
            (before.saturating_add(weight), Instant::now(), error.clone())
        });
    }

    /// The failure that a look which has waited since `came` shares.
    fn down_since(&self, came: Instant) -> Option<SourceError> {
        let silence = self.silence.lock().ok()?;
        silence.as_ref().filter(|(count, at, _)| *count >= TIMED_OUT && *at >= came).map(|(_, _, error)| error.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_that_hangs_lets_as_many_others_through_as_its_connection_says() {
        for (lanes, is_open) in [(2, true), (1, false)] {
            let gate = Gate::with_lanes(lanes);
            let _hanging = gate.lanes.acquire().await;
            assert_eq!(gate.lanes.try_acquire().is_ok(), is_open, "{lanes}");
        }
    }

    #[test]
    fn a_hanging_source_is_believed_after_two_looks_and_asked_again_by_those_that_come_later() {
        let gate = Gate::with_lanes(1);
        let slow = SourceError::TimedOut(Duration::from_secs(5));
        let came = Instant::now();
        gate.note(Some(&slow));
        assert_eq!(gate.down_since(came), None, "one slow query does not speak for the others");
        gate.note(Some(&slow));
        assert_eq!(gate.down_since(came), Some(slow.clone()));
        assert_eq!(gate.down_since(Instant::now() + Duration::from_millis(1)), None, "who comes later asks again");
        gate.note(Some(&SourceError::Refused("a mistake".into())));
        assert_eq!(gate.down_since(came), None, "an answer is an answer");
        gate.note(Some(&slow));
        assert_eq!(gate.down_since(came), None);
    }

    #[test]
    fn an_address_where_nobody_is_needs_no_second_look() {
        let gate = Gate::with_lanes(1);
        let came = Instant::now();
        let gone = SourceError::Unreachable("nobody answers".into());
        gate.note(Some(&gone));
        assert_eq!(gate.down_since(came), Some(gone));
    }
}
