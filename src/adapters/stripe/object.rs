//! A Stripe object as a row: its top-level fields, times as times, metadata flattened, ids of expanded objects.

use chrono::DateTime;
use serde_json::{Map, Value as Json};

use super::{timeline, undelivered};
use crate::{
    adapters::http::cell,
    domain::{pack::StripeList, rows::Rows, value::Value},
};

/// An object that is none: kept as it came, so that a list never loses a row unseen.
const MALFORMED: &str = "malformed";
/// What an object lacks that every rule counts on, in words; the object itself is beside it.
const ODD: &str = "odd";
const RAW: &str = "raw";

/// An object's columns.
pub(super) type Fields = Vec<(String, Value)>;

pub(super) fn rows(list: StripeList, flat: Vec<Fields>) -> Rows {
    let mut columns: Vec<String> = always(list).iter().map(|&name| name.to_owned()).collect();
    for (name, _) in flat.iter().flatten() {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let cells = flat.into_iter().map(|mut fields| {
        let take = |name: &String| {
            let index = fields.iter().position(|(field, _)| field == name)?;
            Some(fields.swap_remove(index).1)
        };
        columns.iter().map(take_or_null(take)).collect()
    });
    let cells: Vec<Vec<Value>> = cells.collect();
    Rows::new(columns, cells)
}

fn take_or_null<'a>(mut take: impl FnMut(&'a String) -> Option<Value>) -> impl FnMut(&'a String) -> Value {
    move |name| take(name).unwrap_or_default()
}

/// Columns that are there even where no object has them, so that a rule over an empty list still knows their names.
fn always(list: StripeList) -> &'static [&'static str] {
    match list {
        StripeList::Charges => &[
            "id",
            "amount",
            "amount_refunded",
            "currency",
            "created",
            "status",
            "refunded",
            "disputed",
            "payment_intent",
            "balance_transaction",
        ],
        StripeList::PaymentIntents => &["id", "amount", "amount_received", "currency", "created", "status", "latest_charge"],
        StripeList::Refunds => &["id", "amount", "currency", "created", "status", "charge", "payment_intent", "reason"],
        StripeList::Events => &["id", "type", "created", "pending_webhooks", "data"],
        StripeList::UndeliveredEvents => &undelivered::COLUMNS,
        StripeList::BalanceTransactions => {
            &["id", "amount", "fee", "net", "currency", "created", "available_on", "status", "type", "source"]
        }
        StripeList::Disputes => {
            &["id", "amount", "currency", "created", "status", "reason", "charge", "payment_intent", "due_by"]
        }
        StripeList::Payouts => &["id", "amount", "currency", "created", "arrival_date", "status"],
        StripeList::Customers => &["id", "email", "name", "currency", "balance", "created", "delinquent"],
        StripeList::Subscriptions => &[
            "id",
            "amount",
            "currency",
            "created",
            "status",
            "customer",
            "pause_collection",
            "cancel_at_period_end",
            "current_period_end",
        ],
        StripeList::Invoices => &[
            "id",
            "number",
            "amount_due",
            "amount_paid",
            "amount_remaining",
            "currency",
            "created",
            "due_date",
            "status",
            "customer",
            "subscription",
        ],
        StripeList::Timeline => timeline::COLUMNS,
        StripeList::Transfers => &[
            "id",
            "amount",
            "amount_reversed",
            "currency",
            "created",
            "destination",
            "transfer_group",
            "source_transaction",
            "reversed",
        ],
    }
}

/// What every object of a list has, of every version of Stripe's: without it, or with something else in its place, the
/// row is told as odd.
fn is_needed(list: StripeList, name: &str) -> Option<fn(&Json) -> bool> {
    let is_whole = |value: &Json| value.is_i64();
    let is_text = |value: &Json| value.is_string();
    let has_status =
        !matches!(list, StripeList::Events | StripeList::UndeliveredEvents | StripeList::Customers | StripeList::Transfers);
    let has_amount = !matches!(
        list,
        StripeList::Events
            | StripeList::UndeliveredEvents
            | StripeList::Customers
            | StripeList::Subscriptions
            | StripeList::Invoices
            | StripeList::Timeline
    );
    match name {
        "id" => Some(is_text),
        "created" => Some(is_whole),
        "status" if has_status => Some(is_text),
        "amount" if has_amount => Some(is_whole),
        "currency" if has_amount => Some(is_text),
        "amount_due" if list == StripeList::Invoices => Some(is_whole),
        "customer" if list == StripeList::Subscriptions => Some(|value| value.is_string() || value.is_object()),
        _ => None,
    }
}

/// What is missing or of another kind; `None` where all is as it should be.
fn oddness(list: StripeList, object: &Map<String, Json>) -> Option<String> {
    let wrong = always(list).iter().filter_map(|name| {
        let is_right = is_needed(list, name)?;
        match object.get(*name) {
            None => Some(format!("no `{name}`")),
            Some(value) if is_right(value) => None,
            Some(value) => Some(format!("`{name}` is {}", kind(value))),
        }
    });
    let said: Vec<String> = wrong.collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a truth",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Takes an object apart, so that of a long list one page at a time is there as JSON.
pub(super) fn fields(list: StripeList, object: Json) -> Fields {
    let object = match object {
        Json::Object(object) => object,
        other => return vec![(MALFORMED.to_owned(), Value::text(other.to_string()))],
    };
    let mut fields = Vec::with_capacity(object.len() + 4);
    if let Some(said) = oddness(list, &object) {
        fields.push((ODD.to_owned(), Value::text(said)));
        fields.push((RAW.to_owned(), Value::Json(Json::Object(object.clone()))));
    }
    // What stands further within, and is asked for by name.
    let within = [
        ("due_by", due_by(&object)),
        ("amount", per_period(&object).map(Value::Integer)),
        ("current_period_end", period_end(&object)),
        ("subscription", of_subscription(&object).map(Value::text)),
    ];
    fields.extend(within.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    for (name, value) in object {
        if name == "metadata"
            && let Json::Object(metadata) = &value
        {
            fields.extend(metadata.iter().map(|(key, value)| (format!("metadata.{key}"), words(value.clone()))));
        }
        let value = field(&name, value);
        fields.push((name, value));
    }
    fields
}

fn field(name: &str, value: Json) -> Value {
    match value {
        Json::Number(ref number) if is_moment(name) => number.as_i64().map_or_else(|| cell(value), moment),
        // Expanded: the id is what other rows know it by.
        Json::Object(mut object) if is_reference(name) => match object.get_mut("id") {
            Some(id) => words(id.take()),
            None => cell(Json::Object(object)),
        },
        other => words(other),
    }
}

/// An id or a word that happens to read as a moment is none.
fn words(value: Json) -> Value {
    match value {
        Json::String(text) => Value::text(text),
        other => cell(other),
    }
}

fn is_moment(name: &str) -> bool {
    let is_named = matches!(
        name,
        "created"
            | "updated"
            | "available_on"
            | "arrival_date"
            | "due_by"
            | "due_date"
            | "start_date"
            | "period_start"
            | "period_end"
            | "current_period_start"
            | "current_period_end"
            | "trial_start"
            | "trial_end"
            | "next_payment_attempt"
            | "billing_cycle_anchor"
    );
    is_named || name.ends_with("_at")
}

fn is_reference(name: &str) -> bool {
    matches!(
        name,
        "charge"
            | "payment_intent"
            | "customer"
            | "balance_transaction"
            | "latest_charge"
            | "invoice"
            | "source"
            | "refund"
            | "payout"
            | "subscription"
            | "latest_invoice"
            | "dispute"
    )
}

/// Seconds since 1970; zero is Stripe's "never".
pub(super) fn moment(seconds: i64) -> Value {
    if seconds == 0 { Value::Null } else { DateTime::from_timestamp(seconds, 0).map_or(Value::Integer(seconds), Value::Time) }
}

/// What a subscription costs each period, in minor units: the sum of its items. None where that is no sum: one of them has
/// no fixed price or is metered, they are not paid for the same period, or not all of them are told.
pub(super) fn per_period(fields: &Map<String, Json>) -> Option<i64> {
    let items = items(fields)?;
    let period = |item: &Json| {
        let part = |name: &str| item.pointer(&format!("/price/recurring/{name}")).cloned();
        Some((part("interval")?, part("interval_count").unwrap_or_else(|| 1.into())))
    };
    let first = items.first().and_then(period);
    if items.len() > 1 && (first.is_none() || items.iter().any(|item| period(item) != first)) {
        return None;
    }
    items.iter().try_fold(0_i64, |sum, item| {
        let each = item.pointer("/price/unit_amount")?.as_i64()?;
        let quantity = item.get("quantity")?.as_i64()?;
        sum.checked_add(each.checked_mul(quantity)?)
    })
}

/// When the period of a subscription ends that is paid for; by the newer versions each of its items has its own.
fn period_end(fields: &Map<String, Json>) -> Option<Value> {
    if fields.contains_key("current_period_end") {
        return None;
    }
    items(fields)?.iter().filter_map(|item| item.get("current_period_end")?.as_i64()).max().map(moment)
}

/// The items of a subscription, where all of them are told.
fn items(fields: &Map<String, Json>) -> Option<&Vec<Json>> {
    if fields.get("object")?.as_str()? != "subscription" {
        return None;
    }
    let items = fields.get("items")?;
    if items.get("has_more") != Some(&Json::Bool(false)) {
        return None;
    }
    items.get("data")?.as_array()
}

/// The subscription that an invoice is of; by the newer versions it stands further within.
fn of_subscription(fields: &Map<String, Json>) -> Option<String> {
    if fields.get("object")?.as_str()? != "invoice" || fields.get("subscription").is_some_and(|named| !named.is_null()) {
        return None;
    }
    let named = fields.get("parent")?.get("subscription_details")?.get("subscription")?;
    named.as_str().or_else(|| named.get("id")?.as_str()).map(str::to_owned)
}

/// When evidence for a dispute is due: the one nested field that everybody sorts by. Zero means that no answer is possible.
fn due_by(fields: &Map<String, Json>) -> Option<Value> {
    fields.get("evidence_details")?.get("due_by")?.as_i64().map(moment)
}
