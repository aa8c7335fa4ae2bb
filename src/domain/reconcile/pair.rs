//! Which row of theirs is which row of ours. Each row is used at most once; where two could be meant, none is taken.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use chrono::TimeDelta;

use crate::domain::{money::Currency, snapshot::Entry};

/// For each row of a side the place of its partner on the other.
#[derive(Debug)]
pub struct Pairing {
    pub theirs: Vec<Option<usize>>,
    pub ours: Vec<Option<usize>>,
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
    pub fn of(theirs: &[Entry], ours: &[Entry], tolerance: TimeDelta) -> Self {
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
