//! Idempotency keys as Stripe keeps them (<https://docs.stripe.com/api/idempotent_requests>).
//!
//! The first status and body under a key are given again to the same request, failures of the service too; the same key
//! with another request is an error; two at once conflict; what fails validation is not kept; after 24 hours a key is new.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::Method;
use serde_json::{Value as Json, json};
use sqlx::{Connection as _, SqliteConnection};

use super::{
    Asked, Stripe,
    answer::{Answer, Refusal},
    webhooks, writes,
};
use crate::demo::{
    error::Error,
    script::{Script, Values},
    stand_in::{STRIPE_FAILING, Trouble},
};

const KEPT: i64 = 24 * 3_600;

/// Keys whose requests are being carried out.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<Mutex<HashSet<String>>>);

struct Held {
    key: String,
    keys: InFlight,
}

impl InFlight {
    fn hold(&self, key: &str) -> Option<Held> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        free.then(|| Held { key: key.to_owned(), keys: self.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Carries out a write, at most once for its key.
pub(super) async fn once(stripe: &Stripe, asked: &Asked) -> Answer {
    // What is taken away is the same twice: Stripe takes no notice of a key there.
    let Some(key) = asked.key.as_ref().filter(|_| asked.method != Method::DELETE) else {
        return carry_out(stripe, asked, None).await.unwrap_or_else(Answer::from);
    };
    if key.is_empty() || key.len() > 255 {
        return Refusal::invalid("Idempotency keys must be between 1 and 255 characters long.").into();
    }
    let Some(_held) = stripe.in_flight.hold(key) else { return conflict(key).into() };
    let answer = match kept(stripe, asked, key).await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => carry_out(stripe, asked, Some(key)).await,
        Err(refusal) => Err(refusal),
    };
    Answer { key: Some(key.clone()), ..answer.unwrap_or_else(Answer::from) }
}

fn conflict(key: &str) -> Refusal {
    Refusal {
        status: 409,
        code: Some("idempotency_key_in_use"),
        retry: Some(true),
        ..Refusal::invalid(format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): {key}. Please try again later.",
        ))
    }
}

/// The request as it is compared: order does not matter.
fn canonical(params: &[(String, String)]) -> String {
    let mut sorted = params.to_vec();
    sorted.sort();
    json!(sorted).to_string()
}

async fn kept(stripe: &Stripe, asked: &Asked, key: &str) -> Result<Option<Answer>, Refusal> {
    let source = "select endpoint, params, status, body, request from idempotency where key = :key and created > :since";
    let values = Values::from([("key".into(), json!(key)), ("since".into(), json!(stripe.now() - KEPT))]);
    let rows = stripe.board.rows(source, &values).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let text = |column: &str| row.get(column).and_then(Json::as_str).unwrap_or_default().to_owned();
    let wrong = |message: String| Refusal { kind: "idempotency_error", ..Refusal::invalid(message) };
    if text("endpoint") != asked.path {
        return Err(wrong(format!(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' vs '{}'). Try using a key other than '{key}' if you meant to execute a different request.",
            asked.path,
            text("endpoint"),
        )));
    }
    if text("params") != canonical(&asked.params) {
        return Err(wrong(format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request.",
        )));
    }
    let status = row.get("status").and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
    let mut answer = Answer::of(status, &Json::Null);
    answer.body = text("body");
    answer.replay_of = Some(text("request"));
    Ok(Some(answer))
}

/// Does it and remembers the answer, in one transaction: a process that dies between the two would pay twice.
async fn carry_out(stripe: &Stripe, asked: &Asked, key: Option<&str>) -> Result<Answer, Refusal> {
    let retried = match webhooks::retried(&asked.path).filter(|_| asked.trouble != Some(Trouble::Failing)) {
        Some(event) => Some(webhooks::retry(stripe, asked, event).await?),
        None => None,
    };
    let mut connection = stripe.board.stand_ins.enter().await.map_err(Error::sql("stripe"))?;
    let mut transaction = connection.begin_with("begin immediate").await.map_err(Error::sql("stripe"))?;
    let answer = if asked.trouble == Some(Trouble::Failing) {
        Answer { body: STRIPE_FAILING.to_owned(), ..Answer::of(500, &Json::Null) }
    } else if let Some(event) = retried {
        Answer::ok(&event)
    } else {
        let write = writes::read(asked)?;
        match writes::carry_out(stripe, &mut transaction, &write).await {
            Ok(object) => Answer::ok(&object),
            Err(refusal) if refusal.code == Some("resource_missing") => return Err(refusal),
            Err(refusal) => refusal.into(),
        }
    };
    if let Some(key) = key {
        keep(stripe, asked, key, &answer, &mut transaction).await?;
    }
    transaction.commit().await.map_err(Error::sql("stripe"))?;
    if let Some(Trouble::Slow(pause)) = asked.trouble {
        tokio::time::sleep(pause).await;
    }
    Ok(answer)
}

async fn keep(
    stripe: &Stripe,
    asked: &Asked,
    key: &str,
    answer: &Answer,
    connection: &mut SqliteConnection,
) -> Result<(), Error> {
    let source = "insert or replace into idempotency (key, endpoint, params, status, body, request, created)
        values (:key, :endpoint, :params, :status, :body, :request, :created)";
    let values = Values::from([
        ("key".into(), json!(key)),
        ("endpoint".into(), json!(asked.path)),
        ("params".into(), json!(canonical(&asked.params))),
        ("status".into(), json!(answer.status)),
        ("body".into(), json!(answer.body)),
        ("request".into(), json!(answer.request)),
        ("created".into(), json!(stripe.now())),
    ]);
    Script::new("idempotency", source).run(connection, &values).await.map(drop)
}
