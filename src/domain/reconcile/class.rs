//! Which class a pair, or a row that stayed alone, falls in.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::pair::Pairing;

use crate::domain::{pack::Class, snapshot::Entry};

/// A pair or a single row with its class: every row of both sides is in exactly one.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    pub class: Class,
    pub theirs: Option<&'a Entry>,
    pub ours: Option<&'a Entry>,
}

pub struct Judge<'a> {
    pub theirs: &'a [Entry],
    pub ours: &'a [Entry],
    /// Younger than this, a row may still find its partner.
    pub settle: TimeDelta,
    pub now: DateTime<Utc>,
}

impl<'a> Judge<'a> {
    pub fn findings(&self, pairing: &Pairing) -> Vec<Finding<'a>> {
        let mut findings = Vec::with_capacity(self.theirs.len() + self.ours.len());
        let repeated_theirs = repeated(self.theirs, &pairing.theirs, self.ours, &pairing.ours);
        for (index, theirs) in self.theirs.iter().enumerate() {
            let ours = pairing.theirs[index].map(|partner| &self.ours[partner]);
            let class = match ours {
                Some(ours) => self.pair(theirs, ours),
                None => self.single(theirs, repeated_theirs[index], Class::MissingHere),
            };
            findings.push(Finding { class, theirs: Some(theirs), ours });
        }
        let repeated_ours = repeated(self.ours, &pairing.ours, self.theirs, &pairing.theirs);
        for (index, ours) in self.ours.iter().enumerate().filter(|(index, _)| pairing.ours[*index].is_none()) {
            let class = self.single(ours, repeated_ours[index], Class::MissingThere);
            findings.push(Finding { class, theirs: None, ours: Some(ours) });
        }
        findings
    }

    fn is_young(&self, entry: &Entry) -> bool {
        self.now - entry.at < self.settle
    }

    fn pair(&self, theirs: &Entry, ours: &Entry) -> Class {
        if theirs.settled != ours.settled {
            let waiting = if theirs.settled { ours } else { theirs };
            let is_expected = waiting.pending && (self.is_young(theirs) || self.is_young(ours));
            return if is_expected { Class::InFlight } else { Class::Status };
        }
        if !theirs.settled {
            return Class::Matched;
        }
        if theirs.amount.currency != ours.amount.currency {
            Class::Currency
        } else if theirs.amount.minor != ours.amount.minor {
            Class::Amount
        } else if theirs.refunded.minor != ours.refunded.minor {
            Class::RefundDrift
        } else {
            Class::Matched
        }
    }

    fn single(&self, entry: &Entry, is_repeated: bool, missing: Class) -> Class {
        if !entry.settled {
            // No money moved here, and the other side says the same by saying nothing.
            return if entry.pending && self.is_young(entry) { Class::InFlight } else { Class::Matched };
        }
        if is_repeated {
            Class::Duplicate
        } else if self.is_young(entry) {
            Class::InFlight
        } else {
            missing
        }
    }
}

/// For each row of a side: is it alone, and does it tell once more of a payment that another settled row of its side
/// already tells of? By its own id, by the link that it shares, or by a link to a row that is taken.
fn repeated(side: &[Entry], partners: &[Option<usize>], others: &[Entry], their_partners: &[Option<usize>]) -> Vec<bool> {
    let (by_key, by_link) =
        (first_to_tell(side, partners, |entry| Some(&entry.key)), first_to_tell(side, partners, |entry| entry.link.as_deref()));
    let taken: HashMap<&str, usize> = others
        .iter()
        .zip(their_partners)
        .filter_map(|(entry, partner)| partner.filter(|place| side[*place].settled).map(|place| (entry.key.as_str(), place)))
        .collect();
    side.iter()
        .enumerate()
        .map(|(index, entry)| {
            let told_by_another = |first: Option<&usize>| first.is_some_and(|first| *first != index);
            let link = entry.link.as_deref();
            partners[index].is_none()
                && (told_by_another(by_key.get(entry.key.as_str()))
                    || told_by_another(link.and_then(|link| by_link.get(link)))
                    || told_by_another(link.and_then(|link| taken.get(link))))
        })
        .collect()
}

/// By name, the settled row that counts as the original: one that found its partner, else the earliest.
fn first_to_tell<'a>(
    side: &'a [Entry],
    partners: &[Option<usize>],
    name: impl Fn(&'a Entry) -> Option<&'a str>,
) -> HashMap<&'a str, usize> {
    let mut first = HashMap::with_capacity(side.len());
    for has_partner in [true, false] {
        for (index, entry) in
            side.iter().enumerate().filter(|(index, entry)| entry.settled && partners[*index].is_some() == has_partner)
        {
            if let Some(name) = name(entry) {
                first.entry(name).or_insert(index);
            }
        }
    }
    first
}
