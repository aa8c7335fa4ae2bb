//! Rows of both sides that share a name, for millions of them: first dealt into parts that fit the processor's own memory,
//! because what costs is not comparing but fetching what is to be compared.

use std::{num::NonZero, thread};

use super::{
    book::{Book, Name},
    names::{NONE, chain, hash},
};

/// By the upper bits of a name's hash; a power of two.
const PARTS: usize = 256;
/// Fewer rows are not worth a second thread.
const WORTH_A_THREAD: usize = 50_000;

/// Rows whose names have the same hash.
#[derive(Debug, Default)]
pub struct Shared {
    /// One of theirs and one of ours.
    pub pairs: Vec<(u32, u32)>,
    /// Several on either side.
    pub crowds: Vec<(Vec<u32>, Vec<u32>)>,
}

#[derive(Clone, Copy)]
struct Hashed {
    hash: u64,
    index: u32,
}

/// Rows, part by part.
struct Dealt {
    rows: Vec<Hashed>,
    /// Where each part begins, and the last one ends.
    bounds: Vec<usize>,
}

impl Dealt {
    fn of(book: &Book, name: Name, left: &[u32]) -> Self {
        let mut bounds = vec![0; PARTS + 1];
        let mut hashed = Vec::with_capacity(left.len());
        for &index in left {
            if let Some(bytes) = book.name(name, index) {
                let row = Hashed { hash: hash(bytes), index };
                bounds[part(row) + 1] += 1;
                hashed.push(row);
            }
        }
        for at in 0..PARTS {
            bounds[at + 1] += bounds[at];
        }
        let mut free = bounds.clone();
        let mut rows = vec![Hashed { hash: 0, index: NONE }; hashed.len()];
        for row in hashed {
            let place = &mut free[part(row)];
            rows[*place] = row;
            *place += 1;
        }
        Self { rows, bounds }
    }

    fn part(&self, at: usize) -> &[Hashed] {
        self.rows.get(self.bounds[at]..self.bounds[at + 1]).unwrap_or_default()
    }
}

fn part(row: Hashed) -> usize {
    (row.hash >> 56) as usize % PARTS
}

/// Finds them among those that are left of either side.
pub fn shared(theirs: &Book, ours: &Book, left: (&[u32], &[u32]), names: (Name, Name)) -> Shared {
    let size = left.0.len() + left.1.len();
    let mut dealt =
        at_once(2, size, |at| if at == 0 { Dealt::of(theirs, names.0, left.0) } else { Dealt::of(ours, names.1, left.1) });
    let (Some(of_ours), Some(of_theirs)) = (dealt.pop(), dealt.pop()) else { return Shared::default() };
    let workers = workers(size);
    let found = at_once(workers, size, |worker| {
        let mut shared = Shared::default();
        let mut table = Table::default();
        for at in (worker..PARTS).step_by(workers) {
            table.join(of_theirs.part(at), of_ours.part(at), &mut shared);
        }
        shared
    });
    found.into_iter().reduce(Shared::and).unwrap_or_default()
}

impl Shared {
    fn and(mut self, other: Self) -> Self {
        self.pairs.extend(other.pairs);
        self.crowds.extend(other.crowds);
        self
    }
}

/// One part's table, used again for the next.
#[derive(Default)]
struct Table {
    slots: Vec<u32>,
    /// For each of ours the next of the same hash; the first of theirs with that hash, and its next.
    next_ours: Vec<u32>,
    first_theirs: Vec<u32>,
    next_theirs: Vec<u32>,
}

impl Table {
    fn join(&mut self, theirs: &[Hashed], ours: &[Hashed], shared: &mut Shared) {
        if theirs.is_empty() || ours.is_empty() {
            return;
        }
        let blank = |list: &mut Vec<u32>, count: usize| {
            list.clear();
            list.resize(count, NONE);
        };
        blank(&mut self.slots, (ours.len() * 2).next_power_of_two());
        blank(&mut self.next_ours, ours.len());
        blank(&mut self.first_theirs, ours.len());
        blank(&mut self.next_theirs, theirs.len());
        for (place, row) in ours.iter().enumerate() {
            match self.seek(row.hash, ours) {
                Ok(head) => {
                    self.next_ours[place] = self.next_ours[head as usize];
                    self.next_ours[head as usize] = place as u32;
                }
                Err(free) => self.slots[free] = place as u32,
            }
        }
        for (place, row) in theirs.iter().enumerate() {
            if let Ok(head) = self.seek(row.hash, ours) {
                self.next_theirs[place] = std::mem::replace(&mut self.first_theirs[head as usize], place as u32);
            }
        }
        for (head, row) in ours.iter().enumerate() {
            let first = self.first_theirs[head];
            if first == NONE {
                continue;
            }
            if self.next_theirs[first as usize] == NONE && self.next_ours[head] == NONE {
                shared.pairs.push((theirs[first as usize].index, row.index));
            } else {
                let some_theirs = chain(&self.next_theirs, first).map(|place| theirs[place as usize].index).collect();
                let some_ours = chain(&self.next_ours, head as u32).map(|place| ours[place as usize].index).collect();
                shared.crowds.push((some_theirs, some_ours));
            }
        }
    }

    /// The first of ours with that hash, or the slot that it would take.
    fn seek(&self, hash: u64, ours: &[Hashed]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.slots[at];
            if place == NONE {
                return Err(at);
            }
            if ours[place as usize].hash == hash {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
    }
}

/// How many threads so many rows are worth.
pub fn workers(rows: usize) -> usize {
    if rows < WORTH_A_THREAD { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(4) }
}

/// Does pieces of work, beside each other where so many rows are worth it; the answers in their order.
pub fn at_once<T: Send>(pieces: usize, rows: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if workers(rows) == 1 {
        return (0..pieces).map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let begun: Vec<_> = (0..pieces).map(|piece| scope.spawn(move || work(piece))).collect();
        let ended = begun.into_iter().map(|thread| thread.join());
        ended.map(|answer| answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
