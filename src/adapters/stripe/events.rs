//! Sending an event once more: by Stripe to one of its endpoints, or by ourselves to the business's handler.
//!
//! Never leads to a second deed: whoever takes events knows each by its id, as Stripe asks of them
//! (<https://docs.stripe.com/webhooks#handle-duplicate-events>).

use std::collections::BTreeMap;

use serde_json::Value as Json;
use stripe_client_core::{IdempotencyKey, RequestBuilder, RequestStrategy, StripeMethod, StripeRequest as _};

use super::{
    answer::{AGAIN, Judged, Refusal, judge},
    api::Api,
    client::{self, Reading},
    signed_post::Handler,
};
use crate::{
    adapters::transport::NoReply,
    domain::text::Text,
    ports::{Answer, Found, Mark, Outcome, Ownership, SourceError},
};

/// Asks Stripe to send it to one of its endpoints. What its own command line tool asks; the reference does not tell of it.
pub(super) async fn resend(api: &Api, event: &str, endpoint: &str, mark: &Mark) -> Outcome {
    let what = format!("{event} to {endpoint}");
    let path = match path(api, event, "/retry").await {
        Ok(path) => path,
        Err(outcome) => return outcome,
    };
    let key = match IdempotencyKey::new(mark.key()) {
        Ok(key) => RequestStrategy::Idempotent(key),
        Err(why) => return Outcome::Rejected(api.transport.text(format_args!("{what} not sent: {why}"))),
    };
    let request = RequestBuilder::new(StripeMethod::Post, path).form(&BTreeMap::from([("webhook_endpoint", endpoint)]));
    match judge(&api.transport, &what, client::ask(api, request, key).await) {
        Judged::Outcome(outcome) => outcome,
        Judged::AlreadyRefunded(said) => Outcome::Rejected(api.transport.text(format_args!("{what} refused: {said}"))),
    }
}

/// Whether Stripe still has it to deliver. It does not tell to which of its endpoints.
pub(super) async fn look_up(api: &Api, event: &str) -> Found {
    let limit = api.transport.timeout;
    let path = format!("/events/{event}");
    let reading = Reading::of(path);
    let asked = tokio::time::timeout(limit, api.get(&reading)).await;
    let found = match asked {
        Ok(Ok(found)) => found,
        Ok(Err(unread)) => return Found::CannotTell(Text::new(api.unread(event, &unread).to_string())),
        Err(_) => return Found::CannotTell(api.transport.text(format_args!("{event}: {}", SourceError::TimedOut(limit)))),
    };
    match found.get("pending_webhooks").and_then(Json::as_i64) {
        Some(0) => {
            let said = api.transport.text(format_args!("{event}: nothing of it waits to be delivered"));
            Found::Ours(Answer { reference: Some(event.to_owned()), request: None, said })
        }
        Some(_) => Found::Absent,
        None => Found::CannotTell(api.transport.text(format_args!("{event}: no word of what waits to be delivered"))),
    }
}

/// Fetches it, byte for byte as Stripe keeps it, and posts it to the handler.
pub(super) async fn deliver(api: &Api, event: &str, handler: &Handler) -> Outcome {
    let path = match path(api, event, "").await {
        Ok(path) => path,
        Err(outcome) => return outcome,
    };
    let again =
        |why: String| Outcome::Again { after: AGAIN, why: api.transport.text(format_args!("{event} not fetched: {why}")) };
    let reply = match client::ask(api, Reading::of(path).build(), RequestStrategy::Once).await {
        Ok(reply) => reply,
        Err(NoReply::NotSent(why) | NoReply::Spared(why) | NoReply::Lost(why)) => return again(why),
        Err(NoReply::Distrusted(why)) => {
            return Outcome::Rejected(api.transport.text(format_args!("{event} not fetched: {why}")));
        }
        Err(NoReply::TimedOut { .. }) => return again(SourceError::TimedOut(api.transport.timeout).to_string()),
    };
    if !reply.is_success() {
        let refusal = Refusal::of(&reply);
        let rejected = |words: String| Outcome::Rejected(api.transport.text(words));
        return match refusal.status {
            404 => rejected(format!("{event} is gone: Stripe keeps events for 30 days: {}", refusal.said())),
            429 | 500.. => {
                let why = api.transport.text(format_args!("{event} not fetched: {}", refusal.said()));
                Outcome::Again { after: refusal.wait(), why }
            }
            _ => rejected(format!("{event} not fetched: {}", refusal.said())),
        };
    }
    let is_it = reply.json().is_some_and(|json| json.get("id").and_then(Json::as_str) == Some(event));
    match (&reply.cut, is_it) {
        (None, true) => handler.post(event, &reply.body).await,
        (Some(cut), _) => again(cut.clone()),
        (None, false) => again(format!("another answer than the event: {}", reply.excerpt())),
    }
}

/// The event's path, where its id is one and the account is the pack's own.
async fn path(api: &Api, event: &str, rest: &str) -> Result<String, Outcome> {
    if event.is_empty() || !event.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Outcome::Rejected(api.transport.text(format_args!("`{event}` is no event of Stripe's"))));
    }
    match api.ownership().await {
        Ownership::Own => Ok(format!("/events/{event}{rest}")),
        Ownership::Another(why) | Ownership::OtherMode(why) => {
            Err(Outcome::Rejected(Text::new(format!("{event} not sent: {}", why.original()))))
        }
        Ownership::Unasked(why) => {
            Err(Outcome::Again { after: AGAIN, why: Text::new(format!("{event} not sent: {}", why.original())) })
        }
    }
}
