//! What a query answered: named columns and rows of typed cells.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    money::{Currency, Money},
    value::Value,
};

/// Named values: bound parameters of a query, inputs of an action.
pub type Params = BTreeMap<String, Value>;

/// The names of moments that every read and every expression beside rows may use.
pub fn clock_names(now: DateTime<Utc>) -> Params {
    let ago = |days| Value::Time(now - TimeDelta::days(days));
    Params::from([
        ("now".to_owned(), Value::Time(now)),
        ("day_ago".to_owned(), ago(1)),
        ("week_ago".to_owned(), ago(7)),
        ("month_ago".to_owned(), ago(30)),
    ])
}

/// One row, with the names of its columns at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    columns: Arc<[String]>,
    cells: Vec<Value>,
}

impl Row {
    /// A cell for each column.
    pub fn new(columns: Arc<[String]>, mut cells: Vec<Value>) -> Self {
        cells.resize(columns.len(), Value::Null);
        Self { columns, cells }
    }

    /// The cells alone, in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.cells
    }

    /// `None` where the column does not exist; a cell that exists and is empty is `Value::Null`.
    pub fn find(&self, column: &str) -> Option<&Value> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.cells.get(index)
    }

    pub fn cells(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.columns.iter().map(String::as_str).zip(&self.cells)
    }

    pub fn params(&self) -> Params {
        self.cells().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    pub fn set(&mut self, column: &str, value: Value) {
        if let Some(cell) = self.columns.iter().position(|name| name == column).and_then(|index| self.cells.get_mut(index)) {
            *cell = value;
        }
    }
}

impl From<&Params> for Row {
    fn from(params: &Params) -> Self {
        Self { columns: params.keys().cloned().collect(), cells: params.values().cloned().collect() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    columns: Arc<[String]>,
    #[serde(rename = "rows")]
    all: Vec<Row>,
    /// How many more there are, and were left out because they are done already.
    #[serde(default)]
    left_out: usize,
}

impl Rows {
    /// Rows with too few cells are filled with null, surplus cells are dropped: every row has every column.
    pub fn new(columns: impl IntoIterator<Item = String>, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let columns: Arc<[String]> = columns.into_iter().collect();
        let all = rows
            .into_iter()
            .map(|mut cells| {
                cells.resize(columns.len(), Value::Null);
                Row { columns: Arc::clone(&columns), cells }
            })
            .collect();
        Self { columns, all, left_out: 0 }
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn first(&self) -> Option<&Row> {
        self.all.first()
    }

    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Without the rows whose `column` holds one of these, which are counted.
    #[must_use]
    pub fn without(mut self, column: &str, done: &HashSet<String>) -> Self {
        let before = self.all.len();
        self.all.retain(|row| !row.find(column).is_some_and(|value| done.contains(&value.original())));
        self.left_out += before - self.all.len();
        self
    }

    /// What a rule over the whole answer may name: the columns of the first row and, beside them, `rows` (how many
    /// there are), `left_out` (how many were) and `now`.
    pub fn facts(&self, now: DateTime<Utc>) -> Params {
        let mut facts = clock_names(now);
        facts.insert("rows".to_owned(), Value::Integer(self.all.len() as i64));
        facts.insert("left_out".to_owned(), Value::Integer(self.left_out as i64));
        facts.extend(self.first().into_iter().flat_map(Row::cells).map(|(name, cell)| (name.to_owned(), cell.clone())));
        facts
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.all.iter()
    }

    pub fn into_rows(self) -> Vec<Row> {
        self.all
    }

    /// Turns whole-number cells of the named columns into money: minor units of the row's `currency` column, where that is
    /// empty or not there of `default`. Of a currency that nobody knows they become words, which no rule takes for money,
    /// for a number or for nothing.
    #[must_use]
    pub fn with_money(mut self, columns: &[String], default: Currency) -> Self {
        for row in &mut self.all {
            let code = row.find("currency").map(Value::original).filter(|code| !code.trim().is_empty());
            let currency = code.as_ref().map_or(Some(default), |code| Currency::from_code(code.trim()));
            for column in columns {
                if let Some(minor) = row.find(column).and_then(Value::integer) {
                    let amount = currency.map(|currency| Value::Money(Money::new(minor, currency)));
                    let unknown = || Value::text(format!("{minor} minor units of {}", code.as_deref().unwrap_or_default()));
                    row.set(column, amount.unwrap_or_else(unknown));
                }
            }
        }
        self
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_in_its_rows_currency_and_in_none_where_nobody_knows_that_one() {
        let aud = Currency::from_code("AUD").unwrap();
        let money = |code: &str| Value::Money(Money::new(500, Currency::from_code(code).unwrap()));
        for (currency, amount) in [
            (Value::text("eur"), money("EUR")),
            // As a column of the type `char(5)` has it.
            (Value::text("EUR  "), money("EUR")),
            (Value::Null, money("AUD")),
            (Value::text(" "), money("AUD")),
            (Value::text("USDC"), Value::text("500 minor units of USDC")),
            (Value::text("ZZZ"), Value::text("500 minor units of ZZZ")),
            (Value::Integer(36), Value::text("500 minor units of 36")),
        ] {
            let rows = Rows::new(["amount", "currency"].map(ToOwned::to_owned), [vec![Value::Integer(500), currency.clone()]]);
            let rows = rows.with_money(&["amount".to_owned()], aud);
            assert_eq!(rows.first().unwrap().find("amount"), Some(&amount), "{currency:?}");
        }
        let rows = Rows::new(["amount".to_owned()], [vec![Value::Integer(500)]]).with_money(&["amount".to_owned()], aud);
        assert_eq!(rows.first().unwrap().find("amount"), Some(&money("AUD")));
    }
}
