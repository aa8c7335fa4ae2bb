//! Two ledgers over HTTP, paired by the program: one is read on by `Link` headers, the other is a search that is posted.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path},
};

use crate::cli::{Ran, wheelhouse};

const PACK: &str = r#"
[pack]
title = "Shop"
timezone = "UTC"
currency = "EUR"

[connections]
bank.http = { url_env = "SHOP_URL", token_env = "SHOP_TOKEN" }

[ledgers.bookings]
title = "bank"
read.http = { on = "bank", path = "/bookings?from={{ from }}&to={{ to }}", rows = "", columns = { id = "/id", cents = "/cents", at = "/at" }, pages.link = "next" }
columns = { key = "id", amount = "cents", at = "at" }

[ledgers.orders]
title = "orders"
read.http = { on = "bank", path = "/search", body = '{"between": ["{{ from }}", "{{ to }}"], "page": {"size": 40}}', rows = "/found", columns = { id = "/id", cents = "/cents", at = "/at" }, pages.cursor = { at = "/page/next", field = "/page/after" } }
columns = { key = "id", amount = "cents", at = "at" }

[reconciliations.sales]
title = "Sales, 30 days"
theirs = "bookings"
ours = "orders"
window = "30d"
"#;

/// A hundred sales of the last days; one amount differs between both sides.
fn sales(odd_cents: i64) -> Vec<Json> {
    let start: DateTime<Utc> = Utc::now() - TimeDelta::days(9);
    let sale = |id: i64| {
        let cents = if id == 77 { odd_cents } else { 100 + id };
        json!({ "id": format!("s{id}"), "cents": cents, "at": (start + TimeDelta::hours(id)).to_rfc3339() })
    };
    (0..100).map(sale).collect()
}

/// `last` is the header behind the last page.
async fn bank(last: &'static str) -> MockServer {
    let server = MockServer::start().await;
    let (bookings, orders) = (sales(5_000), sales(4_000));
    let by_link = move |request: &Request| {
        let asked: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        assert!(asked.contains_key("from") && asked.contains_key("to"), "{asked:?}");
        let first: usize = asked.get("first").map_or(0, |first| first.parse().unwrap());
        let page: Vec<&Json> = bookings.iter().skip(first).take(30).collect();
        let window = format!("from={}&to={}", asked["from"].replace('+', "%2B"), asked["to"].replace('+', "%2B"));
        let next = format!("</bookings?{window}&first={}>; rel=\"next\"", first + 30);
        let answer = ResponseTemplate::new(200).set_body_json(&page);
        answer.insert_header("link", if first + 30 < 100 { next } else { last.to_owned() })
    };
    let by_cursor = move |request: &Request| {
        let asked: Json = serde_json::from_slice(&request.body).unwrap();
        assert!(asked["between"][0].is_string() && asked["page"]["size"] == 40, "{asked}");
        let first = asked["page"]["after"].as_u64().unwrap_or(0) as usize;
        let page: Vec<&Json> = orders.iter().skip(first).take(40).collect();
        let next = (first + 40 < 100).then_some(first + 40);
        ResponseTemplate::new(200).set_body_json(json!({ "found": page, "page": { "next": next } }))
    };
    let token = || header("authorization", "Bearer tok_1");
    Mock::given(method("GET")).and(path("/bookings")).and(token()).respond_with(by_link).mount(&server).await;
    Mock::given(method("POST")).and(path("/search")).and(token()).respond_with(by_cursor).mount(&server).await;
    server
}

async fn reconcile(server: &MockServer) -> Ran {
    let home: TempDir = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("pack.toml"), PACK).unwrap();
    let url = server.uri();
    let run = move || {
        let mut command = wheelhouse(home.path());
        command.env("SHOP_URL", url).env("SHOP_TOKEN", "tok_1");
        Ran::of(command.args(["--pack", "pack.toml", "--state-dir", "state", "reconcile", "--json"]).output())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test]
async fn ledgers_by_links_and_by_a_posted_search_are_read_to_their_ends_and_paired() {
    let server = bank("").await;
    let told = reconcile(&server).await.ends(1).json();
    let statement = &told[0]["statement"];
    let discrepancies: Vec<&str> =
        statement["discrepancies"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(discrepancies, ["amount:s77:s77"], "{told}");
    let asked = server.received_requests().await.unwrap();
    let of = |path: &str| asked.iter().filter(|request| request.url.path() == path).count();
    assert_eq!((of("/bookings"), of("/search")), (4, 3), "every page once");
}

#[tokio::test]
async fn a_last_page_that_leads_elsewhere_pairs_nothing() {
    let elsewhere = MockServer::start().await;
    let link: &'static str = Box::leak(format!("<{}/bookings>; rel=\"next\"", elsewhere.uri()).into_boxed_str());
    let server = bank(link).await;
    let ran = reconcile(&server).await.ends(3);
    assert!(format!("{}{}", ran.out, ran.errors).contains("is outside the connection's address"), "{ran:?}");
    assert!(elsewhere.received_requests().await.unwrap().is_empty(), "the token goes nowhere else");
}
