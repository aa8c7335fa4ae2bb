//! Pane 2: what waits, how long it has waited, how long it will take.

use chrono::TimeDelta;
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, span},
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::{id::Id, pack::Queue, snapshot::QueueReport},
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Queues;
    let total: usize = model.figures.values().map(|figures| figures.count).sum();
    let minutes: f64 = model.pack.queues.iter().map(|queue| queue.minutes_each * count(ink, &queue.id) as f64).sum();
    let title = if total == 0 { "2 Queues".to_owned() } else { format!("2 Queues   {total} items  est {}", estimate(minutes)) };
    sheet::frame(ink, buffer, area, &title, "Enter work", model.place.pane == pane, None);
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Looking what waits...",
            Some(_) if model.filters.contains_key(&pane) => "No queue matches the filter. Esc shows all.",
            Some(_) => "The pack declares no queues.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing)).collect();
    let columns = vec![
        Column::text("queue", 8),
        Column::number("n"),
        Column::number("oldest"),
        Column::number("est"),
        Column::text("", 10),
        Column::text("", 12),
        Column::whole("").optional(),
    ];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

pub fn has_items(ink: &Ink<'_>, id: &Id<Queue>) -> bool {
    count(ink, id) > 0
}

fn count(ink: &Ink<'_>, id: &Id<Queue>) -> usize {
    ink.model.figures.get(id).map_or(0, |figures| figures.count)
}

pub fn estimate(minutes: f64) -> String {
    span(TimeDelta::try_seconds((minutes * 60.0) as i64).unwrap_or_default())
}

fn row(ink: &Ink<'_>, thing: &Thing) -> Vec<Cell> {
    let Thing::Queue(id) = thing else { return Vec::new() };
    let report = ink.model.snapshot.as_ref().and_then(|snapshot| snapshot.queues.iter().find(|report| report.id == *id));
    let (Some(report), Some(spec)) = (report, ink.model.queue_spec(id)) else { return Vec::new() };
    let title = (report.title.clone(), Role::Text);
    if report.look.value.is_none() {
        let (text, role) = match &report.look.failure {
            Some(failure) => (ink.failed(failure), Role::Unknown),
            None => (Ink::looking(&report.look), Role::Muted),
        };
        return vec![title, ("?".to_owned(), Role::Unknown), (String::new(), role), (String::new(), role), (text, role)];
    }
    let mut cells = vec![title];
    cells.extend(known(ink, report, spec));
    cells
}

fn known(ink: &Ink<'_>, report: &QueueReport, spec: &Queue) -> Vec<Cell> {
    let nothing = (String::new(), Role::Muted);
    let trouble = ink.trouble(&report.look).map(|trouble| (trouble, Role::Unknown));
    let Some(figures) = ink.model.figures.get(&report.id).filter(|figures| figures.count > 0) else {
        let met = spec.target_below.map_or_else(String::new, |below| format!(" Target < {below}: met."));
        return match trouble {
            Some(trouble) => vec![("0?".to_owned(), Role::Unknown), nothing.clone(), nothing, trouble],
            None => vec![("0".to_owned(), Role::Muted), nothing.clone(), nothing, (format!("{}{met}", spec.empty), Role::Muted)],
        };
    };
    let is_over = spec.target_below.is_some_and(|below| figures.count as u64 >= below);
    // The first preset is the one that its author thought of first; the queue's page counts them all.
    let preset = spec.presets.first().map_or_else(String::new, |preset| {
        format!("{} {}", figures.presets.get(&preset.name).copied().unwrap_or(0), preset.name)
    });
    let over = if figures.over > 0 { format!("{} over", figures.over) } else { String::new() };
    let due = match &figures.next_due {
        Some((at, key)) => {
            let (said, role) = ink.left(*at);
            let comma = if over.is_empty() { "" } else { ", " };
            (format!("{over}{comma}{key} {said}"), role)
        }
        None => (over, Role::Warning),
    };
    let target = match spec.target_below {
        Some(below) if is_over => (format!("target < {below}"), Role::Warning),
        Some(below) if trouble.is_none() => (format!("target < {below}: met"), Role::Muted),
        Some(below) => (format!("target < {below}"), Role::Muted),
        None => (String::new(), Role::Muted),
    };
    vec![
        (figures.count.to_string(), if is_over { Role::Warning } else { Role::Text }),
        (figures.oldest.map_or_else(String::new, |at| ink.age(at)), Role::Muted),
        (estimate(spec.minutes_each * figures.count as f64), Role::Muted),
        trouble.unwrap_or((preset, Role::Text)),
        due,
        target,
    ]
}
