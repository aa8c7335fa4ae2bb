//! A pane's frame and its rows in aligned columns.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::{ink::Ink, layout};
use crate::ui::{
    keymap::Context,
    place::{Pane, Place},
    theme::Role,
};

/// One cell and what it means.
pub type Cell = (String, Role);

#[derive(Clone, Debug, Default)]
pub struct Column {
    pub title: String,
    /// The width that it would like.
    pub width: u16,
    /// The width below which it is left out.
    pub least: u16,
    /// Numbers stand on the right.
    pub right: bool,
}

impl Column {
    pub fn text(title: &str, least: u16) -> Self {
        Self { title: title.to_owned(), width: 0, least, right: false }
    }

    /// Never narrower than its content.
    pub fn whole(title: &str) -> Self {
        Self { title: title.to_owned(), width: 0, least: 0, right: false }
    }

    pub fn number(title: &str) -> Self {
        Self { title: title.to_owned(), width: 0, least: 0, right: true }
    }
}

/// Blanks between two columns.
const GAP: u16 = 2;

/// Columns fit for a width: what may shrink shrinks, the widest first; then the last ones are left out.
pub fn fit(columns: &[Column], available: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = columns.iter().map(|column| column.width).collect();
    let least = |at: usize| columns.get(at).map_or(0, |column| if column.least == 0 { column.width } else { column.least.min(column.width) });
    loop {
        let shown: u16 = widths.iter().filter(|width| **width > 0).map(|width| width.saturating_add(GAP)).sum();
        let over = shown.saturating_sub(GAP).saturating_sub(available);
        if over == 0 {
            return widths;
        }
        let room = |(at, width): (usize, &u16)| (width.saturating_sub(least(at)), at);
        let Some((spare, at)) = widths.iter().enumerate().map(room).max() else { return widths };
        if spare > 0 {
            let other = widths.iter().enumerate().map(room).filter(|(_, other)| *other != at).map(|(spare, _)| spare).max().unwrap_or(0);
            // Down to the next widest in one go, so that long texts give first.
            let give = over.min(spare.saturating_sub(other).max(1));
            if let Some(width) = widths.get_mut(at) {
                *width -= give;
            }
        } else if let Some(last) = widths.iter().rposition(|width| *width > 0) {
            let is_only = widths.iter().filter(|width| **width > 0).count() == 1;
            if let Some(width) = widths.get_mut(last) {
                *width = if is_only { available } else { 0 };
            }
            if is_only {
                return widths;
            }
        } else {
            return widths;
        }
    }
}

/// Gives each column the width of its longest cell.
pub fn measure(columns: &mut [Column], rows: &[Vec<Cell>], has_heads: bool) {
    for (at, column) in columns.iter_mut().enumerate() {
        let widest = rows.iter().filter_map(|row| row.get(at)).map(|(text, _)| text.width()).max().unwrap_or(0);
        let title = if has_heads { column.title.width() } else { 0 };
        column.width = widest.max(title).min(500) as u16;
    }
}

/// A frame, its title on the left, the keys that work in it on the right, what troubles it at the foot.
pub fn frame(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, title: &str, hints: &str, is_focused: bool, foot: Option<(&str, Role)>) {
    let area = area.intersection(buffer.area);
    if area.width < 3 || area.height < 3 {
        return;
    }
    let role = if is_focused { Role::BorderFocused } else { Role::Border };
    let style = ink.style(role);
    let [h, v, nw, ne, sw, se] = if ink.model.shown.ascii { ["-", "|", "+", "+", "+", "+"] } else { ["─", "│", "┌", "┐", "└", "┘"] };
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.x..=right {
        buffer[(x, area.y)].set_symbol(h).set_style(style);
        buffer[(x, bottom)].set_symbol(h).set_style(style);
    }
    for y in area.y..=bottom {
        buffer[(area.x, y)].set_symbol(v).set_style(style);
        buffer[(right, y)].set_symbol(v).set_style(style);
    }
    for (x, y, symbol) in [(area.x, area.y, nw), (right, area.y, ne), (area.x, bottom, sw), (right, bottom, se)] {
        buffer[(x, y)].set_symbol(symbol);
    }
    let inner = area.width - 2;
    let title_role = if is_focused { Role::Title } else { Role::Text };
    let took = if inner > 4 { ink.put(buffer, (area.x + 2, area.y), inner - 2, &format!(" {title} "), title_role) } else { 0 };
    let hint_width = hints.width() as u16 + 2;
    if !hints.is_empty() && took + hint_width + 4 < inner {
        ink.put(buffer, (right - 1 - hint_width, area.y), hint_width, &format!(" {hints} "), Role::Muted);
    }
    if let Some((text, role)) = foot.filter(|_| inner > 6) {
        ink.put(buffer, (area.x + 2, bottom), inner - 2, &format!(" {text} "), role);
    }
}

/// The keys of a pane for its frame: the first few of the table that are its own.
pub fn hints(ink: &Ink<'_>, pane: Pane) -> String {
    let queue = ink.model.place.queue.clone().filter(|_| ink.model.work().is_some());
    let context = Context::of(&Place { pane, zoomed: false, queue, page: None });
    let own = ink.model.keymap.working_in(context).filter(|(binding, _)| binding.contexts.contains(&context));
    let named = own.filter(|(binding, chords)| !binding.short.is_empty() && !chords.is_empty());
    let words: Vec<String> =
        named.take(4).filter_map(|(binding, chords)| Some(format!("{} {}", chords.first()?, binding.short))).collect();
    words.join("  ")
}

/// A pane's rows: the heads, then each row with the marker before the selected one.
pub struct Sheet {
    pub columns: Vec<Column>,
    /// Only the rows in view.
    pub rows: Vec<Vec<Cell>>,
    /// Old or failed: kept, but not shown as if it were now.
    pub is_dim: bool,
}

impl Sheet {
    pub fn draw(mut self, ink: &Ink<'_>, buffer: &mut Buffer, pane: Pane, area: Rect) {
        let list = layout::list(ink.model, pane, area);
        let has_heads = layout::heads(ink.model, pane, area) > 0;
        if self.columns.iter().all(|column| column.width == 0) {
            measure(&mut self.columns, &self.rows, has_heads);
        }
        let is_focused = ink.model.place.pane == pane && ink.model.place.page.is_none();
        let cursor = ink.model.cursor(pane);
        let widths = fit(&self.columns, list.width.saturating_sub(3));
        if has_heads {
            let titles: Vec<Cell> = self.columns.iter().map(|column| (column.title.clone(), Role::Muted)).collect();
            self.row(ink, buffer, Rect { y: list.y - 1, height: 1, ..list }, &widths, &titles);
        }
        for (at, (row, y)) in self.rows.iter().zip(list.y..list.bottom()).enumerate() {
            if is_focused && cursor.offset + at == cursor.at {
                let marker = if list.width > 2 { list.x + 1 } else { list.x };
                ink.put(buffer, (marker, y), 1, ">", Role::Selected);
            }
            self.row(ink, buffer, Rect { y, height: 1, ..list }, &widths, row);
        }
    }

    fn row(&self, ink: &Ink<'_>, buffer: &mut Buffer, line: Rect, widths: &[u16], cells: &[Cell]) {
        let mut x = line.x + 2;
        for (at, width) in widths.iter().enumerate().filter(|(_, width)| **width > 0) {
            if x >= line.right() {
                return;
            }
            let room = (*width).min(line.right() - x);
            if let Some((text, role)) = cells.get(at) {
                let is_right = self.columns.get(at).is_some_and(|column| column.right);
                let indent = if is_right { room.saturating_sub(text.width().min(500) as u16) } else { 0 };
                let is_severity = matches!(role, Role::Red | Role::Yellow | Role::Unknown | Role::Marked | Role::Warning | Role::Bad);
                let role = if self.is_dim && !is_severity { Role::Muted } else { *role };
                ink.put(buffer, (x + indent, line.y), room - indent, text, role);
            }
            x += width + GAP;
        }
    }
}

/// A sentence in the middle of nothing: empty, loading, failed.
pub fn sentence(ink: &Ink<'_>, buffer: &mut Buffer, pane: Pane, area: Rect, text: &str, role: Role) {
    let list = layout::list(ink.model, pane, area);
    let width = list.width.saturating_sub(2);
    for (line, y) in super::ink::wrapped(text, usize::from(width)).iter().zip(list.y..list.bottom()) {
        ink.put(buffer, (list.x + 1, y), width, line, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(width: u16, least: u16) -> Column {
        Column { title: String::new(), width, least, right: false }
    }

    #[test]
    fn long_texts_give_first_then_the_last_columns_go() {
        assert_eq!(fit(&[column(10, 0), column(30, 5)], 80), [10, 30]);
        assert_eq!(fit(&[column(10, 0), column(30, 5)], 32), [10, 20]);
        assert_eq!(fit(&[column(10, 0), column(30, 5)], 16), [10, 0]);
        assert_eq!(fit(&[column(10, 0), column(30, 5), column(40, 5)], 50), [10, 18, 18]);
        assert_eq!(fit(&[column(10, 0)], 4), [4]);
        assert_eq!(fit(&[], 4), Vec::<u16>::new());
    }
}
