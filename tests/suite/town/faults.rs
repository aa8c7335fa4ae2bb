//! Faults: at the start, while it runs, through the town's own door.

use std::time::{Duration, Instant};

use super::{figures::charge, *};

fn named(town: &Town, suffix: &str) -> String {
    town.environment.iter().find(|(name, _)| name.ends_with(suffix)).unwrap().1.clone()
}

async fn get(url: &str) -> Result<Reply, reqwest::Error> {
    Ok(Reply::of(client().get(url).timeout(Duration::from_secs(10)).send().await?).await)
}

#[tokio::test]
async fn each_kind_of_fault_looks_as_it_does_in_life() {
    let town = town().await;
    let health = format!("{}/api/health", named(&town, "_SITE_URL"));
    let switch = async |text: &str| town.fault(&Fault::parse(text).unwrap()).await.unwrap();

    switch("site=500").await;
    assert_eq!(get(&health).await.unwrap().status, 500);
    switch("site=502").await;
    let gateway = get(&health).await.unwrap();
    assert_eq!((gateway.status, gateway.header("content-type")), (502, "text/html"));
    switch("site=429").await;
    let busy = get(&health).await.unwrap();
    assert_eq!((busy.status, busy.header("retry-after")), (429, "1"));
    switch("site=drop").await;
    let dropped = get(&health).await.unwrap_err();
    assert!(!dropped.is_timeout() && !dropped.is_connect(), "{dropped:?}");
    switch("site=refuse").await;
    let refused = get(&health).await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    switch("site=timeout").await;
    let hanging = client().get(&health).timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(hanging.is_timeout(), "{hanging:?}");
    switch("site=slow").await;
    let asked = Instant::now();
    assert_eq!(get(&health).await.unwrap().status, 200);
    assert!(asked.elapsed() >= Duration::from_secs(3));
    switch("site=none").await;
    assert_eq!(get(&health).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_dropped_answer_hides_a_refund_that_was_made() {
    let town = town_with(&["stripe:/v1/refunds=drop:1"]).await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let form = format!("charge={charge}&amount=2200");
    let dropped = stripe.post("refunds", Some("key-1"), &form).send().await.unwrap_err();
    assert!(!dropped.is_timeout(), "{dropped:?}");
    assert_eq!(stripe.data(&format!("refunds?charge={charge}")).await.len(), 1);
    let again = stripe.refund("key-1", &form).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"));
    assert_eq!(stripe.data(&format!("refunds?charge={charge}")).await.len(), 1);
}

#[tokio::test]
async fn a_timeout_and_a_refusal_change_nothing_at_stripe() {
    let town = town_with(&["stripe:/v1/refunds=timeout:1"]).await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let request = stripe.post("refunds", Some("key-1"), &format!("charge={charge}"));
    assert!(request.timeout(Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    town.fault(&Fault::parse("stripe=refuse").unwrap()).await.unwrap();
    assert!(stripe.post("refunds", Some("key-1"), &format!("charge={charge}")).send().await.is_err());
    town.clear_faults().await.unwrap();
    assert_eq!(stripe.data(&format!("refunds?charge={charge}")).await.len(), 0);
    assert_eq!(stripe.refund("key-1", &format!("charge={charge}")).await.header("idempotent-replayed"), "");
}

#[tokio::test]
async fn stale_reads_stand_still_until_the_fault_is_gone() {
    let town = town_with(&["stripe=stale"]).await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let path = format!("charges/{charge}");
    let refunded = async || stripe.list(&path).await.get("amount_refunded").and_then(Json::as_i64);
    assert_eq!(refunded().await, Some(0));
    assert_eq!(stripe.refund("key-1", &format!("charge={charge}")).await.status, 200);
    assert_eq!(refunded().await, Some(0));
    town.clear_faults().await.unwrap();
    assert_eq!(refunded().await, Some(2200));
}

#[tokio::test]
async fn faults_are_switched_over_the_towns_own_door() {
    let dir = tempfile::tempdir().unwrap();
    let town = Town::open(Options { dir: Some(dir.path().to_owned()), ..options() }).await.unwrap();
    let control = std::fs::read_to_string(dir.path().join("control.txt")).unwrap().trim().to_owned();
    let client = client();
    let health = format!("{}/api/health", named(&town, "_SITE_URL"));

    let set =
        Reply::of(client.post(format!("{control}/faults")).body("site:/api/health=502\nwebhook=500:2").send().await.unwrap())
            .await;
    assert_eq!((set.status, set.text.as_str()), (200, r#"["site:/api/health=502","webhook=500:2"]"#));
    assert_eq!(get(&health).await.unwrap().status, 502);
    let wrong = Reply::of(client.post(format!("{control}/faults")).body("site=501").send().await.unwrap()).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("the kind is one of 500, 502"), "{}", wrong.text);
    let cleared = Reply::of(client.delete(format!("{control}/faults")).send().await.unwrap()).await;
    assert_eq!(cleared.text, "[]");
    assert_eq!(get(&health).await.unwrap().status, 200);

    let switched = Reply::of(client.post(format!("{control}/switches/provider")).body("up").send().await.unwrap()).await;
    assert_eq!(switched.at("/provider"), "up");
    let unknown = Reply::of(client.post(format!("{control}/switches/weather")).body("fine").send().await.unwrap()).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn a_locked_database_answers_nobody() {
    let town = town().await;
    town.fault(&Fault::parse("database=timeout").unwrap()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(&town.business).busy_timeout(Duration::from_millis(50));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let error = sqlx::query("select count(*) from reviews").fetch_one(&mut connection).await.unwrap_err().to_string();
    assert!(error.contains("locked"), "{error}");
    town.clear_faults().await.unwrap();
    assert_eq!(row(&town, "select count(*) from reviews where moderation_status = 'pending'").await, ["51"]);
}

#[tokio::test]
async fn mail_that_cannot_be_left_fails_and_none_is_lost() {
    let town = town().await;
    let mail = town.dir.join("mail");
    std::fs::write(mail.join("1.eml"), "one").unwrap();
    town.fault(&Fault::parse("mail=refuse").unwrap()).await.unwrap();
    assert!(std::fs::write(mail.join("2.eml"), "two").is_err());
    town.fault(&Fault::parse("mail=none").unwrap()).await.unwrap();
    assert_eq!(std::fs::read_to_string(mail.join("1.eml")).unwrap(), "one");
    assert!(std::fs::write(mail.join("2.eml"), "two").is_ok());
}
