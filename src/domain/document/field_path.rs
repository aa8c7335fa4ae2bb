//! Where a field stands in a document: names with dots between them, odd names in backticks.

use std::fmt;

/// A field of a document, or of a map in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    segments: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldPathError {
    #[error("a name in it is empty")]
    Empty,
    #[error("a backtick is opened and not closed")]
    Unclosed,
    #[error("between a closed backtick and what follows a dot is missing")]
    NoDot,
}

impl FieldPath {
    /// Names without a dot or a backtick in them need no quoting.
    pub fn parse(text: &str) -> Result<Self, FieldPathError> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, after) = if let Some(quoted) = rest.strip_prefix('`') {
                quoted_name(quoted)?
            } else {
                let (name, after) = rest.split_at(rest.find(['.', '`']).unwrap_or(rest.len()));
                (name.to_owned(), after)
            };
            if segment.is_empty() {
                return Err(FieldPathError::Empty);
            }
            segments.push(segment);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Self { segments }),
                None => return Err(FieldPathError::NoDot),
            }
        }
    }

    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// True for names that the database keeps for itself (`__name__`).
    pub fn is_reserved(&self) -> bool {
        self.segments.iter().any(|name| name.len() > 4 && name.starts_with("__") && name.ends_with("__"))
    }

    /// True where one of them is the other, or a part of it: one write cannot say both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.segments.iter().zip(&other.segments).all(|(one, other)| one == other)
    }
}

/// The name up to the closing backtick, and what follows that.
fn quoted_name(text: &str) -> Result<(String, &str), FieldPathError> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '`' => return Ok((name, text.get(at + 1..).unwrap_or_default())),
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            other => name.push(other),
        }
    }
    Err(FieldPathError::Unclosed)
}

/// As the interface wants it: what is no plain name stands in backticks.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, name) in self.segments.iter().enumerate() {
            if number > 0 {
                f.write_str(".")?;
            }
            let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
            if is_plain {
                f.write_str(name)?;
            } else {
                write!(f, "`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted_and_read_back_as_they_were() {
        for (written, segments, told) in [
            ("status", &["status"][..], "status"),
            ("payment.amount_cents", &["payment", "amount_cents"], "payment.amount_cents"),
            ("odd-name.x", &["odd-name", "x"], "`odd-name`.x"),
            ("`a.b`.c", &["a.b", "c"], "`a.b`.c"),
            (r"`tick\`\\`", &[r"tick`\"], r"`tick\`\\`"),
            ("1st", &["1st"], "`1st`"),
            ("größe", &["größe"], "`größe`"),
        ] {
            let path = FieldPath::parse(written).unwrap();
            assert_eq!(
                (path.segments(), path.to_string().as_str()),
                (segments.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(), told)
            );
            assert_eq!(FieldPath::parse(told).unwrap(), path);
        }
        for (written, error) in [
            ("", FieldPathError::Empty),
            ("a..b", FieldPathError::Empty),
            (".a", FieldPathError::Empty),
            ("a.", FieldPathError::Empty),
            ("`a", FieldPathError::Unclosed),
            ("`a`b", FieldPathError::NoDot),
            ("a`b`", FieldPathError::NoDot),
        ] {
            assert_eq!(FieldPath::parse(written), Err(error), "{written}");
        }
    }

    #[test]
    fn a_map_and_a_part_of_it_overlap() {
        let path = |text: &str| FieldPath::parse(text).unwrap();
        assert!(path("a").overlaps(&path("a.b")) && path("a.b").overlaps(&path("a")) && path("a").overlaps(&path("a")));
        assert!(!path("a.b").overlaps(&path("a.c")) && !path("a").overlaps(&path("ab")));
        assert!(path("__name__").is_reserved() && path("a.__x__").is_reserved() && !path("__").is_reserved());
    }
}
