//! What no output may hold, by Unicode's own categories and properties. Shares no code with the program.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// `Default_Ignorable_Code_Point` of DerivedCoreProperties.txt: shown as nothing by whoever follows the standard.
const IGNORABLE: [(u32, u32); 17] = [
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x061c, 0x061c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

/// Marks on one character that are still a word of some language.
const MARKS: usize = 4;

/// Why a character must not be seen; a line feed is none of its business.
pub fn class(c: char) -> Option<&'static str> {
    if IGNORABLE.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c))) {
        return Some("ignorable");
    }
    match c.general_category() {
        GeneralCategory::Control => Some("control"),
        GeneralCategory::Format => Some("format"),
        GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => Some("separator"),
        GeneralCategory::PrivateUse => Some("private use"),
        GeneralCategory::Surrogate => Some("surrogate"),
        GeneralCategory::Unassigned => Some("unassigned"),
        _ => None,
    }
}

fn is_mark(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// The first thing in a text that must not be there; line feeds may.
pub fn offence(text: &str) -> Option<String> {
    let mut marks = 0;
    for (at, c) in text.char_indices() {
        // Most is ASCII: nothing to look up.
        if c == '\n' || (' '..='~').contains(&c) {
            marks = 0;
            continue;
        }
        if let Some(class) = class(c) {
            return Some(format!("U+{:04X} ({class}) at byte {at} of {}", u32::from(c), shortened(text)));
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS {
            return Some(format!("{marks} marks on one character at byte {at} of {}", shortened(text)));
        }
    }
    None
}

/// The same for a cell of a spreadsheet: one line, and nothing that it would calculate.
pub fn offence_in_cell(cell: &str) -> Option<String> {
    let runs = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}'];
    if cell.trim_start().starts_with(runs) && cell.parse::<f64>().is_err() {
        return Some(format!("a formula: {}", shortened(cell)));
    }
    if cell.contains('\n') {
        return Some(format!("two lines: {}", shortened(cell)));
    }
    offence(cell)
}

/// What a terminal is sent: words, and of control sequences only moves, colours, modes and erasures.
pub fn offence_to_terminal(bytes: &str) -> Option<String> {
    let mut words = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        words.push_str(before);
        let Some(end) = after.find(|c: char| c.is_ascii_alphabetic()) else {
            return Some("a sequence without an end".to_owned());
        };
        let (sequence, behind) = after.split_at(end + 1);
        let body = sequence.strip_prefix('[').and_then(|body| body.strip_suffix(['H', 'G', 'm', 'J', 'K', 'X', 'h', 'l', 'C']));
        let is_ours = body.is_some_and(|body| body.chars().all(|c| c.is_ascii_digit() || matches!(c, ';' | '?' | ':')));
        if !is_ours {
            return Some(format!("a strange sequence: {sequence:?}"));
        }
        rest = behind;
    }
    words.push_str(rest);
    // Back to the first column, as the encoder moves.
    offence(&words.replace('\r', ""))
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_unicode().to_string()
}
