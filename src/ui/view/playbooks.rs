//! Pane 6: what to do when; a playbook that an alert calls for stands out.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::{
        pack::{self},
        severity::Severity,
    },
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Playbooks;
    sheet::frame(ink, buffer, area, "6 Playbooks", "Enter read", model.place.pane == pane, None);
    let things = model.things(pane);
    if things.is_empty() {
        let is_filtered = model.filters.contains_key(&pane);
        let text = if is_filtered { "No playbook matches the filter. Esc shows all." } else { "The pack declares no playbooks." };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing)).collect();
    let columns = vec![Column::key(""), Column::number(""), Column::text("", 10)];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

fn row(ink: &Ink<'_>, thing: &Thing) -> Vec<Cell> {
    let Thing::Playbook(id) = thing else { return Vec::new() };
    let Some(playbook) = pack::find(&ink.model.pack.playbooks, id) else { return Vec::new() };
    let place = ink.model.pack.playbooks.iter().position(|other| other.id == *id).unwrap_or(0);
    let alerts = ink.model.snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default();
    let calling = alerts.iter().filter(|alert| alert.playbook.as_ref() == Some(id)).map(|alert| ink.model.severity(alert)).max();
    let letter = match calling.filter(|severity| *severity > Severity::Unknown) {
        Some(severity) => (severity.letter().to_string(), Ink::severity(severity)),
        None => (" ".to_owned(), Role::Muted),
    };
    vec![letter, ((place + 1).to_string(), Role::Muted), (playbook.title.clone(), Role::Text)]
}
