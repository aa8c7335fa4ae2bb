//! A ledger's rows read as entries. What is missing or no number is an error that names the row, never silently nothing.

use crate::domain::{
    money::{Currency, Money},
    pack::Ledger,
    rows::{Row, Rows},
    snapshot::Entry,
    text::Text,
    value::Value,
};

pub fn entries(ledger: &Ledger, rows: &Rows, default: Currency) -> Result<Vec<Entry>, String> {
    rows.iter()
        .enumerate()
        .map(|(index, row)| {
            entry(ledger, row, default).map_err(|why| format!("{}: {} {why}", ledger.title, name(ledger, row, index)))
        })
        .collect()
}

fn name(ledger: &Ledger, row: &Row, index: usize) -> String {
    match row.find(&ledger.columns.key) {
        Some(key) if !key.original().is_empty() => format!("row {} ({key})", index + 1),
        Some(_) | None => format!("row {}", index + 1),
    }
}

fn entry(ledger: &Ledger, row: &Row, default: Currency) -> Result<Entry, String> {
    let columns = &ledger.columns;
    let key = present(row, &columns.key)?.original();
    if key.is_empty() {
        return Err(format!("has an empty `{}`", columns.key));
    }
    let amount_cell = present(row, &columns.amount)?;
    let minor = whole(amount_cell, &columns.amount)?;
    let currency = match (&columns.currency, amount_cell) {
        (Some(column), _) => {
            let code = present(row, column)?.original();
            Currency::from_code(&code).ok_or_else(|| format!("has no currency in `{column}`, but `{}`", Text::new(code)))?
        }
        (None, Value::Money(money)) => money.currency,
        (None, _) => default,
    };
    let refunded = match &columns.refunded {
        None => 0,
        // Nothing recorded as refunded is nothing refunded; a column that is not there at all is a mistake.
        Some(column) => match row.find(column) {
            Some(Value::Null) => 0,
            _ => whole(present(row, column)?, column)?,
        },
    };
    let at = present(row, &columns.at)?;
    let at = at.time().ok_or_else(|| format!("has no time in `{}`, but `{at}`", columns.at))?;
    let status = match &columns.status {
        None => None,
        Some(column) => match row.find(column) {
            None => return Err(format!("has no column `{column}`")),
            Some(Value::Null) => None,
            Some(value) => Some(Text::new(value.original())),
        },
    };
    let is_one_of = |words: &[String]| status.as_ref().is_some_and(|status| words.iter().any(|word| word == status.original()));
    let pending = is_one_of(&columns.pending);
    let settled = if columns.settled.is_empty() { !pending } else { is_one_of(&columns.settled) };
    // A link is often absent on rows that were made by hand; its column may be absent on all of them (flattened metadata).
    let link = columns.link.as_ref().and_then(|column| row.find(column)).map(Value::original).filter(|link| !link.is_empty());
    let (amount, refunded) = (Money::new(minor, currency), Money::new(refunded, currency));
    Ok(Entry { key, link, amount, refunded, at, status, settled, pending: pending && !settled, row: row.clone() })
}

fn present<'a>(row: &'a Row, column: &str) -> Result<&'a Value, String> {
    match row.find(column) {
        None => Err(format!("has no column `{column}`")),
        Some(Value::Null) => Err(format!("has an empty `{column}`")),
        Some(value) => Ok(value),
    }
}

fn whole(value: &Value, column: &str) -> Result<i64, String> {
    value.integer().ok_or_else(|| format!("has no whole minor units in `{column}`, but `{value}`"))
}
