//! `wheelhouse reconcile --list`: the statements in the archive, as lines or JSON.

use std::{fmt::Write as _, io, path::Path};

use crate::domain::zone::Zone;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::output;
use crate::{domain::archive::is_over, store::Shelved};

/// Moments are said in the pack's zone.
pub fn print_lines(shelved: &[Shelved], directory: &Path, zone: Zone, now: DateTime<Utc>) -> io::Result<()> {
    let mut said = String::new();
    if shelved.is_empty() {
        let _ = writeln!(said, "no statements in {}", directory.display());
    }
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    for one in shelved {
        // Writing to a String cannot fail.
        let _ = match &one.head {
            Err(why) => writeln!(said, "UNREADABLE  {}: {why}", one.file.display()),
            Ok(head) => {
                let how = if head.signed { "signed off" } else { "archived" };
                let note = head.note.one_line();
                let note = if note.is_empty() { note } else { format!(" ({note})") };
                let old = if is_over(head.filed_at, now) { "; seven years are over, --remove-old takes it away" } else { "" };
                writeln!(
                    said,
                    "{}  {}  {} to {}  {how} {} by {}{note}{old}",
                    one.name,
                    head.reconciliation.one_line(),
                    local(head.from),
                    local(head.to),
                    local(head.filed_at),
                    head.filed_by.one_line(),
                )
            }
        };
    }
    output::print_words(&said)
}

pub fn print_json(shelved: &[Shelved], now: DateTime<Utc>) -> io::Result<()> {
    let all: Vec<_> = shelved
        .iter()
        .map(|one| match &one.head {
            Err(why) => json!({ "name": one.name, "file": one.file, "failure": why.shown() }),
            Ok(head) => json!({
                "name": one.name, "file": one.file, "reconciliation": head.reconciliation, "from": head.from, "to": head.to,
                "filed_at": head.filed_at, "filed_by": head.filed_by, "signed": head.signed, "note": head.note,
                "is_over": is_over(head.filed_at, now),
            }),
        })
        .collect();
    output::print_json(&all)
}
