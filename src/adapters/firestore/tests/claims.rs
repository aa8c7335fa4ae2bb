//! Claims, on the partner: one for a target at a time, told to whoever comes second, given back once, and nothing at all
//! where the collection of marks may not be used for them.

use async_trait::async_trait;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use super::{
    FieldValue, FirestoreSystem, Json, Precondition, ROOT, json, mark, order,
    partner::{Partner, held, put},
    set, tokens,
};
use crate::{
    adapters::testing::{LIMIT, words},
    domain::{
        claim::{Claim, Claims, Ending, Held},
        pack::Query,
        plan::ActionId,
    },
    ports::{Claimed, Doer as _, Inside, Judge, Outcome, Source as _},
};

const MARKS: &str = "operator_actions";
/// The name of the first claim's document, without its number.
const SAME: &str = "claim-2ac7fc8cb2db33720a76a705c69e001e58dedd7f994790c381860a26adabda9f";

/// Says yes or no, and keeps what it saw.
pub(super) struct Word {
    pub(super) permits: bool,
    pub(super) seen: Vec<Held>,
}

#[async_trait]
impl Judge for Word {
    fn queries(&self) -> &[Query] {
        &[]
    }

    async fn permits(&mut self, inside: &mut dyn Inside) -> bool {
        self.seen = inside.held().to_vec();
        self.permits
    }
}

pub(super) fn wanted(act: &str, operator: &str, epoch: u32) -> Claim {
    Claim {
        act: ActionId(act.to_owned()),
        target: "jobs/j/1".to_owned(),
        epoch,
        action: "hide".to_owned(),
        operator: operator.to_owned(),
        journal: format!("{operator}'s"),
    }
}

async fn claim(system: &FirestoreSystem, claim: &Claim, settled: &[(ActionId, Ending)]) -> Claimed {
    system.claim(claim, settled, &mut Word { permits: true, seen: Vec::new() }).await
}

async fn on_target(system: &FirestoreSystem) -> Claims {
    system.claims(&["jobs/other".to_owned(), "jobs/j/1".to_owned()]).await.unwrap().unwrap()
}

/// What stands of each claim: who, the number, how it ended.
async fn standing(system: &FirestoreSystem) -> Vec<(String, u32, Option<Ending>)> {
    on_target(system).await.held.into_iter().map(|held| (held.operator, held.epoch, held.ended)).collect()
}

fn who(operator: &str, epoch: u32, ended: Option<Ending>) -> (String, u32, Option<Ending>) {
    (operator.to_owned(), epoch, ended)
}

#[tokio::test]
async fn a_target_is_in_one_hand_at_a_time_and_whoever_comes_second_is_told_whose() {
    let Some(partner) = Partner::start(&[]) else { return };
    let system = partner.open(Some(MARKS));
    assert_eq!(on_target(&system).await.held, [], "before the first claim there is no collection");
    let mut no = Word { permits: false, seen: Vec::new() };
    let hers = wanted("a1", "ana", 0);
    assert_eq!(system.claim(&hers, &[], &mut no).await, Claimed::Forbidden);
    assert_eq!(no.seen.iter().map(|held| held.act.0.as_str()).collect::<Vec<_>>(), ["a1"], "the judge sees this one too");
    assert_eq!(standing(&system).await, [], "what the judge forbids leaves nothing behind");

    assert_eq!(claim(&system, &hers, &[]).await, Claimed::Granted);
    assert_eq!(claim(&system, &hers, &[]).await, Claimed::Granted, "asked for once more it is found");
    let now = on_target(&system).await;
    assert_eq!(now.held.len(), 1);
    let first = &now.held[0];
    assert_eq!((first.target.as_str(), first.action.as_str(), first.journal.as_str()), ("jobs/j/1", "hide", "ana's"));
    assert!((first.since - now.now).abs() < chrono::TimeDelta::minutes(1), "by the database's clock: {now:?}");
    for epoch in [0, 1, 7] {
        let Claimed::Lost(claims) = claim(&system, &wanted("b1", "jo", epoch), &[]).await else { panic!() };
        assert_eq!(claims.held[0].operator, "ana");
    }
    assert_eq!(system.open_claims("ana's").await.unwrap(), [ActionId("a1".into())]);
    assert_eq!(system.open_claims("jo's").await.unwrap(), []);

    // Only its own record gives it back, once; what became of it can be said again.
    let act = ActionId("a1".into());
    system.release(&act, "jo's", Ending::Done).await.unwrap();
    assert_eq!(standing(&system).await, [who("ana", 0, None)]);
    for ending in [Ending::Partly, Ending::Done, Ending::Done] {
        system.release(&act, "ana's", ending).await.unwrap();
        assert_eq!(standing(&system).await, [who("ana", 0, Some(ending))]);
    }
    let name = format!("{MARKS}/{SAME}-0");
    let ended_at = held(&system, &name).await["ended_at"].clone();
    assert!(ended_at["timestampValue"].is_string(), "{ended_at}");
    system.release(&act, "ana's", Ending::Nothing).await.unwrap();
    assert_eq!(held(&system, &name).await["ended_at"], ended_at, "it ended when it ended");
    assert_eq!(system.open_claims("ana's").await.unwrap(), []);

    // A number is given once, also after it is over.
    assert!(matches!(claim(&system, &wanted("b1", "jo", 0), &[]).await, Claimed::Lost(_)));
    assert_eq!(claim(&system, &wanted("b1", "jo", 1), &[]).await, Claimed::Granted);
}

#[tokio::test]
async fn what_the_same_record_left_open_is_given_back_on_the_way() {
    let Some(partner) = Partner::start(&[]) else { return };
    let system = partner.open(Some(MARKS));
    assert_eq!(claim(&system, &wanted("a1", "ana", 0), &[]).await, Claimed::Granted);
    let settled = [(ActionId("a1".into()), Ending::Done)];
    assert_eq!(claim(&system, &wanted("a2", "ana", 1), &settled).await, Claimed::Granted);
    assert_eq!(claim(&system, &wanted("a3", "ana", 2), &[]).await, Claimed::Granted, "nobody knows what became of it");
    let expected = [who("ana", 0, Some(Ending::Done)), who("ana", 1, Some(Ending::Partly)), who("ana", 2, None)];
    assert_eq!(standing(&system).await, expected);
    // A hand ends what a machine that is gone for good holds.
    let name = format!("{MARKS}/{SAME}-2");
    let mut fields = held(&system, &name).await;
    fields["ended_at"] = json!({ "timestampValue": "2026-11-19T08:00:00Z" });
    fields["outcome"] = json!({ "stringValue": "lost" });
    put(&system, &name, fields).await;
    assert_eq!(standing(&system).await[2], who("ana", 2, Some(Ending::Partly)), "a word of nobody's rules nothing out");
    // Many targets are asked after in several questions.
    let many: Vec<String> = (0..100).map(|number| format!("jobs/x{number}")).chain(["jobs/j/1".to_owned()]).collect();
    assert_eq!(system.claims(&many).await.unwrap().unwrap().held.len(), 3);
    assert_eq!(system.claims(&[]).await.unwrap().unwrap().held, []);
}

#[tokio::test]
async fn without_a_collection_of_marks_no_claims_are_kept() {
    let Some(partner) = Partner::start(&[]) else { return };
    let system = partner.open(None);
    assert_eq!(system.claims(&["jobs/j/1".to_owned()]).await, Ok(None));
    assert_eq!(claim(&system, &wanted("a1", "ana", 0), &[]).await, Claimed::NotKept);
    assert_eq!(system.open_claims("ana's").await, Ok(Vec::new()));
}

/// A person's token: header and claims, and the partner takes them for signed.
const PERSON: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnktN2YzYTljIn0.";

#[tokio::test]
async fn where_marks_may_be_made_and_claims_may_not_acts_go_without_and_it_is_said() {
    crate::adapters::install_tls();
    for (may, is_claimed) in [("get, create", false), ("read, create", false), ("read, create, update", true)] {
        let rules = tempfile::NamedTempFile::new().unwrap();
        let allowed = format!(
            "rules_version = '2'; service cloud.firestore {{ match /databases/{{d}}/documents {{
               match /bans/{{any}} {{ allow read, write: if true; }}
               match /{MARKS}/{{any}} {{ allow {may}: if true; }} }} }}"
        );
        std::fs::write(rules.path(), allowed).unwrap();
        let Some(partner) = Partner::start(&["--rules", rules.path().to_str().unwrap()]) else { return };
        let endpoint = MockServer::start().await;
        let Some(key) = tokens::key(&format!("{}/token", endpoint.uri())) else { return };
        let token = json!({ "access_token": PERSON, "expires_in": 3600, "token_type": "Bearer" });
        let reply = ResponseTemplate::new(200).set_body_json(token);
        Mock::given(method("POST")).and(path("/token")).respond_with(reply).mount(&endpoint).await;
        let google = format!("http://{}/", partner.address);
        let system = tokens::open_marked(&key, &google, Some(MARKS)).unwrap();
        let claims = system.claims(&["bans/u1".to_owned()]).await.unwrap();
        assert_eq!(claims.is_some(), is_claimed, "{may}");
        let said: Vec<_> = system.inspect().await.unwrap().iter().map(|said| said.shown().to_owned()).collect();
        let told = "acts are not claimed in this database, so another operator could act at the same time: the collection of \
                    marks `operator_actions` cannot be used (";
        assert_eq!(
            said.iter().any(|said| said.contains(told) && said.contains("PERMISSION_DENIED")),
            !is_claimed,
            "{may}: {said:?}"
        );
        // The write itself asks for what was read, claimed or not.
        let ban = |why: &str| order("bans/u1", &[("why", set(FieldValue::Text(why.to_owned())))], Precondition::Absent);
        assert_eq!(words(&system.act(&ban("spam"), &mark("a")).await), "docs: bans/u1 written");
        assert!(matches!(system.act(&ban("other"), &mark("b")).await, Outcome::Changed(_)));
        let owner = partner.open(None);
        assert_eq!(held(&owner, "bans/u1").await, json!({ "why": { "stringValue": "spam" } }));
        assert_eq!(held(&owner, &format!("{MARKS}/wheelhouse-rehearses-first")).await, Json::Null, "to rehearse writes nothing");
        if is_claimed {
            assert_eq!(claim(&system, &wanted("a1", "ana", 0), &[]).await, Claimed::Granted);
            system.release(&ActionId("a1".into()), "ana's", Ending::Done).await.unwrap();
        }
    }
}

/// Who has nothing to tell of any claim, and answers a commit so.
async fn answering(http: u16, body: &Json) -> MockServer {
    let server = MockServer::start().await;
    let nothing = json!([{ "readTime": "2026-11-19T08:00:00Z" }]);
    let missing = json!([{ "missing": format!("{ROOT}/{MARKS}/gate-{}", SAME.trim_start_matches("claim-")), "readTime": "2026-11-19T08:00:00Z" }]);
    for (verb, body) in [("runQuery$", &nothing), ("batchGet$", &missing)] {
        let reply = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path_regex(verb)).respond_with(reply).mount(&server).await;
    }
    let reply = ResponseTemplate::new(http).set_body_json(body);
    Mock::given(path_regex("commit$")).respond_with(reply).mount(&server).await;
    server
}

#[tokio::test]
async fn each_answer_to_a_claim_means_one_thing() {
    let refusal = |http: u16, status: &str| json!({ "error": { "code": http, "status": status, "message": "so it is" } });
    let missing =
        json!({ "error": { "code": 404, "status": "NOT_FOUND", "message": format!("No document to update: {ROOT}/a/b") } });
    for (http, body, claimed, commits, is_kept) in [
        (200, json!({ "writeResults": [{}, {}], "commitTime": "2026-11-19T08:00:01Z" }), "Granted", 1, Some(true)),
        (200, json!({ "hello": "captive portal" }), "Unanswered", 1, Some(true)),
        (400, refusal(400, "INVALID_ARGUMENT"), "Refused", 1, None),
        (403, refusal(403, "PERMISSION_DENIED"), "Refused", 1, Some(false)),
        // Somebody else was quicker, again and again.
        (409, refusal(409, "ABORTED"), "Unanswered", 8, Some(true)),
        (409, refusal(409, "ALREADY_EXISTS"), "Unanswered", 8, Some(true)),
        (400, refusal(400, "FAILED_PRECONDITION"), "Unanswered", 8, Some(true)),
        (404, missing, "Unanswered", 8, Some(true)),
        (404, refusal(404, "NOT_FOUND"), "Refused", 1, None),
        (429, refusal(429, "RESOURCE_EXHAUSTED"), "Unanswered", 1, None),
        (503, refusal(503, "UNAVAILABLE"), "Unanswered", 1, None),
        (502, json!("<html>"), "Unanswered", 1, None),
        (403, json!("a proxy's no"), "Unanswered", 1, None),
    ] {
        let server = answering(http, &body).await;
        let open = || super::open(server.uri().trim_start_matches("http://"), Some(MARKS), LIMIT);
        let told = format!("{:?}", claim(&open(), &wanted("a1", "ana", 0), &[]).await);
        assert!(told.starts_with(claimed), "{http} {body}: {told}");
        let is_commit = |request: &&wiremock::Request| request.url.path().ends_with(":commit");
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.iter().filter(is_commit).count(), commits, "{http} {body}");
        let sent: Json = serde_json::from_slice(&requests.iter().find(is_commit).unwrap().body).unwrap();
        let asked: Vec<&Json> = sent["writes"].as_array().unwrap().iter().map(|write| &write["currentDocument"]).collect();
        assert_eq!(asked, [&json!({ "exists": false }), &json!({ "exists": false })], "never without a condition");
        // Whether claims can be kept at all is rehearsed first, and what is no answer to that settles nothing.
        let kept = open().claims(&["jobs/j/1".to_owned()]).await;
        let told = kept.as_ref().map(Option::is_some).map_err(|_| ());
        assert_eq!(told.ok(), is_kept, "{http} {body}: {kept:?}");
    }
    let nobody = super::open(crate::adapters::testing::nobody().await.trim_start_matches("http://"), Some(MARKS), LIMIT);
    assert!(matches!(claim(&nobody, &wanted("a1", "ana", 0), &[]).await, Claimed::Unanswered(_)));
}
