//! The business's site, its variables and its messages.

use super::*;
use serde_json::json;
use wheelhouse::domain::signature;

struct Site {
    client: reqwest::Client,
    base: String,
    secret: String,
    vercel: String,
    vercel_secret: String,
}

impl Site {
    fn of(town: &Town) -> Self {
        let name = |suffix: &str| town.environment.iter().find(|(name, _)| name.ends_with(suffix)).unwrap().1.clone();
        Self {
            client: client(),
            base: name("_SITE_URL"),
            secret: name("_SITE_AUTHORIZATION"),
            vercel: name("_VERCEL_URL"),
            vercel_secret: format!("Bearer {}", name("_VERCEL_TOKEN")),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        Reply::of(self.client.get(format!("{}{path}", self.base)).send().await.unwrap()).await
    }

    fn triage(&self, text: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/api/emergency/triage", self.base)).json(&json!({ "text": text }))
    }

    async fn vercel(&self, method: reqwest::Method, path: &str, body: Option<Json>) -> Reply {
        let mut request =
            self.client.request(method, format!("{}{path}", self.vercel)).header("authorization", &self.vercel_secret);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Reply::of(request.send().await.unwrap()).await
    }
}

const VARIABLE: &str = "/v9/projects/dog-trainers-directory/env/env_ai_mode";

async fn deploy(site: &Site) {
    let known =
        site.vercel(reqwest::Method::GET, "/v6/deployments?projectId=dog-trainers-directory&state=READY&limit=1", None).await;
    let again = json!({ "name": "dog-trainers-directory", "deploymentId": known.at("/deployments/0/uid") });
    let started = site.vercel(reqwest::Method::POST, "/v13/deployments", Some(again)).await;
    assert_eq!((started.status, started.at("/readyState").as_str()), (200, Some("QUEUED")));
    let path = format!("/v13/deployments/{}", started.at("/id").as_str().unwrap());
    loop {
        let state = site.vercel(reqwest::Method::GET, &path, None).await;
        match state.at("/readyState").as_str() {
            Some("READY") => break,
            other => assert_eq!(other, Some("BUILDING")),
        }
    }
}

#[tokio::test]
async fn the_job_really_expires_and_promotes() {
    let town = town().await;
    let site = Site::of(&town);
    let path = format!("{}/api/cron/featured-expiry-and-promotion", site.base);
    let bare = Reply::of(site.client.post(&path).send().await.unwrap()).await;
    assert_eq!(bare.status, 401);
    assert_eq!(row(&town, "select count(*) from featured_queue where promoted_at is null").await, ["87"]);

    let first_in_line = row(
        &town,
        "select id from featured_queue where council_id = 'melbourne' and promoted_at is null order by created_at limit 1",
    )
    .await;
    let run = Reply::of(site.client.post(&path).header("authorization", &site.secret).send().await.unwrap()).await;
    assert_eq!((run.status, run.at("/promoted").as_i64()), (200, Some(2)), "{}", run.text);
    for (query, expected) in [
        ("select count(*) from featured_queue where promoted_at is null", vec!["85"]),
        ("select count(*), sum(featured_until > :now) from featured_placements where status = 'active'", vec!["92", "92"]),
        (
            "select status, trigger, rows_changed from cron_jobs where job = 'featured-expiry-and-promotion' order by started_at desc limit 1",
            vec!["success", "manual", "2"],
        ),
    ] {
        assert_eq!(row(&town, query).await, expected, "{query}");
    }
    let promoted = row(&town, "select id from featured_queue where council_id = 'melbourne' and promoted_at >= :now").await;
    assert_eq!(promoted, first_in_line);

    // Nothing is left to do for a second run.
    let again = Reply::of(site.client.post(&path).header("authorization", &site.secret).send().await.unwrap()).await;
    assert_eq!(again.at("/promoted").as_i64(), Some(0));
    assert_eq!(
        row(
            &town,
            "select max(c) from (select count(*) as c from featured_placements where status = 'active' group by council_id)"
        )
        .await,
        ["5"]
    );
}

#[tokio::test]
async fn the_health_page_says_since_when_the_provider_is_down() {
    let town = town().await;
    let site = Site::of(&town);
    let health = site.get("/api/health").await;
    assert_eq!(health.at("/status"), "degraded", "{}", health.text);
    assert_eq!(health.at("/ai/minutes_down"), 63);
    assert_eq!(health.at("/ai/mode"), "z_ai");
    assert!(town.switch("provider", "up").await.unwrap());
    let health = site.get("/api/health").await;
    assert_eq!((health.at("/status").as_str(), health.at("/ai/minutes_down").as_i64()), (Some("ok"), Some(0)));
    assert!(!town.switch("weather", "fine").await.unwrap());
    assert_eq!(site.get("/nowhere").await.status, 404);
}

#[tokio::test]
async fn triage_answers_by_keywords_only_once_the_flag_is_written_and_deployed() {
    let town = town().await;
    let site = Site::of(&town);
    let short = std::time::Duration::from_millis(300);
    let hangs = || async { site.triage("Lost dog").timeout(short).send().await.is_err_and(|error| error.is_timeout()) };
    assert!(hangs().await, "the provider is down");
    assert_eq!(site.vercel(reqwest::Method::GET, VARIABLE, None).await.at("/value"), "z_ai");
    let written = site.vercel(reqwest::Method::PATCH, VARIABLE, Some(json!({ "value": "deterministic" }))).await;
    assert_eq!((written.status, written.at("/value").as_str()), (200, Some("deterministic")));
    assert!(hangs().await, "written is not deployed");
    deploy(&site).await;
    for (text, category) in
        [("Bleeding from paw", "medical"), ("Aggressive dog", "crisis"), ("Lost dog", "stray"), ("Won't listen", "normal")]
    {
        let answer = Reply::of(site.triage(text).send().await.unwrap()).await;
        assert_eq!(answer.at("/category"), category, "{text}");
        assert_eq!(answer.at("/mode"), "deterministic");
    }
    assert_eq!(row(&town, "select count(*) from triage_logs where provider = 'deterministic'").await, ["4"]);
    let probe =
        site.client.post(format!("{}/api/emergency/triage", site.base)).json(&json!({ "text": "Lost dog", "test": true }));
    assert_eq!(Reply::of(probe.send().await.unwrap()).await.status, 200);
    assert_eq!(
        row(&town, "select count(*) from triage_logs where provider = 'deterministic'").await,
        ["4"],
        "a test is not logged"
    );
}

#[tokio::test]
async fn the_flags_store_wants_its_token_and_knows_its_project() {
    let town = town().await;
    let site = Site::of(&town);
    let bare = Reply::of(site.client.get(format!("{}{VARIABLE}", site.vercel)).send().await.unwrap()).await;
    assert_eq!((bare.status, bare.at("/error/code").as_str()), (403, Some("forbidden")));
    assert_eq!(site.vercel(reqwest::Method::GET, "/v9/projects/other/env", None).await.status, 404);
    let list = site.vercel(reqwest::Method::GET, "/v10/projects/dog-trainers-directory/env", None).await;
    assert_eq!(list.at("/envs/0/key"), "AI_MODE");
    let empty = site.vercel(reqwest::Method::PATCH, VARIABLE, Some(json!({}))).await;
    assert_eq!((empty.status, empty.at("/error/code").as_str()), (400, Some("bad_request")));
}

#[tokio::test]
async fn messages_to_the_team_are_kept() {
    let town = town().await;
    let hook = town.environment.iter().find(|(name, _)| name.ends_with("_INCIDENTS_URL")).unwrap().1.clone();
    let client = client();
    for text in ["Z.AI down since 14:32.", "Back again."] {
        let reply = Reply::of(client.post(&hook).json(&json!({ "text": text })).send().await.unwrap()).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "ok"));
    }
    let wrong = Reply::of(client.post(&hook).json(&json!({ "words": 1 })).send().await.unwrap()).await;
    assert_eq!((wrong.status, wrong.text.as_str()), (400, "no_text"));
    assert_eq!(town.messages().unwrap(), ["Z.AI down since 14:32.", "Back again."]);
}

/// What the site has of an event and its charge: the event, the payment, the placement, the place in line.
async fn known(town: &Town, event: &str, charge: &str) -> Vec<String> {
    let query = format!(
        "select (select count(*) from stripe_events where id = '{event}'), (select count(*) from payment_audit where charge_id = '{charge}'), \
         (select count(*) from featured_placements where charge_id = '{charge}'), (select count(*) from featured_queue where charge_id = '{charge}')"
    );
    row(town, &query).await
}

#[tokio::test]
async fn the_site_takes_each_event_once_and_only_signed() {
    let town = town().await;
    let site = Site::of(&town);
    let stripe = Caller::of(&town);
    let undelivered = stripe.data("events?delivery_success=false&limit=100").await;
    let lost = undelivered.iter().rfind(|event| event["type"] == "charge.succeeded").unwrap();
    let text = |pointer: &str| lost.pointer(pointer).and_then(Json::as_str).unwrap();
    let (event, charge) = (text("/id"), text("/data/object/id"));
    assert_eq!(known(&town, event, charge).await, ["0", "0", "0", "0"]);
    let secret = town.environment["DTD_WEBHOOK_SECRET"].as_str();
    let body = serde_json::to_string(lost).unwrap();
    let post = async |signature: &str| {
        let url = town.environment["DTD_WEBHOOK_URL"].as_str();
        let request = site.client.post(url).header(signature::HEADER, signature).body(body.clone());
        Reply::of(request.send().await.unwrap()).await
    };
    let now = Utc::now();
    for (wrong, said) in [
        (signature::sign("whsec_other", now, body.as_bytes()), "fits the body"),
        (signature::sign(secret, now, b"{}"), "fits the body"),
        (signature::sign(secret, now - TimeDelta::minutes(6), body.as_bytes()), "too long ago"),
        (String::new(), "no moment"),
    ] {
        let reply = post(&wrong).await;
        assert_eq!(reply.status, 400);
        assert!(reply.text.contains(said), "{}", reply.text);
    }
    assert_eq!(known(&town, event, charge).await, ["0", "0", "0", "0"]);
    for _ in 0..3 {
        let reply = post(&signature::sign(secret, now, body.as_bytes())).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(known(&town, event, charge).await, ["1", "1", "1", "0"], "paid, and a slot was free: featured, once");
    }
}

#[tokio::test]
async fn stripe_sends_again_to_an_endpoint_that_takes_such_events() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let endpoints = stripe.data("webhook_endpoints").await;
    assert_eq!(endpoints[0]["id"], "we_1DTDsite");
    assert_eq!(stripe.list("webhook_endpoints/we_1DTDsite").await["url"], endpoints[0]["url"]);
    let undelivered = stripe.data("events?delivery_success=false&limit=100").await;
    let event = undelivered[0]["id"].as_str().unwrap();
    let retry = async |event: &str, form: &str, key: &str| {
        Reply::of(stripe.post(&format!("events/{event}/retry"), Some(key), form).send().await.unwrap()).await
    };
    for (event, form, status, said) in [
        (event, "", 400, "Missing required param: webhook_endpoint"),
        (event, "webhook_endpoint=we_no", 404, "No such webhook endpoint: 'we_no'"),
        ("evt_no", "webhook_endpoint=we_1DTDsite", 404, "No such event: 'evt_no'"),
        (event, "webhook_endpoint=we_1DTDsite&colour=red", 400, "Received unknown parameter: colour"),
    ] {
        let reply = retry(event, form, said).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert!(reply.text.contains(said), "{}", reply.text);
    }
    for _ in 0..2 {
        let reply = retry(event, "webhook_endpoint=we_1DTDsite", "k").await;
        assert_eq!((reply.status, reply.at("/id").as_str()), (200, Some(event)), "{}", reply.text);
    }
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let now = stripe.list(&format!("events/{event}")).await;
        if now["pending_webhooks"] == 0 {
            break;
        }
        assert!(std::time::Instant::now() < end, "never delivered: {now}");
        tokio::task::yield_now().await;
    }
    assert_eq!(row(&town, &format!("select count(*) from stripe_events where id = '{event}'")).await, ["1"]);
}
