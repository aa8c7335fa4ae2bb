//! Every row that a statement speaks of, with its class and its partner: what the statement is made of, for the archive.

use chrono::{DateTime, Utc};

use super::{book::Book, class::Finding, names::NONE, pair::Pairing};
use crate::domain::{money::Money, pack::Class};

/// Of a row that only served as a partner, or not at all: it belongs to another window.
const BEYOND: u8 = u8::MAX;

/// The rows of both sides as they were compared, without the cells that nothing compares.
#[derive(Debug)]
pub struct Sheet {
    theirs: Option<Side>,
    ours: Option<Side>,
    classes: (Vec<u8>, Vec<u8>),
}

#[derive(Debug)]
struct Side {
    book: Book,
    partners: Vec<u32>,
}

/// One row of either side.
#[derive(Clone, Debug, PartialEq)]
pub struct SheetRow<'a> {
    pub is_theirs: bool,
    pub class: Class,
    pub key: &'a str,
    pub link: Option<&'a str>,
    pub amount: Money,
    pub refunded: Money,
    pub at: DateTime<Utc>,
    pub status: Option<&'a str>,
    pub settled: bool,
    /// The id of the row of the other side that it was paired with.
    pub partner: Option<&'a str>,
}

impl Sheet {
    pub(super) fn blank(theirs: usize, ours: usize) -> Self {
        Self { theirs: None, ours: None, classes: (vec![BEYOND; theirs], vec![BEYOND; ours]) }
    }

    pub(super) fn note(&mut self, finding: &Finding) {
        let class = finding.class as u8;
        for (classes, index) in [(&mut self.classes.0, finding.theirs), (&mut self.classes.1, finding.ours)] {
            if let Some(place) = classes.get_mut(index as usize) {
                *place = class;
            }
        }
    }

    pub(super) fn filled(mut self, mut theirs: Book, mut ours: Book, pairing: Pairing) -> Self {
        theirs.forget_cells();
        ours.forget_cells();
        self.theirs = Some(Side { book: theirs, partners: pairing.theirs });
        self.ours = Some(Side { book: ours, partners: pairing.ours });
        self
    }

    /// The rows of the window and their partners, theirs first, each side from the earliest on.
    pub fn rows(&self) -> impl Iterator<Item = SheetRow<'_>> {
        let theirs = rows(self.theirs.as_ref(), self.ours.as_ref(), &self.classes.0, true);
        theirs.chain(rows(self.ours.as_ref(), self.theirs.as_ref(), &self.classes.1, false))
    }
}

fn rows<'a>(
    side: Option<&'a Side>,
    other: Option<&'a Side>,
    classes: &'a [u8],
    is_theirs: bool,
) -> impl Iterator<Item = SheetRow<'a>> {
    let both = side.zip(other);
    let mut order: Vec<u32> = (0..classes.len() as u32).filter(|index| classes[*index as usize] != BEYOND).collect();
    if let Some((side, _)) = both {
        order.sort_unstable_by(|a, b| side.book.order(*a, *b));
    }
    order.into_iter().filter_map(move |index| {
        let (side, other) = both?;
        let line = side.book.line(index);
        let partner = side.partners.get(index as usize).copied().filter(|partner| *partner != NONE);
        Some(SheetRow {
            is_theirs,
            class: Class::ALL.get(usize::from(classes[index as usize])).copied()?,
            key: side.book.key(index),
            link: side.book.text(super::book::Name::Link, index),
            amount: Money::new(line.minor, line.currency),
            refunded: Money::new(line.refunded, line.currency),
            at: line.at,
            status: side.book.status(index).map(crate::domain::text::Text::original),
            settled: line.settled,
            partner: partner.map(|partner| other.book.key(partner)),
        })
    })
}
