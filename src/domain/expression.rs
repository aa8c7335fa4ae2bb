//! Rule expressions over a row: `refunded * 100.0 / total`, `ai_confidence >= 0.90`.
//!
//! Never a number where something is missing: an expression that uses a null cell has no value, and one that orders
//! text against a number is a mistake, not `true` (which is what the template language would say). The grammar is
//! minijinja's; the reckoning is our own, in exact decimals over typed cells.

mod calculate;
mod evaluate;
mod function;
mod syntax;

use std::{fmt, ops::Range, sync::Arc};

pub(super) use evaluate::Scope;
pub(super) use function::original;
pub(super) use syntax::{Node, check_length, range, understand};

use super::{
    rows::{Params, Row},
    value::Value,
};

/// A compiled expression and its source.
#[derive(Clone)]
pub struct Expression {
    source: String,
    node: Arc<Node>,
}

/// What is wrong with an expression, and where in it (bytes).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct ExpressionError {
    pub said: String,
    pub at: Range<usize>,
}

impl ExpressionError {
    pub(super) fn of_parser(error: &minijinja::Error, source: &str) -> Self {
        let said = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
        let at = error.range().filter(|range| range.end <= source.len()).unwrap_or(0..source.len());
        Self { said, at }
    }
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

impl Expression {
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        check_length(0..source.len())?;
        let parsed = minijinja::machinery::parse_expr(source).map_err(|error| ExpressionError::of_parser(&error, source))?;
        let node = understand(&parsed)?;
        Ok(Self { source: source.to_owned(), node: Arc::new(node) })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names that it reads, each once, in the order of their first use: columns, and what the caller gives beside
    /// them (`rows`, `now`, inputs). A part of a JSON cell is named in full (`body.mode`).
    pub fn columns(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.node.names(&mut names);
        names
    }

    pub fn evaluate(&self, row: &Row) -> Result<Value, NoValue> {
        self.node.evaluate(&Scope::of_row(row))
    }

    /// With further names beside the columns (`now`, `rows`, inputs); a column of the same name comes first.
    pub fn evaluate_with(&self, row: &Row, names: &Params) -> Result<Value, NoValue> {
        self.node.evaluate(&Scope::of_row(row).and(names))
    }

    /// True only where it certainly is: no value is not true.
    pub fn holds(&self, row: &Row) -> bool {
        self.evaluate(row).is_ok_and(|value| is_true(&value))
    }

    pub fn holds_with(&self, row: &Row, names: &Params) -> bool {
        self.evaluate_with(row, names).is_ok_and(|value| is_true(&value))
    }
}

/// SQLite has no booleans: its 1 is true.
fn is_true(value: &Value) -> bool {
    matches!(value, Value::Bool(true) | Value::Integer(1))
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rust_decimal::Decimal;

    use super::*;
    use crate::domain::{
        money::{Currency, Money},
        rows::Rows,
    };

    fn time(text: &str) -> Value {
        Value::Time(text.parse::<DateTime<Utc>>().unwrap())
    }

    fn decimal(text: &str) -> Value {
        Value::Decimal(text.parse::<Decimal>().unwrap())
    }

    fn row() -> Row {
        let aud = Currency::from_code("AUD").unwrap();
        let cells = [
            ("refunded", Value::Integer(9)),
            ("total", Value::Integer(76)),
            ("none_yet", Value::Integer(0)),
            ("ai_confidence", decimal("0.93")),
            ("amount", Value::Money(Money::new(2_200, aud))),
            ("fee", Value::Money(Money::new(91, aud))),
            ("dollars", Value::Money(Money::new(100, Currency::from_code("USD").unwrap()))),
            ("status", Value::text("pending")),
            ("note", Value::Null),
            ("approved", Value::Integer(1)),
            ("paid", Value::Bool(true)),
            ("bought", time("2026-06-18T14:00:00Z")),
            ("asked", time("2026-06-21T13:00:00Z")),
            ("body", Value::Json(serde_json::json!({"mode": "z_ai", "depth": {"n": 2.5}, "nothing": null}))),
            ("metadata.payment_id", Value::text("pay_1")),
        ];
        let (names, values): (Vec<_>, Vec<_>) = cells.into_iter().map(|(name, value)| (name.to_owned(), value)).unzip();
        Rows::new(names, [values]).into_rows().remove(0)
    }

    fn value(source: &str) -> Result<Value, NoValue> {
        Expression::parse(source).unwrap().evaluate(&row())
    }

    #[test]
    fn expressions_reckon_exactly() {
        for (source, expected) in [
            ("refunded * 100.0 / total > 11.8", Value::Bool(true)),
            ("0.1 + 0.2", decimal("0.3")),
            ("total - refunded", Value::Integer(67)),
            ("total // 10", Value::Integer(7)),
            ("total % 10", Value::Integer(6)),
            ("-refunded", Value::Integer(-9)),
            ("ai_confidence >= 0.90", Value::Bool(true)),
            ("0 < refunded < total", Value::Bool(true)),
            ("amount > 20", Value::Bool(true)),
            ("amount * 2", decimal("44")),
            ("hours(asked - bought)", decimal("71")),
            ("(asked - bought) | days < 3", Value::Bool(true)),
            ("asked > bought", Value::Bool(true)),
            ("bought + 3600", time("2026-06-18T15:00:00Z")),
            ("status in ['pending', 'failed']", Value::Bool(true)),
            ("status not in ['pending', 'failed']", Value::Bool(false)),
            ("'pend' in status", Value::Bool(true)),
            ("status == 'pending' and not approved == 0", Value::Bool(true)),
            ("approved and paid", Value::Bool(true)),
            ("paid == approved", Value::Bool(true)),
            ("note is none", Value::Bool(true)),
            ("status is not none", Value::Bool(true)),
            ("note | default(0)", Value::Integer(0)),
            ("1 if paid else 2", Value::Integer(1)),
            ("paid or note", Value::Bool(true)),
            ("body.mode", Value::text("z_ai")),
            ("body['depth'].n", decimal("2.5")),
            ("metadata.payment_id", Value::text("pay_1")),
            ("round(ai_confidence, 1)", decimal("0.9")),
            ("max(refunded, total)", Value::Integer(76)),
            ("lower('ABC') ~ refunded", Value::text("abc9")),
            ("length(status)", Value::Integer(7)),
        ] {
            assert_eq!(value(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn money_stays_money_where_it_is_only_added() {
        let aud = Currency::from_code("AUD").unwrap();
        assert_eq!(value("amount"), Ok(Value::Money(Money::new(2_200, aud))));
        assert_eq!(value("amount - fee"), Ok(Value::Money(Money::new(2_109, aud))));
        assert!(matches!(value("amount - dollars"), Err(NoValue::Mistake(_))));
        assert!(matches!(value("amount > dollars"), Err(NoValue::Mistake(_))));
    }

    #[test]
    fn what_is_empty_has_no_value_wherever_it_is_used() {
        for source in ["note", "note > 1", "note == 1", "1 + note", "note and paid", "not note", "body.nothing", "body.gone > 1"]
        {
            assert!(matches!(value(source), Err(NoValue::Null(_))), "{source}: {:?}", value(source));
        }
        assert_eq!(value("refund > 1"), Err(NoValue::NoColumn("refund".into())));
        assert_eq!(value("refund is none"), Err(NoValue::NoColumn("refund".into())));
    }

    #[test]
    fn kinds_that_do_not_compare_are_mistakes_and_never_true() {
        for source in [
            "status > 1.5",
            "status == 1",
            "paid > 0",
            "bought > 5",
            "bought > '2026-01-01'",
            "body > 1",
            "refunded / none_yet",
            "refunded % none_yet",
            "status + 1",
            "status and paid",
            "refunded and paid",
            "9223372036854775807 + refunded",
        ] {
            assert!(matches!(value(source), Err(NoValue::Mistake(_))), "{source}: {:?}", value(source));
            assert!(!Expression::parse(source).unwrap().holds(&row()), "{source}");
        }
    }

    #[test]
    fn the_caller_adds_names_and_cannot_replace_a_column() {
        let names: Params = [("now".to_owned(), time("2026-06-21T15:00:00Z")), ("refunded".to_owned(), Value::Integer(0))].into();
        let late = Expression::parse("hours(now - bought) > 72 and refunded > 0").unwrap();
        assert!(late.holds_with(&row(), &names));
        assert_eq!(late.columns(), ["now", "bought", "refunded"]);
        assert_eq!(late.evaluate(&row()), Err(NoValue::NoColumn("now".into())));
    }

    #[test]
    fn mistakes_in_the_source_are_placed() {
        for (source, part, said) in [
            ("a == none", "none", "nothing equals `none`"),
            ("a ** 2", "a ** 2", "`**`"),
            ("1 + frist(a)", "frist(a)", "`frist`"),
            ("a | json_safe", "json_safe", "`json_safe`"),
            ("a is odd", "odd", "`is odd`"),
            ("round(a, b, c)", "round(a, b, c)", "`round`"),
            ("a in [b", "b", "expected `,`"),
            ("a(1)(2)", "a(1)", "only a function"),
            ("{'a': 1}", "{'a': 1}", "map"),
        ] {
            let error = Expression::parse(source).unwrap_err();
            assert!(error.said.contains(said), "{source}: {error}");
            assert_eq!(source.get(error.at), Some(part), "{source}");
        }
    }

    #[test]
    fn what_nests_without_end_is_refused_and_not_fallen_over() {
        for source in
            ["(".repeat(5_000), "not ".repeat(5_000) + "a", "a + ".repeat(5_000) + "a", "[".repeat(5_000), "-".repeat(5_000)]
        {
            assert!(Expression::parse(&source).is_err());
            assert!(crate::domain::template::Template::parse(&format!("{{{{ {source} }}}}")).is_err());
        }
        let longest = "a+".repeat(60) + "1";
        assert_eq!(Expression::parse(&longest).unwrap().evaluate(&row()), Err(NoValue::NoColumn("a".into())));
    }

    #[test]
    fn a_long_queue_is_filtered_without_parsing_again() {
        let columns = ["ai_confidence".to_owned(), "status".to_owned()];
        let rows =
            Rows::new(columns, (0..100_000).map(|n| vec![Value::Decimal(Decimal::new(n % 100, 2)), Value::text("pending")]));
        let safe = Expression::parse("ai_confidence >= 0.90 and status == 'pending'").unwrap();
        assert_eq!(rows.iter().filter(|row| safe.holds(row)).count(), 10_000);
    }
}
