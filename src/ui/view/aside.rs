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
        heading(ink, buffer, area, &title);
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
    heading(ink, buffer, Rect { width: area.width.saturating_sub(width), ..area }, &title);
    ink.put(buffer, (area.right().saturating_sub(width), area.y), width.saturating_sub(1), &all, Role::Muted);
    for (line, y) in paper.lines.iter().take(shown).zip(below.y..below.bottom()) {
        buffer.set_line(below.x + 1, y, line, below.width.saturating_sub(2));
    }
}

/// A title between two short lines: over a thin line, lines from border to border would take longer than what they head.
fn heading(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, title: &str) {
    let line = if ink.model.shown.ascii { "--" } else { "──" };
    let room = area.width.saturating_sub(2);
    let style = ink.style(Role::Border);
    buffer.set_stringn(area.x + 1, area.y, line, usize::from(room), style);
    let took = ink.put(buffer, (area.x + 4, area.y), room.saturating_sub(3), title, Role::Muted);
    if took + 6 <= room {
        buffer.set_stringn(area.x + 5 + took, area.y, line, usize::from(room - took - 4), style);
    }
}
