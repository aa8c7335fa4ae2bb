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
    rule(ink, buffer, area, &title);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if let Thing::Queue(id) = thing
        && queues::has_items(ink, id)
    {
        items::first(ink, buffer, below, id);
        return;
    }
    let lines = page::lines(*ink, thing, usize::from(below.width.saturating_sub(2)), Extent::Aside);
    let is_cut = lines.len() > usize::from(below.height);
    for (line, y) in lines.iter().zip(below.y..below.bottom()) {
        buffer.set_line(below.x + 1, y, line, below.width.saturating_sub(2));
    }
    if is_cut && below.height > 0 {
        let more = format!(" {} more: {} ", lines.len() - usize::from(below.height), model.keymap.key_of(Intent::Detail));
        let width = (more.len() as u16).min(below.width);
        if usize::from(area.width) > title.width() + 5 + more.len() {
            ink.put(buffer, (area.right() - 1 - width, area.y), width, &more, Role::Muted);
        }
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
