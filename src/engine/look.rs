//! One look at one thing: asks its connections and hands the rows on, unjudged.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::{reader::Reader, watch::Watch};
use crate::{
    domain::{
        pack::{self, Pack},
        reconcile,
        rows::{Rows, clock_names},
        value::Value,
    },
    ports::SourceError,
};

/// What a look brought: the answer of its main query, and of those beside it.
#[derive(Debug)]
pub struct Seen {
    pub watch: Watch,
    /// When it was asked; the age of a reading counts from here.
    pub at: DateTime<Utc>,
    pub took_ms: u64,
    pub answer: Result<Answers, SourceError>,
}

#[derive(Debug)]
pub enum Answers {
    /// A check, a queue or a flag.
    One(Rows),
    /// A job's runs and, where it says what it achieves, the figures now.
    Job { runs: Rows, effect: Option<Rows> },
    /// A metric and its history.
    Metric { rows: Rows, series: Option<Rows> },
    /// Two ledgers over `[from, to)`.
    Ledgers { theirs: Rows, ours: Rows, from: DateTime<Utc>, to: DateTime<Utc> },
}

pub async fn look(watch: Watch, pack: &Pack, reader: &Reader, now: DateTime<Utc>) -> Seen {
    let started = Instant::now();
    let answer = ask(watch, pack, reader, now).await;
    Seen { watch, at: now, took_ms: started.elapsed().as_millis() as u64, answer }
}

async fn ask(watch: Watch, pack: &Pack, reader: &Reader, now: DateTime<Utc>) -> Result<Answers, SourceError> {
    let params = clock_names(now);
    match watch {
        Watch::Check(index) => reader.read(&pack.checks[index].query, &params, now).await.map(Answers::One),
        Watch::Queue(index) => reader.read(&pack.queues[index].query, &params, now).await.map(Answers::One),
        Watch::Flag(index) => reader.read(&pack.flags[index].query, &params, now).await.map(Answers::One),
        Watch::Job(index) => {
            let job = &pack.jobs[index];
            let runs = reader.read(&job.history, &params, now).await?;
            let effect = match &job.effect {
                Some(query) => Some(reader.read(query, &params, now).await?),
                None => None,
            };
            Ok(Answers::Job { runs, effect })
        }
        Watch::Metric(index) => {
            let metric = &pack.metrics[index];
            let rows = reader.read(&metric.query, &params, now).await?;
            let series = match &metric.series {
                Some(query) => Some(reader.read(query, &params, now).await?),
                None => None,
            };
            Ok(Answers::Metric { rows, series })
        }
        Watch::Reconciliation(index) => ledgers(index, pack, reader, now).await,
    }
}

async fn ledgers(index: usize, pack: &Pack, reader: &Reader, now: DateTime<Utc>) -> Result<Answers, SourceError> {
    let reconciliation = &pack.reconciliations[index];
    let (Some(theirs), Some(ours)) =
        (pack::find(&pack.ledgers, &reconciliation.theirs), pack::find(&pack.ledgers, &reconciliation.ours))
    else {
        return Err(SourceError::Refused("the pack names a ledger that it does not have".into()));
    };
    let (from, to) = (now - TimeDelta::from_std(reconciliation.window).unwrap_or(TimeDelta::MAX), now);
    let mut params = clock_names(now);
    let (reach_from, reach_to) = reconcile::reach(reconciliation, from, to);
    params.insert("from".to_owned(), Value::Time(reach_from));
    params.insert("to".to_owned(), Value::Time(reach_to));
    let (theirs, ours) = tokio::join!(reader.read(&theirs.query, &params, now), reader.read(&ours.query, &params, now));
    Ok(Answers::Ledgers { theirs: theirs?, ours: ours?, from, to })
}
