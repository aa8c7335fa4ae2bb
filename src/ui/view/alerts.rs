//! Pane 1: what is wrong, since when, and what to do about it.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    header,
    ink::{Ink, span},
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::{severity::Severity, snapshot::Alert},
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Alerts;
    let title = model.filters.get(&pane).map_or_else(|| "1 Alerts".to_owned(), |filter| format!("1 Alerts /{filter}"));
    let is_focused = model.place.pane == pane;
    sheet::frame(ink, buffer, area, &title, &sheet::hints(ink, pane), is_focused, None);
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Looking at every check for the first time...",
            Some(_) if model.filters.contains_key(&pane) => "No alert matches the filter. Esc shows all.",
            Some(_) => "The pack declares no checks: nothing is watched.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing, area.width)).collect();
    let columns = vec![
        Column::key(""),
        Column::text("", 14),
        Column::text("", 10),
        Column::whole(""),
        Column::text("", 11),
        Column::text("", 12),
    ];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

/// The severest alerts on one line, as many as fit, for screens that a queue takes.
pub fn on_one_line(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let mut x = area.x + 1;
    let alerts = ink.model.snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default();
    let mut wrong: Vec<_> = alerts
        .iter()
        .map(|alert| (ink.model.severity(alert), alert))
        .filter(|(severity, _)| *severity != Severity::Green)
        .collect();
    wrong.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    if wrong.is_empty() {
        ink.put(buffer, (x, area.y), area.width.saturating_sub(2), "nothing is wrong elsewhere", Role::Muted);
    }
    for (severity, alert) in wrong {
        let room = area.right().saturating_sub(x + 1);
        if room < 20 {
            return;
        }
        let text = format!("{} {} {}", severity.letter(), ink.cut(&alert.title, 18), ink.age(alert.since));
        x += ink.put(buffer, (x, area.y), room, &text, Ink::severity(severity)) + 2;
    }
}

fn row(ink: &Ink<'_>, thing: &Thing, width: u16) -> Vec<Cell> {
    if let Thing::Alert(subject) = thing {
        return ink.model.alert(subject).map(|alert| alert_row(ink, alert, width)).unwrap_or_default();
    }
    let counts = header::counted(ink.model);
    let well = counts.iter().find(|(severity, _)| *severity == Severity::Green).map_or(0, |(_, count)| *count);
    let is_all = counts.iter().all(|(severity, count)| *severity == Severity::Green || *count == 0);
    let text = if is_all { format!("all {well} well") } else { format!("{well} well") };
    let blank = || (String::new(), Role::Muted);
    let hint = ("Enter lists them".to_owned(), Role::Muted);
    vec![("G".to_owned(), Role::Green), (text, Role::Muted), blank(), blank(), blank(), hint]
}

fn alert_row(ink: &Ink<'_>, alert: &Alert, width: u16) -> Vec<Cell> {
    let severity = ink.model.severity(alert);
    let handled = if width < ROOMY { handled_in_short(ink, alert) } else { handled(ink, alert) };
    let title_role = if handled.is_some() { Role::Muted } else { Role::Text };
    let reading = if severity == Severity::Unknown { "no data".to_owned() } else { alert.reading.clone() };
    let age = match (severity, alert.looked_at) {
        // What is not known is as old as the last look that knew.
        (Severity::Unknown, Some(at)) => ink.age(at),
        (Severity::Unknown, None) => "-".to_owned(),
        (Severity::Green | Severity::Yellow | Severity::Red, _) => ink.age(alert.since),
    };
    let playbook = alert.playbook.as_ref().map_or_else(String::new, |id| {
        let place = ink.model.pack.playbooks.iter().position(|playbook| playbook.id == *id);
        place.map_or_else(String::new, |place| format!("pb{}", place + 1))
    });
    vec![
        (severity.letter().to_string(), Ink::severity(severity)),
        (alert.title.clone(), title_role),
        (reading, title_role),
        (age, Role::Muted),
        (handled.unwrap_or(playbook), Role::Muted),
        detail(ink, alert, severity),
    ]
}

fn detail(ink: &Ink<'_>, alert: &Alert, severity: Severity) -> Cell {
    if let Some(failure) = &alert.failure {
        return (ink.failed(failure), Role::Unknown);
    }
    if severity == Severity::Unknown && alert.severity != Severity::Unknown {
        return (format!("was {}, no newer look came", alert.severity.word()), Role::Unknown);
    }
    if let Some(turning) = &alert.turning {
        let said = format!("{} in {}", turning.into.word(), span(turning.counts_at - ink.calm));
        return (said, Ink::severity(turning.into));
    }
    (alert.detail.one_line(), Role::Muted)
}

/// From here on a row has room for who did what.
const ROOMY: u16 = 100;

/// As much of it as stands in any row whole: that it is handled, and until when.
fn handled_in_short(ink: &Ink<'_>, alert: &Alert) -> Option<String> {
    let clock = |at: DateTime<Utc>| {
        let is_near = (at - ink.calm).abs() < TimeDelta::hours(20);
        if is_near { ink.clock(at) } else { at.with_timezone(&ink.zone()).format("%a").to_string() }
    };
    let handling = &alert.handling;
    let later = [handling.snoozed_until, handling.deferred_until].into_iter().flatten().find(|until| *until > ink.calm);
    let acknowledged = || handling.acknowledged.as_ref().map(|(at, _)| format!("ack {}", clock(*at)));
    later.map(|until| format!("until {}", clock(until))).or_else(acknowledged)
}

/// What the operator did about it, in a word.
fn handled(ink: &Ink<'_>, alert: &Alert) -> Option<String> {
    let handling = &alert.handling;
    if let Some(until) = handling.snoozed_until.filter(|until| *until > ink.calm) {
        return Some(format!("snoozed until {}", ink.when(until)));
    }
    if let Some(until) = handling.deferred_until.filter(|until| *until > ink.calm) {
        return Some(format!("deferred to {}", ink.when(until)));
    }
    handling.acknowledged.as_ref().map(|(at, who)| format!("ack {who} {}", ink.when(*at)))
}
