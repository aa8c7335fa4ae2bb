//! Carries out an intent, whichever key or command it came from.

use super::{acting, alerts, doubt, going, recovery, rows};
use crate::{
    domain::{plan::ActionId, text::Text},
    engine::message::{Request, Scope},
    ui::{
        csv_export,
        field::Field,
        keymap::Intent,
        message::Cmd,
        model::Model,
        notice::Tone,
        overlay::Overlay,
        palette::Palette,
        place::{Pane, Place, Thing},
    },
};

pub fn perform(model: &mut Model, intent: Intent) -> Vec<Cmd> {
    match intent {
        Intent::Down => going::step(model, 1),
        Intent::Up => going::step(model, -1),
        Intent::Top => going::step(model, isize::MIN),
        Intent::Bottom => going::step(model, isize::MAX),
        Intent::PageDown => going::half_page(model, 1),
        Intent::PageUp => going::half_page(model, -1),
        Intent::Focus(pane) => quiet(model, |model| going::focus(model, pane)),
        Intent::NextPane => quiet(model, |model| going::next_pane(model, true)),
        Intent::PreviousPane => quiet(model, |model| going::next_pane(model, false)),
        Intent::Open => going::open(model),
        Intent::Back => quiet(model, going::back),
        Intent::Quit => quit(model),
        Intent::Help => quiet(model, |model| model.overlay = Some(Overlay::Help { scroll: 0 })),
        Intent::Palette => quiet(model, |model| model.overlay = Some(Overlay::Palette(Palette::open(model)))),
        Intent::Filter => quiet(model, start_filter),
        Intent::NextMatch => quiet(model, |model| going::turn(model, true)),
        Intent::PreviousMatch => quiet(model, |model| going::turn(model, false)),
        Intent::Preset => quiet(model, rows::next_preset),
        Intent::Detail => detail(model),
        Intent::Why => alerts::why(model),
        Intent::Preview => quiet(model, rows::preview),
        Intent::Zoom => quiet(model, going::zoom),
        Intent::Mark => quiet(model, rows::mark),
        Intent::Range => quiet(model, rows::range),
        Intent::MarkAll => quiet(model, rows::mark_all),
        Intent::Refresh => refresh(model),
        Intent::RefreshAll => {
            say(model, Tone::Plain, "looking again at everything");
            vec![Cmd::Ask(Request::Refresh(Scope::All))]
        }
        Intent::CopyId => copy(model, |_, thing| thing.name()),
        Intent::CopyCell => copy(model, csv_export::row),
        Intent::Sort => quiet(model, rows::next_sort),
        Intent::Reverse => quiet(model, rows::reverse),
        Intent::ViewBack | Intent::ViewLast => quiet(model, going::view_back),
        Intent::ViewForth => quiet(model, going::view_forth),
        Intent::Export => export(model),
        Intent::Record => {
            quiet(model, |model| going::go(model, Place { pane: Pane::Journal, zoomed: true, queue: None, page: None }))
        }
        Intent::Output => quiet(model, output),
        Intent::Errors => quiet(model, |model| model.overlay = Some(Overlay::Errors { scroll: 0 })),
        Intent::Acknowledge => alerts::acknowledge(model),
        Intent::Reopen => alerts::reopen(model),
        Intent::Snooze => quiet(model, alerts::ask_snooze),
        Intent::Defer => alerts::defer(model),
        Intent::Note => quiet(model, alerts::ask_note),
        Intent::Repair => acting::repair(model),
        Intent::SignOff => acting::sign_off(model),
        Intent::Toggle => acting::toggle(model),
        Intent::TakeBack => acting::take_back(model),
        Intent::LookUp => acting::look_up(model),
        Intent::Decide => doubt::open(model),
        Intent::Recovery => quiet(model, recovery::open),
        Intent::Period => quiet(model, |model| {
            model.period = model.period.next();
            say(model, Tone::Plain, format!("courses: {}", model.period.word()));
        }),
        Intent::PauseBatch => acting::pause(model),
        Intent::StopRun => quiet(model, ask_to_stop),
        Intent::CancelBatch => acting::cancel_batch(model),
        Intent::Unlock => acting::unlock(model),
        Intent::Redraw => vec![Cmd::Redraw],
        Intent::Suspend => vec![Cmd::Suspend],
    }
}

/// What changes nothing but the view asks nobody for anything.
fn quiet(model: &mut Model, what: impl FnOnce(&mut Model)) -> Vec<Cmd> {
    what(model);
    Vec::new()
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
        (Pane::Metrics, _) => Scope::Metrics,
        (Pane::Queues, Some(Thing::Queue(id) | Thing::Item(id, _))) => Scope::Queue(id),
        (Pane::Queues, _) => model.place.queue.clone().map_or(Scope::All, Scope::Queue),
        (Pane::Jobs, Some(Thing::Job(id))) => Scope::Job(id),
        (Pane::Reconciliation, Some(Thing::Statement(id) | Thing::Discrepancy(id, _))) => Scope::Reconciliation(id),
        (Pane::Flags, Some(Thing::Flag(id))) => Scope::Flag(id),
        (Pane::Jobs | Pane::Reconciliation | Pane::Flags | Pane::Playbooks | Pane::Journal, _) => Scope::All,
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

/// The page of the command that runs, else of the one that ran last; it follows what is printed.
fn output(model: &mut Model) {
    let runs = model.running().next().or_else(|| model.outputs.iter().next()).map(|output| output.plan.clone());
    let Some(plan) = runs else {
        say(model, Tone::Plain, "no command has run since the start; the journal (8) has what earlier ones printed");
        return;
    };
    let place = Place { page: Some(Thing::Run(plan)), ..model.place.clone() };
    going::go(model, place);
    model.scroll = usize::MAX;
}

/// Asks whether the command of the page is to be stopped; elsewhere, the one that began last.
fn ask_to_stop(model: &mut Model) {
    let here = |plan: &ActionId| matches!(&model.place.page, Some(Thing::Run(page)) if page == plan);
    let on_page = matches!(model.place.page, Some(Thing::Run(_)));
    let found = model.running().map(|output| output.plan.clone()).find(|plan| !on_page || here(plan));
    match found {
        Some(plan) => model.overlay = Some(Overlay::StopRun { plan, opened_at: model.now }),
        None if on_page => say(model, Tone::Plain, "it has ended: there is nothing to stop"),
        None => say(model, Tone::Plain, "no command runs"),
    }
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
    if model.unopened.is_some() {
        return vec![Cmd::Quit];
    }
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
