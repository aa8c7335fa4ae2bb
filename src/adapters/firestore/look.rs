//! Documents as rows: one, a list page by page, or totals. Never a part of a list for the whole of it: all pages are of one
//! moment, and a list that does not end where it must is a failure.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::{
    api::Api,
    cell::{cell, lost_kind},
    failure::Failure,
    query::{self, Structured},
};
use crate::{
    domain::{
        document::{DocumentName, FieldPath, kind_column},
        pack::{DocumentColumn, Documents, FirestoreRead, MOST_ROWS},
        rows::{Params, Rows},
        template::Template,
        text::{Text, counted},
        value::Value,
    },
    ports::{SourceError, Taker},
};

/// Documents in one answer, as long as they are small.
const PAGE: usize = 500;

pub(super) async fn read(api: &Api, read: &FirestoreRead, params: &Params) -> Result<Rows, SourceError> {
    if let Documents::One(path) = &read.from {
        return one(api, read, path, params).await;
    }
    let structured = built(api, read, params)?;
    if !read.totals.is_empty() {
        return totals(api, read, &structured).await;
    }
    let at_most = read.limit.unwrap_or(MOST_ROWS);
    let mut pages = Pages::of(api, read, &structured, read.limit);
    let mut found = Found::of(api, read);
    while let Some(page) = pages.next().await? {
        found.add(&page);
        if found.cells.len() > at_most {
            let said = format!(
                "{}: more than {}: narrow it by `where`, or say `limit`",
                read.said(),
                counted(at_most as u64, "document")
            );
            return Err(SourceError::Refused(api.transport.text(said)));
        }
    }
    Ok(found.rows())
}

/// As `read`, page by page, each within `limit`.
pub(super) async fn stream(
    api: &Api,
    read: &FirestoreRead,
    params: &Params,
    limit: Duration,
    taker: &mut dyn Taker,
) -> Result<Vec<String>, SourceError> {
    let structured = built(api, read, params)?;
    let mut pages = Pages::of(api, read, &structured, read.limit);
    let below = below(api);
    loop {
        let page = tokio::time::timeout(limit, pages.next()).await.unwrap_or(Err(SourceError::TimedOut(limit)))?;
        let Some(page) = page else { return Ok(Vec::new()) };
        let cells = page.iter().map(|document| row(read, document, &below)).collect::<Vec<_>>();
        taker.take(Rows::new(read.names(), cells)).map_err(|why| SourceError::Refused(Text::new(why)))?;
    }
}

fn built(api: &Api, read: &FirestoreRead, params: &Params) -> Result<Structured, SourceError> {
    query::structured(read, params, &api.root())
        .map_err(|why| SourceError::Refused(api.transport.text(format_args!("{}: {why}", read.said()))))
}

async fn one(api: &Api, read: &FirestoreRead, path: &Template, params: &Params) -> Result<Rows, SourceError> {
    let name = path.render(params).and_then(|rendered| DocumentName::of_rendered(&rendered));
    let name = name.map_err(|why| SourceError::Refused(api.transport.text(format_args!("document {}: {why}", path.source()))))?;
    let fields: Vec<String> = query::fields(read).iter().map(ToString::to_string).collect();
    let found = find(api, name.as_str(), &fields).await.map_err(|failure| failure.unread(&api.transport, name.as_str()))?;
    let mut rows = Found::of(api, read);
    rows.add(found.as_slice());
    Ok(rows.rows())
}

/// A document with some of its fields; `None` where there is none of that name.
pub(super) async fn find(api: &Api, name: &str, fields: &[String]) -> Result<Option<Json>, Failure> {
    let full = format!("{}/{name}", api.root());
    let body = json!({ "documents": [full], "mask": { "fieldPaths": fields } });
    let (answer, reply) = api.ask(&[], "batchGet", &body).await?;
    let parts = answer.as_array().map_or(&[][..], Vec::as_slice);
    for part in parts {
        if let Some(found) = part.get("found").filter(|found| found.get("name").and_then(Json::as_str) == Some(&full)) {
            return Ok(Some(found.clone()));
        }
        if part.get("missing").and_then(Json::as_str) == Some(&full) {
            return Ok(None);
        }
    }
    Err(Failure::Odd { status: reply.status, why: format!("neither the document nor that it is missing: {}", reply.excerpt()) })
}

async fn totals(api: &Api, read: &FirestoreRead, structured: &Structured) -> Result<Rows, SourceError> {
    let what = read.said();
    let body = json!({
        "structuredAggregationQuery": { "structuredQuery": structured.query, "aggregations": query::aggregations(&read.totals) },
    });
    let asked = api.ask(&structured.parent, "runAggregationQuery", &body).await;
    let (answer, reply) = asked.map_err(|failure| failure.unread(&api.transport, &what))?;
    let found = answer.as_array().into_iter().flatten().find_map(|part| part.get("result")?.get("aggregateFields"));
    let Some(found) = found else {
        let said = api.transport.text(format_args!("{what}: an answer without totals: {}", reply.excerpt()));
        return Err(SourceError::Malformed(said));
    };
    let below = below(api);
    let value = |number| found.get(query::alias(number)).map_or(Value::Null, |value| cell(value, &below));
    Ok(Rows::new(read.names(), [(0..read.totals.len()).map(value).collect()]))
}

/// A list, page by page, all of them as the database was at the moment of the first.
struct Pages<'a> {
    api: &'a Api,
    read: &'a FirestoreRead,
    structured: &'a Structured,
    page: usize,
    /// Documents that may still come, where the query has a limit.
    left: Option<usize>,
    at: Option<String>,
    after: Option<Json>,
    is_over: bool,
}

impl<'a> Pages<'a> {
    fn of(api: &'a Api, read: &'a FirestoreRead, structured: &'a Structured, left: Option<usize>) -> Self {
        Self { api, read, structured, page: PAGE, left, at: None, after: None, is_over: false }
    }

    /// The next page; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<Json>>, SourceError> {
        if self.is_over {
            return Ok(None);
        }
        let (documents, asked_for) =
            self.fetch().await.map_err(|failure| failure.unread(&self.api.transport, &self.read.said()))?;
        self.left = self.left.map(|left| left.saturating_sub(documents.len()));
        self.is_over = documents.len() < asked_for || self.left == Some(0);
        if !self.is_over {
            let last = documents.last().and_then(|last| self.cursor(last));
            // Half a list would be worse than none: it would look whole.
            self.after = Some(last.ok_or_else(|| {
                let why = "there is more, and the last document does not tell how to go on";
                SourceError::Malformed(self.api.transport.text(format_args!("{}: {why}", self.read.said())))
            })?);
        }
        Ok(Some(documents))
    }

    /// Documents that are too big for one answer come in smaller pages.
    async fn fetch(&mut self) -> Result<(Vec<Json>, usize), Failure> {
        loop {
            let asked_for = self.left.map_or(self.page, |left| left.min(self.page));
            let mut query = self.structured.query.clone();
            query["limit"] = asked_for.into();
            if let Some(after) = &self.after {
                query["startAt"] = json!({ "values": after, "before": false });
            }
            let mut body = json!({ "structuredQuery": query });
            if let Some(at) = &self.at {
                body["readTime"] = at.as_str().into();
            }
            let (answer, reply) = match self.api.ask(&self.structured.parent, "runQuery", &body).await {
                Err(Failure::TooBig(_)) if asked_for > 1 => {
                    self.page = asked_for.div_ceil(8);
                    continue;
                }
                answer => answer?,
            };
            let Json::Array(parts) = answer else {
                return Err(Failure::Odd { status: reply.status, why: format!("no list: {}", reply.excerpt()) });
            };
            let moment = parts.iter().find_map(|part| part.get("readTime")).and_then(Json::as_str).map(str::to_owned);
            self.at = self.at.take().or(moment);
            let documents = parts.into_iter().filter_map(|mut part| part.get_mut("document").map(Json::take)).collect();
            return Ok((documents, asked_for));
        }
    }

    /// What a document is ordered by, as the interface itself spelled it.
    fn cursor(&self, document: &Json) -> Option<Json> {
        let value = |path: &FieldPath| match path.segments() {
            [name] if name == "__name__" => Some(json!({ "referenceValue": document.get("name")?.as_str()? })),
            _ => field(document, path).cloned(),
        };
        self.structured.order.iter().map(|by| value(&by.field)).collect()
    }
}

/// A field of a document as the interface spells it.
pub(super) fn field<'a>(document: &'a Json, path: &FieldPath) -> Option<&'a Json> {
    let (last, maps) = path.segments().split_last()?;
    let fields = |holder: &'a Json| holder.get("fields").and_then(Json::as_object);
    let step = |fields: &'a Map<String, Json>, name: &String| fields.get(name)?.get("mapValue").and_then(fields_of);
    let holder = maps.iter().try_fold(fields(document)?, step)?;
    holder.get(last)
}

fn fields_of(map: &Json) -> Option<&Map<String, Json>> {
    map.get("fields").and_then(Json::as_object)
}

/// What the names of the database's documents begin with.
fn below(api: &Api) -> String {
    format!("{}/", api.root())
}

/// The cells of the documents so far and, of those that do not say it themselves, of what kind they were. The documents
/// are not kept: what the interface writes around each value is many times as long.
struct Found<'a> {
    read: &'a FirestoreRead,
    below: String,
    cells: Vec<Vec<Value>>,
    kinds: Vec<Kinds<'a>>,
}

/// Of a field that is a column, the rows whose kind is lost.
struct Kinds<'a> {
    column: &'a str,
    path: &'a FieldPath,
    lost: Vec<(usize, String)>,
}

impl<'a> Found<'a> {
    fn of(api: &Api, read: &'a FirestoreRead) -> Self {
        Self::below(below(api), read)
    }

    fn below(below: String, read: &'a FirestoreRead) -> Self {
        let fields = read.all_columns().filter_map(|(column, shown)| match shown {
            DocumentColumn::Field(path) => Some(Kinds { column, path, lost: Vec::new() }),
            DocumentColumn::Id | DocumentColumn::Path | DocumentColumn::CreateTime | DocumentColumn::UpdateTime => None,
        });
        Self { read, below, cells: Vec::new(), kinds: fields.collect() }
    }

    fn add(&mut self, documents: &[Json]) {
        for document in documents {
            for kinds in &mut self.kinds {
                let kind = field(document, kinds.path).and_then(|value| lost_kind(value, &self.below));
                kinds.lost.extend(kind.map(|kind| (self.cells.len(), kind)));
            }
            self.cells.push(row(self.read, document, &self.below));
        }
    }

    fn rows(mut self) -> Rows {
        let mut names = self.read.names();
        for Kinds { column, lost, .. } in self.kinds.into_iter().filter(|kinds| !kinds.lost.is_empty()) {
            names.push(kind_column(column));
            self.cells.iter_mut().for_each(|cells| cells.push(Value::Null));
            for (at, kind) in lost {
                if let Some(cell) = self.cells.get_mut(at).and_then(|cells| cells.last_mut()) {
                    *cell = Value::text(kind);
                }
            }
        }
        Rows::new(names, self.cells)
    }
}

/// A field that is not there is null, which no rule takes for anything.
fn row(read: &FirestoreRead, document: &Json, below: &str) -> Vec<Value> {
    let name = document.get("name").and_then(Json::as_str).unwrap_or_default();
    let path = name.strip_prefix(below).unwrap_or(name);
    let moment = |key: &str| document.get(key).map_or(Value::Null, |moment| cell(&json!({ "timestampValue": moment }), below));
    let column = |column: &DocumentColumn| match column {
        DocumentColumn::Id => Value::text(path.rsplit('/').next().unwrap_or_default()),
        DocumentColumn::Path => Value::text(path),
        DocumentColumn::CreateTime => moment("createTime"),
        DocumentColumn::UpdateTime => moment("updateTime"),
        DocumentColumn::Field(path) => field(document, path).map_or(Value::Null, |value| cell(value, below)),
    };
    read.all_columns().map(|(_, shown)| column(shown)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_page_says_of_a_kind_stands_beside_its_own_row() {
        let column = |name: &str| (name.to_owned(), DocumentColumn::Field(FieldPath::parse(name).unwrap()));
        let read = FirestoreRead {
            from: Documents::Group("jobs".into()),
            conditions: Vec::new(),
            order: Vec::new(),
            limit: None,
            columns: ["raw", "plain"].map(column).into(),
            is_beside: true,
            totals: Vec::new(),
        };
        let document = |raw: Json| json!({ "name": "d/j", "fields": { "raw": raw, "plain": { "stringValue": "x" } } });
        let bytes = || document(json!({ "bytesValue": "wN4=" }));
        let mut found = Found::below("d/".into(), &read);
        found.add(&[document(json!({ "stringValue": "c0de" })), document(json!({ "integerValue": "7" }))]);
        found.add(&[bytes()]);
        found.add(&[document(json!({ "nullValue": null })), bytes()]);
        let rows = found.rows();
        assert_eq!(rows.columns(), ["raw", "plain", &kind_column("raw")], "only where one is lost");
        let kinds: Vec<String> = rows.iter().map(|row| row.find(&kind_column("raw")).unwrap().original()).collect();
        let lost = lost_kind(&json!({ "bytesValue": "wN4=" }), "d/").unwrap();
        assert_eq!(kinds, ["", "", lost.as_str(), "", lost.as_str()]);
        assert!(rows.iter().all(|row| row.find("plain") == Some(&Value::text("x"))));
    }
}
