//! What is written into a document, and that it is read before.

use crate::{
    domain::{
        document::FieldPath,
        pack::{DocumentWrite, Effect, EffectKind, Query, Read, UPDATE_TIME, When, WrittenChange},
    },
    pack::{
        place::Place,
        raw::{RawFirestoreEffect, RawTyped, RawWritten},
    },
};

use super::{
    super::{read::Names, reader::Reader},
    field, path_of,
    written::value,
};

/// What is written into a document, and in words what that is.
pub(in crate::pack::validate) fn effect(
    reader: &mut Reader<'_>,
    place: &Place,
    raw: &RawFirestoreEffect,
    names: Names<'_>,
) -> Option<(EffectKind, String)> {
    let on = reader.connection("firestore", &raw.on, &place.key("on"));
    let document = path_of(reader, &place.key("document"), &raw.document, 0, names);
    let set = place.key("set");
    let mut changes: Vec<(FieldPath, WrittenChange)> = Vec::new();
    for (path, raw) in &raw.set {
        let place = set.key(path);
        let path = field(reader, &place, path, true);
        let change = match raw {
            RawWritten::Typed(RawTyped {
                server_time: Some(true),
                boolean: None,
                integer: None,
                double: None,
                timestamp: None,
                document: None,
                none: None,
                bytes: None,
                geo_point: None,
            }) => Some(WrittenChange::ServerTime),
            raw => value(reader, &place, raw, names).map(WrittenChange::Set),
        };
        add(reader, &place, path.zip(change), &mut changes);
    }
    let remove = place.key("remove");
    for (index, path) in raw.remove.iter().enumerate() {
        let place = remove.index(index);
        let path = field(reader, &place, path, false);
        add(reader, &place, path.map(|path| (path, WrittenChange::Remove)), &mut changes);
    }
    if raw.set.is_empty() && raw.remove.is_empty() {
        reader.say(place, "this changes no field", "needs `set`", Some("`set = { status = \"open\" }`".to_owned()));
    }
    if raw.create && raw.unchanged_since.is_some() {
        let help = Some("leave one of them out".to_owned());
        reader.say_key(&place.key("unchanged_since"), "a document that is not there yet has not changed", "not here", help);
    }
    let since = raw.unchanged_since.clone().unwrap_or_else(|| UPDATE_TIME.to_owned());
    let when = if raw.create { When::Absent } else { When::Unchanged { since } };
    let words: Vec<String> = changes.iter().map(|(path, change)| said(path, change)).collect();
    let what = if raw.create { "new document " } else { "" };
    let words = format!("{what}{}: {}", raw.document, words.join(", "));
    Some((EffectKind::Firestore { on: on?, write: DocumentWrite { document: document?, changes, when } }, words))
}

fn said(path: &FieldPath, change: &WrittenChange) -> String {
    match change {
        WrittenChange::Set(written) => format!("{path} = {}", written.said()),
        WrittenChange::ServerTime => format!("{path} = the moment of writing"),
        WrittenChange::Remove => format!("without {path}"),
    }
}

fn add(
    reader: &mut Reader<'_>,
    place: &Place,
    change: Option<(FieldPath, WrittenChange)>,
    changes: &mut Vec<(FieldPath, WrittenChange)>,
) {
    let Some((path, change)) = change else { return };
    if let Some((other, _)) = changes.iter().find(|(other, _)| other.overlaps(&path)) {
        reader.say_key(
            place,
            format!("`{path}` and `{other}` cannot be written at once: one is in the other"),
            "second time",
            None,
        );
    }
    changes.push((path, change));
}

/// True where a document must be as it was read.
pub(in crate::pack::validate) fn expects(effects: &[Effect]) -> bool {
    since(effects).next().is_some()
}

fn since(effects: &[Effect]) -> impl Iterator<Item = &String> {
    effects.iter().filter_map(|effect| match &effect.kind {
        EffectKind::Firestore { write: DocumentWrite { when: When::Unchanged { since }, .. }, .. } => Some(since),
        EffectKind::Firestore { write: DocumentWrite { when: When::Absent, .. }, .. }
        | EffectKind::Sql { .. }
        | EffectKind::Refund { .. }
        | EffectKind::Amend { .. }
        | EffectKind::Http { .. }
        | EffectKind::Mail { .. }
        | EffectKind::Webhook { .. }
        | EffectKind::Event { .. }
        | EffectKind::Proof { .. }
        | EffectKind::Command { .. } => None,
    })
}

/// What is written into a document is held against the moment at which it was read: something must read that.
pub(in crate::pack::validate) fn is_read_afresh(reader: &mut Reader<'_>, place: &Place, effects: &[Effect], fresh: &[Query]) {
    let tells = |query: &Query, since: &String| match &query.read {
        Read::Firestore(read) => read.names().contains(since),
        Read::Sql(_) | Read::Stripe(_) | Read::Http(_) | Read::Command(_) => false,
    };
    let Some(missing) = since(effects).find(|since| !fresh.iter().any(|query| tells(query, since))) else { return };
    let message = format!("nothing reads the document before it is written: no read here tells `{missing}`");
    let help = "an action needs `fresh.firestore = { on = ..., document = ... }`; a flag is read by `read.firestore`; \
                only `create = true` needs neither";
    reader.say(place, message, "not read afresh", Some(help.to_owned()));
}
