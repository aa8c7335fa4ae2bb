//! Claims in the collection of marks: one commit that stands only if nobody has claimed the target since it was looked at.
//! Every claim on a target passes one document, its gate, so that each number, and each target that is in hand, is given once.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::{
    FirestoreSystem,
    api::Api,
    cell::cell,
    failure::{Failure, Refusal},
    look,
};
use crate::{
    adapters::transport::NoReply,
    domain::{
        claim::{Claim, Claims, Ending, Held},
        document::segments_of,
        pack::Query,
        plan::ActionId,
        rows::{Params, Rows},
        value::Value,
    },
    ports::{Claimed, Inside, Judge, Source as _, SourceError},
};

/// Targets in one question: Firestore takes no more.
const TARGETS: usize = 30;
/// Questions at once.
const QUESTIONS: usize = 3;
/// How often one looks again when others claim the same target at the same moment.
const TRIES: usize = 8;
/// A document that nobody makes.
const NOBODY: &str = "wheelhouse-rehearses";

/// The collection of marks, as far as it keeps claims.
#[derive(Clone, Copy)]
pub(super) struct Register<'a> {
    pub(super) api: &'a Api,
    pub(super) marks: &'a str,
}

/// A claim with the document that holds it.
struct Entry {
    held: Held,
    /// Its whole name.
    document: String,
    changed_at: String,
}

/// What a look at some claims brought.
struct Page {
    now: DateTime<Utc>,
    entries: Vec<Entry>,
}

impl Page {
    fn claims(&self) -> Claims {
        let mut held: Vec<Held> = self.entries.iter().map(|entry| entry.held.clone()).collect();
        held.sort_by_key(|held| held.epoch);
        Claims { now: self.now, held }
    }
}

impl Register<'_> {
    /// Every claim on these targets.
    pub(super) async fn claims(self, targets: &[String]) -> Result<Claims, SourceError> {
        self.on(targets).await.map(|page| page.claims())
    }

    async fn on(self, targets: &[String]) -> Result<Page, SourceError> {
        let among = |targets: &[String]| {
            let targets: Vec<Json> = targets.iter().map(|target| text(target)).collect();
            json!({ "fieldFilter": {
                "field": { "fieldPath": "target" }, "op": "IN", "value": { "arrayValue": { "values": targets } },
            } })
        };
        let mut filters: Vec<Json> = targets.chunks(TARGETS).map(among).collect();
        if filters.is_empty() {
            // Even of no target the moment is told.
            filters.push(is("target", ""));
        }
        let asked = filters.into_iter().map(|filter| self.find(vec![filter]));
        let pages: Vec<Page> = stream::iter(asked).buffered(QUESTIONS).try_collect().await?;
        let now = pages.iter().map(|page| page.now).min().unwrap_or_default();
        Ok(Page { now, entries: pages.into_iter().flat_map(|page| page.entries).collect() })
    }

    /// The acts of a record whose claims are open.
    pub(super) async fn open(self, journal: &str) -> Result<Vec<ActionId>, SourceError> {
        let is_open = json!({ "unaryFilter": { "op": "IS_NULL", "field": { "fieldPath": "ended_at" } } });
        let page = self.find(vec![is("journal", journal), is_open]).await?;
        Ok(page.entries.into_iter().map(|entry| entry.held.act).collect())
    }

    /// Claims under conditions that all hold; what is there beside them (marks, gates) is none.
    async fn find(self, mut filters: Vec<Json>) -> Result<Page, SourceError> {
        let odd = |what: &str| SourceError::Malformed(self.api.transport.text(format_args!("{}: {what}", self.marks)));
        let mut segments = segments_of(self.marks).map_err(|why| odd(&why))?;
        let collection = segments.pop().unwrap_or_default();
        let filter = match (filters.pop(), filters.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                filters.extend(last);
                json!({ "compositeFilter": { "op": "AND", "filters": filters } })
            }
        };
        let body = json!({ "structuredQuery": { "from": [{ "collectionId": collection }], "where": filter } });
        let asked = self.api.ask(&segments, "runQuery", &body).await;
        let (answer, _) = asked.map_err(|failure| failure.unread(&self.api.transport, self.marks))?;
        let parts = answer.as_array().ok_or_else(|| odd("no list of claims"))?;
        let told = parts.iter().find_map(|part| part.get("readTime")).and_then(Json::as_str);
        let now = told.and_then(|told| told.parse().ok()).ok_or_else(|| odd("an answer without its moment"))?;
        let documents = parts.iter().filter_map(|part| part.get("document"));
        let entries = documents.filter_map(|document| entry(document, now).transpose());
        let entries = entries.collect::<Result<_, _>>().map_err(|why| odd(&why))?;
        Ok(Page { now, entries })
    }

    /// The gate of a target, and when it was last passed; `None` before the first claim.
    async fn gate(self, target: &str) -> Result<Option<String>, SourceError> {
        let name = format!("{}/gate-{}", self.marks, hash(target));
        let found = look::find(self.api, &name, &[]).await.map_err(|failure| failure.unread(&self.api.transport, &name))?;
        let changed_at = |document: &Json| document.get("updateTime").and_then(Json::as_str).map(str::to_owned);
        let unnamed = || SourceError::Malformed(self.api.transport.text(format_args!("{name}: no moment of its last change")));
        found.map(|document| changed_at(&document).ok_or_else(unnamed)).transpose()
    }

    /// A document of the collection, by its whole name.
    fn whole(self, id: &str) -> String {
        format!("{}/{}/{id}", self.api.root(), self.marks)
    }

    /// The claim, and the passing of its gate as that was seen.
    fn taken(self, claim: &Claim, gate: Option<&str>) -> [Json; 2] {
        let hash = hash(&claim.target);
        let document = json!({
            "update": { "name": self.whole(&format!("claim-{hash}-{}", claim.epoch)), "fields": {
                "action_id": text(&claim.act.0),
                "target": text(&claim.target),
                "operator": text(&claim.operator),
                "epoch": { "integerValue": claim.epoch.to_string() },
                "action": text(&claim.action),
                "journal": text(&claim.journal),
                "ended_at": { "nullValue": null },
                "outcome": { "nullValue": null },
            } },
            "updateTransforms": [{ "fieldPath": "marked_at", "setToServerValue": "REQUEST_TIME" }],
            "currentDocument": { "exists": false },
        });
        let as_seen = gate.map_or_else(|| json!({ "exists": false }), |changed_at| json!({ "updateTime": changed_at }));
        let gate = json!({
            "update": { "name": self.whole(&format!("gate-{hash}")), "fields": { "gate_of": text(&claim.target) } },
            "updateMask": { "fieldPaths": ["gate_of"] },
            // Changes at every passing, however fast they come.
            "updateTransforms": [{ "fieldPath": "passed", "increment": { "integerValue": "1" } }],
            "currentDocument": as_seen,
        });
        [document, gate]
    }

    /// Says how the act of a claim ended; the moment stays that of the first time.
    pub(super) async fn release(self, act: &ActionId, journal: &str, ending: Ending) -> Result<(), SourceError> {
        for _ in 0..TRIES {
            let page = self.find(vec![is("action_id", &act.0), is("journal", journal)]).await?;
            let is_said = |entry: &&Entry| entry.held.ended == Some(ending);
            let writes: Vec<Json> =
                page.entries.iter().filter(|entry| !is_said(entry)).map(|entry| ended(entry, ending)).collect();
            if writes.is_empty() {
                return Ok(());
            }
            match self.api.act("commit", &json!({ "writes": writes })).await {
                Ok(_) => return Ok(()),
                Err(Failure::Refusal(refusal)) if is_overtaken(&refusal) => {}
                Err(failure) => return Err(failure.unread(&self.api.transport, self.marks)),
            }
        }
        Err(SourceError::Busy(self.api.transport.text(format_args!("{}: others write the same claim", self.marks))))
    }

    /// What keeps claims from being made and ended, if anything does. Its commit asks for a document that nobody makes, so
    /// nothing is ever written.
    pub(super) async fn unfit(self) -> Result<Option<String>, SourceError> {
        let unusable = |why: &dyn std::fmt::Display| {
            format!(
                "acts are not claimed in this database, so another operator could act at the same time: the collection of \
                 marks `{}` cannot be used ({why})",
                self.marks
            )
        };
        match self.on(&[]).await {
            Err(SourceError::Denied(why)) => return Ok(Some(unusable(&why))),
            looked => looked?,
        };
        let write = |id: &str, exists: bool| {
            json!({
                "update": { "name": self.whole(id), "fields": { "outcome": { "nullValue": null } } },
                "updateMask": { "fieldPaths": ["outcome"] },
                "currentDocument": { "exists": exists },
            })
        };
        let writes = json!({ "writes": [write(NOBODY, true), write(&format!("{NOBODY}-first"), false)] });
        match self.api.act("commit", &writes).await {
            Err(Failure::Refusal(refusal)) if refusal.is("PERMISSION_DENIED") => Ok(Some(unusable(&refusal.said()))),
            Err(Failure::Refusal(refusal)) if is_overtaken(&refusal) => Ok(None),
            // It cannot be, and then it may.
            Ok(_) => Ok(None),
            Err(failure) => Err(failure.unread(&self.api.transport, self.marks)),
        }
    }
}

fn text(text: &str) -> Json {
    json!({ "stringValue": text })
}

fn is(field: &str, expected: &str) -> Json {
    json!({ "fieldFilter": { "field": { "fieldPath": field }, "op": "EQUAL", "value": text(expected) } })
}

/// A target's name has what no document's may, and is as long as it likes.
fn hash(target: &str) -> String {
    hex::encode(Sha256::digest(target.as_bytes()))
}

/// `None` for a document that is no claim.
fn entry(document: &Json, now: DateTime<Utc>) -> Result<Option<Entry>, String> {
    let fields: HashMap<&str, Value> = document
        .get("fields")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), cell(value, "")))
        .collect();
    let Some(epoch) = fields.get("epoch") else { return Ok(None) };
    let Value::Integer(epoch) = epoch else { return Err("a claim without a number".to_owned()) };
    let word = |name: &str| document.get(name).and_then(Json::as_str).map(str::to_owned).ok_or("a claim without a name");
    let text = |name: &str| fields.get(name).map(Value::original).unwrap_or_default();
    let is_ended = fields.get("ended_at").is_some_and(|ended| !ended.is_null());
    let held = Held {
        act: ActionId(text("action_id")),
        target: text("target"),
        epoch: u32::try_from(*epoch).map_err(|_| "a claim with a number out of range")?,
        action: text("action"),
        operator: text("operator"),
        journal: text("journal"),
        since: fields.get("marked_at").and_then(Value::time).unwrap_or(now),
        ended: is_ended.then(|| Ending::of_word(&text("outcome"))),
    };
    Ok(Some(Entry { held, document: word("name")?, changed_at: word("updateTime")? }))
}

/// The write that ends a claim, as it was seen.
fn ended(entry: &Entry, ending: Ending) -> Json {
    let mut write = json!({
        "update": { "name": entry.document, "fields": { "outcome": text(ending.word()) } },
        "updateMask": { "fieldPaths": ["outcome"] },
        "currentDocument": { "updateTime": entry.changed_at },
    });
    if entry.held.ended.is_none() {
        write["updateTransforms"] = json!([{ "fieldPath": "ended_at", "setToServerValue": "REQUEST_TIME" }]);
    }
    write
}

/// Somebody else wrote meanwhile; nothing of ours was.
fn is_overtaken(refusal: &Refusal) -> bool {
    ["FAILED_PRECONDITION", "ALREADY_EXISTS", "ABORTED"].iter().any(|status| refusal.is(status))
        || (refusal.is("NOT_FOUND") && refusal.message.contains("/documents/"))
}

/// One claim, on its way.
pub(super) struct Contest<'a> {
    pub(super) system: &'a FirestoreSystem,
    pub(super) register: Register<'a>,
    pub(super) claim: &'a Claim,
    pub(super) settled: &'a [(ActionId, Ending)],
    pub(super) judge: &'a mut dyn Judge,
}

impl Contest<'_> {
    /// Looks, judges and commits; where somebody claimed the target in between, all of it once more.
    pub(super) async fn run(&mut self) -> Claimed {
        for _ in 0..TRIES {
            match self.attempt().await {
                Ok(Some(claimed)) => return claimed,
                Ok(None) => {}
                Err(error) => return unclaimed(error),
            }
        }
        let said = format!("{}: others claim the same item again and again", self.register.marks);
        Claimed::Unanswered(self.register.api.transport.text(said))
    }

    /// `None` where somebody else was quicker, and it must be looked who.
    async fn attempt(&mut self) -> Result<Option<Claimed>, SourceError> {
        let Self { system, register, claim, settled, judge } = self;
        // The gate first: a claim that comes between the two looks has changed it.
        let targets = std::slice::from_ref(&claim.target);
        let look = async { Ok((register.gate(&claim.target).await?, register.on(targets).await?)) };
        let (gate, mut page) = system.within(look).await?;
        let mut writes = Vec::new();
        let mut stands = false;
        let seen = page.claims();
        for entry in page.entries.iter_mut().filter(|entry| entry.held.ended.is_none()) {
            if entry.held.journal != claim.journal {
                return Ok(Some(Claimed::Lost(seen)));
            }
            if entry.held.act == claim.act {
                stands = true;
                continue;
            }
            let known = settled.iter().find(|(act, _)| *act == entry.held.act).map(|(_, ending)| *ending);
            let ending = known.unwrap_or(Ending::Partly);
            writes.push(ended(entry, ending));
            entry.held.ended = Some(ending);
        }
        if !stands && page.entries.iter().any(|entry| entry.held.epoch == claim.epoch) {
            return Ok(Some(Claimed::Lost(seen)));
        }
        let mut claims = page.claims();
        if !stands {
            writes.extend(register.taken(claim, gate.as_deref()));
            claims.held.push(held(claim, claims.now));
            claims.held.sort_by_key(|held| held.epoch);
        }
        if !judge.permits(&mut Within { system, claims }).await {
            return Ok(Some(Claimed::Forbidden));
        }
        if writes.is_empty() {
            return Ok(Some(Claimed::Granted));
        }
        let Api { transport, .. } = register.api;
        match register.api.act("commit", &json!({ "writes": writes })).await {
            Ok((answer, _)) if answer.get("commitTime").is_some() => Ok(Some(Claimed::Granted)),
            Ok((_, reply)) => {
                let said = format!("answered {} without a commit: {}", reply.status, reply.excerpt());
                Ok(Some(Claimed::Unanswered(transport.text(said))))
            }
            Err(Failure::Refusal(refusal)) if is_overtaken(&refusal) => Ok(None),
            // These come before anything is sent.
            Err(Failure::NoToken(why) | Failure::NoReply(NoReply::Distrusted(why))) => {
                Ok(Some(Claimed::Refused(transport.text(why))))
            }
            // Whether something between us and the database, or the database itself, spoke: nobody knows what became of it.
            Err(failure @ Failure::Odd { .. }) => {
                Ok(Some(Claimed::Unanswered(transport.text(failure.unread(transport, register.marks)))))
            }
            Err(failure) => Err(failure.unread(transport, register.marks)),
        }
    }
}

/// Only what the database itself refuses is refused for good.
fn unclaimed(error: SourceError) -> Claimed {
    match error {
        SourceError::Refused(why) | SourceError::Denied(why) => Claimed::Refused(why),
        SourceError::Unreachable(why) | SourceError::Busy(why) | SourceError::Malformed(why) => Claimed::Unanswered(why),
        error @ SourceError::TimedOut(_) => Claimed::Unanswered(crate::domain::text::Text::new(error.to_string())),
    }
}

/// The claim as it will stand.
fn held(claim: &Claim, now: DateTime<Utc>) -> Held {
    Held {
        act: claim.act.clone(),
        target: claim.target.clone(),
        epoch: claim.epoch,
        action: claim.action.clone(),
        operator: claim.operator.clone(),
        journal: claim.journal.clone(),
        since: now,
        ended: None,
    }
}

struct Within<'a> {
    system: &'a FirestoreSystem,
    claims: Claims,
}

#[async_trait]
impl Inside for Within<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.claims.now
    }

    fn held(&self) -> &[Held] {
        &self.claims.held
    }

    async fn read(&mut self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        self.system.read(query, params).await
    }
}
