//! Stripe, as far as a cockpit talks to it: lists, single objects, the account, and refunds, disputes and subscriptions
//! with idempotency as Stripe does it (<https://docs.stripe.com/api>, versions of 2025).

mod answer;
mod billing;
mod disputes;
mod idempotency;
mod lists;
mod objects;
mod refunds;
mod webhooks;
mod writes;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Extension, State},
    http::{HeaderMap, Method, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use self::answer::{Answer, Refusal};
use super::{declaration::StripeTown, form, stand_in::Trouble, switchboard::Switchboard};

pub(super) struct Stripe {
    declared: StripeTown,
    board: Switchboard,
    in_flight: idempotency::InFlight,
}

impl Stripe {
    pub fn new(declared: StripeTown, board: Switchboard) -> Self {
        Self { declared, board, in_flight: idempotency::InFlight::default() }
    }

    /// Seconds since 1970, by the town's clock.
    fn now(&self) -> i64 {
        self.board.clock.now().timestamp()
    }
}

pub(super) fn router(stripe: Stripe) -> Router {
    Router::new().fallback(take).with_state(Arc::new(stripe))
}

/// One request, read.
struct Asked {
    method: Method,
    path: String,
    /// Of the query for reads, of the form for writes.
    params: Vec<(String, String)>,
    key: Option<String>,
    trouble: Option<Trouble>,
}

async fn take(
    State(stripe): State<Arc<Stripe>>,
    trouble: Option<Extension<Trouble>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let encoded = if method == Method::GET || method == Method::DELETE && body.is_empty() {
        uri.query().unwrap_or_default().to_owned()
    } else {
        text(&body)
    };
    let asked = Asked {
        path: uri.path().trim_end_matches('/').to_owned(),
        params: form::pairs(&encoded),
        key: headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned),
        trouble: trouble.map(|Extension(trouble)| trouble),
        method,
    };
    let answer = match admit(&stripe, &headers).and_then(|lacks| permit(&stripe, &asked, lacks)) {
        Ok(()) => route(&stripe, &asked).await,
        Err(refusal) => refusal.into(),
    };
    answer.into_response()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The rights that the caller's key lacks, where it is one of the account's.
fn admit<'a>(stripe: &'a Stripe, headers: &HeaderMap) -> Result<&'a [String], Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let narrow = stripe.declared.narrow.as_ref();
    match given.and_then(|given| given.strip_prefix("Bearer ")) {
        Some(key) if key == stripe.declared.key => Ok(&[]),
        Some(key) if let Some(narrow) = narrow.filter(|narrow| narrow.key == key) => Ok(&narrow.lacks),
        Some(key) => Err(Refusal::denied(&format!("Invalid API Key provided: {}", hidden(key)))),
        None => Err(Refusal::denied(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )),
    }
}

/// A right for each kind of object: to read it, or to write it, which is to read it as well.
fn permit(stripe: &Stripe, asked: &Asked, lacks: &[String]) -> Result<(), Refusal> {
    let list = asked.path.trim_start_matches("/v1/").split('/').next().unwrap_or_default();
    let kind = match list {
        "webhook_endpoints" => "webhook",
        _ => list.strip_suffix('s').unwrap_or(list),
    };
    let needed = format!("rak_{kind}_{}", if asked.method == Method::GET { "read" } else { "write" });
    if !lacks.contains(&needed) {
        return Ok(());
    }
    let message = format!(
        "The provided key does not have the required permissions for this endpoint on account '{}'. Having the '{needed}' permission would allow this request to continue.",
        stripe.declared.account,
    );
    Err(Refusal { status: 403, ..Refusal::invalid(message) })
}

/// As Stripe repeats a key: the first letters and the last four.
fn hidden(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    let count = characters.len();
    characters
        .iter()
        .enumerate()
        .map(|(at, character)| if at < 8.min(count / 2) || at + 4 >= count { *character } else { '*' })
        .collect()
}

async fn route(stripe: &Stripe, asked: &Asked) -> Answer {
    let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    let read = asked.method == Method::GET;
    match parts.as_slice() {
        ["v1", "account"] if read => Answer::ok(&objects::account(stripe)),
        ["v1", "webhook_endpoints"] if read => webhooks::all(stripe, &asked.params).into(),
        ["v1", "webhook_endpoints", id] if read => webhooks::one(stripe, id).into(),
        ["v1", list] if read && lists::find(list).is_some() => lists::list(stripe, list, &asked.params).await,
        ["v1", list, id] if read && lists::find(list).is_some() => lists::one(stripe, list, id, &asked.params).await,
        ["v1", "charges", charge, "refunds"] if read => {
            let mut params = asked.params.clone();
            params.push(("charge".to_owned(), (*charge).to_owned()));
            lists::list(stripe, "refunds", &params).await
        }
        parts if writes::is_one(&asked.method, parts) => idempotency::once(stripe, asked).await,
        _ => Refusal::not_found(&format!(
            "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
            asked.method, asked.path
        ))
        .into(),
    }
}

/// An empty list, for the places where Stripe embeds one.
fn empty_list(url: &str) -> serde_json::Value {
    json!({ "object": "list", "data": [], "has_more": false, "url": url })
}
