//! Which class a pair, or a row that stayed alone, falls in.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    book::{Book, Line, Name},
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
    /// Every pair and every row alone, each once.
    pub fn each(&self, mut found: impl FnMut(Finding)) {
        let pairing = self.pairing;
        let mut repeated = join::at_once(2, self.theirs.len() + self.ours.len(), |side| {
            if side == 0 {
                repeated(self.theirs, &pairing.theirs, self.ours, &pairing.ours)
            } else {
                repeated(self.ours, &pairing.ours, self.theirs, &pairing.theirs)
            }
        });
        let (repeated_ours, repeated_theirs) = (repeated.pop().unwrap_or_default(), repeated.pop().unwrap_or_default());
        for (index, partner) in pairing.theirs.iter().enumerate() {
            let theirs = index as u32;
            let line = self.theirs.line(theirs);
            let class = if *partner == NONE {
                let is_repeated = repeated_theirs.get(index).copied().unwrap_or_default();
                let candidates = || pairing.candidates_of_theirs(self.theirs, theirs, self.ours, self.tolerance);
                self.single(line, is_repeated, Class::MissingHere, || !candidates().is_empty())
            } else {
                self.pair(line, self.ours.line(*partner))
            };
            found(Finding { class, theirs, ours: *partner });
        }
        for (index, _) in pairing.ours.iter().enumerate().filter(|(_, partner)| **partner == NONE) {
            let ours = index as u32;
            let is_repeated = repeated_ours.get(index).copied().unwrap_or_default();
            let candidates = || pairing.candidates_of_ours(self.ours, ours, self.theirs, self.tolerance);
            let class = self.single(self.ours.line(ours), is_repeated, Class::MissingThere, || !candidates().is_empty());
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

/// For each row of a side: is it alone, and does it tell once more of a payment that another settled row of its side
/// already tells of? By its own id, by the link that it shares, or by a link to a row that is taken. Empty where no
/// settled row is alone.
fn repeated(side: &Book, partners: &[u32], others: &Book, their_partners: &[u32]) -> Vec<bool> {
    let alone: Vec<u32> =
        (0..side.len() as u32).filter(|index| partners[*index as usize] == NONE && side.line(*index).settled).collect();
    if alone.is_empty() {
        return Vec::new();
    }
    let mut repeated = vec![false; side.len()];
    for name in [Name::Key, Name::Link] {
        let names = Names::of(alone.len(), |place| side.name(name, alone[place as usize]));
        if names.is_empty() {
            continue;
        }
        let mut is_told = vec![false; alone.len()];
        let mut told = |bytes: Option<&[u8]>| {
            if let Some(head) = bytes.and_then(|bytes| names.find(bytes)) {
                is_told[head as usize] = true;
            }
        };
        for index in (0..side.len() as u32).filter(|index| partners[*index as usize] != NONE) {
            if side.line(index).settled {
                told(side.name(name, index));
            }
        }
        if name == Name::Link {
            for (index, partner) in their_partners.iter().enumerate().filter(|(_, partner)| **partner != NONE) {
                if side.line(*partner).settled {
                    told(others.name(Name::Key, index as u32));
                }
            }
        }
        for place in 0..alone.len() as u32 {
            let Some(bytes) = side.name(name, alone[place as usize]) else { continue };
            if names.find(bytes) != Some(place) {
                continue;
            }
            // The first of a name: whoever tells of it a second time is repeated, and so is the first where a row that
            // found its partner tells of it.
            let mut same: Vec<u32> = names.all(place).map(|place| alone[place as usize]).collect();
            same.sort_unstable_by(|a, b| side.order(*a, *b));
            let kept = usize::from(!is_told[place as usize]);
            same.iter().skip(kept).for_each(|index| repeated[*index as usize] = true);
        }
    }
    repeated
}
