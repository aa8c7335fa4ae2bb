//! Two ledgers paired row by row: every row in exactly one class, and the classes add up to the difference, always.
//!
//! Money is net of refunds and only of settled rows. Gross amounts and refunds are compared apart, so that a charge that
//! went back in full is no missing charge. What comes out never depends on the order in which the rows came in.

mod book;
mod cell;
mod cells;
mod class;
mod entry;
mod gist;
mod hashes;
mod heap;
mod join;
mod names;
mod pair;
mod sheet;
mod statement;
mod totals;

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

pub use book::Book;
pub use cell::Cell;
pub use gist::Gist;
pub use sheet::{Sheet, SheetRow};
pub use statement::{MOST_LISTED, proposal_row, severity};

use super::{
    pack::{Class, Reconciliation},
    snapshot::Statement,
};
use class::{Finding, Judge, Side};
use names::NONE;
use pair::Pairing;
use totals::Sums;

/// How long after the fact the other side may still be told (a webhook is tried again for three days).
const LATE_NEWS: TimeDelta = TimeDelta::days(3);

/// What to read of both ledgers for the window `[from, to)`: a row at its edge has its partner beyond it.
pub fn reach(reconciliation: &Reconciliation, from: DateTime<Utc>, to: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let settle = TimeDelta::from_std(reconciliation.settle).unwrap_or(LATE_NEWS);
    let margin = LATE_NEWS.max(settle).max(tolerance(reconciliation));
    (from.checked_sub_signed(margin).unwrap_or(from), to.checked_add_signed(margin).unwrap_or(to))
}

fn tolerance(reconciliation: &Reconciliation) -> TimeDelta {
    TimeDelta::from_std(reconciliation.tolerance).unwrap_or(LATE_NEWS)
}

/// Both books and how their rows pair.
struct Judged<'a> {
    theirs: &'a Book,
    ours: &'a Book,
    pairing: &'a Pairing,
    tolerance: TimeDelta,
}

/// Pairs, classifies and adds up. Rows outside `[from, to)` only serve as partners: a pair belongs to the window that
/// their row falls in, a row alone to the one that it falls in itself.
pub fn reconcile(
    reconciliation: &Reconciliation,
    theirs: Book,
    ours: Book,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> (Statement, Sheet) {
    let tolerance = tolerance(reconciliation);
    let size = theirs.len() + ours.len();
    let pairing = Pairing::of(&theirs, &ours, tolerance);
    let sides = [Side { book: &theirs, partners: &pairing.theirs }, Side { book: &ours, partners: &pairing.ours }];
    let repeated = join::at_once(2, size, |side| class::repeated(sides[side], sides[1 - side]));
    let settle = TimeDelta::from_std(reconciliation.settle).unwrap_or(TimeDelta::MAX);
    let judge = Judge { theirs: &theirs, ours: &ours, pairing: &pairing, tolerance, settle, now };
    let tallies = join::at_once(join::PIECES, size, |piece| {
        let (of_theirs, of_ours) = (join::share(theirs.len(), piece), join::share(ours.len(), piece));
        let mut tally = Tally::of(of_theirs.clone(), of_ours.clone());
        judge.each(of_theirs, of_ours, &repeated, |finding| {
            let at = if finding.theirs == NONE { ours.line(finding.ours).at } else { theirs.line(finding.theirs).at };
            if from <= at && at < to {
                tally.add(&theirs, &ours, finding);
            }
        });
        tally
    });
    let mut whole = Tally::default();
    for tally in tallies {
        whole.and(tally);
    }
    let Tally { sums, open, matched, classes, .. } = whole;
    let judged = Judged { theirs: &theirs, ours: &ours, pairing: &pairing, tolerance };
    let statement = statement::draw_up(reconciliation, &judged, sums, open, matched, (from, to), now);
    (statement, Sheet::of(theirs, ours, pairing, classes))
}

/// What a stretch of rows came to.
#[derive(Default)]
struct Tally {
    sums: Sums,
    open: Vec<Finding>,
    matched: usize,
    classes: sheet::Classes,
    /// Where the stretch begins, of theirs and of ours.
    first: [usize; 2],
}

impl Tally {
    fn of(theirs: Range<usize>, ours: Range<usize>) -> Self {
        let classes = sheet::Classes::blank(theirs.len(), ours.len());
        Self { classes, first: [theirs.start, ours.start], ..Self::default() }
    }

    fn add(&mut self, theirs: &Book, ours: &Book, finding: Finding) {
        self.sums.add(theirs, ours, &finding);
        self.classes.note(&finding, self.first);
        if finding.class == Class::Matched {
            self.matched += 1;
        } else {
            self.open.push(finding);
        }
    }

    /// The stretch that follows.
    fn and(&mut self, next: Self) {
        self.sums.and(next.sums);
        self.open.extend(next.open);
        self.matched += next.matched;
        self.classes.and(next.classes);
    }
}

#[cfg(test)]
mod plain;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worlds;
