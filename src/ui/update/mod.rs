//! The one writer of the model: a message in, commands out, nothing else touched.

mod acting;
mod alerts;
mod dialog;
mod doubt;
mod events;
mod going;
mod overlays;
mod perform;
mod pointing;
mod recovery;
mod rows;
mod typing;

#[cfg(test)]
mod tests;

pub use acting::offered;
pub use going::work_on;

use chrono::{DateTime, Utc};
use crossterm::event::{KeyEvent, KeyEventKind};

use super::{
    chord::Chord,
    keymap::{Context, Intent},
    message::{Cmd, Msg},
    model::Model,
    overlay::Overlay,
    place::Pane,
    waiting::Unlocking,
};

/// Takes one message. Never waits, never reads a clock: `now` is an argument.
pub fn update(model: &mut Model, msg: Msg, now: DateTime<Utc>) -> Vec<Cmd> {
    let minute = |at: DateTime<Utc>| at.timestamp().div_euclid(60);
    let before = model.now;
    model.now = now;
    let is_new_minute = minute(before) != minute(now);
    // Time goes on for every pane with whatever message comes first.
    if is_new_minute || model.counts_seconds(before) || model.counts_seconds(now) {
        model.touch();
    }
    let cmds = match msg {
        Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(key) => {
            model.pointed = None;
            model.pressed = (model.overlay.is_none() && model.typing.is_none()).then_some(key);
            match stepped(model, key) {
                Some(pane) => model.touch_selection(pane),
                None => model.touch(),
            }
            by_hand(model, |model| press(model, key))
        }
        Msg::Mouse(event) => {
            model.touch();
            by_hand(model, |model| pointing::point(model, event))
        }
        Msg::Paste(text) => {
            model.touch();
            typing::paste(model, &text);
            Vec::new()
        }
        Msg::Resize(width, height) => {
            model.size = (width, height);
            model.settle();
            model.touch();
            Vec::new()
        }
        Msg::Event(event) => {
            let cmds = events::take(model, event);
            doubt::keep_up(model);
            cmds
        }
        Msg::Tick => {
            model.rest();
            if is_new_minute {
                model.settle();
            }
            Vec::new()
        }
    };
    model.is_leaving |= cmds.contains(&Cmd::Quit);
    cmds
}

/// The pane in which a key will do no more than move the selection.
fn stepped(model: &Model, key: KeyEvent) -> Option<Pane> {
    let is_in_list = model.overlay.is_none() && model.typing.is_none() && model.place.page.is_none();
    let intent = model.keymap.find(Context::of(&model.place), Chord::from_event(key)).filter(|_| is_in_list)?;
    intent.is_step().then_some(model.place.pane)
}

/// What the operator does: it wipes what was said before, and the text about the selection follows it.
fn by_hand(model: &mut Model, what: impl FnOnce(&mut Model) -> Vec<Cmd>) -> Vec<Cmd> {
    let now = model.now;
    model.notices.wipe(now);
    model.is_touched = true;
    let (place, thing) = (model.place.clone(), model.cursor(model.place.pane).thing);
    let cmds = what(model);
    if model.place != place {
        model.arrived();
    } else if model.cursor(place.pane).thing != thing {
        model.moved(place.pane, thing);
    }
    cmds
}

/// Writing is unlocked: the key that came too soon for it is taken now, where nothing has moved under it.
fn unlocked(model: &mut Model, unlocking: Unlocking) -> Vec<Cmd> {
    let is_soon = unlocking.is_soon(model.now);
    let Some((key, place, thing)) = unlocking.next.filter(|_| is_soon) else { return Vec::new() };
    let is_there = model.place == place && model.selected() == thing;
    if is_there && model.overlay.is_none() && model.typing.is_none() { press(model, key) } else { Vec::new() }
}

/// A key goes to what lies on top.
fn press(model: &mut Model, key: KeyEvent) -> Vec<Cmd> {
    let chord = Chord::from_event(key);
    // These two are about the terminal, whatever lies on top.
    if let Some(intent @ (Intent::Suspend | Intent::Redraw)) =
        model.keymap.find(Context::Anywhere, chord).filter(|_| chord.control)
    {
        return perform::perform(model, intent);
    }
    if let Some(overlay) = model.overlay.take() {
        return match overlay {
            Overlay::Dialog(dialog) => dialog::press(model, dialog, chord),
            Overlay::Doubt(doubt) => doubt::press(model, doubt, chord),
            Overlay::Recovery(page) => recovery::press(model, page, chord),
            Overlay::Note { subject, title, area } => typing::note(model, subject, title, area, key),
            other => overlays::press(model, other, chord),
        };
    }
    if let Some((field, before)) = model.typing.take() {
        return typing::filter(model, field, before, chord);
    }
    let context = Context::of(&model.place);
    if let Some(intent) = model.keymap.find(context, chord) {
        return perform::perform(model, intent);
    }
    match chord.letter().filter(|_| context == Context::Items) {
        Some(letter) => acting::by_key(model, letter),
        None => Vec::new(),
    }
}
