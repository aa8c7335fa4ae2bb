use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, header, method, path, query_param, query_param_is_missing},
};

use super::*;
use crate::{
    adapters::testing::{CANARY, LIMIT, breaks_off, mark, never_answers, nobody, params, query, template, words},
    domain::{
        id::Id,
        money::{Currency, Money},
        pack::{MOST_ROWS, StripeList, StripeRead},
        value::Value,
    },
};

pub(super) fn open_within(url: &str, limit: Duration) -> StripeSystem {
    pinned(url, limit, None, "rk_live")
}

pub(super) fn pinned(url: &str, limit: Duration, account: Option<&str>, key: &str) -> StripeSystem {
    let key = Secret::secret(&format!("{key}_{CANARY}"));
    StripeSystem::open("stripe", key, Some(&Secret::plain(url)), account, true, false, limit).unwrap()
}

pub(super) fn open(url: &str) -> StripeSystem {
    open_within(url, LIMIT)
}

pub(super) fn refund_of(charge: &str) -> Order {
    let amount = Money::new(2200, Currency::from_code("AUD").unwrap());
    Order::Refund { on: Id::new("stripe"), charge: charge.into(), amount, reason: Some("requested_by_customer".into()) }
}

pub(super) fn error(kind: &str, code: &str, message: &str) -> Json {
    json!({ "error": { "type": kind, "code": code, "message": message } })
}

async fn answering(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(reply).mount(&server).await;
    server
}

async fn listing(refunds: Json) -> MockServer {
    let server = MockServer::start().await;
    let list = json!({ "object": "list", "data": refunds, "has_more": false });
    Mock::given(method("GET"))
        .and(path("/v1/refunds"))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(&server)
        .await;
    server
}

pub(super) fn charges() -> StripeRead {
    StripeRead {
        list: StripeList::Charges,
        id: None,
        filters: Vec::new(),
        window: None,
        at_most: None,
        endpoint: None,
        except: None,
    }
}

pub(super) async fn read(system: &StripeSystem, what: StripeRead, given: &[(&str, Value)]) -> Result<Rows, SourceError> {
    system.read(&query(Read::Stripe(what)), &params(given)).await
}

#[tokio::test]
async fn a_refund_carries_our_key_our_name_and_the_same_bytes() {
    let server = MockServer::start().await;
    let done = ResponseTemplate::new(200)
        .insert_header("request-id", "req_1")
        .set_body_json(json!({ "id": "re_1", "status": "succeeded" }));
    Mock::given(method("POST"))
        .and(path("/v1/refunds"))
        .and(header("idempotency-key", "act7-0"))
        .and(header("authorization", format!("Bearer rk_live_{CANARY}").as_str()))
        .and(header("stripe-version", "2026-09-30.endive"))
        .respond_with(done)
        .mount(&server)
        .await;
    let system = open(&server.uri());
    let outcome = system.act(&refund_of("ch_1"), &mark("act7")).await;
    let Outcome::Confirmed(answer) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.reference.as_deref(), answer.request.as_deref()), (Some("re_1"), Some("req_1")));
    assert_eq!(words(&outcome), "stripe: refund of ch_1: re_1 succeeded");

    // Another program, the same act: byte for byte.
    open(&server.uri()).act(&refund_of("ch_1"), &mark("act7")).await;
    let requests = server.received_requests().await.unwrap();
    let bodies: Vec<&[u8]> = requests.iter().map(|request: &Request| request.body.as_slice()).collect();
    assert_eq!(bodies.first(), bodies.get(1));
    let pairs: Vec<(String, String)> =
        reqwest::Url::parse(&format!("x:?{}", String::from_utf8_lossy(bodies[0]))).unwrap().query_pairs().into_owned().collect();
    let expected = [
        ("amount", "2200"),
        ("charge", "ch_1"),
        ("metadata[operator]", "ana"),
        ("metadata[target]", "rr_1"),
        ("metadata[wheelhouse_action]", "act7"),
        ("metadata[wheelhouse_step]", "0"),
        ("reason", "requested_by_customer"),
    ];
    for (name, value) in expected {
        assert!(pairs.contains(&(name.to_owned(), value.to_owned())), "{name}: {pairs:?}");
    }
    assert_eq!(pairs.len(), expected.len());
}

#[tokio::test]
async fn a_payment_intent_is_named_as_one() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({ "id": "re_1" }))).await;
    open(&server.uri()).act(&refund_of("pi_1"), &mark("a")).await;
    let body = String::from_utf8(server.received_requests().await.unwrap()[0].body.clone()).unwrap();
    assert!(body.contains("payment_intent=pi_1") && !body.contains("charge="), "{body}");
}

#[tokio::test]
async fn each_answer_to_a_refund_means_one_thing() {
    let invalid = "invalid_request_error";
    let cases = [
        (200, json!({ "id": "re_1", "status": "pending" }), "Confirmed", "re_1 pending"),
        (200, json!({ "odd": true }), "Confirmed", "without an id"),
        (200, json!({ "id": "re_1", "status": "failed", "failure_reason": "lost_card" }), "Rejected", "re_1 failed: lost_card"),
        (200, json!([]), "Unknown", "without an object"),
        (
            400,
            error(invalid, "amount_too_large", "Too much"),
            "Rejected",
            "refund of ch_1 refused: 400 Too much [amount_too_large]",
        ),
        (400, error("idempotency_error", "", "Keys for idempotent requests"), "Rejected", "our bug"),
        (401, error(invalid, "", "Invalid API Key"), "Rejected", "denied: 401 Invalid API Key"),
        (402, error("card_error", "", "Insufficient funds"), "Rejected", "Insufficient funds"),
        (403, error(invalid, "", "No permission"), "Rejected", "lacks a permission"),
        (404, error(invalid, "resource_missing", "No such charge"), "Rejected", "No such charge"),
        (409, error("idempotency_error", "idempotency_key_in_use", "in use"), "Again", "in use"),
        (429, error(invalid, "lock_timeout", "locked"), "Again", "locked"),
        (500, error("api_error", "", "Sorry"), "Unknown", "Sorry"),
    ];
    for (status, body, kind, said) in cases {
        let server = answering(ResponseTemplate::new(status).set_body_json(&body)).await;
        let outcome = open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await;
        assert!(format!("{outcome:?}").starts_with(kind), "{status} {body}: {outcome:?}");
        assert!(words(&outcome).contains(said), "{status} {body}: {outcome:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "the journal repeats, not the transport");
    }
}

#[tokio::test]
async fn what_something_in_between_says_is_not_stripes_word() {
    for status in [200, 302, 403, 404, 429, 502] {
        let server = answering(ResponseTemplate::new(status).set_body_string(format!("<html>Bad gateway {CANARY}</html>"))).await;
        let outcome = open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{status}: {outcome:?}");
    }
    let server = answering(ResponseTemplate::new(400).set_body_json(error("x", "y", &format!("key rk_live_{CANARY}")))).await;
    let outcome = open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await;
    assert!(!format!("{outcome:?}").contains(CANARY), "{outcome:?}");
}

#[tokio::test]
async fn stripe_says_whether_and_when_to_ask_again() {
    let reply = |status, should: &str| {
        let reply = ResponseTemplate::new(status).set_body_json(error("invalid_request_error", "", "busy"));
        reply.insert_header("stripe-should-retry", should).insert_header("retry-after", "7")
    };
    let server = answering(reply(429, "true")).await;
    let outcome = open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { after, .. } if after == Duration::from_secs(7)), "{outcome:?}");
    let server = answering(reply(409, "false")).await;
    assert!(matches!(open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await, Outcome::Rejected(_)));
    let server = answering(reply(400, "true")).await;
    assert!(matches!(open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await, Outcome::Again { .. }));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_unless_the_id_was_in_it() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"obj"] {
        let (address, seen) = breaks_off(answer).await;
        let outcome = open(&address).act(&refund_of("ch_1"), &mark("a")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert!(seen.await.unwrap().starts_with("POST /v1/refunds"));
    }
    let (address, _seen) = breaks_off("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"id\": \"re_9Q\", \"obj").await;
    let outcome = open(&address).act(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(&outcome, Outcome::Confirmed(answer) if answer.reference.as_deref() == Some("re_9Q")), "{outcome:?}");

    let (silent, _held) = never_answers().await;
    let outcome = open_within(&silent, Duration::from_millis(50)).act(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert_eq!(words(&outcome), "stripe: refund of ch_1: no answer within 50 ms");
    let outcome = open(&nobody().await).act(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
}

#[tokio::test]
async fn already_refunded_is_ours_or_not_by_looking() {
    let ours = json!([{ "id": "re_1", "amount": 2200, "status": "succeeded", "metadata": { "wheelhouse_action": "a", "wheelhouse_step": "0" } }]);
    let unlabelled = json!([{ "id": "re_2", "amount": 2200, "status": "succeeded", "metadata": {} }]);
    let other = json!([{ "id": "re_3", "amount": 1000, "status": "succeeded" }]);
    for (refunds, kind) in [(ours, "Confirmed"), (unlabelled, "Unknown"), (other, "Rejected")] {
        let server = listing(refunds).await;
        let refusal = ResponseTemplate::new(400).set_body_json(error(
            "invalid_request_error",
            "charge_already_refunded",
            "Charge ch_1 has already been refunded.",
        ));
        Mock::given(method("POST")).respond_with(refusal).mount(&server).await;
        let outcome = open(&server.uri()).act(&refund_of("ch_1"), &mark("a")).await;
        assert!(format!("{outcome:?}").starts_with(kind), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_refund_is_found_by_our_name() {
    let labelled = |action: &str, step: &str, status: &str| json!({ "id": "re_1", "charge": "ch_1", "amount": 2200, "status": status, "metadata": { "wheelhouse_action": action, "wheelhouse_step": step } });
    let cases = [
        (json!([labelled("a", "0", "succeeded")]), "Ours"),
        (json!([labelled("a", "1", "succeeded")]), "Absent"),
        (json!([labelled("b", "0", "succeeded")]), "Absent"),
        (json!([labelled("a", "0", "failed")]), "CannotTell"),
        (json!([{ "id": "re_1", "charge": "ch_2", "amount": 2200, "metadata": { "wheelhouse_action": "a" } }]), "Absent"),
        (json!([{ "id": "re_1", "amount": 2200, "metadata": {} }]), "Unlabelled"),
        (json!([{ "id": "re_1", "amount": 2200, "status": "failed" }]), "Absent"),
        (json!([{ "id": "re_1", "amount": 100 }]), "Absent"),
        (json!([{ "id": "re_2", "amount": 2200, "metadata": {} }, labelled("a", "0", "succeeded")]), "Ours"),
        (json!([]), "Absent"),
        (json!(7), "CannotTell"),
    ];
    for (refunds, kind) in cases {
        let server = listing(refunds.clone()).await;
        let found = open(&server.uri()).look_up(&refund_of("ch_1"), &mark("a")).await;
        assert!(format!("{found:?}").starts_with(kind), "{refunds}: {found:?}");
    }
    let found = open(&nobody().await).look_up(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(found, Found::CannotTell(_)), "{found:?}");
}

#[tokio::test]
async fn absent_is_said_only_after_the_last_page() {
    let server = MockServer::start().await;
    let page = |data: Json, more: bool| ResponseTemplate::new(200).set_body_json(json!({ "data": data, "has_more": more }));
    let ours = json!([{ "id": "re_2", "amount": 2200, "metadata": { "wheelhouse_action": "a" } }]);
    Mock::given(query_param("starting_after", "re_1")).respond_with(page(ours, false)).mount(&server).await;
    Mock::given(query_param("charge", "ch_1"))
        .respond_with(page(json!([{ "id": "re_1", "amount": 1 }]), true))
        .mount(&server)
        .await;
    let found = open(&server.uri()).look_up(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(found, Found::Ours(_)), "{found:?}");
}

/// Stripe's answer to the question whose key it is, to be asked no more often than so.
async fn account_of(id: &str, asked: u64) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "id": id, "object": "account" }));
    Mock::given(method("GET")).and(path("/v1/account")).respond_with(answer).expect(asked).mount(&server).await;
    server
}

#[tokio::test]
async fn nothing_is_sent_with_another_accounts_key() {
    let server = account_of("acct_2", 1).await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    let system = pinned(&server.uri(), LIMIT, Some("acct_1"), "rk_live");
    let Ownership::Another(why) = system.ownership().await else { panic!() };
    assert!(why.shown().starts_with("stripe: the key belongs to acct_2, and the pack is for acct_1"), "{why}");
    let outcome = system.act(&refund_of("ch_1"), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(words(&outcome).contains("belongs to acct_2"), "{outcome:?}");
}

#[tokio::test]
async fn its_own_account_is_asked_once_and_a_silent_one_again() {
    let server = account_of("acct_1", 1).await;
    let system = pinned(&server.uri(), LIMIT, Some("acct_1"), "rk_live");
    assert_eq!(system.ownership().await, Ownership::Own);
    assert_eq!(system.ownership().await, Ownership::Own);

    let failing = MockServer::start().await;
    let refusal = ResponseTemplate::new(403).set_body_json(error("invalid_request_error", "", "no permission"));
    Mock::given(path("/v1/account")).respond_with(refusal).expect(2).mount(&failing).await;
    let system = pinned(&failing.uri(), LIMIT, Some("acct_1"), "rk_live");
    for _ in 0..2 {
        let Ownership::Unasked(why) = system.ownership().await else { panic!() };
        assert!(why.shown().contains("lacks a permission") && !why.shown().contains(CANARY), "{why}");
    }
}

#[tokio::test]
async fn a_key_of_the_other_mode_is_told_without_a_question() {
    let server = account_of("acct_1", 0).await;
    let system = pinned(&server.uri(), LIMIT, Some("acct_1"), "rk_test");
    let Ownership::OtherMode(why) = system.ownership().await else { panic!() };
    assert!(why.shown().contains("is a test key, and the pack says `livemode = true`"), "{why}");
    assert!(matches!(system.act(&refund_of("ch_1"), &mark("a")).await, Outcome::Rejected(_)));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_within_its_window() {
    let server = MockServer::start().await;
    let page = |ids: &[&str], more: bool| {
        let data: Vec<Json> = ids.iter().map(|id| json!({ "id": id, "amount": 100, "created": 1_763_539_200 })).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "object": "list", "data": data, "has_more": more }))
    };
    let first = Mock::given(method("GET")).and(path("/v1/charges")).and(query_param("limit", "100"));
    let first = first.and(query_param("created[gte]", "1763539200")).and(query_param("created[lt]", "1763625600"));
    first
        .and(query_param_is_missing("starting_after"))
        .respond_with(page(&["ch_1", "ch_2"], true))
        .expect(1)
        .mount(&server)
        .await;
    let second = Mock::given(query_param("starting_after", "ch_2")).and(query_param("created[gte]", "1763539200"));
    second.respond_with(page(&["ch_3"], false)).expect(1).mount(&server).await;
    let given = [
        ("from", Value::Time("2025-11-19T08:00:00Z".parse().unwrap())),
        ("to", Value::Time("2025-11-20T08:00:00Z".parse().unwrap())),
    ];
    let rows = read(&open(&server.uri()), charges(), &given).await.unwrap();
    let ids: Vec<String> = rows.iter().map(|row| row.find("id").unwrap().original()).collect();
    assert_eq!(ids, ["ch_1", "ch_2", "ch_3"]);
    assert_eq!(rows.first().unwrap().find("created"), Some(&given[0].1));

    let back = StripeRead { window: Some(Duration::from_hours(24)), at_most: Some(1), ..charges() };
    let now = [("now", given[1].1.clone())];
    let server = MockServer::start().await;
    let only = Mock::given(query_param("created[gte]", "1763539200")).and(query_param("limit", "1"));
    only.respond_with(page(&["ch_1"], true)).expect(1).mount(&server).await;
    assert_eq!(read(&open(&server.uri()), back, &now).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_too_long_for_a_screen_is_a_failure_and_never_cut_off_in_silence() {
    let data: Vec<Json> = (0..MOST_ROWS).map(|at| json!({ "id": format!("ch_{at}") })).collect();
    for (has_more, at_most, read_rows) in
        [(true, None, None), (false, None, Some(MOST_ROWS)), (true, Some(MOST_ROWS), Some(MOST_ROWS)), (true, Some(7), Some(7))]
    {
        let server = MockServer::start().await;
        let list = ResponseTemplate::new(200).set_body_json(json!({ "data": data, "has_more": has_more }));
        Mock::given(path("/v1/charges")).respond_with(list).mount(&server).await;
        match (read(&open(&server.uri()), StripeRead { at_most, ..charges() }, &[]).await, read_rows) {
            (Ok(rows), Some(expected)) => assert_eq!(rows.len(), expected),
            (Err(why), None) => {
                let why = why.to_string();
                assert!(
                    why.contains("charges: more than 10000 rows: narrow it by `window` or `filters`, or say `at_most`"),
                    "{why}"
                );
            }
            (told, _) => panic!("{has_more} {at_most:?}: {told:?}"),
        }
    }
}

#[tokio::test]
async fn a_key_that_may_not_read_the_account_is_a_key_all_the_same() {
    let server = MockServer::start().await;
    let denied = ResponseTemplate::new(403).set_body_json(error(
        "invalid_request_error",
        "",
        "Having the 'rak_accounts_kyc_basic_read' permission would allow this request to continue.",
    ));
    Mock::given(path("/v1/account")).respond_with(denied).mount(&server).await;
    let identity = open(&server.uri()).identify().await.unwrap();
    let account = identity.facts.iter().find(|(label, _)| *label == "account").map(|(_, said)| said.shown());
    assert_eq!(account, Some("not told to this key"));
    assert_eq!(open(&server.uri()).ownership().await, Ownership::Own, "the pack pins no account");
}

#[test]
fn no_key_travels_in_clear() {
    for (address, is_told) in [
        ("http://stripe.internal:8080", true),
        ("http://127.0.0.1:1", false),
        ("http://[::1]:1", false),
        ("https://stripe.internal", false),
    ] {
        let key = Secret::secret("rk_live_x");
        let opened = StripeSystem::open("stripe", key, Some(&Secret::plain(address)), None, true, false, LIMIT);
        assert_eq!(
            opened.is_err_and(|why| why.starts_with("the key would travel in clear: use an `https:` address")),
            is_told,
            "{address}"
        );
    }
}

#[tokio::test]
async fn filters_go_out_and_objects_come_in_flat() {
    let server = MockServer::start().await;
    let dispute = json!({
        "id": "dp_1", "amount": 2200, "currency": "aud", "created": 1_763_539_200, "status": "needs_response",
        "charge": { "id": "ch_1", "object": "charge" }, "payment_intent": "pi_1", "livemode": true, "ratio": 0.5,
        "evidence_details": { "due_by": 1_763_625_600 }, "metadata": { "order": "o1", "when": "2026-11-19T08:00:00Z" }
    });
    let list = json!({ "data": [dispute, "not an object"], "has_more": false });
    Mock::given(query_param("charge", "ch_1")).respond_with(ResponseTemplate::new(200).set_body_json(list)).mount(&server).await;
    let what = StripeRead { list: StripeList::Disputes, filters: vec![("charge".into(), template("ch_1"))], ..charges() };
    let rows = read(&open(&server.uri()), what, &[]).await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!(row.find("amount"), Some(&Value::Integer(2200)));
    assert_eq!(row.find("charge"), Some(&Value::text("ch_1")));
    assert_eq!(row.find("livemode"), Some(&Value::Bool(true)));
    assert_eq!(row.find("due_by"), Some(&Value::Time("2025-11-20T08:00:00Z".parse().unwrap())));
    assert_eq!(row.find("metadata.order"), Some(&Value::text("o1")));
    assert_eq!(row.find("metadata.when"), Some(&Value::text("2026-11-19T08:00:00Z")));
    assert!(matches!(row.find("evidence_details"), Some(Value::Json(_))));
    assert_eq!(row.find("reason"), Some(&Value::Null));
    let odd = rows.iter().nth(1).unwrap();
    assert_eq!((odd.find("id"), odd.find("malformed")), (Some(&Value::Null), Some(&Value::text("\"not an object\""))));
}

#[tokio::test]
async fn one_object_is_read_by_its_id_and_may_be_gone() {
    let server = MockServer::start().await;
    Mock::given(path("/v1/charges/ch_1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "id": "ch_1", "amount_refunded": 0 })))
        .mount(&server)
        .await;
    let missing = error("invalid_request_error", "resource_missing", "No such charge");
    Mock::given(path("/v1/charges/ch_2")).respond_with(ResponseTemplate::new(404).set_body_json(missing)).mount(&server).await;
    let system = open(&server.uri());
    let by = |id: &str| StripeRead { id: Some(template(id)), ..charges() };
    assert_eq!(read(&system, by("ch_1"), &[]).await.unwrap().first().unwrap().find("amount_refunded"), Some(&Value::Integer(0)));
    let gone = read(&system, by("ch_2"), &[]).await.unwrap();
    assert!(gone.is_empty() && gone.columns().contains(&"amount_refunded".to_owned()));
    assert!(matches!(read(&system, by("../account"), &[]).await, Err(SourceError::Refused(_))));
}

#[tokio::test]
async fn a_read_that_fails_says_how_and_keeps_the_key() {
    for (status, body, kind) in [
        (401, error("invalid_request_error", "", &format!("Invalid API Key: rk_live_{CANARY}")).to_string(), "Denied"),
        (403, error("x", "", "no").to_string(), "Denied"),
        (400, error("x", "parameter_unknown", "Received unknown parameter").to_string(), "Refused"),
        (200, "<html>captive</html>".to_owned(), "Malformed"),
        (200, json!({ "data": 7 }).to_string(), "Malformed"),
        (200, json!({ "data": [{}], "has_more": true }).to_string(), "Malformed"),
    ] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_string(body)).mount(&server).await;
        let failed = read(&open(&server.uri()), charges(), &[]).await.unwrap_err();
        assert!(format!("{failed:?}").starts_with(kind), "{failed:?}");
        assert!(!format!("{failed:?}").contains(CANARY), "{failed:?}");
    }
    let (silent, _held) = never_answers().await;
    let failed = read(&open_within(&silent, Duration::from_millis(50)), charges(), &[]).await.unwrap_err();
    assert_eq!(failed, SourceError::TimedOut(Duration::from_millis(50)));
    let failed = read(&open(&nobody().await), charges(), &[]).await.unwrap_err();
    assert!(matches!(failed, SourceError::Unreachable(_)), "{failed:?}");
    assert!(!format!("{:?}", open("https://stand-in.example/")).contains(CANARY));
}

#[tokio::test]
async fn a_busy_stripe_is_read_again() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(429)).up_to_n_times(1).mount(&server).await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "data": [], "has_more": false })))
        .mount(&server)
        .await;
    assert!(read(&open(&server.uri()), charges(), &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_refund_is_followed_by_its_id() {
    for (status, body, expected) in [
        (200, json!({ "id": "re_1", "status": "succeeded" }), "Stands"),
        (200, json!({ "id": "re_1", "status": "pending" }), "Open"),
        (200, json!({ "id": "re_1", "status": "failed", "failure_reason": "expired_or_canceled_card" }), "Undone"),
        (200, json!({ "id": "re_1", "status": "canceled" }), "Undone"),
        (200, json!({ "id": "re_1", "status": "something new" }), "CannotTell"),
        (200, json!({ "id": "re_1" }), "CannotTell"),
        (404, error("invalid_request_error", "resource_missing", "No such refund: 're_1'"), "CannotTell"),
    ] {
        let server = MockServer::start().await;
        let reply = ResponseTemplate::new(status).set_body_json(body.clone());
        Mock::given(method("GET")).and(path("/v1/refunds/re_1")).respond_with(reply).mount(&server).await;
        let answer = Answer { reference: Some("re_1".to_owned()), request: None, said: Text::new("") };
        let followed = format!("{:?}", open(&server.uri()).follow(&refund_of("ch_1"), &answer, &mark("a")).await);
        assert!(followed.starts_with(expected), "{body}: {followed}");
        if expected == "Undone" {
            assert!(followed.contains("the money did not reach the customer"), "{followed}");
        }
    }
}

#[tokio::test]
async fn a_refund_that_a_person_named_is_traced_by_our_name_or_by_being_the_only_one() {
    let refund = |id: &str, amount: i64, labels: Json| json!({ "id": id, "charge": "ch_1", "amount": amount, "status": "succeeded", "metadata": labels });
    let ours = refund("re_1", 2200, json!({ "wheelhouse_action": "a", "wheelhouse_step": "0" }));
    let by_hand = |id: &str| refund(id, 2200, json!({}));
    let failed = json!({ "id": "re_4", "charge": "ch_1", "amount": 2200, "status": "failed" });
    let of_another_act = refund("re_5", 2200, json!({ "wheelhouse_action": "b" }));
    for (refunds, expected) in [
        (json!([by_hand("re_2"), ours]), "Named: re_1"),
        (json!([by_hand("re_2"), of_another_act]), "Named: re_2"),
        (json!([failed]), "Named: re_4"),
        (json!([by_hand("re_2"), by_hand("re_3")]), "Lost: Stripe has 2 refunds of A$22.00 of ch_1"),
        (json!([refund("re_6", 100, json!({})), of_another_act]), "Lost: Stripe has no refund of A$22.00 of ch_1"),
        (json!([]), "Lost: Stripe has no refund"),
        (json!(7), "CannotTell: refunds of ch_1: a list without data"),
    ] {
        let server = listing(refunds.clone()).await;
        let nameless = Answer { reference: None, request: None, said: Text::new("a person looked") };
        let followed = match open(&server.uri()).follow(&refund_of("ch_1"), &nameless, &mark("a")).await {
            Followed::Named(answer) => format!("Named: {}", answer.reference.unwrap_or_default()),
            Followed::Lost(why) => format!("Lost: {}", why.shown().trim_start_matches("stripe: ")),
            Followed::CannotTell(why) => format!("CannotTell: {}", why.shown().trim_start_matches("stripe: ")),
            other => format!("{other:?}"),
        };
        assert!(followed.starts_with(expected), "{refunds}: {followed}");
    }
}
