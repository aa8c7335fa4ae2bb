//! From parts as they are written to a pack that cannot be wrong in form; finds every mistake, not the first.

mod action;
mod connection;
mod effect;
mod firestore;
mod flag;
mod head;
mod job;
mod ledger;
mod proof;
mod queue;
mod read;
mod reader;
mod secret;
mod service;
mod stripe;
mod value;
mod watch;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::{nearest::advice, place::Place, problem::Problems, raw, shape, source::Source};
use crate::domain::pack::Pack;

use reader::{Reader, Section};

/// Reads what a path beside the pack file names, or says why it could not.
pub type Files<'f> = dyn Fn(&str) -> Result<String, String> + 'f;

/// A part of the file that has the right shape: its name, its place, and itself.
struct Part<T> {
    name: String,
    place: Place,
    raw: T,
}

pub(super) fn validate(
    name: &str,
    source: &Source,
    mut root: DeTable<'_>,
    problems: Vec<super::Problem>,
    files: &Files<'_>,
) -> Result<Pack, Problems> {
    let mut reader = Reader::new(source, problems);
    unknown_sections(&mut reader);
    let head = head::head(&mut reader, &mut root);
    let policy = head::policy(&mut reader, &mut root);
    let connections = parts(&mut reader, &mut root, Section::Connections, connection::connection);
    let playbooks = parts(&mut reader, &mut root, Section::Playbooks, |reader, part| head::playbook(reader, part, files));
    let checks = parts(&mut reader, &mut root, Section::Checks, watch::check);
    let metrics = parts(&mut reader, &mut root, Section::Metrics, watch::metric);
    let ledgers = parts(&mut reader, &mut root, Section::Ledgers, ledger::ledger);
    let (jobs, job_actions) = parts(&mut reader, &mut root, Section::Jobs, job::job).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let (flags, flag_actions) =
        parts(&mut reader, &mut root, Section::Flags, flag::flag).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let brought: Vec<_> = flag_actions.into_iter().chain(job_actions.into_iter().flatten()).collect();
    let mut actions = parts(&mut reader, &mut root, Section::Actions, |reader, part: &Part<raw::RawAction>| {
        Some(action::action(reader, part, &brought))
    });
    let queues =
        parts(&mut reader, &mut root, Section::Queues, |reader, part: &Part<raw::RawQueue>| queue::queue(reader, part, &actions));
    queue::items_are_told_apart(&mut reader, &queues, &actions);
    let reconciliations = parts(&mut reader, &mut root, Section::Reconciliations, ledger::reconciliation);
    actions.extend(brought);
    match (head, policy, Problems::from(reader.problems)) {
        (Some(head), Some(policy), problems) if problems.is_empty() => Ok(Pack {
            name: name.to_owned(),
            title: head.title,
            timezone: head.timezone,
            currency: head.currency,
            connections,
            checks,
            queues,
            jobs,
            ledgers,
            reconciliations,
            flags,
            metrics,
            actions,
            playbooks,
            policy,
        }),
        (_, _, problems) => Err(problems),
    }
}

fn unknown_sections(reader: &mut Reader<'_>) {
    let keys: Vec<String> = reader.source.root().keys().map(ToOwned::to_owned).collect();
    for key in keys {
        if !Section::WORDS.contains(&key.as_str()) {
            let help = advice(&key, &Section::WORDS, "sections");
            reader.say_key(&Place::default().key(&key), format!("there is no section `{key}`"), "unknown section", Some(help));
        }
    }
}

/// Reads a section part by part, in the order of the file, so that a mistake in one does not hide those of the next.
fn parts<T: DeserializeOwned + JsonSchema, Made>(
    reader: &mut Reader<'_>,
    root: &mut DeTable<'_>,
    section: Section,
    mut make: impl FnMut(&mut Reader<'_>, &Part<T>) -> Option<Made>,
) -> Vec<Made> {
    let place = Place::default().key(section.word());
    let Some(value) = root.remove(section.word()) else { return Vec::new() };
    let DeValue::Table(table) = value.into_inner() else {
        reader.say(&place, format!("`{}` is a table of {}", section.word(), section.word()), "expected a table", None);
        return Vec::new();
    };
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut made = Vec::new();
    for (key, value) in entries {
        let name = key.get_ref().to_string();
        let place = place.key(&name);
        reader.check_name(section, &name, &place);
        let (raw, problems) = shape::read::<T>(reader.source, &place, value);
        reader.problems.extend(problems);
        made.extend(raw.and_then(|raw| make(reader, &Part { name, place, raw })));
    }
    made
}

/// A name as an id of its kind.
fn id<Kind>(name: &str) -> crate::domain::id::Id<Kind> {
    crate::domain::id::Id::new(Arc::from(name))
}
