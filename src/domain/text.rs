//! The one door for text from outside: what a terminal could act on, or an eye be deceived by, is made visible.

use std::{borrow::Cow, fmt, fmt::Write as _, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Combining marks that may follow one base character; more are a picture, not a word.
const MARKS_PER_CHARACTER: usize = 4;

/// Text from outside: `shown` is safe for any output, `original` is kept for records and for sending back.
#[derive(Clone)]
pub struct Text {
    original: Arc<str>,
    shown: Option<Arc<str>>,
}

impl Text {
    pub fn new(original: impl Into<Arc<str>>) -> Self {
        let original = original.into();
        let shown = (!is_safe(&original)).then(|| Arc::from(made_safe(&original)));
        Self { original, shown }
    }

    /// What came in, byte for byte. Only for bound parameters, request bodies and the record; never for a screen.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Free of control, bidirectional, zero-width and tag characters; line breaks stay, for paragraphs.
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.original)
    }

    /// `shown` on one line: line breaks become a visible mark.
    pub fn one_line(&self) -> String {
        self.shown().replace('\n', " ↵ ")
    }
}

/// `1 row`, `2 rows`.
pub fn counted<N: Copy + fmt::Display + PartialEq + From<u8>>(count: N, thing: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// A cell for CSV, safe and on one line: what a spreadsheet would run as a formula, in either width and behind blanks,
/// gets a leading apostrophe; plain numbers stay numbers.
pub fn csv_cell(cell: &str) -> Cow<'_, str> {
    let is_formula = |cell: &str| {
        cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '−']) && cell.parse::<f64>().is_err()
    };
    // A tab becomes blanks, and is a sign of an attempt by itself.
    let is_run = is_formula(cell) || cell.starts_with(['\t', '\r']);
    if !is_run && is_safe(cell) && !cell.contains('\n') {
        return Cow::Borrowed(cell);
    }
    let shown = Text::new(cell).one_line();
    if is_run || is_formula(&shown) { Cow::Owned(format!("'{shown}")) } else { Cow::Owned(shown) }
}

/// The same JSON, with every character escaped that a screen must not see.
pub fn safe_json(json: &str) -> Cow<'_, str> {
    if is_safe(json) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    let mut marks = 0;
    for c in json.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if c == '\n' || !is_forbidden(c) && marks <= MARKS_PER_CHARACTER {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(safe)
}

/// For the eyes of others, in a mail or a message: what a screen must not see is left out, without a trace.
pub fn spoken(text: &str) -> Cow<'_, str> {
    if is_safe(text) {
        return Cow::Borrowed(text);
    }
    let mut marks = 0;
    let keep = |c: &char| {
        if *c != '\n' && is_forbidden(*c) {
            // What is left out parts no marks from their character.
            return false;
        }
        marks = if is_mark(*c) { marks + 1 } else { 0 };
        marks <= MARKS_PER_CHARACTER
    };
    Cow::Owned(text.replace("\r\n", "\n").replace(['\t', '\r'], " ").chars().filter(keep).collect())
}

fn is_safe(text: &str) -> bool {
    let mut marks = 0;
    text.chars().all(|c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        (c == '\n' || !is_forbidden(c)) && marks <= MARKS_PER_CHARACTER
    })
}

fn made_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    let mut marks = 0;
    for c in text.replace("\r\n", "\n").chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            '\n' => safe.push('\n'),
            '\t' => safe.push_str("    "),
            _ if marks == MARKS_PER_CHARACTER + 1 => safe.push('\u{fffd}'),
            _ if marks > MARKS_PER_CHARACTER => {}
            c if is_forbidden(c) => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "<{:04X}>", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && matches!(c.general_category(), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// Control and format characters, line and paragraph separators, private use and unassigned code points.
fn is_forbidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // Invisible, yet not of category Format: fillers that pad a name to look like another one, vowels and selectors
    // that nothing shows.
    if matches!(
        c,
        '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'
            ..='\u{180f}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
    ) || ('\u{fe00}'..='\u{fe0f}').contains(&c)
        || ('\u{e0100}'..='\u{e01ef}').contains(&c)
    {
        return true;
    }
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    )
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.shown())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new("")
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.original == other.original
    }
}

impl Eq for Text {}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.original.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Arc::<str>::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_kept_without_a_copy() {
        let text = Text::new("Great with our anxious puppy, naïve café 犬");
        assert!(text.shown.is_none());
    }

    #[test]
    fn what_a_terminal_could_act_on_becomes_visible() {
        assert_eq!(Text::new("a\u{1b}[2Jb").shown(), "a<001B>[2Jb");
        assert_eq!(Text::new("x\u{202e}cod").shown(), "x<202E>cod");
        assert_eq!(Text::new("pay\u{200b}pal").shown(), "pay<200B>pal");
        assert_eq!(Text::new("a\tb").shown(), "a    b");
        assert_eq!(Text::new("a\r\nb").shown(), "a\nb");
        assert_eq!(Text::new("a\nb").one_line(), "a ↵ b");
    }

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        for (cell, safe) in
            [("=1+1", "'=1+1"), ("@sum(a1)", "'@sum(a1)"), ("-22.00", "-22.00"), ("-2+3", "'-2+3"), ("A$22", "A$22")]
        {
            assert_eq!(csv_cell(cell), safe);
        }
        for (cell, safe) in
            [("＝1+1", "'＝1+1"), (" =1", "' =1"), ("\t=1", "'    =1"), ("a\u{202e}\nb", "a<202E> ↵ b"), ("\r1", "'<000D>1")]
        {
            assert_eq!(csv_cell(cell), safe);
        }
    }

    #[test]
    fn json_says_the_same_without_a_character_that_a_screen_must_not_see() {
        let value = serde_json::json!({ "naïve \u{202e}": "犬 \u{7f}\u{9b}2J \u{e0041}\u{17b4}" });
        let text = value.to_string();
        let safe = safe_json(&text);
        assert!(is_safe(&safe) && safe.contains("naïve \\u202e") && safe.contains("犬"), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        assert!(matches!(safe_json("{\n}"), Cow::Borrowed(_)));
    }

    #[test]
    fn others_are_told_without_what_deceives() {
        assert_eq!(spoken("pay\u{200b}pal\u{202e}\t犬\r\nx"), "paypal 犬\nx");
        assert_eq!(spoken(&"\u{301}\u{200b}".repeat(9)), "\u{301}".repeat(4));
        assert!(matches!(spoken("naïve 犬"), Cow::Borrowed(_)));
    }

    #[test]
    fn stacked_marks_are_cut() {
        let zalgo = format!("e{}x", "\u{301}".repeat(30));
        assert_eq!(Text::new(zalgo).shown(), format!("e{}\u{fffd}x", "\u{301}".repeat(4)));
    }

    #[test]
    fn no_scalar_value_passes_that_a_screen_must_not_see() {
        for c in '\0'..=char::MAX {
            let shown = Text::new(c.to_string());
            assert!(shown.shown().chars().all(|c| c == '\n' || !is_forbidden(c)), "U+{:04X}", u32::from(c));
        }
    }
}
