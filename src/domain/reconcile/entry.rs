//! What a ledger's row says. What is missing or no number is an error that names the row, never silently nothing.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{cell::Cell, cells::Compared};
use crate::domain::{
    money::{Currency, Money},
    pack::LedgerColumns,
    text::Text,
};

/// The places of a ledger's columns among those that the rows have now.
#[derive(Clone, Debug, Default)]
pub struct Places {
    key: Option<usize>,
    link: Option<usize>,
    amount: Option<usize>,
    refunded: Option<usize>,
    currency: Option<usize>,
    at: Option<usize>,
    status: Option<usize>,
}

impl Places {
    pub fn of(columns: &LedgerColumns, names: &[String]) -> Self {
        let find = |name: &String| names.iter().position(|known| known == name);
        Self {
            key: find(&columns.key),
            link: columns.link.as_ref().and_then(find),
            amount: find(&columns.amount),
            refunded: columns.refunded.as_ref().and_then(find),
            currency: columns.currency.as_ref().and_then(find),
            at: find(&columns.at),
            status: columns.status.as_ref().and_then(find),
        }
    }
}

/// What of a row a cell is, by its place; where a column is two things, the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Key,
    Link,
    Status,
    At,
    Amount,
    Refunded,
    Currency,
    /// Nothing that is compared.
    Beside,
}

impl Places {
    pub fn roles(&self, count: usize) -> Vec<Role> {
        let known = [
            (self.key, Role::Key),
            (self.link, Role::Link),
            (self.status, Role::Status),
            (self.at, Role::At),
            (self.amount, Role::Amount),
            (self.refunded, Role::Refunded),
            (self.currency, Role::Currency),
        ];
        let role = |place| known.iter().find(|(known, _)| *known == Some(place)).map_or(Role::Beside, |(_, role)| *role);
        (0..count).map(role).collect()
    }
}

/// The currency of amounts that come without one, and those that were met already: looking one up among all that there
/// are costs more than anything else of a row.
#[derive(Debug)]
pub struct Currencies {
    default: Currency,
    met: Vec<(String, Currency)>,
}

impl Currencies {
    pub fn with_default(default: Currency) -> Self {
        Self { default, met: Vec::new() }
    }

    fn find(&mut self, code: &str) -> Option<Currency> {
        if let Some((_, known)) = self.met.iter().find(|(met, _)| met == code) {
            return Some(*known);
        }
        let found = Currency::from_code(code.trim())?;
        self.met.push((code.to_owned(), found));
        Some(found)
    }
}

/// One row, read.
#[derive(Debug)]
pub struct Facts<'a> {
    pub key: Cow<'a, str>,
    pub link: Option<Cow<'a, str>>,
    pub minor: i64,
    pub refunded: i64,
    pub currency: Currency,
    pub at: DateTime<Utc>,
    pub status: Option<Cow<'a, str>>,
    pub settled: bool,
    pub pending: bool,
}

impl Facts<'_> {
    /// The row in the forms in which its own cells say it.
    pub fn compared(&self) -> Compared<'_> {
        Compared {
            key: Some(&self.key),
            link: self.link.as_deref(),
            status: self.status.as_deref(),
            minor: self.minor,
            refunded: self.refunded,
            currency: self.currency,
            at: self.at,
        }
    }
}

/// Why a row cannot be read, without its name.
pub fn facts<'a>(
    columns: &LedgerColumns,
    places: &Places,
    cells: &'a [Cell<'_>],
    currencies: &mut Currencies,
) -> Result<Facts<'a>, String> {
    let key = words(present(cells, places.key, &columns.key)?);
    if key.is_empty() {
        return Err(format!("has an empty `{}`", columns.key));
    }
    let amount = present(cells, places.amount, &columns.amount)?;
    let minor = whole(amount, &columns.amount)?;
    let currency = match (&columns.currency, amount) {
        (Some(column), _) => {
            let code = words(present(cells, places.currency, column)?);
            currencies.find(&code).ok_or_else(|| format!("has no currency in `{column}`, but `{}`", Text::new(code.as_ref())))?
        }
        (None, Cell::Money(money)) => money.currency,
        (None, _) => currencies.default,
    };
    let refunded = match &columns.refunded {
        None => 0,
        // Nothing recorded as refunded is nothing refunded; a column that is not there at all is a mistake.
        Some(column) => match cell(cells, places.refunded) {
            Some(Cell::Null) => 0,
            _ => whole(present(cells, places.refunded, column)?, column)?,
        },
    };
    let at = present(cells, places.at, &columns.at)?;
    let Cell::Time(at) = *at else {
        return Err(format!("has no time in `{}`, but `{}`", columns.at, at.value()));
    };
    let status = match &columns.status {
        None => None,
        Some(column) => match cell(cells, places.status) {
            None => return Err(format!("has no column `{column}`")),
            Some(Cell::Null) => None,
            Some(cell) => Some(words(cell)),
        },
    };
    let is_one_of = |known: &[String]| status.as_ref().is_some_and(|status| known.iter().any(|word| word == status));
    let pending = is_one_of(&columns.pending);
    let settled = if columns.settled.is_empty() { !pending } else { is_one_of(&columns.settled) };
    // A link is often absent on rows that were made by hand; its column may be absent on all of them (flattened metadata).
    let link = cell(cells, places.link).map(words).filter(|link| !link.is_empty());
    Ok(Facts { key, link, minor, refunded, currency, at, status, settled, pending: pending && !settled })
}

/// `row 7 (ch_1)`.
pub fn name(places: &Places, cells: &[Cell<'_>], number: usize) -> String {
    match cell(cells, places.key).map(|cell| cell.value()) {
        Some(key) if !key.original().is_empty() => format!("row {number} ({key})"),
        Some(_) | None => format!("row {number}"),
    }
}

fn cell<'a, 'b>(cells: &'a [Cell<'b>], place: Option<usize>) -> Option<&'a Cell<'b>> {
    place.and_then(|place| cells.get(place))
}

fn present<'a, 'b>(cells: &'a [Cell<'b>], place: Option<usize>, column: &str) -> Result<&'a Cell<'b>, String> {
    match cell(cells, place) {
        None => Err(format!("has no column `{column}`")),
        Some(Cell::Null) => Err(format!("has an empty `{column}`")),
        Some(cell) => Ok(cell),
    }
}

/// The original text.
fn words<'a>(cell: &'a Cell<'_>) -> Cow<'a, str> {
    match cell {
        Cell::Text(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.value().original()),
    }
}

fn whole(cell: &Cell<'_>, column: &str) -> Result<i64, String> {
    let whole = match *cell {
        Cell::Integer(number) => Some(number),
        Cell::Money(Money { minor, .. }) => Some(minor),
        other => other.value().integer(),
    };
    whole.ok_or_else(|| format!("has no whole minor units in `{column}`, but `{}`", cell.value()))
}
