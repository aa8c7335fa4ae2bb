//! What the rows of a look mean: items, a flag's value, a metric, a job's health, a statement.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::{
    domain::{
        item, job, metric,
        pack::{self, Pack},
        rows::Rows,
        snapshot::{
            FlagReport, Items, JobHealth, JobReport, Look, MetricReading, MetricReport, QueueReport, ReconciliationReport,
            Statement,
        },
        text::Text,
        value::Value,
    },
    engine::look::Answers,
};

pub fn empty_queue(queue: &pack::Queue) -> Arc<QueueReport> {
    Arc::new(QueueReport { id: queue.id.clone(), title: queue.title.clone(), look: Look::never(queue.every) })
}

pub fn empty_job(job: &pack::Job) -> Arc<JobReport> {
    Arc::new(JobReport { id: job.id.clone(), title: job.title.clone(), look: Look::never(job.every) })
}

pub fn empty_reconciliation(reconciliation: &pack::Reconciliation) -> Arc<ReconciliationReport> {
    Arc::new(ReconciliationReport {
        id: reconciliation.id.clone(),
        title: reconciliation.title.clone(),
        look: Look::never(reconciliation.every),
        signed_off: None,
        reading: None,
    })
}

pub fn empty_flag(flag: &pack::Flag) -> Arc<FlagReport> {
    Arc::new(FlagReport {
        id: flag.id.clone(),
        title: flag.title.clone(),
        normal: flag.normal.clone(),
        values: flag.values.clone(),
        look: Look::never(flag.every),
        flip: None,
    })
}

pub fn empty_metric(metric: &pack::Metric) -> Arc<MetricReport> {
    Arc::new(MetricReport { id: metric.id.clone(), title: metric.title.clone(), look: Look::never(metric.every) })
}

pub fn items(queue: &pack::Queue, pack: &Pack, rows: &Rows, now: DateTime<Utc>) -> Result<Items, Text> {
    item::items(queue, &pack.actions, rows, now).map_err(Text::new)
}

pub fn flag_value(flag: &pack::Flag, rows: &Rows) -> Result<Value, Text> {
    let cell = rows.first().and_then(|row| row.find(&flag.column));
    match cell {
        // A pack names a truth by its word, and so it is shown and set.
        Some(Value::Bool(truth)) => Ok(Value::text(truth.to_string())),
        Some(value) if !value.is_null() => Ok(value.clone()),
        Some(_) | None => {
            Err(Text::new(format!("the answer has no `{}`: is the flag still there under this name?", flag.column)))
        }
    }
}

pub fn metric(metric: &pack::Metric, answer: Answers, now: DateTime<Utc>) -> MetricReading {
    match answer {
        Answers::Metric { rows, series } => metric::read(metric, &rows, series.as_ref(), now),
        Answers::One(rows) | Answers::Job { runs: rows, .. } => metric::read(metric, &rows, None, now),
        Answers::Statement(_) => metric::read(metric, &Rows::default(), None, now),
    }
}

pub fn job_health(job: &pack::Job, answer: Answers, now: DateTime<Utc>) -> JobHealth {
    let (runs, effect) = match answer {
        Answers::Job { runs, effect } => (runs, effect),
        Answers::One(rows) | Answers::Metric { rows, .. } => (rows, None),
        Answers::Statement(_) => (Rows::default(), None),
    };
    let mut health = job::health(job, &runs, now);
    if let Some(row) = effect.as_ref().and_then(Rows::first) {
        health.effect = row.cells().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    }
    health
}

/// Said where a thing was never looked at.
pub fn never_looked(every: Duration) -> Text {
    Text::new(format!(
        "not looked at yet (every {})",
        crate::domain::age::span(chrono::TimeDelta::from_std(every).unwrap_or_default())
    ))
}

/// `A$22.00`, or several where there are several currencies; `0` where both sides are even.
pub fn difference_figures(statement: &Statement) -> String {
    let figures: Vec<String> = statement
        .totals
        .iter()
        .filter(|totals| totals.difference.minor != 0)
        .map(|totals| totals.difference.to_string())
        .collect();
    if figures.is_empty() { "0".to_owned() } else { figures.join(", ") }
}

/// `1 missing here, 1 amount differs; A$22.00 in all`.
pub fn difference_said(statement: &Statement) -> String {
    let mut counts: Vec<(pack::Class, usize)> = Vec::new();
    for discrepancy in &statement.discrepancies {
        match counts.iter_mut().find(|(class, _)| *class == discrepancy.class) {
            Some((_, count)) => *count += 1,
            None => counts.push((discrepancy.class, 1)),
        }
    }
    if statement.unlisted > 0 {
        // Not all are listed: the totals tell of all.
        counts = by_class(statement);
    }
    let classes = counts.iter().map(|(class, count)| format!("{count} {}", class.said())).collect::<Vec<_>>().join(", ");
    format!("{classes}; difference {}", difference_figures(statement))
}

/// How many rows fall in each class that does not match, over all currencies.
fn by_class(statement: &Statement) -> Vec<(pack::Class, usize)> {
    let count = |class: pack::Class| {
        let counts = statement.totals.iter().flat_map(|totals| &totals.by_class);
        counts.filter(|(of, ..)| *of == class).map(|(_, count, _)| count).sum()
    };
    let open = pack::Class::ALL.into_iter().filter(|class| *class != pack::Class::Matched);
    open.map(|class| (class, count(class))).filter(|(_, count)| *count > 0).collect()
}

/// The oldest row that has no equal.
pub fn differs_since(statement: &Statement) -> Option<DateTime<Utc>> {
    let open = statement.discrepancies.iter().filter(|discrepancy| discrepancy.class != pack::Class::InFlight);
    open.filter_map(|discrepancy| discrepancy.theirs.as_ref().or(discrepancy.ours.as_ref())).map(|entry| entry.at).min()
}
