//! What the engine tells. An answer to a question that nobody asks any more is dropped.

use chrono::{DateTime, Utc};

use super::{acting, perform::say, recovery};
use crate::{
    domain::{
        plan::{Receipt, Standing},
        snapshot::Snapshot,
        text::Text,
    },
    engine::message::{Ask, Event, Preview, Request, Scope},
    ui::{message::Cmd, model::Model, notice::Tone, overlay::Overlay, waiting::Waiting},
};

pub fn take(model: &mut Model, event: Event) -> Vec<Cmd> {
    match event {
        Event::Snapshot(snapshot) => {
            let is_older = model
                .snapshot
                .as_ref()
                .is_some_and(|ours| ours.sequence > snapshot.sequence && ours.taken_at > snapshot.taken_at);
            if is_older {
                return Vec::new();
            }
            let has_ended = batch_ended(model, &snapshot);
            model.take_snapshot(snapshot);
            recovery::arrived(model);
            return match model.place.queue.clone().filter(|_| has_ended) {
                // What a batch has done leaves the list at once, not at the next look.
                Some(queue) => vec![Cmd::Ask(Request::Refresh(Scope::Queue(queue)))],
                None => Vec::new(),
            };
        }
        Event::Preview { ask, preview } => {
            let cmds = preview_came(model, ask, preview);
            model.touch();
            return cmds;
        }
        Event::Receipt(receipt) => receipt_came(model, receipt),
        Event::Printed { plan, printed } => model.outputs.hear(plan, printed, model.now),
        Event::Answer { ask, said } => answer_came(model, ask, said),
        Event::History { ask, flips, lines } => {
            if let Some(Waiting::History(subject)) = model.questions.answered(ask) {
                model.histories.0.clear();
                model.histories.0.insert(subject, (flips, lines));
            }
        }
        Event::Journal { ask, lines } => {
            if model.questions.answered(ask) == Some(Waiting::Journal) {
                let oldest = model.older.last().map(|line| line.sequence);
                let known = oldest.or_else(|| model.snapshot.as_ref()?.journal.last().map(|line| line.sequence));
                model.older.extend(lines.into_iter().filter(|line| known.is_none_or(|known| line.sequence < known)));
                model.settle();
            }
        }
        Event::Lock { until, why } => {
            lock_turned(model, until, why);
            if let Some(unlocking) = model.unlocking.take().filter(|_| model.is_unlocked()) {
                model.touch();
                return super::unlocked(model, unlocking);
            }
        }
        Event::Recovered(receipts) => recovered(model, receipts),
        Event::Unopened(why) => return unopened(model, why),
        Event::Notice { said, is_error } => {
            if is_error {
                // It may be why nothing was unlocked: what came too soon for that is not taken later.
                model.unlocking = None;
            }
            say(model, if is_error { Tone::Bad } else { Tone::Plain }, said.one_line());
        }
        Event::Stopped => {
            if matches!(model.overlay, Some(Overlay::Stopping)) {
                model.touch();
                return vec![Cmd::Quit];
            }
            if model.is_leaving {
                return Vec::new();
            }
            say(model, Tone::Bad, "the engine has stopped; nothing is read or sent any more");
        }
    }
    model.touch();
    Vec::new()
}

fn lock_turned(model: &mut Model, until: Option<DateTime<Utc>>, why: Option<Text>) {
    let was_unlocked = model.is_unlocked();
    model.unlocked_until = until;
    let said = match (until, why) {
        (_, Some(why)) => Some(why.one_line()),
        (None, None) if was_unlocked => Some("writing is locked".to_owned()),
        (Some(_), None) if !was_unlocked => Some("writing is unlocked".to_owned()),
        (None | Some(_), None) => None,
    };
    if let Some(said) = said {
        say(model, Tone::Plain, said);
    }
}

/// Nothing will ever be read: whoever waits for the engine waits no longer.
fn unopened(model: &mut Model, why: Text) -> Vec<Cmd> {
    say(model, Tone::Bad, why.one_line());
    // What the last visit read would stand there for good.
    (model.unopened, model.snapshot) = (Some(why), None);
    model.touch();
    match model.overlay {
        Some(Overlay::Stopping) => return vec![Cmd::Quit],
        Some(Overlay::Quit { .. }) => model.overlay = None,
        _ => {}
    }
    Vec::new()
}

fn batch_ended(model: &Model, snapshot: &Snapshot) -> bool {
    let was_running = model.snapshot.as_ref().and_then(|ours| ours.batch.as_ref()).filter(|batch| batch.ended_at.is_none());
    let now = snapshot.batch.as_ref();
    was_running.is_some_and(|was| now.is_none_or(|now| now.id != was.id || now.ended_at.is_some()))
}

fn preview_came(model: &mut Model, ask: Ask, preview: Result<Box<Preview>, Text>) -> Vec<Cmd> {
    let Some(waiting) = model.questions.answered(ask) else { return Vec::new() };
    match (waiting, preview) {
        (Waiting::Dialog, preview) => {
            let now = model.now;
            if let Some(Overlay::Dialog(dialog)) = &mut model.overlay
                && dialog.ask == ask
            {
                dialog.take(preview, now);
            }
            Vec::new()
        }
        (Waiting::Quick { action, target }, Ok(preview)) => acting::answered(model, ask, preview, Some((action, target))),
        (Waiting::TakeBack, Ok(preview)) => acting::answered(model, ask, preview, None),
        (Waiting::Quick { .. } | Waiting::TakeBack, Err(why)) => {
            say(model, Tone::Bad, why.one_line());
            Vec::new()
        }
        (Waiting::Commit(_) | Waiting::SignOff { .. } | Waiting::History(_) | Waiting::Journal, _) => Vec::new(),
    }
}

fn answer_came(model: &mut Model, ask: Ask, said: Result<Text, Text>) {
    let Some(waiting) = model.questions.answered(ask) else { return };
    let what = match waiting {
        Waiting::Commit(what) => format!("{what}: "),
        Waiting::SignOff { what, reconciliation, note } => {
            model.unsigned = said.is_err().then_some((reconciliation, note));
            format!("{what}: ")
        }
        Waiting::TakeBack | Waiting::Dialog | Waiting::Quick { .. } | Waiting::History(_) | Waiting::Journal => String::new(),
    };
    match said {
        Ok(said) => say(model, Tone::Good, format!("{what}{said}")),
        Err(why) => say(model, Tone::Bad, format!("{what}{why}")),
    }
}

/// Tells of one act; those of a batch are told by the batch's bar, unless they went wrong.
fn receipt_came(model: &mut Model, receipt: Receipt) {
    let line = format!("{} {}: {}", receipt.title, receipt.label, receipt.standing.word());
    let said = receipt.said.one_line();
    let line = if said.is_empty() {
        line
    } else if said.starts_with(receipt.standing.word()) {
        // Its word is the beginning of what is said.
        format!("{} {}: {said}", receipt.title, receipt.label)
    } else {
        format!("{line}, {said}")
    };
    let is_alone = receipt.batch.is_none();
    let is_asked_about = matches!(&model.overlay, Some(Overlay::StopRun { plan, .. }) if *plan == receipt.plan);
    if is_asked_about && receipt.standing != Standing::UnderWay {
        // There is nothing left to stop.
        model.overlay = None;
    }
    let known = model.receipts.find(&receipt.plan).filter(|known| known.standing == Standing::Unknown);
    let (was_unknown, is_news) = (known.is_some(), known.is_none_or(|known| known.said != receipt.said));
    match receipt.standing {
        // Each look after the first says the same again: one error is told once, and wipes nothing said since.
        Standing::Unknown if was_unknown && !is_news => {}
        Standing::Unknown if was_unknown => say(model, Tone::Warning, line),
        Standing::Done if is_alone => say(model, Tone::Good, line),
        Standing::TakenBack | Standing::NotSent if is_alone => say(model, Tone::Plain, line),
        Standing::Refused | Standing::Changed if is_alone => say(model, Tone::Warning, line),
        // Done as far as anybody answered: no error, and yet nothing to pass over.
        Standing::Unproven => say(model, Tone::Warning, line),
        Standing::Rejected | Standing::Unknown => say(model, Tone::Bad, line),
        Standing::Held
        | Standing::Waiting
        | Standing::UnderWay
        | Standing::Done
        | Standing::TakenBack
        | Standing::Refused
        | Standing::Changed
        | Standing::NotSent => {}
    }
    model.receipts.hear(receipt);
}

fn recovered(model: &mut Model, receipts: Vec<Receipt>) {
    let unknown = receipts.iter().filter(|receipt| !receipt.standing.is_over()).count();
    let count = receipts.len();
    let mut standings: Vec<(&str, usize)> = Vec::new();
    for receipt in &receipts {
        let word = receipt.standing.word();
        match standings.iter_mut().find(|(known, _)| *known == word) {
            Some((_, times)) => *times += 1,
            None => standings.push((word, 1)),
        }
    }
    for receipt in receipts {
        let line = format!("recovered: {} {}: {}", receipt.title, receipt.label, receipt.standing.word());
        let tone = if receipt.standing.is_over() { Tone::Plain } else { Tone::Bad };
        say(model, tone, line);
        model.receipts.take(receipt);
    }
    if count > 1 {
        let tone = if unknown > 0 { Tone::Warning } else { Tone::Plain };
        let standings: Vec<String> = standings.iter().map(|(word, times)| format!("{times} {word}")).collect();
        let standings = standings.join(", ");
        say(model, tone, format!("recovery settled {} of {count} acts: {standings}; :recovery tells each", count - unknown));
    }
}
