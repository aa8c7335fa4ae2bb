//! What the pages of a reconciliation and of one discrepancy say.

use super::alert::history;
use crate::{
    domain::{
        figure,
        id::Id,
        pack::{self, Action, Class, Reconciliation},
        reconcile,
        snapshot::{Discrepancy, Entry, ReconciliationReport, Statement, Subject},
    },
    ui::{
        theme::Role,
        view::{
            page::{Extent, Paper},
            reconciliation::{read_so_far, signed},
        },
    },
};

fn report<'a>(paper: &Paper<'a>, id: &Id<Reconciliation>) -> Option<&'a ReconciliationReport> {
    let snapshot = paper.ink.model.snapshot.as_ref()?;
    snapshot.reconciliations.iter().find(|report| report.id == *id).map(AsRef::as_ref)
}

const UNSIGNED: &str = "Never signed off; O signs it off";

pub fn statement(paper: &mut Paper<'_>, id: &Id<Reconciliation>) {
    let ink = paper.ink;
    let Some(report) = report(paper, id) else { return };
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(reading) = &report.reading {
        let since = format!("{}, since {}", read_so_far(&ink, reading), ink.clock(reading.since));
        paper.labelled("Reading", &since, Role::Text);
        let titles = report.look.value.as_ref();
        let titles = titles.map_or(["theirs", "ours"], |sides| [sides.theirs_title.as_str(), sides.ours_title.as_str()]);
        for (title, rows) in titles.iter().zip([reading.theirs, reading.ours]) {
            paper.labelled(title, &format!("{} rows so far", figure::quantity(rows as f64, "")), Role::Muted);
        }
    }
    if let Some(statement) = &report.look.value {
        paper.labelled("Window", &format!("{} to {}", ink.date(statement.from), ink.date(statement.to)), Role::Text);
        paper.labelled("Matched", &format!("{} rows", statement.matched), Role::Text);
        if paper.extent == Extent::Whole {
            totals(paper, statement);
        }
        if paper.extent == Extent::Whole && !statement.discrepancies.is_empty() {
            paper.head("What does not match, oldest first");
            for discrepancy in &statement.discrepancies {
                one_of(paper, discrepancy);
            }
            if statement.unlisted > 0 {
                paper.text(&format!("and {} more; the sums above tell of all", statement.unlisted), Role::Muted);
            }
        }
    }
    match &report.signed_off {
        Some(sign_off) => {
            paper.head("Signed off");
            paper.labelled("By", &format!("{} on {}", sign_off.operator, ink.date(sign_off.at)), Role::Text);
            if !sign_off.note.shown().is_empty() {
                paper.labelled("Note", sign_off.note.shown(), Role::Text);
            }
            if paper.extent == Extent::Whole {
                paper.labelled("SHA-256", &sign_off.hash, Role::Muted);
            }
        }
        None if paper.extent == Extent::Whole => paper.head(UNSIGNED),
        None => paper.text(UNSIGNED, Role::Muted),
    }
    // The row beside it has the difference: what makes it up is told where there is room for it.
    if let Some(statement) = report.look.value.as_ref().filter(|_| paper.extent == Extent::Aside) {
        paper.together(|paper| totals(paper, statement));
    }
    history(paper, &Subject::Reconciliation(id.clone()));
}

/// Both sides and the classes that make up their difference, for each currency.
fn totals(paper: &mut Paper<'_>, statement: &Statement) {
    for totals in &statement.totals {
        paper.head(totals.difference.currency.code());
        let side = |money: String, rows: usize| format!("{rows:>4} {}   {money:>14}", if rows == 1 { "row " } else { "rows" });
        paper.labelled(&statement.theirs_title, &side(totals.theirs.to_string(), totals.theirs_rows), Role::Money);
        paper.labelled(&statement.ours_title, &side(totals.ours.to_string(), totals.ours_rows), Role::Money);
        let role = if totals.difference.minor == 0 { Role::Good } else { Role::Warning };
        paper.labelled("difference", &format!("{:>9}   {:>14}", "", signed(totals.difference)), role);
        for (class, count, sum) in totals.by_class.iter().filter(|(_, count, _)| *count > 0) {
            let role = if *class == Class::Matched { Role::Muted } else { Role::Text };
            paper.labelled("", &format!("{}   {}", side(signed(*sum), *count), class.said()), role);
        }
    }
}

fn difference(discrepancy: &Discrepancy) -> String {
    let amounts: Vec<String> = discrepancy.difference.iter().map(|money| signed(*money)).collect();
    amounts.join(" ")
}

fn one_of(paper: &mut Paper<'_>, discrepancy: &Discrepancy) {
    let side = |entry: &Option<Entry>| entry.as_ref().map_or_else(|| "no row".to_owned(), |entry| entry.key.clone());
    let when =
        discrepancy.theirs.as_ref().or(discrepancy.ours.as_ref()).map_or_else(String::new, |entry| paper.ink.when(entry.at));
    let text = format!(
        "{}   {when}   {} | {}   {}",
        difference(discrepancy),
        side(&discrepancy.theirs),
        side(&discrepancy.ours),
        discrepancy.said.one_line()
    );
    let role = if discrepancy.class == Class::InFlight { Role::Muted } else { Role::Warning };
    paper.labelled(discrepancy.class.said(), &text, role);
}

pub fn discrepancy(paper: &mut Paper<'_>, id: &Id<Reconciliation>, key: &str) {
    let ink = paper.ink;
    let Some(discrepancy) = ink.model.discrepancy(id, key) else { return };
    let titles = report(paper, id).and_then(|report| report.look.value.as_ref());
    let titles = titles.map_or(["theirs", "ours"], |sides| [sides.theirs_title.as_str(), sides.ours_title.as_str()]);
    if paper.extent == Extent::Whole {
        paper.labelled("Class", discrepancy.class.said(), Role::Warning);
    }
    paper.labelled("What", discrepancy.said.shown(), Role::Text);
    paper.labelled("Difference", &difference(discrepancy), Role::Money);
    for (title, entry) in titles.iter().zip([&discrepancy.theirs, &discrepancy.ours]) {
        side(paper, title, entry.as_ref());
    }
    could_be(paper, discrepancy);
    match discrepancy.proposal.as_ref().and_then(|id| pack::find(&ink.model.pack.actions, id)) {
        Some(action) => proposal(paper, discrepancy, action),
        None => paper.labelled("Repair", "the pack proposes none", Role::Muted),
    }
    if paper.extent == Extent::Aside {
        return;
    }
    for (title, entry) in titles.iter().zip([&discrepancy.theirs, &discrepancy.ours]) {
        let Some(entry) = entry else { continue };
        paper.head(&format!("The row in {title}"));
        for (name, value) in entry.row.cells() {
            let (text, _, role) = ink.cell(value, pack::ColumnFormat::Plain);
            paper.labelled(name, &text, role);
        }
    }
}

/// The rows that an ambiguous one could be: which of them it is, nothing tells.
fn could_be(paper: &mut Paper<'_>, discrepancy: &Discrepancy) {
    for (at, entry) in discrepancy.candidates.iter().enumerate() {
        side(paper, if at == 0 { "Could be" } else { "" }, Some(entry));
    }
    if discrepancy.more_candidates > 0 {
        paper.labelled("", &format!("and {} more", discrepancy.more_candidates), Role::Muted);
    }
}

fn side(paper: &mut Paper<'_>, title: &str, entry: Option<&Entry>) {
    let Some(entry) = entry else {
        paper.labelled(title, "no row", Role::Muted);
        return;
    };
    let refunded = if entry.refunded.minor == 0 { String::new() } else { format!(", {} refunded", entry.refunded) };
    let status = entry.status.as_ref().map_or_else(String::new, |status| format!("   {}", status.one_line()));
    let when = paper.ink.date(entry.at);
    paper.labelled(title, &format!("{}   {}{refunded}   {when}{status}", entry.key, entry.amount), Role::Text);
}

/// The repair and each of its effects, over the row that it would work on.
fn proposal(paper: &mut Paper<'_>, discrepancy: &Discrepancy, action: &Action) {
    paper.labelled("Repair", &format!("a {} (asks first)", action.title), Role::Key);
    let row = reconcile::proposal_row(discrepancy);
    for (at, effect) in action.effects.iter().enumerate() {
        let said = effect.said.render_in(&row, paper.ink.zone()).unwrap_or_else(|_| effect.said.source().to_owned());
        paper.labelled("", &format!("{} {said}", at + 1), Role::Text);
    }
}
