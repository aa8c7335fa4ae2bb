//! Which row of theirs is which row of ours. Each row is used at most once; where two could be meant, none is taken.

use std::{
    cmp::Ordering,
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use chrono::TimeDelta;

use super::{
    book::{Book, Name},
    join::{self, Side},
    names::NONE,
};

/// For each row of a side the place of its partner on the other, or `NONE`.
#[derive(Debug)]
pub struct Pairing {
    pub theirs: Vec<u32>,
    pub ours: Vec<u32>,
    /// Settled rows that stayed alone and say of no partner, by amount and time.
    lonely: Lonely,
}

#[derive(Debug, Default)]
struct Lonely {
    theirs: Vec<u32>,
    ours: Vec<u32>,
}

/// By their name and by ours, the strongest first: our own record of their id, their record of ours, one id for
/// both, one third id that both carry.
const BY_NAME: [(Name, Name); 4] =
    [(Name::Key, Name::Link), (Name::Link, Name::Key), (Name::Key, Name::Key), (Name::Link, Name::Link)];

impl Pairing {
    /// Rows without a name for their partner pair by amount within `tolerance`.
    pub fn of(theirs: &Book, ours: &Book, tolerance: TimeDelta) -> Self {
        let naming = Naming { theirs, ours, partners: [alone(theirs), alone(ours)] };
        let mut left_theirs: Vec<u32> = (0..theirs.len() as u32).collect();
        let mut left_ours: Vec<u32> = (0..ours.len() as u32).collect();
        for (name, other) in BY_NAME {
            let of_theirs = Side { book: theirs, name, left: &left_theirs };
            let of_ours = Side { book: ours, name: other, left: &left_ours };
            if [of_theirs, of_ours].iter().any(|side| side.left.is_empty() || side.book.hashes(side.name).is_empty()) {
                continue;
            }
            naming.by_name(of_theirs, of_ours);
            left_theirs.retain(|index| naming.is_alone(0, *index));
            left_ours.retain(|index| naming.is_alone(1, *index));
        }
        let [of_theirs, of_ours] = naming.partners.map(|partners| partners.into_iter().map(AtomicU32::into_inner).collect());
        let mut pairing = Self { theirs: of_theirs, ours: of_ours, lonely: Lonely::default() };
        left_theirs.retain(|index| !theirs.has_link(*index));
        left_ours.retain(|index| !ours.has_link(*index));
        by_amount(theirs, &mut left_theirs);
        by_amount(ours, &mut left_ours);
        // Settled rows first: a card that was declined before it went through must not make the payment ambiguous.
        for only_settled in [true, false] {
            let of = |book: &Book, left: &[u32], partners: &[u32]| -> Vec<u32> {
                let counts = |index: &u32| partners[*index as usize] == NONE && (book.line(*index).settled || !only_settled);
                left.iter().copied().filter(counts).collect()
            };
            let (of_theirs, of_ours) = (of(theirs, &left_theirs, &pairing.theirs), of(ours, &left_ours, &pairing.ours));
            for_each_amount(theirs, &of_theirs, ours, &of_ours, |of_theirs, of_ours| {
                pairing.by_time(theirs, ours, of_theirs, of_ours, tolerance);
            });
        }
        left_theirs.retain(|index| pairing.theirs[*index as usize] == NONE && theirs.line(*index).settled);
        left_ours.retain(|index| pairing.ours[*index as usize] == NONE && ours.line(*index).settled);
        pairing.lonely = Lonely { theirs: left_theirs, ours: left_ours };
        pairing
    }

    fn join(&mut self, of_theirs: u32, of_ours: u32) {
        self.theirs[of_theirs as usize] = of_ours;
        self.ours[of_ours as usize] = of_theirs;
    }

    /// Rows of one amount, by time: a pair only where each is the other's sole candidate.
    fn by_time(&mut self, theirs: &Book, ours: &Book, of_theirs: &[u32], of_ours: &[u32], tolerance: TimeDelta) {
        for &one in of_theirs {
            let &[other] = near(theirs, one, ours, of_ours, tolerance) else { continue };
            if near(ours, other, theirs, of_theirs, tolerance) == [one] {
                self.join(one, other);
            }
        }
    }

    /// The rows of the other side that a row of theirs could mean, and nothing tells which; the earliest first.
    pub fn candidates_of_theirs(&self, theirs: &Book, one: u32, ours: &Book, tolerance: TimeDelta) -> &[u32] {
        candidates(theirs, one, ours, &self.lonely.ours, tolerance)
    }

    pub fn candidates_of_ours(&self, ours: &Book, one: u32, theirs: &Book, tolerance: TimeDelta) -> &[u32] {
        candidates(ours, one, theirs, &self.lonely.theirs, tolerance)
    }
}

fn alone(book: &Book) -> Vec<AtomicU32> {
    (0..book.len()).map(|_| AtomicU32::new(NONE)).collect()
}

/// Pairing by names: by several threads at once, none of which sees a row that another has.
struct Naming<'a> {
    theirs: &'a Book,
    ours: &'a Book,
    /// Of theirs, of ours.
    partners: [Vec<AtomicU32>; 2],
}

impl Naming<'_> {
    fn is_alone(&self, side: usize, index: u32) -> bool {
        self.partners[side][index as usize].load(Relaxed) == NONE
    }

    fn join(&self, of_theirs: u32, of_ours: u32) {
        self.partners[0][of_theirs as usize].store(of_ours, Relaxed);
        self.partners[1][of_ours as usize].store(of_theirs, Relaxed);
    }

    /// Rows still alone that share a name.
    fn by_name(&self, theirs: Side<'_>, ours: Side<'_>) {
        for crowd in join::shared(theirs, ours, |one, other| self.join(one, other)) {
            self.within_one_hash(crowd, (theirs.name, ours.name));
        }
    }

    /// Rows of one hash, name by name.
    fn within_one_hash(&self, crowd: join::Crowd, names: (Name, Name)) {
        let (theirs, ours) = (self.theirs, self.ours);
        let (mut of_theirs, mut of_ours) = crowd;
        of_theirs.sort_unstable_by(|a, b| theirs.name(names.0, *a).cmp(&theirs.name(names.0, *b)).then(theirs.order(*a, *b)));
        of_ours.sort_unstable_by(|a, b| ours.name(names.1, *a).cmp(&ours.name(names.1, *b)).then(ours.order(*a, *b)));
        for same in of_theirs.chunk_by(|a, b| theirs.name(names.0, *a) == theirs.name(names.0, *b)) {
            let name = same.first().and_then(|one| theirs.name(names.0, *one));
            let first = of_ours.partition_point(|other| ours.name(names.1, *other) < name);
            let rest = of_ours.get(first..).unwrap_or_default();
            let fitting = rest.partition_point(|other| ours.name(names.1, *other) == name);
            self.within_one_name(same.to_vec(), rest.get(..fitting).unwrap_or_default().to_vec());
        }
    }

    /// Rows of one name: those that agree in everything first, then settled with settled, the earliest first.
    fn within_one_name(&self, of_theirs: Vec<u32>, of_ours: Vec<u32>) {
        let mut alike: HashMap<_, VecDeque<u32>> = HashMap::new();
        let face = |book: &Book, index: u32| {
            let line = book.line(index);
            (line.minor, line.currency, line.refunded, line.settled)
        };
        for &index in &of_theirs {
            alike.entry(face(self.theirs, index)).or_default().push_back(index);
        }
        for &index in &of_ours {
            if let Some(same) = alike.get_mut(&face(self.ours, index)).and_then(VecDeque::pop_front) {
                self.join(same, index);
            }
        }
        let rest = |indices: Vec<u32>, book: &Book, side: usize| {
            let mut rest: Vec<u32> = indices.into_iter().filter(|index| self.is_alone(side, *index)).collect();
            rest.sort_by_key(|index| !book.line(*index).settled);
            rest
        };
        let (of_theirs, of_ours) = (rest(of_theirs, self.theirs, 0), rest(of_ours, self.ours, 1));
        for (one, other) in of_theirs.into_iter().zip(of_ours) {
            self.join(one, other);
        }
    }
}

fn candidates<'a>(book: &Book, one: u32, other: &Book, lonely: &'a [u32], tolerance: TimeDelta) -> &'a [u32] {
    if book.has_link(one) || !book.line(one).settled {
        return &[];
    }
    let first = lonely.partition_point(|index| amount_order(other, *index, book, one) == Ordering::Less);
    let rest = lonely.get(first..).unwrap_or_default();
    let same = rest.get(..rest.partition_point(|index| amount_order(other, *index, book, one) == Ordering::Equal));
    near(book, one, other, same.unwrap_or_default(), tolerance)
}

/// Those of some rows, sorted by time, that are no further away than `tolerance`.
fn near<'a>(book: &Book, one: u32, other: &Book, of_other: &'a [u32], tolerance: TimeDelta) -> &'a [u32] {
    let at = book.line(one).at;
    let first = of_other.partition_point(|index| at - other.line(*index).at > tolerance);
    let after = of_other.partition_point(|index| other.line(*index).at - at <= tolerance);
    of_other.get(first..after).unwrap_or_default()
}

fn amount_order(book: &Book, index: u32, other: &Book, of_other: u32) -> Ordering {
    let (a, b) = (book.line(index), other.line(of_other));
    a.minor.cmp(&b.minor).then_with(|| a.currency.letters().cmp(&b.currency.letters()))
}

fn by_amount(book: &Book, indices: &mut [u32]) {
    indices.sort_unstable_by(|a, b| amount_order(book, *a, book, *b).then_with(|| book.order(*a, *b)));
}

/// The rows of each amount that both sides have; both sorted by it.
fn for_each_amount(theirs: &Book, of_theirs: &[u32], ours: &Book, of_ours: &[u32], mut act: impl FnMut(&[u32], &[u32])) {
    let (mut left, mut right) = (of_theirs, of_ours);
    while let (Some(one), Some(other)) = (left.first(), right.first()) {
        let run = |book: &Book, rows: &[u32]| rows.partition_point(|index| amount_order(book, *index, book, rows[0]).is_eq());
        match amount_order(theirs, *one, ours, *other) {
            Ordering::Less => left = left.get(run(theirs, left)..).unwrap_or_default(),
            Ordering::Greater => right = right.get(run(ours, right)..).unwrap_or_default(),
            Ordering::Equal => {
                let (same_left, rest_left) = left.split_at(run(theirs, left));
                let (same_right, rest_right) = right.split_at(run(ours, right));
                act(same_left, same_right);
                (left, right) = (rest_left, rest_right);
            }
        }
    }
}
