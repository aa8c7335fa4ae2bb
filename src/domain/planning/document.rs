//! What an effect writes into a document, with every name filled in.

use crate::domain::{
    document::{Change, DocumentName, Precondition},
    id::Id,
    pack::{Connection, DocumentWrite, UPDATE_TIME, When, WrittenChange},
    plan::Order,
    rows::Params,
    text::Text,
    value::Value,
    zone::Zone,
};

/// Never without a precondition: a document is as it was read, or not there.
pub(super) fn order(on: &Id<Connection>, write: &DocumentWrite, names: &Params, zone: Zone) -> Result<Order, Text> {
    let document = write.document.render_in(names, zone).and_then(|rendered| DocumentName::of_rendered(&rendered));
    let document = document.map_err(Text::new)?.to_string();
    let mut changes = Vec::with_capacity(write.changes.len());
    for (path, change) in &write.changes {
        let change = match change {
            WrittenChange::Set(written) => {
                let value = written.value(names, zone);
                Change::Set(value.map_err(|why| Text::new(format!("{path} cannot be set: {why}")))?)
            }
            WrittenChange::ServerTime => Change::ServerTime,
            WrittenChange::Remove => Change::Remove,
        };
        changes.push((path.to_string(), change));
    }
    let when = match &write.when {
        When::Absent => Precondition::Absent,
        When::Unchanged { since } => unchanged(since, &document, names)?,
    };
    Ok(Order::Firestore { on: on.clone(), document, changes, when })
}

fn unchanged(since: &str, document: &str, names: &Params) -> Result<Precondition, Text> {
    // The moment of another document would be compared for nothing.
    if since == UPDATE_TIME
        && let Some(Value::Text(read)) = names.get("path")
        && read.original() != document
    {
        return Err(Text::new(format!(
            "`{UPDATE_TIME}` is that of {}, and {document} is written: read that one afresh, give its `__update_time__` a \
             column of its own, and name it by `unchanged_since`",
            read.original()
        )));
    }
    match names.get(since) {
        Some(Value::Time(moment)) => Ok(Precondition::UnchangedSince(*moment)),
        Some(_) | None => Err(Text::new(format!("nothing tells when {document} last changed: no {since}"))),
    }
}
