//! Where a list stands: the selection follows its thing, never the row's number.

use super::place::Thing;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cursor {
    pub at: usize,
    /// The first visible row.
    pub offset: usize,
    /// What is selected; kept when rows move, given up when it goes away.
    pub thing: Option<Thing>,
}

impl Cursor {
    /// Moves the window only when the selection leaves it, and then by half a window: a row more costs a few cells, not a screen.
    pub fn settle(&mut self, count: usize, height: usize) {
        self.at = self.at.min(count.saturating_sub(1));
        let height = height.max(1);
        let last = count.saturating_sub(height);
        if self.at < self.offset || self.at >= self.offset + height {
            self.offset = if self.at + 1 == self.offset + height + 1 || self.at + 1 == self.offset {
                self.at.saturating_sub(height / 2)
            } else if self.at < self.offset {
                self.at
            } else {
                self.at + 1 - height
            };
        }
        self.offset = self.offset.min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_by_half_its_height() {
        let mut cursor = Cursor { at: 10, ..Cursor::default() };
        cursor.settle(100, 10);
        assert_eq!(cursor.offset, 5);
        cursor.at = 4;
        cursor.settle(100, 10);
        assert_eq!(cursor.offset, 0);
        cursor.at = 99;
        cursor.settle(100, 10);
        assert_eq!(cursor.offset, 90);
    }

    #[test]
    fn a_shrunken_list_keeps_the_selection_inside() {
        let mut cursor = Cursor { at: 50, offset: 45, thing: None };
        cursor.settle(3, 10);
        assert_eq!((cursor.at, cursor.offset), (2, 0));
        cursor.settle(0, 10);
        assert_eq!((cursor.at, cursor.offset), (0, 0));
        cursor.settle(5, 0);
        assert_eq!((cursor.at, cursor.offset), (0, 0));
    }
}
