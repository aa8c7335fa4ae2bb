use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, header, method, path, query_param},
};

use super::*;
use crate::{
    adapters::testing::{CANARY, LIMIT, breaks_off, mark, never_answers, nobody, query, template, words},
    domain::{id::Id, proof::ProofRule, value::Value},
};

pub(super) fn open(url: &str, limit: Duration) -> HttpSystem {
    let headers = vec![("authorization".to_owned(), Secret::secret(&format!("Bearer {CANARY}")))];
    HttpSystem::open("site", &Secret::plain(url), headers, limit).unwrap()
}

fn get(at: &str) -> HttpRead {
    HttpRead { method: "GET".into(), path: template(at), body: None, columns: Vec::new(), rows: None, pages: None, probe: false }
}

pub(super) fn pointing(at: &str, columns: &[(&str, &str)]) -> HttpRead {
    HttpRead { columns: columns.iter().map(|(name, pointer)| ((*name).to_owned(), (*pointer).to_owned())).collect(), ..get(at) }
}

pub(super) async fn read(system: &HttpSystem, read: HttpRead) -> Result<Rows, SourceError> {
    system.read(&query(Read::Http(read)), &Params::new()).await
}

fn first<'a>(rows: &'a Rows, column: &str) -> &'a Value {
    rows.first().unwrap().find(column).unwrap()
}

async fn answering(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(reply).mount(&server).await;
    server
}

fn run() -> Order {
    proven_by(Proofs::default())
}

fn proven_by(proofs: Proofs) -> Order {
    let body = Some("{\"a\":1}".into());
    Order::Http { on: Id::new("site"), method: "POST".into(), path: "/jobs/run".into(), body, proofs }
}

#[tokio::test]
async fn an_answer_becomes_a_row_with_its_columns() {
    let server = MockServer::start().await;
    let answer = json!({ "mode": "auto", "since": "2026-11-19T08:00:00Z", "deep": { "rate": 0.5 }, "n": 3 });
    Mock::given(method("GET"))
        .and(path("/base/health"))
        .and(query_param("v", "1"))
        .and(header("authorization", format!("Bearer {CANARY}").as_str()))
        .respond_with(ResponseTemplate::new(200).set_body_json(&answer))
        .expect(1)
        .mount(&server)
        .await;
    let system = open(&format!("{}/base/", server.uri()), LIMIT);
    let columns = [("mode", "/mode"), ("since", "/since"), ("rate", "/deep/rate"), ("gone", "/gone"), ("status", "/n")];
    let rows = read(&system, pointing("/health?v=1", &columns)).await.unwrap();
    assert_eq!(first(&rows, "ok"), &Value::Bool(true));
    assert_eq!(first(&rows, "mode"), &Value::text("auto"));
    assert_eq!(first(&rows, "since"), &Value::Time("2026-11-19T08:00:00Z".parse().unwrap()));
    assert_eq!(first(&rows, "rate"), &Value::Decimal("0.5".parse().unwrap()));
    assert_eq!(first(&rows, "gone"), &Value::Null);
    assert_eq!(first(&rows, "status"), &Value::Integer(3), "the query's own column wins");
    assert_eq!(first(&rows, "body"), &Value::Json(answer));
    assert!(first(&rows, "latency_ms").integer().is_some());
}

#[tokio::test]
async fn a_list_in_the_answer_becomes_rows() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": 1 }, { "id": 2 }] }))).await;
    let system = open(&server.uri(), LIMIT);
    let list = HttpRead { rows: Some("/data".into()), ..pointing("/x", &[("id", "/id")]) };
    let rows = read(&system, list).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.find("id").unwrap().integer()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    let elsewhere = HttpRead { rows: Some("/items".into()), ..pointing("/x", &[("id", "/id")]) };
    let error = read(&system, elsewhere).await.unwrap_err();
    assert!(matches!(&error, SourceError::Malformed(why) if why.shown().contains("no list at `/items`")), "{error:?}");
}

#[tokio::test]
async fn each_status_fails_in_its_own_way_and_never_tells_the_secret() {
    for (status, kind) in
        [(401, "Denied"), (403, "Denied"), (404, "Refused"), (302, "Refused"), (500, "Malformed"), (502, "Malformed")]
    {
        let reply = ResponseTemplate::new(status).set_body_string(format!("<html>Bearer {CANARY} and {CANARY}</html>"));
        let server = answering(reply).await;
        let error = read(&open(&server.uri(), LIMIT), get("/x")).await.unwrap_err();
        let said = format!("{error:?}");
        assert!(said.starts_with(kind), "{status}: {said}");
        assert!(!said.contains(CANARY) && !error.to_string().contains(CANARY), "{said}");
        assert!(said.contains(&format!("/x answered {status}")), "{said}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_malformed_only_where_json_is_needed() {
    let server = answering(ResponseTemplate::new(200).set_body_string("up")).await;
    let system = open(&server.uri(), LIMIT);
    assert_eq!(first(&read(&system, get("/x")).await.unwrap(), "body"), &Value::text("up"));
    let error = read(&system, pointing("/x", &[("mode", "/mode")])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Malformed(why) if why.shown().contains("not with JSON")), "{error:?}");
}

#[tokio::test]
async fn a_probe_turns_every_failure_into_a_row() {
    let probe = |at: &str| HttpRead { probe: true, ..pointing(at, &[("category", "/category")]) };
    let server = answering(ResponseTemplate::new(503).set_body_string("down for repair")).await;
    let rows = read(&open(&server.uri(), LIMIT), probe("/x")).await.unwrap();
    assert_eq!(first(&rows, "ok"), &Value::Bool(false));
    assert_eq!(first(&rows, "status"), &Value::Integer(503));
    assert!(first(&rows, "error").original().contains("down for repair"));
    assert_eq!(first(&rows, "category"), &Value::Null);

    let rows = read(&open(&nobody().await, LIMIT), probe("/x")).await.unwrap();
    assert_eq!((first(&rows, "ok"), first(&rows, "status")), (&Value::Bool(false), &Value::Null));

    let (silent, _held) = never_answers().await;
    let rows = read(&open(&silent, Duration::from_millis(50)), probe("/x")).await.unwrap();
    assert_eq!(first(&rows, "error"), &Value::text("no answer within 50 ms"));
}

#[tokio::test]
async fn silence_and_absence_are_told_apart() {
    let error = read(&open(&nobody().await, LIMIT), get("/x")).await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable(_)), "{error:?}");
    let (silent, _held) = never_answers().await;
    let error = read(&open(&silent, Duration::from_millis(50)), get("/x")).await.unwrap_err();
    assert_eq!(error, SourceError::TimedOut(Duration::from_millis(50)));
}

#[tokio::test]
async fn a_read_follows_a_redirect_at_home_and_none_away() {
    let server = MockServer::start().await;
    let moved = |to: &str| ResponseTemplate::new(301).insert_header("location", to);
    Mock::given(path("/old")).respond_with(moved("/new?x=1")).mount(&server).await;
    Mock::given(path("/new")).respond_with(ResponseTemplate::new(200).set_body_string("here")).mount(&server).await;
    Mock::given(path("/away")).respond_with(moved("https://elsewhere.example/")).mount(&server).await;
    Mock::given(path("/round")).respond_with(moved("/round")).mount(&server).await;
    let system = open(&server.uri(), LIMIT);
    assert_eq!(first(&read(&system, get("/old")).await.unwrap(), "body"), &Value::text("here"));
    let error = read(&system, get("/away")).await.unwrap_err();
    assert!(error.to_string().contains("elsewhere.example"), "{error}");
    assert!(read(&system, get("/round")).await.unwrap_err().to_string().contains("redirects"));
}

#[tokio::test]
async fn a_path_cannot_lead_to_another_origin() {
    let system = open("https://site.example/api", LIMIT);
    for (path, address) in
        [("/x", "https://site.example/api/x"), ("x", "https://site.example/api/x"), ("?a=1", "https://site.example/api?a=1")]
    {
        assert_eq!(system.address(path).unwrap().as_str(), address);
    }
    for path in ["/../admin", "@evil.example/", "//evil.example/", "https://evil.example/"] {
        if let Ok(address) = system.address(path) {
            assert!(address.as_str().starts_with("https://site.example/api/"), "{address}");
        }
    }
    for path in ["/../admin", "/../apix", "/x/../../apix"] {
        assert!(system.address(path).is_err(), "{path}");
    }
}

#[tokio::test]
async fn too_big_an_answer_is_refused() {
    let server =
        answering(ResponseTemplate::new(200).set_body_string("x".repeat(super::super::transport::LARGEST_ANSWER + 1))).await;
    let system = open(&server.uri(), LIMIT);
    let error = read(&system, get("/x")).await.unwrap_err();
    assert!(matches!(&error, SourceError::Malformed(why) if why.shown().contains("bigger than 5 MiB")), "{error:?}");
    // For an act, the status is the answer.
    assert!(matches!(system.act(&run(), &mark("a")).await, Outcome::Confirmed(_)));
}

#[tokio::test]
async fn an_act_carries_its_key_and_its_bytes() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/jobs/run"))
        .and(header("idempotency-key", "act9-0"))
        .and(header("content-type", "application/json"))
        .and(body_string("{\"a\":1}"))
        .respond_with(ResponseTemplate::new(202))
        .expect(1)
        .mount(&server)
        .await;
    let outcome = open(&server.uri(), LIMIT).act(&run(), &mark("act9")).await;
    assert_eq!(words(&outcome), "site: POST /jobs/run answered 202");
    assert!(matches!(outcome, Outcome::Confirmed(_)));
}

#[tokio::test]
async fn each_answer_to_an_act_means_one_thing() {
    for (status, kind) in [
        (200, "Confirmed"),
        (204, "Confirmed"),
        (301, "Rejected"),
        (302, "Unknown"),
        (400, "Rejected"),
        (401, "Rejected"),
        (404, "Rejected"),
        (409, "Rejected"),
        (429, "Again"),
        (500, "Unknown"),
        (502, "Unknown"),
    ] {
        let reply =
            ResponseTemplate::new(status).insert_header("location", "/jobs/run").set_body_string(format!("<p>{CANARY}</p>"));
        let server = answering(reply).await;
        let outcome = open(&server.uri(), LIMIT).act(&run(), &mark("a")).await;
        let said = format!("{outcome:?}");
        assert!(said.starts_with(kind), "{status}: {said}");
        assert!(!said.contains(CANARY), "{said}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "an act is sent once and follows nothing");
    }
}

#[tokio::test]
async fn a_dropped_answer_is_unknown_and_an_unsent_act_is_not() {
    for answer in ["", "HTTP/1.1 20"] {
        let (address, seen) = breaks_off(answer).await;
        let outcome = open(&address, LIMIT).act(&run(), &mark("a")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert!(seen.await.unwrap().starts_with("POST /jobs/run"));
    }
    let (address, _seen) = breaks_off("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let outcome = open(&address, LIMIT).act(&run(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    let outcome = open(&nobody().await, LIMIT).act(&run(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    let (silent, _held) = never_answers().await;
    let system = open(&silent, Duration::from_millis(50));
    assert!(matches!(system.act(&run(), &mark("a")).await, Outcome::Unknown(_)));
    assert!(matches!(system.look_up(&run(), &mark("a")).await, Found::CannotTell(_)));
    assert!(!format!("{system:?}").contains(CANARY));
}

#[tokio::test]
async fn an_answer_that_does_not_prove_it_is_never_done() {
    let proof = |at: &str, rule: ProofRule| Some(Proof { at: at.to_owned(), rule });
    let proofs = Proofs {
        expect: proof("/ok", ProofRule::Equals(json!(true))),
        refused: proof("/error", ProofRule::Contains("locked".to_owned())),
    };
    for (status, body, kind, said) in [
        (200, json!({ "ok": true }).to_string(), "Confirmed", "POST /jobs/run answered 200"),
        (
            200,
            json!({ "ok": false }).to_string(),
            "Unknown",
            "{\"ok\":false}: that does not prove it; the pack expects /ok = true",
        ),
        (200, json!({ "error": "locked" }).to_string(), "Rejected", "refused, by what the pack says: /error contains `locked`"),
        (204, String::new(), "Unknown", "answered 204: that does not prove it"),
        (200, "<html><title>Log in</title></html>".to_owned(), "Unknown", "Log in"),
        (200, format!("\"{CANARY}\""), "Unknown", "does not prove it"),
        (500, json!({ "ok": true }).to_string(), "Unknown", "answered 500"),
        (422, json!({ "ok": true }).to_string(), "Rejected", "answered 422"),
    ] {
        let server = answering(ResponseTemplate::new(status).set_body_string(&body)).await;
        let outcome = open(&server.uri(), LIMIT).act(&proven_by(proofs.clone()), &mark("a")).await;
        assert!(format!("{outcome:?}").starts_with(kind) && words(&outcome).contains(said), "{status} {body}: {outcome:?}");
        assert!(!words(&outcome).contains(CANARY), "{outcome:?}");
    }
    let only_refused = Proofs { expect: None, ..proofs };
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"ok\": true";
    let (address, _seen) = breaks_off(half).await;
    let outcome = open(&address, LIMIT).act(&proven_by(only_refused), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "a refusal may stand in the other half: {outcome:?}");
    let (address, _seen) = breaks_off(half).await;
    let outcome = open(&address, LIMIT).act(&run(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "the status says it: {outcome:?}");
}
