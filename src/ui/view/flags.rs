//! Pane 5: switches, and the open loops that wait for being put back.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::snapshot::{FlagPhase, FlagReport},
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Flags;
    let reports = model.snapshot.as_ref().map(|snapshot| snapshot.flags.as_slice()).unwrap_or_default();
    let open = reports.iter().filter(|report| report.flip.is_some()).count();
    let title = if open > 0 { format!("5 Flags   {open} open") } else { "5 Flags".to_owned() };
    sheet::frame(ink, buffer, area, &title, &sheet::hints(ink, pane), model.place.pane == pane, None);
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Looking at the flags...",
            Some(_) if model.filters.contains_key(&pane) => "No flag matches the filter. Esc shows all.",
            Some(_) => "The pack declares no flags.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing)).collect();
    let columns = vec![Column::key(""), Column::text("", 8), Column::text("", 6).needed(), Column::text("", 8)];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

fn row(ink: &Ink<'_>, thing: &Thing) -> Vec<Cell> {
    let Thing::Flag(id) = thing else { return Vec::new() };
    let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.flags.as_slice()).unwrap_or_default();
    let Some(report) = reports.iter().find(|report| report.id == *id) else { return Vec::new() };
    let title = (report.title.clone(), Role::Text);
    let Some(value) = report.look.fresh(ink.model.now) else {
        let text = match (&report.look.failure, ink.trouble(&report.look)) {
            (_, Some(trouble)) => trouble,
            (Some(failure), None) => ink.failed(failure),
            (None, None) => Ink::looking(&report.look),
        };
        let last = report.look.value.as_ref().map_or_else(|| "?".to_owned(), |value| format!("{value}?"));
        return vec![("?".to_owned(), Role::Unknown), title, (last, Role::Muted), (text, Role::Unknown)];
    };
    let is_normal = value.original() == report.normal;
    let letter = if is_normal && report.flip.is_none() { ("G", Role::Green) } else { ("Y", Role::Yellow) };
    vec![
        (letter.0.to_owned(), letter.1),
        title,
        (value.to_string(), if is_normal { Role::Text } else { Role::Warning }),
        (state(ink, report, is_normal), Role::Muted),
    ]
}

fn state(ink: &Ink<'_>, report: &FlagReport, is_normal: bool) -> String {
    match &report.flip {
        Some(flip) => {
            let phase = phase(flip.phase);
            format!("{phase}, {} by {}, normal {}", ink.when(flip.at), flip.operator, report.normal)
        }
        None if is_normal => "normal".to_owned(),
        None => format!("normal is {}", report.normal),
    }
}

pub fn phase(phase: FlagPhase) -> &'static str {
    match phase {
        FlagPhase::Written => "written",
        FlagPhase::Deployed => "deployed",
        FlagPhase::Observed => "observed",
        FlagPhase::Unobserved => "NOT observed",
    }
}
