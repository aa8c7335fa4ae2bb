//! The cells of a ledger's rows, packed: of a million rows a handful is ever looked at again.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    cell::Cell,
    entry::Role,
    heap::{Heap, Spot},
};
use crate::domain::{
    money::{Currency, Money},
    rows::Row,
    value::Value,
};

/// Beyond so many bytes of a side only short cells are kept; a column that was not kept is not in the row, so that
/// nothing takes it for empty.
const PLENTY: usize = 160 << 20;
/// A longer text is told of by the outside, not by a ledger.
const SHORT: usize = 200;

const NULL: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;
const INTEGER: u8 = 3;
const DECIMAL: u8 = 4;
const MONEY: u8 = 5;
const TIME: u8 = 6;
const TEXT: u8 = 7;
const JSON: u8 = 8;
const LEFT_OUT: u8 = 9;
/// What is compared of the row says the same: kept once.
const AS_COMPARED: u8 = 10;

/// What is compared of a row, in the forms in which its cells may have it.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    pub key: Option<&'a str>,
    pub link: Option<&'a str>,
    pub status: Option<&'a str>,
    pub minor: i64,
    pub refunded: i64,
    pub currency: Currency,
    pub at: DateTime<Utc>,
}

impl Compared<'_> {
    /// Under each number one form of one of them; the currency's code is given as it may be written.
    fn forms<'a>(&'a self, [upper, lower]: [&'a str; 2]) -> [Option<Cell<'a>>; 10] {
        let money = |minor| Some(Cell::Money(Money::new(minor, self.currency)));
        [
            self.key.map(Cell::Text),
            self.link.map(Cell::Text),
            self.status.map(Cell::Text),
            Some(Cell::Time(self.at)),
            Some(Cell::Integer(self.minor)),
            Some(Cell::Integer(self.refunded)),
            money(self.minor),
            money(self.refunded),
            Some(Cell::Text(upper)),
            Some(Cell::Text(lower)),
        ]
    }

    /// Under which number it has this cell, which was read as that of the row.
    fn form_of(&self, role: Role, cell: &Cell<'_>) -> Option<u8> {
        Some(match (role, cell) {
            (Role::Key, Cell::Text(_)) => 0,
            (Role::Link, Cell::Text(_)) if self.link.is_some() => 1,
            (Role::Status, Cell::Text(_)) => 2,
            (Role::At, Cell::Time(_)) => 3,
            (Role::Amount, Cell::Integer(_)) => 4,
            (Role::Refunded, Cell::Integer(_)) => 5,
            (Role::Amount, Cell::Money(money)) if money.currency == self.currency => 6,
            (Role::Refunded, Cell::Money(money)) if money.currency == self.currency => 7,
            (Role::Currency, Cell::Text(code)) if *code == self.currency.code() => 8,
            (Role::Currency, Cell::Text(code)) if is_lower(code, self.currency) => 9,
            _ => return None,
        })
    }
}

fn is_lower(code: &str, currency: Currency) -> bool {
    code.bytes().eq(currency.letters().map(|letter| letter.to_ascii_lowercase()))
}

/// One row is the number of its shape, and behind it what its cells say that is said nowhere else.
#[derive(Debug, Default)]
pub struct Cells {
    heap: Heap,
    rows: Vec<Spot>,
    shapes: Shapes,
    values: Vec<u8>,
    shape: Vec<Told>,
}

/// A column's number among the book's own, low byte first, and how the cell is told.
type Told = [u8; 3];

/// Which columns a row has, and how each cell is told: hardly ever more than a handful for millions of rows.
#[derive(Debug, Default)]
struct Shapes {
    known: Vec<Box<[Told]>>,
    numbers: HashMap<Box<[Told]>, u16>,
    last: u16,
}

impl Shapes {
    /// `None` where there is no number left.
    fn number(&mut self, shape: &[Told]) -> Option<u16> {
        if self.known.get(usize::from(self.last)).is_some_and(|last| **last == *shape) {
            return Some(self.last);
        }
        if let Some(known) = self.numbers.get(shape) {
            self.last = *known;
            return Some(*known);
        }
        let next = u16::try_from(self.known.len()).ok().filter(|next| *next != INLINE)?;
        self.known.push(shape.into());
        self.numbers.insert(shape.into(), next);
        self.last = next;
        Some(next)
    }
}

/// In place of a shape's number: it stands in the row itself, behind its length.
const INLINE: u16 = u16::MAX;

impl Cells {
    /// `columns` says for each cell its place among the book's own columns; `compared` what was read of the row, and which
    /// of its cells that was.
    pub fn put(&mut self, cells: &[Cell<'_>], columns: &[u16], compared: Option<(&Compared<'_>, &[Role])>) -> Option<()> {
        let is_lean = self.heap.size() >= PLENTY;
        self.shape.clear();
        self.values.clear();
        self.values.extend([0, 0]);
        for (place, (cell, column)) in cells.iter().zip(columns).enumerate() {
            let form = compared.and_then(|(compared, roles)| compared.form_of(*roles.get(place)?, cell));
            let tag = form.map_or_else(|| pack(&mut self.values, cell, is_lean), |form| AS_COMPARED + form);
            let [low, high] = column.to_le_bytes();
            self.shape.push([low, high, tag]);
        }
        let number = self.shapes.number(&self.shape);
        self.values.get_mut(..2)?.copy_from_slice(&number.unwrap_or(INLINE).to_le_bytes());
        if number.is_none() {
            let length = u32::try_from(self.shape.len()).ok()?.to_le_bytes();
            self.values.splice(2..2, length.into_iter().chain(self.shape.as_flattened().iter().copied()));
        }
        self.rows.push(self.heap.put(&self.values)?);
        Some(())
    }

    /// A row's shape, and the bytes behind it.
    fn apart<'a>(&'a self, row: &'a [u8]) -> (&'a [Told], &'a [u8]) {
        let mut bytes = Reader(row);
        match u16::from_le_bytes(bytes.take()) {
            INLINE => {
                let length = u32::from_le_bytes(bytes.take()) as usize;
                let (shape, values) = bytes.0.split_at_checked(length * size_of::<Told>()).unwrap_or_default();
                (shape.as_chunks().0, values)
            }
            number => (self.shapes.known.get(usize::from(number)).map_or(&[], |shape| shape), bytes.0),
        }
    }

    /// The row again; `compared` is what of it was told when it was put.
    pub fn row(&self, index: usize, columns: &Arc<[String]>, compared: &Compared<'_>) -> Row {
        let Some(spot) = self.rows.get(index) else { return Row::new(Arc::from([]), Vec::new()) };
        let (shape, bytes) = self.apart(self.heap.from(*spot));
        let mut bytes = Reader(bytes);
        let mut values: Vec<Option<Value>> = vec![Some(Value::Null); columns.len()];
        let lower = compared.currency.code().to_ascii_lowercase();
        let forms = compared.forms([compared.currency.code(), &lower]);
        for [low, high, tag] in shape.iter().copied() {
            let value = match tag {
                LEFT_OUT => None,
                AS_COMPARED.. => {
                    let form = forms.get(usize::from(tag - AS_COMPARED)).copied().flatten();
                    Some(form.map_or(Value::Null, Cell::value))
                }
                tag => Some(bytes.unpack(tag)),
            };
            if let Some(cell) = values.get_mut(usize::from(u16::from_le_bytes([low, high]))) {
                *cell = value;
            }
        }
        if values.iter().all(Option::is_some) {
            return Row::new(Arc::clone(columns), values.into_iter().flatten().collect());
        }
        let kept: Vec<(String, Value)> =
            columns.iter().zip(values).filter_map(|(name, value)| Some((name.clone(), value?))).collect();
        let (names, values): (Vec<String>, Vec<Value>) = kept.into_iter().unzip();
        Row::new(Arc::from(names), values)
    }

    /// Orders rows by their cells, of very long ones by their beginnings: equal are only those that say the same, and the
    /// numbers of their shapes, which depend on what came first, play no part.
    pub fn order(&self, one: usize, other: usize) -> Ordering {
        let apart = |index: usize| self.rows.get(index).map(|spot| self.apart(self.heap.find(*spot)));
        apart(one).cmp(&apart(other))
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What is not told by the tag, which it answers.
fn pack(bytes: &mut Vec<u8>, cell: &Cell<'_>, is_lean: bool) -> u8 {
    match cell {
        Cell::Text(text) if is_lean && text.len() > SHORT => LEFT_OUT,
        Cell::Text(text) => {
            put_text(bytes, text);
            TEXT
        }
        Cell::Json(_) if is_lean => LEFT_OUT,
        Cell::Json(json) => {
            put_text(bytes, &json.to_string());
            JSON
        }
        Cell::Null => NULL,
        Cell::Bool(truth) => {
            if *truth {
                YES
            } else {
                NO
            }
        }
        Cell::Integer(number) => {
            bytes.extend_from_slice(&number.to_le_bytes());
            INTEGER
        }
        Cell::Decimal(number) => {
            bytes.extend_from_slice(&number.serialize());
            DECIMAL
        }
        Cell::Money(money) => {
            bytes.extend_from_slice(&money.minor.to_le_bytes());
            bytes.extend_from_slice(&money.currency.letters());
            MONEY
        }
        Cell::Time(time) => {
            bytes.extend_from_slice(&time.timestamp().to_le_bytes());
            bytes.extend_from_slice(&time.timestamp_subsec_nanos().to_le_bytes());
            TIME
        }
    }
}

/// Behind its length: one byte, or `LONG` and four.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).unwrap_or(LONG);
    bytes.push(length);
    if length == LONG {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    bytes.extend_from_slice(text.as_bytes());
}

const LONG: u8 = u8::MAX;

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((head, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *head
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    fn text(&mut self) -> String {
        let length = match self.byte() {
            LONG => u32::from_le_bytes(self.take()) as usize,
            short => usize::from(short),
        };
        let Some((text, rest)) = self.0.split_at_checked(length) else { return String::new() };
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn unpack(&mut self, tag: u8) -> Value {
        match tag {
            NO | YES => Value::Bool(tag == YES),
            INTEGER => Value::Integer(i64::from_le_bytes(self.take())),
            DECIMAL => Value::Decimal(Decimal::deserialize(self.take())),
            MONEY => {
                let minor = i64::from_le_bytes(self.take());
                let letters: [u8; 3] = self.take();
                let currency = std::str::from_utf8(&letters).ok().and_then(Currency::from_code);
                currency.map_or(Value::Null, |currency| Value::Money(Money::new(minor, currency)))
            }
            TIME => {
                let seconds = i64::from_le_bytes(self.take());
                let nanos = u32::from_le_bytes(self.take());
                DateTime::from_timestamp(seconds, nanos).map_or(Value::Null, Value::Time)
            }
            TEXT => Value::text(self.text()),
            JSON => serde_json::from_str(&self.text()).map_or(Value::Null, Value::Json),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<Value> {
        let aud = Currency::from_code("AUD").unwrap();
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Integer(i64::MIN),
            Value::Decimal(Decimal::new(-12_345, 3)),
            Value::Money(Money::new(-2200, aud)),
            Value::Time(DateTime::from_timestamp(-1, 999_999_999).unwrap()),
            Value::text("Zoë \u{202e} 犬"),
            Value::Json(serde_json::json!({ "a": [1, null, "x"] })),
            Value::text("ch_1"),
            Value::text("ord_1"),
            Value::text("aud"),
        ]
    }

    #[test]
    fn a_packed_row_comes_back_as_it_was() {
        let values = values();
        let columns: Arc<[String]> = (0..=values.len()).map(|index| format!("c{index}")).collect();
        let places: Vec<u16> = (0..values.len() as u16).collect();
        let mut cells = Cells::default();
        let compared = Compared {
            key: Some("ch_1"),
            link: Some("ord_1"),
            status: Some("Zoë"),
            minor: i64::MIN,
            refunded: -2200,
            currency: Currency::from_code("AUD").unwrap(),
            at: DateTime::from_timestamp(-1, 999_999_999).unwrap(),
        };
        let row: Vec<Cell<'_>> = values.iter().map(Cell::from).collect();
        let mut roles = vec![Role::Beside; row.len()];
        for (place, role) in
            [(9, Role::Key), (10, Role::Link), (3, Role::Amount), (5, Role::Refunded), (6, Role::At), (11, Role::Currency)]
        {
            roles[place] = role;
        }
        cells.put(&row, &places, Some((&compared, &roles))).unwrap();
        cells.put(&row, &places, None).unwrap();
        // Then there is no number left for a shape, and the last one is another's.
        cells.shapes.known.resize(usize::from(INLINE), Box::default());
        cells.shapes.numbers.clear();
        cells.shapes.last = 2;
        cells.put(&row, &places, None).unwrap();
        for index in 0..3 {
            let back = cells.row(index, &columns, &compared);
            let mut expected = values.clone();
            expected.push(Value::Null);
            assert_eq!(back, Row::new(Arc::clone(&columns), expected));
        }
        let length = |index: usize| cells.heap.find(cells.rows[index]).len();
        assert!(length(0) + 30 < length(1), "what is compared is kept once");
    }

    #[test]
    fn a_cell_that_was_not_kept_is_not_there_and_never_empty() {
        let long = "x".repeat(SHORT + 1);
        let mut bytes = Vec::new();
        assert_eq!((pack(&mut bytes, &Cell::Text(&long), true), bytes.len()), (LEFT_OUT, 0));
        let columns: Arc<[String]> = ["a", "b"].map(str::to_owned).into();
        let mut cells = Cells::default();
        let number = cells.shapes.number(&[[0, 0, LEFT_OUT], [1, 0, YES]]).unwrap();
        cells.rows.push(cells.heap.put(&number.to_le_bytes()).unwrap());
        let at = DateTime::UNIX_EPOCH;
        let currency = Currency::from_code("AUD").unwrap();
        let nothing = Compared { key: None, link: None, status: None, minor: 0, refunded: 0, currency, at };
        let row = cells.row(0, &columns, &nothing);
        assert_eq!((row.find("a"), row.find("b")), (None, Some(&Value::Bool(true))));
    }
}
