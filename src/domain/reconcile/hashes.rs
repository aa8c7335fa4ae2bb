//! The hash of every name that the rows of a ledger bear, reckoned once, while the row is at hand: pairing and looking
//! for rows told twice both ask for it, of millions of rows, again and again.

use std::{hash::BuildHasher, sync::LazyLock};

use super::book::Name;

/// Of a row that bears no such name.
pub const NAMELESS: u64 = 0;

/// One hash for both sides; from run to run another, so that nobody can choose ids that all collide.
static HASH: LazyLock<foldhash::quality::RandomState> = LazyLock::new(foldhash::quality::RandomState::default);

/// Never that of a row without a name.
pub fn hash(name: &[u8]) -> u64 {
    HASH.hash_one(name).max(NAMELESS + 1)
}

/// Of one side, by the rows' places.
#[derive(Debug, Default)]
pub struct Hashes {
    keys: Vec<u64>,
    /// Empty where no row has a link.
    links: Vec<u64>,
}

impl Hashes {
    /// Of the next row.
    pub fn put(&mut self, key: &str, link: Option<&str>) {
        if link.is_some() && self.links.is_empty() {
            self.links = vec![NAMELESS; self.keys.len()];
        }
        if link.is_some() || !self.links.is_empty() {
            self.links.push(link.map_or(NAMELESS, |link| hash(link.as_bytes())));
        }
        self.keys.push(hash(key.as_bytes()));
    }

    /// For each row; or nothing at all, where none of them bears such a name.
    pub fn list(&self, name: Name) -> &[u64] {
        match name {
            Name::Key => &self.keys,
            Name::Link => &self.links,
        }
    }
}

/// Which hashes may be among some: two bits for each, so that of millions that are not hardly any is looked for.
#[derive(Debug)]
pub struct Sieve {
    words: Vec<u64>,
    mask: usize,
}

impl Sieve {
    pub fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let words = (hashes.len() / 2).next_power_of_two().max(16);
        let mut sieve = Self { words: vec![0; words], mask: words - 1 };
        for hash in hashes {
            let word = sieve.word(hash);
            sieve.words[word] |= bits(hash);
        }
        sieve
    }

    fn word(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }

    /// False only where it certainly is not.
    pub fn may_hold(&self, hash: u64) -> bool {
        self.words[self.word(hash)] & bits(hash) == bits(hash)
    }
}

/// Two bits of one word, by the hash's upper half.
fn bits(hash: u64) -> u64 {
    1 << (hash >> 52 & 63) | 1 << (hash >> 58)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_lets_all_through_that_it_was_made_of_and_hardly_anything_else() {
        let sieve = Sieve::of((0..1000_u32).map(|index| hash(&index.to_le_bytes())));
        assert!((0..1000_u32).all(|index| sieve.may_hold(hash(&index.to_le_bytes()))));
        let strangers = (1000..101_000_u32).filter(|index| sieve.may_hold(hash(&index.to_le_bytes()))).count();
        assert!(strangers < 2_000, "{strangers}");
        assert!(!Sieve::of(std::iter::empty()).may_hold(hash(b"x")));
    }
}
