//! From a key to an act: what it is about, whether it may begin, how it is taken back.

use super::{going, perform::say};
use crate::{
    domain::{
        barrier::Barrier,
        id::Id,
        pack::{self, Action, Confirm},
        plan::{BatchId, Receipt, Standing, Target},
        reconcile::Gist,
        recovery::CutBatch,
        rows::Params,
        snapshot::BatchReport,
        value::Value,
    },
    engine::message::{Ask, Preview, Request},
    ui::{
        dialog::{Dialog, Focus},
        field::Field,
        message::Cmd,
        model::{Model, amount_column},
        notice::Tone,
        overlay::{Overlay, SignOff},
        place::Thing,
        waiting::{Unlocking, Waiting},
    },
};

/// False, and said, where nothing may be changed now.
pub fn may_write(model: &mut Model) -> bool {
    if is_barred(model) || is_recovering(model) {
        return false;
    }
    if !model.is_unlocked() && comes_too_soon(model) {
        say(model, Tone::Plain, "writing is being unlocked: one moment");
    } else if !model.is_unlocked() {
        let key = model.keymap.key_of(crate::ui::keymap::Intent::Unlock);
        say(model, Tone::Warning, format!("press {key} to unlock writing"));
    } else {
        return true;
    }
    false
}

/// True where the answer to unlocking is on its way: the key is kept, and taken once it is there.
fn comes_too_soon(model: &mut Model) -> bool {
    let (key, place, thing) = (model.pressed.take(), model.place.clone(), model.selected());
    let Some(unlocking) = model.unlocking.as_mut().filter(|unlocking| unlocking.is_soon(model.now)) else { return false };
    let Some(key) = key else { return false };
    unlocking.next = Some((key, place, thing));
    true
}

/// True, and said, where nothing can be written whatever is unlocked.
pub fn is_barred(model: &mut Model) -> bool {
    let barred = model.barred();
    if let Some((said, is_alarm)) = &barred {
        say(model, if *is_alarm { Tone::Bad } else { Tone::Warning }, said.as_str());
    }
    barred.is_some()
}

/// True, and said, while what an earlier run left is still looked for.
pub fn is_recovering(model: &mut Model) -> bool {
    let is_recovering = model.is_recovering();
    if is_recovering {
        say(model, Tone::Warning, "what an earlier run left is settled first, nothing else is written: :recovery shows how far");
    }
    is_recovering
}

/// The action of the queue that has this key, on what is marked, else on the selected row.
pub fn by_key(model: &mut Model, letter: char) -> Vec<Cmd> {
    let Some(Thing::Item(queue, _)) = model.selected() else { return Vec::new() };
    if has_slipped(model) {
        return Vec::new();
    }
    let Some(spec) = model.queue_spec(&queue) else { return Vec::new() };
    let found =
        spec.actions.iter().filter_map(|id| pack::find(&model.pack.actions, id)).find(|action| action.key == Some(letter));
    match found.map(|action| action.id.clone()) {
        Some(action) => on_items(model, &action, Some(letter)),
        None => Vec::new(),
    }
}

/// True, and said, where the row that was selected has only just gone: the key was meant for it, not for the next one.
fn has_slipped(model: &mut Model) -> bool {
    let slipped = model.slipped.take().filter(|(_, at)| !model.listens(*at) && model.place.page.is_none());
    if let Some((key, _)) = &slipped {
        say(model, Tone::Warning, format!("{key} has just gone from the list: nothing was done; this row is another"));
    }
    slipped.is_some()
}

/// Begins an action on the marked items, else on the selected one.
pub fn on_items(model: &mut Model, action: &Id<Action>, letter: Option<char>) -> Vec<Cmd> {
    if !may_write(model) {
        return Vec::new();
    }
    let Some(Thing::Item(queue, key)) = model.selected() else { return Vec::new() };
    let marked: Vec<String> = match model.works.get(&queue) {
        // A page is about its own item, whatever is marked in the list behind it.
        Some(work) if model.place.page.is_none() => work.marked().map(|item| item.key.clone()).collect(),
        Some(_) | None => Vec::new(),
    };
    let keys = if marked.is_empty() { vec![key] } else { marked };
    if let [key] = keys.as_slice()
        && let Some(why) = model.item(&queue, key).and_then(|item| item.barred_from(action)).cloned()
    {
        let offered = offered(model, &queue, key);
        let title = pack::find(&model.pack.actions, action).map_or_else(String::new, |action| action.title.clone());
        say(model, Tone::Warning, format!("{title} {key}: {why}{offered}"));
        return Vec::new();
    }
    let targets = keys.into_iter().map(|key| Target { queue: Some(queue.clone()), key }).collect();
    begin(model, action, targets, letter)
}

/// What can still be done to an item, in words.
pub fn offered(model: &Model, queue: &Id<pack::Queue>, key: &str) -> String {
    let Some(item) = model.item(queue, key) else { return String::new() };
    let Some(spec) = model.queue_spec(queue) else { return String::new() };
    let actions = spec.actions.iter().filter(|id| item.barred_from(id).is_none());
    let titles: Vec<&str> =
        actions.filter_map(|id| pack::find(&model.pack.actions, id)).map(|action| action.title.as_str()).collect();
    if titles.is_empty() { ". Nothing else is offered".to_owned() } else { format!(". Offered: {}", titles.join(", ")) }
}

/// Asks what would happen. What needs no more than its key goes on alone; all else opens its dialog at once.
pub fn begin(model: &mut Model, action: &Id<Action>, targets: Vec<Target>, letter: Option<char>) -> Vec<Cmd> {
    let pack = std::sync::Arc::clone(&model.pack);
    let Some(action) = pack::find(&pack.actions, action) else { return Vec::new() };
    if let [target] = targets.as_slice() {
        let standing = model.receipts.of(target).map(|receipt| receipt.standing);
        if let Some(standing @ (Standing::Held | Standing::Waiting | Standing::UnderWay)) = standing {
            say(model, Tone::Warning, format!("{}: an act on it is {}", target.key, standing.word()));
            return Vec::new();
        }
    }
    let asks_nothing = action.inputs.iter().all(|input| !input.required);
    let is_quick = action.confirm == Confirm::Key && targets.len() == 1 && asks_nothing && !action.is_final();
    let (ask, inputs) = if let Some(target) = targets.first().filter(|_| is_quick) {
        say(model, Tone::Plain, format!("{} {}: checking", action.title, target.key));
        (model.questions.ask(Waiting::Quick { action: action.id.clone(), target: target.clone() }), Params::new())
    } else {
        let ask = model.questions.ask(Waiting::Dialog);
        let mut dialog = Dialog::new(action, targets.clone(), ask, &model.shown, model.now);
        dialog.opened_by = letter;
        suggest(model, &mut dialog);
        let inputs = dialog.inputs();
        model.overlay = Some(Overlay::Dialog(Box::new(dialog)));
        (ask, inputs)
    };
    vec![Cmd::Ask(Request::Propose { ask, action: action.id.clone(), targets, inputs })]
}

/// Asks what going on with the rest of a batch would do; its inputs are those that it was confirmed with.
pub fn resume(model: &mut Model, batch: &CutBatch) -> Vec<Cmd> {
    let pack = std::sync::Arc::clone(&model.pack);
    let Some(action) = pack::find(&pack.actions, &batch.action) else {
        say(model, Tone::Warning, format!("`{}` is no longer in the pack", batch.action));
        return Vec::new();
    };
    let ask = model.questions.ask(Waiting::Dialog);
    let mut dialog = Dialog::new(action, batch.unsent.clone(), ask, &model.shown, model.now);
    for entry in &mut dialog.entries {
        let given = batch.inputs.get(&entry.name).map(Value::original);
        entry.field = given.map_or_else(Field::default, |given| Field::with(&given));
    }
    dialog.resumes = Some(batch.id.clone());
    let inputs = dialog.inputs();
    model.overlay = Some(Overlay::Dialog(Box::new(dialog)));
    vec![Cmd::Ask(Request::Resume { ask, batch: batch.id.clone(), inputs })]
}

/// A flag that is not as usual is put back; one with two values is flipped to the other one.
fn suggest(model: &Model, dialog: &mut Dialog) {
    let Some(flag) = model.pack.flags.iter().find(|flag| flag.set == dialog.action) else { return };
    let snapshot = model.snapshot.as_ref();
    let report = snapshot.and_then(|snapshot| snapshot.flags.iter().find(|report| report.id == flag.id));
    let current = report.and_then(|report| report.look.value.as_ref()).map(|value| value.original());
    let others: Vec<&String> = flag.values.iter().filter(|value| current.as_ref() != Some(value)).collect();
    let is_flipped = report.is_some_and(|report| report.flip.is_some()) || current.is_some_and(|current| current != flag.normal);
    let value = match others.as_slice() {
        _ if is_flipped => Some(&flag.normal),
        [other] => Some(*other),
        _ => None,
    };
    if let Some(value) = value
        && let Some(entry) = dialog.entries.iter_mut().find(|entry| entry.name == "value")
    {
        entry.field = Field::with(value);
    }
}

/// Runs the selected job, flips the selected flag.
pub fn toggle(model: &mut Model) -> Vec<Cmd> {
    match model.selected() {
        Some(Thing::Job(id)) => run_job(model, &id),
        Some(Thing::Flag(id)) => flip(model, &id),
        Some(
            Thing::Alert(_)
            | Thing::Healthy
            | Thing::Queue(_)
            | Thing::Item(..)
            | Thing::Statement(_)
            | Thing::Discrepancy(..)
            | Thing::Playbook(_)
            | Thing::Metric(_)
            | Thing::Line(_)
            | Thing::Run(_),
        )
        | None => Vec::new(),
    }
}

pub fn run_job(model: &mut Model, id: &Id<pack::Job>) -> Vec<Cmd> {
    let run = pack::find(&model.pack.jobs, id).and_then(|job| job.run.clone());
    let Some(action) = run else {
        say(model, Tone::Warning, format!("the pack does not say how to run {id}"));
        return Vec::new();
    };
    if !may_write(model) {
        return Vec::new();
    }
    begin(model, &action, vec![Target { queue: None, key: id.to_string() }], Some('t'))
}

pub fn flip(model: &mut Model, id: &Id<pack::Flag>) -> Vec<Cmd> {
    let Some(action) = pack::find(&model.pack.flags, id).map(|flag| flag.set.clone()) else { return Vec::new() };
    if !may_write(model) {
        return Vec::new();
    }
    begin(model, &action, vec![Target { queue: None, key: id.to_string() }], Some('t'))
}

/// Carries out the repair that a discrepancy proposes.
pub fn repair(model: &mut Model) -> Vec<Cmd> {
    let Some(Thing::Discrepancy(id, key)) = model.selected() else {
        say(model, Tone::Plain, "select a row that does not match");
        return Vec::new();
    };
    let Some(action) = model.discrepancy(&id, &key).and_then(|discrepancy| discrepancy.proposal.clone()) else {
        say(model, Tone::Warning, "the pack proposes no repair for this");
        return Vec::new();
    };
    if !may_write(model) {
        return Vec::new();
    }
    begin(model, &action, vec![Target { queue: None, key }], Some('a'))
}

pub fn sign_off(model: &mut Model) -> Vec<Cmd> {
    let Some(Thing::Statement(id) | Thing::Discrepancy(id, _)) = model.selected() else { return Vec::new() };
    let snapshot = model.snapshot.clone();
    let report = snapshot.as_ref().and_then(|snapshot| snapshot.reconciliations.iter().find(|report| report.id == id));
    let Some(report) = report else { return Vec::new() };
    let fresh = report.look.value.as_ref().filter(|_| report.look.failure.is_none() && !model.is_stale(&report.look));
    let Some(statement) = fresh else {
        say(model, Tone::Warning, "there is no fresh statement to sign; r looks again");
        return Vec::new();
    };
    if may_write(model) {
        let (title, seen) = (report.title.clone(), Gist::of(statement));
        let refused = model.unsigned.take_if(|(refused, _)| *refused == id);
        let note = refused.map_or_else(Field::default, |(_, note)| note);
        model.overlay = Some(Overlay::SignOff(SignOff { reconciliation: id, seen, title, note, opened_at: model.now }));
    }
    Vec::new()
}

/// Takes back what is held on the selected row, else the act that would be sent next, else proposes to undo the last one.
pub fn take_back(model: &mut Model) -> Vec<Cmd> {
    if is_barred(model) {
        return Vec::new();
    }
    let here = match model.selected() {
        Some(Thing::Item(queue, key)) => Some(model.pack.known_as(Target { queue: Some(queue), key })),
        Some(Thing::Flag(id)) => Some(Target { queue: None, key: id.to_string() }),
        Some(Thing::Discrepancy(_, key)) => Some(Target { queue: None, key }),
        Some(
            Thing::Alert(_)
            | Thing::Healthy
            | Thing::Queue(_)
            | Thing::Job(_)
            | Thing::Statement(_)
            | Thing::Playbook(_)
            | Thing::Metric(_)
            | Thing::Line(_)
            | Thing::Run(_),
        )
        | None => None,
    };
    let held = model.receipts.held(model.now);
    let on_row = here.as_ref().and_then(|target| held.iter().find(|receipt| receipt.target == *target));
    let first = on_row.or_else(|| held.first()).map(|receipt| (receipt.plan.clone(), receipt.label.one_line()));
    let (plan, said) = match first {
        // What was confirmed together is taken back together, unless the operator stands on one row of it.
        Some(_) if on_row.is_none() && model.receipts.held_together(model.now) => {
            (None, format!("taking back {} acts", held.len()))
        }
        Some((plan, label)) => (Some(plan), format!("taking back {label}")),
        None if !may_write(model) => return Vec::new(),
        None => {
            // In a list the last act is meant, with all that was confirmed with it; on a page, the page's own.
            let read = here.as_ref().filter(|_| model.place.page.is_some());
            let undoable = read.and_then(|target| model.receipts.of(target)).filter(|receipt| receipt.can_undo);
            (undoable.map(|receipt| receipt.plan.clone()), "looking what can be taken back".to_owned())
        }
    };
    say(model, Tone::Plain, said);
    let ask = model.questions.ask(Waiting::TakeBack);
    vec![Cmd::Ask(Request::TakeBack { ask, plan })]
}

/// Looks up outside what became of each act that stands unknown, and goes on with those that ended half way.
pub fn look_up(model: &mut Model) -> Vec<Cmd> {
    if is_recovering(model) {
        return Vec::new();
    }
    let is_open = |receipt: &&Receipt| receipt.standing == Standing::Unknown || receipt.has_rest;
    let open = model.receipts.iter().filter(is_open);
    let requests: Vec<Cmd> = open.map(|receipt| Cmd::Ask(Request::LookUp { plan: receipt.plan.clone() })).collect();
    let said = match requests.len() {
        0 => "no act stands unknown, half done or not proven".to_owned(),
        1 => "looking up 1 act".to_owned(),
        count => format!("looking up {count} acts"),
    };
    say(model, Tone::Plain, said);
    requests
}

fn batch(model: &Model) -> Option<&BatchReport> {
    model.snapshot.as_ref()?.batch.as_ref().filter(|batch| batch.ended_at.is_none())
}

fn running(model: &mut Model) -> Option<(BatchId, bool)> {
    let found = batch(model).map(|batch| (batch.id.clone(), batch.paused));
    if found.is_none() {
        say(model, Tone::Plain, "no batch is under way");
    }
    found
}

pub fn pause(model: &mut Model) -> Vec<Cmd> {
    let Some((batch, paused)) = running(model) else { return Vec::new() };
    vec![Cmd::Ask(Request::Pause { batch, paused: !paused })]
}

pub fn cancel_batch(model: &mut Model) -> Vec<Cmd> {
    let Some((batch, _)) = running(model) else { return Vec::new() };
    say(model, Tone::Plain, "taking back what the batch has not sent");
    vec![Cmd::Ask(Request::Cancel { batch })]
}

pub fn unlock(model: &mut Model) -> Vec<Cmd> {
    // What a moment of trouble kept from the journal, unlocking tries anew.
    if !matches!(model.barrier(), Some(Barrier::Unwritable(_))) && is_barred(model) {
        return Vec::new();
    }
    if is_recovering(model) {
        return Vec::new();
    }
    if model.is_unlocked() {
        return vec![Cmd::Ask(Request::Lock)];
    }
    model.unlocking = Some(Unlocking { asked_at: model.now, next: None });
    vec![Cmd::Ask(Request::Unlock)]
}

/// True where a preview holds no surprise: one act, nothing refused, changed or missing, and it can be taken back.
fn is_plain(preview: &Preview) -> bool {
    preview.confirm == Confirm::Key
        && preview.plans.len() == 1
        && preview.refused.is_empty()
        && preview.missing.is_empty()
        && preview.changed.is_empty()
        && preview.total.is_none()
        && !preview.is_final
}

/// The preview of an act that was begun without a dialog has come: carry it out, or ask after all.
pub fn answered(model: &mut Model, ask: Ask, preview: Box<Preview>, begun: Option<(Id<Action>, Target)>) -> Vec<Cmd> {
    // What taking back is about was not chosen by the operator: it is always shown first.
    if begun.is_some() && is_plain(&preview) && model.is_unlocked() {
        return commit(model, ask, &preview, String::new());
    }
    if preview.plans.is_empty() {
        let why =
            preview.refused.first().map_or_else(|| "nothing to do".to_owned(), |(target, why)| format!("{}: {why}", target.key));
        say(model, Tone::Warning, format!("{} refused. {why}", preview.title));
        return Vec::new();
    }
    if model.overlay.is_some() {
        say(model, Tone::Warning, format!("{} needs a look: press its key again", preview.title));
        return Vec::new();
    }
    let pack = std::sync::Arc::clone(&model.pack);
    let (id, targets) = match begun {
        Some((id, target)) => (id, vec![target]),
        None => (preview.action.clone(), preview.plans.iter().map(|plan| plan.target.clone()).collect()),
    };
    let Some(action) = pack::find(&pack.actions, &id) else { return Vec::new() };
    let mut dialog = Dialog::new(action, targets, ask, &model.shown, model.now);
    dialog.title.clone_from(&preview.title);
    dialog.take(Ok(preview), model.now);
    dialog.focus = Focus::Cancel;
    model.overlay = Some(Overlay::Dialog(Box::new(dialog)));
    Vec::new()
}

/// Sends the confirmation; the marks that it was about have done their work.
pub fn commit(model: &mut Model, preview_ask: Ask, preview: &Preview, typed: String) -> Vec<Cmd> {
    let what = match preview.plans.as_slice() {
        [plan] => format!("{} {}", preview.title, plan.label.one_line()),
        plans => format!("{} {} items", preview.title, plans.len()),
    };
    say(model, Tone::Plain, format!("{what}: sending"));
    let pack = std::sync::Arc::clone(&model.pack);
    for queue in &pack.queues {
        let Some(work) = model.works.get_mut(&queue.id).filter(|work| !work.marks.is_empty()) else { continue };
        for plan in preview.plans.iter().filter(|plan| plan.target.queue.as_ref() == Some(&queue.items)) {
            work.marks.remove(&plan.target.key);
        }
        work.tally(amount_column(&pack, queue));
    }
    if let Some(Thing::Item(_, key)) = &model.place.page
        && preview.plans.iter().any(|plan| plan.target.key == *key)
    {
        going::turn(model, true);
    }
    let ask = model.questions.ask(Waiting::Commit(what));
    vec![Cmd::Ask(Request::Commit { ask, preview: preview_ask, typed })]
}
