//! One key with its modifiers, as it is written in a table, a config and a footer.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key press without what terminals disagree on: Shift on a letter is the capital letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct Chord {
    pub code: KeyCode,
    pub control: bool,
    pub alt: bool,
}

impl Chord {
    pub fn from_event(key: KeyEvent) -> Self {
        let shift = key.modifiers.contains(KeyModifiers::SHIFT);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let code = match key.code {
            KeyCode::Char(letter) if control => KeyCode::Char(letter.to_ascii_lowercase()),
            KeyCode::Char(letter) if shift => KeyCode::Char(letter.to_ascii_uppercase()),
            KeyCode::Tab if shift => KeyCode::BackTab,
            code => code,
        };
        Self { code, control, alt: key.modifiers.contains(KeyModifiers::ALT) }
    }

    /// The letter, where it is typed without Ctrl or Alt.
    pub fn letter(self) -> Option<char> {
        match self.code {
            KeyCode::Char(letter) if !self.control && !self.alt => Some(letter),
            _ => None,
        }
    }

    /// Reads `ctrl-d`, `space`, `shift-tab`, `G`, `?`.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut control, mut alt, mut rest) = (false, false, text);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-") {
                (control, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if control => KeyCode::Char(letter.to_ascii_lowercase()),
            (Some(letter), None) => KeyCode::Char(letter),
            _ => NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest)).map(|(_, code)| *code).or_else(|| {
                rest.strip_prefix(['f', 'F'])
                    .and_then(|number| number.parse().ok())
                    .filter(|n| (1..=12).contains(n))
                    .map(KeyCode::F)
            })?,
        };
        Some(Self { code, control, alt })
    }
}

const NAMES: [(&str, KeyCode); 16] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
];

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        if self.control {
            said.push_str("Ctrl-");
        }
        if self.alt {
            said.push_str("Alt-");
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => said.push_str(name),
            (None, KeyCode::Char(letter)) => said.push(letter),
            (None, KeyCode::F(number)) => {
                said.push('F');
                said.push_str(&number.to_string());
            }
            (None, _) => said.push('?'),
        }
        f.pad(&said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_reads_back_as_it_is_written() {
        for text in ["j", "G", "ctrl-d", "space", "shift-tab", "?", "f5", "pgdn", "alt-x", ":"] {
            let chord = Chord::parse(text).unwrap();
            assert_eq!(Chord::parse(&chord.to_string().replace("Ctrl-", "ctrl-").replace("Alt-", "alt-")), Some(chord), "{text}");
        }
        assert_eq!(Chord::parse("ctrl-nonsense"), None);
        assert_eq!(Chord::parse(""), None);
        assert_eq!(Chord::parse("f13"), None);
    }

    #[test]
    fn shift_on_a_letter_is_the_capital_whatever_the_terminal_sends() {
        let one = Chord::from_event(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT));
        let other = Chord::from_event(KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT));
        assert_eq!(one, other);
        assert_eq!(Chord::from_event(KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT)), Chord::parse("shift-tab").unwrap());
    }
}
