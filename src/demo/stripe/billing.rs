//! Customers, subscriptions and invoices, and what can be changed about a subscription.
//! (<https://docs.stripe.com/api/subscriptions>)

use serde_json::{Value as Json, json};
use sqlx::SqliteConnection;

use super::{
    Stripe,
    answer::Refusal,
    lists::Row,
    objects::{cell, metadata, text, whole, with_nulls},
    writes::{Metadata, truth},
};
use crate::demo::script::{Script, Values};

/// A month, as this town counts.
const PERIOD: i64 = 30 * 86_400;

/// A write that passed validation.
#[derive(Debug)]
pub(super) enum Order {
    Update(Box<Update>),
    /// At once.
    Cancel {
        id: String,
        comment: Option<String>,
        feedback: Option<String>,
    },
}

#[derive(Debug)]
pub(super) struct Update {
    id: String,
    /// `None` leaves it, null resumes.
    pause: Option<Json>,
    ends: Option<bool>,
    comment: Option<String>,
    feedback: Option<String>,
    metadata: Metadata,
}

const BEHAVIOURS: [&str; 3] = ["keep_as_draft", "mark_uncollectible", "void"];

pub(super) fn read(id: &str, params: &[(String, String)], is_cancellation: bool) -> Result<Order, Refusal> {
    let (mut behaviour, mut resumes_at, mut resumes, mut ends) = (None, None, false, None);
    let (mut comment, mut feedback, mut metadata) = (None, None, Metadata::default());
    for (name, value) in params {
        match name.as_str() {
            "cancellation_details[comment]" => comment = Some(value.clone()),
            "cancellation_details[feedback]" => feedback = Some(value.clone()),
            "invoice_now" | "prorate" if is_cancellation => drop(truth(name, value)?),
            "pause_collection" if !is_cancellation && value.is_empty() => resumes = true,
            "pause_collection[behavior]" if !is_cancellation => behaviour = Some(value.clone()),
            "pause_collection[resumes_at]" if !is_cancellation => resumes_at = value.parse::<i64>().ok(),
            "cancel_at_period_end" if !is_cancellation => ends = Some(truth(name, value)?),
            _ if name.starts_with("expand[") => {}
            _ if is_cancellation => {
                return Err(Refusal::of_param("parameter_unknown", name, format!("Received unknown parameter: {name}")));
            }
            _ => metadata.take(name, value)?,
        }
    }
    metadata.check()?;
    if let Some(unknown) = behaviour.as_deref().filter(|given| !BEHAVIOURS.contains(given)) {
        let message = format!("Invalid pause_collection[behavior]: must be one of {}; given: {unknown}", BEHAVIOURS.join(", "));
        return Err(Refusal { param: Some("pause_collection[behavior]".to_owned()), ..Refusal::invalid(message) });
    }
    let id = id.to_owned();
    if is_cancellation {
        return Ok(Order::Cancel { id, comment, feedback });
    }
    let paused = behaviour.map(|behaviour| json!({ "behavior": behaviour, "resumes_at": resumes_at }));
    let pause = paused.or(resumes.then_some(Json::Null));
    Ok(Order::Update(Box::new(Update { id, pause, ends, comment, feedback, metadata })))
}

pub(super) async fn carry_out(stripe: &Stripe, connection: &mut SqliteConnection, order: &Order) -> Result<Json, Refusal> {
    let id = match order {
        Order::Update(update) => &update.id,
        Order::Cancel { id, .. } => id,
    };
    let mut values = Values::from([("id".into(), json!(id)), ("now".into(), json!(stripe.now()))]);
    let select = Script::new("subscription", "select * from subscriptions where id = :id");
    let row = select.rows(connection, &values).await?.into_iter().next();
    let row = row.ok_or_else(|| Refusal::missing(404, "subscription", id, "id"))?;
    let is_over = text(&row, "status") == "canceled";
    let words = |given: &Option<String>, known: &str| given.as_ref().map_or(cell(&row, known).clone(), |given| json!(given));
    match order {
        // One that is over is as good as none to whoever cancels it.
        Order::Cancel { .. } if is_over => return Err(Refusal::missing(404, "subscription", id, "id")),
        Order::Cancel { comment, feedback, .. } => {
            values.insert("comment".into(), words(comment, "comment"));
            values.insert("feedback".into(), words(feedback, "feedback"));
            let update = "update subscriptions set status = 'canceled', ends = 0, canceled_at = :now, ended_at = :now,
                comment = :comment, feedback = :feedback where id = :id";
            Script::new("subscription", update).run(connection, &values).await?;
        }
        Order::Update(update) if is_over && (update.pause.is_some() || update.ends.is_some()) => {
            let message = "A canceled subscription can only update its cancellation_details and metadata.";
            return Err(Refusal::invalid(message));
        }
        Order::Update(update) => {
            let pause = match &update.pause {
                None => cell(&row, "pause").clone(),
                Some(Json::Null) => Json::Null,
                Some(pause) => json!(pause.to_string()),
            };
            let ends = update.ends.unwrap_or(whole(&row, "ends") != 0);
            values.insert("pause".into(), pause);
            values.insert("ends".into(), json!(i64::from(ends)));
            values.insert("canceled".into(), if ends { json!(stripe.now()) } else { Json::Null });
            values.insert("comment".into(), words(&update.comment, "comment"));
            values.insert("feedback".into(), words(&update.feedback, "feedback"));
            values.insert("metadata".into(), json!(update.metadata.over(text(&row, "metadata"))));
            let change = "update subscriptions set pause = :pause, canceled_at = case when ends = :ends then canceled_at else :canceled end,
                ends = :ends, comment = :comment, feedback = :feedback, metadata = :metadata where id = :id";
            Script::new("subscription", change).run(connection, &values).await?;
        }
    }
    let rows = select.rows(connection, &values).await?;
    Ok(rows.first().map(|row| subscription(stripe, row)).unwrap_or_default())
}

/// The end of the period that is running.
fn period_end(stripe: &Stripe, row: &Row) -> i64 {
    let began = whole(row, "created");
    began + ((stripe.now() - began).max(0) / PERIOD + 1) * PERIOD
}

const SUBSCRIPTION_NULLS: &[&str] = &[
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_schedules",
    "billing_thresholds",
    "customer_account",
    "managed_payments",
    "days_until_due",
    "default_payment_method",
    "default_source",
    "description",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "test_clock",
    "transfer_data",
    "trial_end",
    "trial_settings",
    "trial_start",
];

pub(super) fn subscription(stripe: &Stripe, row: &Row) -> Json {
    let id = text(row, "id");
    let period_end = period_end(stripe, row);
    let is_over = text(row, "status") == "canceled";
    // Of one that had ended before the town began, nothing but that is known.
    let ended = if is_over && cell(row, "ended_at").is_null() { cell(row, "created") } else { cell(row, "ended_at") };
    let ends = whole(row, "ends") != 0;
    let pause = serde_json::from_str::<Json>(text(row, "pause")).unwrap_or_default();
    let price = json!({
        "id": cell(row, "price"), "object": "price", "active": true, "billing_scheme": "per_unit", "created": cell(row, "created"),
        "currency": cell(row, "currency"), "custom_unit_amount": null, "livemode": stripe.declared.livemode, "lookup_key": null,
        "metadata": {}, "nickname": null, "product": "prod_1", "tax_behavior": "unspecified", "tiers_mode": null,
        "recurring": { "interval": cell(row, "interval"), "interval_count": 1, "meter": null, "trial_period_days": null, "usage_type": "licensed" },
        "transform_quantity": null, "type": "recurring", "unit_amount": cell(row, "unit_amount"),
        "unit_amount_decimal": whole(row, "unit_amount").to_string()
    });
    let item = json!({
        "id": format!("si_{id}"), "object": "subscription_item", "billing_thresholds": null, "created": cell(row, "created"),
        "current_period_start": period_end - PERIOD, "current_period_end": period_end, "discounts": [],
        "metadata": {}, "price": price, "quantity": cell(row, "quantity"), "subscription": id, "tax_rates": []
    });
    with_nulls(
        json!({
            "id": id,
            "object": "subscription",
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": cell(row, "created"),
            "billing_mode": { "type": "classic" },
            "cancel_at": if ends { json!(period_end) } else { Json::Null },
            "cancel_at_period_end": ends,
            "canceled_at": if cell(row, "canceled_at").is_null() { ended } else { cell(row, "canceled_at") },
            "cancellation_details": {
                "comment": cell(row, "comment"), "feedback": cell(row, "feedback"),
                "reason": if ends || is_over { json!("cancellation_requested") } else { Json::Null }
            },
            "collection_method": "charge_automatically",
            "created": cell(row, "created"),
            "currency": cell(row, "currency"),
            "customer": cell(row, "customer"),
            "default_tax_rates": [],
            "discounts": [],
            "ended_at": ended,
            "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
            "items": { "object": "list", "data": [item], "has_more": false, "url": format!("/v1/subscription_items?subscription={id}") },
            "livemode": stripe.declared.livemode,
            "metadata": metadata(row),
            "pause_collection": pause,
            "payment_settings": { "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off" },
            "start_date": cell(row, "created"),
            "status": cell(row, "status")
        }),
        SUBSCRIPTION_NULLS,
    )
}

const CUSTOMER_NULLS: &[&str] = &["address", "default_source", "description", "discount", "phone", "shipping", "test_clock"];

pub(super) fn customer(stripe: &Stripe, row: &Row) -> Json {
    with_nulls(
        json!({
            "id": cell(row, "id"),
            "object": "customer",
            "balance": 0,
            "created": cell(row, "created"),
            "currency": cell(row, "currency"),
            "delinquent": false,
            "email": cell(row, "email"),
            "invoice_prefix": text(row, "id").to_uppercase().chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>(),
            "invoice_settings": { "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null },
            "livemode": stripe.declared.livemode,
            "metadata": metadata(row),
            "name": cell(row, "name"),
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none"
        }),
        CUSTOMER_NULLS,
    )
}

const INVOICE_NULLS: &[&str] = &[
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "confirmation_secret",
    "customer_account",
    "custom_fields",
    "customer_address",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "description",
    "ending_balance",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "webhooks_delivered_at",
];

const INVOICE_ZEROS: [&str; 5] = [
    "amount_overpaid",
    "amount_shipping",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
    "starting_balance",
];
const INVOICE_EMPTIES: [&str; 6] = [
    "customer_tax_ids",
    "default_tax_rates",
    "discounts",
    "total_discount_amounts",
    "total_pretax_credit_amounts",
    "total_taxes",
];

pub(super) fn invoice(stripe: &Stripe, row: &Row) -> Json {
    let (id, amount, paid) = (text(row, "id"), whole(row, "amount"), whole(row, "paid"));
    let is_paid = text(row, "status") == "paid";
    let parent = match cell(row, "subscription") {
        Json::Null => Json::Null,
        subscription => json!({
            "quote_details": null, "type": "subscription_details",
            "subscription_details": { "metadata": {}, "subscription": subscription }
        }),
    };
    let mut invoice = with_nulls(
        json!({
            "id": id,
            "object": "invoice",
            "account_country": stripe.declared.country,
            "account_name": stripe.declared.name,
            "amount_due": amount,
            "amount_paid": paid,
            "amount_remaining": amount - paid,
            "attempt_count": i64::from(is_paid),
            "attempted": is_paid,
            "auto_advance": false,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_reason": "subscription_cycle",
            "collection_method": "charge_automatically",
            "created": cell(row, "created"),
            "currency": cell(row, "currency"),
            "customer": cell(row, "customer"),
            "customer_email": null,
            "customer_name": null,
            "customer_tax_exempt": "none",
            "due_date": cell(row, "due_date"),
            "effective_at": cell(row, "created"),
            "issuer": { "type": "self" },
            "lines": super::empty_list(&format!("/v1/invoices/{id}/lines")),
            "livemode": stripe.declared.livemode,
            "metadata": metadata(row),
            "number": cell(row, "number"),
            "parent": parent,
            "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
            "period_end": cell(row, "created"),
            "period_start": whole(row, "created") - PERIOD,
            "status": cell(row, "status"),
            "status_transitions": {
                "finalized_at": cell(row, "created"), "marked_uncollectible_at": null,
                "paid_at": if is_paid { cell(row, "created") } else { &Json::Null }, "voided_at": null
            },
            "subtotal": amount,
            "subtotal_excluding_tax": amount,
            "total": amount,
            "total_excluding_tax": amount
        }),
        INVOICE_NULLS,
    );
    if let Some(invoice) = invoice.as_object_mut() {
        invoice.extend(INVOICE_ZEROS.iter().map(|field| ((*field).to_owned(), json!(0))));
        invoice.extend(INVOICE_EMPTIES.iter().map(|field| ((*field).to_owned(), json!([]))));
    }
    invoice
}
