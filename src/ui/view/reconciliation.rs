//! Pane 4: two records of the money side by side, and what does not match.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::{
        figure,
        money::Money,
        pack::Class,
        severity::Severity,
        snapshot::{Discrepancy, ReadSoFar, ReconciliationReport, Statement, Subject},
    },
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Reconciliation;
    let reports = model.snapshot.as_ref().map(|snapshot| snapshot.reconciliations.as_slice()).unwrap_or_default();
    let signed = reports.iter().filter_map(|report| report.signed_off.as_ref()).max_by_key(|sign_off| sign_off.at);
    let foot = signed.map(|sign_off| format!("signed off {} by {}", ink.when(sign_off.at), sign_off.operator));
    let foot = foot.as_deref().map(|foot| (foot, Role::Muted));
    sheet::frame(ink, buffer, area, "4 Reconciliation", &sheet::hints(ink, pane), model.place.pane == pane, foot);
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Pairing the records...",
            Some(_) if model.filters.contains_key(&pane) => "Nothing matches the filter. Esc shows all.",
            Some(_) => "The pack declares no reconciliations.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let sides = reports.iter().find_map(|report| report.look.value.as_ref());
    let (theirs, ours) = sides.map_or(("theirs", "ours"), |sides| (sides.theirs_title.as_str(), sides.ours_title.as_str()));
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing)).collect();
    let columns = vec![
        Column::key(""),
        Column::text("", 10),
        Column::number(theirs).optional(),
        Column::number(ours).optional(),
        Column::number("diff"),
        Column::text("", 8),
    ];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

fn row(ink: &Ink<'_>, thing: &Thing) -> Vec<Cell> {
    match thing {
        Thing::Statement(id) => {
            let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.reconciliations.as_slice()).unwrap_or_default();
            reports.iter().find(|report| report.id == *id).map(|report| statement(ink, report)).unwrap_or_default()
        }
        Thing::Discrepancy(id, key) => ink.model.discrepancy(id, key).map(discrepancy).unwrap_or_default(),
        Thing::Alert(_)
        | Thing::Healthy
        | Thing::Queue(_)
        | Thing::Item(..)
        | Thing::Job(_)
        | Thing::Flag(_)
        | Thing::Playbook(_)
        | Thing::Metric(_)
        | Thing::Line(_)
        | Thing::Run(_) => Vec::new(),
    }
}

/// Never green where it could not be read, whatever was read before.
pub fn severity(ink: &Ink<'_>, report: &ReconciliationReport) -> Severity {
    let Some(statement) = report.look.fresh(ink.model.now) else { return Severity::Unknown };
    if let Some(alert) = ink.model.alert(&Subject::Reconciliation(report.id.clone())) {
        return ink.model.severity(alert);
    }
    let is_even = statement.discrepancies.iter().all(|discrepancy| matches!(discrepancy.class, Class::Matched | Class::InFlight));
    if is_even { Severity::Green } else { Severity::Yellow }
}

/// A difference with its sign: `+A$22.00`.
pub fn signed(money: Money) -> String {
    money.signed()
}

fn statement(ink: &Ink<'_>, report: &ReconciliationReport) -> Vec<Cell> {
    let severity = severity(ink, report);
    let letter = (severity.letter().to_string(), Ink::severity(severity));
    let title = (report.title.clone(), Role::Text);
    let blank = || (String::new(), Role::Muted);
    let Some(statement) = &report.look.value else {
        let text = match (&report.reading, &report.look.failure) {
            (Some(reading), _) => format!("reading: {}", read_so_far(ink, reading)),
            (None, Some(failure)) => ink.failed(failure),
            (None, None) => "looking...".to_owned(),
        };
        return vec![letter, title, blank(), blank(), blank(), (text, Role::Unknown)];
    };
    let note = ink.trouble(&report.look).map_or_else(|| (matched(statement), Role::Muted), |trouble| (trouble, Role::Unknown));
    let note = match &report.reading {
        Some(reading) => (format!("{}; reading again: {}", note.0, read_so_far(ink, reading)), note.1),
        None => note,
    };
    let Some(totals) = statement.totals.first() else {
        let is_calm = note.1 == Role::Muted && report.reading.is_none();
        let none = if is_calm { ("no rows on either side".to_owned(), Role::Muted) } else { note };
        return vec![letter, title, blank(), blank(), blank(), none];
    };
    let more = statement.totals.len() - 1;
    let note = if more > 0 { (format!("{} (+{more} currencies)", note.0), note.1) } else { note };
    let difference = if totals.difference.minor == 0 { Role::Muted } else { Role::Warning };
    vec![
        letter,
        title,
        (totals.theirs.to_string(), Role::Money),
        (totals.ours.to_string(), Role::Money),
        (signed(totals.difference), difference),
        note,
    ]
}

/// `1,412,000 rows, 25,000/s`: of both sides together.
pub fn read_so_far(ink: &Ink<'_>, reading: &ReadSoFar) -> String {
    let rows = reading.theirs + reading.ours;
    let seconds = (ink.model.now - reading.since).num_milliseconds() as f64 / 1000.0;
    let count = |number: f64| figure::quantity(number.round(), "");
    let said = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", count(rows as f64)) };
    if rows == 0 || seconds < 1.0 { said } else { format!("{said}, {}/s", count(rows as f64 / seconds)) }
}

/// How many rows found their partner, or how many did not.
fn matched(statement: &Statement) -> String {
    let flying: usize = in_class(statement, Class::InFlight);
    let count = (statement.discrepancies.len() + statement.unlisted).saturating_sub(flying);
    let flying = if flying > 0 { format!(", {flying} in flight") } else { String::new() };
    if count == 0 { format!("{} matched{flying}", statement.matched) } else { format!("{count} unmatched{flying}") }
}

/// How many discrepancies are of a class; of those that are not listed, the totals tell.
fn in_class(statement: &Statement, class: Class) -> usize {
    if statement.unlisted == 0 {
        return statement.discrepancies.iter().filter(|discrepancy| discrepancy.class == class).count();
    }
    let counts = statement.totals.iter().flat_map(|totals| &totals.by_class);
    counts.filter(|(of, ..)| *of == class).map(|(_, count, _)| count).sum()
}

fn discrepancy(discrepancy: &Discrepancy) -> Vec<Cell> {
    let side = |entry: &Option<crate::domain::snapshot::Entry>| {
        entry.as_ref().map_or(("-".to_owned(), Role::Muted), |entry| (entry.amount.to_string(), Role::Text))
    };
    let difference: Vec<String> = discrepancy.difference.iter().map(|money| signed(*money)).collect();
    let role = if discrepancy.class == Class::InFlight { Role::Muted } else { Role::Warning };
    let repair = if discrepancy.proposal.is_some() { "a repairs: " } else { "" };
    vec![
        (String::new(), Role::Muted),
        (format!("- {}", discrepancy.class.said()), role),
        side(&discrepancy.theirs),
        side(&discrepancy.ours),
        (difference.join(" "), role),
        (format!("{repair}{}", discrepancy.said.one_line()), Role::Muted),
    ]
}
