use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path},
};

use crate::{
    adapters::{
        environment::Found as Secret,
        stripe::StripeSystem,
        testing::{CANARY, LIMIT, breaks_off, mark, nobody, words},
    },
    domain::{
        amendment::{Amendment, EVIDENCE, Uncollected},
        id::Id,
        plan::Order,
    },
    ports::{Doer as _, Found, Mark, Outcome},
};

fn open(url: &str) -> StripeSystem {
    let key = Secret::secret(&format!("rk_live_{CANARY}"));
    StripeSystem::open("stripe", key, Some(&Secret::plain(url)), None, true, false, LIMIT).unwrap()
}

fn order(object: &str, change: Amendment, evidence: &[(&str, &str)]) -> Order {
    let evidence = evidence.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Order::Amend { on: Id::new("stripe"), object: object.to_owned(), change, evidence }
}

fn staging(text: &str) -> Order {
    order("dp_1", Amendment::Stage, &[("uncategorized_text", text)])
}

fn dispute() -> Json {
    json!({
        "id": "dp_1", "object": "dispute", "status": "needs_response", "evidence": { "uncategorized_text": null },
        "evidence_details": { "due_by": 1_763_625_600, "has_evidence": false, "submission_count": 0 }, "metadata": {}
    })
}

fn subscription() -> Json {
    json!({
        "id": "sub_1", "object": "subscription", "status": "active", "pause_collection": null, "cancel_at_period_end": false,
        "cancellation_details": { "comment": null }, "metadata": {}
    })
}

fn with(mut object: Json, changes: &[(&str, Json)]) -> Json {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    object
}

/// Stripe with one object, which answers every write with what it is then.
async fn stripe(before: &Json, after: &Json) -> MockServer {
    let server = MockServer::start().await;
    let answer = |body: &Json| ResponseTemplate::new(200).insert_header("request-id", "req_9").set_body_json(body);
    Mock::given(method("GET")).respond_with(answer(before)).mount(&server).await;
    Mock::given(method("POST")).respond_with(answer(after)).mount(&server).await;
    Mock::given(method("DELETE")).respond_with(answer(after)).mount(&server).await;
    server
}

async fn writes(server: &MockServer) -> Vec<Request> {
    let requests = server.received_requests().await.unwrap();
    requests.into_iter().filter(|request| request.method.as_str() != "GET").collect()
}

fn pairs(encoded: &str) -> BTreeMap<String, String> {
    reqwest::Url::parse(&format!("x:?{encoded}")).unwrap().query_pairs().into_owned().collect()
}

fn mine() -> String {
    mark("act7").key()
}

#[tokio::test]
async fn each_change_is_one_request_with_our_key_and_our_name() {
    let mine = mine();
    let own = |label: &str| format!("metadata[wheelhouse_{label}]");
    for (change, expected) in [
        (
            Amendment::Pause(Uncollected::KeepAsDraft),
            vec![("pause_collection[behavior]".to_owned(), "keep_as_draft"), (own("pause"), &mine)],
        ),
        (Amendment::Pause(Uncollected::Void), vec![("pause_collection[behavior]".to_owned(), "void"), (own("pause"), &mine)]),
        (Amendment::CancelAtPeriodEnd, vec![("cancel_at_period_end".to_owned(), "true"), (own("cancel_at_period_end"), &mine)]),
    ] {
        let after =
            with(subscription(), &[("/pause_collection", json!({ "behavior": "void" })), ("/cancel_at_period_end", json!(true))]);
        let server = stripe(&subscription(), &after).await;
        let outcome = open(&server.uri()).act(&order("sub_1", change, &[]), &mark("act7")).await;
        let Outcome::Confirmed(answer) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((answer.reference.as_deref(), answer.request.as_deref()), (Some("sub_1"), Some("req_9")));
        let sent = writes(&server).await;
        assert_eq!((sent.len(), sent[0].url.path()), (1, "/v1/subscriptions/sub_1"));
        assert_eq!(sent[0].headers.get("idempotency-key").unwrap(), &mine);
        let expected: BTreeMap<String, String> = expected.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        assert_eq!(pairs(std::str::from_utf8(&sent[0].body).unwrap()), expected);
    }
}

#[tokio::test]
async fn what_takes_something_back_sends_nothing_in_its_place() {
    let paused = with(subscription(), &[("/pause_collection", json!({ "behavior": "void", "resumes_at": null }))]);
    let server = stripe(&paused, &subscription()).await;
    let outcome = open(&server.uri()).act(&order("sub_1", Amendment::Resume, &[]), &mark("act7")).await;
    assert_eq!(words(&outcome), "stripe: resumption of sub_1: active, collection goes on");
    let sent = pairs(std::str::from_utf8(&writes(&server).await[0].body).unwrap());
    assert_eq!(sent.get("pause_collection").map(String::as_str), Some(""));

    let ending = with(subscription(), &[("/cancel_at_period_end", json!(true))]);
    let server = stripe(&ending, &subscription()).await;
    let outcome = open(&server.uri()).act(&order("sub_1", Amendment::Keep, &[]), &mark("act7")).await;
    assert_eq!(words(&outcome), "stripe: keeping of sub_1: active, goes on after its period");
}

#[tokio::test]
async fn a_cancellation_bears_our_name_in_its_comment_and_no_key() {
    let over = with(subscription(), &[("/status", json!("canceled"))]);
    let server = stripe(&subscription(), &over).await;
    let outcome = open(&server.uri()).act(&order("sub_1", Amendment::CancelNow, &[]), &mark("act7")).await;
    assert_eq!(words(&outcome), "stripe: cancellation of sub_1: canceled");
    let sent = writes(&server).await;
    assert_eq!(sent[0].method.as_str(), "DELETE");
    assert!(sent[0].headers.get("idempotency-key").is_none());
    let comment = pairs(sent[0].url.query().unwrap())["cancellation_details[comment]"].clone();
    assert_eq!(comment, format!("wheelhouse {} by ana", mine()));

    let ours = with(over, &[("/cancellation_details/comment", json!(comment))]);
    let server = stripe(&ours, &ours).await;
    let found = open(&server.uri()).look_up(&order("sub_1", Amendment::CancelNow, &[]), &mark("act7")).await;
    assert!(matches!(found, Found::Ours(_)), "{found:?}");
}

#[tokio::test]
async fn evidence_is_staged_and_never_submitted_by_the_way() {
    let server = stripe(&dispute(), &dispute()).await;
    let system = open(&server.uri());
    let outcome = system.act(&staging("They used it & liked it"), &mark("act7")).await;
    assert_eq!(words(&outcome), "stripe: evidence for dp_1: needs_response, staged and not submitted");
    let sent = pairs(std::str::from_utf8(&writes(&server).await[0].body).unwrap());
    assert_eq!(sent.get("submit").map(String::as_str), Some("false"));
    assert_eq!(sent.get("evidence[uncategorized_text]").map(String::as_str), Some("They used it & liked it"));
    assert_eq!(sent.get("metadata[wheelhouse_evidence]"), Some(&mine()));

    let staged = with(dispute(), &[("/evidence_details/has_evidence", json!(true))]);
    let server = stripe(&staged, &with(staged.clone(), &[("/status", json!("under_review"))])).await;
    let outcome = open(&server.uri()).act(&order("dp_1", Amendment::Submit, &[]), &mark("act7")).await;
    assert_eq!(words(&outcome), "stripe: submission of the evidence for dp_1: under_review");
    let sent = pairs(std::str::from_utf8(&writes(&server).await[0].body).unwrap());
    assert_eq!(sent.get("submit").map(String::as_str), Some("true"));
}

#[tokio::test]
async fn what_the_rules_forbid_is_refused_before_it_is_sent() {
    let staged = with(dispute(), &[("/evidence_details/has_evidence", json!(true))]);
    let nearly = with(dispute(), &[("/evidence/receipt", json!("r".repeat(EVIDENCE - 3)))]);
    let submit = || order("dp_1", Amendment::Submit, &[]);
    let on = |change: Amendment| order("sub_1", change, &[]);
    let gone = |object: Json, name: &str| {
        let mut object = object;
        object.as_object_mut().unwrap().remove(name);
        object
    };
    for (object, order, said) in [
        (with(dispute(), &[("/evidence_details/due_by", json!(0))]), staging("x"), "takes no answer"),
        (with(dispute(), &[("/evidence_details/due_by", json!(null))]), staging("x"), "takes no answer"),
        (with(staged, &[("/evidence_details/due_by", json!(0))]), submit(), "takes no answer"),
        (gone(dispute(), "evidence_details"), staging("x"), "does not say by when"),
        (with(dispute(), &[("/status", json!("under_review"))]), staging("x"), "the dispute is under_review"),
        (with(dispute(), &[("/status", json!("lost"))]), staging("x"), "the dispute is lost"),
        (with(dispute(), &[("/status", json!("a word of tomorrow"))]), staging("x"), "a word of tomorrow: no answer is taken"),
        (gone(dispute(), "status"), staging("x"), "not told"),
        (dispute(), submit(), "nothing is staged"),
        (with(dispute(), &[("/evidence_details/submission_count", json!(1))]), submit(), "has been submitted already"),
        (nearly, staging("four"), "150001 characters"),
        (
            with(subscription(), &[("/status", json!("canceled"))]),
            on(Amendment::Pause(Uncollected::Void)),
            "is canceled, for good",
        ),
        (
            with(subscription(), &[("/status", json!("canceled"))]),
            on(Amendment::CancelNow),
            "is cancelled already, and not by this act",
        ),
        (with(subscription(), &[("/pause_collection", json!({}))]), on(Amendment::Pause(Uncollected::Void)), "is paused already"),
        (subscription(), on(Amendment::Resume), "is not paused already"),
        (
            with(subscription(), &[("/cancel_at_period_end", json!(true))]),
            on(Amendment::CancelAtPeriodEnd),
            "ends with its period already",
        ),
        (subscription(), on(Amendment::Keep), "does not end with its period already"),
        (gone(subscription(), "pause_collection"), on(Amendment::Resume), "does not say whether it is paused"),
        (gone(subscription(), "status"), on(Amendment::CancelNow), "does not say how"),
    ] {
        let server = stripe(&object, &object).await;
        let outcome = open(&server.uri()).act(&order, &mark("act7")).await;
        assert!(matches!(outcome, Outcome::Rejected(_)), "{order:?} on {object}: {outcome:?}");
        assert!(words(&outcome).contains(said), "{said}: {outcome:?}");
        assert!(writes(&server).await.is_empty(), "{order:?} on {object}");
    }
    let strange = open(&nobody().await).act(&order("../account", Amendment::CancelNow, &[]), &mark("a")).await;
    assert!(matches!(&strange, Outcome::Rejected(_)) && words(&strange).contains("no id of Stripe's"), "{strange:?}");
}

#[tokio::test]
async fn what_an_earlier_attempt_did_is_seen_before_it_is_sent_again() {
    let ours = with(
        subscription(),
        &[("/pause_collection", json!({ "behavior": "void" })), ("/metadata/wheelhouse_pause", json!(mine()))],
    );
    let server = stripe(&ours, &ours).await;
    let outcome = open(&server.uri()).act(&order("sub_1", Amendment::Pause(Uncollected::Void), &[]), &mark("act7")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert!(writes(&server).await.is_empty());
}

/// An object, what is different in it, the change that is looked for, and what is found.
type Case = (Json, Vec<(String, Json)>, Amendment, &'static str);

#[tokio::test]
async fn a_change_is_found_by_our_name_and_what_looks_like_it_is_not_ours() {
    let label = |name: &str, mark: &Mark| (format!("/metadata/wheelhouse_{name}"), json!(mark.key()));
    let pause = Amendment::Pause(Uncollected::KeepAsDraft);
    let paused = ("/pause_collection".to_owned(), json!({ "behavior": "keep_as_draft" }));
    let ends = ("/cancel_at_period_end".to_owned(), json!(true));
    let text = ("/evidence/uncategorized_text".to_owned(), json!("so it was"));
    let (own, other) = (mark("act7"), mark("act8"));
    let cases: Vec<Case> = vec![
        (subscription(), vec![paused.clone(), label("pause", &own)], pause, "Ours"),
        // Resumed since by somebody: it happened all the same.
        (subscription(), vec![label("pause", &own), label("resume", &other)], pause, "Ours"),
        (subscription(), vec![paused.clone(), label("pause", &other)], pause, "Unlabelled"),
        (subscription(), vec![paused.clone()], pause, "Unlabelled"),
        (subscription(), vec![label("pause", &other)], pause, "Absent"),
        (subscription(), vec![], pause, "Absent"),
        (subscription(), vec![paused], Amendment::Resume, "Absent"),
        (subscription(), vec![], Amendment::Resume, "Unlabelled"),
        (subscription(), vec![ends.clone()], Amendment::CancelAtPeriodEnd, "Unlabelled"),
        (subscription(), vec![ends], Amendment::Keep, "Absent"),
        (subscription(), vec![], Amendment::Keep, "Unlabelled"),
        (subscription(), vec![("/status".to_owned(), json!("canceled"))], Amendment::CancelNow, "Unlabelled"),
        (subscription(), vec![], Amendment::CancelNow, "Absent"),
        (dispute(), vec![label("evidence", &own)], Amendment::Stage, "Ours"),
        (dispute(), vec![text], Amendment::Stage, "Unlabelled"),
        (dispute(), vec![], Amendment::Stage, "Absent"),
        (dispute(), vec![label("submit", &own)], Amendment::Submit, "Ours"),
        (dispute(), vec![("/evidence_details/submission_count".to_owned(), json!(1))], Amendment::Submit, "Unlabelled"),
        (dispute(), vec![], Amendment::Submit, "Absent"),
    ];
    for (object, changes, change, expected) in cases {
        let changes: Vec<(&str, Json)> = changes.iter().map(|(pointer, value)| (pointer.as_str(), value.clone())).collect();
        let object = with(object, &changes);
        let server = stripe(&object, &object).await;
        let id = object["id"].as_str().unwrap();
        let evidence: &[(&str, &str)] = if change == Amendment::Stage { &[("uncategorized_text", "so it was")] } else { &[] };
        let found = open(&server.uri()).look_up(&order(id, change, evidence), &own).await;
        assert!(format!("{found:?}").starts_with(expected), "{change:?} on {object}: {found:?}");
        assert!(writes(&server).await.is_empty());
    }
    let found = open(&nobody().await).look_up(&order("sub_1", pause, &[]), &own).await;
    assert!(matches!(found, Found::CannotTell(_)), "{found:?}");
}

#[tokio::test]
async fn each_answer_to_a_change_means_one_thing() {
    let error = |kind: &str, code: &str| json!({ "error": { "type": kind, "code": code, "message": "So it is" } });
    let invalid = "invalid_request_error";
    for (status, body, kind) in [
        (200, json!({ "id": "sub_1", "status": "something new" }), "Confirmed"),
        (200, json!({ "odd": true }), "Confirmed"),
        (200, json!([]), "Unknown"),
        (400, error(invalid, ""), "Rejected"),
        (400, error("idempotency_error", ""), "Rejected"),
        (403, error(invalid, ""), "Rejected"),
        (404, error(invalid, "resource_missing"), "Rejected"),
        (409, error("idempotency_error", "idempotency_key_in_use"), "Again"),
        (429, error(invalid, "lock_timeout"), "Again"),
        (500, error("api_error", ""), "Unknown"),
        (502, json!("Bad gateway"), "Unknown"),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200).set_body_json(subscription())).mount(&server).await;
        let reply = ResponseTemplate::new(status).set_body_json(&body);
        Mock::given(method("POST")).and(path("/v1/subscriptions/sub_1")).respond_with(reply).expect(1).mount(&server).await;
        let outcome = open(&server.uri()).act(&order("sub_1", Amendment::CancelAtPeriodEnd, &[]), &mark("a")).await;
        assert!(format!("{outcome:?}").starts_with(kind), "{status} {body}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_look_before_that_fails_has_sent_nothing() {
    let error = json!({ "error": { "type": "invalid_request_error", "message": "the key lacks 'rak_dispute_read' here" } });
    for (status, kind, said) in [
        (403, "Rejected", "the right to read disputes (`rak_dispute_read`)"),
        (404, "Rejected", "not sent"),
        (429, "Again", "not sent"),
        (500, "Again", "not sent"),
    ] {
        let server = MockServer::start().await;
        let reply = ResponseTemplate::new(status).set_body_json(&error).insert_header("retry-after", "0.01");
        Mock::given(header("authorization", format!("Bearer rk_live_{CANARY}").as_str()))
            .respond_with(reply)
            .mount(&server)
            .await;
        let outcome = open(&server.uri()).act(&staging("x"), &mark("a")).await;
        assert!(format!("{outcome:?}").starts_with(kind) && words(&outcome).contains(said), "{status}: {outcome:?}");
        assert!(writes(&server).await.is_empty());
    }
    let outcome = open(&nobody().await).act(&staging("x"), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    let (address, _seen) = breaks_off("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"id\"").await;
    let outcome = open(&address).act(&staging("x"), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { after, .. } if after >= Duration::from_secs(1)), "{outcome:?}");
}
