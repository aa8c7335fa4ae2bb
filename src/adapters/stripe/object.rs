//! A Stripe object as a row: its top-level fields, times as times, metadata flattened, ids of expanded objects.

use chrono::DateTime;
use serde_json::{Map, Value as Json};

use super::undelivered;
use crate::{
    adapters::http::cell,
    domain::{pack::StripeList, rows::Rows, value::Value},
};

/// An object that is none: kept as it came, so that a list never loses a row unseen.
const MALFORMED: &str = "malformed";

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
        StripeList::Subscriptions => &["id", "amount", "currency", "created", "status", "customer"],
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

/// Takes an object apart, so that of a long list one page at a time is there as JSON.
pub(super) fn fields(object: Json) -> Fields {
    let object = match object {
        Json::Object(object) => object,
        other => return vec![(MALFORMED.to_owned(), Value::text(other.to_string()))],
    };
    let mut fields = Vec::with_capacity(object.len() + 4);
    let due_by = due_by(&object);
    let per_period = per_period(&object);
    for (name, value) in object {
        if name == "metadata"
            && let Json::Object(metadata) = &value
        {
            fields.extend(metadata.iter().map(|(key, value)| (format!("metadata.{key}"), words(value.clone()))));
        }
        let value = field(&name, value);
        fields.push((name, value));
    }
    fields.extend(due_by.map(|due_by| ("due_by".to_owned(), due_by)));
    fields.extend(per_period.map(|amount| ("amount".to_owned(), Value::Integer(amount))));
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
    matches!(name, "created" | "updated" | "available_on" | "arrival_date" | "due_by") || name.ends_with("_at")
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
    )
}

/// Seconds since 1970; zero is Stripe's "never".
fn moment(seconds: i64) -> Value {
    if seconds == 0 { Value::Null } else { DateTime::from_timestamp(seconds, 0).map_or(Value::Integer(seconds), Value::Time) }
}

/// What a subscription costs each period, in minor units: the sum of its items. None where one of them has no fixed price.
fn per_period(fields: &Map<String, Json>) -> Option<i64> {
    if fields.get("object")?.as_str()? != "subscription" {
        return None;
    }
    let items = fields.get("items")?;
    if items.get("has_more").and_then(Json::as_bool) == Some(true) {
        return None;
    }
    items.get("data")?.as_array()?.iter().try_fold(0_i64, |sum, item| {
        let each = item.pointer("/price/unit_amount")?.as_i64()?;
        let quantity = item.get("quantity").map_or(Some(1), Json::as_i64)?;
        sum.checked_add(each.checked_mul(quantity)?)
    })
}

/// When evidence for a dispute is due: the one nested field that everybody sorts by. Zero means that no answer is possible.
fn due_by(fields: &Map<String, Json>) -> Option<Value> {
    fields.get("evidence_details")?.get("due_by")?.as_i64().map(moment)
}
