//! Pane 7: figures that are watched, with their change, their course and their target.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    layout,
    sheet::{self, Cell, Column, Sheet},
};
use crate::{
    domain::snapshot::{MetricReading, MetricReport},
    ui::{
        period,
        place::{Pane, Thing},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let pane = Pane::Metrics;
    let title = format!("7 Metrics   courses: {}", model.period.word());
    sheet::frame(ink, buffer, area, &title, &sheet::hints(ink, pane), model.place.pane == pane, None);
    let things = model.things(pane);
    if things.is_empty() {
        let text = match &model.snapshot {
            None => "Looking at the figures...",
            Some(_) if model.filters.contains_key(&pane) => "No metric matches the filter. Esc shows all.",
            Some(_) => "The pack declares no metrics.",
        };
        sheet::sentence(ink, buffer, pane, area, text, Role::Muted);
        return;
    }
    let has_heads = layout::heads(model, pane, area) > 0;
    let mut rows: Vec<Vec<Cell>> =
        super::in_view(ink, pane, area, &things).iter().map(|thing| row(ink, thing, has_heads)).collect();
    let mut columns = vec![
        Column::text("figure", 10),
        Column { right: true, ..Column::text("now", 12).needed() },
        Column::number("change").optional(),
        Column::whole("course").optional(),
        Column::text("target", 9),
    ];
    give_way(&mut columns, &mut rows, has_heads, area.width.saturating_sub(5));
    Sheet { columns, rows, is_dim: false }.draw(ink, buffer, pane, area);
}

/// The longest course that is drawn, and the shortest that still shows one.
const COURSE: std::ops::RangeInclusive<u16> = 6..=14;

/// The course gives way first: it is cut to what the words leave over, or left out.
fn give_way(columns: &mut [Column], rows: &mut [Vec<Cell>], has_heads: bool, width: u16) {
    sheet::measure(columns, rows, has_heads);
    let taken: u16 = columns.iter().map(|column| if column.width == 0 { 0 } else { column.width + 2 }).sum();
    let course = columns.get(3).map_or(0, |column| column.width);
    let room = (width + 2 + course).saturating_sub(taken).min(*COURSE.end());
    for cells in rows.iter_mut() {
        let Some((course, _)) = cells.get_mut(3) else { continue };
        let skip = course.chars().count().saturating_sub(usize::from(room));
        *course = if COURSE.contains(&room) { course.chars().skip(skip).collect() } else { String::new() };
    }
    if !COURSE.contains(&room)
        && let Some(column) = columns.get_mut(3)
    {
        column.title.clear();
    }
    sheet::measure(columns, rows, has_heads);
}

fn reports<'a>(ink: &Ink<'a>) -> &'a [std::sync::Arc<MetricReport>] {
    ink.model.snapshot.as_ref().map(|snapshot| snapshot.metrics.as_slice()).unwrap_or_default()
}

fn row(ink: &Ink<'_>, thing: &Thing, has_heads: bool) -> Vec<Cell> {
    let Thing::Metric(id) = thing else { return Vec::new() };
    let Some(report) = reports(ink).iter().find(|report| report.id == *id) else { return Vec::new() };
    let title = (report.title.clone(), Role::Text);
    let Some(reading) = &report.look.value else {
        let (text, role) = match &report.look.failure {
            Some(failure) => (ink.failed(failure), Role::Unknown),
            None => (Ink::looking(&report.look), Role::Muted),
        };
        return vec![title, ("?".to_owned(), Role::Unknown), (String::new(), role), (String::new(), role), (text, role)];
    };
    let trouble = ink.trouble(&report.look).map(|trouble| (trouble, Role::Unknown));
    let is_old = trouble.is_some();
    let target = match &reading.target {
        Some((said, is_met)) => {
            (if has_heads { terse(said, *is_met) } else { said.clone() }, if *is_met { Role::Muted } else { Role::Warning })
        }
        None => (String::new(), Role::Muted),
    };
    vec![
        title,
        (said(reading), if is_old { Role::Muted } else { Role::Money }),
        (reading.change.map_or_else(String::new, change), Role::Muted),
        (course(ink, reading), Role::Chart),
        trouble.unwrap_or(target),
    ]
}

/// `<= 10% ok`, under a head that says that it is the target.
fn terse(said: &str, is_met: bool) -> String {
    let bound = said.trim_start_matches("target ");
    let bound = bound.rsplit_once(": ").map_or(bound, |(bound, _)| bound);
    let bound = bound.strip_prefix("at most ").map_or_else(|| bound.to_owned(), |most| format!("<= {most}"));
    format!("{bound} {}", if is_met { "ok" } else { "NO" })
}

fn said(reading: &MetricReading) -> String {
    match (&reading.value, reading.said.is_empty()) {
        (_, false) => reading.said.clone(),
        (Some(value), true) => value.to_string(),
        (None, true) => "-".to_owned(),
    }
}

fn change(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:+.0}%", fraction * 100.0) } else { String::new() }
}

/// The course in the period that was chosen, with what it comes to.
fn course(ink: &Ink<'_>, reading: &MetricReading) -> String {
    let points = ink.model.period.of(reading, ink.calm);
    let trend = period::trend(points)
        .filter(|_| !reading.times.is_empty())
        .map_or_else(String::new, |fraction| format!(" {}", change(fraction)));
    let room = usize::from(*COURSE.end()).saturating_sub(trend.len());
    format!("{}{trend}", spark(ink, points, room))
}

/// A course in one line, its lowest and its highest at the ends of the scale.
pub fn spark(ink: &Ink<'_>, series: &[f64], most: usize) -> String {
    let scale: Vec<char> =
        if ink.model.shown.ascii { "_.-^".chars().collect() } else { "▁▂▃▄▅▆▇█".chars().collect() };
    let shown = period::condensed(series, most);
    let finite = || shown.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let sign = |value: &f64| {
        if !value.is_finite() {
            return ' ';
        }
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        let place = (share * (scale.len() - 1) as f64).round() as usize;
        scale.get(place).copied().unwrap_or(' ')
    };
    shown.iter().map(sign).collect()
}

/// As many figures as fit on one line, for screens without room for the pane.
pub fn on_one_line(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let mut x = area.x + 1;
    let took = ink.put(buffer, (x, area.y), area.width, "7", Role::Muted);
    x += took + 1;
    for report in reports(ink) {
        let (text, role) = match report.look.fresh(ink.model.now) {
            Some(reading) => {
                let change = reading.change.map_or_else(String::new, |fraction| format!(" {}", change(fraction)));
                let is_missed = reading.target.as_ref().is_some_and(|(_, is_met)| !is_met);
                (format!("{} {}{change}", report.title, said(reading)), if is_missed { Role::Warning } else { Role::Text })
            }
            None => (format!("{} ?", report.title), Role::Unknown),
        };
        let width = text.chars().count() as u16;
        if x + width >= area.right() {
            continue;
        }
        x += ink.put(buffer, (x, area.y), area.right() - x, &text, role) + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{model::fixture, theme::Theme};

    #[test]
    fn a_course_spans_its_scale_and_survives_what_is_no_number() {
        let mut model = fixture::model();
        model.shown.ascii = true;
        let theme = Theme::plain();
        let ink = Ink::new(&model, &theme, fixture::now());
        assert_eq!(spark(&ink, &[0.0, 1.0, 2.0, 3.0], 8), "_.-^");
        assert_eq!(spark(&ink, &[5.0, 5.0], 8), "--");
        assert_eq!(spark(&ink, &[1.0, f64::NAN, 2.0], 8), "_ ^");
        assert_eq!(spark(&ink, &[], 8), "");
        assert_eq!(spark(&ink, &[9.0, 9.0, 0.0, 1.0], 2), "^_", "all of it is seen");
    }
}
