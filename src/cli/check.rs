//! `wheelhouse check`: one look at everything, a line per alert, the worst as exit status.

use std::io;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::output;
use crate::domain::{age, severity::Severity, snapshot::Snapshot};

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
    let mut text = String::new();
    let title_width = snapshot.alerts.iter().map(|alert| alert.title.chars().count()).max().unwrap_or(0).min(48);
    for alert in snapshot.alerts.iter().filter(|alert| all || alert.severity != Severity::Green) {
        let since = age::age(alert.since, now);
        let detail = alert.detail.one_line();
        let said = [alert.reading.as_str(), detail.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
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
    output::print_words(&text)
}

/// `3 red, 2 yellow, 1 unknown, 11 green`.
pub fn summary(snapshot: &Snapshot) -> String {
    let count = |severity| snapshot.alerts.iter().filter(|alert| alert.severity == severity).count();
    Severity::ALL.map(|severity| format!("{} {}", count(severity), severity.word())).join(", ")
}

pub fn print_json(snapshot: &Snapshot) -> io::Result<()> {
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
                "rule": alert.rule,
                "looked_at": alert.looked_at,
                "failure": alert.failure.as_ref().map(|failure| failure.said.shown()),
            })
        })
        .collect();
    output::print_json(&json!({ "severity": worst(snapshot), "taken_at": snapshot.taken_at, "alerts": alerts }))
}
