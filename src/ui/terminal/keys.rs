//! Bytes from the terminal to keys and presses of the mouse. Never blocks, never panics, and the same keys however the bytes are split.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{pointer, program::Input};
use crate::ui::theme::Background;

const PASTE_END: &[u8] = b"\x1b[201~";
/// More than this is no sequence that a terminal sends.
const LONGEST_SEQUENCE: usize = 4096;

/// Holds what is not yet a whole key.
#[derive(Debug, Default)]
pub struct KeyReader {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What the front of the bytes is, and how many of them it takes.
enum Front {
    Unfinished,
    Input(Input, usize),
    PasteStart(usize),
    /// A sequence that means nothing here.
    Nothing(usize),
}

impl KeyReader {
    /// Takes bytes and tells the keys that are complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        self.pending.extend_from_slice(bytes);
        let mut inputs = Vec::new();
        let mut rest = std::mem::take(&mut self.pending);
        loop {
            if self.paste.is_some() {
                match self.paste_on(&rest) {
                    Some((text, taken)) => {
                        inputs.push(Input::Paste(text));
                        rest.drain(..taken);
                    }
                    None => return inputs,
                }
            }
            let mut taken = 0;
            while let Some(front) = rest.get(taken..).filter(|front| !front.is_empty()).map(front) {
                match front {
                    Front::Unfinished => break,
                    Front::Nothing(count) => taken += count,
                    Front::Input(input, count) => {
                        inputs.push(input);
                        taken += count;
                    }
                    Front::PasteStart(count) => {
                        taken += count;
                        self.paste = Some(Vec::new());
                        break;
                    }
                }
            }
            rest.drain(..taken);
            if self.paste.is_none() {
                if rest.len() > LONGEST_SEQUENCE {
                    rest.clear();
                }
                self.pending = rest;
                return inputs;
            }
        }
    }

    /// Whether the bytes so far could still become another key (a lone Escape could begin an arrow).
    pub fn is_undecided(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Decides: nothing more came in time, so what is there is what was typed.
    pub fn decide(&mut self) -> Vec<Input> {
        let pending = std::mem::take(&mut self.pending);
        match pending.as_slice() {
            [0x1b] => vec![key(KeyCode::Esc, KeyModifiers::NONE)],
            [0x1b, rest @ ..] if rest.len() == 1 => match front(rest) {
                Front::Input(Input::Key(event), _) => {
                    vec![Input::Key(KeyEvent::new(event.code, event.modifiers | KeyModifiers::ALT))]
                }
                Front::Unfinished | Front::Input(..) | Front::PasteStart(_) | Front::Nothing(_) => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Adds to the paste under way; tells its text and how many of the bytes it took when its end is there.
    fn paste_on(&mut self, bytes: &[u8]) -> Option<(String, usize)> {
        let paste = self.paste.as_mut()?;
        let before = paste.len();
        paste.extend_from_slice(bytes);
        let from = before.saturating_sub(PASTE_END.len());
        let end = paste.windows(PASTE_END.len()).skip(from).position(|window| window == PASTE_END)? + from;
        let text = String::from_utf8_lossy(paste.get(..end).unwrap_or_default()).replace("\r\n", "\n").replace('\r', "\n");
        self.paste = None;
        Some((text, end + PASTE_END.len() - before))
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

fn front(bytes: &[u8]) -> Front {
    match bytes {
        [] | [0x1b] => Front::Unfinished,
        [0x1b, 0x1b, ..] => Front::Input(key(KeyCode::Esc, KeyModifiers::NONE), 1),
        [0x1b, b'[', rest @ ..] => control_sequence(rest),
        [0x1b, b'O', rest @ ..] => match rest.first() {
            None => Front::Unfinished,
            Some(last) => named(*last, KeyModifiers::NONE).map_or(Front::Nothing(3), |input| Front::Input(input, 3)),
        },
        [0x1b, b']' | b'P', rest @ ..] => string_sequence(rest),
        [0x1b, rest @ ..] => match front(rest) {
            Front::Input(Input::Key(event), count) => {
                Front::Input(key(event.code, event.modifiers | KeyModifiers::ALT), count + 1)
            }
            Front::Unfinished => Front::Unfinished,
            Front::Nothing(count) | Front::PasteStart(count) | Front::Input(_, count) => Front::Nothing(count + 1),
        },
        [byte, ..] if *byte < 0x20 || *byte == 0x7f => Front::Input(control(*byte), 1),
        _ => character(bytes),
    }
}

/// A control character, named as crossterm names it.
fn control(byte: u8) -> Input {
    let with_control = |character: u8| key(KeyCode::Char(char::from(character)), KeyModifiers::CONTROL);
    match byte {
        0x09 => key(KeyCode::Tab, KeyModifiers::NONE),
        0x0d => key(KeyCode::Enter, KeyModifiers::NONE),
        0x7f => key(KeyCode::Backspace, KeyModifiers::NONE),
        0x00 => with_control(b' '),
        0x01..=0x1a => with_control(byte - 1 + b'a'),
        _ => with_control(byte.wrapping_sub(0x1c).wrapping_add(b'4')),
    }
}

fn character(bytes: &[u8]) -> Front {
    let Some(first) = bytes.first() else { return Front::Unfinished };
    let length = match first {
        0x00..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Front::Nothing(1),
    };
    match std::str::from_utf8(bytes.get(..length.min(bytes.len())).unwrap_or_default()) {
        Ok(text) => match text.chars().next() {
            Some(character) if !character.is_control() => {
                let modifiers = if character.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
                Front::Input(key(KeyCode::Char(character), modifiers), length)
            }
            _ => Front::Nothing(length),
        },
        Err(error) if error.error_len().is_none() => Front::Unfinished,
        Err(_) => Front::Nothing(1),
    }
}

/// What follows `ESC [`.
fn control_sequence(rest: &[u8]) -> Front {
    // The Linux console sends `ESC [ [ A` for F1.
    if let [b'[', more @ ..] = rest {
        return match more.first() {
            None => Front::Unfinished,
            Some(last @ b'A'..=b'E') => Front::Input(key(KeyCode::F(last - b'A' + 1), KeyModifiers::NONE), 4),
            Some(_) => Front::Nothing(3),
        };
    }
    let length = rest.iter().take_while(|byte| (0x20..=0x3f).contains(*byte)).count();
    let (Some(last), Some(inside)) = (rest.get(length), rest.get(..length)) else { return Front::Unfinished };
    let taken = length + 3;
    if !(0x40..=0x7e).contains(last) {
        // Broken off by something else, which stays.
        return Front::Nothing(taken - 1);
    }
    if *last == b'~' && inside == b"200" {
        return Front::PasteStart(taken);
    }
    if let ([b'<', report @ ..], b'M') = (inside, last) {
        return pointer::pressed(report).map_or(Front::Nothing(taken), |event| Front::Input(Input::Mouse(event), taken));
    }
    let Some(parameters) = numbers(inside) else { return Front::Nothing(taken) };
    let first = parameters.first().copied().unwrap_or(1);
    let modifiers = modifiers(parameters.get(1).copied().unwrap_or(1));
    let input = match last {
        b'~' => tilde(first, &parameters, modifiers),
        b'u' => char::from_u32(first).map(|character| typed(character, modifiers)),
        b'Z' => Some(key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT)),
        _ => named(*last, modifiers),
    };
    input.map_or(Front::Nothing(taken), |input| Front::Input(input, taken))
}

/// `1;5` as numbers; none where it is an answer or a report and no key (`?`, `>`, `<`).
fn numbers(inside: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(inside).ok()?;
    text.split(';')
        .map(|part| match part.split(':').next() {
            None | Some("") => Some(1),
            Some(number) => number.parse().ok(),
        })
        .collect()
}

fn modifiers(parameter: u32) -> KeyModifiers {
    let bits = parameter.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    modifiers
}

fn named(last: u8, modifiers: KeyModifiers) -> Option<Input> {
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    };
    Some(key(code, modifiers))
}

fn tilde(first: u32, parameters: &[u32], modifiers: KeyModifiers) -> Option<Input> {
    let code = match first {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(first as u8 - 10),
        17..=21 => KeyCode::F(first as u8 - 11),
        23..=26 => KeyCode::F(first as u8 - 12),
        27 => {
            let character = char::from_u32(parameters.get(2).copied()?)?;
            return Some(typed(character, modifiers));
        }
        _ => return None,
    };
    Some(key(code, modifiers))
}

/// A character told by its number, as terminals do that report modifiers on every key.
fn typed(character: char, modifiers: KeyModifiers) -> Input {
    match character {
        '\r' => key(KeyCode::Enter, modifiers),
        '\t' => key(KeyCode::Tab, modifiers),
        '\u{1b}' => key(KeyCode::Esc, modifiers),
        '\u{7f}' => key(KeyCode::Backspace, modifiers),
        _ => key(KeyCode::Char(character), modifiers),
    }
}

/// What follows `ESC ]` and its kin: an answer of the terminal, up to BEL or `ESC \`.
fn string_sequence(rest: &[u8]) -> Front {
    let Some(end) = rest.iter().position(|byte| *byte == 0x07 || *byte == 0x1b) else { return Front::Unfinished };
    let closing = match rest.get(end..) {
        Some([0x1b]) => return Front::Unfinished,
        Some([0x1b, b'\\', ..]) => 2,
        Some([0x07, ..]) => 1,
        // Broken off by another sequence, which stays.
        _ => 0,
    };
    let taken = 2 + end + closing;
    let text = rest.get(..end).and_then(|text| std::str::from_utf8(text).ok());
    match text.and_then(|text| text.strip_prefix("11;rgb:")).and_then(background) {
        Some(background) => Front::Input(Input::Background(background), taken),
        None => Front::Nothing(taken),
    }
}

/// `RRRR/GGGG/BBBB`, one to four digits each.
fn background(text: &str) -> Option<Background> {
    let mut parts = text.split('/').map(|part| {
        let full = 16u32.checked_pow(u32::try_from(part.len()).ok()?)?.checked_sub(1).filter(|full| *full > 0)?;
        let value = u32::from_str_radix(part, 16).ok()?;
        u8::try_from(u64::from(value) * 255 / u64::from(full)).ok()
    });
    Some(Background::of(parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn keys_as_terminals_send_them() {
        let cases: [(&[u8], KeyCode, KeyModifiers); 34] = [
            (b"j", KeyCode::Char('j'), NONE),
            (b"G", KeyCode::Char('G'), SHIFT),
            (b"?", KeyCode::Char('?'), NONE),
            (" é".trim().as_bytes(), KeyCode::Char('é'), NONE),
            ("犬".as_bytes(), KeyCode::Char('犬'), NONE),
            (b"\r", KeyCode::Enter, NONE),
            (b"\n", KeyCode::Char('j'), CONTROL),
            (b"\t", KeyCode::Tab, NONE),
            (b"\x1b[Z", KeyCode::BackTab, SHIFT),
            (b"\x7f", KeyCode::Backspace, NONE),
            (b"\x08", KeyCode::Char('h'), CONTROL),
            (b"\x04", KeyCode::Char('d'), CONTROL),
            (b"\x1a", KeyCode::Char('z'), CONTROL),
            (b"\x00", KeyCode::Char(' '), CONTROL),
            (b"\x1c", KeyCode::Char('4'), CONTROL),
            (b"\x1b[A", KeyCode::Up, NONE),
            (b"\x1bOA", KeyCode::Up, NONE),
            (b"\x1b[1;5C", KeyCode::Right, CONTROL),
            (b"\x1b[1;2D", KeyCode::Left, SHIFT),
            (b"\x1b[H", KeyCode::Home, NONE),
            (b"\x1b[4~", KeyCode::End, NONE),
            (b"\x1b[3;5~", KeyCode::Delete, CONTROL),
            (b"\x1b[5~", KeyCode::PageUp, NONE),
            (b"\x1bOP", KeyCode::F(1), NONE),
            (b"\x1b[[E", KeyCode::F(5), NONE),
            (b"\x1b[15~", KeyCode::F(5), NONE),
            (b"\x1b[17~", KeyCode::F(6), NONE),
            (b"\x1b[24~", KeyCode::F(12), NONE),
            (b"\x1bx", KeyCode::Char('x'), ALT),
            (b"\x1bX", KeyCode::Char('X'), ALT.union(SHIFT)),
            (b"\x1b\r", KeyCode::Enter, ALT),
            (b"\x1b[27;5;13~", KeyCode::Enter, CONTROL),
            (b"\x1b[97;5u", KeyCode::Char('a'), CONTROL),
            (b"\x1b[13;2u", KeyCode::Enter, SHIFT),
        ];
        for (bytes, code, modifiers) in cases {
            assert_eq!(KeyReader::default().feed(bytes), [key(code, modifiers)], "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_lone_escape_is_decided_when_nothing_follows() {
        let mut reader = KeyReader::default();
        assert_eq!(reader.feed(b"\x1b"), []);
        assert!(reader.is_undecided());
        assert_eq!(reader.decide(), [key(KeyCode::Esc, NONE)]);
        assert!(!reader.is_undecided());
        assert_eq!(reader.feed(b"\x1b"), []);
        assert_eq!(reader.feed(b"[B"), [key(KeyCode::Down, NONE)]);
        assert_eq!(reader.feed(b"\x1b["), []);
        assert_eq!(reader.decide(), [key(KeyCode::Char('['), ALT)]);
        assert_eq!(reader.feed(b"\x1b\x1b"), [key(KeyCode::Esc, NONE)]);
        assert_eq!(reader.decide(), [key(KeyCode::Esc, NONE)]);
    }

    #[test]
    fn what_is_pasted_is_no_key_and_holds_everything() {
        let mut reader = KeyReader::default();
        assert_eq!(reader.feed(b"a\x1b[200~y\r\nrm -rf\x1b[A"), [key(KeyCode::Char('a'), NONE)]);
        assert_eq!(reader.feed(b"\x03 z\x1b[20"), []);
        assert_eq!(reader.feed(b"1~q"), [Input::Paste("y\nrm -rf\u{1b}[A\u{3} z".into()), key(KeyCode::Char('q'), NONE)]);
    }

    #[test]
    fn answers_of_the_terminal_are_no_keys() {
        let cases: [&[u8]; 8] = [
            b"\x1b[?64;1;2;6;22c",
            b"\x1b[>41;390;0c",
            b"\x1b[?2026;2$y",
            b"\x1b[<0;10;20m",
            b"\x1b[I",
            b"\x1bP>|XTerm(390)\x1b\\",
            b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
            b"\xff\xfe\x80",
        ];
        for bytes in cases {
            assert_eq!(KeyReader::default().feed(bytes), [], "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn the_background_is_read_from_the_answer() {
        let answers: [(&[u8], Background); 3] = [
            (b"\x1b]11;rgb:0000/0000/0000\x1b\\", Background::Dark),
            (b"\x1b]11;rgb:fdfd/f6f6/e3e3\x07", Background::Light),
            (b"\x1b]11;rgb:f/f/f\x07", Background::Light),
        ];
        for (bytes, expected) in answers {
            assert_eq!(KeyReader::default().feed(bytes), [Input::Background(expected)]);
        }
        assert_eq!(KeyReader::default().feed(b"\x1b]11;rgb:/zz/\x07"), []);
    }

    proptest! {
        #[test]
        fn splitting_the_bytes_changes_nothing(bytes: Vec<u8>, noise in "(\x1b|\\[|O|[0-9]|;|~|A|\\]|\x07|é|200~|201~){0,40}", at: usize) {
            let bytes: Vec<u8> = bytes.into_iter().chain(noise.into_bytes()).collect();
            let mut whole = KeyReader::default();
            let mut expected = whole.feed(&bytes);
            expected.extend(whole.decide());
            let at = at % (bytes.len() + 1);
            let mut split = KeyReader::default();
            let mut found = split.feed(&bytes[..at]);
            found.extend(split.feed(&bytes[at..]));
            found.extend(split.decide());
            prop_assert_eq!(found, expected);
        }
    }
}
