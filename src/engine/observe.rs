//! Seeing that a flag's new value is live: its probes are asked until all of them answer as expected.

use chrono::{DateTime, Utc};

use super::reader::Reader;
use crate::domain::{
    pack::{Flag, Probe},
    rows::clock_names,
    snapshot::ProbeResult,
    text::Text,
    value::Value,
};

/// One round over all probes of a flag, in their order.
pub async fn observe(flag: &Flag, value: &str, reader: &Reader, now: DateTime<Utc>) -> Vec<ProbeResult> {
    let mut results = Vec::with_capacity(flag.probes.len());
    for probe in &flag.probes {
        results.push(ask(probe, value, reader, now).await);
    }
    results
}

/// True where there was something to observe and all of it was as expected.
pub fn all_seen(results: &[ProbeResult]) -> bool {
    results.iter().all(|result| result.ok)
}

async fn ask(probe: &Probe, value: &str, reader: &Reader, now: DateTime<Utc>) -> ProbeResult {
    let mut names = clock_names(now);
    names.insert("value".to_owned(), Value::text(value));
    let expected = probe.expect.render(&names);
    let answer = reader.read(&probe.query, &names, now).await;
    let (ok, expected, got) = match (expected, answer) {
        (Err(why), _) => (false, String::new(), why),
        (Ok(expected), Err(error)) => (false, expected, error.to_string()),
        (Ok(expected), Ok(rows)) => {
            let row = rows.first();
            let cell = row.and_then(|row| row.find(&probe.column)).map(Value::original).unwrap_or_default();
            let error = row.and_then(|row| row.find("error")).filter(|error| !error.is_null()).map(Value::original);
            let got = if cell.is_empty() { error.unwrap_or_else(|| "nothing".to_owned()) } else { cell };
            (got == expected, expected, got)
        }
    };
    ProbeResult { title: probe.title.clone(), expected: Text::new(expected), got: Text::new(got), ok, at: now }
}
