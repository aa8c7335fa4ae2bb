//! What the keys do to the rows of a queue being worked: marks, order, presets. Nothing here leaves the screen.

use chrono::{DateTime, Utc};

use super::perform::say;
use crate::{
    domain::pack::Queue,
    ui::{
        model::{Model, amount_column},
        notice::Tone,
        place::Thing,
        view::layout,
        work::{SortBy, Work},
    },
};

type Said = Option<(Tone, String)>;

/// Does something to the queue being worked, where there is one, and says what it says.
fn arrange(model: &mut Model, what: impl FnOnce(&mut Work, &Queue, DateTime<Utc>) -> Said) {
    let now = model.now;
    let Some(spec) = model.place.queue.as_ref().and_then(|id| model.queue_spec(id)).cloned() else { return };
    let Some(work) = model.work_mut() else { return };
    let said = what(work, &spec, now);
    model.settle();
    if let Some((tone, said)) = said {
        say(model, tone, said);
    }
}

/// The same for marks, whose money is added up.
fn count_marks(model: &mut Model, what: impl FnOnce(&mut Work, &Queue) -> Said) {
    let pack = std::sync::Arc::clone(&model.pack);
    arrange(model, |work, spec, _| {
        let said = what(work, spec);
        work.tally(amount_column(&pack, spec));
        said
    });
}

pub fn preview(model: &mut Model) {
    if model.place.queue.is_some() {
        model.preview = Some(layout::arrange(model).preview.is_none());
        model.settle();
    }
}

/// Marks the selected row and goes on to the next one, or the row whose page is read; one that a guard bars says which.
pub fn mark(model: &mut Model) {
    let on_page = match &model.place.page {
        Some(Thing::Item(_, key)) => Some(key.clone()),
        Some(_) | None => None,
    };
    count_marks(model, |work, spec| {
        let item = match &on_page {
            Some(key) => work.find(key),
            None => work.selected(),
        };
        let item = std::sync::Arc::clone(item?);
        if let Some((_, why)) = Work::barred(&item, spec) {
            return Some((Tone::Warning, format!("{} cannot be marked: {why}", item.key)));
        }
        if !work.marks.remove(&item.key) {
            work.marks.insert(item.key.clone());
        }
        if on_page.is_some() {
            let is_marked = work.marks.contains(&item.key);
            return Some((Tone::Plain, format!("{} {}", item.key, if is_marked { "is marked" } else { "is not marked" })));
        }
        if work.cursor.at + 1 < work.len() {
            work.cursor.at += 1;
            work.cursor.thing = None;
        }
        None
    });
}

pub fn range(model: &mut Model) {
    count_marks(model, |work, spec| {
        let here = work.selected().map(|item| item.key.clone());
        let from = work.range_from.take();
        if let Some(from) = from.and_then(|key| work.place_of(&key)) {
            return Some(counted(work.mark_rows(from, work.cursor.at, spec)));
        }
        work.range_from = here;
        Some((Tone::Plain, "range: move, then v again".to_owned()))
    });
}

pub fn mark_all(model: &mut Model) {
    count_marks(model, |work, spec| {
        let last = work.len().checked_sub(1)?;
        Some(counted(work.mark_rows(0, last, spec)))
    });
}

fn counted((marked, barred): (usize, usize)) -> (Tone, String) {
    match (marked, barred) {
        (marked, 0) => (Tone::Plain, format!("{marked} marked")),
        (marked, barred) => (Tone::Warning, format!("{marked} marked, {barred} cannot be: their rows say why")),
    }
}

pub fn next_preset(model: &mut Model) {
    arrange(model, |work, spec, now| {
        let names: Vec<&String> = spec.presets.iter().map(|preset| &preset.name).collect();
        let at = work.preset.as_ref().and_then(|name| names.iter().position(|other| *other == name));
        work.preset = names.get(at.map_or(0, |at| at + 1)).map(|name| (*name).clone());
        work.arrange(spec, now);
        let shown = work.len();
        let said = match &work.preset {
            Some(name) => format!("preset {name}: {shown} rows"),
            None if names.is_empty() => "this queue has no presets".to_owned(),
            None => "no preset".to_owned(),
        };
        Some((Tone::Plain, said))
    });
}

pub fn next_sort(model: &mut Model) {
    arrange(model, |work, spec, now| {
        work.next_sort(spec.columns.len());
        work.arrange(spec, now);
        let by = match work.sort {
            SortBy::AsQueued => "as queued".to_owned(),
            SortBy::Age => "by age, oldest first".to_owned(),
            SortBy::Column(at) => spec.columns.get(at).map_or_else(String::new, |column| format!("by {}", column.title)),
        };
        Some((Tone::Plain, format!("sorted {by}")))
    });
}

pub fn reverse(model: &mut Model) {
    arrange(model, |work, spec, now| {
        work.reversed = !work.reversed;
        work.arrange(spec, now);
        None
    });
}
