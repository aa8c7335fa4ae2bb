//! Pane 8: what was done, by whom, with what outcome.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::{barrier::Barrier, severity::Severity},
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Journal;
    let broken = model.barrier().filter(|barrier| matches!(barrier, Barrier::ChainBroken(_) | Barrier::Unwritable(_)));
    let foot = broken.map(|barrier| format!("{}, nothing is sent: {}", barrier.word(), barrier.why().one_line()));
    let filter = model.filters.get(&pane).map_or_else(String::new, |filter| format!("   /{filter}"));
    let chain = if broken.is_some() || model.snapshot.is_none() { "" } else { "   chain ok" };
    let title = format!("8 Journal{chain}{filter}");
    let foot = foot.as_deref().map(|foot| (foot, Role::Bad));
    sheet::frame(ink, buffer, area, &title, "@ full", model.place.pane == pane, foot);
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Reading the journal...",
            Some(_) if model.filters.contains_key(&pane) => "No line matches the filter. Esc shows all.",
            Some(_) => "Nothing has been done yet.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing)).collect();
    let columns = vec![Column::number(""), Column::whole("").optional(), Column::whole(""), Column::text("", 10)];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

fn row(ink: &Ink<'_>, thing: &Thing) -> Vec<Cell> {
    let Thing::Line(sequence) = thing else { return Vec::new() };
    let Some(line) = ink.model.line(*sequence) else { return Vec::new() };
    let role = if line.severity == Severity::Green { Role::Text } else { Ink::severity(line.severity) };
    let who = if line.who == ink.model.shown.operator { "you".to_owned() } else { line.who.clone() };
    vec![(ink.when(line.at), Role::Muted), (who, Role::Muted), (line.word.clone(), role), (line.said.one_line(), Role::Text)]
}
