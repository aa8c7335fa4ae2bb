//! Disputes: the object, evidence that is staged or submitted, and the end of one that is given up.
//! (<https://docs.stripe.com/api/disputes>)

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use sqlx::SqliteConnection;

use super::{
    Stripe,
    answer::Refusal,
    lists::Row,
    objects::{cell, metadata, text, whole},
    writes::{Metadata, truth},
};
use crate::{
    demo::script::{Script, Values},
    domain::amendment::{EVIDENCE, EVIDENCE_FIELDS},
};

/// A write that passed validation.
#[derive(Debug)]
pub(super) enum Order {
    /// `submit` is what Stripe takes for meant where nothing is said.
    Update {
        id: String,
        evidence: BTreeMap<String, String>,
        submit: bool,
        metadata: Metadata,
    },
    Close {
        id: String,
    },
}

pub(super) fn read(id: &str, params: &[(String, String)]) -> Result<Order, Refusal> {
    let (mut evidence, mut submit, mut metadata) = (BTreeMap::new(), None, Metadata::default());
    for (name, value) in params {
        let field = name.strip_prefix("evidence[").and_then(|rest| rest.strip_suffix(']'));
        match (name.as_str(), field) {
            ("submit", _) => submit = Some(truth(name, value)?),
            (_, Some(field)) if EVIDENCE_FIELDS.contains(&field) => drop(evidence.insert(field.to_owned(), value.clone())),
            _ if name.starts_with("expand[") => {}
            _ => metadata.take(name, value)?,
        }
    }
    metadata.check()?;
    // Nothing is sent to a bank by a word about something else.
    let submit = submit.unwrap_or(!evidence.is_empty());
    Ok(Order::Update { id: id.to_owned(), evidence, submit, metadata })
}

pub(super) async fn carry_out(stripe: &Stripe, connection: &mut SqliteConnection, order: &Order) -> Result<Json, Refusal> {
    let id = match order {
        Order::Update { id, .. } | Order::Close { id } => id,
    };
    let mut values = Values::from([("id".into(), json!(id))]);
    let select = Script::new("dispute", "select * from disputes where id = :id");
    let row = select.rows(connection, &values).await?.into_iter().next();
    let row = row.ok_or_else(|| Refusal::missing(404, "dispute", id, "dispute"))?;
    let is_open = matches!(text(&row, "status"), "needs_response" | "warning_needs_response");
    match order {
        Order::Close { .. } => {
            if !is_open {
                return Err(Refusal::invalid("This dispute is already closed."));
            }
            Script::new("dispute", "update disputes set status = 'lost' where id = :id").run(connection, &values).await?;
        }
        Order::Update { evidence, submit, metadata, .. } => {
            if !evidence.is_empty() || *submit {
                may_be_answered(&row, is_open)?;
            }
            let staged = staged(&row, evidence)?;
            values.insert("evidence".into(), json!(Json::Object(staged).to_string()));
            values.insert("metadata".into(), json!(metadata.over(text(&row, "metadata"))));
            values.insert("submit".into(), json!(i64::from(*submit)));
            let under_review = if text(&row, "status").starts_with("warning") { "warning_under_review" } else { "under_review" };
            values.insert("status".into(), json!(if *submit { under_review } else { text(&row, "status") }));
            let update = "update disputes set evidence = :evidence, metadata = :metadata, status = :status,
                submissions = submissions + :submit where id = :id";
            Script::new("dispute", update).run(connection, &values).await?;
        }
    }
    let rows = select.rows(connection, &values).await?;
    Ok(rows.first().map(|row| dispute(stripe, row)).unwrap_or_default())
}

fn may_be_answered(row: &Row, is_open: bool) -> Result<(), Refusal> {
    if !is_open {
        return Err(Refusal::invalid(format!("This dispute is {}: evidence is no longer taken.", text(row, "status"))));
    }
    if whole(row, "due_by") == 0 {
        return Err(Refusal::invalid("The customer's bank does not allow a response to this dispute."));
    }
    Ok(())
}

/// What is there with what comes; an empty text takes a field away.
fn staged(row: &Row, evidence: &BTreeMap<String, String>) -> Result<Map<String, Json>, Refusal> {
    let mut staged: Map<String, Json> = serde_json::from_str(text(row, "evidence")).unwrap_or_default();
    for (name, said) in evidence {
        if said.is_empty() {
            staged.remove(name);
        } else {
            staged.insert(name.clone(), json!(said));
        }
    }
    let characters: usize = staged.values().filter_map(Json::as_str).map(|said| said.chars().count()).sum();
    if characters > EVIDENCE {
        let message = "The combined character count of all evidence fields is limited to 150,000.";
        return Err(Refusal { param: Some("evidence".to_owned()), ..Refusal::invalid(message) });
    }
    Ok(staged)
}

pub(super) fn dispute(stripe: &Stripe, row: &Row) -> Json {
    let staged: Map<String, Json> = serde_json::from_str(text(row, "evidence")).unwrap_or_default();
    let mut evidence: Map<String, Json> =
        EVIDENCE_FIELDS.iter().map(|name| ((*name).to_owned(), staged.get(*name).cloned().unwrap_or_default())).collect();
    evidence.insert("enhanced_evidence".to_owned(), json!({}));
    let (due_by, submissions) = (whole(row, "due_by"), whole(row, "submissions"));
    json!({
        "id": cell(row, "id"),
        "object": "dispute",
        "amount": cell(row, "amount"),
        "balance_transactions": [],
        "charge": cell(row, "charge"),
        "created": cell(row, "created"),
        "currency": cell(row, "currency"),
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": due_by, "enhanced_eligibility": {}, "has_evidence": !staged.is_empty(),
            "past_due": submissions > 0 && due_by < stripe.now(), "submission_count": submissions
        },
        "is_charge_refundable": text(row, "status").starts_with("warning"),
        "livemode": stripe.declared.livemode,
        "metadata": metadata(row),
        "payment_intent": cell(row, "payment_intent"),
        "payment_method_details": {
            "type": "card",
            "card": { "brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "13.1" }
        },
        "reason": cell(row, "reason"),
        "status": cell(row, "status")
    })
}
