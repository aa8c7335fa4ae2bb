//! One customer's charges, refunds, disputes, subscriptions and invoices in one list, the newest first.
//!
//! Never half of it: where one of the lists cannot be read, none of it is told.

use std::time::Duration;

use serde_json::Value as Json;

use super::{
    api::{Api, Unread},
    client::Reading,
    list::{Extent, all},
    object,
};
use crate::{
    adapters::transport::{GRACE, NoReply},
    domain::{rows::Rows, value::Value},
    ports::{PageCame, SourceError},
};

/// `about` is what it belongs to: a refund to its charge, an invoice to its subscription.
pub(super) const COLUMNS: &[&str] = &["id", "what", "created", "amount", "currency", "status", "said", "about"];

/// What happened once.
struct Happening {
    /// Seconds since 1970; unknown ones come last.
    at: Option<i64>,
    cells: Vec<Value>,
}

pub(super) async fn read(
    api: &Api,
    customer: &str,
    at_most: Option<usize>,
    limit: Duration,
    came: &PageCame<'_>,
) -> Result<Rows, SourceError> {
    let mut told: Vec<Happening> = Vec::new();
    let known = tokio::time::timeout(limit + GRACE, api.get(&Reading::of(format!("/customers/{customer}")))).await;
    match known.unwrap_or(Err(Unread::NoReply(NoReply::TimedOut { sent: true }))) {
        Ok(known) => told.push(happening("customer", &known, amount(&known, "balance"), said(&known, &["name", "email"]), None)),
        Err(Unread::Refusal(refusal)) if refusal.is_missing() => return Ok(rows(told)),
        Err(unread) => return Err(api.unread(&format!("customers/{customer}"), &unread)),
    }
    let of_customer = || vec![("customer".to_owned(), customer.to_owned())];

    // What is old by its own `created` may have been given back, disputed or ended a moment ago: of these the whole is read.
    let whole = Extent::Whole("too many for one list; look at this customer in Stripe's dashboard");
    let newest = at_most.map_or(whole, Extent::Newest);
    let with_refunds = of_customer().into_iter().chain([("expand[]".to_owned(), "data.refunds".to_owned())]).collect();
    for charge in all(api, "charges", with_refunds, whole, limit, came).await? {
        let id = charge.get("id").and_then(Json::as_str);
        let of_charge = || vec![("charge".to_owned(), id.unwrap_or_default().to_owned())];
        let of_it = |what, one: &Json| happening(what, one, amount(one, "amount"), said(one, &["reason"]), id.map(str::to_owned));
        let refunds = match charge.pointer("/refunds/data").and_then(Json::as_array) {
            Some(refunds) if charge.pointer("/refunds/has_more") == Some(&Json::Bool(false)) => Some(refunds.clone()),
            Some(_) | None if id.is_some() => Some(all(api, "refunds", of_charge(), newest, limit, came).await?),
            Some(_) | None => None,
        };
        let disputes = match charge.get("disputed") {
            Some(Json::Bool(false)) => Some(Vec::new()),
            Some(_) | None if id.is_some() => Some(all(api, "disputes", of_charge(), newest, limit, came).await?),
            Some(_) | None => None,
        };
        let words = match (&refunds, &disputes) {
            (Some(_), Some(_)) => said(&charge, &["failure_message", "description"]),
            (None, _) | (_, None) => Value::text("it has no id: what was refunded or disputed of it could not be asked"),
        };
        told.push(happening("charge", &charge, amount(&charge, "amount"), words, id_of(&charge, "payment_intent")));
        told.extend(refunds.iter().flatten().map(|refund| of_it("refund", refund)));
        told.extend(disputes.iter().flatten().map(|dispute| of_it("dispute", dispute)));
    }
    let with_ended = of_customer().into_iter().chain([("status".to_owned(), "all".to_owned())]).collect();
    for subscription in all(api, "subscriptions", with_ended, whole, limit, came).await? {
        let each = subscription.as_object().and_then(object::per_period).map_or(Value::Null, Value::Integer);
        told.push(happening("subscription", &subscription, each.clone(), how_it_goes_on(&subscription), None));
        if let Some(ended) = subscription.get("ended_at").and_then(Json::as_i64) {
            let why = said(&subscription, &["cancellation_details/comment", "cancellation_details/reason"]);
            let end = happening("end of subscription", &subscription, each, why, None);
            told.push(end.at(ended, "end"));
        }
    }
    for invoice in all(api, "invoices", of_customer(), newest, limit, came).await? {
        let of = id_of(&invoice, "subscription").or_else(|| {
            let within = invoice.pointer("/parent/subscription_details/subscription")?;
            within.as_str().map(str::to_owned)
        });
        told.push(happening("invoice", &invoice, amount(&invoice, "amount_due"), said(&invoice, &["number"]), of));
    }
    told.sort_by_key(|one| std::cmp::Reverse(one.at));
    told.truncate(at_most.unwrap_or(usize::MAX));
    Ok(rows(told))
}

fn happening(what: &str, object: &Json, amount: Value, said: Value, about: Option<String>) -> Happening {
    let word = |name: &str| object.get(name).and_then(Json::as_str).map_or(Value::Null, Value::text);
    let at = object.get("created").and_then(Json::as_i64);
    let created = at.map_or(Value::Null, object::moment);
    let about = about.map_or(Value::Null, Value::text);
    let cells = vec![word("id"), Value::text(what), created, amount, word("currency"), word("status"), said, about];
    Happening { at, cells }
}

impl Happening {
    /// The same thing at another moment of its life, told apart by a word behind its id.
    fn at(mut self, seconds: i64, word: &str) -> Self {
        self.at = Some(seconds);
        if let Some(id) = self.cells.first_mut() {
            *id = Value::text(format!("{}/{word}", id.original()));
        }
        if let Some(created) = self.cells.get_mut(2) {
            *created = object::moment(seconds);
        }
        self
    }
}

fn rows(all: Vec<Happening>) -> Rows {
    Rows::new(COLUMNS.iter().map(|name| (*name).to_owned()), all.into_iter().map(|one| one.cells))
}

fn amount(object: &Json, name: &str) -> Value {
    object.get(name).and_then(Json::as_i64).map_or(Value::Null, Value::Integer)
}

/// The first of these that says anything.
fn said(object: &Json, names: &[&str]) -> Value {
    let found = names.iter().find_map(|name| object.pointer(&format!("/{name}"))?.as_str().filter(|text| !text.is_empty()));
    found.map_or(Value::Null, Value::text)
}

/// What another object is called here, expanded or not.
fn id_of(object: &Json, name: &str) -> Option<String> {
    let named = object.get(name)?;
    named.as_str().or_else(|| named.get("id")?.as_str()).map(str::to_owned)
}

fn how_it_goes_on(subscription: &Json) -> Value {
    let is_paused = subscription.get("pause_collection").is_some_and(Json::is_object);
    let ends = subscription.get("cancel_at_period_end") == Some(&Json::Bool(true));
    match (is_paused, ends) {
        (true, true) => Value::text("collection is paused, ends with its period"),
        (true, false) => Value::text("collection is paused"),
        (false, true) => Value::text("ends with its period"),
        (false, false) => Value::Null,
    }
}
