//! `[jobs]`: schedules, histories, and the action that runs one by hand.

use std::time::Duration;

use crate::{
    domain::pack::{Action, Confirm, HistoryColumns, Job, Schedule},
    pack::{place::Place, raw::RawJob},
};

use super::{
    Part,
    action::{Brought, brought_action},
    effect::{Within, effects},
    firestore, id,
    read::{Names, query},
    reader::{Reader, Section},
    watch::EVERY,
};

/// What a job's effects can use besides their own words.
const AT_HAND: [&str; 4] = ["now", "operator", "action_id", "id"];

pub(super) fn job(reader: &mut Reader<'_>, part: &Part<RawJob>) -> Option<(Job, Option<Action>)> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let cron = reader.cron(&place.key("schedule"), &raw.schedule);
    let zone = |reader: &mut Reader<'_>, key: &str, name: Option<&String>| match name {
        Some(name) => reader.zone(&place.key(key), name),
        None => Some(reader.timezone),
    };
    let evaluated_in = zone(reader, "evaluated_in", raw.evaluated_in.as_ref());
    let meant_in = zone(reader, "meant_in", raw.meant_in.as_ref());
    let grace = reader.duration_or(&place.key("grace"), raw.grace.as_ref(), Duration::from_mins(10));
    let missed_after = reader.duration_or(&place.key("missed_after"), raw.missed_after.as_ref(), Duration::from_hours(24));
    let failed_after = reader.duration_or(&place.key("failed_after"), raw.failed_after.as_ref(), Duration::from_hours(48));
    in_order(reader, place, [("grace", grace), ("missed_after", missed_after), ("failed_after", failed_after)]);
    let attempts = raw.attempts.unwrap_or(1);
    if attempts == 0 {
        reader.say(&place.key("attempts"), "a run is tried at least once", "too few", None);
    }
    let history = query(reader, &place.key("history"), &raw.history, Names::Look);
    let effect = raw.effect.as_ref().and_then(|raw| query(reader, &place.key("effect"), raw, Names::Look));
    let runs = effects(reader, &place.key("run"), &raw.run, Names::Only(&AT_HAND), Within::Brought);
    firestore::is_read_afresh(reader, &place.key("run"), &runs, &[]);
    let action = (!runs.is_empty()).then(|| {
        brought_action(Brought {
            id: id(&format!("job.{name}")),
            title: format!("Run {}", raw.title),
            label: "by hand",
            effects: runs,
            inputs: Vec::new(),
            undo: None,
            confirm: Confirm::Typed,
            fresh: Vec::new(),
            covers: raw.covers.clone(),
        })
    });
    let playbook = raw.playbook.as_ref().and_then(|name| reader.reference(Section::Playbooks, name, &place.key("playbook")));
    let every = reader.every(&place.key("every"), raw.every.as_ref(), EVERY);
    let columns = &raw.history_columns;
    let job = Job {
        id: id(name),
        title: raw.title.clone(),
        schedule: Schedule { cron: cron?, evaluated_in: evaluated_in?, meant_in: meant_in? },
        grace,
        missed_after,
        failed_after,
        attempts,
        history: history?,
        history_columns: HistoryColumns {
            started: columns.started.clone(),
            finished: columns.finished.clone(),
            status: columns.status.clone(),
            succeeded: columns.succeeded.clone(),
            running: columns.running.clone(),
            attempt: columns.attempt.clone(),
            error: columns.error.clone(),
        },
        effect,
        run: action.as_ref().map(|action| action.id.clone()),
        playbook,
        note: raw.note.clone(),
        every,
        covers: raw.covers.clone(),
    };
    Some((job, action))
}

/// Late, then missed, then failed.
fn in_order(reader: &mut Reader<'_>, place: &Place, spans: [(&str, Duration); 3]) {
    for pair in spans.windows(2) {
        let [(earlier, short), (later, long)] = pair else { continue };
        if short > long {
            let written =
                [later, earlier].into_iter().map(|key| place.key(key)).find(|place| reader.source.find(place).is_some());
            let message = format!("`{later}` is over before `{earlier}` is");
            let help = Some("`grace`, then `missed_after`, then `failed_after`".to_owned());
            reader.say(&written.unwrap_or_else(|| place.clone()), message, "the wrong way round", help);
        }
    }
}
