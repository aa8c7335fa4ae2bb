//! A line of text being typed, edited by grapheme.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crossterm::event::KeyCode;

use super::chord::Chord;

/// The longest line that is taken, in bytes.
const LIMIT: usize = 2_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    text: String,
    /// A byte offset, always at a grapheme's start.
    cursor: usize,
}

impl Field {
    pub fn with(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text on either side of the cursor.
    pub fn halves(&self) -> (&str, &str) {
        self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""))
    }

    /// Columns before the cursor.
    pub fn column(&self) -> usize {
        self.halves().0.width()
    }

    /// Takes text as typed or pasted: line breaks become spaces, other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let clean: String =
            text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).filter(|c| !c.is_control()).collect();
        if self.text.len() + clean.len() <= LIMIT {
            self.text.insert_str(self.cursor, &clean);
            self.cursor += clean.len();
        }
    }

    /// True where the key was one for editing.
    pub fn press(&mut self, chord: Chord) -> bool {
        if chord.control {
            match chord.code {
                KeyCode::Char('u') => {
                    self.text.drain(..self.cursor);
                    self.cursor = 0;
                }
                KeyCode::Char('a') => self.cursor = 0,
                KeyCode::Char('e') => self.cursor = self.text.len(),
                KeyCode::Char('w') => self.delete_word(),
                _ => return false,
            }
            return true;
        }
        match chord.code {
            KeyCode::Char(letter) if !chord.alt => self.insert(letter.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => {
                let end = self.cursor;
                self.left();
                self.text.drain(self.cursor..end);
            }
            KeyCode::Delete => {
                let start = self.cursor;
                self.right();
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            KeyCode::Left => self.left(),
            KeyCode::Right => self.right(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn left(&mut self) {
        self.cursor = self.halves().0.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
    }

    fn right(&mut self) {
        self.cursor += self.halves().1.graphemes(true).next().map_or(0, str::len);
    }

    fn delete_word(&mut self) {
        let end = self.cursor;
        let start = self.halves().0.trim_end().rfind(' ').map_or(0, |at| at + 1);
        self.text.drain(start..end);
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> Field {
        let mut field = Field::default();
        for key in keys {
            field.press(Chord::parse(key).unwrap());
        }
        field
    }

    #[test]
    fn a_line_is_edited_where_the_cursor_is() {
        assert_eq!(typed(&["a", "b", "left", "x"]).text(), "axb");
        assert_eq!(typed(&["a", "b", "home", "delete"]).text(), "b");
        assert_eq!(typed(&["a", "b", "backspace", "backspace", "backspace"]).text(), "");
        assert_eq!(typed(&["a", "space", "b", "c", "ctrl-w", "d"]).text(), "a d");
        assert_eq!(typed(&["a", "b", "left", "ctrl-u"]).text(), "b");
    }

    #[test]
    fn one_backspace_takes_one_visible_character() {
        let mut field = Field::with("ae\u{301}");
        field.press(Chord::parse("backspace").unwrap());
        assert_eq!(field.text(), "a");
    }

    #[test]
    fn a_paste_stays_on_its_line() {
        let mut field = Field::default();
        field.insert("a\r\nb\u{1b}[c");
        assert_eq!(field.text(), "a  b[c");
    }
}
