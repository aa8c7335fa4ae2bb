//! `[flags]`: values, how they are written, what shows that they are live.

use std::time::Duration;

use crate::{
    domain::pack::{Action, Confirm, Flag, Input, InputKind, Probe, Query},
    pack::{
        nearest::advice,
        place::Place,
        raw::{OneOrMany, RawFlag},
    },
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

/// From, to, and why.
const LABEL: &str = "{% if current %}{{ current }} {% endif %}-> {{ value }}{% if reason %}: {{ reason }}{% endif %}";

const OBSERVE_FOR: Duration = Duration::from_mins(2);
/// What a flag's effects can use besides their own words.
const AT_HAND: [&str; 6] = ["value", "reason", "now", "operator", "action_id", "id"];
const PROBE: [&str; 5] = ["value", "now", "day_ago", "week_ago", "month_ago"];

pub(super) fn flag(reader: &mut Reader<'_>, part: &Part<RawFlag>) -> Option<(Flag, Action)> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let look = query(reader, &place.key("read"), &raw.read, Names::Look);
    values(reader, place, raw);
    let set = effects(reader, &place.key("set"), &raw.set, Names::Only(&AT_HAND), Within::Brought);
    if matches!(&raw.set, OneOrMany::Many(list) if list.is_empty()) {
        reader.say(&place.key("set"), "a flag that nothing sets is a check", "empty", None);
    }
    let fresh: Vec<Query> = look.iter().filter(|_| firestore::expects(&set)).cloned().map(firestore::of_flag).collect();
    if look.is_some() {
        firestore::is_read_afresh(reader, &place.key("set"), &set, &fresh);
    }
    let probes = probes(reader, place, raw);
    let observe_for = reader.duration_or(&place.key("observe_for"), raw.observe_for.as_ref(), OBSERVE_FOR);
    let back_when = raw.back_when.as_ref().and_then(|name| reader.reference(Section::Checks, name, &place.key("back_when")));
    let every = reader.every(&place.key("every"), raw.every.as_ref(), EVERY);
    let set_id = id(&format!("flag.{name}"));
    let input = |name: &str, title: &str, kind| Input { name: name.to_owned(), title: title.to_owned(), kind, required: true };
    let action = brought_action(Brought {
        id: set_id,
        title: format!("Set {}", raw.title),
        label: LABEL,
        effects: set,
        inputs: vec![
            input("value", "New value", InputKind::Choice(raw.values.clone())),
            input("reason", "Reason", InputKind::Text),
        ],
        // A flip is taken back by setting the value that was there before.
        undo: Some(id(&format!("flag.{name}"))),
        confirm: Confirm::Typed,
        fresh,
        covers: raw.covers.clone(),
    });
    let flag = Flag {
        id: id(name),
        title: raw.title.clone(),
        query: look?,
        column: raw.column.clone(),
        values: raw.values.clone(),
        normal: raw.normal.clone(),
        set: action.id.clone(),
        probes,
        observe_for,
        back_when,
        every,
        covers: raw.covers.clone(),
    };
    Some((flag, action))
}

fn values(reader: &mut Reader<'_>, place: &Place, raw: &RawFlag) {
    let values: Vec<&str> = raw.values.iter().map(String::as_str).collect();
    reader.no_repetition(&place.key("values"), &raw.values);
    if values.len() < 2 {
        reader.say(&place.key("values"), "a switch has at least two values", "too few", None);
    }
    if !values.contains(&raw.normal.as_str()) {
        let help = Some(advice(&raw.normal, &values, "values"));
        reader.say(&place.key("normal"), format!("`{}` is not one of its values", raw.normal), "not a value", help);
    }
}

fn probes(reader: &mut Reader<'_>, place: &Place, raw: &RawFlag) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (index, raw) in raw.probes.iter().enumerate() {
        let place = place.key("probes").index(index);
        let query = query(reader, &place.key("read"), &raw.read, Names::Only(&PROBE));
        let expect = reader.template(&place.key("expect"), &raw.expect);
        if let Some(expect) = &expect {
            reader.names_at_hand(&place.key("expect"), &expect.names(), None, Names::Only(&PROBE));
        }
        let made = query.zip(expect);
        probes.extend(made.map(|(query, expect)| Probe { title: raw.title.clone(), query, column: raw.column.clone(), expect }));
    }
    probes
}
