//! Draws the model. Writes nothing but the frame; its cost depends on the rows in view, never on a queue's length.

mod alerts;
mod aside;
mod dialog;
mod doubt;
mod flags;
mod header;
mod ink;
mod items;
mod jobs;
mod journal;
pub mod layout;
mod markdown;
mod metrics;
mod overlay;
mod page;
mod pages;
mod playbooks;
mod queues;
mod reconciliation;
mod recovery;
mod sheet;
mod status;

use chrono::{DateTime, Utc};
use ratatui::{Frame, buffer::Buffer, layout::Rect};

use super::{
    keymap::Intent,
    model::{Changed, Model},
    place::Pane,
    terminal::Drawn,
    theme::{Role, Theme},
};
use crate::domain::text::Text;
use ink::Ink;

pub use page::length as page_length;

/// Draws everything. The model must have been told the frame's size (`Msg::Resize`).
pub fn view(model: &Model, frame: &mut Frame<'_>, theme: &Theme, now: DateTime<Utc>) {
    let area = frame.area();
    everything(&Ink::new(model, theme, now), frame.buffer_mut(), area);
}

/// Draws on a blank screen what a frame shows otherwise than the last one: a step through a list is its pane and the
/// lines at the foot, anything else the whole screen.
pub fn draw(model: &Model, screen: &mut Buffer, theme: &Theme, now: DateTime<Utc>) -> Drawn {
    let ink = Ink::new(model, theme, now);
    let parts = match model.changed() {
        Changed::Selection(pane) => about_selection(&ink, pane),
        Changed::Anything | Changed::Nothing => None,
    };
    parts.map_or_else(
        || {
            let area = screen.area;
            everything(&ink, screen, area);
            Drawn::Whole
        },
        Drawn::Parts,
    )
}

/// What tells of the selection in a pane; none where something lies over it.
fn about_selection(ink: &Ink<'_>, pane: Pane) -> Option<Vec<Buffer>> {
    let model = ink.model;
    let layout = layout::arrange(model);
    let (_, area) = layout.panes.iter().find(|(other, _)| *other == pane)?;
    if model.snapshot.is_none() || model.overlay.is_some() || layout.page.is_some() {
        return None;
    }
    let mut parts = vec![part(ink, *area, |buffer| draw_pane(ink, buffer, pane, *area))];
    parts.extend(layout.preview.map(|area| part(ink, area, |buffer| page::preview(ink, buffer, area))));
    parts.push(part(ink, layout.footer, |buffer| status::footer(ink, buffer, layout.footer)));
    parts.push(part(ink, layout.status, |buffer| status::draw(ink, buffer, layout.status)));
    Some(parts)
}

fn part(ink: &Ink<'_>, area: Rect, draw: impl FnOnce(&mut Buffer)) -> Buffer {
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, ink.style(Role::Text));
    draw(&mut buffer);
    if ink.model.shown.ascii {
        only_ascii(&mut buffer);
    }
    buffer
}

fn everything(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    buffer.set_style(area, ink.style(Role::Text));
    let layout = layout::arrange(model);
    header::draw(ink, buffer, layout.header);
    if let Some(why) = model.unopened.as_ref().filter(|_| model.overlay.is_none()) {
        unopened(ink, buffer, area, why);
        status::draw(ink, buffer, layout.status);
        return;
    }
    if model.snapshot.is_none() && model.overlay.is_none() {
        opening(ink, buffer, area);
        status::draw(ink, buffer, layout.status);
        return;
    }
    for (pane, area) in &layout.panes {
        draw_pane(ink, buffer, *pane, area.intersection(buffer.area));
    }
    if let Some(area) = layout.preview {
        page::preview(ink, buffer, area);
    }
    if let Some(area) = layout.page {
        page::draw(ink, buffer, area);
    }
    if !layout.severest.is_empty() {
        alerts::on_one_line(ink, buffer, layout.severest);
    }
    if !layout.figures.is_empty() {
        metrics::on_one_line(ink, buffer, layout.figures);
    }
    status::footer(ink, buffer, layout.footer);
    status::draw(ink, buffer, layout.status);
    overlay::draw(ink, buffer, area);
    if model.shown.ascii {
        only_ascii(buffer);
    }
}

/// The first paint, before anything is known: a sentence. Frames and columns come with what stands in them, because a
/// thin line takes seconds for each screen.
fn opening(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let count = ink.model.pack.connections.len();
    let said = match count {
        1 => "opening: looking at 1 connection...".to_owned(),
        _ => format!("opening: looking at {count} connections..."),
    };
    let width = said.chars().count().min(usize::from(area.width)) as u16;
    let line = Rect { x: area.x + (area.width - width) / 2, y: area.y + area.height / 2, width, height: 1 };
    buffer.set_stringn(line.x, line.y, &said, usize::from(line.width), ink.style(Role::Muted));
}

/// Nothing is read, and why.
fn unopened(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, why: &Text) {
    let width = area.width.saturating_sub(4).min(96);
    let (x, last) = (area.x + (area.width - width) / 2, area.bottom().saturating_sub(1));
    let said = [
        ("The business could not be opened: nothing is read, and nothing is sent.".to_owned(), Role::Title),
        (String::new(), Role::Text),
        (why.shown().to_owned(), Role::Bad),
        (String::new(), Role::Text),
        (format!("Once that is mended, quit ({}) and start again.", ink.model.keymap.key_of(Intent::Quit)), Role::Text),
    ];
    let lines = said.iter().flat_map(|(text, role)| ink::wrapped(text, usize::from(width)).into_iter().map(|line| (line, *role)));
    for (y, (line, role)) in (area.y + 2.min(area.height / 4)..last).zip(lines) {
        ink.put(buffer, (x, y), width, &line, role);
    }
}

fn draw_pane(ink: &Ink<'_>, buffer: &mut Buffer, pane: Pane, area: Rect) {
    match pane {
        Pane::Alerts => alerts::draw(ink, buffer, area),
        Pane::Queues => match ink.model.work() {
            Some(work) => items::draw(ink, buffer, area, work),
            None => queues::draw(ink, buffer, area),
        },
        Pane::Jobs => jobs::draw(ink, buffer, area),
        Pane::Reconciliation => reconciliation::draw(ink, buffer, area),
        Pane::Flags => flags::draw(ink, buffer, area),
        Pane::Playbooks => playbooks::draw(ink, buffer, area),
        Pane::Metrics => metrics::draw(ink, buffer, area),
        Pane::Journal => journal::draw(ink, buffer, area),
    }
}

/// The rows of a pane that are in view.
fn in_view<T: Clone>(ink: &Ink<'_>, pane: Pane, area: Rect, things: &[T]) -> Vec<T> {
    let height = usize::from(layout::list(ink.model, pane, area).height);
    let offset = ink.model.cursor(pane).offset.min(things.len());
    things.iter().skip(offset).take(height).cloned().collect()
}

/// For terminals that were told to show nothing else: what has a plain sign gets it, the rest a question mark.
fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let plain = match cell.symbol() {
                "…" => "~",
                "–" | "—" | "─" => "-",
                "·" | "•" => "*",
                "→" => ">",
                "↵" => "/",
                "’" | "‘" => "'",
                "“" | "”" => "\"",
                "│" => "|",
                _ => "?",
            };
            cell.set_symbol(plain);
        }
    }
}
