//! A ledger in memory: its rows as they come in, each told once, in a few dozen bytes beside its own texts.

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};

use super::{
    cell::Cell,
    cells::{Cells, Compared},
    entry::{self, Currencies, Facts, Places, Role},
    hashes::Hashes,
    heap::{Heap, Spot},
};
use crate::domain::{
    money::{Currency, Money},
    pack::{Ledger, LedgerColumns},
    rows::Rows,
    snapshot::Entry,
    text::Text,
};

/// More rows than this of one side are refused: their places would not fit.
const MOST: usize = 50_000_000;
const NO_STATUS: u32 = u32::MAX;

/// What of a row is compared; amounts in minor units. One row is one line of the processor's memory.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Line {
    pub minor: i64,
    pub refunded: i64,
    pub at: DateTime<Utc>,
    pub currency: Currency,
    pub settled: bool,
    pub pending: bool,
    status: u32,
    key: Spot,
    link: Spot,
}

/// What of a row names a row of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Key,
    Link,
}

/// One side of a reconciliation, filled row by row.
#[derive(Debug)]
pub struct Book {
    pub title: String,
    shape: LedgerColumns,
    currencies: Currencies,
    /// Every column that any of the rows had.
    columns: Vec<String>,
    /// The same once no more come, for every row that is told of.
    named: OnceLock<Arc<[String]>>,
    /// The head of the rows that come in now: places of the ledger's columns, and of each column among our own.
    head: Vec<String>,
    places: Places,
    roles: Vec<Role>,
    own: Vec<u16>,
    texts: Heap,
    lines: Vec<Line>,
    hashes: Hashes,
    statuses: Vec<Text>,
    by_status: HashMap<String, u32>,
    cells: Cells,
}

impl Book {
    /// `default` is the currency of amounts that come without one.
    pub fn new(ledger: &Ledger, default: Currency) -> Self {
        Self::empty(ledger.title.clone(), ledger.columns.clone(), default)
    }

    fn empty(title: String, shape: LedgerColumns, default: Currency) -> Self {
        Self {
            title,
            shape,
            currencies: Currencies::with_default(default),
            columns: Vec::new(),
            named: OnceLock::new(),
            head: Vec::new(),
            places: Places::default(),
            roles: Vec::new(),
            own: Vec::new(),
            texts: Heap::default(),
            lines: Vec::new(),
            hashes: Hashes::default(),
            statuses: Vec::new(),
            by_status: HashMap::new(),
            cells: Cells::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes some more rows. An error names the row that cannot be read, counted from the ledger's first.
    pub fn take(&mut self, rows: &Rows) -> Result<(), String> {
        self.head(rows.columns())?;
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(rows.columns().len());
        for row in rows {
            cells.clear();
            cells.extend(row.values().iter().map(Cell::from));
            self.push(&cells)?;
        }
        Ok(())
    }

    /// Names the columns of the rows that come next.
    pub fn head(&mut self, names: &[String]) -> Result<(), String> {
        if self.head == names {
            return Ok(());
        }
        self.places = Places::of(&self.shape, names);
        self.roles = self.places.roles(names.len());
        self.named = OnceLock::new();
        self.own.clear();
        for name in names {
            let place = self.columns.iter().position(|known| known == name).unwrap_or_else(|| {
                self.columns.push(name.clone());
                self.columns.len() - 1
            });
            self.own.push(u16::try_from(place).map_err(|_| format!("{}: the rows have too many columns", self.title))?);
        }
        self.head = names.to_vec();
        Ok(())
    }

    /// One row; its cells in the order of the head.
    pub fn push(&mut self, cells: &[Cell<'_>]) -> Result<(), String> {
        let number = self.lines.len() + 1;
        let told = |book: &Self, why: &str| format!("{}: {} {why}", book.title, entry::name(&book.places, cells, number));
        if number > MOST {
            return Err(format!("{}: more than {MOST} rows; choose a shorter window", self.title));
        }
        let facts = entry::facts(&self.shape, &self.places, cells, &mut self.currencies);
        let facts = facts.map_err(|why| told(self, &why))?;
        self.write(&facts).map_err(|why| told(self, &why))?;
        let kept = self.cells.put(cells, &self.own, Some((&facts.compared(), &self.roles)));
        kept.ok_or_else(|| told(self, "does not fit any more"))
    }

    fn write(&mut self, facts: &Facts<'_>) -> Result<(), String> {
        let mut put = |text: &str, what: &str| {
            let spot = if text.len() < usize::from(u16::MAX) { self.texts.put(text.as_bytes()) } else { None };
            spot.ok_or_else(|| format!("has {what} that is too long"))
        };
        let key = put(&facts.key, "an id")?;
        let link = facts.link.as_ref().map(|link| put(link, "a link")).transpose()?.unwrap_or(Spot::NONE);
        self.hashes.put(&facts.key, facts.link.as_deref());
        let status = facts.status.as_ref().map_or(NO_STATUS, |status| self.status_number(status));
        self.lines.push(Line {
            minor: facts.minor,
            refunded: facts.refunded,
            at: facts.at,
            currency: facts.currency,
            settled: facts.settled,
            pending: facts.pending,
            status,
            key,
            link,
        });
        Ok(())
    }

    fn status_number(&mut self, status: &str) -> u32 {
        // Most rows say what the one before them said.
        let last = self.lines.last().map_or(NO_STATUS, |line| line.status);
        if self.statuses.get(last as usize).is_some_and(|known| known.original() == status) {
            return last;
        }
        if let Some(known) = self.by_status.get(status) {
            return *known;
        }
        let number = self.statuses.len() as u32;
        self.statuses.push(Text::new(status));
        self.by_status.insert(status.to_owned(), number);
        number
    }

    pub fn line(&self, index: u32) -> &Line {
        &self.lines[index as usize]
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The text that names the row, as bytes; `None` where it has none.
    pub fn name(&self, name: Name, index: u32) -> Option<&[u8]> {
        let spot = Self::spot(self.line(index), name);
        if spot.is_none() { None } else { Some(self.texts.find(spot)) }
    }

    pub(super) fn spot(line: &Line, name: Name) -> Spot {
        match name {
            Name::Key => line.key,
            Name::Link => line.link,
        }
    }

    /// For each row; or nothing at all, where none of them bears such a name.
    pub(super) fn hashes(&self, name: Name) -> &[u64] {
        self.hashes.list(name)
    }

    /// The text that lies there.
    pub(super) fn bytes(&self, spot: Spot) -> &[u8] {
        self.texts.find(spot)
    }

    pub fn has_link(&self, index: u32) -> bool {
        !self.line(index).link.is_none()
    }

    pub fn key(&self, index: u32) -> &str {
        self.text(Name::Key, index).unwrap_or_default()
    }

    pub fn text(&self, name: Name, index: u32) -> Option<&str> {
        self.name(name, index).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    pub fn status(&self, index: u32) -> Option<&Text> {
        self.statuses.get(self.lines[index as usize].status as usize)
    }

    /// Orders rows by all that they say, the earliest first: what comes of them never depends on how they came in.
    pub fn order(&self, one: u32, other: u32) -> Ordering {
        let (a, b) = (self.line(one), self.line(other));
        let face = |line: &Line| (line.minor, line.refunded, line.currency.letters(), line.settled, line.pending);
        a.at.cmp(&b.at)
            .then_with(|| self.name(Name::Key, one).cmp(&self.name(Name::Key, other)))
            .then_with(|| face(a).cmp(&face(b)))
            .then_with(|| self.name(Name::Link, one).cmp(&self.name(Name::Link, other)))
            .then_with(|| self.status(one).map(Text::original).cmp(&self.status(other).map(Text::original)))
            .then_with(|| self.cells.order(one as usize, other as usize))
    }

    /// The row as a person sees it, with every cell that was kept.
    pub fn entry(&self, index: u32) -> Entry {
        let line = self.line(index);
        let key = self.key(index);
        let link = self.text(Name::Link, index);
        let status = self.status(index);
        let compared = Compared {
            key: Some(key),
            link,
            status: status.map(Text::original),
            minor: line.minor,
            refunded: line.refunded,
            currency: line.currency,
            at: line.at,
        };
        let columns = self.named.get_or_init(|| self.columns.iter().cloned().collect());
        Entry {
            key: key.to_owned(),
            link: link.map(str::to_owned),
            amount: Money::new(line.minor, line.currency),
            refunded: Money::new(line.refunded, line.currency),
            at: line.at,
            status: status.cloned(),
            settled: line.settled,
            pending: line.pending,
            row: self.cells.row(index as usize, columns, &compared),
        }
    }

    /// Keeps what was compared, and lets go of every other cell.
    pub fn forget_cells(&mut self) {
        self.cells.forget();
        self.hashes = Hashes::default();
    }

    /// A book of rows that are entries already.
    pub fn of(title: &str, entries: &[Entry]) -> Result<Self, String> {
        let shape = LedgerColumns {
            key: String::new(),
            link: None,
            amount: String::new(),
            refunded: None,
            currency: None,
            at: String::new(),
            status: None,
            settled: Vec::new(),
            pending: Vec::new(),
        };
        let Some(default) = entries.first().map(|entry| entry.amount.currency).or_else(|| Currency::from_code("EUR")) else {
            return Err("there is no currency".to_owned());
        };
        let mut book = Self::empty(title.to_owned(), shape, default);
        for entry in entries {
            let names: Vec<String> = entry.row.cells().map(|(name, _)| name.to_owned()).collect();
            book.head(&names)?;
            book.write(&Facts {
                key: entry.key.as_str().into(),
                link: entry.link.as_deref().map(Into::into),
                minor: entry.amount.minor,
                refunded: entry.refunded.minor,
                currency: entry.amount.currency,
                at: entry.at,
                status: entry.status.as_ref().map(|status| status.original().into()),
                settled: entry.settled,
                pending: entry.pending,
            })?;
            let cells: Vec<Cell<'_>> = entry.row.values().iter().map(Cell::from).collect();
            let own = book.own.clone();
            book.cells.put(&cells, &own, None).ok_or("a row does not fit")?;
        }
        Ok(book)
    }
}
