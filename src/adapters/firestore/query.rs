//! Structured queries: conditions and orders with their values bound, in the form that the interface wants.

use serde_json::{Value as Json, json};

use super::cell::encoded;
use crate::domain::{
    document::{FieldPath, segments_of},
    pack::{By, Comparing, Condition, DocumentColumn, Documents, FirestoreRead, Listing, Test, Total},
    rows::Params,
    zone::Zone,
};

/// A list of documents: where it hangs, and the query without what turns its pages.
#[derive(Debug, PartialEq)]
pub(super) struct Structured {
    /// The ids of the document below which the collection is.
    pub(super) parent: Vec<String>,
    pub(super) query: Json,
    /// The whole order, down to the documents' names: what a page ends with, the next one begins after.
    pub(super) order: Vec<By>,
}

/// What the interface calls a document's own name.
fn name_field() -> Result<FieldPath, String> {
    FieldPath::parse("__name__").map_err(|error| error.to_string())
}

pub(super) fn structured(read: &FirestoreRead, params: &Params, root: &str) -> Result<Structured, String> {
    let (parent, from) = match &read.from {
        Documents::One(_) => return Err("one document is no list".to_owned()),
        Documents::Group(name) => (Vec::new(), json!([{ "collectionId": name, "allDescendants": true }])),
        Documents::Collection(path) => {
            let mut segments = segments_of(&path.render(params)?)?;
            let collection = segments.pop().unwrap_or_default();
            (segments, json!([{ "collectionId": collection }]))
        }
    };
    let mut query = json!({ "from": from });
    let filters: Vec<Json> = read.conditions.iter().map(|condition| filter(condition, params, root)).collect::<Result<_, _>>()?;
    match filters.as_slice() {
        [] => {}
        [only] => query["where"] = only.clone(),
        several => query["where"] = json!({ "compositeFilter": { "op": "AND", "filters": several } }),
    }
    let order = if read.totals.is_empty() { whole_order(read)? } else { Vec::new() };
    if read.totals.is_empty() {
        query["orderBy"] = order.iter().map(by).collect();
        query["select"] = json!({ "fields": selected(read, &order) });
    }
    Ok(Structured { parent, query, order })
}

/// The order that the database itself would complete: the pack's own, what is compared by size, the name.
fn whole_order(read: &FirestoreRead) -> Result<Vec<By>, String> {
    let mut order = read.order.clone();
    let descending = order.last().is_some_and(|by| by.descending);
    let mut compared: Vec<&FieldPath> =
        read.conditions.iter().filter(|condition| condition.test.is_by_order()).map(|condition| &condition.field).collect();
    compared.sort();
    let name = name_field()?;
    for field in compared.into_iter().chain([&name]) {
        if !order.iter().any(|by| by.field == *field) {
            order.push(By { field: field.clone(), descending });
        }
    }
    Ok(order)
}

fn by(by: &By) -> Json {
    let direction = if by.descending { "DESCENDING" } else { "ASCENDING" };
    json!({ "field": { "fieldPath": by.field.to_string() }, "direction": direction })
}

/// Only the fields that are shown or ordered by travel; a document's name always does.
fn selected(read: &FirestoreRead, order: &[By]) -> Vec<Json> {
    let shown = fields(read).into_iter().cloned();
    let mut paths: Vec<String> = shown.chain(order.iter().map(|by| by.field.clone())).map(|path| path.to_string()).collect();
    paths.sort();
    paths.dedup();
    paths.into_iter().map(|path| json!({ "fieldPath": path })).collect()
}

/// The fields of the columns.
pub(super) fn fields(read: &FirestoreRead) -> Vec<&FieldPath> {
    read.columns.iter().filter_map(|(_, column)| field(column)).collect()
}

fn field(column: &DocumentColumn) -> Option<&FieldPath> {
    match column {
        DocumentColumn::Field(path) => Some(path),
        DocumentColumn::Id | DocumentColumn::Path | DocumentColumn::CreateTime | DocumentColumn::UpdateTime => None,
    }
}

fn filter(condition: &Condition, params: &Params, root: &str) -> Result<Json, String> {
    let field = json!({ "fieldPath": condition.field.to_string() });
    // Values of a condition are for a machine: dates in them are said in UTC.
    let (op, value) = match &condition.test {
        Test::IsNone => return Ok(json!({ "unaryFilter": { "op": "IS_NULL", "field": field } })),
        Test::IsNotNone => return Ok(json!({ "unaryFilter": { "op": "IS_NOT_NULL", "field": field } })),
        Test::Compared(comparing, written) => (operator(*comparing), encoded(&written.value(params, Zone::UTC)?, root)),
        Test::Listed(listing, written) => {
            let values = written.iter().map(|written| written.value(params, Zone::UTC).map(|value| encoded(&value, root)));
            let values = values.collect::<Result<Vec<_>, _>>()?;
            (list_operator(*listing), json!({ "arrayValue": { "values": values } }))
        }
    };
    Ok(json!({ "fieldFilter": { "field": field, "op": op, "value": value } }))
}

fn operator(comparing: Comparing) -> &'static str {
    match comparing {
        Comparing::Is => "EQUAL",
        Comparing::IsNot => "NOT_EQUAL",
        Comparing::Below => "LESS_THAN",
        Comparing::AtMost => "LESS_THAN_OR_EQUAL",
        Comparing::Above => "GREATER_THAN",
        Comparing::AtLeast => "GREATER_THAN_OR_EQUAL",
        Comparing::Contains => "ARRAY_CONTAINS",
    }
}

fn list_operator(listing: Listing) -> &'static str {
    match listing {
        Listing::OneOf => "IN",
        Listing::NoneOf => "NOT_IN",
        Listing::ContainsOneOf => "ARRAY_CONTAINS_ANY",
    }
}

/// The totals by the numbers of their columns: any text may name a column, and not every text an alias.
pub(super) fn aggregations(totals: &[(String, Total)]) -> Vec<Json> {
    let field = |path: &FieldPath| json!({ "field": { "fieldPath": path.to_string() } });
    let one = |(number, (_, total)): (usize, &(String, Total))| {
        let (word, what) = match total {
            Total::Count => ("count", json!({})),
            Total::Sum(path) => ("sum", field(path)),
            Total::Average(path) => ("avg", field(path)),
        };
        json!({ "alias": alias(number), word: what })
    };
    totals.iter().enumerate().map(one).collect()
}

pub(super) fn alias(number: usize) -> String {
    format!("total_{number}")
}
