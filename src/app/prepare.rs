//! Preparing every statement of a pack at the start: a mistake in SQL is found before it is needed, and shown where it
//! stands in the file.

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    domain::{
        pack::{EffectKind, Pack, Query, Read},
        text::Text,
    },
    pack::{Loaded, Problems},
    ports::{Connections, SourceError},
};

/// One statement may take so long to prepare; a source that hangs is told of by its looks.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn prepare(loaded: &Loaded, connections: &Connections) -> Vec<Text> {
    let statements = statements(&loaded.pack);
    let asked = statements.iter().map(|(place, query)| async move {
        let system = connections.find(&query.on)?;
        match tokio::time::timeout(PATIENCE, system.prepare(query)).await {
            // Only what the source understood and refused is the pack's fault.
            Ok(Err(SourceError::Refused(why))) => {
                let problems = Problems::for_query(loaded, place, why.shown());
                Some(Text::new(problems.to_string()))
            }
            Ok(Ok(_) | Err(_)) | Err(_) => None,
        }
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Every SQL statement and where it stands in the file.
fn statements(pack: &Pack) -> Vec<(String, Query)> {
    let mut found: Vec<(String, Query)> = Vec::new();
    let mut add = |place: String, query: &Query| {
        if matches!(query.read, Read::Sql(_)) {
            found.push((place, query.clone()));
        }
    };
    pack.checks.iter().for_each(|check| add(format!("checks.{}", check.id), &check.query));
    pack.queues.iter().for_each(|queue| add(format!("queues.{}", queue.id), &queue.query));
    pack.ledgers.iter().for_each(|ledger| add(format!("ledgers.{}", ledger.id), &ledger.query));
    pack.flags.iter().for_each(|flag| add(format!("flags.{}", flag.id), &flag.query));
    for metric in &pack.metrics {
        add(format!("metrics.{}", metric.id), &metric.query);
        metric.series.iter().for_each(|series| add(format!("metrics.{}.series", metric.id), series));
    }
    for job in &pack.jobs {
        add(format!("jobs.{}.history", job.id), &job.history);
        job.effect.iter().for_each(|effect| add(format!("jobs.{}.effect", job.id), effect));
    }
    for action in &pack.actions {
        action.fresh.iter().for_each(|fresh| add(format!("actions.{}.fresh", action.id), fresh));
        for effect in &action.effects {
            if let EffectKind::Sql { on, sql, .. } = &effect.kind {
                let query = Query { on: on.clone(), read: Read::Sql(sql.clone()), money: Vec::new() };
                add(format!("actions.{}.do", action.id), &query);
            }
        }
    }
    found
}
