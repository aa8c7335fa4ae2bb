//! Events that were not delivered, one row for each endpoint that each was meant for, with what time is left.
//!
//! Stripe tells how many endpoints an event still waits for, and not which: a row stands for each that was there when
//! the event came to be and takes its type.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

use super::{api::Api, list::all};
use crate::{
    domain::{
        pack::StripeRead,
        rows::{Params, Rows},
        value::Value,
    },
    ports::{PageCame, SourceError},
};

/// So long Stripe itself goes on trying, in live mode (<https://docs.stripe.com/webhooks#behaviors>).
const RETRIES: TimeDelta = TimeDelta::days(3);
/// So long the dashboard's button sends it again.
const DASHBOARD: TimeDelta = TimeDelta::days(15);
/// So long it can be read, and sent again by a request.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Stripe counts as undelivered also what it is about to deliver for the first time.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(1);

pub(super) const COLUMNS: [&str; 14] = [
    "id",
    "delivery",
    "type",
    "created",
    "about",
    "pending_webhooks",
    "livemode",
    "endpoint",
    "endpoint_url",
    "endpoint_status",
    "retries_until",
    "dashboard_until",
    "gone_at",
    "api_version",
];

/// One of the account's endpoints.
struct Endpoint {
    id: String,
    url: String,
    status: String,
    created: Option<i64>,
    /// What it takes; `None` where that is not told.
    types: Option<Vec<String>>,
}

impl Endpoint {
    fn of(json: &Json) -> Self {
        let word = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let types = json.get("enabled_events").and_then(Json::as_array);
        let named = |types: &Vec<Json>| types.iter().map(|known| known.as_str().map(ToOwned::to_owned)).collect();
        Self {
            id: word("id"),
            url: word("url"),
            status: word("status"),
            created: json.get("created").and_then(Json::as_i64),
            types: types.and_then(named),
        }
    }

    /// An endpoint that was made later was never told. Whatever is not known counts as meant: an event left out would look
    /// delivered.
    fn was_meant(&self, kind: Option<&str>, created: Option<i64>) -> bool {
        let was_there = self.created.zip(created).is_none_or(|(made, created)| made <= created);
        let takes = |(types, kind): (&Vec<String>, &str)| types.iter().any(|known| known == "*" || known == kind);
        was_there && self.types.as_ref().zip(kind).is_none_or(takes)
    }
}

/// Oldest first, as they would have come.
pub(super) async fn read(
    api: &Api,
    read: &StripeRead,
    params: &Params,
    mut filters: Vec<(String, String)>,
    limit: Duration,
    came: &PageCame<'_>,
) -> Result<Rows, SourceError> {
    let what = read.list.word();
    let refused = |why: String| SourceError::Refused(api.transport.text(format_args!("{what}: {why}")));
    let wanted = read.endpoint.as_ref().map(|endpoint| endpoint.render(params)).transpose().map_err(refused)?;
    let now = params.get("now").and_then(Value::time).unwrap_or_else(Utc::now);
    if !filters.iter().any(|(name, _)| name.starts_with("created[")) {
        filters.push(("created[gte]".to_owned(), (now - KEPT).timestamp().to_string()));
    }
    filters.push(("delivery_success".to_owned(), "false".to_owned()));
    let events = all(api, "events", filters, read.at_most, limit, came).await?;
    let mut endpoints: Vec<Endpoint> =
        all(api, "webhook_endpoints", Vec::new(), None::<usize>, limit, came).await?.iter().map(Endpoint::of).collect();
    if let Some(wanted) = &wanted {
        let known: Vec<String> = endpoints.iter().map(|endpoint| format!("{} ({})", endpoint.id, endpoint.url)).collect();
        endpoints.retain(|endpoint| endpoint.id == *wanted || endpoint.url == *wanted);
        if endpoints.is_empty() {
            let known = if known.is_empty() { "none at all".to_owned() } else { known.join(", ") };
            return Err(refused(format!("the account has no endpoint `{wanted}`; it has {known}")));
        }
    }
    let mut rows = Vec::new();
    for event in events.iter().rev() {
        let kind = event.get("type").and_then(Json::as_str);
        let created = event.get("created").and_then(Json::as_i64);
        if created.is_some_and(|created| created > (now - ON_ITS_WAY).timestamp()) {
            continue;
        }
        let mut is_meant = false;
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.was_meant(kind, created)) {
            is_meant = true;
            rows.push(row(event, Some(endpoint)));
        }
        // Whoever it was meant for is there no more: it waits all the same.
        if !is_meant && wanted.is_none() {
            rows.push(row(event, None));
        }
    }
    Ok(Rows::new(COLUMNS.map(ToOwned::to_owned), rows))
}

fn row(event: &Json, endpoint: Option<&Endpoint>) -> Vec<Value> {
    let word = |name: &str| event.get(name).and_then(Json::as_str).map_or(Value::Null, Value::text);
    let id = event.get("id").and_then(Json::as_str).unwrap_or_default();
    let delivery = endpoint.map_or_else(|| id.to_owned(), |endpoint| format!("{id}/{}", endpoint.id));
    let created = event.get("created").and_then(Json::as_i64).and_then(|at| DateTime::from_timestamp(at, 0));
    let livemode = event.get("livemode").and_then(Json::as_bool);
    let until = |span: TimeDelta| created.map_or(Value::Null, |created| Value::Time(created + span));
    let of = |field: fn(&Endpoint) -> &str| endpoint.map(field).filter(|said| !said.is_empty()).map_or(Value::Null, Value::text);
    COLUMNS
        .iter()
        .map(|column| match *column {
            "delivery" => Value::text(delivery.as_str()),
            "created" => created.map_or(Value::Null, Value::Time),
            "about" => event.pointer("/data/object/id").and_then(Json::as_str).map_or(Value::Null, Value::text),
            "pending_webhooks" => event.get("pending_webhooks").and_then(Json::as_i64).map_or(Value::Null, Value::Integer),
            "livemode" => livemode.map_or(Value::Null, Value::Bool),
            "endpoint" => of(|endpoint| &endpoint.id),
            "endpoint_url" => of(|endpoint| &endpoint.url),
            "endpoint_status" => of(|endpoint| &endpoint.status),
            // Test events are tried three times within a few hours: no moment is told for those.
            "retries_until" if livemode == Some(false) => Value::Null,
            "retries_until" => until(RETRIES),
            "dashboard_until" => until(DASHBOARD),
            "gone_at" => until(KEPT),
            name => word(name),
        })
        .collect()
}
