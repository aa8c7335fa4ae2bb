//! The findings as a statement: totals by currency and class, and each discrepancy in a sentence with what would repair it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Judged,
    book::Book,
    class::Finding,
    join,
    names::NONE,
    totals::{Sums, difference, money},
};

use crate::domain::{
    age,
    pack::{Class, Reconciliation},
    rows::Params,
    severity::Severity,
    snapshot::{Discrepancy, Entry, Statement},
    text::{Text, counted},
    value::Value,
};

/// So many discrepancies are listed one by one; with more of them something else is wrong, and the totals tell of all.
pub const MOST_LISTED: usize = 10_000;
/// So many rows are told of that an ambiguous one could mean.
const MOST_CANDIDATES: usize = 12;

pub fn draw_up(
    reconciliation: &Reconciliation,
    judged: &Judged<'_>,
    sums: Sums,
    mut open: Vec<Finding>,
    matched: usize,
    window: (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Statement {
    let unlisted = open.len().saturating_sub(MOST_LISTED);
    let rank = |finding: &Finding| (finding.class == Class::InFlight, oldest(judged, finding));
    if unlisted > 0 {
        // What differs comes before what is still on its way: a statement that differs never looks even.
        open.select_nth_unstable_by(MOST_LISTED, |a, b| rank(a).cmp(&rank(b)).then_with(|| order(judged, a, b)));
        open.truncate(MOST_LISTED);
    }
    open.sort_unstable_by(|a, b| order(judged, a, b));
    let rows = judged.theirs.len() + judged.ours.len();
    let drawn_up = join::at_once(join::PIECES, rows, |piece| {
        let findings = open.get(join::share(open.len(), piece)).unwrap_or_default();
        findings.iter().map(|finding| discrepancy(reconciliation, judged, finding, now)).collect::<Vec<_>>()
    });
    let mut discrepancies: Vec<Discrepancy> = drawn_up.into_iter().flatten().collect();
    told_apart(&mut discrepancies);
    Statement {
        from: window.0,
        to: window.1,
        theirs_title: judged.theirs.title.clone(),
        ours_title: judged.ours.title.clone(),
        totals: sums.totals(),
        matched,
        discrepancies,
        unlisted,
    }
}

/// The earliest of its rows.
fn oldest(judged: &Judged<'_>, finding: &Finding) -> Option<DateTime<Utc>> {
    let at = |book: &Book, index: u32| (index != NONE).then(|| book.line(index).at);
    at(judged.theirs, finding.theirs).into_iter().chain(at(judged.ours, finding.ours)).min()
}

/// By age, then by what names it, then by all that its rows say.
fn order(judged: &Judged<'_>, a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let key = |book: &'_ Book, index: u32| if index == NONE { "-".to_owned() } else { book.key(index).to_owned() };
    let rows = |book: &Book, one: u32, other: u32| match (one, other) {
        (NONE, _) | (_, NONE) => one.cmp(&other),
        (one, other) => book.order(one, other),
    };
    (oldest(judged, a).cmp(&oldest(judged, b)))
        .then_with(|| a.class.word().cmp(b.class.word()))
        .then_with(|| key(judged.theirs, a.theirs).cmp(&key(judged.theirs, b.theirs)))
        .then_with(|| key(judged.ours, a.ours).cmp(&key(judged.ours, b.ours)))
        .then_with(|| rows(judged.theirs, a.theirs, b.theirs))
        .then_with(|| rows(judged.ours, a.ours, b.ours))
}

fn discrepancy(reconciliation: &Reconciliation, judged: &Judged<'_>, finding: &Finding, now: DateTime<Utc>) -> Discrepancy {
    let entry = |book: &Book, index: u32| (index != NONE).then(|| book.entry(index));
    let told = Told {
        class: finding.class,
        theirs: entry(judged.theirs, finding.theirs),
        ours: entry(judged.ours, finding.ours),
        titles: (&judged.theirs.title, &judged.ours.title),
    };
    let (candidates, more_candidates) = candidates(judged, finding);
    let id = |entry: Option<&Entry>| entry.map_or("-", |entry| entry.key.as_str()).to_owned();
    let key = format!("{}:{}:{}", finding.class.word(), id(told.theirs.as_ref()), id(told.ours.as_ref()));
    let said = Text::new(told.sentence(reconciliation.settle, candidates.len() + more_candidates, now));
    let difference = difference(judged.theirs, judged.ours, finding).into_iter().flatten();
    Discrepancy {
        key,
        class: finding.class,
        difference: difference.map(|(currency, minor)| money(minor, currency)).collect(),
        said,
        proposal: reconciliation.proposal(finding.class, finding.theirs != NONE).cloned(),
        theirs: told.theirs,
        ours: told.ours,
        candidates,
        more_candidates,
    }
}

/// The same id a third time must still have a name of its own.
fn told_apart(discrepancies: &mut [Discrepancy]) {
    let mut keys: HashMap<String, usize> = HashMap::with_capacity(discrepancies.len());
    for one in discrepancies {
        let count = keys.entry(one.key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            one.key = format!("{}#{count}", one.key);
        }
    }
}

/// The rows of the other side that could be meant, and how many more there are.
fn candidates(judged: &Judged<'_>, finding: &Finding) -> (Vec<Entry>, usize) {
    if finding.class != Class::Ambiguous {
        return (Vec::new(), 0);
    }
    let (book, rows) = if finding.theirs == NONE {
        (judged.theirs, judged.pairing.candidates_of_ours(judged.ours, finding.ours, judged.theirs, judged.tolerance))
    } else {
        (judged.ours, judged.pairing.candidates_of_theirs(judged.theirs, finding.theirs, judged.ours, judged.tolerance))
    };
    let listed = rows.iter().take(MOST_CANDIDATES).map(|index| book.entry(*index)).collect();
    (listed, rows.len().saturating_sub(MOST_CANDIDATES))
}

struct Told<'a> {
    class: Class,
    theirs: Option<Entry>,
    ours: Option<Entry>,
    titles: (&'a str, &'a str),
}

impl Told<'_> {
    fn sentence(&self, settle: std::time::Duration, candidates: usize, now: DateTime<Utc>) -> String {
        let (theirs, ours) = self.titles;
        let (of_theirs, of_ours) = (self.theirs.as_ref(), self.ours.as_ref());
        let amount = |entry: Option<&Entry>| entry.map_or_else(String::new, |entry| entry.amount.to_string());
        let refunded = |entry: Option<&Entry>| entry.map_or_else(String::new, |entry| entry.refunded.to_string());
        let status = |entry: Option<&Entry>| {
            let status = entry.and_then(|entry| entry.status.as_ref());
            status.map_or_else(|| "nothing".to_owned(), |status| status.original().to_owned())
        };
        // Where it stands, and where it is looked for.
        let (here, there, entry) = if of_theirs.is_some() { (theirs, ours, of_theirs) } else { (ours, theirs, of_ours) };
        match self.class {
            Class::Matched => format!("{} on both sides", amount(entry)),
            Class::MissingHere | Class::MissingThere => format!("{} in {here}, not in {there}", amount(entry)),
            Class::Amount | Class::Currency => format!("{} in {theirs}, {} in {ours}", amount(of_theirs), amount(of_ours)),
            Class::Status => format!("{theirs} says {}, {ours} says {}", status(of_theirs), status(of_ours)),
            Class::Duplicate => format!("{} once more in {here}", amount(entry)),
            Class::RefundDrift => {
                format!("{theirs} gave back {}, {ours} {}", refunded(of_theirs), refunded(of_ours))
            }
            // One candidate alone may itself be another row's as well: it is still no pair.
            Class::Ambiguous if candidates == 1 => {
                format!("{} in {here} could be a row of {there} that others could be as well", amount(entry))
            }
            Class::Ambiguous => {
                format!("{} in {here} could be any of {} of {there}", amount(entry), counted(candidates as u64, "row"))
            }
            Class::InFlight => {
                let age = entry.map_or_else(String::new, |entry| age::age(entry.at, now));
                let settle = age::span(TimeDelta::from_std(settle).unwrap_or(TimeDelta::MAX));
                let amount = amount(entry);
                if of_theirs.is_some() && of_ours.is_some() {
                    format!("{amount} still under way: {age} old, given {settle}")
                } else {
                    format!("{amount} in {here}, not in {there} yet: {age} old, given {settle}")
                }
            }
        }
    }
}

/// What is in flight is expected; everything else wants a look.
pub fn severity(statement: &Statement) -> Severity {
    if statement.is_even() { Severity::Green } else { Severity::Yellow }
}

/// The row that a proposed action works on: `their_` and `our_` columns, and `difference` where it is one amount.
pub fn proposal_row(discrepancy: &Discrepancy) -> Params {
    let mut row = Params::new();
    for (prefix, entry) in [("their", &discrepancy.theirs), ("our", &discrepancy.ours)] {
        let cells = entry.iter().flat_map(|entry| entry.row.cells());
        row.extend(cells.map(|(name, value)| (format!("{prefix}_{name}"), value.clone())));
    }
    let difference = match discrepancy.difference.as_slice() {
        [one] => Value::Money(*one),
        _ => Value::Null,
    };
    row.insert("difference".to_owned(), difference);
    row
}
