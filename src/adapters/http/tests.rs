use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, header, method, path, query_param},
};

use super::*;
use crate::{
    adapters::testing::{CANARY, LIMIT, breaks_off, mark, never_answers, nobody, query, template, words},
    domain::{
        finding::{Finding, Goes, Taken},
        id::Id,
        proof::ProofRule,
        value::Value,
    },
};

pub(super) fn open(url: &str, limit: Duration) -> HttpSystem {
    let headers = vec![("authorization".to_owned(), Secret::secret(&format!("Bearer {CANARY}")))];
    HttpSystem::open("site", Reach { headers, ..Reach::to(Secret::plain(url), limit) }).unwrap()
}

fn get(at: &str) -> HttpRead {
    HttpRead {
        method: "GET".into(),
        path: template(at),
        body: None,
        columns: Vec::new(),
        rows: Vec::new(),
        only: Vec::new(),
        times: Vec::new(),
        numbers: Vec::new(),
        pages: None,
        probe: false,
    }
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
    Order::Http { on: Id::new("site"), method: "POST".into(), path: "/jobs/run".into(), body, find: None, proofs }
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
    let list = HttpRead { rows: vec!["/data".into()], ..pointing("/x", &[("id", "/id")]) };
    let rows = read(&system, list).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.find("id").unwrap().integer()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    let elsewhere = HttpRead { rows: vec!["/items".into()], ..pointing("/x", &[("id", "/id")]) };
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
async fn a_secret_that_an_answer_repeats_becomes_no_cell_however_it_is_spelled() {
    for secret in ["s3/canary", "canary/\"7f3a9c\\0123456789"] {
        let headers = vec![("x-key".to_owned(), Secret::secret(secret))];
        let json = Json::from(secret).to_string();
        let numbers = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
        for spelled in [json.clone(), json.replace('/', "\\/"), format!("\"{numbers}\"")] {
            let body = format!("{{\"you_sent\": {spelled}, \"all\": [{{{spelled}: 1}}]}}");
            let server = answering(ResponseTemplate::new(200).set_body_string(body.clone())).await;
            let reach = Reach { headers: headers.clone(), ..Reach::to(Secret::plain(&server.uri()), LIMIT) };
            let system = HttpSystem::open("site", reach).unwrap();
            let rows = read(&system, pointing("/", &[("you_sent", "/you_sent"), ("all", "/all")])).await.unwrap();
            assert_eq!(first(&rows, "you_sent"), &Value::text("***"), "{body}");
            assert_eq!(first(&rows, "all"), &Value::Json(json!([{ "***": 1 }])), "{body}");
            assert_eq!(first(&rows, "body"), &Value::Json(json!({ "you_sent": "***", "all": [{ "***": 1 }] })), "{body}");
            let server = answering(ResponseTemplate::new(404).set_body_string(body)).await;
            let reach = Reach { headers: headers.clone(), ..Reach::to(Secret::plain(&server.uri()), LIMIT) };
            let error = read(&HttpSystem::open("site", reach).unwrap(), get("/")).await.unwrap_err().to_string();
            assert!(error.contains("***") && !error.contains("canary") && !error.contains("0063"), "{error}");
        }
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
async fn where_no_line_comes_about_nothing_was_sent() {
    // Whoever is there says nothing of TLS, for as long as it takes.
    let (address, _server) = never_answers().await;
    let outcome = open(&address.replace("http://", "https://"), Duration::from_millis(300)).act(&run(), &mark("a")).await;
    let Outcome::Again { why, .. } = &outcome else { panic!("{outcome:?}") };
    assert!(why.shown().contains("not sent: nobody answers"), "{why}");
}

#[tokio::test]
async fn a_secret_that_goes_out_in_clear_is_told_of_at_the_start() {
    let told = async |address: &str| {
        let url = Secret::plain(address);
        let reach = Reach { headers: vec![("x-key".into(), Secret::secret(CANARY))], ..Reach::to(url, LIMIT) };
        HttpSystem::open("site", reach).unwrap().inspect().await.unwrap()
    };
    let said = told("http://shop.example/api").await;
    assert!(said[0].shown().starts_with("site: its secret goes to shop.example in clear"), "{said:?}");
    assert!(told("https://shop.example/api").await.is_empty() && told("http://localhost:1").await.is_empty());
    let open = HttpSystem::open("site", Reach::to(Secret::plain("http://shop.example"), LIMIT)).unwrap();
    assert!(open.inspect().await.unwrap().is_empty(), "there is no secret");
    let why = HttpSystem::open("site", Reach::to(Secret::plain("https://shop.example/?key=1"), LIMIT)).unwrap_err();
    assert!(why.contains("would not be sent") && !why.contains("key=1"), "{why}");
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

fn found() -> Order {
    let find = Finding {
        what: "variable MODE".into(),
        path: "/env?x=1".into(),
        list: "/envs".into(),
        only: vec![Proof { at: "/key".into(), rule: ProofRule::Equals(json!("MODE")) }],
        is_first: false,
        takes: vec![Taken { from: "/id".into(), goes: Goes::PathEnd }],
    };
    let body = Some("{\"value\":\"safe\"}".into());
    let (method, path) = ("PATCH".into(), "/env".into());
    Order::Http { on: Id::new("site"), method, path, body, find: Some(Box::new(find)), proofs: Proofs::default() }
}

#[tokio::test]
async fn what_a_request_must_name_is_looked_for_first_and_then_it_is_sent_once() {
    let server = MockServer::start().await;
    let list = json!({ "envs": [{ "id": "env_1", "key": "OTHER" }, { "id": "env_2", "key": "MODE" }] });
    Mock::given(method("GET"))
        .and(path("/env"))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(&server)
        .await;
    Mock::given(method("PATCH"))
        .and(path("/env/env_2"))
        .and(body_string("{\"value\":\"safe\"}"))
        .and(header("idempotency-key", "a-0"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let outcome = open(&server.uri(), LIMIT).act(&found(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
}

#[tokio::test]
async fn where_it_is_not_found_nothing_is_sent_and_that_is_certain() {
    for (status, body, kind, said) in [
        (200, json!({ "envs": [] }).to_string(), "Rejected", "not sent: there is no variable MODE (by GET /env)"),
        (200, "<html><title>Log in</title></html>".to_owned(), "Again", "not JSON, or cut off"),
        (200, "{\"envs\": [".to_owned(), "Again", "not JSON, or cut off"),
        (401, CANARY.to_owned(), "Rejected", "denied; check the connection's credentials"),
        (404, String::new(), "Rejected", "answered 404"),
        (302, String::new(), "Rejected", "answered 302"),
        (429, String::new(), "Again", "answered 429"),
        (503, String::new(), "Again", "answered 503"),
    ] {
        let server = answering(ResponseTemplate::new(status).set_body_string(&body)).await;
        let outcome = open(&server.uri(), LIMIT).act(&found(), &mark("a")).await;
        assert!(format!("{outcome:?}").starts_with(kind) && words(&outcome).contains(said), "{status} {body}: {outcome:?}");
        assert!(!words(&outcome).contains(CANARY), "{outcome:?}");
        let sent = server.received_requests().await.unwrap();
        assert!(sent.iter().all(|request| request.method.as_str() == "GET"), "{sent:?}");
    }
    let (silent, _held) = never_answers().await;
    for (address, limit) in [(nobody().await, LIMIT), (silent, Duration::from_millis(50))] {
        let outcome = open(&address, limit).act(&found(), &mark("a")).await;
        assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn times_in_numbers_and_numbers_in_words_become_what_they_mean() {
    let answer =
        json!({ "s": 1_700_000_000, "ms": 1_700_000_000_000_i64, "late": "soon", "n": "12", "d": " 1.5", "word": "many" });
    let server = answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let columns = ["s", "ms", "late", "n", "d", "word"].map(|name| (name, format!("/{name}")));
    let columns: Vec<_> = columns.iter().map(|(name, pointer)| (*name, pointer.as_str())).collect();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let reading =
        HttpRead { times: names(&["s", "ms", "late"]), numbers: names(&["n", "d", "word"]), ..pointing("/x", &columns) };
    let rows = read(&open(&server.uri(), LIMIT), reading).await.unwrap();
    let moment = Value::Time("2023-11-14T22:13:20Z".parse().unwrap());
    assert_eq!((first(&rows, "s"), first(&rows, "ms"), first(&rows, "late")), (&moment, &moment, &Value::text("soon")));
    assert_eq!(first(&rows, "n"), &Value::Integer(12));
    assert_eq!((first(&rows, "d"), first(&rows, "word")), (&Value::Decimal("1.5".parse().unwrap()), &Value::text("many")));
}

#[tokio::test]
async fn of_a_list_only_what_is_meant_becomes_a_row_wherever_the_list_stands() {
    let server =
        answering(ResponseTemplate::new(200).set_body_json(json!([{ "id": 1, "at": ["x"] }, { "id": 2, "at": ["y"] }]))).await;
    let only = vec![Proof { at: "/at".into(), rule: ProofRule::Contains("y".into()) }];
    let list = HttpRead { rows: vec!["/items".into(), String::new()], only, ..pointing("/x", &[("id", "/id")]) };
    let rows = read(&open(&server.uri(), LIMIT), list).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.find("id").unwrap().integer()).collect::<Vec<_>>(), [Some(2)]);
}

#[tokio::test]
async fn a_known_service_is_asked_whose_token_it_is() {
    let server = MockServer::start().await;
    Mock::given(path("/me"))
        .and(header("authorization", format!("Bearer {CANARY}").as_str()))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "user": { "name": "ana" }, "echo": CANARY })))
        .mount(&server)
        .await;
    Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let at = |door: &str, facts| Service { word: "host", title: "Host", address: None, door: door.into(), facts };
    let known = |service| {
        // Written down as the header that it becomes, or alone: it is the same token.
        let token = Some(Secret::secret(&format!("Bearer {CANARY}")));
        let reach = Reach { token, service: Some(service), ..Reach::to(Secret::plain(&server.uri()), LIMIT) };
        HttpSystem::open("host", reach).unwrap()
    };
    let facts = vec![("user", "/user/name"), ("echo", "/echo"), ("gone", "/gone")];
    let identity = known(at("/me", facts)).identify().await.unwrap();
    assert_eq!(identity.system.shown(), "Host");
    assert_eq!(identity.facts, [("user", Text::new("ana")), ("echo", Text::new("***"))]);
    let error = known(at("/nowhere", Vec::new())).identify().await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains("/nowhere answers 404")), "{error:?}");
}
