//! Reading a connection: one look in flight for each, its health noted.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    domain::{
        id::Id,
        money::Currency,
        pack::{Connection, Pack, Query},
        rows::{Params, Rows},
        snapshot::{Failure, SourceReport},
        text::Text,
        value::Value,
    },
    ports::{Connections, SourceError},
};

/// Reads queries; remembers how each connection last answered.
#[derive(Debug)]
pub struct Reader {
    connections: Connections,
    gates: HashMap<Id<Connection>, Semaphore>,
    health: Mutex<Vec<SourceReport>>,
    currency: Currency,
}

impl Reader {
    pub fn new(pack: &Pack, connections: Connections) -> Self {
        let gates = pack.connections.iter().map(|connection| (connection.id.clone(), Semaphore::new(1))).collect();
        let health = pack
            .connections
            .iter()
            .map(|connection| SourceReport {
                id: connection.id.clone(),
                kind: connection.kind.word().to_owned(),
                last_ok: None,
                took_ms: None,
                failure: None,
            })
            .collect();
        Self { connections, gates, health: Mutex::new(health), currency: pack.currency }
    }

    pub async fn read(&self, query: &Query, params: &Params, now: DateTime<Utc>) -> Result<Rows, SourceError> {
        let unknown = || SourceError::Unreachable(Text::new(format!("there is no connection `{}`", query.on)));
        let system = self.connections.find(&query.on).ok_or_else(unknown)?;
        let gate = self.gates.get(&query.on).ok_or_else(unknown)?;
        // The gate is never closed, so the permit always comes; a look that waits is bounded by the one before it.
        let _permit = gate.acquire().await;
        let started = Instant::now();
        let answer = system.read(query, params).await;
        self.note(&query.on, started.elapsed(), answer.as_ref().err(), now);
        answer.map(|rows| rows.with_money(&query.money, self.currency))
    }

    pub fn health(&self) -> Vec<SourceReport> {
        self.health.lock().map(|health| health.clone()).unwrap_or_default()
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

/// The parameters that every read may use.
pub fn clock_params(now: DateTime<Utc>) -> Params {
    let ago = |days| Value::Time(now - TimeDelta::days(days));
    Params::from([
        ("now".to_owned(), Value::Time(now)),
        ("day_ago".to_owned(), ago(1)),
        ("week_ago".to_owned(), ago(7)),
        ("month_ago".to_owned(), ago(30)),
    ])
}
