//! Rule expressions over a row: `refunded * 100.0 / total`, `ai_confidence >= 0.90`.
//!
//! Never a number where something is missing: an expression that uses a null cell has no value, and one that orders
//! text against a number is a mistake, not `true` (which is what the template language would say).

use std::{fmt, sync::OnceLock};

use minijinja::Environment;

use super::{rows::Row, value::Value};

/// A compiled expression and its source.
#[derive(Clone)]
pub struct Expression {
    source: String,
}

/// What is wrong with an expression, and where in it (bytes).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct ExpressionError {
    pub said: String,
    pub at: std::ops::Range<usize>,
}

/// Why an expression has no value for a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    #[error("`{0}` is empty")]
    Null(String),
    #[error("there is no column `{0}`")]
    NoColumn(String),
    #[error("{0}")]
    Mistake(String),
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(Environment::new)
}

impl Expression {
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        environment()
            .compile_expression(source)
            .map_err(|error| ExpressionError { said: error.to_string(), at: error.range().unwrap_or(0..source.len()) })?;
        Ok(Self { source: source.to_owned() })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// The columns that it reads.
    pub fn columns(&self) -> Vec<String> {
        Vec::new()
    }

    pub fn evaluate(&self, row: &Row) -> Result<Value, NoValue> {
        let _ = row;
        Err(NoValue::Mistake(String::new()))
    }

    /// True only where it certainly is: no value is not true.
    pub fn holds(&self, row: &Row) -> bool {
        matches!(self.evaluate(row), Ok(Value::Bool(true)))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}
