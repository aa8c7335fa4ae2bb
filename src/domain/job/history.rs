//! A job's history as it is recorded: rows read as runs, oldest first. What cannot be placed in time is an error.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{
    age::CLOCK_SKEW,
    pack::HistoryColumns,
    rows::{Row, Rows},
    text::Text,
    value::Value,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed,
    Running,
}

#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) started: DateTime<Utc>,
    pub(super) finished: Option<DateTime<Utc>>,
    pub(super) end: End,
    pub(super) attempt: Option<u32>,
    pub(super) error: Option<Text>,
}

impl Recorded {
    pub(super) fn took(&self) -> Option<Duration> {
        self.finished.and_then(|finished| (finished - self.started).to_std().ok())
    }
}

pub(super) fn recorded(columns: &HistoryColumns, rows: &Rows, now: DateTime<Utc>) -> Result<Vec<Recorded>, String> {
    let runs =
        rows.iter().enumerate().map(|(index, row)| run(columns, row, now).map_err(|why| format!("row {} {why}", index + 1)));
    let mut runs = runs.collect::<Result<Vec<Option<Recorded>>, String>>()?.into_iter().flatten().collect::<Vec<_>>();
    runs.sort_by_key(|run| (run.started, run.attempt));
    Ok(runs)
}

/// `None` for a row that has not started.
fn run(columns: &HistoryColumns, row: &Row, now: DateTime<Utc>) -> Result<Option<Recorded>, String> {
    let Some(started) = time(row, &columns.started)? else {
        return Ok(None);
    };
    if started > now + CLOCK_SKEW {
        let started = started.format("%Y-%m-%d %H:%M UTC");
        return Err(format!("started in the future ({started}): a clock or a zone is wrong"));
    }
    let finished = columns.finished.as_deref().map_or(Ok(None), |column| time(row, column))?;
    let status = cell(row, &columns.status)?;
    // SQLite and Stripe write words, others yes or no.
    let word = status.original();
    let end = if word == columns.succeeded {
        End::Succeeded
    } else if columns.running.as_ref().is_some_and(|running| *running == word) || status.is_null() && finished.is_none() {
        End::Running
    } else {
        End::Failed
    };
    let attempt = columns.attempt.as_ref().and_then(|column| row.find(column)).and_then(Value::integer);
    let error = columns.error.as_ref().and_then(|column| row.find(column)).filter(|value| !value.is_null());
    Ok(Some(Recorded {
        started,
        finished,
        end,
        attempt: attempt.and_then(|attempt| u32::try_from(attempt).ok()),
        error: error.map(|value| Text::new(value.original())).filter(|text| !text.original().is_empty()),
    }))
}

fn cell<'a>(row: &'a Row, column: &str) -> Result<&'a Value, String> {
    row.find(column).ok_or_else(|| format!("has no column `{column}`"))
}

fn time(row: &Row, column: &str) -> Result<Option<DateTime<Utc>>, String> {
    match cell(row, column)? {
        Value::Null => Ok(None),
        Value::Time(time) => Ok(Some(*time)),
        other => Err(format!("has no time in `{column}`, but `{other}`")),
    }
}
