//! Stripe's objects, built from the town's rows, with the fields that Stripe's own description gives each of them.

use serde_json::{Value as Json, json};

use super::{Stripe, lists::Row};

/// The `param` that Stripe names when there is no such object.
pub(super) fn id_param(list: &str) -> &'static str {
    match list {
        "payment_intents" => "intent",
        "subscriptions" => "subscription_exposed_id",
        "invoices" => "invoice",
        "disputes" => "dispute",
        "charges" | "refunds" | "events" | "balance_transactions" | "payouts" | "customers" | "transfers" => "id",
        _ => "object",
    }
}

pub(super) fn cell<'a>(row: &'a Row, column: &str) -> &'a Json {
    row.get(column).unwrap_or(&Json::Null)
}

pub(super) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    cell(row, column).as_str().unwrap_or_default()
}

pub(super) fn whole(row: &Row, column: &str) -> i64 {
    cell(row, column).as_i64().unwrap_or_default()
}

pub(super) fn metadata(row: &Row) -> Json {
    serde_json::from_str(text(row, "metadata")).unwrap_or_else(|_| json!({}))
}

/// Adds the fields that this town never has anything in.
pub(super) fn with_nulls(mut object: Json, fields: &[&str]) -> Json {
    if let Some(object) = object.as_object_mut() {
        object.extend(fields.iter().map(|field| ((*field).to_owned(), Json::Null)));
    }
    object
}

/// The balance transaction's id of a charge or refund.
fn transaction(id: &str) -> String {
    format!("txn_{}", id.get(3..).unwrap_or_default())
}

const CHARGE_NULLS: &[&str] = &[
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

pub(super) fn charge(stripe: &Stripe, row: &Row) -> Json {
    let (id, amount, refunded) = (text(row, "id"), whole(row, "amount"), whole(row, "refunded"));
    let paid = text(row, "status") == "succeeded";
    with_nulls(
        json!({
            "id": id,
            "object": "charge",
            "amount": amount,
            "amount_captured": if paid { amount } else { 0 },
            "amount_refunded": refunded,
            "balance_transaction": if paid { Json::from(transaction(id)) } else { Json::Null },
            "billing_details": {
                "address": {
                    "city": null, "country": stripe.declared.country, "line1": null, "line2": null, "postal_code": null, "state": null
                },
                "email": cell(row, "email"),
                "name": cell(row, "name"),
                "phone": null,
                "tax_id": null
            },
            "calculated_statement_descriptor": stripe.declared.name.to_uppercase(),
            "captured": paid,
            "created": cell(row, "created"),
            "currency": cell(row, "currency"),
            "customer": cell(row, "customer"),
            "description": cell(row, "description"),
            "disputed": whole(row, "disputed") != 0,
            "failure_code": if paid { Json::Null } else { json!("card_declined") },
            "failure_message": if paid { Json::Null } else { json!("Your card was declined.") },
            "fraud_details": {},
            "livemode": stripe.declared.livemode,
            "metadata": metadata(row),
            "outcome": outcome(paid),
            "paid": paid,
            "payment_intent": cell(row, "payment_intent"),
            "payment_method": format!("pm_{}", id.get(3..).unwrap_or_default()),
            "payment_method_details": { "type": "card", "card": card(amount) },
            "radar_options": {},
            "receipt_email": cell(row, "email"),
            "receipt_url": format!("https://pay.stripe.com/receipts/{id}"),
            "refunded": refunded >= amount && amount > 0,
            "status": cell(row, "status")
        }),
        CHARGE_NULLS,
    )
}

fn outcome(paid: bool) -> Json {
    json!({
        "advice_code": null,
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": if paid { "approved_by_network" } else { "declined_by_network" },
        "reason": null,
        "risk_level": "normal",
        "risk_score": 21,
        "seller_message": if paid { "Payment complete." } else { "The bank declined the payment." },
        "type": if paid { "authorized" } else { "issuer_declined" }
    })
}

fn card(amount: i64) -> Json {
    json!({
        "amount_authorized": amount,
        "authorization_code": null,
        "brand": "visa",
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
        "country": "AU",
        "exp_month": 8,
        "exp_year": 2030,
        "extended_authorization": { "status": "disabled" },
        "fingerprint": "Th0000000000DEMO",
        "funding": "credit",
        "incremental_authorization": { "status": "unavailable" },
        "installments": null,
        "last4": "4242",
        "mandate": null,
        "multicapture": { "status": "unavailable" },
        "network": "visa",
        "network_token": { "used": false },
        "network_transaction_id": null,
        "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
        "regulated_status": "unregulated",
        "three_d_secure": null,
        "wallet": null
    })
}

const INTENT_NULLS: &[&str] = &[
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "client_secret",
    "customer_account",
    "managed_payments",
    "excluded_payment_method_types",
    "last_payment_error",
    "next_action",
    "on_behalf_of",
    "payment_method_configuration_details",
    "processing",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

pub(super) fn payment_intent(stripe: &Stripe, row: &Row) -> Json {
    let amount = whole(row, "amount");
    let paid = text(row, "status") == "succeeded";
    with_nulls(
        json!({
            "id": cell(row, "payment_intent"),
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": if paid { amount } else { 0 },
            "automatic_payment_methods": { "allow_redirects": "always", "enabled": true },
            "capture_method": "automatic",
            "confirmation_method": "automatic",
            "created": cell(row, "created"),
            "currency": cell(row, "currency"),
            "customer": cell(row, "customer"),
            "description": cell(row, "description"),
            "latest_charge": cell(row, "charge"),
            "livemode": stripe.declared.livemode,
            "metadata": metadata(row),
            "payment_method": format!("pm_{}", text(row, "charge").get(3..).unwrap_or_default()),
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "receipt_email": cell(row, "email"),
            "status": if paid { "succeeded" } else { "requires_payment_method" }
        }),
        INTENT_NULLS,
    )
}

pub(super) fn refund(_: &Stripe, row: &Row) -> Json {
    let id = text(row, "id");
    json!({
        "id": id,
        "object": "refund",
        "amount": cell(row, "amount"),
        "balance_transaction": transaction(id),
        "charge": cell(row, "charge"),
        "created": cell(row, "created"),
        "currency": cell(row, "currency"),
        "destination_details": {
            "card": {
                "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"
            },
            "type": "card"
        },
        "metadata": metadata(row),
        "customer": null,
        "customer_account": null,
        "payment_intent": cell(row, "payment_intent"),
        "payment_method": null,
        "reason": cell(row, "reason"),
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": cell(row, "status"),
        "transfer_reversal": null
    })
}

pub(super) fn event(stripe: &Stripe, row: &Row) -> Json {
    let about: Row = serde_json::from_str(text(row, "about")).unwrap_or_default();
    let object = if text(row, "object").starts_with("pi_") { payment_intent(stripe, &about) } else { charge(stripe, &about) };
    json!({
        "id": cell(row, "id"),
        "object": "event",
        "account": null,
        "api_version": "2025-09-30.clover",
        "created": cell(row, "created"),
        "data": { "object": object },
        "livemode": stripe.declared.livemode,
        "pending_webhooks": i64::from(whole(row, "delivered") == 0),
        "request": { "id": null, "idempotency_key": null },
        "type": cell(row, "type")
    })
}

pub(super) fn balance_transaction(_: &Stripe, row: &Row) -> Json {
    let (amount, fee, created) = (whole(row, "amount"), whole(row, "fee"), whole(row, "created"));
    let fees = json!([{
        "amount": fee, "application": null, "currency": cell(row, "currency"), "description": "Stripe processing fees",
        "type": "stripe_fee"
    }]);
    json!({
        "id": cell(row, "id"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 2 * 86_400,
        "balance_type": "payments",
        "created": created,
        "currency": cell(row, "currency"),
        "description": cell(row, "description"),
        "exchange_rate": null,
        "fee": fee,
        "fee_details": if fee == 0 { json!([]) } else { fees },
        "net": amount - fee,
        "reporting_category": cell(row, "type"),
        "source": cell(row, "source"),
        "status": "available",
        "type": cell(row, "type")
    })
}

const PAYOUT_NULLS: &[&str] = &[
    "application_fee",
    "application_fee_amount",
    "destination",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "original_payout",
    "payout_method",
    "reversed_by",
    "statement_descriptor",
    "trace_id",
];

pub(super) fn payout(stripe: &Stripe, row: &Row) -> Json {
    let id = text(row, "id");
    with_nulls(
        json!({
            "id": id,
            "object": "payout",
            "amount": cell(row, "amount"),
            "arrival_date": cell(row, "arrival_date"),
            "automatic": true,
            "balance_transaction": transaction(id),
            "created": cell(row, "created"),
            "currency": cell(row, "currency"),
            "description": "STRIPE PAYOUT",
            "livemode": stripe.declared.livemode,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "completed",
            "source_type": "card",
            "status": cell(row, "status"),
            "type": "bank_account"
        }),
        PAYOUT_NULLS,
    )
}

pub(super) fn transfer(stripe: &Stripe, row: &Row) -> Json {
    let id = text(row, "id");
    json!({
        "id": id,
        "object": "transfer",
        "amount": cell(row, "amount"),
        "amount_reversed": cell(row, "amount_reversed"),
        "balance_transaction": transaction(id),
        "created": cell(row, "created"),
        "currency": cell(row, "currency"),
        "description": null,
        "destination": cell(row, "destination"),
        "destination_payment": format!("py_{id}"),
        "livemode": stripe.declared.livemode,
        "metadata": metadata(row),
        "reversals": super::empty_list(&format!("/v1/transfers/{id}/reversals")),
        "reversed": whole(row, "amount_reversed") >= whole(row, "amount"),
        "source_transaction": cell(row, "source_transaction"),
        "source_type": "card",
        "transfer_group": cell(row, "transfer_group")
    })
}

pub(super) fn account(stripe: &Stripe) -> Json {
    let declared = &stripe.declared;
    json!({
        "id": declared.account,
        "object": "account",
        "business_profile": { "name": declared.name, "support_email": null, "url": null },
        "business_type": "company",
        "capabilities": { "card_payments": "active", "transfers": "active" },
        "charges_enabled": true,
        "country": declared.country,
        "default_currency": declared.currency,
        "details_submitted": true,
        "email": null,
        "metadata": {},
        "payouts_enabled": true,
        "settings": { "dashboard": { "display_name": declared.name, "timezone": "Etc/UTC" } },
        "type": "standard"
    })
}
