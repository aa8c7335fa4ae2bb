//! A queue being worked: its index of visible rows, its order, its marks. Never touches an item twice for one key.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};

use unicode_width::UnicodeWidthStr as _;

use super::{cursor::Cursor, filter::Filter, place::Thing};
use crate::domain::{
    id::Id,
    money::Money,
    pack::{Action, ColumnFormat, ColumnSpec, Queue},
    snapshot::{Item, Items},
    text::Text,
    value::Value,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// As the queue's query orders them.
    #[default]
    AsQueued,
    Age,
    /// One of the queue's shown columns, by its place.
    Column(usize),
}

#[derive(Clone, Debug)]
pub struct Work {
    pub queue: Id<Queue>,
    pub items: Option<Arc<Items>>,
    /// Places in `items`, filtered and sorted.
    index: Vec<u32>,
    pub cursor: Cursor,
    /// Ids, frozen: what the filter shows later changes nothing.
    pub marks: BTreeSet<String>,
    pub range_from: Option<String>,
    pub filter: Filter,
    pub preset: Option<String>,
    pub sort: SortBy,
    pub reversed: bool,
    /// The natural width of each shown column, from a sample: widths must not jump while scrolling.
    pub widths: Vec<u16>,
    /// The width of what is said of a row: what bars it, its presets, what became of it.
    pub note_width: u16,
    /// The money in the marked rows, for each currency.
    pub marked_money: Vec<Money>,
}

/// Rows that a column's width is measured on.
const SAMPLE: usize = 200;

/// Room for what became of a row (`under way`).
const LEAST_NOTE: usize = 9;

/// No column is naturally wider.
const WIDEST: usize = 44;

/// What a new look took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    pub marks: usize,
}

impl Work {
    pub fn new(queue: Id<Queue>) -> Self {
        Self {
            queue,
            items: None,
            index: Vec::new(),
            cursor: Cursor::default(),
            marks: BTreeSet::new(),
            range_from: None,
            filter: Filter::default(),
            preset: None,
            sort: SortBy::AsQueued,
            reversed: false,
            widths: Vec::new(),
            note_width: 0,
            marked_money: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn total(&self) -> usize {
        self.items.as_ref().map_or(0, |items| items.items.len())
    }

    pub fn item(&self, at: usize) -> Option<&Arc<Item>> {
        self.items.as_ref()?.items.get(*self.index.get(at)? as usize)
    }

    pub fn selected(&self) -> Option<&Arc<Item>> {
        self.item(self.cursor.at)
    }

    pub fn find(&self, key: &str) -> Option<&Arc<Item>> {
        if let Some(item) = self.selected().filter(|item| item.key == key) {
            return Some(item);
        }
        self.items.as_ref()?.items.iter().find(|item| item.key == key)
    }

    /// The marked items, in the queue's order.
    pub fn marked(&self) -> impl Iterator<Item = &Arc<Item>> {
        let items = self.items.as_ref().filter(|_| !self.marks.is_empty());
        items.into_iter().flat_map(|items| items.items.iter()).filter(|item| self.marks.contains(&item.key))
    }

    /// Takes what a look found; the same rows cost nothing.
    pub fn take(&mut self, items: Option<&Arc<Items>>, spec: &Queue, now: DateTime<Utc>) -> Gone {
        let is_same = match (&self.items, items) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_same {
            return Gone::default();
        }
        self.items = items.map(Arc::clone);
        let before = self.marks.len();
        if before > 0 {
            let marks = std::mem::take(&mut self.marks);
            let here = self.items.iter().flat_map(|items| items.items.iter()).filter(|item| marks.contains(&item.key));
            self.marks = here.map(|item| item.key.clone()).collect();
        }
        let range_from = self.range_from.take();
        self.range_from = range_from.filter(|key| self.find(key).is_some());
        self.measure(spec);
        self.arrange(spec, now);
        Gone { marks: before - self.marks.len() }
    }

    fn measure(&mut self, spec: &Queue) {
        let items = self.items.as_ref();
        let width = |column: &ColumnSpec| {
            let cells =
                items.iter().flat_map(|items| items.items.iter().take(SAMPLE)).filter_map(|item| item.row.find(&column.column));
            let widest = match column.format {
                ColumnFormat::Age | ColumnFormat::Left => 7,
                ColumnFormat::Percent => 5,
                ColumnFormat::Time => 16,
                ColumnFormat::Plain | ColumnFormat::Id => {
                    cells.map(|value| if value.time().is_some() { 16 } else { value.to_string().width() }).max().unwrap_or(0)
                }
            };
            widest.max(column.title.width()).min(WIDEST) as u16
        };
        let notes = items.iter().flat_map(|items| items.items.iter().take(SAMPLE)).map(|item| match Self::barred(item, spec) {
            Some((_, why)) => why.one_line().width() + "NO ".len(),
            None => item.presets.iter().map(|preset| preset.width() + 1).sum(),
        });
        let note = notes.max().unwrap_or(0).clamp(LEAST_NOTE, WIDEST) as u16;
        self.widths = spec.columns.iter().map(width).collect();
        self.note_width = note;
    }

    /// Adds up the money in the marked rows; asked for when the marks change, never for a frame.
    pub fn tally(&mut self, column: Option<&str>) {
        let mut sums: Vec<Money> = Vec::new();
        if let Some(column) = column {
            for item in self.marked() {
                let Some(Value::Money(money)) = item.row.find(column) else { continue };
                match sums.iter_mut().find(|sum| sum.currency == money.currency) {
                    Some(sum) => sum.minor = sum.minor.saturating_add(money.minor),
                    None => sums.push(*money),
                }
            }
        }
        self.marked_money = sums;
    }

    pub fn columns(&self) -> Vec<String> {
        let first = self.items.as_ref().and_then(|items| items.items.first());
        first.map(|item| item.row.cells().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
    }

    pub fn filter_by(&mut self, text: &str, spec: &Queue, now: DateTime<Utc>) {
        self.filter = Filter::parse(text, spec, &self.columns());
        self.arrange(spec, now);
    }

    /// Builds the index anew: after a look, a filter, an order.
    pub fn arrange(&mut self, spec: &Queue, now: DateTime<Utc>) {
        let Some(items) = &self.items else {
            self.index.clear();
            return;
        };
        let shown =
            |item: &Item| self.preset.as_ref().is_none_or(|preset| item.presets.contains(preset)) && self.filter.holds(item, now);
        let is_plain = self.preset.is_none() && self.filter.is_empty();
        self.index = (0_u32..).zip(&items.items).filter(|(_, item)| is_plain || shown(item)).map(|(place, _)| place).collect();
        let column = match self.sort {
            SortBy::Column(at) => spec.columns.get(at).map(|spec| spec.column.as_str()),
            SortBy::AsQueued | SortBy::Age => None,
        };
        let by = self.sort;
        let cell = |place: &u32| items.items.get(*place as usize);
        match by {
            SortBy::AsQueued => {}
            SortBy::Age => self.index.sort_by(|a, b| {
                let since = |place| cell(place).and_then(|item| item.since).unwrap_or(DateTime::<Utc>::MAX_UTC);
                since(a).cmp(&since(b))
            }),
            SortBy::Column(_) => self.index.sort_by(|a, b| {
                let value =
                    |place| cell(place).and_then(|item| item.row.find(column.unwrap_or_default())).unwrap_or(&Value::Null);
                let (a, b): (&Value, &Value) = (value(a), value(b));
                a.order(b)
            }),
        }
        if self.reversed {
            self.index.reverse();
        }
        self.follow();
    }

    /// Puts the cursor back on its item, or leaves it where the item was.
    fn follow(&mut self) {
        let Some(Thing::Item(_, key)) = &self.cursor.thing else { return };
        if self.item(self.cursor.at).is_some_and(|item| item.key == *key) {
            return;
        }
        let items = self.items.as_ref();
        let found = self
            .index
            .iter()
            .position(|place| items.and_then(|items| items.items.get(*place as usize)).is_some_and(|item| item.key == *key));
        if let Some(at) = found {
            self.cursor.at = at;
        }
    }

    pub fn next_sort(&mut self, columns: usize) {
        self.reversed = false;
        self.sort = match self.sort {
            SortBy::AsQueued => SortBy::Age,
            SortBy::Age if columns > 0 => SortBy::Column(0),
            SortBy::Column(at) if at + 1 < columns => SortBy::Column(at + 1),
            SortBy::Age | SortBy::Column(_) => SortBy::AsQueued,
        };
    }

    /// Why an item cannot be marked: the guard of the queue's first action, and by how much.
    pub fn barred<'a>(item: &'a Item, spec: &Queue) -> Option<(&'a Id<Action>, &'a Text)> {
        let first = spec.actions.first()?;
        item.barred.iter().find(|(id, _)| id == first).map(|(id, why)| (id, why))
    }

    /// Marks rows `from..=to` of the index; says how many were marked and how many cannot be.
    pub fn mark_rows(&mut self, from: usize, to: usize, spec: &Queue) -> (usize, usize) {
        let (mut marked, mut barred) = (0, 0);
        for at in from.min(to)..=from.max(to) {
            let Some(item) = self.item(at).map(Arc::clone) else { break };
            if Self::barred(&item, spec).is_some() {
                barred += 1;
            } else {
                marked += 1;
                self.marks.insert(item.key.clone());
            }
        }
        (marked, barred)
    }

    pub fn place_of(&self, key: &str) -> Option<usize> {
        (0..self.len()).find(|at| self.item(*at).is_some_and(|item| item.key == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::model::fixture;

    /// The order of two items by one column.
    fn by_column(a: &Item, b: &Item, column: &str) -> std::cmp::Ordering {
        let value = |item: &Item| item.row.find(column).cloned().unwrap_or_default();
        value(a).order(&value(b))
    }

    fn work() -> (Work, Queue) {
        let queue = fixture::pack().queues.into_iter().next().unwrap();
        let mut work = Work::new(queue.id.clone());
        work.take(Some(&Arc::new(fixture::reviews(fixture::now()))), &queue, fixture::now());
        (work, queue)
    }

    #[test]
    fn marks_go_with_their_items_and_are_counted() {
        let (mut work, queue) = work();
        assert_eq!(work.mark_rows(0, 2, &queue), (3, 0));
        let mut fewer = fixture::reviews(fixture::now());
        fewer.items.remove(1);
        assert_eq!(work.take(Some(&Arc::new(fewer)), &queue, fixture::now()), Gone { marks: 1 });
        assert_eq!(work.marks.len(), 2);
    }

    #[test]
    fn the_cursor_follows_its_item_through_a_new_order() {
        let (mut work, queue) = work();
        work.cursor.at = 1;
        let key = work.selected().unwrap().key.clone();
        work.cursor.thing = Some(Thing::Item(queue.id.clone(), key.clone()));
        work.reversed = true;
        work.arrange(&queue, fixture::now());
        assert_eq!(work.selected().unwrap().key, key);
        assert_eq!(work.cursor.at, 4);
    }

    #[test]
    fn sorting_by_a_column_orders_its_values() {
        let (mut work, queue) = work();
        work.sort = SortBy::Column(1);
        work.arrange(&queue, fixture::now());
        let rows: Vec<_> = (0..work.len()).map(|at| Arc::clone(work.item(at).unwrap())).collect();
        assert!(rows.windows(2).all(|pair| by_column(&pair[0], &pair[1], "ai_confidence").is_le()));
    }
}
