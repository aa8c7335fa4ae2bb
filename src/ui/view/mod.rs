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
    model::Model,
    place::Pane,
    theme::{Role, Theme},
};
use ink::Ink;

pub use page::length as page_length;

/// Draws everything. The model must have been told the frame's size (`Msg::Resize`).
pub fn view(model: &Model, frame: &mut Frame<'_>, theme: &Theme, now: DateTime<Utc>) {
    let area = frame.area();
    draw(model, frame.buffer_mut(), area, theme, now);
}

fn draw(model: &Model, buffer: &mut Buffer, area: Rect, theme: &Theme, now: DateTime<Utc>) {
    let ink = Ink::new(model, theme, now);
    buffer.set_style(area, theme.style(Role::Text));
    let layout = layout::arrange(model);
    header::draw(&ink, buffer, layout.header);
    if model.snapshot.is_none() && model.overlay.is_none() {
        opening(&ink, buffer, area);
        status::draw(&ink, buffer, layout.status);
        return;
    }
    for (pane, area) in &layout.panes {
        draw_pane(&ink, buffer, *pane, area.intersection(buffer.area));
    }
    if let Some(area) = layout.preview {
        page::preview(&ink, buffer, area);
    }
    if let Some(area) = layout.page {
        page::draw(&ink, buffer, area);
    }
    if !layout.severest.is_empty() {
        alerts::on_one_line(&ink, buffer, layout.severest);
    }
    if !layout.figures.is_empty() {
        metrics::on_one_line(&ink, buffer, layout.figures);
    }
    status::footer(&ink, buffer, layout.footer);
    status::draw(&ink, buffer, layout.status);
    overlay::draw(&ink, buffer, area);
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
