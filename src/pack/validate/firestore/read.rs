//! Structured queries: where documents come from, what must hold of them, what is shown.

use crate::{
    domain::{
        document::segments_of,
        pack::{
            By, Comparing, Condition, DocumentColumn, Documents, FirestoreRead, Listing, MOST_ROWS, Query, Read, Test, Total,
            UPDATE_TIME,
        },
    },
    pack::{
        nearest::list,
        place::Place,
        raw::{OneOrMany, RawCondition, RawFirestoreRead},
    },
};

use super::{
    super::{read::Names, reader::Reader},
    field, path_of,
    written::value,
};

/// The database's own limit for `one_of` and its like.
const MOST_LISTED: usize = 30;

pub(in crate::pack::validate) fn read(
    reader: &mut Reader<'_>,
    place: &Place,
    raw: &RawFirestoreRead,
    names: Names<'_>,
) -> Option<Query> {
    let on = reader.connection("firestore", &raw.on, &place.key("on"));
    reader.no_repetition(&place.key("money"), &raw.money);
    let kinds = [("document", raw.document.is_some()), ("collection", raw.collection.is_some()), ("group", raw.group.is_some())];
    let word = reader.exactly_one(place, "what is read", &kinds)?;
    let from_place = place.key(word);
    let from = match (&raw.document, &raw.collection, &raw.group) {
        (Some(path), ..) => path_of(reader, &from_place, path, 0, names).map(Documents::One),
        (_, Some(path), _) => path_of(reader, &from_place, path, 1, names).map(Documents::Collection),
        (_, _, Some(name)) => {
            if !segments_of(name).is_ok_and(|segments| segments.len() == 1) {
                let help = Some("the name alone, without a path: `notes` finds `users/u1/notes` as well".to_owned());
                reader.say(&from_place, format!("`{name}` is not the name of a collection"), "not a name", help);
            }
            Some(Documents::Group(name.clone()))
        }
        (None, None, None) => None,
    };
    let conditions_place = place.key("where");
    let written: &[RawCondition] = match &raw.conditions {
        OneOrMany::One(condition) => std::slice::from_ref(condition),
        OneOrMany::Many(list) => list,
    };
    let conditions: Vec<Condition> = written
        .iter()
        .enumerate()
        .filter_map(|(index, raw)| condition(reader, &conditions_place.index(index), raw, names))
        .collect();
    let order = order(reader, &place.key("order"), &raw.order);
    let (columns, totals) = (columns(reader, place, raw), totals(reader, place, raw));
    fits_together(reader, place, raw, names, written.len());
    let limit = raw.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if limit.is_some_and(|limit| limit == 0 || limit > MOST_ROWS) {
        let help = Some(format!("from 1 to {MOST_ROWS}"));
        reader.say(&place.key("limit"), "so many documents cannot be read", "not so many", help);
    }
    let read = FirestoreRead { from: from?, conditions, order, limit, columns, is_beside: false, totals };
    Some(Query { on: on?, read: Read::Firestore(read), money: raw.money.clone() })
}

/// Keys that mean nothing beside each other.
fn fits_together(reader: &mut Reader<'_>, place: &Place, raw: &RawFirestoreRead, names: Names<'_>, conditions: usize) {
    let has_totals = raw.count.is_some() || !raw.sums.is_empty() || !raw.averages.is_empty();
    let of_lists = [
        ("where", conditions > 0),
        ("order", !raw.order.is_empty()),
        ("limit", raw.limit.is_some()),
        ("count", raw.count.is_some()),
        ("sums", !raw.sums.is_empty()),
        ("averages", !raw.averages.is_empty()),
    ];
    for (key, _) in of_lists.iter().filter(|(_, is_there)| *is_there && raw.document.is_some()) {
        let help = Some("leave it out, or read a `collection`".to_owned());
        reader.say_key(&place.key(key), format!("`{key}` means nothing for one document"), "not here", help);
    }
    let of_rows = [("columns", !raw.columns.is_empty()), ("order", !raw.order.is_empty()), ("limit", raw.limit.is_some())];
    for (key, _) in of_rows.iter().filter(|(_, is_there)| *is_there && has_totals && raw.document.is_none()) {
        let help = Some("totals are one row with their own columns alone".to_owned());
        reader.say_key(&place.key(key), format!("`{key}` means nothing beside `count`, `sums` and `averages`"), "not here", help);
    }
    if raw.limit.is_some() && matches!(names, Names::Window) {
        let help = Some("narrow it by `where`, with `:from` and `:to`".to_owned());
        reader.say_key(&place.key("limit"), "a ledger that stops at a limit would look whole", "not here", help);
    }
}

fn condition(reader: &mut Reader<'_>, place: &Place, raw: &RawCondition, names: Names<'_>) -> Option<Condition> {
    let path = field(reader, &place.key("field"), &raw.field, false);
    let compared = [&raw.is, &raw.is_not, &raw.below, &raw.at_most, &raw.above, &raw.at_least, &raw.contains].map(Option::as_ref);
    let listed = [&raw.one_of, &raw.none_of, &raw.contains_one_of].map(Option::as_ref);
    let compared = Comparing::ALL.into_iter().zip(compared);
    let listed = Listing::ALL.into_iter().zip(listed);
    let kinds: Vec<(&'static str, bool)> = compared
        .clone()
        .map(|(comparing, raw)| (comparing.word(), raw.is_some()))
        .chain(listed.clone().map(|(listing, raw)| (listing.word(), raw.is_some())))
        .chain([("is_none", raw.is_none.is_some())])
        .collect();
    let word = reader.exactly_one(place, "what must hold of the field", &kinds)?;
    let place = place.key(word);
    let test = if let Some(is_none) = raw.is_none {
        if is_none { Test::IsNone } else { Test::IsNotNone }
    } else if let Some((comparing, raw)) = compared.into_iter().find_map(|(comparing, raw)| Some((comparing, raw?))) {
        Test::Compared(comparing, value(reader, &place, raw, names)?)
    } else {
        let (listing, raw) = listed.into_iter().find_map(|(listing, raw)| Some((listing, raw?)))?;
        if !(1..=MOST_LISTED).contains(&raw.len()) {
            let help = Some(format!("from 1 to {MOST_LISTED}"));
            reader.say(&place, format!("{} values cannot be asked for at once", raw.len()), "not so many", help);
        }
        let values = raw.iter().enumerate().map(|(index, raw)| value(reader, &place.index(index), raw, names));
        Test::Listed(listing, values.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?)
    };
    Some(Condition { field: path?, test })
}

fn order(reader: &mut Reader<'_>, place: &Place, raw: &[String]) -> Vec<By> {
    reader.no_repetition(place, raw);
    let by = |(index, text): (usize, &String)| {
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        Some(By { field: field(reader, &place.index(index), name, false)?, descending })
    };
    raw.iter().enumerate().filter_map(by).collect()
}

fn columns(reader: &mut Reader<'_>, place: &Place, raw: &RawFirestoreRead) -> Vec<(String, DocumentColumn)> {
    let place = place.key("columns");
    let mut columns = Vec::new();
    for (name, path) in &raw.columns {
        let place = place.key(name);
        let column = match DocumentColumn::of_word(path) {
            Some(column) => Some(column),
            None if path.starts_with("__") && path.ends_with("__") => {
                let message = format!("`{path}` is nothing that a document tells of itself");
                reader.say(&place, message, "not such a word", Some(format!("words: {}", list(&DocumentColumn::WORDS))));
                None
            }
            None => field(reader, &place, path, false).map(DocumentColumn::Field),
        };
        columns.extend(column.map(|column| (name.clone(), column)));
    }
    columns
}

fn totals(reader: &mut Reader<'_>, place: &Place, raw: &RawFirestoreRead) -> Vec<(String, Total)> {
    let mut totals: Vec<(String, Total)> = raw.count.iter().map(|name| (name.clone(), Total::Count)).collect();
    for (key, fields) in [("sums", &raw.sums), ("averages", &raw.averages)] {
        for (name, path) in fields {
            let place = place.key(key).key(name);
            if totals.iter().any(|(known, _)| known == name) {
                reader.say_key(&place, format!("the column `{name}` is there twice"), "second time", None);
            }
            let path = field(reader, &place, path, false);
            totals.extend(path.map(|path| (name.clone(), if key == "sums" { Total::Sum(path) } else { Total::Average(path) })));
        }
    }
    totals
}

/// A read beside the row's own.
pub(in crate::pack::validate) fn beside(query: Query) -> Query {
    match query.read {
        Read::Firestore(read) => Query { read: Read::Firestore(read.beside()), ..query },
        Read::Sql(_) | Read::Stripe(_) | Read::Http(_) | Read::Command(_) => query,
    }
}

/// A flag has a name of its own: of its document only what a write is held against.
pub(in crate::pack::validate) fn of_flag(query: Query) -> Query {
    let Read::Firestore(read) = query.read else { return query };
    let told = [(UPDATE_TIME, DocumentColumn::UpdateTime), ("path", DocumentColumn::Path)];
    let told = told.into_iter().filter(|(name, _)| !read.columns.iter().any(|(own, _)| own == name));
    let told: Vec<_> = told.map(|(name, column)| (name.to_owned(), column)).collect();
    let mut read = read.beside();
    read.columns.extend(told);
    Query { read: Read::Firestore(read), ..query }
}
