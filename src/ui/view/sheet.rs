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

/// How long a column stays where room is short; the first to go stands last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stays {
    /// What a row is known by, as long as anything does: a severity, a mark, an id.
    Always,
    #[default]
    Needed,
    /// Gone before what is needed.
    Wanted,
    /// Gone before names are cut.
    Spare,
}

#[derive(Clone, Debug, Default)]
pub struct Column {
    pub title: String,
    /// The width that it would like.
    pub width: u16,
    /// The width down to which it may be cut; 0 is never cut.
    pub least: u16,
    /// Numbers stand on the right.
    pub right: bool,
    pub stays: Stays,
}

impl Column {
    /// Words that may be cut, and left out unless they are the first such column.
    pub fn text(title: &str, least: u16) -> Self {
        Self { title: title.to_owned(), least, stays: Stays::Spare, ..Self::default() }
    }

    /// Never narrower than its content.
    pub fn whole(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// What a row is known by.
    pub fn key(title: &str) -> Self {
        Self { stays: Stays::Always, ..Self::whole(title) }
    }

    pub fn number(title: &str) -> Self {
        Self { title: title.to_owned(), right: true, ..Self::default() }
    }

    #[must_use]
    pub fn needed(self) -> Self {
        Self { stays: Stays::Needed, ..self }
    }

    #[must_use]
    pub fn optional(self) -> Self {
        Self { stays: Stays::Spare, ..self }
    }

    fn floor(&self) -> u16 {
        if self.least == 0 { self.width } else { self.least.min(self.width) }
    }
}

/// Blanks after a column: a single sign stands close to what it is about.
fn gap(width: u16, column: Option<&Column>) -> u16 {
    match width {
        0 => 0,
        1 if column.is_some_and(|column| !column.right) => 1,
        _ => 2,
    }
}

fn taken(widths: &[u16], columns: &[Column]) -> u16 {
    let last = widths.iter().rposition(|width| *width > 0);
    let gaps = widths.iter().enumerate().map(|(at, width)| if Some(at) == last { 0 } else { gap(*width, columns.get(at)) });
    widths.iter().copied().chain(gaps).fold(0, u16::saturating_add)
}

/// Enough of a name to know it by; it is cut further only when nothing else is left to give.
const NAME: u16 = 20;

/// Columns fit for a width: what may be cut is cut, the widest first, the names no more than to where they are still known;
/// then the last ones that may be missing are left out; then the names are cut; then the last columns go, whatever they are.
pub fn fit(columns: &[Column], available: u16) -> Vec<u16> {
    let names = columns.iter().position(|column| column.least > 0 && column.stays != Stays::Always);
    let stays = |at: usize| columns.get(at).map_or(Stays::Always, |column| column.stays);
    let mut is_out = vec![false; columns.len()];
    loop {
        let natural = |(at, column): (usize, &Column)| if is_out.get(at) == Some(&true) { 0 } else { column.width };
        let mut widths: Vec<u16> = columns.iter().enumerate().map(natural).collect();
        shrink(&mut widths, columns, available, |at| if Some(at) == names { NAME } else { 0 });
        if taken(&widths, columns) <= available {
            return widths;
        }
        let is_left = |at: &usize| Some(*at) != names && stays(*at) != Stays::Always && widths.get(*at) > Some(&0);
        let shown: Vec<usize> = (0..columns.len()).rev().filter(is_left).collect();
        let last = |wanted: Stays| shown.iter().copied().find(|at| stays(*at) == wanted);
        if let Some(out) = last(Stays::Spare).and_then(|at| is_out.get_mut(at)) {
            *out = true;
            continue;
        }
        shrink(&mut widths, columns, available, |_| 0);
        if taken(&widths, columns) <= available {
            return widths;
        }
        if let Some(out) = last(Stays::Wanted).or(last(Stays::Needed)).and_then(|at| is_out.get_mut(at)) {
            *out = true;
        } else {
            return squeezed(widths, columns, names, available);
        }
    }
}

/// A name shorter than this names nothing.
const STUMP: u16 = 4;

/// The keys, and of the name what is left over.
fn squeezed(mut widths: Vec<u16>, columns: &[Column], names: Option<usize>, available: u16) -> Vec<u16> {
    if let Some(name) = names.and_then(|at| widths.get_mut(at)) {
        let wide = std::mem::replace(name, STUMP);
        let room = (available + STUMP).checked_sub(taken(&widths, columns)).filter(|room| *room >= STUMP);
        if let Some(name) = names.and_then(|at| widths.get_mut(at)) {
            *name = room.map_or(0, |room| room.min(wide));
        }
    }
    for width in &mut widths {
        *width = (*width).min(available);
    }
    widths
}

/// Takes columns from the widest spare room, a step at a time, so that long texts give first.
fn shrink(widths: &mut [u16], columns: &[Column], available: u16, at_least: impl Fn(usize) -> u16) {
    loop {
        let over = taken(widths, columns).saturating_sub(available);
        let spare = |(at, width): (usize, &u16)| {
            let floor = columns.get(at).map_or(0, Column::floor);
            width.saturating_sub(floor.max(at_least(at)))
        };
        let mut spares: Vec<(u16, usize)> = widths.iter().enumerate().map(|(at, width)| (spare((at, width)), at)).collect();
        spares.sort_unstable();
        let Some((most, at)) = spares.pop().filter(|(most, _)| over > 0 && *most > 0) else { return };
        let next = spares.pop().map_or(0, |(next, _)| next);
        if let Some(width) = widths.get_mut(at) {
            *width -= over.min((most - next).max(1));
        }
    }
}

/// How much a text that may run on over empty cells widens its own column.
const SPILLED: usize = 8;

/// True where no cell after this one holds anything.
fn is_end(row: &[Cell], at: usize) -> bool {
    row.iter().skip(at + 1).all(|(text, _)| text.is_empty())
}

/// Gives each column the width of its longest cell.
pub fn measure(columns: &mut [Column], rows: &[Vec<Cell>], has_heads: bool) {
    let last = columns.len();
    for (at, column) in columns.iter_mut().enumerate() {
        let cells = rows.iter().filter_map(|row| {
            let width = row.get(at)?.0.width();
            Some(if at + 1 < last && is_end(row, at) { width.min(SPILLED) } else { width })
        });
        let widest = cells.max().unwrap_or(0);
        let title = if has_heads { column.title.width() } else { 0 };
        column.width = widest.max(title).min(500) as u16;
    }
}

/// A frame, its title on the left, the keys that work in it on the right, what troubles it at the foot.
pub fn frame(
    ink: &Ink<'_>,
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    hints: &str,
    is_focused: bool,
    foot: Option<(&str, Role)>,
) {
    let area = area.intersection(buffer.area);
    if area.width < 3 || area.height < 3 {
        return;
    }
    let role = if is_focused { Role::BorderFocused } else { Role::Border };
    let style = ink.style(role);
    let [h, v, nw, ne, sw, se] =
        if ink.model.shown.ascii { ["-", "|", "+", "+", "+", "+"] } else { ["─", "│", "┌", "┐", "└", "┘"] };
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
    // As many of the keys as there is room for.
    let mut hints = hints;
    while !hints.is_empty() && usize::from(took) + hints.width() + 6 >= usize::from(inner) {
        hints = hints.rsplit_once("  ").map_or("", |(fewer, _)| fewer);
    }
    let hint_width = hints.width() as u16 + 2;
    if !hints.is_empty() {
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
        self.measure(has_heads);
        let is_focused = ink.model.place.pane == pane && ink.model.place.page.is_none();
        let cursor = ink.model.cursor(pane);
        let marked = cursor.at.checked_sub(cursor.offset).filter(|_| is_focused);
        self.print(ink, buffer, list, has_heads, marked);
        more(ink, buffer, pane, area, (cursor.offset, usize::from(list.height)));
        super::aside::draw(ink, buffer, pane, area);
    }

    /// The heads and as many rows as an area holds, without a pane around them.
    pub fn draw_in(mut self, ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
        self.measure(true);
        let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        self.print(ink, buffer, list, true, None);
    }

    fn measure(&mut self, has_heads: bool) {
        if self.columns.iter().all(|column| column.width == 0) {
            measure(&mut self.columns, &self.rows, has_heads);
        }
    }

    fn print(&self, ink: &Ink<'_>, buffer: &mut Buffer, list: Rect, has_heads: bool, marked: Option<usize>) {
        let widths = fit(&self.columns, list.width.saturating_sub(3));
        if has_heads {
            let titles: Vec<Cell> = self.columns.iter().map(|column| (column.title.clone(), Role::Muted)).collect();
            self.row(ink, buffer, Rect { y: list.y - 1, height: 1, ..list }, &widths, &titles);
        }
        for (at, (row, y)) in self.rows.iter().zip(list.y..list.bottom()).enumerate() {
            if marked == Some(at) {
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
            let is_right = self.columns.get(at).is_some_and(|column| column.right);
            let rest = line.right() - x;
            // A sentence in a row that ends with it runs on to the border.
            let room =
                if is_end(cells, at) && !is_right { rest.saturating_sub(1).max(rest.min(*width)) } else { rest.min(*width) };
            if let Some((text, role)) = cells.get(at) {
                let indent = if is_right { room.saturating_sub(text.width().min(500) as u16) } else { 0 };
                let is_severity =
                    matches!(role, Role::Red | Role::Yellow | Role::Unknown | Role::Marked | Role::Warning | Role::Bad);
                let role = if self.is_dim && !is_severity { Role::Muted } else { *role };
                ink.put(buffer, (x + indent, line.y), room - indent, text, role);
            }
            x += width + gap(*width, self.columns.get(at));
        }
    }
}

/// How many rows stand above and below those in view: a list must not look whole when it is not.
fn more(ink: &Ink<'_>, buffer: &mut Buffer, pane: Pane, area: Rect, (above, seen): (usize, usize)) {
    let below = ink.model.count(pane).saturating_sub(above + seen);
    let text = match (above, below) {
        (0, 0) => return,
        (0, below) => format!(" {below} more "),
        (above, 0) => format!(" {above} above "),
        (above, below) => format!(" {above} above, {below} more "),
    };
    let width = text.width() as u16;
    if area.height >= 3 && area.width > width + 3 {
        ink.put(buffer, (area.right() - 2 - width, area.bottom() - 1), width, &text, Role::Muted);
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
        Column { width, least, stays: if least > 0 { Stays::Spare } else { Stays::Needed }, ..Column::default() }
    }

    #[test]
    fn long_texts_give_first_the_names_last() {
        let name = || column(30, 5);
        assert_eq!(fit(&[column(10, 0), name()], 80), [10, 30]);
        assert_eq!(fit(&[column(10, 0), name()], 32), [10, 20]);
        assert_eq!(fit(&[column(10, 0), name(), column(40, 5)], 60), [10, 30, 16]);
        assert_eq!(fit(&[column(10, 0), name(), column(40, 5), column(40, 5)], 70), [10, 28, 13, 13]);
        assert_eq!(fit(&[column(10, 0), name(), column(40, 5)], 45), [10, 23, 8]);
        assert_eq!(fit(&[column(10, 0), name(), column(40, 5)], 38), [10, 26, 0]);
        assert_eq!(fit(&[name(), column(9, 0)], 16), [5, 9]);
        assert_eq!(fit(&[name(), column(9, 0)], 14), [14, 0]);
        assert_eq!(fit(&[column(10, 0)], 4), [0]);
        let key = |width| Column { stays: Stays::Always, ..column(width, 0) };
        let wanted = |width| Column { stays: Stays::Wanted, ..column(width, 0) };
        assert_eq!(fit(&[key(3), name(), wanted(16), column(9, 0)], 40), [3, 6, 16, 9]);
        assert_eq!(fit(&[key(3), name(), wanted(16), column(9, 0)], 38), [3, 22, 0, 9]);
        assert_eq!(fit(&[key(1), column(30, 14), column(6, 0)], 15), [1, 13, 0]);
        assert_eq!(fit(&[key(3), key(7), column(30, 8), column(6, 0)], 15), [3, 7, 0, 0]);
        assert_eq!(fit(&[key(3), key(7), column(30, 8), column(6, 0)], 18), [3, 7, 4, 0]);
        assert_eq!(fit(&[key(3), key(36), column(30, 8)], 20), [3, 20, 0]);
        assert_eq!(fit(&[], 4), Vec::<u16>::new());
    }

    #[test]
    fn columns_never_take_more_than_there_is() {
        for width in 0..120 {
            for columns in [vec![column(1, 0), column(30, 5), column(12, 0), column(44, 8)], vec![column(3, 0), column(7, 0)]] {
                assert!(taken(&fit(&columns, width), &columns) <= width, "{width}");
            }
        }
    }
}
