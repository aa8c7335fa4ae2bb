//! What goes wrong between here and the database, each told in plain words; none leaves an act done twice or unseen.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::{
    Change, Duration, FieldValue, FirestoreRead, FirestoreSystem, Json, Outcome, Precondition, ROOT, SourceError, Total, cells,
    document, ids, json, list, mark, open, order, read, set,
    tokens::{gives, key, open_marked},
};
use crate::{
    adapters::testing::{LIMIT, breaks_off, never_answers, nobody, words},
    ports::{Doer as _, Found},
};

/// What an error is, whatever its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Refused,
    Denied,
    Busy,
    Malformed,
    Silent,
}

impl Kind {
    fn of(error: &SourceError) -> Self {
        match error {
            SourceError::Refused(_) => Self::Refused,
            SourceError::Denied(_) => Self::Denied,
            SourceError::Busy(_) => Self::Busy,
            SourceError::Malformed(_) => Self::Malformed,
            SourceError::Unreachable(_) | SourceError::TimedOut(_) => Self::Silent,
        }
    }
}

fn host(address: &str) -> &str {
    address.trim_start_matches("http://")
}

fn at(address: &str) -> FirestoreSystem {
    open(host(address), None, LIMIT)
}

async fn answering(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(reply).mount(&server).await;
    server
}

/// As Google's service refuses: alone, or as a part of what it streams.
fn refusal(http: u16, status: &str, message: &str) -> Json {
    json!({ "error": { "code": http, "status": status, "message": message } })
}

const INDEX: &str = "The query requires an index. You can create it here: \
    https://console.firebase.google.com/v1/r/project/shop/firestore/indexes?create_composite=ClBwcm9qZWN0cy9zaG9wL2RhdGFiYXNlcy8oZGVmYXVsdCkvY29sbGVjdGlvbkdyb3Vwcy9qb2Jz";

#[tokio::test]
async fn each_refusal_of_a_look_says_what_to_do() {
    for (http, status, message, kind, said) in [
        (400, "FAILED_PRECONDITION", INDEX, Kind::Refused, "open that link once, and wait until the index is built"),
        (400, "INVALID_ARGUMENT", "Unknown operator", Kind::Refused, "400 Unknown operator [INVALID_ARGUMENT]"),
        (401, "UNAUTHENTICATED", "Request had invalid credentials", Kind::Denied, "check the connection's credentials"),
        (403, "PERMISSION_DENIED", "Missing or insufficient permissions.", Kind::Denied, "roles/datastore.viewer"),
        (
            404,
            "NOT_FOUND",
            "The database (default) does not exist for project shop",
            Kind::Refused,
            "check `project` and `database`",
        ),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded.", Kind::Busy, "the project's quota is used up"),
        (500, "INTERNAL", "", Kind::Malformed, "500 no reason given [INTERNAL]"),
        (503, "UNAVAILABLE", "try again", Kind::Busy, "503 try again"),
        (504, "DEADLINE_EXCEEDED", "too long", Kind::Malformed, "504 too long"),
    ] {
        let is_tried_again = matches!(status, "UNAVAILABLE" | "RESOURCE_EXHAUSTED" | "INTERNAL");
        for streamed in [false, true].into_iter().filter(|streamed| !(*streamed && is_tried_again)) {
            let one = refusal(http, status, message);
            let body = if streamed { json!([{ "readTime": "2026-11-19T08:00:00Z" }, one]) } else { one };
            // Also where the stream had begun well: half a list is none.
            let server = answering(ResponseTemplate::new(if streamed { 200 } else { http }).set_body_json(&body)).await;
            let error = read(&at(&server.uri()), list("jobs", &[("status", "status")])).await.unwrap_err();
            assert_eq!(Kind::of(&error), kind, "{error:?}");
            let told = error.to_string();
            assert!(told.starts_with("docs: collection jobs refused: ") && told.contains(said), "{told}");
            assert!(!message.contains("https://") || told.contains(message), "the whole link: {told}");
            let asked = server.received_requests().await.unwrap().len();
            assert_eq!(asked, if is_tried_again { 3 } else { 1 }, "{status}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_databases_is_told_as_it_is() {
    let page = "<html><title>Sign in</title></html>";
    for (status, body, kind, said) in [
        (200, page, Kind::Malformed, "not JSON: a page of HTML: Sign in"),
        (200, "[]]", Kind::Malformed, "not JSON"),
        (200, "{\"n\": 1}", Kind::Malformed, "no list"),
        (302, "", Kind::Refused, "moved to https://login.example/"),
        (403, page, Kind::Denied, "answered 403: a page of HTML"),
        (502, page, Kind::Malformed, "answered 502"),
    ] {
        let reply = ResponseTemplate::new(status).set_body_string(body).insert_header("location", "https://login.example/");
        let server = answering(reply).await;
        let error = read(&at(&server.uri()), list("jobs", &[])).await.unwrap_err();
        let told = error.to_string();
        assert!(Kind::of(&error) == kind && told.contains(said), "{status}: {error:?}");
    }
    let server = answering(ResponseTemplate::new(200).set_body_json(json!([{}]))).await;
    let error = read(&at(&server.uri()), document("jobs/j1", &[])).await.unwrap_err();
    assert!(error.to_string().contains("neither the document nor that it is missing"), "{error}");
    let totals = FirestoreRead { totals: vec![("n".into(), Total::Count)], ..list("jobs", &[]) };
    let error = read(&at(&server.uri()), totals).await.unwrap_err();
    assert!(error.to_string().contains("an answer without totals"), "{error}");
}

#[tokio::test]
async fn silence_absence_and_a_slow_drip_are_told_apart() {
    let error = read(&at(&nobody().await), list("jobs", &[])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Unreachable(why) if why.shown().contains("nobody answers")), "{error:?}");
    let short = Duration::from_millis(60);
    let (silent, _held) = never_answers().await;
    let error = read(&open(host(&silent), None, short), list("jobs", &[])).await.unwrap_err();
    assert_eq!(error, SourceError::TimedOut(short));
    let dripping = drips().await;
    let error = read(&open(host(&dripping), None, short), list("jobs", &[])).await.unwrap_err();
    assert!(error == SourceError::TimedOut(short) || error.to_string().contains("time ran out"), "{error:?}");
    let (half, _seen) = breaks_off("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n[{\"document\": {").await;
    let error = read(&at(&half), list("jobs", &[])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Malformed(why) if why.shown().contains("broke off")), "{error:?}");
}

/// A server whose answer comes byte by byte and never ends.
async fn drips() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut tick = tokio::time::interval(Duration::from_millis(2));
                let _ = line.read(&mut [0; 16 * 1024]).await;
                line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n[").await.unwrap();
                while line.write_all(b" ").await.is_ok() {
                    tick.tick().await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn what_is_too_big_for_one_answer_comes_in_smaller_pages() {
    // Documents of 100 kB each: 5 MiB hold about fifty.
    let big = "x".repeat(100_000);
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(move |request: &wiremock::Request| {
            let body: Json = serde_json::from_slice(&request.body).unwrap();
            let query = &body["structuredQuery"];
            let after = query["startAt"]["values"][0]["referenceValue"]
                .as_str()
                .map_or(0, |name| name.rsplit('j').next().unwrap().parse().unwrap());
            let asked = query["limit"].as_u64().unwrap();
            let documents: Vec<Json> = (after + 1..=120)
                .take(asked as usize)
                .map(|n: u64| {
                    json!({ "readTime": "2026-11-19T08:00:00Z", "document": { "name": format!("{ROOT}/jobs/j{n:03}"),
                    "fields": { "note": { "stringValue": big.as_str() } } } })
                })
                .collect();
            assert!(after == 0 || body["readTime"] == "2026-11-19T08:00:00Z", "{}", body["readTime"]);
            ResponseTemplate::new(200).set_body_json(documents)
        })
        .mount(&server)
        .await;
    let rows = read(&at(&server.uri()), list("jobs", &[("note", "note")])).await.unwrap();
    assert_eq!((rows.len(), ids(&rows)[119].as_str()), (120, "j120"));
    assert!(cells(&rows, "note").iter().all(|note| note.original().len() == 100_000));

    let huge = json!([{ "found": { "name": format!("{ROOT}/jobs/j1"), "fields": { "note": { "stringValue": "x".repeat(6_000_000) } } } }]);
    let server = answering(ResponseTemplate::new(200).set_body_json(&huge)).await;
    let error = read(&at(&server.uri()), document("jobs/j1", &[("note", "note")])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Malformed(why) if why.shown().contains("bigger than 5 MiB")), "{error:?}");
}

fn hide() -> super::Order {
    let since = Precondition::UnchangedSince("2026-11-19T08:00:00Z".parse().unwrap());
    order("jobs/j1", &[("hidden", set(FieldValue::Truth(true))), ("old", Change::Remove)], since)
}

#[tokio::test]
async fn each_answer_to_an_act_means_one_thing() {
    let missing = "No document to update: projects/shop/databases/(default)/documents/jobs/j1";
    for (http, body, kind, said) in [
        (200, json!({ "writeResults": [{}], "commitTime": "2026-11-19T08:00:01Z" }), "Confirmed", "jobs/j1 written"),
        (200, json!({ "hello": "captive portal" }), "Unknown", "without a commit"),
        (
            400,
            refusal(400, "FAILED_PRECONDITION", "the stored version does not match"),
            "Changed",
            "it has changed since it was read",
        ),
        (400, refusal(400, "INVALID_ARGUMENT", "bad field"), "Rejected", "refused: 400 bad field"),
        (401, refusal(401, "UNAUTHENTICATED", "no"), "Rejected", "denied: 401 no"),
        (403, refusal(403, "PERMISSION_DENIED", "no"), "Rejected", "roles/datastore.user"),
        (404, refusal(404, "NOT_FOUND", missing), "Changed", "it is gone"),
        (404, refusal(404, "NOT_FOUND", "The database (default) does not exist"), "Rejected", "check `project` and `database`"),
        (409, refusal(409, "ABORTED", "contention"), "Again", "409 contention"),
        (409, refusal(409, "ALREADY_EXISTS", "is there"), "Changed", "it has changed"),
        (429, refusal(429, "RESOURCE_EXHAUSTED", "quota"), "Again", "quota"),
        (500, refusal(500, "INTERNAL", "oops"), "Unknown", "500 oops"),
        (503, refusal(503, "UNAVAILABLE", "later"), "Unknown", "503 later"),
        (503, refusal(503, "OF_TOMORROW", "later"), "Unknown", "503 later"),
        (403, json!("a proxy's no"), "Unknown", "answered 403"),
        (502, json!("<html>"), "Unknown", "answered 502"),
        (307, json!(""), "Unknown", "answered 307"),
    ] {
        let server = answering(ResponseTemplate::new(http).set_body_json(&body).insert_header("retry-after", "7")).await;
        let outcome = at(&server.uri()).act(&hide(), &mark("a")).await;
        let told = format!("{outcome:?}");
        assert!(told.starts_with(kind) && words(&outcome).contains(said), "{http} {body}: {told}");
        assert!(!matches!(outcome, Outcome::Again { after, .. } if after != Duration::from_secs(7)), "{told}");
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.len(), 1, "an act is sent once: {body}");
        let sent: Json = serde_json::from_slice(&requests[0].body).unwrap();
        let write = &sent["writes"][0];
        assert_eq!(write["updateMask"]["fieldPaths"], json!(["hidden", "old"]), "the mask is always there");
        assert_eq!(write["currentDocument"], json!({ "updateTime": "2026-11-19T08:00:00.000000000Z" }));
        assert!(requests[0].url.path().ends_with("/databases/(default)/documents:commit"), "{}", requests[0].url);
    }
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_an_unsent_act_is_not() {
    for answer in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"writeRes"] {
        let (address, seen) = breaks_off(answer).await;
        let outcome = at(&address).act(&hide(), &mark("a")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{answer:?}: {outcome:?}");
        assert!(seen.await.unwrap().starts_with("POST /v1/projects/shop/"));
    }
    let outcome = at(&nobody().await).act(&hide(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    let (silent, _held) = never_answers().await;
    let short = open(host(&silent), None, Duration::from_millis(60));
    let outcome = short.act(&hide(), &mark("a")).await;
    assert!(matches!(&outcome, Outcome::Unknown(why) if why.shown().contains("no answer within 60 ms")), "{outcome:?}");
    let found = short.look_up(&hide(), &mark("a")).await;
    assert!(matches!(&found, Found::CannotTell(why) if why.shown().contains("no answer within 60 ms")), "{found:?}");
}

/// A server that says this to every request, whatever it is, and hangs up.
async fn says(words: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = line.read(&mut [0; 16 * 1024]).await;
                // Whoever hangs up first ends it.
                let _ = line.write_all(words).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn garbage_a_flood_and_a_slow_drip_leave_an_act_unknown() {
    let garbage = says(b"\x00\x16\x03 what would you like?\r\n\r\n").await;
    let error = read(&at(&garbage), list("jobs", &[])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Unreachable(why) if why.shown().contains("nobody answers")), "{error:?}");
    let huge = answering(ResponseTemplate::new(200).set_body_string("y".repeat(6 << 20))).await;
    let short = Duration::from_secs(1);
    let dripping = drips().await;
    for (system, said) in [
        (at(&garbage), "the line broke"),
        (at(&huge.uri()), "bigger than 5 MiB"),
        (open(host(&dripping), None, short), "time ran out"),
    ] {
        let outcome = system.act(&hide(), &mark("a")).await;
        assert!(matches!(&outcome, Outcome::Unknown(why) if why.shown().contains(said)), "{said}: {outcome:?}");
        let found = system.look_up(&hide(), &mark("a")).await;
        assert!(matches!(found, Found::CannotTell(_)), "{said}: {found:?}");
    }
    assert_eq!(
        huge.received_requests().await.unwrap().iter().filter(|request| request.url.path().ends_with(":commit")).count(),
        1
    );
}

#[tokio::test]
async fn where_tls_is_wrong_nothing_is_asked_and_nothing_written() {
    crate::adapters::install_tls();
    let tokens = MockServer::start().await;
    let Some(key) = key(&format!("{}/token", tokens.uri())) else { return };
    gives(&tokens, "ya29.token", 1).await;
    let plain = says(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let system = open_marked(&key, &plain.replace("http://", "https://"), None).unwrap();
    let advice = "it speaks no TLS there: check the address and its port";
    let error = read(&system, list("jobs", &[])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Unreachable(why) if why.shown().contains(advice)), "{error:?}");
    let outcome = system.act(&hide(), &mark("a")).await;
    assert!(matches!(&outcome, Outcome::Rejected(why) if why.shown().contains(advice)), "{outcome:?}");
}
