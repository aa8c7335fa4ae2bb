//! From a place in a text to its place in the TOML literal that spells it, past quotes and escapes.

use std::ops::Range;

/// The bytes of `literal` (quotes included) that spell the bytes `part` of its text.
pub(super) fn locate(literal: &str, part: Range<usize>) -> Option<Range<usize>> {
    let (quote, escapes) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| literal.starts_with(quote) && literal.len() >= quote.len() * 2)
        .map(|quote| (quote, quote.starts_with('"')))?;
    let mut at = quote.len();
    if quote.len() == 3 {
        at += ["\r\n", "\n"].into_iter().find(|line| rest(literal, at).starts_with(line)).map_or(0, str::len);
    }
    let end = literal.len() - quote.len();
    let (mut decoded, mut start) = (0, None);
    while at < end {
        if start.is_none() && decoded >= part.start {
            start = Some(at);
        }
        if decoded >= part.end && part.end > part.start {
            break;
        }
        let Some(character) = rest(literal, at).chars().next() else { break };
        let (spelt, meant) =
            if character == '\\' && escapes { escape(rest(literal, at)) } else { (character.len_utf8(), character.len_utf8()) };
        at += spelt;
        decoded += meant;
        if start.is_some() && part.is_empty() {
            break;
        }
    }
    let start = start.unwrap_or(end);
    Some(start..at.max(start + 1).min(literal.len()))
}

fn rest(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

/// How many bytes an escape takes, and how many it means.
fn escape(text: &str) -> (usize, usize) {
    let digits = match text.chars().nth(1) {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(c) if c.is_whitespace() => {
            // A backslash at the end of a line swallows all white space up to the next word.
            let swallowed = text.len() - rest(text, 1).trim_start().len();
            return (swallowed, 0);
        }
        _ => return (2, 1),
    };
    let code = text.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
    (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_past_quotes_and_escapes() {
        for (literal, text) in [
            (r#""plain FOUND here""#, "plain FOUND here"),
            ("'''\nwhere a = 'x'\n  and FOUND'''", "where a = 'x'\n  and FOUND"),
            (r#""a \"quoted\" \u00e9 FOUND""#, "a \"quoted\" é FOUND"),
            ("\"\"\"\nline \\\n   joined FOUND\"\"\"", "line joined FOUND"),
            (r"'no \ escape FOUND'", r"no \ escape FOUND"),
        ] {
            let from = text.find("FOUND").unwrap();
            let at = locate(literal, from..from + 5).unwrap();
            assert_eq!(literal.get(at), Some("FOUND"), "{literal}");
        }
        assert_eq!(locate("42", 0..1), None);
        assert_eq!(locate("\"\"", 0..0), Some(1..2));
    }
}
