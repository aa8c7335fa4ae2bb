//! `wheelhouse reconcile --list`: the statements in the archive and those that the journal knows, as lines or JSON.

use std::{io, path::Path};

use crate::domain::zone::Zone;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::output;
use crate::store::{Held, Standing};

/// Moments are said in the pack's zone.
pub fn print_lines(held: &[Held], directory: &Path, zone: Zone, now: DateTime<Utc>) -> io::Result<()> {
    if held.is_empty() {
        return output::print_words(&format!("no statements in {}\n", directory.display()));
    }
    let said: String = held.iter().map(|one| line(one, zone, now)).collect();
    output::print_words(&said)
}

fn line(one: &Held, zone: Zone, now: DateTime<Utc>) -> String {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let known = one.noted.as_ref().map(|noted| {
        format!("{} {} by {} (line {} of the journal)", noted.word.said(), local(noted.at), noted.who.one_line(), noted.sequence)
    });
    let name = &one.name;
    let known = match (&one.standing, known) {
        (Standing::Missing, Some(known)) => return format!("MISSING  {name}  {known}; {} is not there\n", one.file.display()),
        (Standing::Broken(why), known) => {
            let known = known.map(|known| format!("  {known}")).unwrap_or_default();
            return format!("BROKEN  {}: {}{known}\n", one.file.display(), why.one_line());
        }
        (Standing::Left, Some(known)) => {
            return format!("LEFT  {name}  {known} and is there still; --remove-old takes it away\n");
        }
        (_, known) => known,
    };
    let Some(head) = &one.head else { return format!("{name}\n") };
    let note = head.note.one_line();
    let note = if note.is_empty() { note } else { format!(" ({note})") };
    let old = if one.is_over(now) { "; seven years are over, --remove-old takes it away" } else { "" };
    let window = format!("{name}  {}  {} to {}", head.reconciliation.one_line(), local(head.from), local(head.to));
    let itself = || {
        let how = if head.signed { "signed off" } else { "archived" };
        format!("says of itself that it was {how} {} by {}", local(head.filed_at), head.filed_by.one_line())
    };
    match known {
        Some(known) => format!("{window}  {known}{note}{old}\n"),
        None if one.standing == Standing::Unasked => {
            format!("UNKNOWN  {window}  {}, and there is no journal to ask{note}{old}\n", itself())
        }
        None => format!("UNKNOWN  {window}  {}, and the journal does not know it{note}{old}\n", itself()),
    }
}

pub fn print_json(held: &[Held], now: DateTime<Utc>) -> io::Result<()> {
    let all: Vec<_> = held
        .iter()
        .map(|one| {
            let mut told = json!({
                "name": one.name, "file": one.file, "standing": one.standing.word(), "is_over": one.is_over(now),
                "filed_at": one.filed_at(),
            });
            if let Some(head) = &one.head {
                told["reconciliation"] = json!(head.reconciliation);
                told["from"] = json!(head.from);
                told["to"] = json!(head.to);
                told["filed_by"] = json!(head.filed_by);
                told["signed"] = json!(head.signed);
                told["note"] = json!(head.note);
            }
            if let Some(noted) = &one.noted {
                told["journal"] = json!({ "line": noted.sequence, "who": noted.who, "at": noted.at, "said": noted.word.said() });
            }
            if let Standing::Broken(why) = &one.standing {
                told["failure"] = why.shown().into();
            }
            told
        })
        .collect();
    output::print_json(&all)
}
