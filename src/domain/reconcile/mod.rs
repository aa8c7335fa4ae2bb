//! Two ledgers paired row by row: every row in exactly one class, and the classes add up to the difference, always.
//!
//! Money is net of refunds and only of settled rows. Gross amounts and refunds are compared apart, so that a charge that
//! went back in full is no missing charge.

mod class;
mod entry;
mod pair;
mod statement;

use chrono::{DateTime, TimeDelta, Utc};

pub use entry::entries;
pub use statement::{proposal_row, severity};

use super::{
    pack::Reconciliation,
    snapshot::{Entry, Statement},
};
use class::Judge;
use pair::Pairing;

/// How long after the fact the other side may still be told (a webhook is tried again for three days).
const LATE_NEWS: TimeDelta = TimeDelta::days(3);

/// One ledger's rows, and what it is called.
#[derive(Clone, Debug)]
pub struct Side {
    pub title: String,
    pub entries: Vec<Entry>,
}

/// What to read of both ledgers for the window `[from, to)`: a row at its edge has its partner beyond it.
pub fn reach(reconciliation: &Reconciliation, from: DateTime<Utc>, to: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let settle = TimeDelta::from_std(reconciliation.settle).unwrap_or(LATE_NEWS);
    let margin = LATE_NEWS.max(settle).max(tolerance(reconciliation));
    (from.checked_sub_signed(margin).unwrap_or(from), to.checked_add_signed(margin).unwrap_or(to))
}

fn tolerance(reconciliation: &Reconciliation) -> TimeDelta {
    TimeDelta::from_std(reconciliation.tolerance).unwrap_or(LATE_NEWS)
}

/// Pairs, classifies and adds up. Rows outside `[from, to)` only serve as partners: a pair belongs to the window that
/// their row falls in, a row alone to the one that it falls in itself.
pub fn reconcile(
    reconciliation: &Reconciliation,
    mut theirs: Side,
    mut ours: Side,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Statement {
    for side in [&mut theirs, &mut ours] {
        side.entries.sort_by(|a, b| (a.at, &a.key, a.amount.minor).cmp(&(b.at, &b.key, b.amount.minor)));
    }
    let pairing = Pairing::of(&theirs.entries, &ours.entries, tolerance(reconciliation));
    let settle = TimeDelta::from_std(reconciliation.settle).unwrap_or(TimeDelta::MAX);
    let judge = Judge { theirs: &theirs.entries, ours: &ours.entries, settle, now };
    let within = |entry: Option<&Entry>| entry.is_some_and(|entry| (from..to).contains(&entry.at));
    let findings =
        judge.findings(&pairing).into_iter().filter(|finding| within(finding.theirs.or(finding.ours))).collect::<Vec<_>>();
    statement::draw_up(reconciliation, (&theirs.title, &ours.title), &findings, (from, to), now)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod worlds;
