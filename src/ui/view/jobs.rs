//! Pane 3: scheduled jobs, whether they ran, and their latest runs as bars.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::{
        age,
        severity::Severity,
        snapshot::{JobHealth, JobReport, RunOutcome},
    },
    ui::{
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Jobs;
    let missed = area.width >= 60;
    let legend = missed.then_some((". ok  - slow  ! failed  ? missed  > running", Role::Muted));
    sheet::frame(
        ink,
        buffer,
        area,
        "3 Jobs",
        &sheet::hints(ink, pane),
        model.place.pane == pane,
        legend.filter(|_| area.height >= 8),
    );
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Looking at the jobs...",
            Some(_) if model.filters.contains_key(&pane) => "No job matches the filter. Esc shows all.",
            Some(_) => "The pack declares no jobs.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let bars = match area.width {
        90.. => 14,
        70.. => 10,
        _ => 6,
    };
    let rows = super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing, bars)).collect();
    let columns = vec![
        Column::key(""),
        Column::text("job", 8),
        Column::text("state", 10).needed(),
        Column::whole("last").optional(),
        Column::whole("runs").optional(),
        Column::whole("next").optional(),
        Column::number("dur").optional(),
    ];
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

fn row(ink: &Ink<'_>, thing: &Thing, bars: usize) -> Vec<Cell> {
    let Thing::Job(id) = thing else { return Vec::new() };
    let report = ink.model.snapshot.as_ref().and_then(|snapshot| snapshot.jobs.iter().find(|job| job.id == *id));
    let Some(report) = report else { return Vec::new() };
    let title = (report.title.clone(), Role::Text);
    let severity = severity(ink, report);
    let letter = (severity.letter().to_string(), Ink::severity(severity));
    let Some(health) = &report.look.value else {
        let text = match &report.look.failure {
            Some(failure) => ink.failed(failure),
            None => Ink::looking(&report.look),
        };
        return vec![letter, title, (text, Role::Unknown)];
    };
    if severity == Severity::Unknown
        && let Some(trouble) = ink.trouble(&report.look)
    {
        return vec![letter, title, (trouble, Role::Unknown)];
    }
    let last = health.runs.iter().find_map(|run| run.started).map_or_else(|| "never".to_owned(), |at| ink.when(at));
    let took = health.runs.iter().find_map(|run| Some(run.finished? - run.started?));
    vec![
        letter,
        title,
        (health.state.clone(), if severity == Severity::Green { Role::Text } else { Ink::severity(severity) }),
        (last, Role::Muted),
        (history(health, bars), Role::Chart),
        (health.next.map_or_else(|| "-".to_owned(), |at| ink.when(at)), Role::Muted),
        (took.map_or_else(|| "-".to_owned(), age::span), Role::Muted),
    ]
}

pub fn severity(ink: &Ink<'_>, report: &JobReport) -> Severity {
    report.look.fresh(ink.model.now).map_or(Severity::Unknown, |health| health.severity)
}

/// The latest runs, oldest first, one sign each.
pub fn history(health: &JobHealth, most: usize) -> String {
    let signs: Vec<char> = health.runs.iter().take(most).map(|run| sign(run.outcome)).collect();
    signs.into_iter().rev().collect()
}

fn sign(outcome: RunOutcome) -> char {
    match outcome {
        RunOutcome::Succeeded => '.',
        RunOutcome::Slow => '-',
        RunOutcome::Failed => '!',
        RunOutcome::Running => '>',
        RunOutcome::Missed => '?',
    }
}
