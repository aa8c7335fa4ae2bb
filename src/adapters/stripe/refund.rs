//! A refund, sent with our key and our name in its metadata, and found again by that name.

use std::collections::HashMap;

use serde_json::Value as Json;
use stripe_client_core::{IdempotencyKey, RequestStrategy, StripeRequest as _};
use stripe_core::refund::{CreateRefund, CreateRefundReason, ListRefund, RetrieveRefund};

use super::{
    answer::{Judged, judge},
    api::Api,
    client,
    list::has_more,
};
use crate::{
    domain::{money::Money, text::Text},
    ports::{Answer, Followed, Found, Mark, Outcome, SourceError},
};

/// Outlives the idempotency key, which Stripe may forget after a day.
const ACTION: &str = "wheelhouse_action";
const STEP: &str = "wheelhouse_step";

/// Stripe's limit for one value of metadata.
const LONGEST: usize = 500;

pub(super) async fn send(api: &Api, charge: &str, amount: Money, reason: Option<&str>, mark: &Mark) -> Outcome {
    let what = format!("refund of {charge}");
    let transport = &api.transport;
    if amount.minor <= 0 {
        return Outcome::Rejected(transport.text(format_args!("{what} not sent: {amount} is nothing to give back")));
    }
    let reason = match reason.map(reason_of).transpose() {
        Ok(reason) => reason,
        Err(why) => return Outcome::Rejected(transport.text(format_args!("{what} not sent: {why}"))),
    };
    if let Some(barred) = api.bars(&what).await {
        return barred;
    }
    let key = match IdempotencyKey::new(mark.key()) {
        Ok(key) => RequestStrategy::Idempotent(key),
        Err(why) => return Outcome::Rejected(transport.text(format_args!("{what} not sent: {why}"))),
    };
    let request = request(charge, amount, reason, mark).build();
    match judge(transport, &what, client::ask(api, request, key).await) {
        Judged::Outcome(outcome) => outcome,
        Judged::AlreadyRefunded(said) => already_refunded(api, charge, amount, mark, &said).await,
    }
}

/// Refused because the charge was given back before: by an earlier attempt of ours, or by somebody else?
async fn already_refunded(api: &Api, charge: &str, amount: Money, mark: &Mark, said: &str) -> Outcome {
    match look_up(api, charge, amount, mark).await {
        Found::Ours(answer) => Outcome::Confirmed(answer),
        // Sending again would be refused again, for ever.
        Found::Absent => Outcome::Rejected(
            api.transport.text(format_args!("refund of {charge} refused: already refunded, and not by this act: {said}")),
        ),
        Found::Unlabelled(why) | Found::CannotTell(why) => Outcome::Unknown(
            api.transport.text(format_args!("refund of {charge}: already refunded: looking: {}", why.original())),
        ),
    }
}

fn request(charge: &str, amount: Money, reason: Option<CreateRefundReason>, mark: &Mark) -> CreateRefund {
    let metadata: HashMap<String, String> = [
        (ACTION, mark.action.0.clone()),
        (STEP, mark.step.to_string()),
        ("target", mark.target.chars().take(LONGEST).collect()),
        ("operator", mark.operator.chars().take(LONGEST).collect()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let request = CreateRefund::default().amount(amount.minor).metadata(metadata);
    let request = if parent_of(charge) == "charge" { request.charge(charge) } else { request.payment_intent(charge) };
    match reason {
        Some(reason) => request.reason(reason),
        None => request,
    }
}

/// Many a business keeps the payment intent's id and never sees the charge's; a refund takes either.
fn parent_of(id: &str) -> &'static str {
    if id.starts_with("pi_") { "payment_intent" } else { "charge" }
}

fn reason_of(reason: &str) -> Result<CreateRefundReason, String> {
    match reason {
        "duplicate" => Ok(CreateRefundReason::Duplicate),
        "fraudulent" => Ok(CreateRefundReason::Fraudulent),
        "requested_by_customer" => Ok(CreateRefundReason::RequestedByCustomer),
        other => Err(format!("`{other}` is none of Stripe's reasons (duplicate, fraudulent, requested_by_customer)")),
    }
}

/// All refunds of a charge, or why they are not known.
async fn refunds_of(api: &Api, charge: &str) -> Result<Vec<Json>, Text> {
    let what = format!("refunds of {charge}");
    let mut refunds = Vec::new();
    let all = ListRefund::new().limit(100);
    let mut list = if parent_of(charge) == "charge" { all.charge(charge) } else { all.payment_intent(charge) };
    loop {
        let mut page = match api.get(&list).await {
            Ok(page) => page,
            Err(unread) => {
                return Err(match api.unread(&what, &unread) {
                    // A silence has no words of its own to say whose it is.
                    silence @ SourceError::TimedOut(_) => api.transport.text(format_args!("{what}: {silence}")),
                    said => Text::new(said.to_string()),
                });
            }
        };
        let Some(Json::Array(data)) = page.get_mut("data").map(Json::take) else {
            return Err(api.transport.text(format_args!("{what}: a list without data")));
        };
        refunds.extend(data);
        // A refund that is not seen is one that is sent again: only a list that says that it is whole is taken for it.
        if !has_more(&page).map_err(|why| api.transport.text(format_args!("{what}: {why}")))? {
            return Ok(refunds);
        }
        match refunds.last().map(id_of) {
            Some(last) if !last.is_empty() => list = list.starting_after(last),
            _ => return Err(api.transport.text(format_args!("{what}: a page that cannot be turned"))),
        }
    }
}

/// Looks through all refunds of the charge for the one that carries our name.
pub(super) async fn look_up(api: &Api, charge: &str, amount: Money, mark: &Mark) -> Found {
    let refunds = match refunds_of(api, charge).await {
        Ok(refunds) => refunds,
        Err(why) => return Found::CannotTell(why),
    };
    let mut unlabelled = None;
    for refund in &refunds {
        match compare(refund, charge, amount, mark) {
            Kinship::Ours => return ours(api, charge, refund),
            Kinship::Unlabelled => {
                unlabelled.get_or_insert_with(|| id_of(refund).to_owned());
            }
            Kinship::Another => {}
        }
    }
    match unlabelled {
        Some(id) => Found::Unlabelled(api.transport.text(format_args!(
            "{id} gives back {amount} of {charge}, and nothing in it says by whom; look at it in Stripe's dashboard"
        ))),
        None => Found::Absent,
    }
}

/// Which refund it was that a person says was made: the one with our name, else the only one of that amount that nobody
/// labelled.
pub(super) async fn trace(api: &Api, charge: &str, amount: Money, mark: &Mark) -> Followed {
    let refunds = match refunds_of(api, charge).await {
        Ok(refunds) => refunds,
        Err(why) => return Followed::CannotTell(why),
    };
    let named = |refund: &Json, how: &str| {
        let (id, status) = (id_of(refund), status_of(refund));
        let said = api.transport.text(format_args!("{id} {status}, by {how}"));
        Followed::Named(Answer { reference: Some(id.to_owned()), request: None, said })
    };
    let of_charge = || refunds.iter().filter(|refund| !is_of_another(refund, charge) && !id_of(refund).is_empty());
    if let Some(ours) = of_charge().find(|refund| matches!(compare(refund, charge, amount, mark), Kinship::Ours)) {
        return named(ours, "this act's id");
    }
    // One that failed already is what is looked for as well.
    let is_like = |refund: &&Json| label_of(refund, ACTION).is_none() && amount_of(refund) == Some(amount.minor);
    let alike: Vec<&Json> = of_charge().filter(is_like).collect();
    let lost = |what: String| {
        Followed::Lost(api.transport.text(format_args!("{what}; look at {charge} in Stripe's dashboard in the weeks to come")))
    };
    match alike.as_slice() {
        [only] => named(only, "its charge and amount"),
        [] => lost(format!("Stripe has no refund of {amount} of {charge} that could be it")),
        several => lost(format!("Stripe has {} refunds of {amount} of {charge}, and nothing tells which it is", several.len())),
    }
}

/// Reads a refund that was made: a bank may send it back for weeks.
pub(super) async fn follow(api: &Api, id: &str) -> Followed {
    let refund = match api.get(&RetrieveRefund::new(id)).await {
        Ok(refund) => refund,
        Err(unread) => return Followed::CannotTell(Text::new(api.unread(id, &unread).to_string())),
    };
    let status = status_of(&refund);
    let said = |words: std::fmt::Arguments<'_>| api.transport.text(words);
    match status {
        "succeeded" => Followed::Stands(said(format_args!("{id} {status}"))),
        "failed" | "canceled" => {
            let why = refund.get("failure_reason").and_then(Json::as_str).unwrap_or("no reason given");
            Followed::Undone(said(format_args!("{id} {status} ({why}): the money did not reach the customer")))
        }
        "pending" | "requires_action" => Followed::Open,
        other => Followed::CannotTell(said(format_args!("{id} has the status `{other}`"))),
    }
}

enum Kinship {
    Ours,
    /// The same money, by an unknown hand.
    Unlabelled,
    Another,
}

fn compare(refund: &Json, charge: &str, amount: Money, mark: &Mark) -> Kinship {
    if is_of_another(refund, charge) {
        return Kinship::Another;
    }
    let step = mark.step.to_string();
    match label_of(refund, ACTION) {
        Some(action) if action == mark.action.0 && label_of(refund, STEP).is_none_or(|known| known == step) => Kinship::Ours,
        Some(_) => Kinship::Another,
        None if amount_of(refund) != Some(amount.minor) => Kinship::Another,
        None if matches!(status_of(refund), "failed" | "canceled") => Kinship::Another,
        None => Kinship::Unlabelled,
    }
}

fn ours(api: &Api, charge: &str, refund: &Json) -> Found {
    let (id, status) = (id_of(refund), status_of(refund));
    let said = api.transport.text(format_args!("refund of {charge}: {id} {status}"));
    if matches!(status, "failed" | "canceled") {
        // It was made, and the money did not move: neither done nor absent.
        return Found::CannotTell(api.transport.text(format_args!(
            "refund of {charge}: {id} is ours and {status}: the money was not given back; decide in Stripe's dashboard"
        )));
    }
    Found::Ours(Answer { reference: Some(id.to_owned()), request: None, said })
}

/// A stand-in that ignores the filter must not make another charge's refund ours.
fn is_of_another(refund: &Json, charge: &str) -> bool {
    match refund.get(parent_of(charge)) {
        Some(Json::String(id)) => id != charge,
        Some(Json::Object(expanded)) => expanded.get("id").and_then(Json::as_str).is_some_and(|id| id != charge),
        _ => false,
    }
}

fn label_of<'a>(refund: &'a Json, name: &str) -> Option<&'a str> {
    refund.get("metadata")?.get(name)?.as_str()
}

fn amount_of(refund: &Json) -> Option<i64> {
    refund.get("amount")?.as_i64()
}

fn id_of(refund: &Json) -> &str {
    refund.get("id").and_then(Json::as_str).unwrap_or_default()
}

fn status_of(refund: &Json) -> &str {
    refund.get("status").and_then(Json::as_str).unwrap_or_default()
}
