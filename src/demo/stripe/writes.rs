//! Writes: which object is meant, what is common to all of them, and how each is carried out.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value as Json, json};
use sqlx::SqliteConnection;

use super::{Asked, Stripe, answer::Refusal, billing, disputes, refunds};

/// A write that passed validation.
#[derive(Debug)]
pub(super) enum Write {
    Refund(refunds::Order),
    Dispute(disputes::Order),
    Subscription(billing::Order),
}

/// True for what is written to at all.
pub(super) fn is_one(method: &Method, parts: &[&str]) -> bool {
    match parts {
        ["v1", "refunds"] | ["v1", "refunds" | "disputes", _] | ["v1", "disputes", _, "close"] | ["v1", "events", _, "retry"] => {
            *method == Method::POST
        }
        ["v1", "subscriptions", _] => *method == Method::POST || *method == Method::DELETE,
        _ => false,
    }
}

/// Refuses what is wrong in form, before anything is looked up.
pub(super) fn read(asked: &Asked) -> Result<Write, Refusal> {
    let params = &asked.params;
    match asked.path.trim_start_matches("/v1/").split('/').collect::<Vec<_>>().as_slice() {
        ["disputes", id, "close"] => Ok(Write::Dispute(disputes::Order::Close { id: (*id).to_owned() })),
        ["disputes", id] => disputes::read(id, params).map(Write::Dispute),
        ["subscriptions", id] => billing::read(id, params, asked.method == Method::DELETE).map(Write::Subscription),
        _ => refunds::read(&asked.path, params).map(Write::Refund),
    }
}

pub(super) async fn carry_out(stripe: &Stripe, connection: &mut SqliteConnection, write: &Write) -> Result<Json, Refusal> {
    match write {
        Write::Refund(order) => refunds::carry_out(stripe, connection, order).await,
        Write::Dispute(order) => disputes::carry_out(stripe, connection, order).await,
        Write::Subscription(order) => billing::carry_out(stripe, connection, order).await,
    }
}

/// What is noted with an object.
#[derive(Debug, Default)]
pub(super) struct Metadata(pub BTreeMap<String, String>);

impl Metadata {
    /// A parameter that is nothing else must be one of its keys.
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let key = name.strip_prefix("metadata[").and_then(|rest| rest.strip_suffix(']'));
        let key =
            key.ok_or_else(|| Refusal::of_param("parameter_unknown", name, format!("Received unknown parameter: {name}")))?;
        self.0.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// 50 keys, 40 characters a key, 500 a value.
    pub fn check(&self) -> Result<(), Refusal> {
        let fits = |(key, value): (&String, &String)| key.chars().count() <= 40 && value.chars().count() <= 500;
        if self.0.len() > 50 || !self.0.iter().all(fits) {
            let message = "Metadata takes 50 keys of up to 40 characters with values of up to 500 characters.";
            return Err(Refusal { param: Some("metadata".to_owned()), ..Refusal::invalid(message) });
        }
        Ok(())
    }

    /// Over what is there, as JSON; an empty value takes a key away.
    pub fn over(&self, there: &str) -> String {
        let mut all: Map<String, Json> = serde_json::from_str(there).unwrap_or_default();
        for (key, value) in &self.0 {
            if value.is_empty() {
                all.remove(key);
            } else {
                all.insert(key.clone(), json!(value));
            }
        }
        Json::Object(all).to_string()
    }
}

pub(super) fn truth(name: &str, value: &str) -> Result<bool, Refusal> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refusal::of_param("parameter_invalid_boolean", name, format!("Invalid boolean: {value}"))),
    }
}
