//! Six bugs that a payment program may have, each as a wrapper round the real thing. The harness must catch every one:
//! a proof that cannot fail proves nothing.

use std::{net::SocketAddr, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sqlx::Connection as _;
use wheelhouse::{
    domain::{
        document::Precondition,
        journal::{Act, Entry},
        plan::{ActionId, Order},
        snapshot::JournalLine,
        text::Text,
        value::Value,
    },
    ports::{Answer, Mark, Outcome},
};

use super::place;
use crate::documents::server::ROOT;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bug {
    KeyPerAttempt,
    /// The state is written on its own, before the transaction with its entry.
    AuditApart,
    /// The journal says "written" and writes with the next call.
    SendBeforeWrite,
    /// A key that is older than a day goes out again.
    OldKey,
    /// A mark is looked for, then the statement is carried out, then the mark is written: no transaction round them.
    SelectThenUpdate,
    /// A document is written as it is at every attempt, not as it was decided upon, and under a mark of that attempt.
    AsItIsNow,
}

/// The mark of a program that makes a new key for every attempt.
pub fn anew(mark: &Mark) -> Mark {
    Mark { action: ActionId(format!("{}.{}", mark.action, mark.attempt)), ..mark.clone() }
}

/// The state alone, in a transaction of its own.
pub async fn write_apart(journal: &Path, act: &Act) {
    let mut connection = place::open(journal).await;
    sqlx::query("update plans set state = $1 where id = $2")
        .bind(serde_json::to_string(&act.state).unwrap())
        .bind(&act.plan.id.0)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// What a journal answers that has not written yet.
pub fn promised(entry: &Entry) -> JournalLine {
    JournalLine {
        sequence: 0,
        at: entry.at,
        who: entry.who.clone(),
        word: entry.word.clone(),
        said: entry.said.clone(),
        severity: entry.severity,
        printed: None,
    }
}

/// A write of a document, whatever it has become meanwhile.
pub async fn as_it_is_now(documents: SocketAddr, order: &Order) -> Order {
    let Order::Firestore { on, document, changes, .. } = order else { return order.clone() };
    let url = format!("http://{documents}/v1/{ROOT}/{document}");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let found: Json = client.get(url).bearer_auth("owner").send().await.unwrap().json().await.unwrap();
    let when = Precondition::UnchangedSince(found["updateTime"].as_str().unwrap().parse().unwrap());
    Order::Firestore { on: on.clone(), document: document.clone(), changes: changes.clone(), when }
}

/// The statement of an order behind a look for its mark; `between` is the moment that a transaction would have covered.
pub async fn select_then_update(business: &Path, order: &Order, mark: &Mark, between: impl Future<Output = ()>) -> Outcome {
    let Order::Sql { statement, parameters, .. } = order else { return Outcome::Rejected(Text::new("not an order for SQL")) };
    let mut connection = place::open(business).await;
    let step = i64::try_from(mark.step).unwrap();
    let there: Option<String> = sqlx::query_scalar("select operator from operator_actions where action_id = $1 and step = $2")
        .bind(&mark.action.0)
        .bind(step)
        .fetch_optional(&mut connection)
        .await
        .unwrap();
    let said = |words: &str| Outcome::Confirmed(Answer { reference: None, request: None, said: Text::new(words) });
    if there.is_some() {
        return said("already applied");
    }
    between.await;
    let query = sqlx::query(sqlx::AssertSqlSafe(statement.clone()));
    let values = parameters.iter().map(Value::original);
    values.fold(query, sqlx::query::Query::bind).execute(&mut connection).await.unwrap();
    sqlx::query("insert or ignore into operator_actions (action_id, step, target, operator) values ($1, $2, $3, $4)")
        .bind(&mark.action.0)
        .bind(step)
        .bind(&mark.target)
        .bind(&mark.operator)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    said("applied")
}
