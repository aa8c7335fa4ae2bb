//! One look at one thing: asks its connections and hands the rows on, unjudged.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{
    ledgers::{self, Paired},
    reader::Reader,
    reading::Readings,
    watch::Watch,
};
use crate::{
    domain::{
        pack::Pack,
        rows::{Rows, clock_names},
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
    /// Two ledgers, paired.
    Statement(Box<Paired>),
}

pub async fn look(watch: Watch, pack: &Pack, reader: &Reader, readings: &Readings, now: DateTime<Utc>) -> Seen {
    let started = Instant::now();
    let answer = ask(watch, pack, reader, readings, now).await;
    Seen { watch, at: now, took_ms: started.elapsed().as_millis() as u64, answer }
}

async fn ask(
    watch: Watch,
    pack: &Pack,
    reader: &Reader,
    readings: &Readings,
    now: DateTime<Utc>,
) -> Result<Answers, SourceError> {
    let params = clock_names(now);
    let pages = readings.begin_pages(watch, now);
    let came = |rows: usize| pages.came(rows);
    match watch {
        Watch::Check(index) => reader.read_aloud(&pack.checks[index].query, &params, now, &came).await.map(Answers::One),
        Watch::Queue(index) => reader.read_aloud(&pack.queues[index].query, &params, now, &came).await.map(Answers::One),
        Watch::Flag(index) => reader.read_aloud(&pack.flags[index].query, &params, now, &came).await.map(Answers::One),
        Watch::Job(index) => {
            let job = &pack.jobs[index];
            let runs = reader.read_aloud(&job.history, &params, now, &came).await?;
            let effect = match &job.effect {
                Some(query) => Some(reader.read_aloud(query, &params, now, &came).await?),
                None => None,
            };
            Ok(Answers::Job { runs, effect })
        }
        Watch::Metric(index) => {
            let metric = &pack.metrics[index];
            let rows = reader.read_aloud(&metric.query, &params, now, &came).await?;
            let series = match &metric.series {
                Some(query) => Some(reader.read_aloud(query, &params, now, &came).await?),
                None => None,
            };
            Ok(Answers::Metric { rows, series })
        }
        Watch::Reconciliation(index) => {
            let counting = readings.begin(index, now);
            let paired = ledgers::pair(&pack.reconciliations[index], pack, reader, counting.as_ref(), now).await;
            paired.map(|paired| Answers::Statement(Box::new(paired)))
        }
    }
}
