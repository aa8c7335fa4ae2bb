//! Stripe's own sample objects, one of each kind: whatever they lack, whatever stands in them, a look never breaks.
//!
//! They are Stripe's and not part of this repository: `WHEELHOUSE_STRIPE_SAMPLES` names the file, or it lies in
//! `shared/data` beside or above it. Where it is not there, that is said, and nothing of this is tested.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use super::{object, tests as beside};
use crate::{
    adapters::testing::{params, query, template},
    domain::{
        pack::{Read, StripeList, StripeRead},
        rows::Row,
        value::Value,
    },
    ports::Source as _,
};

/// Each kind of object with its sample; `None` where the file is not there.
pub(super) fn samples() -> Option<Map<String, Json>> {
    let named = std::env::var_os("WHEELHOUSE_STRIPE_SAMPLES").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    let mut places = named.into_iter().chain(above.map(|folder| folder.join("shared/data/stripe-fixtures3.json")));
    let Some(text) = places.find_map(|place| std::fs::read_to_string(place).ok()) else {
        println!("Stripe's sample objects are not here (WHEELHOUSE_STRIPE_SAMPLES names the file): they were not read");
        return None;
    };
    let all: Json = serde_json::from_str(&text).unwrap();
    Some(all["resources"].as_object().unwrap().clone())
}

/// The list in which an object of this kind comes; for the others any will do.
fn list_of(kind: &str) -> StripeList {
    let found = StripeList::ALL.into_iter().find(|list| list.word().strip_suffix('s') == Some(kind));
    found.unwrap_or(StripeList::Charges)
}

fn row(list: StripeList, object: Json) -> Row {
    let rows = object::rows(list, vec![object::fields(list, object)]);
    assert_eq!(rows.len(), 1);
    rows.into_rows().remove(0)
}

/// With one thing different at the top, in every way: taken away, null, and of every other kind.
fn spoiled(sample: &Map<String, Json>) -> Vec<(String, Map<String, Json>)> {
    let others = [json!(null), json!(true), json!(-7), json!(0.5), json!("a word of tomorrow"), json!([1]), json!({ "id": 7 })];
    let mut all = Vec::new();
    for name in sample.keys() {
        let mut without = sample.clone();
        without.remove(name);
        all.push((name.clone(), without));
        for other in &others {
            let mut with = sample.clone();
            with.insert(name.clone(), other.clone());
            all.push((name.clone(), with));
        }
    }
    all
}

#[test]
fn each_sample_is_a_row_whatever_is_taken_away_or_is_something_else() {
    let Some(samples) = samples() else { return };
    assert!(samples.len() > 150, "{}", samples.len());
    for (kind, sample) in &samples {
        let list = list_of(kind);
        let fields = sample.as_object().unwrap();
        let whole = row(list, sample.clone());
        if list_of(kind) != StripeList::Charges || kind == "charge" {
            assert_eq!(whole.find("odd").unwrap_or(&Value::Null), &Value::Null, "{kind}");
        }
        for (name, spoiled) in spoiled(fields) {
            let row = row(list, Json::Object(spoiled));
            // What was not touched is as it was; what is made of several fields may differ.
            let made = ["odd", "raw", "amount", "due_by", "current_period_end", "subscription"];
            for (column, value) in whole.cells().filter(|(column, _)| *column != name && !made.contains(column)) {
                let is_of_it = column.starts_with(&format!("{name}."));
                assert!(is_of_it || row.find(column).unwrap_or(&Value::Null) == value, "{kind} without {name}: {column}");
            }
        }
    }
}

#[test]
fn what_every_rule_counts_on_is_missed_in_words_and_the_object_kept() {
    let Some(samples) = samples() else { return };
    for (kind, name, said) in [
        ("dispute", "status", "no `status`"),
        ("charge", "id", "no `id`"),
        ("payout", "amount", "no `amount`"),
        ("subscription", "customer", "no `customer`"),
        ("invoice", "amount_due", "no `amount_due`"),
        ("customer", "created", "no `created`"),
        ("refund", "currency", "no `currency`"),
    ] {
        let mut object = samples[kind].as_object().unwrap().clone();
        let taken = object.remove(name).unwrap();
        let row = row(list_of(kind), Json::Object(object.clone()));
        assert_eq!(row.find("odd"), Some(&Value::text(said)), "{kind}");
        assert_eq!(row.find("raw"), Some(&Value::Json(Json::Object(object.clone()))), "{kind}");
        assert_eq!(row.find(name), Some(&Value::Null), "{kind}: the column is there all the same");
        object.insert(name.to_owned(), if taken.is_string() { json!(7) } else { json!("seven") });
        let row = self::row(list_of(kind), Json::Object(object));
        assert!(row.find("odd").unwrap().original().contains(&format!("`{name}` is a ")), "{kind}: {row:?}");
    }
}

#[tokio::test]
async fn a_list_of_all_of_them_loses_none() {
    let Some(samples) = samples() else { return };
    let objects: Vec<&Json> = samples.values().collect();
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_json(json!({ "object": "list", "data": objects, "has_more": false }));
    Mock::given(method("GET")).respond_with(page).mount(&server).await;
    for list in StripeList::ALL.into_iter().filter(|list| list.is_stripes_own()) {
        let read = StripeRead { list, ..beside::charges() };
        let rows = beside::open(&server.uri()).read(&query(Read::Stripe(read)), &params(&[])).await.unwrap();
        assert_eq!(rows.len(), samples.len(), "{list:?}");
        for (row, sample) in rows.iter().zip(&objects) {
            let id = sample.get("id").and_then(Json::as_str).map_or(Value::Null, Value::text);
            assert_eq!(row.find("id"), Some(&id));
        }
    }
}

#[tokio::test]
async fn a_timeline_of_samples_is_told_also_where_one_of_them_lacks_something() {
    let Some(samples) = samples() else { return };
    let sample = |kind: &str| samples[kind].as_object().unwrap().clone();
    for kind in ["charge", "refund", "dispute", "subscription", "invoice"] {
        let names: Vec<String> = sample(kind).keys().cloned().collect();
        for name in names {
            let server = MockServer::start().await;
            let of = |word: &str| {
                let mut object = sample(word);
                if word == "charge" {
                    object.insert("disputed".to_owned(), json!(true));
                    // So that they are asked for.
                    object.remove("refunds");
                }
                if word == kind {
                    object.remove(&name);
                }
                Json::Object(object)
            };
            let serve = async |path: &str, body: Json| {
                let at = Mock::given(method("GET")).and(wiremock::matchers::path(path));
                at.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
            };
            serve("/v1/customers/cus_1", samples["customer"].clone()).await;
            for (list, word) in [
                ("charges", "charge"),
                ("refunds", "refund"),
                ("disputes", "dispute"),
                ("subscriptions", "subscription"),
                ("invoices", "invoice"),
            ] {
                serve(&format!("/v1/{list}"), json!({ "data": [of(word)], "has_more": false })).await;
            }
            let id = Some(template("cus_1"));
            let read = StripeRead { list: StripeList::Timeline, id, ..beside::charges() };
            let rows = beside::open(&server.uri()).read(&query(Read::Stripe(read)), &params(&[])).await.unwrap();
            let told: Vec<String> = rows.iter().filter_map(|row| row.find("what")).map(Value::original).collect();
            // Of a charge without an id they cannot be asked, and that is said.
            let by_id: &[&str] = if (kind, name.as_str()) == ("charge", "id") { &[] } else { &["refund", "dispute"] };
            for what in ["customer", "charge", "subscription", "invoice"].iter().chain(by_id) {
                assert!(told.contains(&(*what).to_owned()), "{kind} without {name}: {told:?}");
            }
            let unasked = rows.iter().any(|row| row.find("said").unwrap().original().contains("could not be asked"));
            assert_eq!(unasked, by_id.is_empty(), "{kind} without {name}");
        }
    }
}

#[tokio::test]
async fn an_undelivered_sample_waits_also_where_it_or_its_endpoint_lacks_something() {
    let Some(samples) = samples() else { return };
    let sample = |kind: &str| {
        let mut object = samples[kind].as_object().unwrap().clone();
        if kind == "webhook_endpoint" {
            object.insert("enabled_events".to_owned(), json!([samples["event"]["type"]]));
            object.insert("created".to_owned(), samples["event"]["created"].clone());
        }
        object
    };
    let wanted = samples["webhook_endpoint"]["id"].as_str().unwrap();
    for kind in ["event", "webhook_endpoint"] {
        for (name, spoiled) in spoiled(&sample(kind)) {
            let server = MockServer::start().await;
            for (at, of) in [("/v1/events", "event"), ("/v1/webhook_endpoints", "webhook_endpoint")] {
                let one = if of == kind { spoiled.clone() } else { sample(of) };
                let page = ResponseTemplate::new(200).set_body_json(json!({ "data": [one], "has_more": false }));
                Mock::given(wiremock::matchers::path(at)).respond_with(page).mount(&server).await;
            }
            let endpoint = Some(template(wanted));
            let read = StripeRead { list: StripeList::UndeliveredEvents, endpoint, ..beside::charges() };
            match beside::open(&server.uri()).read(&query(Read::Stripe(read)), &params(&[])).await {
                // Another type is certainly none of those that the endpoint takes; another moment may be before its own.
                Ok(rows) => assert!(rows.len() == 1 || is_another(&spoiled, &name), "{kind} {name}: {spoiled:?}"),
                Err(why) => assert_eq!((kind, name.as_str()), ("webhook_endpoint", "id"), "{why}"),
            }
        }
    }
}

/// Whether what stands there in place of the sample's own is of the same kind, and so is believed.
fn is_another(object: &Map<String, Json>, name: &str) -> bool {
    match name {
        "type" => object.get(name).is_some_and(Json::is_string),
        "created" => object.get(name).is_some_and(Json::is_i64),
        _ => false,
    }
}
