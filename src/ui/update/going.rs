//! Moving: rows, panes, pages, the way back.

use crate::{
    domain::pack,
    engine::message::Request,
    ui::{
        message::Cmd,
        model::Model,
        notice::Tone,
        place::{Pane, Place, Thing},
        view,
        waiting::Waiting,
        work::Work,
    },
};

/// Goes somewhere else, remembering where it was.
pub fn go(model: &mut Model, to: Place) {
    if to == model.place {
        return;
    }
    model.trail.leave(model.place.clone());
    arrive(model, to);
}

pub fn arrive(model: &mut Model, to: Place) {
    model.place = to;
    model.scroll = 0;
    model.settle();
}

/// Moves the selection, or scrolls the page that is open.
pub fn step(model: &mut Model, rows: isize) -> Vec<Cmd> {
    if model.place.page.is_some() {
        let last = view::page_length(model).saturating_sub(view::layout::page_height(model));
        model.scroll = model.scroll.min(last).saturating_add_signed(rows).min(last);
        if model.scroll == last && matches!(model.place.page, Some(Thing::Run(_))) {
            // At the end of what is still being printed the page goes along.
            model.scroll = usize::MAX;
        }
        return Vec::new();
    }
    let pane = model.place.pane;
    let count = model.count(pane);
    let cursor = model.cursor_mut(pane);
    cursor.at = cursor.at.saturating_add_signed(rows).min(count.saturating_sub(1));
    cursor.thing = None;
    let is_at_end = count > 0 && cursor.at + 1 == count;
    model.settle_pane(pane);
    if pane == Pane::Journal && is_at_end && rows > 0 { more_journal(model) } else { Vec::new() }
}

/// Half a page down, or up where it is negative.
pub fn half_page(model: &mut Model, direction: isize) -> Vec<Cmd> {
    let height = if model.place.page.is_some() {
        view::layout::page_height(model)
    } else {
        view::layout::list_height(model, model.place.pane)
    };
    let rows = isize::try_from(height / 2).unwrap_or(1).max(1);
    step(model, rows * direction)
}

/// The row after or before, round the end; on a page of an item, the next item.
pub fn turn(model: &mut Model, forward: bool) {
    if let Some(page) = model.place.page.clone() {
        turn_page(model, &page, forward);
        return;
    }
    let pane = model.place.pane;
    let count = model.count(pane);
    if count == 0 {
        return;
    }
    let cursor = model.cursor_mut(pane);
    cursor.at = if forward { cursor.at + 1 } else { cursor.at + count - 1 } % count;
    cursor.thing = None;
    model.settle_pane(pane);
}

fn turn_page(model: &mut Model, page: &Thing, forward: bool) {
    if matches!(page, Thing::Run(_)) {
        // It stands in no list.
        return;
    }
    let pane = model.place.pane;
    let things_at = |model: &Model, at: usize| match model.work() {
        Some(work) => work.item(at).map(|item| Thing::Item(work.queue.clone(), item.key.clone())),
        None => model.things(pane).get(at).cloned(),
    };
    let (count, at) = (model.count(pane), model.cursor(pane).at);
    if count == 0 {
        return;
    }
    // Where the page's own row went away meanwhile, its successor stands in its place.
    let is_gone = things_at(model, at).as_ref() != Some(page);
    let to = match (forward, is_gone) {
        (true, true) => at,
        (true, false) => (at + 1) % count,
        (false, _) => (at + count - 1) % count,
    };
    let cursor = model.cursor_mut(pane);
    cursor.at = to;
    cursor.thing = None;
    model.settle_pane(pane);
    if let Some(thing) = things_at(model, to) {
        model.place.page = Some(thing);
        model.scroll = 0;
    }
}

pub fn zoom(model: &mut Model) {
    let place = model.place.clone();
    go(model, Place { zoomed: !place.zoomed, page: None, ..place });
}

pub fn view_back(model: &mut Model) {
    if let Some(to) = model.trail.back(model.place.clone()) {
        arrive(model, to);
    }
}

pub fn view_forth(model: &mut Model) {
    if let Some(to) = model.trail.forth(model.place.clone()) {
        arrive(model, to);
    }
}

pub fn focus(model: &mut Model, pane: Pane) {
    let is_again = model.place.pane == pane && model.place.page.is_none();
    let queue = model.place.queue.clone().filter(|_| pane == Pane::Queues && !is_again);
    go(model, Place { pane, zoomed: model.place.zoomed, queue, page: None });
}

/// The panes in view, in the order of their numbers; all of them where only one is in view.
pub fn next_pane(model: &mut Model, forward: bool) {
    let layout = view::layout::arrange(model);
    let mut panes: Vec<Pane> = layout.panes.iter().map(|(pane, _)| *pane).collect();
    if panes.len() < 2 {
        panes = Pane::ALL.to_vec();
    }
    panes.sort();
    let at = panes.iter().position(|pane| *pane == model.place.pane).unwrap_or(0);
    let to = if forward { at + 1 } else { at + panes.len() - 1 } % panes.len();
    if let Some(pane) = panes.get(to).copied().filter(|pane| *pane != model.place.pane) {
        focus(model, pane);
    }
}

/// One step back: page, range, marks, filter, queue, zoom, and home.
pub fn back(model: &mut Model) {
    let place = model.place.clone();
    if place.page.is_some() {
        go(model, Place { page: None, ..place });
        return;
    }
    let now = model.now;
    let spec = place.queue.as_ref().and_then(|id| pack::find(&model.pack.queues, id)).cloned();
    if let (Some(spec), true) = (spec, place.pane == Pane::Queues)
        && let Some(work) = model.work_mut()
    {
        if work.range_from.take().is_some() {
            return;
        }
        if !work.marks.is_empty() {
            let count = work.marks.len();
            work.marks.clear();
            model.notices.say(Tone::Plain, format!("{count} marks cleared"), now);
            return;
        }
        if !work.filter.is_empty() || work.preset.is_some() {
            work.preset = None;
            work.filter_by("", &spec, now);
            model.settle();
            return;
        }
        go(model, Place { queue: None, ..place });
        return;
    }
    if model.filters.remove(&place.pane).is_some() {
        model.older.clear();
        model.settle();
    } else if place.zoomed {
        go(model, Place { zoomed: false, ..place });
    } else if place.pane == Pane::Alerts && model.shows_healthy {
        model.shows_healthy = false;
        model.settle();
    } else if view::layout::arrange(model).panes.len() == 1 && place.pane != Pane::Alerts {
        go(model, Place::default());
    }
}

/// True where `back` has nowhere to go: `q` quits here.
pub fn is_root(model: &Model) -> bool {
    let place = &model.place;
    place.page.is_none() && place.queue.is_none() && !place.zoomed
}

pub fn open(model: &mut Model) -> Vec<Cmd> {
    let Some(selected) = model.selected() else { return Vec::new() };
    match &selected {
        Thing::Healthy => {
            model.shows_healthy = true;
            model.settle();
            Vec::new()
        }
        Thing::Queue(id) => {
            work_on(model, id);
            Vec::new()
        }
        Thing::Alert(subject) if model.place.page.is_none() || model.place.page.as_ref() == Some(&selected) => {
            let playbook = model.alert(subject).and_then(|alert| alert.playbook.clone());
            match playbook.filter(|id| pack::find(&model.pack.playbooks, id).is_some()) {
                Some(id) => read(model, Thing::Playbook(id)),
                None => read(model, selected),
            }
        }
        Thing::Alert(_)
        | Thing::Item(..)
        | Thing::Job(_)
        | Thing::Statement(_)
        | Thing::Discrepancy(..)
        | Thing::Flag(_)
        | Thing::Playbook(_)
        | Thing::Metric(_)
        | Thing::Line(_)
        | Thing::Run(_) => read(model, selected),
    }
}

/// Works a queue: its items in the queues pane.
pub fn work_on(model: &mut Model, id: &crate::domain::id::Id<pack::Queue>) {
    let Some(spec) = pack::find(&model.pack.queues, id).cloned() else { return };
    let now = model.now;
    let report = model.snapshot.as_ref().and_then(|snapshot| snapshot.queues.iter().find(|report| report.id == *id)).cloned();
    let work = model.works.entry(id.clone()).or_insert_with(|| Work::new(id.clone()));
    work.take(report.as_ref().and_then(|report| report.look.value.as_ref()), &spec, now);
    let zoomed = model.place.zoomed;
    go(model, Place { pane: Pane::Queues, zoomed, queue: Some(id.clone()), page: None });
}

/// Reads the page of a thing, asking for its history where it has one.
pub fn read(model: &mut Model, thing: Thing) -> Vec<Cmd> {
    let subject = thing.subject();
    let place = Place { page: Some(thing), ..model.place.clone() };
    go(model, place);
    let Some(subject) = subject else { return Vec::new() };
    let ask = model.questions.ask(Waiting::History(subject.clone()));
    vec![Cmd::Ask(Request::History { ask, subject })]
}

/// Asks for journal lines before the oldest known one.
pub fn more_journal(model: &mut Model) -> Vec<Cmd> {
    let Some(snapshot) = &model.snapshot else { return Vec::new() };
    let oldest = model.older.last().or_else(|| snapshot.journal.last()).map(|line| line.sequence);
    let Some(before) = oldest.filter(|sequence| *sequence > 1) else { return Vec::new() };
    let contains = model.filters.get(&Pane::Journal).cloned().unwrap_or_default();
    let ask = model.questions.ask(Waiting::Journal);
    vec![Cmd::Ask(Request::Journal { ask, before: Some(before), contains })]
}
