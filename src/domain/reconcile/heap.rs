//! Bytes of many rows in a few large pieces: one allocation for thousands of texts, and none is ever moved.

/// So much is asked for at a time.
const PIECE: usize = 1 << 20;

/// Where some bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    at: u32,
    piece: u16,
    len: u16,
}

impl Spot {
    /// Of a text that is not there.
    pub const NONE: Self = Self { at: 0, piece: u16::MAX, len: 0 };

    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    pub fn bits(self) -> u64 {
        u64::from(self.at) << 32 | u64::from(self.piece) << 16 | u64::from(self.len)
    }

    pub fn of_bits(bits: u64) -> Self {
        Self { at: (bits >> 32) as u32, piece: (bits >> 16) as u16, len: bits as u16 }
    }
}

#[derive(Debug, Default)]
pub struct Heap {
    pieces: Vec<Vec<u8>>,
}

impl Heap {
    /// `None` where it is full: that is beyond sixty gigabytes, or more than fits one piece's address.
    pub fn put(&mut self, bytes: &[u8]) -> Option<Spot> {
        let fits = self.pieces.last().is_some_and(|piece| piece.capacity() - piece.len() >= bytes.len());
        if !fits {
            self.pieces.push(Vec::with_capacity(PIECE.max(bytes.len())));
        }
        let piece = u16::try_from(self.pieces.len() - 1).ok().filter(|piece| *piece != u16::MAX)?;
        let last = self.pieces.last_mut()?;
        let at = u32::try_from(last.len()).ok()?;
        last.extend_from_slice(bytes);
        // Who asks for the length keeps to texts that fit it; who does not reads to an end of its own.
        Some(Spot { at, piece, len: u16::try_from(bytes.len()).unwrap_or(u16::MAX) })
    }

    /// The bytes, where they are no more than a short text's.
    pub fn find(&self, spot: Spot) -> &[u8] {
        self.from(spot).get(..usize::from(spot.len)).unwrap_or_default()
    }

    /// From there to the end of the piece.
    pub fn from(&self, spot: Spot) -> &[u8] {
        self.pieces.get(usize::from(spot.piece)).and_then(|piece| piece.get(spot.at as usize..)).unwrap_or_default()
    }

    /// Bytes asked of the machine.
    pub fn size(&self) -> usize {
        self.pieces.iter().map(Vec::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_whatever_its_length() {
        let mut heap = Heap::default();
        let texts: Vec<Vec<u8>> = (0..3000_usize).map(|index| vec![index as u8; index % 1021]).collect();
        let spots: Vec<Spot> = texts.iter().map(|text| heap.put(text).unwrap()).collect();
        for (text, spot) in texts.iter().zip(spots) {
            assert_eq!(heap.find(spot), text.as_slice());
            assert!(!spot.is_none());
        }
        let long = vec![7; 3 * PIECE];
        let spot = heap.put(&long).unwrap();
        assert_eq!(heap.from(spot), long.as_slice());
        assert_eq!(heap.find(Spot::NONE), b"");
        assert!(heap.size() < 3 * PIECE + 3 * PIECE);
    }
}
