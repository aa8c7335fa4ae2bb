//! Undelivered events as rows, and events sent once more: what goes out, and what each answer means.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_string, header, method, path, query_param, query_param_is_missing},
};

use super::*;
use crate::{
    adapters::testing::{CANARY, LIMIT, breaks_off, mark, never_answers, nobody, params, query, template, words},
    domain::{id::Id, pack::StripeRead, signature, value::Value},
};

const SECRET: &str = "whsec_canary-7f3a9c";

fn system(stripe: &str, handler: &str, account: Option<&str>) -> StripeSystem {
    within(stripe, handler, account, LIMIT)
}

fn within(stripe: &str, handler: &str, account: Option<&str>, limit: Duration) -> StripeSystem {
    let key = Secret::secret(&format!("rk_live_{CANARY}"));
    let system = StripeSystem::open("stripe", key, Some(&Secret::plain(stripe)), account, true, false, limit).unwrap();
    system.with_handler("site", &Secret::secret(&format!("{handler}/hook")), Secret::secret(SECRET)).unwrap()
}

fn order(to: EventTo) -> Order {
    Order::Event { on: Id::new("stripe"), event: "evt_1".into(), to }
}

fn post() -> Order {
    order(EventTo::Handler("site".into()))
}

fn resend() -> Order {
    order(EventTo::Endpoint("we_1".into()))
}

/// As Stripe lays it out, to the byte.
const EVENT: &str = "{\n  \"id\": \"evt_1\",\n  \"amount\": 1.10,\n  \"pending_webhooks\": 1\n}";

async fn stripe() -> MockServer {
    let server = MockServer::start().await;
    let found = ResponseTemplate::new(200).set_body_string(EVENT);
    Mock::given(method("GET")).and(path("/v1/events/evt_1")).respond_with(found).mount(&server).await;
    server
}

async fn answering(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/hook")).respond_with(reply).mount(&server).await;
    server
}

#[tokio::test]
async fn an_event_is_posted_as_stripe_keeps_it_and_signed() {
    let (stripe, handler) = (stripe().await, answering(ResponseTemplate::new(204)).await);
    let outcome = system(&stripe.uri(), &handler.uri(), None).act(&post(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert_eq!(words(&outcome), "stripe: evt_1 to the handler `site` answered 204");
    let told: Vec<Request> = handler.received_requests().await.unwrap();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(String::from_utf8_lossy(&told.body), EVENT);
    let signed = told.headers.get(signature::HEADER).unwrap().to_str().unwrap();
    assert_eq!(signature::verify(SECRET, signed, EVENT.as_bytes(), Utc::now(), TimeDelta::minutes(5)), Ok(()));
    assert!(signature::verify("whsec_other", signed, EVENT.as_bytes(), Utc::now(), TimeDelta::minutes(5)).is_err());
    assert!(!told.headers.contains_key("authorization"), "the account's key is Stripe's alone");
}

#[tokio::test]
async fn each_answer_of_a_handler_means_what_it_says() {
    let echo = format!("no signature fits {SECRET}");
    for (reply, wanted, said) in [
        (ResponseTemplate::new(200), "confirmed", "answered 200"),
        (ResponseTemplate::new(400).set_body_string(echo), "rejected", "check that the handler's `secret`"),
        (ResponseTemplate::new(404), "rejected", "answered 404"),
        (ResponseTemplate::new(301).insert_header("location", "/new"), "rejected", "correct the handler's address"),
        (ResponseTemplate::new(302).insert_header("location", "/new"), "rejected", "moved"),
        (ResponseTemplate::new(429).insert_header("retry-after", "7"), "again", "answered 429"),
        (ResponseTemplate::new(500).set_body_string("boom"), "unknown", "answered 500 boom"),
        (ResponseTemplate::new(200).set_delay(Duration::from_mins(1)), "unknown", "no answer within"),
    ] {
        let (stripe, handler) = (stripe().await, answering(reply).await);
        let limit = if wanted == "unknown" { Duration::from_millis(500) } else { LIMIT };
        let system = within(&stripe.uri(), &handler.uri(), None, limit);
        let outcome = system.act(&post(), &mark("a")).await;
        let kind = match &outcome {
            Outcome::Confirmed(_) => "confirmed",
            Outcome::Rejected(_) => "rejected",
            Outcome::Again { .. } => "again",
            Outcome::Unknown(_) => "unknown",
            Outcome::Changed(_) => "changed",
        };
        assert_eq!(kind, wanted, "{outcome:?}");
        assert!(words(&outcome).contains(said) && !words(&outcome).contains(CANARY), "{outcome:?}");
        assert_eq!(handler.received_requests().await.unwrap().len(), 1, "never after a redirect: {outcome:?}");
    }
}

#[tokio::test]
async fn a_handler_where_nobody_is_was_certainly_not_told_and_one_that_breaks_off_perhaps() {
    let stripe = stripe().await;
    let outcome = system(&stripe.uri(), &nobody().await, None).act(&post(), &mark("a")).await;
    assert!(matches!(&outcome, Outcome::Again { .. }), "{outcome:?}");
    assert!(words(&outcome).contains("evt_1 to the handler `site` not sent"), "{outcome:?}");
    let (breaking, _seen) = breaks_off("").await;
    let outcome = system(&stripe.uri(), &breaking, None).act(&post(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    let (silent, _held) = never_answers().await;
    let silent = within(&stripe.uri(), &silent, None, Duration::from_millis(300));
    assert!(matches!(silent.act(&post(), &mark("a")).await, Outcome::Unknown(_)));
    // Whoever takes events knows each by its id.
    assert_eq!(silent.look_up(&post(), &mark("a")).await, Found::Absent);
}

#[tokio::test]
async fn an_event_that_cannot_be_fetched_is_not_posted() {
    let gone =
        json!({ "error": { "type": "invalid_request_error", "code": "resource_missing", "message": "No such event: 'evt_1'" } });
    let denied = json!({ "error": { "type": "invalid_request_error", "message": "Permission denied" } });
    for (reply, is_again, said) in [
        (ResponseTemplate::new(404).set_body_json(gone), false, "Stripe keeps events for 30 days"),
        (ResponseTemplate::new(403).set_body_json(denied), false, "the key lacks a permission"),
        (ResponseTemplate::new(500).set_body_string("boom"), true, "not fetched: 500"),
        (ResponseTemplate::new(200).set_body_string("{\"id\": \"evt_2\"}"), true, "another answer than the event"),
    ] {
        let (stripe, handler) = (MockServer::start().await, answering(ResponseTemplate::new(200)).await);
        Mock::given(method("GET")).respond_with(reply).mount(&stripe).await;
        let outcome = system(&stripe.uri(), &handler.uri(), None).act(&post(), &mark("a")).await;
        assert_eq!(matches!(outcome, Outcome::Again { .. }), is_again, "{outcome:?}");
        assert!(words(&outcome).contains(said), "{outcome:?}");
        assert!(handler.received_requests().await.unwrap().is_empty());
    }
    let handler = answering(ResponseTemplate::new(200)).await;
    let outcome = system(&nobody().await, &handler.uri(), None).act(&post(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    let odd = Order::Event { on: Id::new("stripe"), event: "../charges/ch_1".into(), to: EventTo::Handler("site".into()) };
    let outcome = system(&nobody().await, &handler.uri(), None).act(&odd, &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(handler.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_is_sent_under_another_accounts_key() {
    let (stripe, handler) = (stripe().await, answering(ResponseTemplate::new(200)).await);
    let other = ResponseTemplate::new(200).set_body_json(json!({ "id": "acct_other" }));
    Mock::given(method("GET")).and(path("/v1/account")).respond_with(other).mount(&stripe).await;
    let system = system(&stripe.uri(), &handler.uri(), Some("acct_1"));
    for order in [post(), resend()] {
        let outcome = system.act(&order, &mark("a")).await;
        assert!(
            matches!(&outcome, Outcome::Rejected(why) if why.shown().contains("the key belongs to acct_other")),
            "{outcome:?}"
        );
    }
    assert!(handler.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn stripe_is_asked_to_send_again_under_our_key() {
    let stripe = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/events/evt_1/retry"))
        .and(header("idempotency-key", "a-0"))
        .and(body_string("webhook_endpoint=we_1"))
        .respond_with(ResponseTemplate::new(200).insert_header("request-id", "req_9").set_body_string(EVENT))
        .expect(1)
        .mount(&stripe)
        .await;
    let outcome = system(&stripe.uri(), &nobody().await, None).act(&resend(), &mark("a")).await;
    let Outcome::Confirmed(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.reference.as_deref(), answer.request.as_deref()), (Some("evt_1"), Some("req_9")));
    assert_eq!(answer.said.shown(), "stripe: evt_1 to we_1: evt_1");
}

#[tokio::test]
async fn each_answer_of_stripe_to_a_resend_means_what_it_says() {
    let not_subscribed = json!({ "error": { "type": "invalid_request_error", "message": "we_1 is not subscribed" } });
    let busy = json!({ "error": { "type": "invalid_request_error", "code": "rate_limit", "message": "Too many" } });
    for (reply, wanted, said) in [
        (ResponseTemplate::new(400).set_body_json(not_subscribed), "rejected", "we_1 is not subscribed"),
        (ResponseTemplate::new(429).set_body_json(busy), "again", "Too many"),
        (ResponseTemplate::new(500).set_body_string("boom"), "unknown", "500 boom"),
        (ResponseTemplate::new(301).insert_header("location", "https://elsewhere.example"), "unknown", "301"),
        (ResponseTemplate::new(200).set_delay(Duration::from_mins(1)), "unknown", "no answer within"),
    ] {
        let stripe = MockServer::start().await;
        Mock::given(method("POST")).respond_with(reply).mount(&stripe).await;
        let limit = if said == "no answer within" { Duration::from_millis(500) } else { LIMIT };
        let outcome = within(&stripe.uri(), &nobody().await, None, limit).act(&resend(), &mark("a")).await;
        let is_it = match &outcome {
            Outcome::Rejected(_) => wanted == "rejected",
            Outcome::Again { .. } => wanted == "again",
            Outcome::Unknown(_) => wanted == "unknown",
            Outcome::Confirmed(_) | Outcome::Changed(_) => false,
        };
        assert!(is_it && words(&outcome).contains(said), "{outcome:?}");
    }
    let outcome = system(&nobody().await, &nobody().await, None).act(&resend(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
}

#[tokio::test]
async fn what_became_of_a_lost_resend_is_told_by_what_still_waits() {
    for (waits, found) in [(json!(0), Some(true)), (json!(1), Some(false)), (Json::Null, None)] {
        let stripe = MockServer::start().await;
        let event = ResponseTemplate::new(200).set_body_json(json!({ "id": "evt_1", "pending_webhooks": waits }));
        Mock::given(path("/v1/events/evt_1")).respond_with(event).mount(&stripe).await;
        let looked = system(&stripe.uri(), &nobody().await, None).look_up(&resend(), &mark("a")).await;
        match found {
            Some(true) => assert!(matches!(looked, Found::Ours(_)), "{looked:?}"),
            Some(false) => assert_eq!(looked, Found::Absent),
            None => assert!(matches!(looked, Found::CannotTell(_)), "{looked:?}"),
        }
    }
}

fn now() -> DateTime<Utc> {
    "2026-03-16T22:00:00Z".parse().unwrap()
}

fn event(id: &str, kind: &str, days: i64) -> Json {
    json!({
        "id": id, "object": "event", "type": kind, "created": (now() - TimeDelta::days(days)).timestamp(), "livemode": true,
        "pending_webhooks": 1, "data": { "object": { "id": format!("ch_{id}") } }, "a_new_field": [1],
    })
}

fn endpoint(id: &str, made: i64, status: &str, types: &[&str]) -> Json {
    json!({
        "id": id, "url": format!("https://{id}.example/hook"), "status": status, "enabled_events": types,
        "created": (now() - TimeDelta::days(made)).timestamp(),
    })
}

fn undelivered() -> StripeRead {
    StripeRead {
        list: StripeList::UndeliveredEvents,
        id: None,
        filters: Vec::new(),
        window: None,
        at_most: None,
        endpoint: None,
        except: None,
    }
}

async fn account(endpoints: Json) -> MockServer {
    let server = MockServer::start().await;
    let page = |data: Json, more: bool| {
        ResponseTemplate::new(200).set_body_json(json!({ "object": "list", "data": data, "has_more": more }))
    };
    let since = (now() - TimeDelta::days(30)).timestamp().to_string();
    let events = || {
        Mock::given(path("/v1/events"))
            .and(query_param("delivery_success", "false"))
            .and(query_param("created[gte]", since.as_str()))
            .and(query_param("limit", "100"))
    };
    let first = json!([event("evt_3", "charge.succeeded", 1), event("evt_2", "payout.paid", 2)]);
    events().and(query_param_is_missing("starting_after")).respond_with(page(first, true)).mount(&server).await;
    let last = json!([event("evt_1", "charge.succeeded", 20)]);
    events().and(query_param("starting_after", "evt_2")).respond_with(page(last, false)).mount(&server).await;
    Mock::given(path("/v1/webhook_endpoints")).respond_with(page(endpoints, false)).mount(&server).await;
    server
}

async fn read(server: &MockServer, what: StripeRead) -> Result<Rows, SourceError> {
    let system = system(&server.uri(), &nobody().await, None);
    system.read(&query(Read::Stripe(what)), &params(&[("now", Value::Time(now()))])).await
}

fn column(rows: &Rows, name: &str) -> Vec<String> {
    rows.iter().map(|row| row.find(name).map(ToString::to_string).unwrap()).collect()
}

#[tokio::test]
async fn an_undelivered_event_stands_once_for_each_endpoint_that_it_was_meant_for() {
    let endpoints = json!([
        endpoint("we_all", 400, "enabled", &["*"]),
        endpoint("we_charges", 10, "disabled", &["charge.succeeded", "charge.refunded"]),
    ]);
    let rows = read(&account(endpoints).await, undelivered()).await.unwrap();
    // Oldest first; the endpoint of ten days ago was never told of what is twenty days old.
    assert_eq!(column(&rows, "delivery"), ["evt_1/we_all", "evt_2/we_all", "evt_3/we_all", "evt_3/we_charges"]);
    assert_eq!(column(&rows, "endpoint_status"), ["enabled", "enabled", "enabled", "disabled"]);
    assert_eq!(column(&rows, "about"), ["ch_evt_1", "ch_evt_2", "ch_evt_3", "ch_evt_3"]);
    let first = rows.first().unwrap();
    let day = |name: &str| (first.find(name).unwrap().time().unwrap() - now()).num_days();
    assert_eq!((day("retries_until"), day("dashboard_until"), day("gone_at")), (-17, -5, 10));
    assert_eq!(first.find("pending_webhooks"), Some(&Value::Integer(1)));
}

#[tokio::test]
async fn one_endpoint_is_named_by_its_id_or_its_address_and_one_that_is_not_there_is_told() {
    let endpoints = || json!([endpoint("we_all", 400, "enabled", &["*"]), endpoint("we_pay", 400, "enabled", &["payout.paid"])]);
    for wanted in ["we_pay", "https://we_pay.example/hook"] {
        let what = StripeRead { endpoint: Some(template(wanted)), ..undelivered() };
        assert_eq!(column(&read(&account(endpoints()).await, what).await.unwrap(), "delivery"), ["evt_2/we_pay"]);
    }
    let what = StripeRead { endpoint: Some(template("we_gone")), ..undelivered() };
    let why = read(&account(endpoints()).await, what).await.unwrap_err().to_string();
    assert!(why.contains("no endpoint `we_gone`; it has we_all (https://we_all.example/hook), we_pay"), "{why}");
}

#[tokio::test]
async fn what_is_not_known_of_an_event_or_its_endpoint_leaves_none_out() {
    let whole = || (event("evt_1", "charge.succeeded", 1), endpoint("we_site", 400, "enabled", &["charge.succeeded"]));
    let (whole_event, whole_endpoint) = whole();
    let names = |json: &Json| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let cases = names(&whole_event).into_iter().map(|name| (true, name));
    for (of_event, name) in cases.chain(names(&whole_endpoint).into_iter().map(|name| (false, name))) {
        for instead in [None, Some(json!(null)), Some(json!(true)), Some(json!([7]))] {
            let (mut event, mut endpoint) = whole();
            let spoiled = if of_event { &mut event } else { &mut endpoint };
            match &instead {
                None => drop(spoiled.as_object_mut().unwrap().remove(&name)),
                Some(other) => spoiled[&name] = other.clone(),
            }
            let server = MockServer::start().await;
            for (at, one) in [("/v1/events", event), ("/v1/webhook_endpoints", endpoint)] {
                let page = ResponseTemplate::new(200).set_body_json(json!({ "data": [one], "has_more": false }));
                Mock::given(path(at)).respond_with(page).mount(&server).await;
            }
            let what = || StripeRead { endpoint: Some(template("we_site")), ..undelivered() };
            match read(&server, what()).await {
                Ok(rows) => assert_eq!(rows.len(), 1, "{name} {instead:?}"),
                // The endpoint that is meant is not to be found.
                Err(why) => assert!(!of_event && name == "id" && why.to_string().contains("no endpoint `we_site`"), "{why}"),
            }
            assert_eq!(read(&server, undelivered()).await.unwrap().len(), 1, "{name} {instead:?}");
        }
    }
    let (_, other) = (whole_event, endpoint("we_site", 400, "enabled", &["payout.paid"]));
    let server = MockServer::start().await;
    for (at, one) in [("/v1/events", event("evt_1", "charge.succeeded", 1)), ("/v1/webhook_endpoints", other)] {
        let page = ResponseTemplate::new(200).set_body_json(json!({ "data": [one], "has_more": false }));
        Mock::given(path(at)).respond_with(page).mount(&server).await;
    }
    let what = StripeRead { endpoint: Some(template("we_site")), ..undelivered() };
    assert!(read(&server, what).await.unwrap().is_empty(), "of what it certainly does not take, nothing waits for it");
}

#[tokio::test]
async fn what_came_to_be_a_moment_ago_is_on_its_way() {
    let server = MockServer::start().await;
    let aged = |id: &str, seconds: i64| json!({ "id": id, "type": "charge.succeeded", "created": (now() - TimeDelta::seconds(seconds)).timestamp() });
    let events = json!({ "data": [aged("evt_3", -5), aged("evt_2", 59), aged("evt_1", 60)], "has_more": false });
    Mock::given(path("/v1/events")).respond_with(ResponseTemplate::new(200).set_body_json(events)).mount(&server).await;
    let endpoints = json!({ "data": [endpoint("we_all", 400, "enabled", &["*"])], "has_more": false });
    Mock::given(path("/v1/webhook_endpoints"))
        .respond_with(ResponseTemplate::new(200).set_body_json(endpoints))
        .mount(&server)
        .await;
    assert_eq!(column(&read(&server, undelivered()).await.unwrap(), "id"), ["evt_1"]);
}

#[tokio::test]
async fn who_answers_at_a_handler_is_told_without_an_event() {
    let (stripe, handler) = (MockServer::start().await, MockServer::start().await);
    let account = ResponseTemplate::new(200).set_body_json(json!({ "id": "acct_1" }));
    Mock::given(path("/v1/account")).respond_with(account).mount(&stripe).await;
    Mock::given(method("HEAD")).and(path("/hook")).respond_with(ResponseTemplate::new(405)).mount(&handler).await;
    let rights = system(&stripe.uri(), &handler.uri(), None).rights(&Needs::default()).await;
    let told = rights.facts.iter().find(|(fact, _)| *fact == "handlers").map(|(_, said)| said.shown()).unwrap();
    assert_eq!((told, rights.lacks.len()), ("site answers 405", 0));
}

#[tokio::test]
async fn a_handler_that_takes_no_event_is_something_to_look_at() {
    let stripe = MockServer::start().await;
    for (status, advice) in [(404, "answers 404; correct the handler's address"), (301, "address"), (503, "answers 503; heal it")]
    {
        let handler = MockServer::start().await;
        Mock::given(method("HEAD")).respond_with(ResponseTemplate::new(status)).mount(&handler).await;
        let rights = system(&stripe.uri(), &handler.uri(), None).rights(&Needs::default()).await;
        let [why] = rights.lacks.as_slice() else { panic!("{rights:?}") };
        assert!(why.shown().starts_with("stripe: the handler `site`") && why.shown().contains(advice), "{why:?}");
        assert!(rights.facts.iter().all(|(fact, _)| *fact != "handlers"), "{rights:?}");
    }
    let rights = system(&stripe.uri(), &nobody().await, None).rights(&Needs::default()).await;
    let why = rights.lacks.first().unwrap().shown();
    assert!(why.contains("is not reached: nobody answers") && !why.contains(CANARY), "{why}");
}

#[tokio::test]
async fn an_event_whose_endpoint_is_gone_waits_all_the_same() {
    let rows = read(&account(json!([])).await, undelivered()).await.unwrap();
    assert_eq!(column(&rows, "delivery"), ["evt_1", "evt_2", "evt_3"]);
    assert!(rows.iter().all(|row| row.find("endpoint") == Some(&Value::Null)));
}

#[tokio::test]
async fn a_key_that_may_not_see_the_endpoints_is_told_so() {
    let server = MockServer::start().await;
    let empty = ResponseTemplate::new(200).set_body_json(json!({ "data": [], "has_more": false }));
    Mock::given(path("/v1/events")).respond_with(empty).mount(&server).await;
    let denied = json!({ "error": { "type": "invalid_request_error", "message": "needs rak_webhook_read" } });
    Mock::given(path("/v1/webhook_endpoints"))
        .respond_with(ResponseTemplate::new(403).set_body_json(denied))
        .mount(&server)
        .await;
    let why = read(&server, undelivered()).await.unwrap_err();
    assert!(matches!(&why, SourceError::Denied(said) if said.shown().contains("rak_webhook_read")), "{why:?}");
}
