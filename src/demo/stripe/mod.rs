//! Stripe, as far as a cockpit talks to it: lists, single objects, the account, and refunds with idempotency as Stripe
//! does it (<https://docs.stripe.com/api>, versions of 2025).

mod answer;
mod idempotency;
mod lists;
mod objects;
mod refunds;
mod webhooks;

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
    let encoded = if method == Method::GET { uri.query().unwrap_or_default().to_owned() } else { text(&body) };
    let asked = Asked {
        path: uri.path().trim_end_matches('/').to_owned(),
        params: form::pairs(&encoded),
        key: headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned),
        trouble: trouble.map(|Extension(trouble)| trouble),
        method,
    };
    let answer = match admit(&stripe, &headers) {
        Ok(()) => route(&stripe, &asked).await,
        Err(refusal) => refusal.into(),
    };
    answer.into_response()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn admit(stripe: &Stripe, headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|given| given.strip_prefix("Bearer ")) {
        Some(key) if key == stripe.declared.key => Ok(()),
        Some(key) => Err(Refusal::denied(&format!("Invalid API Key provided: {}", hidden(key)))),
        None => Err(Refusal::denied(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )),
    }
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
        ["v1", "webhook_endpoints"] if read => Answer::ok(&webhooks::all(stripe)),
        ["v1", "webhook_endpoints", id] if read => webhooks::one(stripe, id).into(),
        ["v1", list] if read && lists::find(list).is_some() => lists::list(stripe, list, &asked.params).await,
        ["v1", list, id] if read && lists::find(list).is_some() => lists::one(stripe, list, id, &asked.params).await,
        ["v1", "charges", charge, "refunds"] if read => {
            let mut params = asked.params.clone();
            params.push(("charge".to_owned(), (*charge).to_owned()));
            lists::list(stripe, "refunds", &params).await
        }
        ["v1", "refunds"] | ["v1", "refunds", _] | ["v1", "events", _, "retry"] if asked.method == Method::POST => idempotency::once(stripe, asked).await,
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
