//! Lists that are a part, or may be one, and what is left out of them: never taken for the whole.

use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path, query_param, query_param_is_missing},
};

use super::tests::{charges, error, open, read, refund_of};
use crate::{
    adapters::testing::{mark, params, query, template},
    domain::{
        pack::{Read, StripeList, StripeRead},
        rows::Rows,
        value::Value,
    },
    ports::{Doer as _, Found, Outcome, Source as _, SourceError, Taker},
};

async fn answering(at: &str, body: Json) -> MockServer {
    let server = MockServer::start().await;
    serve(&server, at, body).await;
    server
}

async fn serve(server: &MockServer, at: &str, body: Json) {
    let get = Mock::given(method("GET")).and(path(format!("/v1/{at}")));
    get.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(server).await;
}

/// Pages that do not say, or not as Stripe does, whether they are the last.
fn unsaid(data: &Json) -> [Json; 3] {
    [json!({ "data": data }), json!({ "data": data, "has_more": null }), json!({ "data": data, "has_more": "false" })]
}

#[tokio::test]
async fn a_refund_is_not_absent_from_a_list_that_may_be_a_part() {
    for page in unsaid(&json!([{ "id": "re_1", "amount": 1 }])) {
        let server = answering("refunds", page.clone()).await;
        let found = open(&server.uri()).look_up(&refund_of("ch_1"), &mark("a")).await;
        let Found::CannotTell(why) = &found else { panic!("{page}: {found:?}") };
        assert!(why.shown().contains("refunds of ch_1: the list does not say whether there is more of it"), "{why}");

        let again = ResponseTemplate::new(400).set_body_json(error("invalid_request_error", "charge_already_refunded", "again"));
        Mock::given(method("POST")).respond_with(again).mount(&server).await;
        let outcome = open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{page}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_list_that_may_be_a_part_is_a_failure_in_every_look() {
    for page in unsaid(&json!([{ "id": "x_1" }])) {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200).set_body_json(&page)).mount(&server).await;
        let system = open(&server.uri());
        let customer = || Some(template("cus_1"));
        for (list, id) in [
            (StripeList::Charges, None),
            (StripeList::Subscriptions, None),
            (StripeList::UndeliveredEvents, None),
            (StripeList::Timeline, customer()),
        ] {
            for at_most in [None, Some(1)] {
                let failed = read(&system, StripeRead { list, id: id.clone(), at_most, ..charges() }, &[]).await;
                let Err(SourceError::Malformed(why)) = &failed else { panic!("{list:?} {page}: {failed:?}") };
                assert!(why.shown().contains("may be only a part"), "{why}");
            }
        }
        let failed = system.stream(&query(Read::Stripe(charges())), &params(&[]), &mut Ids::default()).await;
        assert!(matches!(failed, Err(SourceError::Malformed(_))), "{failed:?}");
    }
}

/// The ids that came, in their order.
#[derive(Default)]
struct Ids(Vec<String>);

impl Taker for Ids {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.0.extend(ids(&rows));
        Ok(())
    }
}

fn ids(rows: &Rows) -> Vec<String> {
    rows.iter().map(|row| row.find("id").unwrap().original()).collect()
}

/// Charges, of which one answer bears `most`: each is so big.
async fn heavy(count: usize, most: usize) -> MockServer {
    let server = MockServer::start().await;
    let page = move |request: &Request| {
        let given = |name: &str| request.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        let limit: usize = given("limit").unwrap().parse().unwrap();
        let from = given("starting_after").map_or(0, |id| id.trim_start_matches("ch_").parse::<usize>().unwrap() + 1);
        let padding = "x".repeat(if limit > most { 6 * 1024 * 1024 / limit } else { 1024 });
        let data: Vec<Json> =
            (from..count.min(from + limit)).map(|at| json!({ "id": format!("ch_{at}"), "description": padding })).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "has_more": from + limit < count, "data": data }))
    };
    Mock::given(path("/v1/charges")).respond_with(page).mount(&server).await;
    server
}

#[tokio::test]
async fn objects_that_are_too_big_for_one_answer_come_in_smaller_pages() {
    let expected: Vec<String> = (0..120).map(|at| format!("ch_{at}")).collect();
    let server = heavy(120, 20).await;
    assert_eq!(ids(&read(&open(&server.uri()), charges(), &[]).await.unwrap()), expected);
    let mut taken = Ids::default();
    let ledger = open(&server.uri());
    ledger.stream(&query(Read::Stripe(charges())), &params(&[]), &mut taken).await.unwrap();
    assert_eq!(taken.0, expected);
    let some = StripeRead { at_most: Some(30), ..charges() };
    assert_eq!(ids(&read(&open(&server.uri()), some, &[]).await.unwrap()), expected[..30]);

    // One that is too big by itself is told, and not asked for ever.
    let server = heavy(120, 0).await;
    let failed = read(&open(&server.uri()), charges(), &[]).await.unwrap_err();
    assert!(matches!(&failed, SourceError::Malformed(why) if why.shown().contains("bigger than 5 MiB")), "{failed:?}");
    assert!(server.received_requests().await.unwrap().len() < 10);
}

fn timeline(at_most: usize) -> StripeRead {
    StripeRead { list: StripeList::Timeline, id: Some(template("cus_1")), at_most: Some(at_most), ..charges() }
}

#[tokio::test]
async fn the_newest_of_a_customer_is_found_however_old_what_it_belongs_to() {
    let server = answering("customers/cus_1", json!({ "id": "cus_1", "created": 1 })).await;
    let plain = |id: &str, at: i64| json!({ "id": id, "created": at, "amount": 100, "status": "succeeded", "disputed": false, "refunds": { "data": [], "has_more": false } });
    let mut old = plain("ch_old", 10);
    old["disputed"] = json!(true);
    old["refunds"] = json!({ "data": [{ "id": "re_today", "created": 900, "amount": 100 }], "has_more": false });
    let all = json!([plain("ch_3", 300), plain("ch_2", 200), plain("ch_1", 100), old]);
    // As Stripe does: no more than was asked for.
    let page = move |request: &Request| {
        let limit = request.url.query_pairs().find(|(name, _)| name == "limit").unwrap().1.parse::<usize>().unwrap();
        let data: Vec<Json> = all.as_array().unwrap().iter().take(limit).cloned().collect();
        ResponseTemplate::new(200).set_body_json(json!({ "has_more": limit < 4, "data": data }))
    };
    Mock::given(path("/v1/charges")).and(query_param_is_missing("starting_after")).respond_with(page).mount(&server).await;
    let dispute = json!([{ "id": "dp_today", "created": 950, "amount": 100 }]);
    let disputes = ResponseTemplate::new(200).set_body_json(json!({ "data": dispute, "has_more": false }));
    Mock::given(path("/v1/disputes")).and(query_param("charge", "ch_old")).respond_with(disputes).mount(&server).await;
    serve(&server, "subscriptions", json!({ "data": [], "has_more": false })).await;
    serve(&server, "invoices", json!({ "data": [], "has_more": false })).await;
    let rows = read(&open(&server.uri()), timeline(3), &[]).await.unwrap();
    assert_eq!(ids(&rows), ["dp_today", "re_today", "ch_3"]);
}

#[tokio::test]
async fn what_a_charge_without_an_id_brings_along_is_told_and_what_cannot_be_asked_is_said() {
    let server = answering("customers/cus_1", json!({ "id": "cus_1", "created": 1 })).await;
    let within = json!({ "data": [{ "id": "re_1", "created": 300, "amount": 500 }], "has_more": false });
    let charges = json!([
        { "created": 200, "amount": 2200, "description": "a slot", "disputed": false, "refunds": within },
        { "created": 100, "amount": 2200, "description": "a slot", "disputed": false },
    ]);
    serve(&server, "charges", json!({ "data": charges, "has_more": false })).await;
    serve(&server, "subscriptions", json!({ "data": [], "has_more": false })).await;
    serve(&server, "invoices", json!({ "data": [], "has_more": false })).await;
    let rows = read(&open(&server.uri()), timeline(9), &[]).await.unwrap();
    let told: Vec<String> =
        rows.iter().map(|row| ["what", "said"].map(|name| row.find(name).unwrap().original()).join(" ")).collect();
    let unasked = "charge it has no id: what was refunded or disputed of it could not be asked";
    assert_eq!(told, ["refund ", "charge a slot", unasked, "customer "]);
}

#[test]
fn a_subscription_costs_what_its_items_add_up_to_and_nothing_is_said_where_they_do_not() {
    let item = |price: i64, quantity: Json, interval: &str| json!({ "quantity": quantity, "price": { "unit_amount": price, "recurring": { "interval": interval, "interval_count": 1 } } });
    let mut metered = item(5, json!(1), "month");
    metered.as_object_mut().unwrap().remove("quantity");
    let mut quarterly = item(7, json!(1), "month");
    quarterly["price"]["recurring"]["interval_count"] = json!(3);
    let monthly = || item(900, json!(2), "month");
    for (items, more, amount) in [
        (vec![monthly()], json!(false), Value::Integer(1800)),
        (vec![monthly(), item(5, json!(1), "month")], json!(false), Value::Integer(1805)),
        (vec![metered.clone()], json!(false), Value::Null),
        (vec![monthly(), metered], json!(false), Value::Null),
        (vec![monthly(), item(5, json!(1), "year")], json!(false), Value::Null),
        (vec![monthly(), quarterly], json!(false), Value::Null),
        (vec![monthly()], json!(true), Value::Null),
        (vec![monthly()], json!(null), Value::Null),
    ] {
        let list = json!({ "data": items, "has_more": more });
        let subscription = json!({ "id": "sub_1", "object": "subscription", "items": list });
        let list = StripeList::Subscriptions;
        let rows = super::object::rows(list, vec![super::object::fields(list, subscription.clone())]);
        assert_eq!(rows.first().unwrap().find("amount"), Some(&amount), "{subscription}");
    }
}
