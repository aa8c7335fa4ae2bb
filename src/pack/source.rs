//! A file's text and its tree of keys and values, each with its place: what turns a finding into a line and a caret.

use std::{ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    literal,
    place::{Place, Step},
    problem::{Problem, Problems},
};

/// A TOML file that was read, well-formed or not.
#[derive(Clone, Debug)]
pub struct Source {
    file: Arc<str>,
    text: Arc<str>,
    root: Arc<Tree>,
}

/// A value of the file, its own place, and the place of its key.
#[derive(Debug)]
pub(super) struct Tree {
    pub key: Option<Range<usize>>,
    pub span: Range<usize>,
    pub shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    /// In the order of the file.
    Table(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Text(String),
    Integer,
    Float,
    Truth,
    Time,
}

impl Shape {
    /// As a person says it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::Array(_) => "a list",
            Self::Text(_) => "a text",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Truth => "true or false",
            Self::Time => "a date",
        }
    }
}

impl Source {
    /// Reads as much as can be read; what is no TOML is in the problems.
    pub(super) fn read<'t>(file: &str, text: &'t str) -> (Self, DeTable<'t>, Vec<Problem>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let tree = Tree { key: None, span: root.span(), shape: table(root.get_ref()) };
        let source = Self { file: file.into(), text: text.into(), root: Arc::new(tree) };
        let problems = without_echoes(&errors, text)
            .into_iter()
            .map(|error| {
                let (message, label) = plain_words(error.message());
                source.problem(error.span().unwrap_or(0..0), message, label, None)
            })
            .collect();
        (source, root.into_inner(), problems)
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn root(&self) -> &Tree {
        &self.root
    }

    pub(super) fn find(&self, place: &Place) -> Option<&Tree> {
        place.0.iter().try_fold(self.root(), |tree, step| tree.child(step))
    }

    pub(super) fn text_at(&self, place: &Place) -> Option<&str> {
        match &self.find(place)?.shape {
            Shape::Text(text) => Some(text),
            Shape::Table(_) | Shape::Array(_) | Shape::Integer | Shape::Float | Shape::Truth | Shape::Time => None,
        }
    }

    /// The bytes of what stands at a place; the nearest enclosing thing where there is nothing.
    pub fn locate(&self, place: &Place) -> Range<usize> {
        let mut tree = self.root();
        for step in &place.0 {
            let Some(child) = tree.child(step) else { break };
            tree = child;
        }
        match (&tree.shape, &tree.key) {
            (Shape::Table(_) | Shape::Array(_), Some(key)) => key.clone(),
            (_, None) if std::ptr::eq(tree, self.root()) => 0..0,
            _ => tree.span.clone(),
        }
    }

    /// The bytes of the key at a place.
    pub(super) fn locate_key(&self, place: &Place) -> Range<usize> {
        self.find(place).and_then(|tree| tree.key.clone()).unwrap_or_else(|| self.locate(place))
    }

    /// The bytes of a part of the text at a place, given in bytes of the text itself.
    pub(super) fn locate_within(&self, place: &Place, part: Range<usize>) -> Range<usize> {
        let whole = self.locate(place);
        let literal = self.text.get(whole.clone()).unwrap_or_default();
        let Some(inside) = literal::locate(literal, part) else { return whole };
        whole.start + inside.start..whole.start + inside.end
    }

    pub fn problem(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Problem {
        Problem::new(Arc::clone(&self.file), Arc::clone(&self.text), span, message.into(), label.into(), help)
    }

    /// A problem found later, where something stands: `checks.refund_rate`, `keys.approve`.
    pub fn problem_at(&self, path: &str, message: impl Into<String>, label: impl Into<String>) -> Problems {
        let span = self.locate(&Place::parse(path));
        Problems::from(vec![self.problem(span, message, label, None)])
    }
}

impl Tree {
    pub(super) fn child(&self, step: &Step) -> Option<&Self> {
        match (step, &self.shape) {
            (Step::Key(key), Shape::Table(entries)) => entries.iter().find(|(name, _)| name == key).map(|(_, tree)| tree),
            (Step::Index(index), Shape::Array(items)) => items.get(*index),
            // One table may stand where a list of them could.
            (Step::Index(0), Shape::Table(_)) => Some(self),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(text) => Some(text),
            Shape::Table(_) | Shape::Array(_) | Shape::Integer | Shape::Float | Shape::Truth | Shape::Time => None,
        }
    }

    /// The keys of a table, in the order of the file; none of anything else.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let entries = match &self.shape {
            Shape::Table(entries) => entries.as_slice(),
            Shape::Array(_) | Shape::Text(_) | Shape::Integer | Shape::Float | Shape::Truth | Shape::Time => &[],
        };
        entries.iter().map(|(name, _)| name.as_str())
    }
}

fn table(table: &DeTable<'_>) -> Shape {
    let mut entries: Vec<(String, Tree)> =
        table.iter().map(|(key, value)| (key.get_ref().to_string(), Tree { key: Some(key.span()), ..tree(value) })).collect();
    entries.sort_by_key(|(_, tree)| tree.key.as_ref().map(|key| key.start));
    Shape::Table(entries)
}

fn tree(value: &Spanned<DeValue<'_>>) -> Tree {
    let shape = match value.get_ref() {
        DeValue::String(text) => Shape::Text(text.to_string()),
        DeValue::Integer(_) => Shape::Integer,
        DeValue::Float(_) => Shape::Float,
        DeValue::Boolean(_) => Shape::Truth,
        DeValue::Datetime(_) => Shape::Time,
        DeValue::Array(items) => Shape::Array(items.iter().map(tree).collect()),
        DeValue::Table(entries) => table(entries),
    };
    Tree { key: None, span: value.span(), shape }
}

/// A section that is there twice would make every key of it be there twice: only the section is told.
fn without_echoes<'e>(errors: &'e [toml::de::Error], text: &str) -> Vec<&'e toml::de::Error> {
    let mut sections = Vec::new();
    let is_twice = |error: &toml::de::Error| error.message() == "duplicate key";
    for error in errors.iter().filter(|error| is_twice(error)) {
        let at = error.span().unwrap_or(0..0).start;
        let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        if line.trim_start().starts_with('[') {
            let end = text.get(at..).and_then(|rest| rest.find("\n[")).map_or(text.len(), |length| at + length);
            sections.push(at..end);
        }
    }
    let is_echo = |at: usize| sections.iter().any(|section| section.contains(&at) && section.start != at);
    errors.iter().filter(|error| !(is_twice(error) && error.span().is_some_and(|span| is_echo(span.start)))).collect()
}

/// The parser's words, with the part that says what was expected as the label.
fn plain_words(message: &str) -> (String, String) {
    match message.split_once(", ") {
        Some((what, expected)) => (format!("not TOML: {what}"), expected.to_owned()),
        None if message == "duplicate key" => ("this key is there twice".into(), "second time".into()),
        None => (format!("not TOML: {message}"), "here".into()),
    }
}
