use std::time::Duration;

use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path, query_param, query_param_is_missing},
};

use super::tests::{charges, error, open, open_within, pinned, read};
use crate::{
    adapters::testing::{LIMIT, params, query, template},
    domain::{
        pack::{Read, StripeList, StripeRead},
        rights::{Asking, Needs, Written},
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

fn timeline(at_most: impl Into<Option<usize>>) -> StripeRead {
    StripeRead { list: StripeList::Timeline, id: Some(template("{{ customer }}")), at_most: at_most.into(), ..charges() }
}

#[tokio::test]
async fn a_customers_timeline_is_one_list_of_all_that_happened_the_newest_first() {
    let server = MockServer::start().await;
    let customer = json!({ "id": "cus_1", "created": 100, "name": "Ana", "balance": 0, "currency": "aud" });
    let one = Mock::given(method("GET")).and(path("/v1/customers/cus_1"));
    one.respond_with(ResponseTemplate::new(200).set_body_json(customer)).mount(&server).await;
    let within = json!({ "data": [{ "id": "re_1", "created": 300, "amount": 500, "reason": "duplicate", "status": "succeeded" }], "has_more": false });
    let charges = json!([
        { "id": "ch_2", "created": 400, "amount": 2200, "currency": "aud", "status": "failed", "failure_message": "Declined", "disputed": false, "refunds": { "data": [], "has_more": false } },
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
        reads: ["charges", "refunds", "disputes", "invoices"].into(),
        writes: [Written::Refunds].into(),
        ..Needs::default()
    };
    let rights = open(&server.uri()).rights(&needs).await;
    let facts: Vec<(&str, &str)> = rights.facts.iter().map(|(label, said)| (*label, said.shown())).collect();
    assert_eq!(
        facts,
        [
            (
                "may read",
                "charges payment_intents refunds events balance_transactions customers subscriptions transfers webhook_endpoints"
            ),
            ("not needed", "payment_intents events balance_transactions customers subscriptions transfers webhook_endpoints"),
            ("needs to write", "refunds (`--writes` asks whether it may)"),
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

#[tokio::test]
async fn undelivered_events_take_the_right_to_read_endpoints_as_well() {
    let server = MockServer::start().await;
    let said = "Having the 'rak_webhook_read' permission would allow this request to continue.";
    let denied = ResponseTemplate::new(403).set_body_json(error("invalid_request_error", "", said));
    Mock::given(path("/v1/webhook_endpoints")).respond_with(denied).mount(&server).await;
    let empty = ResponseTemplate::new(200).set_body_json(json!({ "data": [], "has_more": false }));
    Mock::given(any()).respond_with(empty).mount(&server).await;
    let system = open(&server.uri());
    let lacks = async |list: StripeList| {
        let rights = system.rights(&Needs { reads: list.asks().into_iter().collect(), ..Needs::default() }).await;
        rights.lacks.iter().map(|lack| lack.shown().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lacks(StripeList::Events).await, [""; 0]);
    let lacks = lacks(StripeList::UndeliveredEvents).await;
    assert_eq!(lacks.len(), 1, "{lacks:?}");
    assert!(
        lacks[0].contains(
            "the pack reads webhook_endpoints, and the key may not: give it the right to read webhooks (`rak_webhook_read`)"
        ),
        "{lacks:?}"
    );
}

#[tokio::test]
async fn the_right_to_write_is_asked_for_what_cannot_exist_and_each_time_anew() {
    let server = MockServer::start().await;
    let missing = |status: u16, what: &str| {
        ResponseTemplate::new(status).set_body_json(error(
            "invalid_request_error",
            "resource_missing",
            &format!("No such {what}"),
        ))
    };
    let said = "Having the 'rak_dispute_write' permission would allow this request to continue.";
    let denied = ResponseTemplate::new(403).set_body_json(error("invalid_request_error", "", said));
    let odd = ResponseTemplate::new(404).set_body_json(error("invalid_request_error", "", "Unrecognized request URL"));
    let post = |at: &str| Mock::given(method("POST")).and(path(at.to_owned()));
    post("/v1/refunds").respond_with(missing(404, "charge")).mount(&server).await;
    post("/v1/subscriptions/sub_wheelhouse_asks_for_its_rights").respond_with(missing(400, "subscription")).mount(&server).await;
    post("/v1/disputes/dp_wheelhouse_asks_for_its_rights").respond_with(denied).mount(&server).await;
    post("/v1/events/evt_wheelhouse_asks_for_its_rights/retry").respond_with(odd).mount(&server).await;
    let empty = ResponseTemplate::new(200).set_body_json(json!({ "data": [], "has_more": false }));
    Mock::given(method("GET")).respond_with(empty).mount(&server).await;

    let writes = [Written::Refunds, Written::Disputes, Written::Subscriptions, Written::Events].into();
    let needs = Needs { writes, asking: Asking::Writes, ..Needs::default() };
    let system = open(&server.uri());
    let rights = system.rights(&needs).await;
    let may = rights.facts.iter().find(|(label, _)| *label == "may write").map(|(_, said)| said.shown());
    assert_eq!(may, Some("refunds subscriptions (asked for what does not exist)"), "{:?}", rights.facts);
    let lacks: Vec<&str> = rights.lacks.iter().map(Text::shown).collect();
    assert_eq!(lacks.len(), 2, "{lacks:?}");
    assert!(lacks[0].contains("the pack writes disputes, and the key may not: give it the right to write disputes"), "{lacks:?}");
    assert!(lacks[1].contains("may write events, which the pack does, could not be asked: 404 Unrecognized"), "{lacks:?}");

    system.rights(&needs).await;
    let asked = server.received_requests().await.unwrap();
    let posted: Vec<_> = asked.iter().filter(|request| request.method.as_str() != "GET").collect();
    assert_eq!(posted.len(), 8);
    let keys: std::collections::BTreeSet<&[u8]> =
        posted.iter().map(|request| request.headers.get("idempotency-key").unwrap().as_bytes()).collect();
    assert_eq!(keys.len(), 8, "an old answer would tell of old rights");
    let body = |at: &str| {
        let request = posted.iter().find(|request| request.url.path().contains(at)).unwrap();
        String::from_utf8_lossy(&request.body).into_owned()
    };
    assert_eq!(body("refunds"), "amount=1&charge=ch_wheelhouse_asks_for_its_rights");
    assert_eq!(body("disputes"), "submit=false", "a draft, even where all else fails");
    assert_eq!(body("subscriptions"), "");
}

#[tokio::test]
async fn no_write_is_asked_with_a_key_that_is_not_the_packs_own_and_a_success_is_a_cause_for_alarm() {
    let server = MockServer::start().await;
    let account = ResponseTemplate::new(200).set_body_json(json!({ "id": "acct_other", "data": [] }));
    Mock::given(method("GET")).respond_with(account).mount(&server).await;
    let done = ResponseTemplate::new(200).set_body_json(json!({ "id": "re_1", "status": "succeeded" }));
    Mock::given(method("POST")).respond_with(done).mount(&server).await;
    let needs = Needs { writes: [Written::Refunds].into(), asking: Asking::Writes, ..Needs::default() };

    let other = pinned(&server.uri(), LIMIT, Some("acct_1"), "rk_live").rights(&needs).await;
    let told = other.facts.iter().find(|(label, _)| *label == "needs to write").map(|(_, said)| said.shown());
    assert_eq!(told, Some("refunds (not asked: the key is not known to be the pack's own)"));
    assert!(server.received_requests().await.unwrap().iter().all(|request| request.method.as_str() == "GET"));

    let alarmed = open(&server.uri()).rights(&needs).await;
    let lacks: Vec<&str> = alarmed.lacks.iter().map(Text::shown).collect();
    assert!(lacks.iter().any(|lack| lack.contains("200 for what cannot exist; look at the account's log")), "{lacks:?}");
    assert!(alarmed.facts.iter().all(|(label, _)| *label != "may write"), "{:?}", alarmed.facts);
}
