//! The demo town: its figures, its stand-ins, its faults.

mod faults;
mod figures;
mod living;
mod pack;
mod refunds;
mod site;
mod stripe;

use std::sync::Once;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use wheelhouse::demo::{Fault, Options, Town};

/// A Thursday afternoon in Sydney.
fn moment() -> DateTime<Utc> {
    "2026-11-19T03:00:00Z".parse().unwrap()
}

fn options() -> Options {
    Options { pack: "dtd".to_owned(), seed: 7, at: Some(moment()), ..Options::default() }
}

async fn town() -> Town {
    Town::open(options()).await.unwrap()
}

async fn town_with(faults: &[&str]) -> Town {
    let faults = faults.iter().map(|text| Fault::parse(text).unwrap()).collect();
    Town::open(Options { faults, ..options() }).await.unwrap()
}

async fn connect(town: &Town) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&town.business)).await.unwrap()
}

/// The first row of a query whose cells are texts (`null` for none), with `:now` and `-N days` left to SQLite.
async fn row(town: &Town, query: &str) -> Vec<String> {
    let query = query.replace(":now", "'2026-11-19 03:00:00'");
    let row = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(&mut connect(town).await).await.unwrap();
    (0..row.len()).map(|at| row.get_unchecked::<Option<String>, _>(at).unwrap_or_else(|| "null".to_owned())).collect()
}

async fn change(town: &Town, statement: &str) {
    let statement = statement.to_owned();
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connect(town).await).await.unwrap();
}

fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(20)).build().unwrap()
}

/// Someone who calls the town's Stripe with its key.
struct Caller {
    client: reqwest::Client,
    base: String,
    key: String,
}

impl Caller {
    fn of(town: &Town) -> Self {
        let name = |suffix: &str| town.environment.iter().find(|(name, _)| name.ends_with(suffix)).unwrap().1.clone();
        Self { client: client(), base: name("_STRIPE_URL"), key: name("_STRIPE_KEY") }
    }

    async fn list(&self, path: &str) -> Json {
        let answer = self.client.get(format!("{}v1/{path}", self.base)).bearer_auth(&self.key).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn data(&self, path: &str) -> Vec<Json> {
        self.list(path).await.get("data").and_then(Json::as_array).unwrap_or_else(|| panic!("{path} is no list")).clone()
    }

    /// `form` is what goes into the body, encoded already.
    fn post(&self, path: &str, key: Option<&str>, form: &str) -> reqwest::RequestBuilder {
        let mut request = self
            .client
            .post(format!("{}v1/{path}", self.base))
            .bearer_auth(&self.key)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request
    }

    async fn refund(&self, key: &str, form: &str) -> Reply {
        Reply::of(self.post("refunds", Some(key), form).send().await.unwrap()).await
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
    body: Json,
}

impl Reply {
    async fn of(answer: reqwest::Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn at(&self, pointer: &str) -> &Json {
        self.body.pointer(pointer).unwrap_or(&Json::Null)
    }
}

fn later(hours: i64) -> DateTime<Utc> {
    moment() + TimeDelta::hours(hours)
}
