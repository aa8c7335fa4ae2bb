//! Keys while a list or a question lies over the panes.

use crossterm::event::KeyCode;

use super::{acting, alerts, going, perform};
use crate::{
    engine::message::{Handle, Request},
    ui::{
        chord::Chord,
        message::Cmd,
        model::Model,
        overlay::{Overlay, SNOOZES, SignOff},
        palette::{Entry, Palette},
        place::Thing,
        waiting::Waiting,
    },
};

pub fn press(model: &mut Model, overlay: Overlay, chord: Chord) -> Vec<Cmd> {
    let is_close = chord.code == KeyCode::Esc || (chord.control && chord.code == KeyCode::Char('c'));
    if is_close && !matches!(overlay, Overlay::Stopping) {
        return Vec::new();
    }
    match overlay {
        Overlay::Palette(palette) => in_palette(model, palette, chord),
        Overlay::Help { scroll } => {
            model.overlay = scrolled(scroll, chord).map(|scroll| Overlay::Help { scroll });
            Vec::new()
        }
        Overlay::Errors { scroll } => {
            model.overlay = scrolled(scroll, chord).map(|scroll| Overlay::Errors { scroll });
            Vec::new()
        }
        Overlay::Snooze { subject, title } => {
            let found = SNOOZES.iter().find(|(key, ..)| chord.letter() == Some(*key));
            let Some((_, words, span)) = found else {
                model.overlay = Some(Overlay::Snooze { subject, title });
                return Vec::new();
            };
            let how = span.map_or(Handle::Defer, |seconds| Handle::Snooze(std::time::Duration::from_secs(seconds)));
            let said =
                if span.is_some() { format!("{title}: snoozed for {words}") } else { format!("{title}: deferred {words}") };
            perform::say(model, crate::ui::notice::Tone::Plain, said);
            alerts::go_on(model);
            vec![Cmd::Ask(Request::Handle { subject, how })]
        }
        Overlay::StopRun { plan, opened_at } => match chord.letter() {
            Some('y') if model.listens(opened_at) => vec![Cmd::Ask(Request::StopRun { plan })],
            Some('n') => Vec::new(),
            _ => {
                model.overlay = Some(Overlay::StopRun { plan, opened_at });
                Vec::new()
            }
        },
        Overlay::SignOff(sign_off) => in_sign_off(model, sign_off, chord),
        Overlay::Quit { opened_at } => {
            let listens = model.listens(opened_at);
            match chord.letter() {
                Some('y') if listens => {
                    model.overlay = Some(Overlay::Stopping);
                    vec![Cmd::Ask(Request::Stop)]
                }
                Some('n') => Vec::new(),
                _ => {
                    model.overlay = Some(Overlay::Quit { opened_at });
                    Vec::new()
                }
            }
        }
        // What is under way is being finished; only the engine's answer ends this.
        overlay @ (Overlay::Stopping | Overlay::Dialog(_) | Overlay::Doubt(_) | Overlay::Recovery(_) | Overlay::Note { .. }) => {
            model.overlay = Some(overlay);
            Vec::new()
        }
    }
}

/// The new scroll of a text; `None` closes it.
fn scrolled(scroll: usize, chord: Chord) -> Option<usize> {
    match chord.code {
        KeyCode::Char('j') | KeyCode::Down => Some(scroll + 1),
        KeyCode::Char('k') | KeyCode::Up => Some(scroll.saturating_sub(1)),
        KeyCode::Char('d' | ' ') | KeyCode::PageDown => Some(scroll + 10),
        KeyCode::Char('u') | KeyCode::PageUp => Some(scroll.saturating_sub(10)),
        KeyCode::Char('g') | KeyCode::Home => Some(0),
        _ => None,
    }
}

fn in_sign_off(model: &mut Model, mut sign_off: SignOff, chord: Chord) -> Vec<Cmd> {
    if chord.code == KeyCode::Enter && model.listens(sign_off.opened_at) {
        let what = format!("sign-off of {}", sign_off.title);
        let SignOff { reconciliation, seen, note, .. } = sign_off;
        let ask = model.questions.ask(Waiting::SignOff { what, reconciliation: reconciliation.clone(), note: note.clone() });
        let note = note.text().trim().to_owned();
        return vec![Cmd::Ask(Request::SignOff { ask, reconciliation, seen, note })];
    }
    sign_off.note.press(chord);
    model.overlay = Some(Overlay::SignOff(sign_off));
    Vec::new()
}

fn in_palette(model: &mut Model, mut palette: Palette, chord: Chord) -> Vec<Cmd> {
    let last = palette.len().saturating_sub(1);
    match chord.code {
        KeyCode::Enter => {
            let chosen = palette.hit(palette.at).map(|choice| choice.entry.clone());
            return chosen.map_or_else(Vec::new, |entry| choose(model, entry));
        }
        KeyCode::Down | KeyCode::Tab => palette.at = (palette.at + 1).min(last),
        KeyCode::Up | KeyCode::BackTab => palette.at = palette.at.saturating_sub(1),
        KeyCode::PageDown => palette.at = (palette.at + 8).min(last),
        KeyCode::PageUp => palette.at = palette.at.saturating_sub(8),
        KeyCode::Char('n') if chord.control => palette.at = (palette.at + 1).min(last),
        KeyCode::Char('p') if chord.control => palette.at = palette.at.saturating_sub(1),
        _ => {
            if palette.field.press(chord) {
                palette.search();
            }
        }
    }
    model.overlay = Some(Overlay::Palette(palette));
    Vec::new()
}

fn choose(model: &mut Model, entry: Entry) -> Vec<Cmd> {
    let now = model.now;
    match entry {
        Entry::Intent(intent) => perform::perform(model, intent),
        Entry::Action(action) => acting::on_items(model, &action, None),
        Entry::Queue(queue) => {
            going::work_on(model, &queue);
            Vec::new()
        }
        Entry::Preset(queue, name) => {
            let spec = model.queue_spec(&queue).cloned();
            if let (Some(spec), Some(work)) = (spec, model.works.get_mut(&queue)) {
                work.preset = Some(name);
                work.arrange(&spec, now);
            }
            model.settle();
            Vec::new()
        }
        Entry::Playbook(id) => going::read(model, Thing::Playbook(id)),
        Entry::Run(id) => acting::run_job(model, &id),
        Entry::Flip(id) => acting::flip(model, &id),
    }
}
