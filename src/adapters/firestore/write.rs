//! One write of one document: only the fields that the pack names, only as the document was read, with this act's mark in
//! the same commit; and the look for it after a lost answer. Never replaces a document, never deletes one.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use super::{
    api::Api,
    cell::{encoded, spelt},
    failure::{Failure, Refusal},
    look::{field, find},
};
use crate::{
    adapters::transport::NoReply,
    domain::{
        document::{Change, FieldPath, Precondition},
        text::Text,
    },
    ports::{Answer, Found, Mark, Outcome, SourceError},
};

/// Where the service does not say how long.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

/// A write, as an order has it.
pub(super) struct Write<'a> {
    pub(super) document: &'a str,
    pub(super) changes: &'a [(String, Change)],
    pub(super) when: Precondition,
    pub(super) mark: &'a Mark,
    /// The collection of marks.
    pub(super) marks: Option<&'a str>,
}

impl Write<'_> {
    fn name(&self, api: &Api) -> String {
        format!("{}/{}", api.root(), self.document)
    }

    /// Below the collection of marks, the same at every attempt.
    fn mark_of(&self) -> Option<String> {
        self.marks.map(|marks| format!("{marks}/{}", self.mark.key()))
    }

    fn body(&self, api: &Api) -> Result<Json, String> {
        let (root, mut fields, mut mask, mut stamped) = (api.root(), Map::new(), Vec::new(), Vec::new());
        for (path, change) in self.changes {
            match change {
                Change::Set(value) => {
                    let parsed = FieldPath::parse(path).map_err(|error| format!("`{path}`: {error}"))?;
                    place(&mut fields, parsed.segments(), encoded(value, &root));
                    mask.push(path.as_str());
                }
                Change::Remove => mask.push(path.as_str()),
                Change::ServerTime => stamped.push(json!({ "fieldPath": path, "setToServerValue": "REQUEST_TIME" })),
            }
        }
        let expected = match self.when {
            Precondition::Absent => json!({ "exists": false }),
            Precondition::UnchangedSince(moment) => json!({ "updateTime": spelt(moment) }),
        };
        let mut write = json!({
            "update": { "name": self.name(api), "fields": fields },
            // Always: without it the document would be replaced.
            "updateMask": { "fieldPaths": mask },
            "currentDocument": expected,
        });
        if !stamped.is_empty() {
            write["updateTransforms"] = stamped.into();
        }
        let mut writes = vec![write];
        if let Some(mark) = self.mark_of() {
            let text = |text: &str| json!({ "stringValue": text });
            writes.push(json!({
                "update": { "name": format!("{root}/{mark}"), "fields": {
                    "action_id": text(&self.mark.action.0),
                    "step": { "integerValue": self.mark.step.to_string() },
                    "target": text(&self.mark.target),
                    "operator": text(&self.mark.operator),
                    "document": text(self.document),
                } },
                "updateTransforms": [{ "fieldPath": "marked_at", "setToServerValue": "REQUEST_TIME" }],
                "currentDocument": { "exists": false },
            }));
        }
        Ok(json!({ "writes": writes }))
    }
}

/// A value below the maps that its path names.
fn place(fields: &mut Map<String, Json>, path: &[String], value: Json) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        fields.insert(first.clone(), value);
        return;
    }
    let map = fields.entry(first.clone()).or_insert_with(|| json!({ "mapValue": { "fields": {} } }));
    if let Some(inner) = map.pointer_mut("/mapValue/fields").and_then(Json::as_object_mut) {
        place(inner, rest, value);
    }
}

pub(super) async fn send(api: &Api, write: &Write<'_>) -> Outcome {
    let what = write.document;
    let body = match write.body(api) {
        Ok(body) => body,
        Err(why) => return Outcome::Rejected(api.transport.text(format_args!("{what} not written: {why}"))),
    };
    let wrote = || answer(api, &format!("{what} written"));
    match api.act("commit", &body).await {
        Ok((answer, reply)) => {
            let count = answer.get("writeResults").and_then(Json::as_array).map(Vec::len);
            let expected = body["writes"].as_array().map(Vec::len);
            if count == expected || answer.get("commitTime").is_some() {
                Outcome::Confirmed(wrote())
            } else {
                let excerpt = reply.excerpt();
                Outcome::Unknown(
                    api.transport.text(format_args!("{what}: answered {} without a commit: {excerpt}", reply.status)),
                )
            }
        }
        Err(failure) => refused(api, write, &failure).await,
    }
}

async fn refused(api: &Api, write: &Write<'_>, failure: &Failure) -> Outcome {
    let (transport, what) = (&api.transport, write.document);
    let unknown = |why: String| Outcome::Unknown(transport.text(format_args!("{what}: {why}")));
    match failure {
        Failure::NoToken(why) | Failure::NoReply(NoReply::Distrusted(why)) => {
            Outcome::Rejected(transport.text(format_args!("{what} not written: {why}")))
        }
        Failure::NoReply(NoReply::NotSent(why) | NoReply::Spared(why)) => {
            Outcome::Again { after: AGAIN, why: transport.text(format_args!("{what} not written: {why}")) }
        }
        Failure::NoReply(NoReply::TimedOut { sent: false }) => {
            Outcome::Again { after: AGAIN, why: transport.text(format_args!("{what} not written: nobody answers")) }
        }
        Failure::NoReply(NoReply::TimedOut { sent: true }) => unknown(SourceError::TimedOut(transport.timeout).to_string()),
        Failure::NoReply(NoReply::Lost(why)) => unknown(format!("the line broke: {why}")),
        Failure::TooBig(why) => unknown(why.clone()),
        // Something between us and the database spoke.
        Failure::Odd { status, why } => unknown(format!("answered {status}: {why}")),
        Failure::Refusal(refusal) => judged(api, write, refusal).await,
    }
}

async fn judged(api: &Api, write: &Write<'_>, refusal: &Refusal) -> Outcome {
    let (transport, what, said) = (&api.transport, write.document, refusal.said());
    match refusal.status.as_str() {
        "ABORTED" | "RESOURCE_EXHAUSTED" => {
            let after = refusal.retry_after.unwrap_or(AGAIN);
            Outcome::Again { after, why: transport.text(format_args!("{what} not written: {said}")) }
        }
        "FAILED_PRECONDITION" | "ALREADY_EXISTS" => not_as_expected(api, write, refusal).await,
        // A document that is older than it was when it was read: put back from a backup.
        "INVALID_ARGUMENT" if refusal.message.contains("base version") => not_as_expected(api, write, refusal).await,
        // A database or a project that is not there is told without a document's name.
        "NOT_FOUND" if write.when != Precondition::Absent && refusal.message.contains("/documents/") => {
            not_as_expected(api, write, refusal).await
        }
        "UNAVAILABLE" | "INTERNAL" | "UNKNOWN" | "DEADLINE_EXCEEDED" | "CANCELLED" | "DATA_LOSS" => {
            Outcome::Unknown(transport.text(format_args!("{what}: {said}")))
        }
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => Outcome::Rejected(transport.text(format_args!("{what} denied: {said}"))),
        _ if refusal.http >= 500 => Outcome::Unknown(transport.text(format_args!("{what}: {said}"))),
        _ => Outcome::Rejected(transport.text(format_args!("{what} refused: {said}"))),
    }
}

/// The document is not as it was read: somebody else's doing, or an earlier attempt of this very act?
async fn not_as_expected(api: &Api, write: &Write<'_>, refusal: &Refusal) -> Outcome {
    let (transport, what) = (&api.transport, write.document);
    let why = match (write.when, refusal.status.as_str()) {
        (Precondition::Absent, _) => "there is one of that name already",
        (Precondition::UnchangedSince(_), "NOT_FOUND") => "it is gone",
        (Precondition::UnchangedSince(_), _) => "it has changed since it was read",
    };
    let changed = || {
        let said = refusal.message.trim();
        Outcome::Changed(transport.text(format_args!("{what} not written: {why} ({said}); look again, and decide anew")))
    };
    if write.marks.is_some() {
        return match marked(api, write).await {
            Ok(true) => Outcome::Confirmed(answer(api, &format!("{what} already written"))),
            Ok(false) => changed(),
            Err(unread) => {
                Outcome::Unknown(transport.text(format_args!("{what}: {why}, and its mark could not be read: {unread}")))
            }
        };
    }
    if write.mark.attempt > 1 {
        return Outcome::Unknown(transport.text(format_args!("{what}: {why}, perhaps by an earlier attempt of this act")));
    }
    changed()
}

async fn marked(api: &Api, write: &Write<'_>) -> Result<bool, SourceError> {
    let Some(mark) = write.mark_of() else { return Ok(false) };
    find(api, &mark, &[]).await.map(|found| found.is_some()).map_err(|failure| failure.unread(&api.transport, &mark))
}

/// By the mark, which only this act's own commit can have written; without marks by the document itself.
pub(super) async fn look_up(api: &Api, write: &Write<'_>) -> Found {
    let what = write.document;
    if write.marks.is_some() {
        return match marked(api, write).await {
            Ok(true) => Found::Ours(answer(api, &format!("{what} written"))),
            Ok(false) => Found::Absent,
            Err(unread) => Found::CannotTell(Text::new(unread.to_string())),
        };
    }
    let paths: Vec<String> = write.changes.iter().map(|(path, _)| path.clone()).collect();
    let found = match find(api, what, &paths).await {
        Ok(found) => found,
        Err(failure) => return Found::CannotTell(Text::new(failure.unread(&api.transport, what).to_string())),
    };
    compared(api, write, found.as_ref())
}

fn compared(api: &Api, write: &Write<'_>, found: Option<&Json>) -> Found {
    let (transport, what) = (&api.transport, write.document);
    let Some(document) = found else {
        return match write.when {
            Precondition::Absent => Found::Absent,
            Precondition::UnchangedSince(_) => {
                Found::CannotTell(transport.text(format_args!("{what} is gone; whether it was written before, nothing tells")))
            }
        };
    };
    let changed_at = document.get("updateTime").and_then(Json::as_str).and_then(|at| at.parse::<DateTime<Utc>>().ok());
    if let (Precondition::UnchangedSince(moment), Some(changed_at)) = (write.when, changed_at)
        && changed_at == moment
    {
        return Found::Absent;
    }
    let root = api.root();
    let is_so = |(path, change): &(String, Change)| {
        let held = FieldPath::parse(path).ok().and_then(|path| field(document, &path).cloned());
        match change {
            Change::Set(value) => held.is_some_and(|held| same(&held, &encoded(value, &root))),
            Change::Remove => held.is_none(),
            Change::ServerTime => held.is_some(),
        }
    };
    if write.changes.iter().all(is_so) {
        return Found::Unlabelled(transport.text(format_args!(
            "{what} holds what was to be written, and nothing says by whom: the connection keeps no `marks`"
        )));
    }
    Found::CannotTell(transport.text(format_args!(
        "{what} has changed since it was read, and holds something else than was to be written; look at it yourself"
    )))
}

/// Moments are the same however many zeros end them.
fn same(held: &Json, meant: &Json) -> bool {
    super::cell::cell(held, "") == super::cell::cell(meant, "")
}

fn answer(api: &Api, said: &str) -> Answer {
    Answer { reference: None, request: None, said: api.transport.text(said) }
}
