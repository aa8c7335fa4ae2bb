//! Text being typed or pasted: filters, notes, fields. A paste fills; it never confirms.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::TextArea;

use super::{going, perform::say};
use crate::{
    domain::snapshot::Subject,
    engine::message::{Handle, Request},
    ui::{chord::Chord, dialog::Focus, field::Field, message::Cmd, model::Model, notice::Tone, overlay::Overlay, place::Pane},
};

/// The filter as it is typed: what it shows changes with every letter; Esc puts the old one back.
pub fn filter(model: &mut Model, mut field: Field, before: String, chord: Chord) -> Vec<Cmd> {
    match chord.code {
        KeyCode::Enter => {
            let problem = model.work().and_then(|work| work.filter.problem().map(ToOwned::to_owned));
            if let Some(problem) = problem {
                say(model, Tone::Warning, problem);
            }
            let is_journal = model.place.pane == Pane::Journal && !field.is_empty();
            return if is_journal { going::more_journal(model) } else { Vec::new() };
        }
        KeyCode::Esc => {
            apply(model, &before);
            return Vec::new();
        }
        _ => {
            let had = field.text().to_owned();
            field.press(chord);
            if had != field.text() {
                apply(model, field.text());
            }
        }
    }
    model.typing = Some((field, before));
    Vec::new()
}

fn apply(model: &mut Model, text: &str) {
    let now = model.now;
    let pane = model.place.pane;
    let spec = model.place.queue.as_ref().filter(|_| pane == Pane::Queues).and_then(|id| model.queue_spec(id)).cloned();
    match (spec, model.work_mut()) {
        (Some(spec), Some(work)) => work.filter_by(text, &spec, now),
        _ if text.is_empty() => {
            model.filters.remove(&pane);
        }
        _ => {
            model.filters.insert(pane, text.to_owned());
        }
    }
    if pane == Pane::Journal {
        // Lines read with one filter are no record for another.
        model.older.clear();
    }
    model.settle();
}

pub fn note(model: &mut Model, subject: Subject, title: String, mut area: Box<TextArea<'static>>, key: KeyEvent) -> Vec<Cmd> {
    let is_break = key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SHIFT);
    match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter if !is_break => {
            let text = area.lines().join("\n").trim().to_owned();
            if text.is_empty() {
                return Vec::new();
            }
            say(model, Tone::Plain, format!("{title}: noted"));
            return vec![Cmd::Ask(Request::Handle { subject, how: Handle::Note(text) })];
        }
        KeyCode::Enter => area.insert_newline(),
        _ => {
            area.input(key);
        }
    }
    model.overlay = Some(Overlay::Note { subject, title, area });
    Vec::new()
}

/// Pasted text goes into the field that is open, except where typing it is the confirmation.
pub fn paste(model: &mut Model, text: &str) {
    if let Some((mut field, before)) = model.typing.take() {
        field.insert(text);
        apply(model, field.text());
        model.typing = Some((field, before));
        return;
    }
    let mut is_refused = false;
    match &mut model.overlay {
        Some(Overlay::Palette(palette)) => {
            palette.field.insert(text);
            palette.search();
        }
        Some(Overlay::Note { area, .. }) => {
            let clean: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
            area.insert_str(clean);
        }
        Some(Overlay::SignOff(sign_off)) => sign_off.note.insert(text),
        Some(Overlay::Dialog(dialog)) => {
            if let Focus::Input(_) = dialog.focus {
                if let Some(field) = dialog.field() {
                    field.insert(text);
                    dialog.is_behind = true;
                }
            } else {
                is_refused = true;
            }
        }
        Some(
            Overlay::Help { .. }
            | Overlay::Snooze { .. }
            | Overlay::Errors { .. }
            | Overlay::Quit { .. }
            | Overlay::StopRun { .. }
            | Overlay::Stopping,
        ) => {}
        Some(Overlay::Doubt(_) | Overlay::Recovery(_)) | None => is_refused = true,
    }
    if is_refused {
        say(model, Tone::Warning, "a paste confirms nothing here; type it");
    }
}
