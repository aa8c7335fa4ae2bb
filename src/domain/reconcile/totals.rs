//! Both sides and each class added up, by currency. Wide sums, so that none can overflow.

use super::{
    book::{Book, Line},
    class::Finding,
    names::NONE,
};
use crate::domain::{
    money::{Currency, Money},
    pack::Class,
    snapshot::Totals,
};

/// What of a row counts: net of refunds, nothing where it is not settled.
fn net(line: &Line) -> i128 {
    if line.settled { i128::from(line.minor) - i128::from(line.refunded) } else { 0 }
}

pub fn money(minor: i128, currency: Currency) -> Money {
    let minor = i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX });
    Money::new(minor, currency)
}

/// `theirs - ours` in each currency that the finding touches: one, or two where they differ.
pub fn difference(theirs: &Book, ours: &Book, finding: &Finding) -> [Option<(Currency, i128)>; 2] {
    let one = line(theirs, finding.theirs).map(|line| (line.currency, net(line)));
    let other = line(ours, finding.ours).map(|line| (line.currency, -net(line)));
    match (one, other) {
        (Some((currency, plus)), Some((same, minus))) if currency == same => [Some((currency, plus + minus)), None],
        (one, other) => [one, other],
    }
}

fn line(book: &Book, index: u32) -> Option<&Line> {
    if index == NONE { None } else { Some(book.line(index)) }
}

#[derive(Default)]
struct Sum {
    theirs: i128,
    theirs_rows: usize,
    ours: i128,
    ours_rows: usize,
    classes: [(usize, i128); Class::ALL.len()],
}

/// Sums by currency; there are few, so they are looked for one by one.
#[derive(Default)]
pub struct Sums(Vec<(Currency, Sum)>);

impl Sums {
    pub fn add(&mut self, theirs: &Book, ours: &Book, finding: &Finding) {
        let (one, other) = (line(theirs, finding.theirs), line(ours, finding.ours));
        for (currency, minor) in difference(theirs, ours, finding).into_iter().flatten() {
            let sum = self.of(currency);
            let (count, total) = &mut sum.classes[finding.class as usize];
            (*count, *total) = (*count + 1, *total + minor);
            // Rows are counted where they count: settled.
            if let Some(line) = one.filter(|line| line.settled && line.currency == currency) {
                (sum.theirs, sum.theirs_rows) = (sum.theirs + net(line), sum.theirs_rows + 1);
            }
            if let Some(line) = other.filter(|line| line.settled && line.currency == currency) {
                (sum.ours, sum.ours_rows) = (sum.ours + net(line), sum.ours_rows + 1);
            }
        }
    }

    pub fn and(&mut self, other: Self) {
        for (currency, more) in other.0 {
            let sum = self.of(currency);
            (sum.theirs, sum.theirs_rows) = (sum.theirs + more.theirs, sum.theirs_rows + more.theirs_rows);
            (sum.ours, sum.ours_rows) = (sum.ours + more.ours, sum.ours_rows + more.ours_rows);
            for ((count, total), (more, minor)) in sum.classes.iter_mut().zip(more.classes) {
                (*count, *total) = (*count + more, *total + minor);
            }
        }
    }

    fn of(&mut self, currency: Currency) -> &mut Sum {
        let known = self.0.iter().position(|(known, _)| *known == currency);
        let index = known.unwrap_or_else(|| {
            self.0.push((currency, Sum::default()));
            self.0.len() - 1
        });
        &mut self.0[index].1
    }

    pub fn totals(mut self) -> Vec<Totals> {
        self.0.sort_unstable_by_key(|(currency, _)| currency.code());
        let total = |(currency, sum): (Currency, Sum)| Totals {
            theirs: money(sum.theirs, currency),
            theirs_rows: sum.theirs_rows,
            ours: money(sum.ours, currency),
            ours_rows: sum.ours_rows,
            difference: money(sum.theirs - sum.ours, currency),
            by_class: Class::ALL
                .into_iter()
                .zip(sum.classes)
                .filter(|(_, (count, _))| *count > 0)
                .map(|(class, (count, minor))| (class, count, money(minor, currency)))
                .collect(),
        };
        self.0.into_iter().map(total).collect()
    }
}
