//! Values as a pack writes them.

use crate::{
    domain::document::{FieldKind, FieldValue, Written},
    pack::{
        place::Place,
        raw::{RawTyped, RawWritten},
    },
};

use super::{
    super::{read::Names, reader::Reader},
    path_of,
};

/// A value as it is written; its names must be at hand.
pub(super) fn value(reader: &mut Reader<'_>, place: &Place, raw: &RawWritten, names: Names<'_>) -> Option<Written> {
    match raw {
        RawWritten::Truth(truth) => Some(Written::Fixed(FieldValue::Truth(*truth))),
        RawWritten::Integer(number) => Some(Written::Fixed(FieldValue::Integer(*number))),
        RawWritten::Float(number) => {
            reader.finite(place, *number);
            Some(Written::Fixed(FieldValue::Double(*number)))
        }
        RawWritten::Text(text) => text_value(reader, place, text, None, names),
        RawWritten::List(items) => {
            let items = items.iter().enumerate().map(|(index, raw)| value(reader, &place.index(index), raw, names));
            items.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Written::List)
        }
        RawWritten::Typed(raw) => typed(reader, place, raw, names),
    }
}

fn typed(reader: &mut Reader<'_>, place: &Place, raw: &RawTyped, names: Names<'_>) -> Option<Written> {
    let kinds = [
        ("boolean", FieldKind::Truth, &raw.boolean),
        ("integer", FieldKind::Integer, &raw.integer),
        ("double", FieldKind::Double, &raw.double),
        ("timestamp", FieldKind::Time, &raw.timestamp),
        ("document", FieldKind::Reference, &raw.document),
        ("bytes", FieldKind::Bytes, &raw.bytes),
        ("geo_point", FieldKind::Place, &raw.geo_point),
    ];
    let there = kinds.iter().map(|(word, _, text)| (*word, text.is_some()));
    let there: Vec<_> = there.chain([("none", raw.none.is_some()), ("server_time", raw.server_time.is_some())]).collect();
    let word = reader.exactly_one(place, "the kind of this value", &there)?;
    let place = place.key(word);
    if word == "server_time" {
        reader.say_key(&place, "the server's time is no value to compare with; it can be set", "not here", None);
        return None;
    }
    let Some((_, kind, Some(text))) = kinds.into_iter().find(|(known, ..)| *known == word) else {
        return Some(Written::Fixed(FieldValue::None));
    };
    if kind == FieldKind::Reference {
        return path_of(reader, &place, text, 0, names).map(|path| Written::As(kind, path));
    }
    text_value(reader, &place, text, Some(kind), names)
}

/// `:name`, a template, or the text itself; `::` at the beginning is a colon.
fn text_value(reader: &mut Reader<'_>, place: &Place, text: &str, kind: Option<FieldKind>, names: Names<'_>) -> Option<Written> {
    let is_name =
        |rest: &&str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    if let Some(name) = text.strip_prefix(':').filter(is_name) {
        reader.names_at_hand(place, &[name.to_owned()], None, names);
        return match kind {
            None => Some(Written::Bound(name.to_owned())),
            Some(kind) => reader.template(place, &format!("{{{{ {name} }}}}")).map(|template| Written::As(kind, template)),
        };
    }
    let text = if text.starts_with("::") { text.strip_prefix(':').unwrap_or(text) } else { text };
    if text.contains("{{") || text.contains("{%") {
        let template = reader.template(place, text)?;
        reader.names_at_hand(place, &template.names(), None, names);
        return Some(kind.map_or(Written::Text(template.clone()), |kind| Written::As(kind, template)));
    }
    let Some(kind) = kind else { return Some(Written::Fixed(FieldValue::Text(text.to_owned()))) };
    match kind.read(text) {
        Ok(value) => Some(Written::Fixed(value)),
        Err(why) => {
            reader.say(place, why, &format!("not {}", kind.said()), None);
            None
        }
    }
}
