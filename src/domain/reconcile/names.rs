//! Rows by a name that they bear: one flat table of places, in which equal names are chained.

use super::hashes::hash;

/// No place.
pub const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Slot {
    /// The hash's upper half, so that hardly ever a name is looked at for nothing.
    tag: u32,
    place: u32,
}

/// The names of rows at places `0..count`; rows of the same name hang together behind the first of them.
pub struct Names<'a, F: Fn(u32) -> Option<&'a [u8]>> {
    slots: Vec<Slot>,
    /// For each place the next one of the same name.
    next: Vec<u32>,
    name: F,
    is_empty: bool,
}

impl<'a, F: Fn(u32) -> Option<&'a [u8]>> Names<'a, F> {
    pub fn of(count: usize, name: F) -> Self {
        let mut names = Self {
            slots: vec![Slot { tag: 0, place: NONE }; (count * 2).next_power_of_two().max(16)],
            next: vec![NONE; count],
            name,
            is_empty: true,
        };
        for place in 0..count as u32 {
            if let Some(bytes) = (names.name)(place) {
                names.insert(place, bytes);
            }
        }
        names
    }

    fn insert(&mut self, place: u32, bytes: &'a [u8]) {
        self.is_empty = false;
        let hash = hash(bytes);
        match self.seek(hash, bytes) {
            Ok(head) => {
                self.next[place as usize] = self.next[head as usize];
                self.next[head as usize] = place;
            }
            Err(free) => self.slots[free] = Slot { tag: (hash >> 32) as u32, place },
        }
    }

    /// The first place of the name, or the slot that it would take.
    fn seek(&self, hash: u64, bytes: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let tag = (hash >> 32) as u32;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.place == NONE {
                return Err(at);
            }
            if slot.tag == tag && (self.name)(slot.place) == Some(bytes) {
                return Ok(slot.place);
            }
            at = (at + 1) & mask;
        }
    }

    /// The first place that bears the name.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        self.seek(hash(bytes), bytes).ok()
    }

    /// True where none of the rows bears a name.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Every place of the same name.
    pub fn all(&self, head: u32) -> impl Iterator<Item = u32> {
        chain(&self.next, head)
    }
}

/// Places that hang together, from the first one on.
pub fn chain(next: &[u32], head: u32) -> impl Iterator<Item = u32> {
    let step = |place: &u32| next.get(*place as usize).copied().filter(|next| *next != NONE);
    std::iter::successors(Some(head).filter(|head| *head != NONE), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_hang_together_and_others_are_told_apart() {
        let texts: Vec<String> = (0..5000).map(|index| format!("n{}", index % 1700)).collect();
        let names = Names::of(texts.len(), |place| (place % 7 != 0).then(|| texts[place as usize].as_bytes()));
        for value in 0..1700_u32 {
            let text = format!("n{value}");
            let expected: Vec<u32> = (0..5000).filter(|place| place % 7 != 0 && place % 1700 == value).collect();
            let mut found: Vec<u32> = names.find(text.as_bytes()).map(|head| names.all(head).collect()).unwrap_or_default();
            found.sort_unstable();
            assert_eq!(found, expected);
        }
        assert_eq!(names.find(b"n1700"), None);
        assert_eq!(chain(&[], NONE).count(), 0);
    }
}
