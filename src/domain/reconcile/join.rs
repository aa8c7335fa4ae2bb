//! Rows of both sides that share a name, for millions of them: first dealt into parts that fit the processor's own memory,
//! because what costs is not comparing but fetching what is to be compared.

use std::{
    num::NonZero,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

use super::{
    book::{Book, Name},
    hashes::NAMELESS,
    heap::Spot,
    names::{NONE, chain},
};

/// By the upper bits of a name's hash; a power of two.
const PARTS: usize = 256;
/// What many rows are cut into, for several to work on: small enough that all end at about the same time.
pub const PIECES: usize = 32;
/// Fewer rows are not worth a second thread.
const WORTH_A_THREAD: usize = 50_000;

/// Several rows on either side whose names have the same hash.
pub type Crowd = (Vec<u32>, Vec<u32>);

/// A row by its name: the hash, where the name lies, the row's place. Numbers alone, so that millions of them need not
/// be written before they are written.
type Hashed = [u64; 3];

fn hash(row: Hashed) -> u64 {
    row[0]
}

fn name(book: &Book, row: Hashed) -> &[u8] {
    book.bytes(Spot::of_bits(row[1]))
}

fn index(row: Hashed) -> u32 {
    row[2] as u32
}

/// Rows, part by part.
struct Dealt {
    rows: Vec<Hashed>,
    /// Where each part begins, and the last one ends.
    bounds: Vec<usize>,
}

impl Dealt {
    /// The rows that are left of a side.
    fn of(side: Side<'_>) -> Self {
        let mut bounds = vec![0; PARTS + 1];
        let hashes = side.book.hashes(side.name);
        let named = || side.left.iter().filter(|index| hashes[**index as usize] != NAMELESS);
        for index in named() {
            bounds[part(hashes[*index as usize]) + 1] += 1;
        }
        for at in 0..PARTS {
            bounds[at + 1] += bounds[at];
        }
        let mut free = bounds.clone();
        let mut rows: Vec<Hashed> = vec![[0; 3]; bounds[PARTS]];
        for index in named() {
            let hash = hashes[*index as usize];
            let place = &mut free[part(hash)];
            rows[*place] = [hash, Book::spot(side.book.line(*index), side.name).bits(), u64::from(*index)];
            *place += 1;
        }
        Self { rows, bounds }
    }

    fn part(&self, at: usize) -> &[Hashed] {
        self.rows.get(self.bounds[at]..self.bounds[at + 1]).unwrap_or_default()
    }
}

fn part(hash: u64) -> usize {
    (hash >> 56) as usize % PARTS
}

/// One side: its book, which names its rows are paired by, and the places of the rows that are left.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub book: &'a Book,
    pub name: Name,
    pub left: &'a [u32],
}

/// Tells of each pair of rows, one of theirs and one of ours, that share a name whose hash no other row has; answers all
/// others that share one. On as many threads as the rows are worth, and never of the same row on two of them.
pub fn shared(theirs: Side<'_>, ours: Side<'_>, pair: impl Fn(u32, u32) + Sync) -> Vec<Crowd> {
    let size = theirs.left.len() + ours.left.len();
    let mut dealt = at_once(2, size, |at| Dealt::of(if at == 0 { theirs } else { ours }));
    let (Some(of_ours), Some(of_theirs)) = (dealt.pop(), dealt.pop()) else { return Vec::new() };
    let found = at_once(PIECES, size, |piece| {
        let mut table = Table::default();
        for at in share(PARTS, piece) {
            let (part_of_theirs, part_of_ours) = (of_theirs.part(at), of_ours.part(at));
            table.join(part_of_theirs, part_of_ours);
            let first = |book, row| name(book, row).first().copied().unwrap_or_default();
            for batch in table.pairs.chunks(BATCH) {
                let batch = || batch.iter().map(|(one, other)| (part_of_theirs[*one as usize], part_of_ours[*other as usize]));
                ahead(batch().map(|(one, other)| first(theirs.book, one) ^ first(ours.book, other)));
                for (one, other) in batch() {
                    // So far they have the same hash.
                    if name(theirs.book, one) == name(ours.book, other) {
                        pair(index(one), index(other));
                    }
                }
            }
            table.pairs.clear();
        }
        table.crowds
    });
    found.into_iter().flatten().collect()
}

/// One part's table, used again for the next.
#[derive(Default)]
struct Table {
    slots: Vec<u32>,
    /// For each of ours the next of the same hash; the first of theirs with that hash, and its next.
    next_ours: Vec<u32>,
    first_theirs: Vec<u32>,
    next_theirs: Vec<u32>,
    /// By their places in the part.
    pairs: Vec<(u32, u32)>,
    crowds: Vec<Crowd>,
}

impl Table {
    fn join(&mut self, theirs: &[Hashed], ours: &[Hashed]) {
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
            match self.seek(hash(*row), ours) {
                Ok(head) => {
                    self.next_ours[place] = self.next_ours[head as usize];
                    self.next_ours[head as usize] = place as u32;
                }
                Err(free) => self.slots[free] = place as u32,
            }
        }
        for (place, row) in theirs.iter().enumerate() {
            if let Ok(head) = self.seek(hash(*row), ours) {
                self.next_theirs[place] = std::mem::replace(&mut self.first_theirs[head as usize], place as u32);
            }
        }
        for head in 0..ours.len() {
            let first = self.first_theirs[head];
            if first == NONE {
                continue;
            }
            if self.next_theirs[first as usize] == NONE && self.next_ours[head] == NONE {
                self.pairs.push((first, head as u32));
            } else {
                let some_theirs = chain(&self.next_theirs, first).map(|place| index(theirs[place as usize])).collect();
                let some_ours = chain(&self.next_ours, head as u32).map(|place| index(ours[place as usize])).collect();
                self.crowds.push((some_theirs, some_ours));
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
            if ours[place as usize][0] == hash {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
    }
}

/// So many rows at a time are fetched ahead of their use.
const BATCH: usize = 64;

/// Some places, batch by batch.
pub fn batches(places: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = places.end;
    places.step_by(BATCH).map(move |first| first..(first + BATCH).min(end))
}

/// Looks at something of each row of a batch, and at nothing else: what lies far apart in memory is then fetched all at
/// once, and not one row after the other when each is used.
pub fn ahead(something: impl Iterator<Item = u8>) {
    std::hint::black_box(something.fold(0, |all, one| all ^ one));
}

/// How many threads so many rows are worth.
fn workers(rows: usize) -> usize {
    if rows < WORTH_A_THREAD { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(4) }
}

/// Does pieces of work, beside each other where so many rows are worth it; the answers in their order. Whoever has done
/// one takes the next: a core that something else needs holds up none of the others.
pub fn at_once<T: Send>(pieces: usize, rows: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let workers = workers(rows).min(pieces);
    if workers <= 1 {
        return (0..pieces).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mine = std::iter::repeat_with(|| next.fetch_add(1, Relaxed)).take_while(|piece| *piece < pieces);
        mine.map(|piece| (piece, work(piece))).collect::<Vec<_>>()
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for ended in others.into_iter().map(thread::ScopedJoinHandle::join) {
            done.extend(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// One of the pieces that a whole is cut into.
pub fn share(whole: usize, piece: usize) -> Range<usize> {
    let size = whole.div_ceil(PIECES);
    (size * piece).min(whole)..(size * (piece + 1)).min(whole)
}
