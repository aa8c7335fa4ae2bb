//! The same rules once more over plain entries, in the simplest words: what the fast way is held against.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{money::Currency, pack::Class, snapshot::Entry};

/// Class, their id, our id, and the amounts of both.
pub type Told = (Class, Option<(String, i64)>, Option<(String, i64)>);

/// Every finding, sorted.
pub fn findings(theirs: &[Entry], ours: &[Entry], tolerance: TimeDelta, settle: TimeDelta, now: DateTime<Utc>) -> Vec<Told> {
    let sorted = |side: &[Entry]| {
        let mut side = side.to_vec();
        side.sort_by(order);
        side
    };
    let (theirs, ours) = (sorted(theirs), sorted(ours));
    let pairing = Pairing::of(&theirs, &ours, tolerance);
    let judge = Judge { theirs: &theirs, ours: &ours, tolerance, settle, now };
    let mut told: Vec<Told> = judge.findings(&pairing).iter().map(told).collect();
    told.sort();
    told
}

fn told(finding: &Finding<'_>) -> Told {
    let row = |entry: Option<&Entry>| entry.map(|entry| (entry.key.clone(), entry.amount.minor));
    (finding.class, row(finding.theirs), row(finding.ours))
}

fn order(a: &Entry, b: &Entry) -> std::cmp::Ordering {
    let face =
        |entry: &Entry| (entry.amount.minor, entry.refunded.minor, entry.amount.currency.letters(), entry.settled, entry.pending);
    (a.at, &a.key, face(a), &a.link).cmp(&(b.at, &b.key, face(b), &b.link))
}

/// For each row of a side the place of its partner on the other.
#[derive(Debug)]
struct Pairing {
    theirs: Vec<Option<usize>>,
    ours: Vec<Option<usize>>,
}

/// What of a row names a row of the other side.
#[derive(Clone, Copy)]
enum Name {
    Key,
    Link,
}

impl Name {
    fn of(self, entry: &Entry) -> Option<&str> {
        match self {
            Self::Key => Some(&entry.key),
            Self::Link => entry.link.as_deref(),
        }
    }
}

/// By their name and by ours, the strongest first: our own record of their id, their record of ours, one id for
/// both, one third id that both carry.
const BY_NAME: [(Name, Name); 4] =
    [(Name::Key, Name::Link), (Name::Link, Name::Key), (Name::Key, Name::Key), (Name::Link, Name::Link)];

impl Pairing {
    /// Both sides sorted by time. Rows without a name for their partner pair by amount within `tolerance`.
    fn of(theirs: &[Entry], ours: &[Entry], tolerance: TimeDelta) -> Self {
        let mut pairing = Self { theirs: vec![None; theirs.len()], ours: vec![None; ours.len()] };
        for (of_theirs, of_ours) in BY_NAME {
            let groups = pairing.groups(theirs, ours, |entry| of_theirs.of(entry), |entry| of_ours.of(entry));
            for (of_theirs, of_ours) in groups.into_values() {
                pairing.within_one_name(theirs, ours, of_theirs, of_ours);
            }
        }
        // Settled rows first: a card that was declined before it went through must not make the payment ambiguous.
        for only_settled in [true, false] {
            let amount = |entry: &Entry| {
                let is_unlabelled = entry.link.is_none() && (entry.settled || !only_settled);
                is_unlabelled.then_some((entry.amount.minor, entry.amount.currency))
            };
            let groups = pairing.groups(theirs, ours, amount, amount);
            for (of_theirs, of_ours) in groups.into_values() {
                pairing.by_time(theirs, ours, &of_theirs, &of_ours, tolerance);
            }
        }
        pairing
    }

    /// The rows still alone, by a name; in order of time.
    fn groups<'a, N: Eq + Hash>(
        &self,
        theirs: &'a [Entry],
        ours: &'a [Entry],
        name_of_theirs: impl Fn(&'a Entry) -> Option<N>,
        name_of_ours: impl Fn(&'a Entry) -> Option<N>,
    ) -> HashMap<N, (Vec<usize>, Vec<usize>)> {
        let mut groups: HashMap<N, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (index, entry) in ours.iter().enumerate().filter(|(index, _)| self.ours[*index].is_none()) {
            if let Some(name) = name_of_ours(entry) {
                groups.entry(name).or_default().1.push(index);
            }
        }
        for (index, entry) in theirs.iter().enumerate().filter(|(index, _)| self.theirs[*index].is_none()) {
            if let Some((of_theirs, _)) = name_of_theirs(entry).and_then(|name| groups.get_mut(&name)) {
                of_theirs.push(index);
            }
        }
        groups.retain(|_, (of_theirs, _)| !of_theirs.is_empty());
        groups
    }

    fn join(&mut self, of_theirs: usize, of_ours: usize) {
        self.theirs[of_theirs] = Some(of_ours);
        self.ours[of_ours] = Some(of_theirs);
    }

    /// Rows of one name: those that agree in everything first, then settled with settled, the earliest first.
    fn within_one_name(&mut self, theirs: &[Entry], ours: &[Entry], of_theirs: Vec<usize>, of_ours: Vec<usize>) {
        if let (&[one], &[other]) = (of_theirs.as_slice(), of_ours.as_slice()) {
            self.join(one, other);
            return;
        }
        let mut alike: HashMap<(i64, Currency, i64, bool), VecDeque<usize>> = HashMap::new();
        let face = |entry: &Entry| (entry.amount.minor, entry.amount.currency, entry.refunded.minor, entry.settled);
        for &index in &of_theirs {
            alike.entry(face(&theirs[index])).or_default().push_back(index);
        }
        for &index in &of_ours {
            if let Some(same) = alike.get_mut(&face(&ours[index])).and_then(VecDeque::pop_front) {
                self.join(same, index);
            }
        }
        let rest = |indices: Vec<usize>, entries: &[Entry], partners: &[Option<usize>]| {
            let mut rest: Vec<usize> = indices.into_iter().filter(|index| partners[*index].is_none()).collect();
            rest.sort_by_key(|index| !entries[*index].settled);
            rest
        };
        let (of_theirs, of_ours) = (rest(of_theirs, theirs, &self.theirs), rest(of_ours, ours, &self.ours));
        for (one, other) in of_theirs.into_iter().zip(of_ours) {
            self.join(one, other);
        }
    }

    /// Rows of one amount: a pair only where each is the other's sole candidate.
    fn by_time(&mut self, theirs: &[Entry], ours: &[Entry], of_theirs: &[usize], of_ours: &[usize], tolerance: TimeDelta) {
        let sole = |entry: &Entry, indices: &[usize], others: &[Entry]| {
            let first = indices.partition_point(|index| entry.at - others[*index].at > tolerance);
            let after = indices.partition_point(|index| others[*index].at - entry.at <= tolerance);
            if after == first + 1 { indices.get(first).copied() } else { None }
        };
        for &one in of_theirs {
            let Some(other) = sole(&theirs[one], of_ours, ours) else { continue };
            if sole(&ours[other], of_theirs, theirs) == Some(one) {
                self.join(one, other);
            }
        }
    }
}

/// A pair or a single row with its class: every row of both sides is in exactly one.
#[derive(Clone, Copy, Debug)]
struct Finding<'a> {
    class: Class,
    theirs: Option<&'a Entry>,
    ours: Option<&'a Entry>,
}

struct Judge<'a> {
    theirs: &'a [Entry],
    ours: &'a [Entry],
    tolerance: TimeDelta,
    /// Younger than this, a row may still find its partner.
    settle: TimeDelta,
    now: DateTime<Utc>,
}

impl<'a> Judge<'a> {
    fn findings(&self, pairing: &Pairing) -> Vec<Finding<'a>> {
        let mut findings = Vec::with_capacity(self.theirs.len() + self.ours.len());
        let repeated_theirs = repeated(self.theirs, &pairing.theirs, self.ours, &pairing.ours);
        for (index, theirs) in self.theirs.iter().enumerate() {
            let ours = pairing.theirs[index].map(|partner| &self.ours[partner]);
            let class = match ours {
                Some(ours) => self.pair(theirs, ours),
                None => {
                    let class = self.single(theirs, repeated_theirs[index], Class::MissingHere);
                    self.or_ambiguous(class, theirs, self.ours, &pairing.ours)
                }
            };
            findings.push(Finding { class, theirs: Some(theirs), ours });
        }
        let repeated_ours = repeated(self.ours, &pairing.ours, self.theirs, &pairing.theirs);
        for (index, ours) in self.ours.iter().enumerate().filter(|(index, _)| pairing.ours[*index].is_none()) {
            let class = self.single(ours, repeated_ours[index], Class::MissingThere);
            let class = self.or_ambiguous(class, ours, self.theirs, &pairing.theirs);
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

    /// What is missing, and could be one of the rows that stayed alone on the other side.
    fn or_ambiguous(&self, class: Class, entry: &Entry, others: &[Entry], partners: &[Option<usize>]) -> Class {
        let could_be = |(other, partner): (&Entry, &Option<usize>)| {
            let distance = (other.at - entry.at).abs();
            partner.is_none()
                && other.settled
                && other.link.is_none()
                && (other.amount.minor, other.amount.currency) == (entry.amount.minor, entry.amount.currency)
                && distance <= self.tolerance
        };
        let is_missing = matches!(class, Class::MissingHere | Class::MissingThere) && entry.link.is_none();
        if is_missing && others.iter().zip(partners).any(could_be) { Class::Ambiguous } else { class }
    }

    fn single(&self, entry: &Entry, is_repeated: bool, missing: Class) -> Class {
        if !entry.settled {
            // No money moved here, and the other side says the same by saying nothing.
            return if entry.pending && self.is_young(entry) { Class::InFlight } else { Class::Matched };
        }
        if is_repeated {
            if entry.refunded.minor == entry.amount.minor { Class::Matched } else { Class::Duplicate }
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
