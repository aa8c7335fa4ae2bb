//! `[queues]`: what waits, what of it is shown, and what can be done with it.

use crate::{
    domain::{
        id::Id,
        pack::{Action, ColumnFormat, ColumnSpec, Deadline, Preset, Queue},
    },
    pack::{
        place::Place,
        raw::{RawColumn, RawColumnFormat, RawQueue},
    },
};

use super::{
    Part, id,
    read::{Names, query},
    reader::{Reader, Section},
    watch::EVERY,
};

pub(super) fn queue(reader: &mut Reader<'_>, part: &Part<RawQueue>, actions: &[Action]) -> Option<Queue> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.not_empty(&place.key("id"), &raw.id, "the name of the column");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let query = query(reader, &place.key("read"), &raw.read, Names::Look);
    let deadline = raw.deadline.as_ref().and_then(|raw| {
        let after = reader.duration(&place.key("deadline").key("after"), &raw.after)?;
        Some(Deadline { column: raw.column.clone(), after })
    });
    reader.no_repetition(&place.key("group"), &raw.group);
    let minutes_each = raw.minutes_each.unwrap_or(1.0);
    if !(minutes_each.is_finite() && minutes_each >= 0.0) {
        reader.say(&place.key("minutes_each"), "an item takes no less than no time", "not so many minutes", None);
    }
    let presets = presets(reader, place, raw);
    let fitting = raw
        .actions
        .iter()
        .enumerate()
        .filter_map(|(index, name)| reader.reference(Section::Actions, name, &place.key("actions").index(index)));
    let fitting = fitting.collect();
    reader.no_repetition(&place.key("actions"), &raw.actions);
    keys_do_not_clash(reader, place, raw, actions);
    let items = items(reader, part);
    let columns = columns(reader, &place.key("columns"), &raw.columns);
    let every = reader.every(&place.key("every"), raw.every.as_ref(), EVERY);
    Some(Queue {
        id: id(name),
        title: raw.title.clone(),
        query: query?,
        key: raw.id.clone(),
        items,
        since: raw.since.clone(),
        deadline,
        group: raw.group.clone(),
        minutes_each,
        target_below: raw.target.as_ref().map(|target| target.below),
        presets,
        actions: fitting,
        columns,
        body: raw.body.clone(),
        empty: raw.empty.clone().unwrap_or_else(|| format!("Nothing waits in {}.", raw.title)),
        every,
        covers: raw.covers.clone(),
    })
}

/// The name of its items; a word that could be the name of a queue, for it may be that of another.
fn items(reader: &mut Reader<'_>, part: &Part<RawQueue>) -> Id<Queue> {
    let Some(word) = &part.raw.items else { return id(&part.name) };
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        let help = Some("one word for what they are, of letters, digits, `_` and `-`".to_owned());
        reader.say(&part.place.key("items"), format!("`{word}` cannot be the name of items"), "not a name", help);
    }
    id(word)
}

/// An item that stands in two queues would be decided twice, at the same time: where that can be, the pack says whether
/// it is so.
pub(super) fn items_are_told_apart(reader: &mut Reader<'_>, queues: &[Queue], actions: &[Action]) {
    let section = Place::default().key(Section::Queues.word());
    let says = |reader: &Reader<'_>, queue: &Queue| reader.source.find(&section.key(queue.id.as_str()).key("items")).is_some();
    for (number, queue) in queues.iter().enumerate() {
        let place = section.key(queue.id.as_str());
        if let Some(other) = queues.iter().find(|other| other.id == queue.items && other.items != queue.items) {
            let message = format!("`{}` is a queue whose items are called `{}`", other.id, other.items);
            reader.say(&place.key("items"), message, "another queue's name", Some(format!("`items = \"{}\"`", other.items)));
        }
        for other in queues.iter().take(number) {
            let related = queue.actions.iter().enumerate().find_map(|(index, action)| {
                other.actions.iter().find(|known| are_about_the_same(action, known, actions)).map(|known| (index, action, known))
            });
            let Some((index, action, known)) = related else { continue };
            if says(reader, queue) && says(reader, other) {
                continue;
            }
            let what = if action == known {
                format!("`{action}` is offered by the queues `{}` and `{}`", other.id, queue.id)
            } else {
                format!("`{action}` of the queue `{}` and `{known}` of the queue `{}` undo each other", queue.id, other.id)
            };
            let message = format!("{what}: whether an item of both is one and the same must be said");
            let help = "`items = \"...\"` in both queues: the same word where an id means the same thing in both, else two words";
            reader.say(&place.key("actions").index(index), message, "in two queues", Some(help.to_owned()));
        }
    }
}

/// True for one action, and for two of which one takes the other back.
fn are_about_the_same(one: &Id<Action>, other: &Id<Action>, actions: &[Action]) -> bool {
    let undoes = |one: &Id<Action>, other: &Id<Action>| {
        actions.iter().any(|action| action.id == *one && action.undo.as_ref() == Some(other))
    };
    one == other || undoes(one, other) || undoes(other, one)
}

/// In the order of the file: the first is the one that is offered first.
fn presets(reader: &mut Reader<'_>, place: &Place, raw: &RawQueue) -> Vec<Preset> {
    let place = place.key("presets");
    let order: Vec<String> =
        reader.source.find(&place).map(|tree| tree.keys().map(ToOwned::to_owned).collect()).unwrap_or_default();
    let written = order.into_iter().filter_map(|name| raw.presets.get(&name).map(|text| (name, text)));
    written
        .filter_map(|(name, text)| {
            let filter = reader.expression(&place.key(&name), text)?;
            Some(Preset { name, filter })
        })
        .collect()
}

fn keys_do_not_clash(reader: &mut Reader<'_>, place: &Place, raw: &RawQueue, actions: &[Action]) {
    let mut taken: Vec<(char, &str)> = Vec::new();
    for (index, name) in raw.actions.iter().enumerate() {
        let Some(key) = actions.iter().find(|action| action.id.as_str() == name).and_then(|action| action.key) else { continue };
        match taken.iter().find(|(other, first)| *other == key && first != name) {
            Some((_, first)) => {
                let message = format!("the key `{key}` stands for `{first}` and for `{name}` in this queue");
                let help = Some(format!("another `key` in `[actions.{name}]`"));
                reader.say(&place.key("actions").index(index), message, "same key", help);
            }
            None => taken.push((key, name)),
        }
    }
}

fn columns(reader: &mut Reader<'_>, place: &Place, raw: &[RawColumn]) -> Vec<ColumnSpec> {
    if raw.is_empty() {
        let help = Some("such as `columns = [ { column = \"id\" } ]`".to_owned());
        reader.say(place, "a queue without columns shows nothing", "empty", help);
    }
    let mut columns: Vec<ColumnSpec> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let column_place = place.index(index).key("column");
        reader.not_empty(&column_place, &raw.column, "the name of the column");
        if columns.iter().any(|column| column.column == raw.column) {
            reader.say(&column_place, format!("the column `{}` is there twice", raw.column), "second time", None);
        }
        let title = raw.title.clone().unwrap_or_else(|| raw.column.clone());
        columns.push(ColumnSpec { column: raw.column.clone(), title, format: format(raw.format) });
    }
    columns
}

fn format(raw: RawColumnFormat) -> ColumnFormat {
    match raw {
        RawColumnFormat::Plain => ColumnFormat::Plain,
        RawColumnFormat::Age => ColumnFormat::Age,
        RawColumnFormat::Time => ColumnFormat::Time,
        RawColumnFormat::Left => ColumnFormat::Left,
        RawColumnFormat::Percent => ColumnFormat::Percent,
        RawColumnFormat::Id => ColumnFormat::Id,
    }
}
