//! Which class a pair, or a row that stayed alone, falls in.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    book::{Book, Line, Name},
    hashes::Sieve,
    join,
    names::{NONE, Names},
    pair::Pairing,
};

use crate::domain::pack::Class;

/// A pair or a single row with its class: every row of both sides is in exactly one. Rows by their places, or `NONE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    pub theirs: u32,
    pub ours: u32,
}

pub struct Judge<'a> {
    pub theirs: &'a Book,
    pub ours: &'a Book,
    pub pairing: &'a Pairing,
    pub tolerance: TimeDelta,
    /// Younger than this, a row may still find its partner.
    pub settle: TimeDelta,
    pub now: DateTime<Utc>,
}

impl Judge<'_> {
    /// Every pair of a stretch of theirs, and every row alone of it and of a stretch of ours, each once. `repeated` are
    /// those of either side.
    pub fn each(&self, theirs: Range<usize>, ours: Range<usize>, repeated: &[Vec<bool>], mut found: impl FnMut(Finding)) {
        let pairing = self.pairing;
        let is_repeated = |side: usize, index: usize| repeated.get(side).and_then(|side| side.get(index)) == Some(&true);
        let of_ours = |partner: &u32| self.ours.lines().get(*partner as usize).map_or(0, |line| u8::from(line.settled));
        for batch in join::batches(theirs) {
            join::ahead(pairing.theirs[batch.clone()].iter().map(of_ours));
            for index in batch {
                let (theirs, partner) = (index as u32, pairing.theirs[index]);
                let line = self.theirs.line(theirs);
                let class = if partner == NONE {
                    let candidates = || pairing.candidates_of_theirs(self.theirs, theirs, self.ours, self.tolerance);
                    self.single(line, is_repeated(0, index), Class::MissingHere, || !candidates().is_empty())
                } else {
                    self.pair(line, self.ours.line(partner))
                };
                found(Finding { class, theirs, ours: partner });
            }
        }
        for index in ours.filter(|index| pairing.ours[*index] == NONE) {
            let ours = index as u32;
            let candidates = || pairing.candidates_of_ours(self.ours, ours, self.theirs, self.tolerance);
            let could_be_another = || !candidates().is_empty();
            let class = self.single(self.ours.line(ours), is_repeated(1, index), Class::MissingThere, could_be_another);
            found(Finding { class, theirs: NONE, ours });
        }
    }

    fn is_young(&self, line: &Line) -> bool {
        self.now - line.at < self.settle
    }

    fn pair(&self, theirs: &Line, ours: &Line) -> Class {
        if theirs.settled != ours.settled {
            let waiting = if theirs.settled { ours } else { theirs };
            let is_expected = waiting.pending && (self.is_young(theirs) || self.is_young(ours));
            return if is_expected { Class::InFlight } else { Class::Status };
        }
        if !theirs.settled {
            return Class::Matched;
        }
        if theirs.currency != ours.currency {
            Class::Currency
        } else if theirs.minor != ours.minor {
            Class::Amount
        } else if theirs.refunded != ours.refunded {
            Class::RefundDrift
        } else {
            Class::Matched
        }
    }

    fn single(&self, line: &Line, is_repeated: bool, missing: Class, could_be_another: impl Fn() -> bool) -> Class {
        if !line.settled {
            // No money moved here, and the other side says the same by saying nothing.
            return if line.pending && self.is_young(line) { Class::InFlight } else { Class::Matched };
        }
        if is_repeated {
            // One that went back in full is repaired.
            if line.refunded == line.minor { Class::Matched } else { Class::Duplicate }
        } else if self.is_young(line) {
            Class::InFlight
        } else if could_be_another() {
            Class::Ambiguous
        } else {
            missing
        }
    }
}

/// One side as it is paired: its rows and their partners.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub book: &'a Book,
    pub partners: &'a [u32],
}

impl Side<'_> {
    /// The paired rows whose name may be among some, by its hash.
    fn paired<'a>(&'a self, name: Name, sieve: &'a Sieve) -> impl Iterator<Item = u32> {
        let both = self.book.hashes(name).iter().zip(self.partners).enumerate();
        both.filter(|(_, (hash, partner))| **partner != NONE && sieve.may_hold(**hash)).map(|(index, _)| index as u32)
    }
}

/// For each row of a side: is it alone, and does it tell once more of a payment that another settled row of its side
/// already tells of? By its own id, by the link that it shares, or by a link to a row that is taken. Empty where no
/// settled row is alone.
pub fn repeated(side: Side<'_>, other: Side<'_>) -> Vec<bool> {
    let Side { book, partners } = side;
    let places = partners.iter().zip(0_u32..).filter(|(partner, _)| **partner == NONE);
    let alone: Vec<u32> = places.map(|(_, index)| index).filter(|index| book.line(*index).settled).collect();
    if alone.is_empty() {
        return Vec::new();
    }
    let mut repeated = vec![false; book.len()];
    for name in [Name::Key, Name::Link] {
        let hashes = book.hashes(name);
        if hashes.is_empty() {
            continue;
        }
        let names = Names::of(alone.len(), |place| book.name(name, alone[place as usize]));
        if names.is_empty() {
            continue;
        }
        let sieve = Sieve::of(alone.iter().map(|index| hashes[*index as usize]));
        let mut is_told = vec![false; alone.len()];
        let mut told = |bytes: Option<&[u8]>| {
            if let Some(head) = bytes.and_then(|bytes| names.find(bytes)) {
                is_told[head as usize] = true;
            }
        };
        for index in side.paired(name, &sieve).filter(|index| book.line(*index).settled) {
            told(book.name(name, index));
        }
        if name == Name::Link {
            let is_settled = |index: &u32| book.line(other.partners[*index as usize]).settled;
            for index in other.paired(Name::Key, &sieve).filter(is_settled) {
                told(other.book.name(Name::Key, index));
            }
        }
        for place in 0..alone.len() as u32 {
            let Some(bytes) = book.name(name, alone[place as usize]) else { continue };
            if names.find(bytes) != Some(place) {
                continue;
            }
            // The first of a name: whoever tells of it a second time is repeated, and so is the first where a row that
            // found its partner tells of it.
            let mut same: Vec<u32> = names.all(place).map(|place| alone[place as usize]).collect();
            same.sort_unstable_by(|a, b| book.order(*a, *b));
            let kept = usize::from(!is_told[place as usize]);
            same.iter().skip(kept).for_each(|index| repeated[*index as usize] = true);
        }
    }
    repeated
}
