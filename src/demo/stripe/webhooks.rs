//! Webhook endpoints, and sending an event to one of them once more: signed, as Stripe does it, after the answer.

use std::time::Duration;

use chrono::Utc;
use serde_json::{Value as Json, json};

use super::{Asked, Stripe, answer::Refusal, lists, objects};
use crate::{
    demo::{declaration::WebhookEndpoint, script::Values, switchboard::Switchboard},
    domain::signature,
};

/// So long Stripe waits for a handler.
const PATIENCE: Duration = Duration::from_secs(10);

/// A page of them, in the order in which they are declared.
pub(super) fn all(stripe: &Stripe, params: &[(String, String)]) -> Result<Json, Refusal> {
    let known = |name: &str| matches!(name, "limit" | "starting_after" | "ending_before") || name.starts_with("expand[");
    if let Some((name, _)) = params.iter().find(|(name, _)| !known(name)) {
        return Err(Refusal::of_param("parameter_unknown", name, format!("Received unknown parameter: {name}")));
    }
    let find = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let limit = lists::limit(find("limit"))?;
    let endpoints = &stripe.declared.webhook_endpoints;
    let place = |name: &str| {
        let Some(id) = find(name) else { return Ok(None) };
        let found = endpoints.iter().position(|endpoint| endpoint.id == id);
        found.map(Some).ok_or_else(|| Refusal::missing(400, "webhook_endpoint", id, name))
    };
    let (from, to, has_more) = match (place("starting_after")?, place("ending_before")?) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("You cannot specify both starting_after and ending_before."));
        }
        (None, Some(before)) => (before.saturating_sub(limit), before, before > limit),
        (after, None) => {
            let from = after.map_or(0, |after| after + 1);
            (from, from + limit, endpoints.len() > from + limit)
        }
    };
    let page = endpoints.iter().skip(from).take(to - from);
    let data: Vec<Json> = page.map(|endpoint| object(stripe, endpoint)).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": "/v1/webhook_endpoints" }))
}

pub(super) fn one(stripe: &Stripe, id: &str) -> Result<Json, Refusal> {
    find(stripe, id).map(|endpoint| object(stripe, endpoint))
}

fn find<'a>(stripe: &'a Stripe, id: &str) -> Result<&'a WebhookEndpoint, Refusal> {
    let found = stripe.declared.webhook_endpoints.iter().find(|endpoint| endpoint.id == id);
    found.ok_or_else(|| Refusal::missing(404, "webhook_endpoint", id, "webhook_endpoint"))
}

fn object(stripe: &Stripe, endpoint: &WebhookEndpoint) -> Json {
    json!({
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "api_version": null,
        "application": null,
        "created": stripe.now() - 400 * 86_400,
        "description": endpoint.description,
        "enabled_events": endpoint.enabled_events,
        "livemode": stripe.declared.livemode,
        "metadata": {},
        "status": endpoint.status,
        "url": endpoint.url
    })
}

/// The event of a request that asks to send it once more.
pub(super) fn retried(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/events/")?.strip_suffix("/retry")
}

/// Answers with the event; the sending goes on by itself.
pub(super) async fn retry(stripe: &Stripe, asked: &Asked, event: &str) -> Result<Json, Refusal> {
    let mut endpoint = None;
    for (name, value) in &asked.params {
        match name.as_str() {
            "webhook_endpoint" => endpoint = Some(value),
            _ if name.starts_with("expand[") => {}
            _ => return Err(Refusal::of_param("parameter_unknown", name, format!("Received unknown parameter: {name}"))),
        }
    }
    let endpoint = endpoint
        .ok_or_else(|| Refusal::of_param("parameter_missing", "webhook_endpoint", "Missing required param: webhook_endpoint."))?;
    let endpoint = find(stripe, endpoint)?.clone();
    let listing = lists::find("events").ok_or_else(|| Refusal::not_found("Unrecognized request URL"))?;
    let row = lists::row(stripe, listing, event).await?;
    let row = row.ok_or_else(|| Refusal::missing(404, "event", event, "id"))?;
    let object = objects::event(stripe, &row);
    let kind = object.get("type").and_then(Json::as_str).unwrap_or_default();
    if !endpoint.enabled_events.iter().any(|known| known == "*" || known == kind) {
        return Err(Refusal::invalid(format!("{} is not subscribed to events of type {kind}.", endpoint.id)));
    }
    tokio::spawn(send(stripe.board.clone(), endpoint, object.clone()));
    Ok(object)
}

/// One attempt; what any 2xx answers is delivered.
async fn send(board: Switchboard, endpoint: WebhookEndpoint, event: Json) {
    // Harmless where it is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let Ok(client) = client else { return };
    let body = serde_json::to_string_pretty(&event).unwrap_or_default();
    let request = client
        .post(&endpoint.url)
        .header("content-type", "application/json; charset=utf-8")
        .header(signature::HEADER, signature::sign(&endpoint.secret, Utc::now(), body.as_bytes()))
        .body(body);
    let is_taken = request.send().await.is_ok_and(|answer| answer.status().is_success());
    if is_taken {
        let id = event.get("id").cloned().unwrap_or_default();
        // The town may be ending: then nobody asks any more.
        let _ = board.run("update events set delivered = 1 where id = :id", &Values::from([("id".into(), id)])).await;
    }
}
