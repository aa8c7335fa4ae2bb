//! `wheelhouse check`: one look at everything, a line per alert, the worst as exit status.

use std::{io, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::output;
use crate::domain::{
    age,
    severity::Severity,
    snapshot::{Alert, Snapshot},
};

/// The Monitoring Plugins convention: 0 OK, 1 warning, 2 critical, 3 unknown.
pub fn exit_status(worst: Severity) -> u8 {
    match worst {
        Severity::Green => 0,
        Severity::Yellow => 1,
        Severity::Red => 2,
        Severity::Unknown => 3,
    }
}

/// The severest of all alerts; nothing to look at is Unknown, not Green.
pub fn worst(snapshot: &Snapshot) -> Severity {
    snapshot.alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Unknown)
}

pub fn print_lines(snapshot: &Snapshot, now: DateTime<Utc>, all: bool) -> io::Result<()> {
    output::print_words(&lines(snapshot, now, all))
}

/// A green alert that is on its way to a worse severity is one to hear of.
fn lines(snapshot: &Snapshot, now: DateTime<Utc>, all: bool) -> String {
    let is_told = |alert: &&Arc<Alert>| all || alert.severity != Severity::Green || alert.turning.is_some();
    let mut text = String::new();
    let title_width = snapshot.alerts.iter().map(|alert| alert.title.chars().count()).max().unwrap_or(0).min(48);
    for alert in snapshot.alerts.iter().filter(is_told) {
        let since = age::age(alert.since, now);
        let detail = alert.detail.one_line();
        let turning = alert.turning.as_ref().map_or_else(String::new, |turning| {
            let remains = age::span((turning.counts_at - now).max(TimeDelta::zero()));
            format!("{} in {remains} if it stays so", turning.into.word())
        });
        let said = [alert.reading.as_str(), detail.as_str(), turning.as_str()];
        let said = said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let line = format!(
            "{:<7}  {:<title_width$}  {since:>6}  {}",
            alert.severity.word().to_uppercase(),
            alert.title,
            said.join("  "),
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&summary(snapshot));
    text.push('\n');
    text
}

/// `3 red, 2 yellow, 1 unknown, 11 green`.
pub fn summary(snapshot: &Snapshot) -> String {
    let count = |severity| snapshot.alerts.iter().filter(|alert| alert.severity == severity).count();
    Severity::ALL.map(|severity| format!("{} {}", count(severity), severity.word())).join(", ")
}

pub fn print_json(snapshot: &Snapshot) -> io::Result<()> {
    output::print_json(&document(snapshot))
}

fn document(snapshot: &Snapshot) -> serde_json::Value {
    let alerts: Vec<_> = snapshot
        .alerts
        .iter()
        .map(|alert| {
            json!({
                "name": alert.subject.name(),
                "title": alert.title,
                "severity": alert.severity,
                "since": alert.since,
                "reading": alert.reading,
                "detail": alert.detail.shown(),
                "turning": alert.turning,
                "rule": alert.rule,
                "looked_at": alert.looked_at,
                "failure": alert.failure.as_ref().map(|failure| failure.said.shown()),
            })
        })
        .collect();
    json!({ "severity": worst(snapshot), "taken_at": snapshot.taken_at, "alerts": alerts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::snapshot::Turning, ui::fixture};

    #[test]
    fn what_is_green_and_turning_is_told_in_a_line_and_in_json() {
        let mut snapshot = fixture::snapshot();
        let now = fixture::now();
        let green = snapshot.alerts.iter_mut().find(|alert| alert.severity == Severity::Green).unwrap();
        let turning = Turning { into: Severity::Red, since: now, counts_at: now + TimeDelta::minutes(12) };
        let alert = Arc::make_mut(green);
        alert.turning = Some(turning);
        let title = alert.title.clone();
        let lines = lines(&snapshot, now, false);
        let line = lines.lines().find(|line| line.contains(&title)).unwrap();
        assert!(line.starts_with("GREEN") && line.ends_with("red in 12m if it stays so"), "{line}");
        let document = document(&snapshot);
        let told = document["alerts"].as_array().unwrap().iter().find(|alert| alert["title"] == title.as_str()).unwrap();
        assert_eq!((&told["turning"]["into"], &told["severity"]), (&json!("red"), &json!("green")));
    }
}
