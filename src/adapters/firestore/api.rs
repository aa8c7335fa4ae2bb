//! Requests as Firestore wants them: the database's name, a token or the emulator's word for one, and answers told apart
//! from refusals.

use std::{fmt, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::{Client, Url};
use serde_json::Value as Json;

use super::{
    failure::{Failure, Refusal},
    token::Tokens,
};
use crate::adapters::{
    scrub::Scrubber,
    transport::{Reply, Transport},
};

pub(super) const GOOGLE: &str = "https://firestore.googleapis.com/";
/// What an emulator takes for a token that may do everything.
const OWNER: &str = "owner";
/// To read and to write documents, and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/datastore";

pub(super) struct Api {
    pub(super) transport: Transport,
    pub(super) base: Url,
    /// Where Google tells what credentials may do.
    pub(super) permissions: Url,
    pub(super) project: String,
    pub(super) database: String,
    pub(super) access: Access,
}

pub(super) enum Access {
    /// Its host and port, as the environment says them.
    Emulator(String),
    Google(Tokens),
}

impl Api {
    /// The name of the database's root, below which every document's is.
    pub(super) fn root(&self) -> String {
        format!("projects/{}/databases/{}/documents", self.project, self.database)
    }

    /// `below` are the ids of a parent document, `verb` such as `runQuery`.
    fn address(&self, below: &[String], verb: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v1", "projects", &self.project, "databases", &self.database]);
            let (last, parents) = match below.split_last() {
                Some((last, parents)) => (last.as_str(), parents),
                None => ("documents", &[][..]),
            };
            if !below.is_empty() {
                path.push("documents").extend(parents);
            }
            path.push(&format!("{last}:{verb}"));
        }
        url
    }

    /// Asks a question; a line that breaks and a busy service are asked again.
    pub(super) async fn ask(&self, below: &[String], verb: &str, body: &Json) -> Result<(Json, Reply), Failure> {
        let once = || self.post(&self.transport.client, below, verb, body);
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(2).with_jitter();
        once.retry(waits).when(Failure::may_pass).await
    }

    /// Sends once, by a line of its own.
    pub(super) async fn act(&self, verb: &str, body: &Json) -> Result<(Json, Reply), Failure> {
        self.post(&self.transport.fresh, &[], verb, body).await
    }

    async fn post(&self, client: &Client, below: &[String], verb: &str, body: &Json) -> Result<(Json, Reply), Failure> {
        self.send(client.post(self.address(below, verb)).json(body), SCOPE).await
    }

    pub(super) async fn send(&self, request: reqwest::RequestBuilder, scope: &'static str) -> Result<(Json, Reply), Failure> {
        let (request, scrub) = match &self.access {
            Access::Emulator(_) => (request.bearer_auth(OWNER), self.transport.scrub.clone()),
            Access::Google(tokens) => {
                let token = tokens.bearer(scope).await.map_err(Failure::NoToken)?;
                let mut scrub = self.transport.scrub.clone();
                scrub.hide(token.as_str());
                (request.bearer_auth(token.as_str()), scrub)
            }
        };
        let reply = self.transport.send_hiding(request, &scrub).await.map_err(Failure::NoReply)?;
        understood(reply)
    }
}

/// The answer's JSON, or why it is none.
fn understood(reply: Reply) -> Result<(Json, Reply), Failure> {
    let reply = reply.without_echoes();
    let json = reply.json();
    if let Some(refusal) = json.as_ref().and_then(|json| Refusal::of(&reply, json)) {
        return Err(Failure::Refusal(refusal));
    }
    let status = reply.status;
    match (json, &reply.cut) {
        (_, Some(why)) if reply.is_success() && why.contains("bigger") => Err(Failure::TooBig(why.clone())),
        (_, Some(why)) => Err(Failure::Odd { status, why: why.clone() }),
        (Some(json), None) if reply.is_success() => Ok((json, reply)),
        (None, None) if reply.is_success() => Err(Failure::Odd { status, why: format!("not JSON: {}", reply.excerpt()) }),
        (_, None) => {
            let excerpt = reply.excerpt();
            let moved = (300..400).contains(&status).then(|| reply.named("location")).flatten();
            let place = moved.map_or_else(String::new, |place| format!("moved to {place} "));
            let why = format!("{place}{excerpt}").trim().to_owned();
            Err(Failure::Odd { status, why: if why.is_empty() { "no reason given".to_owned() } else { why } })
        }
    }
}

/// Hides what is secret in a service account's key.
pub(super) fn hidden(key: &str) -> Scrubber {
    let mut scrub = Scrubber::default();
    scrub.hide(key);
    let json: Option<Json> = serde_json::from_str(key).ok();
    if let Some(private) = json.as_ref().and_then(|json| json.get("private_key")).and_then(Json::as_str) {
        scrub.hide(private);
        private.lines().filter(|line| !line.starts_with("-----")).for_each(|line| scrub.hide(line));
    }
    if let Some(id) = json.as_ref().and_then(|json| json.get("private_key_id")).and_then(Json::as_str) {
        scrub.hide(id);
    }
    scrub
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("transport", &self.transport).field("project", &self.project).finish_non_exhaustive()
    }
}
