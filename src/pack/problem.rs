//! What is wrong with a file, said as a compiler says it: place, line, caret, what was expected.

use std::{fmt, ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One mistake and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In bytes of the file.
    pub span: Range<usize>,
    pub message: String,
    /// What stands under the caret.
    pub label: String,
    pub help: Option<String>,
    text: Arc<str>,
}

/// All mistakes of a file, in the order of their places; never empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problem {
    pub(super) fn new(
        file: Arc<str>,
        text: Arc<str>,
        span: Range<usize>,
        message: String,
        label: String,
        help: Option<String>,
    ) -> Self {
        let start = floor(&text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        // A caret under a whole paragraph says nothing: it stays on the first line.
        let line_end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| start + length);
        let end = floor(&text, span.end).clamp(start, line_end.max(start));
        Self { file, line, column, span: start..end, message, label, help, text }
    }

    /// The same about a secret that was written: what stands there is not shown.
    #[must_use]
    pub(super) fn hiding(mut self) -> Self {
        let Range { start, end } = self.span.clone();
        let shown = self.text.get(start..end).unwrap_or_default();
        let stars: String = shown.bytes().map(|byte| if matches!(byte, b'"' | b'\'') { char::from(byte) } else { '*' }).collect();
        let (before, after) = (self.text.get(..start).unwrap_or_default(), self.text.get(end..).unwrap_or_default());
        self.text = format!("{before}{stars}{after}").into();
        self
    }

    fn render(&self, renderer: &Renderer) -> String {
        let title = format!("{}:{}:{}: {}", self.file, self.line, self.column, self.message);
        if self.text.is_empty() {
            // A file that could not be read has no line to show.
            return title;
        }
        let caret = AnnotationKind::Primary.span(self.span.clone()).label(self.label.as_str());
        let text = without_secrets(&self.text);
        let snippet = Snippet::source(text.as_str()).line_start(1).fold(true).annotation(caret);
        let mut group = Group::with_title(Level::ERROR.no_name().primary_title(title.as_str())).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "file": *self.file,
            "line": self.line,
            "column": self.column,
            "span": [self.span.start, self.span.end],
            "message": self.message,
            "label": self.label,
            "help": self.help,
        })
    }
}

/// How keys and tokens begin.
const SECRETS: [&str; 8] = ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "Bearer ", "Basic ", "eyJ"];

/// The text with stars, byte for byte, for what looks like a secret that was written where only its place may be named: what
/// is wrong with a pack ends up in logs of others.
fn without_secrets(text: &str) -> String {
    text.split_inclusive(['"', '\'']).fold(String::with_capacity(text.len()), |mut shown, piece| {
        let authority = piece
            .split_once("://")
            .map(|(scheme, rest)| (scheme.len() + 3, rest.split(['/', '?', '#']).next().unwrap_or_default()));
        let password = authority.and_then(|(start, authority)| {
            let (before, password) = authority.rsplit_once('@')?.0.split_once(':')?;
            Some((start + before.len() + 1, password.len()))
        });
        let token = SECRETS
            .iter()
            .find(|mark| piece.starts_with(*mark))
            .map(|mark| (mark.len(), piece.trim_end_matches(['"', '\'']).len() - mark.len()));
        match token.or(password) {
            Some((from, length)) => {
                let (before, rest) = piece.split_at(from);
                let (_, after) = rest.split_at(length);
                shown.push_str(before);
                shown.extend(std::iter::repeat_n('*', length));
                shown.push_str(after);
            }
            None => shown.push_str(piece),
        }
        shown
    })
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl Problems {
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes those of another reading in, each in its place.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut problems = self.0;
        problems.extend(other.0);
        Self::from(problems)
    }

    pub fn to_json(&self) -> serde_json::Value {
        self.0.iter().map(Problem::to_json).collect()
    }

    /// As `Display`, with the terminal's colours.
    pub fn in_colour(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        self.0.iter().map(|problem| problem.render(renderer)).collect::<Vec<_>>().join("\n\n")
    }
}

/// Sorted by place; the same words at the same place are said once.
impl From<Vec<Problem>> for Problems {
    fn from(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        problems.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        Self(problems)
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Each problem as a compiler says it, `file:line:column` first, an empty line between two.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_pack_is_not_repeated() {
        let text = "key_env = \"rk_live_abc\"\nurl = 'postgres://app:p%40ss@db/app'\nx = \"https://a.example/?b@c\"\n";
        let shown = "key_env = \"rk_live_***\"\nurl = 'postgres://app:******@db/app'\nx = \"https://a.example/?b@c\"\n";
        assert_eq!(without_secrets(text), shown);
    }
}
