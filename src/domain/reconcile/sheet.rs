//! Every row that a statement speaks of, with its class and its partner: what the statement is made of, for the archive.

use chrono::{DateTime, Utc};

use super::{
    book::{Book, Name},
    class::Finding,
    names::NONE,
    pair::Pairing,
};
use crate::domain::{money::Money, pack::Class, text::Text};

/// Of a row that only served as a partner, or not at all: it belongs to another window.
const BEYOND: u8 = u8::MAX;

/// The rows of both sides as they were compared, without the cells that nothing compares.
#[derive(Debug)]
pub struct Sheet {
    theirs: Side,
    ours: Side,
    classes: Classes,
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

/// The class of each row: of theirs, and of ours that are alone.
#[derive(Debug, Default)]
pub(super) struct Classes {
    theirs: Vec<u8>,
    ours: Vec<u8>,
}

impl Classes {
    pub(super) fn blank(theirs: usize, ours: usize) -> Self {
        Self { theirs: vec![BEYOND; theirs], ours: vec![BEYOND; ours] }
    }

    /// Of a stretch of rows whose first ones have these places.
    pub(super) fn note(&mut self, finding: &Finding, first: [usize; 2]) {
        let (classes, index) = if finding.theirs == NONE {
            (&mut self.ours, finding.ours as usize - first[1])
        } else {
            (&mut self.theirs, finding.theirs as usize - first[0])
        };
        if let Some(class) = classes.get_mut(index) {
            *class = finding.class as u8;
        }
    }

    pub(super) fn and(&mut self, next: Self) {
        self.theirs.extend(next.theirs);
        self.ours.extend(next.ours);
    }
}

impl Sheet {
    pub(super) fn of(mut theirs: Book, mut ours: Book, pairing: Pairing, classes: Classes) -> Self {
        theirs.forget_cells();
        ours.forget_cells();
        let (theirs, ours) = (Side { book: theirs, partners: pairing.theirs }, Side { book: ours, partners: pairing.ours });
        Self { theirs, ours, classes }
    }

    /// The rows of the window and their partners, theirs first, each side from the earliest on.
    pub fn rows(&self) -> impl Iterator<Item = SheetRow<'_>> {
        self.side(true).chain(self.side(false))
    }

    /// A pair has the class of their row.
    fn class(&self, is_theirs: bool, index: u32) -> Option<Class> {
        let partner = if is_theirs { NONE } else { self.ours.partners[index as usize] };
        let class = match (is_theirs, partner) {
            (true, _) => self.classes.theirs[index as usize],
            (false, NONE) => self.classes.ours[index as usize],
            (false, partner) => self.classes.theirs[partner as usize],
        };
        Class::ALL.get(usize::from(class)).copied()
    }

    fn side(&self, is_theirs: bool) -> impl Iterator<Item = SheetRow<'_>> {
        let (side, other) = if is_theirs { (&self.theirs, &self.ours) } else { (&self.ours, &self.theirs) };
        let mut order: Vec<u32> = (0..side.book.len() as u32).filter(|index| self.class(is_theirs, *index).is_some()).collect();
        order.sort_unstable_by(|a, b| side.book.order(*a, *b));
        order.into_iter().filter_map(move |index| {
            let line = side.book.line(index);
            let partner = side.partners.get(index as usize).copied().filter(|partner| *partner != NONE);
            Some(SheetRow {
                is_theirs,
                class: self.class(is_theirs, index)?,
                key: side.book.key(index),
                link: side.book.text(Name::Link, index),
                amount: Money::new(line.minor, line.currency),
                refunded: Money::new(line.refunded, line.currency),
                at: line.at,
                status: side.book.status(index).map(Text::original),
                settled: line.settled,
                partner: partner.map(|partner| other.book.key(partner)),
            })
        })
    }
}
