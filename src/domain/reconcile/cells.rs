//! The cells of a ledger's rows, packed: of a million rows a handful is ever looked at again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    cell::Cell,
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
    /// Under each number one form of one of them.
    fn forms(&self) -> [Option<Cell<'_>>; 8] {
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
        ]
    }

    /// Under which number it has a cell, the places of whose kind are tried first.
    fn form_of(&self, cell: &Cell<'_>) -> Option<u8> {
        let is = |text: &str, own: Option<&str>| own == Some(text);
        Some(match cell {
            Cell::Text(text) if is(text, self.key) => 0,
            Cell::Text(text) if is(text, self.link) => 1,
            Cell::Text(text) if is(text, self.status) => 2,
            Cell::Time(at) if *at == self.at => 3,
            Cell::Integer(number) if *number == self.minor => 4,
            Cell::Integer(number) if *number == self.refunded => 5,
            Cell::Money(money) if *money == Money::new(self.minor, self.currency) => 6,
            Cell::Money(money) if *money == Money::new(self.refunded, self.currency) => 7,
            _ => return None,
        })
    }
}

#[derive(Debug, Default)]
pub struct Cells {
    heap: Heap,
    rows: Vec<Spot>,
    scratch: Vec<u8>,
}

impl Cells {
    /// `columns` says for each cell its place among the book's own columns.
    pub fn put(&mut self, cells: &[Cell<'_>], columns: &[u16], compared: Option<&Compared<'_>>) -> Option<()> {
        let is_lean = self.heap.size() >= PLENTY;
        self.scratch.clear();
        self.scratch.extend((cells.len() as u16).to_le_bytes());
        for (cell, column) in cells.iter().zip(columns) {
            let [low, high] = column.to_le_bytes();
            if let Some(form) = compared.and_then(|compared| compared.form_of(cell)) {
                self.scratch.extend([low, high, AS_COMPARED + form]);
            } else {
                self.scratch.extend([low, high]);
                pack(&mut self.scratch, cell, is_lean);
            }
        }
        self.rows.push(self.heap.put(&self.scratch)?);
        Some(())
    }

    /// The row again; `compared` is what of it was told when it was put.
    pub fn row(&self, index: usize, columns: &Arc<[String]>, compared: &Compared<'_>) -> Row {
        let Some(spot) = self.rows.get(index) else { return Row::new(Arc::from([]), Vec::new()) };
        let mut bytes = Reader(self.heap.from(*spot));
        let mut values: Vec<Option<Value>> = vec![Some(Value::Null); columns.len()];
        let forms = compared.forms();
        for _ in 0..u16::from_le_bytes(bytes.take()) {
            let column = usize::from(u16::from_le_bytes(bytes.take()));
            let value = match bytes.byte() {
                LEFT_OUT => None,
                tag @ AS_COMPARED.. => {
                    let form = forms.get(usize::from(tag - AS_COMPARED)).copied().flatten();
                    Some(form.map_or(Value::Null, Cell::value))
                }
                tag => Some(bytes.unpack(tag)),
            };
            if let Some(cell) = values.get_mut(column) {
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

    /// The packed row, for telling equal rows from different ones; of a very long one its beginning.
    pub fn packed(&self, index: usize) -> &[u8] {
        self.rows.get(index).map_or(&[], |spot| self.heap.find(*spot))
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

fn pack(bytes: &mut Vec<u8>, cell: &Cell<'_>, is_lean: bool) {
    let mut long = |tag: u8, text: &str| {
        if is_lean && text.len() > SHORT {
            bytes.push(LEFT_OUT);
        } else {
            bytes.push(tag);
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    };
    match cell {
        Cell::Text(text) => long(TEXT, text),
        Cell::Json(_) if is_lean => bytes.push(LEFT_OUT),
        Cell::Json(json) => long(JSON, &json.to_string()),
        Cell::Null => bytes.push(NULL),
        Cell::Bool(truth) => bytes.push(if *truth { YES } else { NO }),
        Cell::Integer(number) => {
            bytes.push(INTEGER);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Cell::Decimal(number) => {
            bytes.push(DECIMAL);
            bytes.extend_from_slice(&number.serialize());
        }
        Cell::Money(money) => {
            bytes.push(MONEY);
            bytes.extend_from_slice(&money.minor.to_le_bytes());
            bytes.extend_from_slice(&money.currency.letters());
        }
        Cell::Time(time) => {
            bytes.push(TIME);
            bytes.extend_from_slice(&time.timestamp().to_le_bytes());
            bytes.extend_from_slice(&time.timestamp_subsec_nanos().to_le_bytes());
        }
    }
}

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
        let length = u32::from_le_bytes(self.take()) as usize;
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
        cells.put(&row, &places, Some(&compared)).unwrap();
        cells.put(&row, &places, None).unwrap();
        for index in 0..2 {
            let back = cells.row(index, &columns, &compared);
            let mut expected = values.clone();
            expected.push(Value::Null);
            assert_eq!(back, Row::new(Arc::clone(&columns), expected));
        }
        assert!(cells.packed(0).len() + 30 < cells.packed(1).len(), "what is compared is kept once");
    }

    #[test]
    fn a_cell_that_was_not_kept_is_not_there_and_never_empty() {
        let long = "x".repeat(SHORT + 1);
        let mut bytes = Vec::new();
        pack(&mut bytes, &Cell::Text(&long), true);
        assert_eq!(bytes, [LEFT_OUT]);
        let columns: Arc<[String]> = ["a", "b"].map(str::to_owned).into();
        let mut cells = Cells::default();
        let mut packed = 2_u16.to_le_bytes().to_vec();
        packed.extend([0, 0, LEFT_OUT, 1, 0, YES]);
        cells.rows.push(cells.heap.put(&packed).unwrap());
        let at = DateTime::UNIX_EPOCH;
        let currency = Currency::from_code("AUD").unwrap();
        let nothing = Compared { key: None, link: None, status: None, minor: 0, refunded: 0, currency, at };
        let row = cells.row(0, &columns, &nothing);
        assert_eq!((row.find("a"), row.find("b")), (None, Some(&Value::Bool(true))));
    }
}
