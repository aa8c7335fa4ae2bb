//! `wheelhouse reconcile`: the statements of the reconciliations as text, JSON or CSV.

use std::{fmt::Write as _, io, sync::Arc};

use crate::domain::zone::Zone;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::output;
use crate::domain::{
    snapshot::{Discrepancy, ReconciliationReport, Statement},
    text::{self, Text},
};

/// 0 where nothing differs, 1 where something does, 3 where it could not look.
pub fn exit_status(reports: &[Arc<ReconciliationReport>]) -> u8 {
    if reports.is_empty() || reports.iter().any(|report| report.look.failure.is_some() || report.look.value.is_none()) {
        return 3;
    }
    let differs = reports.iter().filter_map(|report| report.look.value.as_ref()).any(|statement| !statement.is_even());
    u8::from(differs)
}

/// Moments are said in the pack's zone.
pub fn print_text(reports: &[Arc<ReconciliationReport>], zone: Zone) -> io::Result<()> {
    let mut text = String::new();
    for report in reports {
        text.push_str(&said(report, zone));
    }
    output::print_words(&text)
}

fn said(report: &ReconciliationReport, zone: Zone) -> String {
    let mut said = format!("{}\n", report.title);
    let Some(statement) = &report.look.value else {
        let why = report.look.failure.as_ref().map_or_else(|| "not looked at yet".to_owned(), |failure| failure.said.one_line());
        return said + &format!("  UNKNOWN  {why}\n");
    };
    // Writing to a String cannot fail.
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
    let _ = writeln!(said, "  {} to {} {zone}", local(statement.from), local(statement.to));
    for totals in &statement.totals {
        let _ = writeln!(
            said,
            "  {:<12} {:>14}  ({})\n  {:<12} {:>14}  ({})\n  {:<12} {:>14}",
            statement.theirs_title,
            totals.theirs.to_string(),
            text::counted(totals.theirs_rows, "row"),
            statement.ours_title,
            totals.ours.to_string(),
            text::counted(totals.ours_rows, "row"),
            "difference",
            totals.difference.signed(),
        );
        for (class, count, money) in &totals.by_class {
            let _ = writeln!(said, "    {:<18} {count:>6}  {:>14}", class.said(), money.signed());
        }
    }
    for discrepancy in &statement.discrepancies {
        let _ = writeln!(said, "  {:<18} {}", discrepancy.class.said(), discrepancy.said.one_line());
        if !discrepancy.candidates.is_empty() {
            let _ = writeln!(said, "  {:<18}   {}", "", Text::new(candidates(discrepancy)).one_line());
        }
    }
    if statement.unlisted > 0 {
        let _ = writeln!(said, "  and {} more; the sums above tell of all", statement.unlisted);
    }
    said
}

pub fn print_json(reports: &[Arc<ReconciliationReport>]) -> io::Result<()> {
    let all: Vec<_> = reports
        .iter()
        .map(|report| {
            json!({
                "name": report.id,
                "title": report.title,
                "statement": report.look.value.as_deref().map(statement_json),
                "failure": report.look.failure.as_ref().map(|failure| failure.said.shown()),
                "signed_off": report.signed_off,
            })
        })
        .collect();
    output::print_json(&all)
}

fn statement_json(statement: &Statement) -> serde_json::Value {
    json!({
        "from": statement.from,
        "to": statement.to,
        "matched": statement.matched,
        "unlisted": statement.unlisted,
        "totals": statement.totals,
        "discrepancies": statement.discrepancies,
    })
}

/// A line for each discrepancy; cells that a spreadsheet would run as a formula are made text.
pub fn print_csv(reports: &[Arc<ReconciliationReport>]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = [
        "reconciliation",
        "class",
        "their_id",
        "their_amount",
        "our_id",
        "our_amount",
        "currency",
        "difference",
        "at",
        "said",
        "could_be",
    ];
    writer.write_record(head).map_err(io::Error::other)?;
    for report in reports {
        for discrepancy in report.look.value.iter().flat_map(|statement| &statement.discrepancies) {
            writer.write_record(record(report, discrepancy)).map_err(io::Error::other)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    output::print(&String::from_utf8_lossy(&bytes))
}

fn record(report: &ReconciliationReport, discrepancy: &Discrepancy) -> Vec<String> {
    let either = discrepancy.theirs.as_ref().or(discrepancy.ours.as_ref());
    let key =
        |entry: &Option<_>| entry.as_ref().map_or_else(String::new, |entry: &crate::domain::snapshot::Entry| entry.key.clone());
    let amount = |entry: &Option<_>| {
        entry.as_ref().map_or_else(String::new, |entry: &crate::domain::snapshot::Entry| signed(entry.amount))
    };
    [
        report.id.to_string(),
        discrepancy.class.word().to_owned(),
        key(&discrepancy.theirs),
        amount(&discrepancy.theirs),
        key(&discrepancy.ours),
        amount(&discrepancy.ours),
        either.map_or_else(String::new, |entry| entry.amount.currency.code().to_owned()),
        discrepancy.difference.iter().map(|money| signed(*money)).collect::<Vec<_>>().join(" "),
        either.map_or_else(String::new, |entry| entry.at.to_rfc3339()),
        discrepancy.said.one_line(),
        candidates(discrepancy),
    ]
    .iter()
    .map(|cell| text::csv_cell(cell).into_owned())
    .collect()
}

/// The ids of the rows that an ambiguous one could be.
fn candidates(discrepancy: &Discrepancy) -> String {
    let mut ids: Vec<&str> = discrepancy.candidates.iter().map(|entry| entry.key.as_str()).collect();
    let more = format!("{} more", discrepancy.more_candidates);
    if discrepancy.more_candidates > 0 {
        ids.push(&more);
    }
    ids.join(" ")
}

/// `-22.00`: figures a spreadsheet reads as a number.
fn signed(money: crate::domain::money::Money) -> String {
    if money.minor < 0 { format!("-{}", money.figures()) } else { money.figures() }
}
