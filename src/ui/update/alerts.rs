//! What the operator does about an alert: why, acknowledge, snooze, defer, note.

use ratatui_textarea::TextArea;

use super::{acting, going, perform::say};
use crate::{
    domain::snapshot::Subject,
    engine::message::{Handle, Request},
    ui::{
        message::Cmd,
        model::Model,
        notice::Tone,
        overlay::Overlay,
        place::{Pane, Thing},
    },
};

/// The rule, the readings, the history of what is selected.
pub fn why(model: &mut Model) -> Vec<Cmd> {
    let Some(thing) = model.selected() else { return Vec::new() };
    let page = match thing.subject() {
        Some(Subject::Job(id)) => Thing::Job(id),
        Some(subject) if model.alert(&subject).is_some() => Thing::Alert(subject),
        Some(_) | None => thing,
    };
    if page == Thing::Healthy { Vec::new() } else { going::read(model, page) }
}

fn selected(model: &mut Model) -> Option<(Subject, String)> {
    let subject = model.selected()?.subject()?;
    let title = match model.alert(&subject) {
        Some(alert) => alert.title.clone(),
        None => subject.name(),
    };
    if model.keeps_no_record() && acting::is_barred(model) {
        return None;
    }
    Some((subject, title))
}

fn handle(model: &mut Model, how: Handle, said: &str) -> Vec<Cmd> {
    let Some((subject, title)) = selected(model) else { return Vec::new() };
    say(model, Tone::Plain, format!("{title}: {said}"));
    vec![Cmd::Ask(Request::Handle { subject, how })]
}

pub fn acknowledge(model: &mut Model) -> Vec<Cmd> {
    handle(model, Handle::Acknowledge, "acknowledged")
}

pub fn reopen(model: &mut Model) -> Vec<Cmd> {
    handle(model, Handle::Reopen, "unhandled again")
}

pub fn defer(model: &mut Model) -> Vec<Cmd> {
    let cmds = handle(model, Handle::Defer, "deferred to the next session");
    go_on(model);
    cmds
}

/// What is put away until later sinks in the list; the operator stays above, with what comes next.
pub fn go_on(model: &mut Model) {
    let pane = Pane::Alerts;
    if model.place.pane != pane || model.place.page.is_some() || model.keeps_no_record() {
        return;
    }
    let things = model.things(pane);
    let at = model.cursor(pane).at;
    let is_alert = |at: &usize| matches!(things.get(*at), Some(Thing::Alert(_)));
    let Some(next) = Some(at + 1).filter(is_alert).or(at.checked_sub(1)) else { return };
    let cursor = model.cursor_mut(pane);
    cursor.at = next;
    cursor.thing = None;
    model.settle_pane(pane);
}

pub fn ask_snooze(model: &mut Model) {
    if let Some((subject, title)) = selected(model) {
        model.overlay = Some(Overlay::Snooze { subject, title });
    }
}

pub fn ask_note(model: &mut Model) {
    if let Some((subject, title)) = selected(model) {
        model.overlay = Some(Overlay::Note { subject, title, area: Box::new(TextArea::default()) });
    }
}
