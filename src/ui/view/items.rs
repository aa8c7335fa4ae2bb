//! A queue being worked: its rows, its marks, and why a row cannot be marked.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::Ink,
    layout,
    sheet::{self, Cell, Column, Sheet, Stays},
};
use crate::{
    domain::{
        id::Id,
        pack::{self, ColumnFormat, Queue},
        plan::Standing,
        snapshot::{Item, Items},
    },
    ui::{
        place::Pane,
        theme::Role,
        work::{SortBy, Work},
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, work: &Work) {
    let model = ink.model;
    let pane = Pane::Queues;
    let Some(spec) = model.queue_spec(&work.queue) else { return };
    let report = model.snapshot.as_ref().and_then(|snapshot| snapshot.queues.iter().find(|report| report.id == work.queue));
    let trouble = report.and_then(|report| ink.trouble(&report.look));
    let standing = work.items.as_deref().map(together).unwrap_or_default();
    let foot = match &trouble {
        Some(trouble) => Some((trouble.as_str(), Role::Unknown)),
        None => Some((standing.as_str(), Role::Text)).filter(|(said, _)| !said.is_empty()),
    };
    sheet::frame(ink, buffer, area, &title(work, spec), &actions(ink, spec), model.place.pane == pane, foot);
    if work.len() == 0 {
        let text = match (&work.items, &trouble) {
            (None, Some(trouble)) => format!("{} could not be read. {trouble}. r looks again.", spec.title),
            (None, None) => {
                let reading = report.and_then(|report| report.look.reading);
                reading.map_or_else(|| "Looking...".to_owned(), |so_far| format!("Reading: {}", so_far.said()))
            }
            // Nobody knows whether they are still none.
            (Some(items), Some(trouble)) if items.items.is_empty() => format!("There were none: {trouble}. r looks again."),
            (Some(items), None) if items.items.is_empty() => {
                let met = spec.target_below.map_or_else(String::new, |below| format!(" Target < {below}: met."));
                format!("{}{met}", spec.empty)
            }
            (Some(items), _) => format!("None of {} rows is shown by this filter. Esc shows all.", items.items.len()),
        };
        let role = if work.total() == 0 && trouble.is_some() { Role::Unknown } else { Role::Muted };
        sheet::sentence(ink, buffer, pane, area, &text, role);
        return;
    }
    let height = usize::from(layout::list(model, pane, area).height);
    let rows = (work.cursor.offset..work.len()).take(height).filter_map(|at| work.item(at));
    let rows: Vec<Vec<Cell>> = rows.map(|item| row(ink, work, spec, item)).collect();
    Sheet { columns: columns(work, spec), rows, is_dim: trouble.is_some() }.draw(ink, buffer, pane, area);
    let lines = layout::foot(model, pane, area);
    if lines > 0 {
        let y = area.bottom().saturating_sub(1 + lines);
        foot_lines(ink, buffer, Rect { x: area.x + 2, y, width: area.width.saturating_sub(4), height: lines }, work, spec);
    }
}

/// What stands together, counted, and what was left out of the list.
fn together(items: &Items) -> String {
    let groups = items.groups.iter().map(|(shared, count)| format!("{count} {}", shared.one_line()));
    let left_out = (items.left_out > 0).then(|| format!("left out: {} done already", items.left_out));
    left_out.into_iter().chain(groups).collect::<Vec<_>>().join("   ")
}

fn title(work: &Work, spec: &Queue) -> String {
    let (shown, total) = (work.len(), work.total());
    let count = if work.items.is_none() {
        // Nothing was read: no number would be true.
        "no data".to_owned()
    } else if shown == total {
        format!("{total} items")
    } else {
        format!("{shown} of {total}")
    };
    let preset = work.preset.as_ref().map_or_else(String::new, |preset| format!("  .{preset}"));
    let filter = if work.filter.is_empty() { String::new() } else { format!("  /{}", work.filter.text()) };
    format!("2 Queues > {}   {count}{preset}{filter}", spec.title)
}

/// The keys of the queue's actions.
fn actions(ink: &Ink<'_>, spec: &Queue) -> String {
    let actions = spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id));
    let words: Vec<String> =
        actions.filter_map(|action| Some(format!("{} {}", action.key?, action.title.to_lowercase()))).collect();
    words.join("  ")
}

/// The first items of a queue that is not being worked.
pub fn first(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, id: &Id<Queue>) {
    let model = ink.model;
    let Some(spec) = model.queue_spec(id) else { return };
    let report = model.snapshot.as_ref().and_then(|snapshot| snapshot.queues.iter().find(|report| report.id == *id));
    let Some(report) = report else { return };
    // The rows in view are enough to measure, and all that is shown.
    let shown = report
        .look
        .value
        .as_ref()
        .map(|items| Items { items: items.items.iter().take(usize::from(area.height)).cloned().collect(), ..Items::default() });
    let mut work = Work::new(id.clone());
    work.take(shown.map(Arc::new).as_ref(), spec, model.now);
    let rows = (0..work.len()).filter_map(|at| work.item(at)).map(|item| row(ink, &work, spec, item).split_off(1)).collect();
    let columns = columns(&work, spec).split_off(1);
    Sheet { columns, rows, is_dim: ink.trouble(&report.look).is_some() }.draw_in(ink, buffer, area);
}

fn columns(work: &Work, spec: &Queue) -> Vec<Column> {
    let mut columns = vec![Column { width: 3, ..Column::key("") }];
    for (at, column) in spec.columns.iter().enumerate() {
        let natural = work.widths.get(at).copied().unwrap_or(8);
        let is_number = matches!(column.format, ColumnFormat::Percent | ColumnFormat::Age | ColumnFormat::Left);
        let first = work.items.as_ref().and_then(|items| items.items.first()).and_then(|item| item.row.find(&column.column));
        let is_number = is_number || first.is_some_and(|value| value.number().is_some());
        // Numbers, times and ids are shown whole or not at all; words may be cut. A time gives way to what it runs out into.
        let is_time = match column.format {
            ColumnFormat::Time => true,
            ColumnFormat::Left => false,
            ColumnFormat::Plain | ColumnFormat::Age | ColumnFormat::Percent | ColumnFormat::Id => {
                first.is_some_and(|value| value.time().is_some())
            }
        };
        let is_whole = is_number || is_time || column.format == ColumnFormat::Id;
        let arrow = match work.sort {
            SortBy::Column(by) if by == at => "*",
            SortBy::Column(_) | SortBy::AsQueued | SortBy::Age => "",
        };
        columns.push(Column {
            title: format!("{}{arrow}", column.title),
            width: natural.max(column.title.chars().count() as u16 + arrow.len() as u16),
            least: if is_whole { 0 } else { natural.min(8) },
            right: is_number,
            stays: if column.column == spec.key {
                Stays::Always
            } else if is_time {
                Stays::Wanted
            } else if is_whole {
                Stays::Needed
            } else {
                Stays::Spare
            },
        });
    }
    let age = if work.sort == SortBy::Age { "age*" } else { "age" };
    if spec.since.is_some() && !spec.columns.iter().any(|column| column.format == ColumnFormat::Age) {
        let is_said_twice = spec.deadline.is_some();
        let stays = if is_said_twice { Stays::Spare } else { Stays::Needed };
        columns.push(Column { width: 7, stays, ..Column::number(age) });
    }
    if spec.deadline.is_some() {
        columns.push(Column { width: 15, ..Column::text("deadline", 13).needed() });
    }
    columns.push(Column { width: work.note_width, ..Column::text("", 9).needed() });
    columns
}

fn row(ink: &Ink<'_>, work: &Work, spec: &Queue, item: &Item) -> Vec<Cell> {
    let is_marked = work.marks.contains(&item.key);
    let is_barred = Work::barred(item, spec).is_some();
    let mark = match (is_marked, is_barred) {
        (true, _) => ("[x]", Role::Marked),
        (false, true) => (" - ", Role::Muted),
        (false, false) => ("[ ]", Role::Muted),
    };
    let mut cells = vec![(mark.0.to_owned(), mark.1)];
    for column in &spec.columns {
        let (text, _, role) =
            item.row.find(&column.column).map_or(("-".to_owned(), false, Role::Muted), |value| ink.cell(value, column.format));
        cells.push((text, role));
    }
    if spec.since.is_some() && !spec.columns.iter().any(|column| column.format == ColumnFormat::Age) {
        cells.push((item.since.map_or_else(String::new, |at| ink.age(at)), Role::Muted));
    }
    if spec.deadline.is_some() {
        cells.push(item.deadline.map_or((String::new(), Role::Muted), |at| ink.left(at)));
    }
    cells.push(note(ink, work, spec, item));
    cells
}

/// What became of the row, else what stands against it.
fn note(ink: &Ink<'_>, work: &Work, spec: &Queue, item: &Item) -> Cell {
    if let Some((standing, held_until)) = ink.model.standing(&work.queue, &item.key) {
        let role = match standing {
            Standing::Done => Role::Good,
            Standing::Rejected | Standing::Unknown => Role::Bad,
            Standing::Unproven | Standing::Refused | Standing::Changed | Standing::Held => Role::Warning,
            Standing::Waiting | Standing::UnderWay | Standing::TakenBack | Standing::NotSent => Role::Muted,
        };
        let said = match held_until.filter(|until| standing == Standing::Held && *until > ink.now) {
            Some(until) => format!("held {}s", (until - ink.now).num_seconds()),
            None => standing.word().to_owned(),
        };
        return (said, role);
    }
    match Work::barred(item, spec) {
        Some((_, why)) => (format!("NO {}", why.one_line()), Role::Warning),
        None => (item.presets.join(" "), Role::Muted),
    }
}

fn foot_lines(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, work: &Work, spec: &Queue) {
    let (marked, barred) = (marked(work), barred(ink, work, spec));
    if area.height == 1 {
        let took = marked.map_or(0, |text| ink.put(buffer, (area.x, area.y), area.width, &text, Role::Marked) + 3);
        if let Some(text) = barred {
            ink.put(buffer, (area.x + took, area.y), area.width.saturating_sub(took), &text, Role::Warning);
        }
        return;
    }
    if let Some(text) = marked {
        ink.put(buffer, (area.x, area.y), area.width, &text, Role::Marked);
    }
    let lines = barred.map(|text| super::ink::wrapped(&text, usize::from(area.width))).unwrap_or_default();
    for (line, y) in lines.iter().zip(area.y + 1..area.bottom()) {
        ink.put(buffer, (area.x, y), area.width, line, Role::Warning);
    }
}

fn marked(work: &Work) -> Option<String> {
    if work.marks.is_empty() && work.range_from.is_none() {
        return None;
    }
    let money: Vec<String> = work.marked_money.iter().map(ToString::to_string).collect();
    let range = if work.range_from.is_some() { "   range: move, then v" } else { "" };
    Some(format!("marked {}   {}{range}", work.marks.len(), money.join(" + ")).trim_end().to_owned())
}

/// Why the selected row cannot be marked, and what it can.
fn barred(ink: &Ink<'_>, work: &Work, spec: &Queue) -> Option<String> {
    let item = work.selected()?;
    let (action, why) = Work::barred(item, spec)?;
    let title = pack::find(&ink.model.pack.actions, action).map_or("", |action| action.title.as_str());
    let offered = crate::ui::update::offered(ink.model, &work.queue, &item.key);
    Some(format!("{} cannot be marked for {title}: {}{offered}", item.key, why.one_line()))
}
