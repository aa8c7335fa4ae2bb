//! The findings as a statement: totals by currency and class, and each discrepancy in a sentence with what would repair it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::class::Finding;

use crate::domain::{
    age,
    money::{Currency, Money},
    pack::{Class, Reconciliation},
    rows::Params,
    severity::Severity,
    snapshot::{Discrepancy, Entry, Statement, Totals},
    text::Text,
    value::Value,
};

/// What of an entry counts: net of refunds, nothing where it is not settled. Wide, so that no sum can overflow.
fn net(entry: Option<&Entry>) -> i128 {
    entry.filter(|entry| entry.settled).map_or(0, |entry| i128::from(entry.amount.minor) - i128::from(entry.refunded.minor))
}

fn money(minor: i128, currency: Currency) -> Money {
    let minor = i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX });
    Money::new(minor, currency)
}

/// `theirs - ours` in each currency that the finding touches.
fn difference(finding: &Finding<'_>) -> Vec<(Currency, i128)> {
    let theirs = finding.theirs.map(|entry| (entry.amount.currency, net(Some(entry))));
    let ours = finding.ours.map(|entry| (entry.amount.currency, -net(Some(entry))));
    match (theirs, ours) {
        (Some((one, plus)), Some((other, minus))) if one == other => vec![(one, plus + minus)],
        (theirs, ours) => theirs.into_iter().chain(ours).collect(),
    }
}

#[derive(Default)]
struct Sum {
    theirs: i128,
    theirs_rows: usize,
    ours: i128,
    ours_rows: usize,
    classes: BTreeMap<Class, (usize, i128)>,
}

pub fn draw_up(
    reconciliation: &Reconciliation,
    titles: (&str, &str),
    findings: &[Finding<'_>],
    window: (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Statement {
    let mut keys: HashMap<String, usize> = HashMap::new();
    let mut discrepancies: Vec<Discrepancy> = findings
        .iter()
        .filter(|finding| finding.class != Class::Matched)
        .map(|finding| discrepancy(reconciliation, titles, finding, &mut keys, now))
        .collect();
    discrepancies.sort_by(|a, b| (oldest(a), &a.key).cmp(&(oldest(b), &b.key)));
    Statement {
        from: window.0,
        to: window.1,
        theirs_title: titles.0.to_owned(),
        ours_title: titles.1.to_owned(),
        totals: totals(findings),
        matched: findings.len() - discrepancies.len(),
        discrepancies,
    }
}

/// Rows are counted where they count: settled.
fn totals(findings: &[Finding<'_>]) -> Vec<Totals> {
    let mut sums: BTreeMap<&'static str, (Currency, Sum)> = BTreeMap::new();
    for finding in findings {
        for (currency, minor) in difference(finding) {
            let (_, sum) = sums.entry(currency.code()).or_insert_with(|| (currency, Sum::default()));
            let (count, total) = sum.classes.entry(finding.class).or_default();
            (*count, *total) = (*count + 1, *total + minor);
            if let Some(entry) = finding.theirs.filter(|entry| entry.settled && entry.amount.currency == currency) {
                (sum.theirs, sum.theirs_rows) = (sum.theirs + net(Some(entry)), sum.theirs_rows + 1);
            }
            if let Some(entry) = finding.ours.filter(|entry| entry.settled && entry.amount.currency == currency) {
                (sum.ours, sum.ours_rows) = (sum.ours + net(Some(entry)), sum.ours_rows + 1);
            }
        }
    }
    let total = |(currency, sum): (Currency, Sum)| Totals {
        theirs: money(sum.theirs, currency),
        theirs_rows: sum.theirs_rows,
        ours: money(sum.ours, currency),
        ours_rows: sum.ours_rows,
        difference: money(sum.theirs - sum.ours, currency),
        by_class: sum.classes.into_iter().map(|(class, (count, minor))| (class, count, money(minor, currency))).collect(),
    };
    sums.into_values().map(total).collect()
}

fn oldest(discrepancy: &Discrepancy) -> Option<DateTime<Utc>> {
    [&discrepancy.theirs, &discrepancy.ours].into_iter().flatten().map(|entry| entry.at).min()
}

fn discrepancy(
    reconciliation: &Reconciliation,
    titles: (&str, &str),
    finding: &Finding<'_>,
    keys: &mut HashMap<String, usize>,
    now: DateTime<Utc>,
) -> Discrepancy {
    let id = |entry: Option<&Entry>| entry.map_or("-", |entry| entry.key.as_str()).to_owned();
    let mut key = format!("{}:{}:{}", finding.class.word(), id(finding.theirs), id(finding.ours));
    // The same id a third time must still have a name of its own.
    let count = keys.entry(key.clone()).or_default();
    *count += 1;
    if *count > 1 {
        key = format!("{key}#{count}");
    }
    Discrepancy {
        key,
        class: finding.class,
        theirs: finding.theirs.cloned(),
        ours: finding.ours.cloned(),
        difference: difference(finding).into_iter().map(|(currency, minor)| money(minor, currency)).collect(),
        said: Text::new(sentence(titles, finding, reconciliation.settle, now)),
        proposal: reconciliation.proposals.get(&finding.class).cloned(),
    }
}

fn sentence((theirs, ours): (&str, &str), finding: &Finding<'_>, settle: std::time::Duration, now: DateTime<Utc>) -> String {
    let amount = |entry: Option<&Entry>| entry.map_or_else(String::new, |entry| entry.amount.to_string());
    let refunded = |entry: Option<&Entry>| entry.map_or_else(String::new, |entry| entry.refunded.to_string());
    let status = |entry: Option<&Entry>| {
        let status = entry.and_then(|entry| entry.status.as_ref());
        status.map_or_else(|| "nothing".to_owned(), |status| status.original().to_owned())
    };
    // Where it stands, and where it is looked for.
    let (here, there, entry) =
        if finding.theirs.is_some() { (theirs, ours, finding.theirs) } else { (ours, theirs, finding.ours) };
    match finding.class {
        Class::Matched => format!("{} on both sides", amount(entry)),
        Class::MissingHere | Class::MissingThere => format!("{} in {here}, not in {there}", amount(entry)),
        Class::Amount | Class::Currency => {
            format!("{} in {theirs}, {} in {ours}", amount(finding.theirs), amount(finding.ours))
        }
        Class::Status => format!("{theirs} says {}, {ours} says {}", status(finding.theirs), status(finding.ours)),
        Class::Duplicate => format!("{} once more in {here}", amount(entry)),
        Class::RefundDrift => {
            format!("{theirs} gave back {}, {ours} {}", refunded(finding.theirs), refunded(finding.ours))
        }
        Class::InFlight => {
            let age = entry.map_or_else(String::new, |entry| age::age(entry.at, now));
            let settle = age::span(TimeDelta::from_std(settle).unwrap_or(TimeDelta::MAX));
            let amount = amount(entry);
            if finding.theirs.is_some() && finding.ours.is_some() {
                format!("{amount} still under way: {age} old, given {settle}")
            } else {
                format!("{amount} in {here}, not in {there} yet: {age} old, given {settle}")
            }
        }
    }
}

/// What is in flight is expected; everything else wants a look.
pub fn severity(statement: &Statement) -> Severity {
    if statement.discrepancies.iter().all(|discrepancy| discrepancy.class == Class::InFlight) {
        Severity::Green
    } else {
        Severity::Yellow
    }
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
