//! The mouse looks and never acts: it selects, opens and scrolls; no mark, no confirmation and no act is reached by it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::going;
use crate::ui::{
    message::Cmd,
    model::Model,
    overlay::Overlay,
    place::{Pane, Place},
    view::layout,
};

/// Lines of a text that one notch of the wheel scrolls.
const NOTCH: usize = 3;

pub fn point(model: &mut Model, event: MouseEvent) -> Vec<Cmd> {
    let MouseEvent { kind, column, row, .. } = event;
    if let Some(overlay) = &mut model.overlay {
        turn_over(overlay, kind);
        return Vec::new();
    }
    if model.typing.is_some() {
        return Vec::new();
    }
    match kind {
        MouseEventKind::Down(MouseButton::Left) => click(model, (column, row)),
        MouseEventKind::ScrollDown => wheel(model, (column, row), 1),
        MouseEventKind::ScrollUp => wheel(model, (column, row), -1),
        _ => Vec::new(),
    }
}

/// What lies over the panes is read with the wheel. What asks something else is not touched.
fn turn_over(overlay: &mut Overlay, kind: MouseEventKind) {
    let scroll = match overlay {
        Overlay::Help { scroll } | Overlay::Errors { scroll } => scroll,
        Overlay::Dialog(dialog) => &mut dialog.scroll,
        Overlay::Palette(_)
        | Overlay::Note { .. }
        | Overlay::Snooze { .. }
        | Overlay::SignOff(_)
        | Overlay::Doubt(_)
        | Overlay::Recovery(_)
        | Overlay::Quit { .. }
        | Overlay::StopRun { .. }
        | Overlay::Stopping => return,
    };
    match kind {
        MouseEventKind::ScrollDown => *scroll = scroll.saturating_add(NOTCH),
        MouseEventKind::ScrollUp => *scroll = scroll.saturating_sub(NOTCH),
        _ => {}
    }
}

/// The pane under the pointer, and the number of its row there.
fn under(model: &Model, at: (u16, u16)) -> Option<(Pane, Option<usize>)> {
    let layout = layout::arrange(model);
    let (pane, area) = layout.panes.into_iter().find(|(_, area)| area.contains(at.into()))?;
    let list = layout::list(model, pane, area);
    let row = list.contains(at.into()).then(|| model.cursor(pane).offset + usize::from(at.1 - list.y));
    Some((pane, row.filter(|row| *row < model.count(pane))))
}

/// Selects the pane and the row; the second time on one row opens it.
fn click(model: &mut Model, at: (u16, u16)) -> Vec<Cmd> {
    let Some((pane, row)) = under(model, at).filter(|_| model.place.page.is_none()) else { return Vec::new() };
    if pane != model.place.pane {
        let queue = model.place.queue.clone().filter(|_| pane == Pane::Queues);
        going::go(model, Place { pane, zoomed: model.place.zoomed, queue, page: None });
    }
    let Some(row) = row else { return Vec::new() };
    let before = model.pointed.take();
    let cursor = model.cursor_mut(pane);
    cursor.at = row;
    cursor.thing = None;
    model.settle_pane(pane);
    let selected = model.selected();
    if before.is_some() && before == selected {
        return going::open(model);
    }
    model.pointed = selected;
    Vec::new()
}

/// Scrolls the page, or moves the selection where the operator is; a wheel over another pane takes nobody there.
fn wheel(model: &mut Model, at: (u16, u16), rows: isize) -> Vec<Cmd> {
    if model.place.page.is_some() {
        return going::step(model, rows.saturating_mul(NOTCH.cast_signed()));
    }
    let is_here = under(model, at).is_some_and(|(pane, _)| pane == model.place.pane);
    if is_here { going::step(model, rows) } else { Vec::new() }
}
