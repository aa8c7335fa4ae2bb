//! Carries out an intent, whichever key or command it came from.

use super::{acting, alerts, doubt, going};
use crate::{
    domain::{pack, text::Text},
    engine::message::{Request, Scope},
    ui::{
        csv_export,
        field::Field,
        keymap::Intent,
        message::Cmd,
        model::{Model, amount_column},
        notice::Tone,
        overlay::Overlay,
        palette::Palette,
        place::{Pane, Place, Thing},
        view::layout,
        work::{SortBy, Work},
    },
};

pub fn perform(model: &mut Model, intent: Intent) -> Vec<Cmd> {
    match intent {
        Intent::Down => going::step(model, 1),
        Intent::Up => going::step(model, -1),
        Intent::Top => going::step(model, isize::MIN),
        Intent::Bottom => going::step(model, isize::MAX),
        Intent::PageDown => {
            let rows = going::half_page(model);
            going::step(model, rows)
        }
        Intent::PageUp => {
            let rows = going::half_page(model);
            going::step(model, -rows)
        }
        Intent::Open => going::open(model),
        Intent::Detail => detail(model),
        Intent::Why => alerts::why(model),
        Intent::Refresh => refresh(model),
        Intent::RefreshAll => {
            say(model, Tone::Plain, "looking again at everything");
            vec![Cmd::Ask(Request::Refresh(Scope::All))]
        }
        Intent::CopyId => copy(model, |_, thing| thing.name()),
        Intent::CopyCell => copy(model, csv_export::row),
        Intent::Export => export(model),
        Intent::Acknowledge => alerts::acknowledge(model),
        Intent::Reopen => alerts::reopen(model),
        Intent::Defer => alerts::defer(model),
        Intent::Repair => acting::repair(model),
        Intent::Toggle => acting::toggle(model),
        Intent::TakeBack => acting::take_back(model),
        Intent::LookUp => acting::look_up(model),
        Intent::Decide => doubt::open(model),
        Intent::PauseBatch => acting::pause(model),
        Intent::CancelBatch => acting::cancel_batch(model),
        Intent::Unlock => acting::unlock(model),
        Intent::SignOff => acting::sign_off(model),
        Intent::Quit => quit(model),
        Intent::Redraw => vec![Cmd::Redraw],
        Intent::Suspend => vec![Cmd::Suspend],
        quiet => {
            look(model, quiet);
            Vec::new()
        }
    }
}

/// Intents that change nothing but the view.
fn look(model: &mut Model, intent: Intent) {
    let place = model.place.clone();
    match intent {
        Intent::Focus(pane) => going::focus(model, pane),
        Intent::NextPane => going::next_pane(model, true),
        Intent::PreviousPane => going::next_pane(model, false),
        Intent::Back => going::back(model),
        Intent::Help => model.overlay = Some(Overlay::Help { scroll: 0 }),
        Intent::Palette => model.overlay = Some(Overlay::Palette(Palette::open(model))),
        Intent::Errors => model.overlay = Some(Overlay::Errors { scroll: 0 }),
        Intent::Filter => start_filter(model),
        Intent::NextMatch => going::turn(model, true),
        Intent::PreviousMatch => going::turn(model, false),
        Intent::Zoom => going::go(model, Place { zoomed: !place.zoomed, page: None, ..place }),
        Intent::Record => going::go(model, Place { pane: Pane::Journal, zoomed: true, queue: None, page: None }),
        Intent::ViewBack | Intent::ViewLast => {
            if let Some(to) = model.trail.back(place) {
                going::arrive(model, to);
            }
        }
        Intent::ViewForth => {
            if let Some(to) = model.trail.forth(place) {
                going::arrive(model, to);
            }
        }
        Intent::Snooze => alerts::ask_snooze(model),
        Intent::Note => alerts::ask_note(model),
        _ => arrange(model, intent),
    }
}

/// Intents about the list of a queue being worked.
fn arrange(model: &mut Model, intent: Intent) {
    let now = model.now;
    let Some(spec) = model.place.queue.as_ref().and_then(|id| model.queue_spec(id)).cloned() else { return };
    if intent == Intent::Preview {
        model.preview = Some(layout::arrange(model).preview.is_none());
        model.settle();
        return;
    }
    let Some(work) = model.work_mut() else { return };
    let mut said = None;
    match intent {
        Intent::Mark => said = mark(work, &spec),
        Intent::Range => {
            let here = work.selected().map(|item| item.key.clone());
            let from = work.range_from.take();
            if let Some(from) = from.and_then(|key| work.place_of(&key)) {
                said = Some(counted(work.mark_rows(from, work.cursor.at, &spec)));
            } else {
                work.range_from = here;
                said = Some((Tone::Plain, "range: move, then v again".to_owned()));
            }
        }
        Intent::MarkAll if work.len() > 0 => said = Some(counted(work.mark_rows(0, work.len() - 1, &spec))),
        Intent::Preset => {
            let names: Vec<&String> = spec.presets.iter().map(|preset| &preset.name).collect();
            let at = work.preset.as_ref().and_then(|name| names.iter().position(|other| *other == name));
            work.preset = names.get(at.map_or(0, |at| at + 1)).map(|name| (*name).clone());
            work.arrange(&spec, now);
            let shown = work.len();
            said = Some(match &work.preset {
                Some(name) => (Tone::Plain, format!("preset {name}: {shown} rows")),
                None if names.is_empty() => (Tone::Plain, "this queue has no presets".to_owned()),
                None => (Tone::Plain, "no preset".to_owned()),
            });
        }
        Intent::Sort => {
            work.next_sort(spec.columns.len());
            work.arrange(&spec, now);
            let by = match work.sort {
                SortBy::AsQueued => "as queued".to_owned(),
                SortBy::Age => "by age, oldest first".to_owned(),
                SortBy::Column(at) => spec.columns.get(at).map_or_else(String::new, |column| format!("by {}", column.title)),
            };
            said = Some((Tone::Plain, format!("sorted {by}")));
        }
        Intent::Reverse => {
            work.reversed = !work.reversed;
            work.arrange(&spec, now);
        }
        _ => {}
    }
    let pack = std::sync::Arc::clone(&model.pack);
    if let (Intent::Mark | Intent::Range | Intent::MarkAll, Some(work)) = (intent, model.work_mut()) {
        work.tally(amount_column(&pack, &spec));
    }
    model.settle();
    if let Some((tone, said)) = said {
        model.notices.say(tone, said, now);
    }
}

fn counted((marked, barred): (usize, usize)) -> (Tone, String) {
    match (marked, barred) {
        (marked, 0) => (Tone::Plain, format!("{marked} marked")),
        (marked, barred) => (Tone::Warning, format!("{marked} marked, {barred} cannot be: their rows say why")),
    }
}

/// Marks the selected row and goes on to the next one; a row that a guard bars says which.
fn mark(work: &mut Work, spec: &pack::Queue) -> Option<(Tone, String)> {
    let item = std::sync::Arc::clone(work.selected()?);
    if let Some((_, why)) = Work::barred(&item, spec) {
        return Some((Tone::Warning, format!("{} cannot be marked: {why}", item.key)));
    }
    if !work.marks.remove(&item.key) {
        work.marks.insert(item.key.clone());
    }
    if work.cursor.at + 1 < work.len() {
        work.cursor.at += 1;
        work.cursor.thing = None;
    }
    None
}

pub fn say(model: &mut Model, tone: Tone, said: impl Into<String>) {
    let now = model.now;
    model.notices.say(tone, said, now);
}

fn start_filter(model: &mut Model) {
    if model.place.page.is_some() {
        return;
    }
    let before = match model.work() {
        Some(work) => work.filter.text().to_owned(),
        None => model.filters.get(&model.place.pane).cloned().unwrap_or_default(),
    };
    model.typing = Some((Field::with(&before), before));
}

fn detail(model: &mut Model) -> Vec<Cmd> {
    match model.selected() {
        Some(Thing::Healthy) | None => Vec::new(),
        Some(thing) => going::read(model, thing),
    }
}

fn refresh(model: &mut Model) -> Vec<Cmd> {
    let scope = match (model.place.pane, model.selected()) {
        (Pane::Alerts, _) => Scope::Alerts,
        (Pane::Queues, Some(Thing::Queue(id) | Thing::Item(id, _))) => Scope::Queue(id),
        (Pane::Queues, _) => model.place.queue.clone().map_or(Scope::All, Scope::Queue),
        (_, Some(Thing::Job(id))) => Scope::Job(id),
        (_, Some(Thing::Statement(id) | Thing::Discrepancy(id, _))) => Scope::Reconciliation(id),
        (_, Some(Thing::Flag(id))) => Scope::Flag(id),
        (Pane::Metrics, _) => Scope::Metrics,
        _ => Scope::All,
    };
    say(model, Tone::Plain, format!("looking again: {}", model.place.pane.title()));
    vec![Cmd::Ask(Request::Refresh(scope))]
}

fn copy(model: &mut Model, what: impl Fn(&Model, &Thing) -> String) -> Vec<Cmd> {
    let Some(thing) = model.selected() else { return Vec::new() };
    // One line of what can be seen: a pasted line break would be an Enter in a shell.
    let cells: Vec<String> = what(model, &thing).split('\t').map(|cell| Text::new(cell).one_line()).collect();
    let text = cells.join("\t");
    say(model, Tone::Plain, format!("sent to clipboard: {}", text.replace('\t', "  ")));
    vec![Cmd::Copy(text)]
}

fn export(model: &mut Model) -> Vec<Cmd> {
    if let Some((name, content)) = csv_export::export(model) {
        return vec![Cmd::Export { name, content }];
    }
    say(model, Tone::Plain, "nothing to export here");
    Vec::new()
}

/// Back, and at the root out; but never silently past something that is held or under way.
fn quit(model: &mut Model) -> Vec<Cmd> {
    if !going::is_root(model) {
        going::back(model);
        return Vec::new();
    }
    if model.receipts.unfinished() + model.questions.commits() > 0 {
        model.overlay = Some(Overlay::Quit { opened_at: model.now });
        return Vec::new();
    }
    vec![Cmd::Quit]
}
