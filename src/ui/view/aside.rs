//! What the rows of a pane leave over: the selected one in a few lines. Never more than the pane holds.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::{
    ink::Ink,
    items, layout,
    page::{self, Extent},
    queues,
};
use crate::ui::{
    keymap::Intent,
    place::{Pane, Thing},
    theme::Role,
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, pane: Pane, area: Rect) {
    let model = ink.model;
    let Some(area) = layout::aside(model, pane, area) else { return };
    let Some(thing) = model.told(pane) else { return };
    let thing = &thing;
    let title = page::title(model, thing);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if let Thing::Queue(id) = thing
        && queues::has_items(ink, id)
    {
        rule(ink, buffer, area, &title);
        items::first(ink, buffer, below, id);
        return;
    }
    let paper = page::written(*ink, thing, usize::from(below.width.saturating_sub(2)), Extent::Aside);
    let shown = paper.whole(usize::from(below.height));
    // What would end in the middle of its first sentence is not begun.
    if shown == 0 {
        return;
    }
    let all = format!(" {} shows all ", model.keymap.key_of(Intent::Detail));
    let width = if shown < paper.lines.len() { all.width() as u16 + 1 } else { 0 };
    rule(ink, buffer, area, &ink.cut(&title, usize::from(area.width.saturating_sub(width + 4))));
    ink.put(buffer, (area.right().saturating_sub(width), area.y), width.saturating_sub(1), &all, Role::Muted);
    for (line, y) in paper.lines.iter().take(shown).zip(below.y..below.bottom()) {
        buffer.set_line(below.x + 1, y, line, below.width.saturating_sub(2));
    }
}

/// A line with a title in it.
fn rule(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, title: &str) {
    let sign = if ink.model.shown.ascii { "-" } else { "─" };
    for x in area.x..area.right() {
        buffer[(x, area.y)].set_symbol(sign).set_style(ink.style(Role::Border));
    }
    ink.put(buffer, (area.x + 1, area.y), area.width.saturating_sub(2), &format!(" {title} "), Role::Muted);
}
