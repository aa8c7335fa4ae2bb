use std::time::Duration;

use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path, query_param, query_param_is_missing},
};

use super::tests::{charges, error, open, open_within, read};
use crate::{
    adapters::testing::{params, query, template},
    domain::{
        pack::{Read, StripeList, StripeRead},
        rights::Needs,
        rows::Row,
        text::Text,
        value::Value,
    },
    ports::{Source as _, SourceError},
};

/// A list of Stripe's under its path.
async fn serve(server: &MockServer, list: &str, objects: Json) {
    let page = json!({ "object": "list", "data": objects, "has_more": false });
    let at = Mock::given(method("GET")).and(path(format!("/v1/{list}")));
    at.respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(server).await;
}

fn timeline(at_most: usize) -> StripeRead {
    StripeRead { list: StripeList::Timeline, id: Some(template("{{ customer }}")), at_most, ..charges() }
}

#[tokio::test]
async fn a_customers_timeline_is_one_list_of_all_that_happened_the_newest_first() {
    let server = MockServer::start().await;
    let customer = json!({ "id": "cus_1", "created": 100, "name": "Ana", "balance": 0, "currency": "aud" });
    let one = Mock::given(method("GET")).and(path("/v1/customers/cus_1"));
    one.respond_with(ResponseTemplate::new(200).set_body_json(customer)).mount(&server).await;
    let within = json!({ "data": [{ "id": "re_1", "created": 300, "amount": 500, "reason": "duplicate", "status": "succeeded" }], "has_more": false });
    let charges = json!([
        { "id": "ch_2", "created": 400, "amount": 2200, "currency": "aud", "status": "failed", "failure_message": "Declined", "refunds": { "data": [], "has_more": false } },
        { "id": "ch_1", "created": 200, "amount": 2200, "currency": "aud", "status": "succeeded", "disputed": true, "refunds": within },
    ]);
    let expanded =
        Mock::given(path("/v1/charges")).and(query_param("customer", "cus_1")).and(query_param("expand[]", "data.refunds"));
    let page = ResponseTemplate::new(200).set_body_json(json!({ "data": charges, "has_more": false }));
    expanded.respond_with(page).mount(&server).await;
    serve(
        &server,
        "disputes",
        json!([{ "id": "dp_1", "created": 500, "amount": 2200, "status": "needs_response", "reason": "fraudulent" }]),
    )
    .await;
    let ended = json!({ "id": "sub_1", "object": "subscription", "created": 150, "ended_at": 600, "status": "canceled", "cancellation_details": { "comment": "moved away" } });
    serve(&server, "subscriptions", json!([ended])).await;
    let of = json!({ "subscription_details": { "subscription": "sub_1" } });
    serve(
        &server,
        "invoices",
        json!([{ "id": "in_1", "created": 160, "amount_due": 900, "number": "A-1", "status": "paid", "parent": of }]),
    )
    .await;

    let system = open(&server.uri());
    let given = [("customer", Value::text("cus_1"))];
    let rows = read(&system, timeline(100), &given).await.unwrap();
    let text = |row: &Row, name: &str| row.find(name).unwrap().original();
    let told: Vec<[String; 4]> = rows.iter().map(|row| ["what", "id", "said", "about"].map(|name| text(row, name))).collect();
    let told: Vec<String> = told.iter().map(|cells| cells.join(" ")).collect();
    assert_eq!(
        told,
        [
            "end of subscription sub_1/end moved away ",
            "dispute dp_1 fraudulent ch_1",
            "charge ch_2 Declined ",
            "refund re_1 duplicate ch_1",
            "charge ch_1  ",
            "invoice in_1 A-1 sub_1",
            "subscription sub_1  ",
            "customer cus_1 Ana ",
        ]
    );
    assert_eq!(rows.first().unwrap().find("created"), Some(&Value::Time("1970-01-01T00:10:00Z".parse().unwrap())));
    assert_eq!(read(&system, timeline(3), &given).await.unwrap().len(), 3);
    assert!(read(&system, timeline(3), &[("customer", Value::text("cus_2"))]).await.is_err(), "half of it is never told");
}

#[tokio::test]
async fn a_timeline_fails_as_a_whole_where_one_of_its_lists_does() {
    let server = MockServer::start().await;
    let customer = ResponseTemplate::new(200).set_body_json(json!({ "id": "cus_1", "created": 100 }));
    Mock::given(path("/v1/customers/cus_1")).respond_with(customer).mount(&server).await;
    serve(&server, "charges", json!([])).await;
    serve(&server, "subscriptions", json!([])).await;
    let said = "Having the 'rak_invoice_read' permission would allow this request to continue.";
    let denied = ResponseTemplate::new(403).set_body_json(error("invalid_request_error", "", said));
    Mock::given(path("/v1/invoices")).respond_with(denied).mount(&server).await;
    let failed = read(&open(&server.uri()), timeline(9), &[("customer", Value::text("cus_1"))]).await.unwrap_err();
    let SourceError::Denied(why) = &failed else { panic!("{failed:?}") };
    assert!(why.shown().contains("give the key the right to read invoices (`rak_invoice_read`)"), "{why}");
    let gone = MockServer::start().await;
    let missing =
        ResponseTemplate::new(404).set_body_json(error("invalid_request_error", "resource_missing", "No such customer"));
    Mock::given(any()).respond_with(missing).mount(&gone).await;
    assert!(read(&open(&gone.uri()), timeline(9), &[("customer", Value::text("cus_1"))]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_long_list_may_take_longer_than_one_answer_and_tells_how_far_it_has_come() {
    let server = MockServer::start().await;
    let page = |from: usize, more: bool| {
        let data: Vec<Json> = (from..from + 100).map(|id| json!({ "id": format!("ch_{id}") })).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "data": data, "has_more": more }))
    };
    let slow = Duration::from_millis(400);
    Mock::given(query_param_is_missing("starting_after")).respond_with(page(0, true).set_delay(slow)).mount(&server).await;
    Mock::given(query_param("starting_after", "ch_99")).respond_with(page(100, true).set_delay(slow)).mount(&server).await;
    Mock::given(query_param("starting_after", "ch_199")).respond_with(page(200, false).set_delay(slow)).mount(&server).await;
    let system = open_within(&server.uri(), Duration::from_millis(900));
    let wanted = query(Read::Stripe(charges()));
    let given = params(&[]);
    let reading = system.read(&wanted, &given);
    let listening = async {
        let mut told = Vec::new();
        while !told.iter().any(|said: &String| said == "charges: 200 so far") {
            told.extend(system.progress().map(|said| said.shown().to_owned()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        told
    };
    let (rows, told) = tokio::join!(reading, listening);
    assert_eq!(rows.unwrap().len(), 300, "three pages of 400 ms each, within 900 ms for one");
    assert!(told.contains(&"charges: 100 so far".to_owned()), "{told:?}");
    assert_eq!(system.progress(), None);
    assert!(system.budget().unwrap().shown().starts_with("3 requests in the last 10 s, 200 at most"), "{:?}", system.budget());
}

#[tokio::test]
async fn the_rights_of_a_key_are_asked_list_by_list_and_held_against_what_is_needed() {
    let server = MockServer::start().await;
    let denied = |right: &str| {
        let said = format!("Having the '{right}' permission would allow this request to continue.");
        ResponseTemplate::new(403).set_body_json(error("invalid_request_error", "", &said))
    };
    Mock::given(path("/v1/disputes")).respond_with(denied("rak_dispute_read")).mount(&server).await;
    Mock::given(path("/v1/payouts")).respond_with(denied("rak_payout_read")).mount(&server).await;
    Mock::given(path("/v1/invoices")).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    let empty = ResponseTemplate::new(200).set_body_json(json!({ "data": [], "has_more": false }));
    Mock::given(query_param("limit", "1")).respond_with(empty).mount(&server).await;
    let needs = Needs {
        reads: [StripeList::Charges, StripeList::Refunds, StripeList::Disputes, StripeList::Invoices].into(),
        writes: ["refunds"].into(),
    };
    let rights = open(&server.uri()).rights(&needs).await;
    let facts: Vec<(&str, &str)> = rights.facts.iter().map(|(label, said)| (*label, said.shown())).collect();
    assert_eq!(
        facts,
        [
            ("may read", "charges payment_intents refunds events balance_transactions customers subscriptions transfers"),
            ("not needed", "payment_intents events balance_transactions customers subscriptions transfers"),
            ("needs to write", "refunds (only an act can try that)"),
        ]
    );
    let lacks: Vec<&str> = rights.lacks.iter().map(Text::shown).collect();
    assert_eq!(lacks.len(), 2, "{lacks:?}");
    assert!(
        lacks[0].contains("reads disputes, and the key may not: give it the right to read disputes (`rak_dispute_read`)"),
        "{lacks:?}"
    );
    assert!(lacks[1].contains("may read invoices") && lacks[1].contains("could not be asked"), "{lacks:?}");
    assert!(server.received_requests().await.unwrap().iter().all(|request| request.method.as_str() == "GET"));
}
