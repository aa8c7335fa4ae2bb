//! Google's tokens: a service account's key against a token endpoint, and what is told where there is none.

use std::process::Command;

use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, method, path, path_regex},
};

use super::{
    Declared, FirestoreSystem, Json, ROOT, SourceError, cells,
    claims::{Word, wanted},
    document, json, list, mark, order,
    partner::Partner,
    read, set, text,
};
use crate::{
    adapters::{
        environment::Found as Secret,
        testing::{CANARY, LIMIT, words},
    },
    domain::{claim::Ending, document::Precondition, plan::ActionId},
    ports::{Doer as _, Source as _},
};

/// A key as Google's console makes it, for this token endpoint. `None` where there is no openssl, which is said.
pub(super) fn key(token_uri: &str) -> Option<Json> {
    let made = Command::new("openssl").args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]).output();
    let Ok(made) = made else {
        crate::adapters::absent::absent("openssl", "apt-get install openssl");
        return None;
    };
    Some(json!({
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": format!("{CANARY}-id"),
        "private_key": String::from_utf8(made.stdout).unwrap(),
        "client_email": "cockpit@shop.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }))
}

fn declared(key: Option<&Secret>) -> Declared<'_> {
    Declared { project: "shop", database: "(default)", key, marks: None, emulator: None, timeout: LIMIT }
}

fn open(key: &Json, google: &str) -> Result<FirestoreSystem, String> {
    open_marked(key, google, None)
}

pub(super) fn open_marked(key: &Json, google: &str, marks: Option<&str>) -> Result<FirestoreSystem, String> {
    let key = Secret::secret(&key.to_string());
    FirestoreSystem::open_at("docs", &Declared { marks, ..declared(Some(&key)) }, google, google)
}

pub(super) async fn gives(endpoint: &MockServer, token: &str, times: u64) {
    let token = json!({ "access_token": token, "expires_in": 3600, "token_type": "Bearer" });
    let reply = ResponseTemplate::new(200).set_body_json(token);
    Mock::given(method("POST")).and(path("/token")).respond_with(reply).expect(times).mount(endpoint).await;
}

#[tokio::test]
async fn a_key_gets_a_token_once_and_every_request_carries_it() {
    crate::adapters::install_tls();
    let google = MockServer::start().await;
    let Some(key) = key(&format!("{}/token", google.uri())) else { return };
    let token = format!("ya29.{CANARY}");
    gives(&google, &token, 1).await;
    let bearer = format!("Bearer {token}");
    Mock::given(path_regex("runQuery$"))
        .and(header("authorization", bearer.as_str()))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([])))
        .expect(3)
        .mount(&google)
        .await;
    let system = open(&key, &google.uri()).unwrap();
    for _ in 0..3 {
        assert!(read(&system, list("jobs", &[])).await.unwrap().is_empty());
    }
    let assertion = google.received_requests().await.unwrap().into_iter().find(|request| request.url.path() == "/token").unwrap();
    let body = String::from_utf8(assertion.body).unwrap();
    assert!(body.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="), "{body}");
    assert!(!format!("{system:?}").contains(CANARY));
}

#[tokio::test]
async fn the_partner_lets_in_whom_it_knows_and_denies_others() {
    crate::adapters::install_tls();
    let rules = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(rules.path(), "rules_version = '2'; service cloud.firestore { match /databases/{d}/documents { match /{any=**} { allow read, write: if false; } } }").unwrap();
    let Some(partner) = Partner::start(&["--rules", rules.path().to_str().unwrap()]) else { return };
    let google = format!("http://{}/", partner.address);
    // A person's token without any rights: header and claims, and nobody verifies the signature.
    let person = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnktN2YzYTljIn0.";
    for (token, denied) in [
        (format!("ya29.{CANARY}"), None),
        (person.to_owned(), Some("PERMISSION_DENIED")),
        (CANARY.to_owned(), Some("invalid jwt")),
    ] {
        let endpoint = MockServer::start().await;
        let Some(key) = key(&format!("{}/token", endpoint.uri())) else { return };
        gives(&endpoint, &token, 1).await;
        let system = open(&key, &google).unwrap();
        let ban = order("bans/u1", &[("why", set(text("spam")))], Precondition::Absent);
        match denied {
            None => {
                assert!(read(&system, document("jobs/j1", &[])).await.unwrap().is_empty());
                assert_eq!(words(&system.act(&ban, &mark("a")).await), "docs: bans/u1 written");
            }
            Some(said) => {
                let error = read(&system, document("jobs/j1", &[])).await.unwrap_err();
                assert!(error.to_string().contains(said), "{error:?}");
                assert!(!matches!(error, SourceError::Malformed(_)), "{error:?}");
                let outcome = system.act(&ban, &mark("a")).await;
                assert!(format!("{outcome:?}").starts_with("Rejected") && words(&outcome).contains(said), "{outcome:?}");
                assert!(!words(&outcome).contains(&token), "{outcome:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_never_repeated_whoever_repeats_it() {
    crate::adapters::install_tls();
    let google = MockServer::start().await;
    let Some(key) = key(&format!("{}/token", google.uri())) else { return };
    let token = format!("ya29.{CANARY}-0123456789");
    gives(&google, &token, 1).await;
    let refusal =
        json!({ "error": { "code": 403, "status": "PERMISSION_DENIED", "message": format!("Bearer {token} may not") } });
    Mock::given(path_regex("batchGet$")).respond_with(ResponseTemplate::new(403).set_body_json(refusal)).mount(&google).await;
    let row = json!([{ "document": { "name": format!("{ROOT}/jobs/j1"), "fields": { "said": { "stringValue": token } } } }]);
    Mock::given(path_regex("runQuery$")).respond_with(ResponseTemplate::new(200).set_body_json(row)).mount(&google).await;
    Mock::given(path_regex("commit$"))
        .respond_with(ResponseTemplate::new(502).set_body_string(format!("<title>{token}</title>")))
        .mount(&google)
        .await;
    let system = open(&key, &google.uri()).unwrap();
    let error = read(&system, document("jobs/j1", &[])).await.unwrap_err();
    let rows = read(&system, list("jobs", &[("said", "said")])).await.unwrap();
    let outcome = system.act(&order("jobs/j1", &[("a", set(text("b")))], Precondition::Absent), &mark("a")).await;
    for told in [format!("{error:?} {error}"), format!("{rows:?}"), format!("{outcome:?}")] {
        assert!(told.contains("***") && !told.contains(CANARY), "{told}");
    }
}

/// So much of it, anywhere in it, is a leak.
const TELLING: usize = 8;

/// All that can be asked and done, and what each says of it.
async fn everything(system: &FirestoreSystem) -> Vec<String> {
    let ban = order("bans/u1", &[("why", set(text("spam")))], Precondition::Absent);
    let (act, targets) = (ActionId("a".into()), ["bans/u1".to_owned()]);
    let wanted = wanted("a1", "ana", 0);
    let mut yes = Word { permits: true, seen: Vec::new() };
    let (mark, list, one) = (mark("a"), list("jobs", &[("said", "said")]), document("jobs/j1", &[("said", "said")]));
    let reads = async { (read(system, list).await, read(system, one).await) };
    let acts = async { (system.act(&ban, &mark).await, system.look_up(&ban, &mark).await) };
    let claims = async { (system.claims(&targets).await, system.claim(&wanted, &[], &mut yes).await) };
    let ends = async { (system.release(&act, "ana's", Ending::Done).await, system.open_claims("ana's").await) };
    let selves = async { (system.identify().await, system.inspect().await) };
    let (reads, acts, claims, ends, selves) = tokio::join!(reads, acts, claims, ends, selves);
    let shown = [reads.0.map(|rows| cells(&rows, "said")), reads.1.map(|rows| cells(&rows, "said"))];
    let shown = shown.map(|cells| cells.map_or_else(|error| error.to_string(), |cells| format!("{cells:?}")));
    vec![
        shown.concat(),
        format!("{acts:?}"),
        format!("{claims:?}"),
        format!("{ends:?}"),
        format!("{selves:?}"),
        format!("{system:?}"),
    ]
}

#[tokio::test]
async fn no_failing_answer_tells_any_part_of_a_token() {
    crate::adapters::install_tls();
    let core = "k7Qm2ZtR9wXc4LpV1nBs";
    let token = format!("ya29.{core}");
    let refusal = |code: u16, status: &str| {
        let message = format!("Bearer {token} may not: projects/shop/databases/(default)/documents/{token}");
        (
            code,
            json!({ "error": { "code": code, "status": status, "message": message, "details": [token.as_str()] } }).to_string(),
        )
    };
    let mut answers = vec![
        (401, format!("no: {token}")),
        (403, format!("<html><title>{token}</title></html>")),
        // The excerpt ends within it.
        (400, format!("{}{token}", "x".repeat(139))),
        (422, format!("{}{token}", "x".repeat(147))),
        (302, token.clone()),
        (502, format!("<title>{token}</title>")),
        (200, format!("[{{\"document\": \"{token}")),
        (200, json!({ "commitTime": token, "writeResults": token, "readTime": token }).to_string()),
        (200, json!([{ "readTime": token, "missing": token, "found": { "name": token } }]).to_string()),
        (200, json!([{ "readTime": "2026-11-19T08:00:00Z", "document": { "name": format!("{ROOT}/jobs/{token}"),
            "fields": { "said": { "stringValue": token }, "epoch": { "integerValue": "0" }, "operator": { "stringValue": token } } } }])
            .to_string()),
    ];
    answers.extend(
        [(400, "INVALID_ARGUMENT"), (400, "FAILED_PRECONDITION"), (401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED")]
            .map(|(code, status)| refusal(code, status)),
    );
    answers.extend(
        [(404, "NOT_FOUND"), (409, "ABORTED"), (409, "ALREADY_EXISTS"), (429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL")]
            .map(|(code, status)| refusal(code, status)),
    );
    let (endpoint, google) = (MockServer::start().await, MockServer::start().await);
    let Some(key) = key(&format!("{}/token", endpoint.uri())) else { return };
    let given = json!({ "access_token": token, "expires_in": 3600, "token_type": "Bearer" });
    Mock::given(path("/token")).respond_with(ResponseTemplate::new(200).set_body_json(given)).mount(&endpoint).await;
    let mut heard = 0;
    for (status, body) in answers {
        google.reset().await;
        let reply = ResponseTemplate::new(status).set_body_string(body.as_str()).insert_header("location", token.as_str());
        Mock::given(any()).respond_with(reply).mount(&google).await;
        let system = open_marked(&key, &google.uri(), Some("operator_actions")).unwrap();
        for told in everything(&system).await {
            assert!(!told.is_empty());
            let part = core.as_bytes().windows(TELLING).find(|part| told.as_bytes().windows(TELLING).any(|said| said == *part));
            assert_eq!(part, None, "{status} {body}: {told}");
            heard += 1;
        }
    }
    println!("{heard} answers, and no part of the token in them");
}

#[tokio::test]
async fn a_token_that_is_refused_or_never_comes_is_words_and_nothing_more() {
    crate::adapters::install_tls();
    let refusing = MockServer::start().await;
    let said = ResponseTemplate::new(400).set_body_string(format!("{{\"error\": \"invalid_grant {CANARY}\"}}"));
    Mock::given(path("/token")).respond_with(said).mount(&refusing).await;
    let Some(key) = key(&format!("{}/token", refusing.uri())) else { return };
    let error = read(&open(&key, &refusing.uri()).unwrap(), list("jobs", &[])).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, SourceError::Denied(_)), "{told}");
    assert!(told.contains("no token for cockpit@shop.iam.gserviceaccount.com (token request failed)"), "{told}");
    assert!(!told.contains(CANARY), "{told}");

    let (silent, _held) = crate::adapters::testing::never_answers().await;
    let mut key = key;
    key["token_uri"] = format!("{silent}/token").into();
    let key = Secret::secret(&key.to_string());
    let short = std::time::Duration::from_millis(200);
    let system =
        FirestoreSystem::open_at("docs", &Declared { timeout: short, ..declared(Some(&key)) }, &silent, &silent).unwrap();
    let error = read(&system, list("jobs", &[])).await.unwrap_err();
    assert!(
        error == SourceError::TimedOut(short) || error.to_string().contains("no token of Google's within 0.2 s"),
        "{error:?}"
    );
    let outcome = system.act(&order("jobs/j1", &[("a", set(text("b")))], Precondition::Absent), &mark("a")).await;
    assert!(format!("{outcome:?}").starts_with("Rejected") && words(&outcome).contains("not written"), "{outcome:?}");
}

#[test]
fn a_key_that_is_none_is_told_at_once_and_without_its_words() {
    let Some(good) = key("https://oauth2.googleapis.com/token") else { return };
    let with = |name: &str, value: Json| {
        let mut key = good.clone();
        key[name] = value;
        key.to_string()
    };
    let without = |name: &str| {
        let mut key = good.clone();
        key.as_object_mut().unwrap().remove(name);
        key.to_string()
    };
    let told = |key: &str| {
        let key = Secret::secret(key);
        FirestoreSystem::open("docs", &declared(Some(&key))).map(drop)
    };
    assert_eq!(told(&good.to_string()), Ok(()));
    for (key, said) in [
        (format!("not {CANARY}"), "no service account's key (JSON, at line 1 column"),
        (without("private_key"), "no service account's key"),
        (without("client_email"), "no service account's key"),
        (with("type", "authorized_user".into()), "run `gcloud auth application-default login`"),
        (
            with("private_key", format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n").into()),
            "the private key in the credentials cannot be used",
        ),
        (with("private_key", CANARY.into()), "the private key in the credentials cannot be used"),
        (with("token_uri", "http://elsewhere.example/token".into()), "no address over https"),
        (with("token_uri", "https://a b\u{7f}/<>".into()), "no address over https"),
        (with("token_uri", "".into()), "no address over https"),
    ] {
        let problem = told(&key).unwrap_err();
        assert!(problem.contains(said) && !problem.contains(CANARY), "{problem}");
    }
    let odd = Declared { project: "a/b", ..declared(None) };
    assert!(FirestoreSystem::open("docs", &odd).unwrap_err().contains("not the id of a project"));
}

#[tokio::test]
async fn who_asks_is_told_by_google_what_the_credentials_may_do() {
    crate::adapters::install_tls();
    let google = MockServer::start().await;
    let Some(key) = key(&format!("{}/token", google.uri())) else { return };
    gives(&google, "ya29.x", 2).await;
    let missing = json!([{ "missing": format!("{ROOT}/operator_actions/wheelhouse-asks-who-answers"), "readTime": "2026-11-19T08:00:00Z" }]);
    Mock::given(path_regex("batchGet$")).respond_with(ResponseTemplate::new(200).set_body_json(missing)).mount(&google).await;
    let database = json!({ "type": "FIRESTORE_NATIVE", "locationId": "nam5" });
    Mock::given(method("GET"))
        .and(path("/v1/projects/shop/databases/(default)"))
        .respond_with(ResponseTemplate::new(200).set_body_json(database))
        .mount(&google)
        .await;
    let may = [
        "datastore.entities.get",
        "datastore.entities.list",
        "datastore.entities.create",
        "datastore.entities.update",
        "datastore.entities.delete",
    ];
    Mock::given(path("/v1/projects/shop:testIamPermissions"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "permissions": may })))
        .mount(&google)
        .await;
    let system = open(&key, &google.uri()).unwrap();
    let identity = system.identify().await.unwrap();
    let facts: Vec<_> = identity.facts.iter().map(|(label, said)| (*label, said.shown())).collect();
    assert_eq!(
        facts,
        [
            ("project", "shop"),
            ("database", "(default)"),
            ("account", "cockpit@shop.iam.gserviceaccount.com"),
            ("location", "nam5"),
            ("may", "read, write, delete"),
        ]
    );
    assert!(identity.clock.is_some());
    let said = system.inspect().await.unwrap();
    assert!(said.len() == 1 && said[0].shown().contains("may delete documents, which no action needs"), "{said:?}");
}

#[tokio::test]
async fn credentials_that_may_not_ask_are_still_who_they_are() {
    crate::adapters::install_tls();
    let google = MockServer::start().await;
    let Some(key) = key(&format!("{}/token", google.uri())) else { return };
    gives(&google, "ya29.x", 2).await;
    Mock::given(path_regex("batchGet$")).respond_with(ResponseTemplate::new(200).set_body_json(json!([]))).mount(&google).await;
    let system = open(&key, &google.uri()).unwrap();
    let facts = system.identify().await.unwrap().facts;
    assert_eq!(facts.iter().map(|(label, _)| *label).collect::<Vec<_>>(), ["project", "database", "account"]);
    assert_eq!(system.inspect().await.unwrap(), []);
}
