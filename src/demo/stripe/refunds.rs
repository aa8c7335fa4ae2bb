//! Refunds: what may be asked, what is refused, and the refund itself.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::{Stripe, answer::Refusal, lists::Row, objects, writes::Metadata};
use crate::{
    demo::script::{Script, Values},
    domain::money::{Currency, Money},
};

/// A write that passed validation.
#[derive(Debug)]
pub(super) enum Order {
    Create { of: Of, amount: Option<i64>, reason: Option<String>, metadata: BTreeMap<String, String> },
    Change { id: String, metadata: Metadata },
}

#[derive(Debug)]
pub(super) enum Of {
    Charge(String),
    Intent(String),
}

const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

/// Refuses what is wrong in form, before anything is looked up.
pub(super) fn read(path: &str, params: &[(String, String)]) -> Result<Order, Refusal> {
    let (mut charge, mut intent, mut amount, mut reason) = (None, None, None, None);
    let mut metadata = Metadata::default();
    let changed = path.strip_prefix("/v1/refunds/");
    for (name, value) in params {
        match name.as_str() {
            "charge" if changed.is_none() => charge = Some(value.clone()),
            "payment_intent" if changed.is_none() => intent = Some(value.clone()),
            "amount" if changed.is_none() => amount = Some(whole(value)?),
            "reason" if changed.is_none() => reason = Some(value.clone()),
            _ if name.starts_with("expand[") => {}
            _ => metadata.take(name, value)?,
        }
    }
    metadata.check()?;
    if let Some(id) = changed {
        return Ok(Order::Change { id: id.to_owned(), metadata });
    }
    if let Some(reason) = reason.as_deref().filter(|reason| !REASONS.contains(reason)) {
        let message = format!("Invalid reason: must be one of {}; given: {reason}", REASONS.join(", "));
        return Err(Refusal { param: Some("reason".to_owned()), ..Refusal::invalid(message) });
    }
    let of = match (charge, intent) {
        (Some(charge), _) => Of::Charge(charge),
        (None, Some(intent)) => Of::Intent(intent),
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(Refusal { code: Some("parameter_missing"), ..Refusal::invalid(message) });
        }
    };
    Ok(Order::Create { of, amount, reason, metadata: metadata.0 })
}

fn whole(value: &str) -> Result<i64, Refusal> {
    let invalid = |message: String| Refusal::of_param("parameter_invalid_integer", "amount", message);
    match value.parse::<i64>() {
        Ok(amount) if amount < 1 => Err(invalid("This value must be greater than or equal to 1.".to_owned())),
        Ok(amount) => Ok(amount),
        Err(_) => Err(invalid(format!("Invalid integer: {value}"))),
    }
}

pub(super) async fn carry_out(stripe: &Stripe, connection: &mut SqliteConnection, order: &Order) -> Result<Json, Refusal> {
    match order {
        Order::Create { of, amount, reason, metadata } => {
            create(stripe, connection, of, *amount, reason.as_deref(), metadata).await
        }
        Order::Change { id, metadata } => change(stripe, connection, id, metadata).await,
    }
}

async fn create(
    stripe: &Stripe,
    connection: &mut SqliteConnection,
    of: &Of,
    amount: Option<i64>,
    reason: Option<&str>,
    metadata: &BTreeMap<String, String>,
) -> Result<Json, Refusal> {
    let (column, id, object) = match of {
        Of::Charge(id) => ("id", id, "charge"),
        Of::Intent(id) => ("payment_intent", id, "payment_intent"),
    };
    let source = format!(
        "select id, payment_intent, amount, currency, status,
            (select coalesce(sum(amount), 0) from refunds where charge = charges.id and status in ('succeeded', 'pending')) as refunded,
            exists (select 1 from disputes where charge = charges.id) as disputed, (select count(*) from refunds) as refunds
         from charges where {column} = :id"
    );
    let rows = Script::new("charge", &source).rows(connection, &Values::from([("id".into(), json!(id))])).await?;
    let charge = rows.first().ok_or_else(|| Refusal::missing(404, object, id, object))?;
    let amount = refundable(charge, amount)?;
    let count = whole_of(charge, "refunds");
    let values = Values::from([
        ("id".into(), json!(name(&text_of(charge, "id"), count))),
        ("created".into(), json!(stripe.now())),
        ("charge".into(), json!(text_of(charge, "id"))),
        ("intent".into(), charge.get("payment_intent").cloned().unwrap_or_default()),
        ("amount".into(), json!(amount)),
        ("currency".into(), json!(text_of(charge, "currency"))),
        ("reason".into(), json!(reason)),
        ("metadata".into(), json!(json!(metadata).to_string())),
    ]);
    let insert = "insert into refunds (id, created, charge, payment_intent, amount, currency, reason, status, metadata)
        values (:id, :created, :charge, :intent, :amount, :currency, :reason, 'succeeded', :metadata)";
    Script::new("refund", insert).run(connection, &values).await?;
    let event = "insert into events (id, created, type, object, delivered)
        values ('evt_1' || substr(:id, 4), :created, 'charge.refunded', :charge, 1)";
    Script::new("event", event).run(connection, &values).await?;
    let rows = Script::new("refund", "select * from refunds where id = :id").rows(connection, &values).await?;
    Ok(rows.first().map(|row| objects::refund(stripe, row)).unwrap_or_default())
}

/// How much goes back: what is asked, or all that is left.
fn refundable(charge: &Row, amount: Option<i64>) -> Result<i64, Refusal> {
    let id = text_of(charge, "id");
    let (charged, refunded) = (whole_of(charge, "amount"), whole_of(charge, "refunded"));
    let left = charged - refunded;
    if text_of(charge, "status") != "succeeded" {
        return Err(Refusal {
            param: Some("charge".to_owned()),
            ..Refusal::invalid(format!("Charge {id} cannot be refunded: it has not succeeded."))
        });
    }
    if whole_of(charge, "disputed") != 0 {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(Refusal { code: Some("charge_disputed"), ..Refusal::invalid(message) });
    }
    if left <= 0 {
        let message = format!("Charge {id} has already been refunded.");
        return Err(Refusal { code: Some("charge_already_refunded"), ..Refusal::invalid(message) });
    }
    let amount = amount.unwrap_or(left);
    if amount > left {
        let currency = text_of(charge, "currency").to_uppercase();
        let said = |minor: i64| {
            Currency::from_code(&currency).map_or_else(|| minor.to_string(), |currency| Money::new(minor, currency).to_string())
        };
        let message = if refunded > 0 {
            format!("Refund amount ({}) is greater than unrefunded amount on charge ({})", said(amount), said(left))
        } else {
            format!("Refund amount ({}) is greater than charge amount ({})", said(amount), said(charged))
        };
        return Err(Refusal { param: Some("amount".to_owned()), ..Refusal::invalid(message) });
    }
    Ok(amount)
}

/// A refund's id: after its charge's and the number of refunds before it, so that a repeated town repeats it.
fn name(charge: &str, before: i64) -> String {
    let digest = hex::encode(Sha256::digest(format!("{charge} {before}")));
    format!("re_3{}", digest.get(..23).unwrap_or_default())
}

async fn change(stripe: &Stripe, connection: &mut SqliteConnection, id: &str, metadata: &Metadata) -> Result<Json, Refusal> {
    let mut values = Values::from([("id".into(), json!(id))]);
    let select = Script::new("refund", "select * from refunds where id = :id");
    let row = select.rows(connection, &values).await?.into_iter().next();
    let row = row.ok_or_else(|| Refusal::missing(404, "refund", id, "id"))?;
    values.insert("metadata".into(), json!(metadata.over(&text_of(&row, "metadata"))));
    Script::new("refund", "update refunds set metadata = :metadata where id = :id").run(connection, &values).await?;
    let rows = select.rows(connection, &values).await?;
    Ok(rows.first().map(|row| objects::refund(stripe, row)).unwrap_or_default())
}

fn text_of(row: &Row, column: &str) -> String {
    row.get(column).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn whole_of(row: &Row, column: &str) -> i64 {
    row.get(column).and_then(Json::as_i64).unwrap_or_default()
}
