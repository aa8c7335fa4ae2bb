mod acts;
mod claims;
mod faults;
mod partner;
mod reads;
mod tokens;

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Declared, FirestoreSystem};
use crate::{
    adapters::testing::{mark, query},
    domain::{
        document::{Change, FieldPath, FieldValue, Precondition, Written},
        id::Id,
        pack::{By, Comparing, Condition, DocumentColumn, Documents, FirestoreRead, Read, Test, Total},
        plan::Order,
        rows::{Params, Rows},
        template::{Template, TemplatePlace},
        value::Value,
    },
    ports::{Mark, Outcome, Source as _, SourceError},
};

const ROOT: &str = "projects/shop/databases/(default)/documents";

fn open(address: &str, marks: Option<&str>, timeout: Duration) -> FirestoreSystem {
    let declared = Declared { project: "shop", database: "(default)", key: None, marks, emulator: Some(address), timeout };
    FirestoreSystem::open("docs", &declared).unwrap()
}

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

fn place(text: &str) -> Template {
    Template::parse_for(TemplatePlace::Path, text).unwrap()
}

fn from(from: Documents, columns: &[(&str, &str)]) -> FirestoreRead {
    let column = |(name, field): &(&str, &str)| {
        let column = DocumentColumn::of_word(field).unwrap_or_else(|| DocumentColumn::Field(path(field)));
        ((*name).to_owned(), column)
    };
    FirestoreRead {
        from,
        conditions: Vec::new(),
        order: Vec::new(),
        limit: None,
        columns: columns.iter().map(column).collect(),
        is_beside: false,
        totals: Vec::new(),
    }
}

fn list(collection: &str, columns: &[(&str, &str)]) -> FirestoreRead {
    from(Documents::Collection(place(collection)), columns)
}

fn document(name: &str, columns: &[(&str, &str)]) -> FirestoreRead {
    from(Documents::One(place(name)), columns)
}

fn fixed(value: FieldValue) -> Written {
    Written::Fixed(value)
}

fn compared(field: &str, comparing: Comparing, value: FieldValue) -> Condition {
    Condition { field: path(field), test: Test::Compared(comparing, fixed(value)) }
}

fn by(field: &str) -> By {
    let (name, descending) = field.strip_prefix('-').map_or((field, false), |name| (name, true));
    By { field: path(name), descending }
}

async fn read(system: &FirestoreSystem, read: FirestoreRead) -> Result<Rows, SourceError> {
    system.read(&query(Read::Firestore(read)), &Params::new()).await
}

fn cells(rows: &Rows, column: &str) -> Vec<Value> {
    rows.iter().map(|row| row.find(column).unwrap().clone()).collect()
}

fn ids(rows: &Rows) -> Vec<String> {
    cells(rows, "id").iter().map(Value::original).collect()
}

fn first(rows: &Rows, column: &str) -> Value {
    rows.first().unwrap().find(column).unwrap().clone()
}

fn order(document: &str, changes: &[(&str, Change)], when: Precondition) -> Order {
    let changes = changes.iter().map(|(path, change)| ((*path).to_owned(), change.clone())).collect();
    Order::Firestore { on: Id::new("docs"), document: document.to_owned(), changes, when }
}

fn set(value: FieldValue) -> Change {
    Change::Set(value)
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}
