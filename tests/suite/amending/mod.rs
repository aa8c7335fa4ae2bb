//! Disputes and subscriptions of the reading club, changed by the program through the journal; and the partners that
//! speak Stripe without being written by us.

mod mock;
pub mod sdk;
mod shapes;

use std::process::Output;

use serde_json::Value as Json;

use crate::{ledgers::Club, pty::PATIENCE};

fn client() -> reqwest::Client {
    wheelhouse::adapters::install_tls();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// What the club's Stripe says of an object.
async fn object(club: &Club, path: &str) -> Json {
    let (base, key) = (&club.town.environment["CLUB_STRIPE_URL"], &club.town.environment["CLUB_STRIPE_KEY"]);
    client().get(format!("{base}v1/{path}")).bearer_auth(key).send().await.unwrap().json().await.unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The program carries it out, or does not; what it says.
async fn does(club: &Club, words: &str, status: i32) -> String {
    let output = club.run(words).await;
    assert_eq!(output.status.code(), Some(status), "{words}: {}", said(&output));
    said(&output)
}

#[tokio::test]
async fn evidence_is_staged_taken_out_and_submitted_only_by_an_act_of_its_own() {
    let club = Club::open().await;
    let told = does(&club, "do stage_evidence dp_5 -i note=They-read-it", 1).await;
    assert!(told.contains("an answer is possible"), "{told}");

    let told = does(&club, "do stage_evidence dp_4 -i note=They-read-it --dry-run", 0).await;
    assert!(told.contains("stage evidence for dp_4, without submitting it") && told.contains("can be taken back"), "{told}");
    assert_eq!(object(&club, "disputes/dp_4").await["evidence_details"]["has_evidence"], false, "a dry run sends nothing");

    does(&club, "do stage_evidence dp_4 -i note=They-read-it", 0).await;
    let dispute = object(&club, "disputes/dp_4").await;
    assert_eq!(dispute["evidence"]["uncategorized_text"], "They-read-it");
    assert_eq!(dispute["evidence"]["product_description"], "A book every month, €20.00");
    assert_eq!(
        (dispute["status"].as_str(), &dispute["evidence_details"]["submission_count"]),
        (Some("needs_response"), &Json::from(0))
    );
    let ours = dispute["metadata"]["wheelhouse_evidence"].as_str().unwrap_or_else(|| panic!("{dispute}"));
    let journal = does(&club, "journal export", 0).await;
    assert!(journal.contains(ours.trim_end_matches("-0")), "the act's own name stands in the dispute: {ours}");

    let told = does(&club, "do stage_evidence dp_4 -i note=They-read-it", 1).await;
    assert!(told.contains("has just this evidence already, and not by this act"), "{told}");
    does(&club, "do clear_evidence dp_4", 0).await;
    assert_eq!(object(&club, "disputes/dp_4").await["evidence_details"]["has_evidence"], false);
    let told = does(&club, "do submit_evidence dp_4 --confirm dp_4", 1).await;
    assert!(told.contains("something is staged"), "{told}");

    does(&club, "do stage_evidence dp_4 -i note=They-read-it-twice", 0).await;
    let told = does(&club, "do submit_evidence dp_4", 3).await;
    assert!(told.contains("dp_4"), "what is for good is typed: {told}");
    does(&club, "do submit_evidence dp_4 --confirm dp_4", 0).await;
    let dispute = object(&club, "disputes/dp_4").await;
    assert_eq!(
        (dispute["status"].as_str(), &dispute["evidence_details"]["submission_count"]),
        (Some("under_review"), &Json::from(1))
    );
    let told = does(&club, "do stage_evidence dp_4 -i note=More", 1).await;
    assert!(told.contains("still open"), "{told}");
    assert!(does(&club, "journal verify", 0).await.contains("holds"));
}

#[tokio::test]
async fn a_subscription_is_paused_resumed_ended_with_its_period_kept_and_cancelled() {
    let club = Club::open().await;
    does(&club, "do pause sub_1", 0).await;
    let paused = object(&club, "subscriptions/sub_1").await;
    assert_eq!(
        (paused["status"].as_str(), paused["pause_collection"]["behavior"].as_str()),
        (Some("active"), Some("keep_as_draft"))
    );
    let told = does(&club, "do pause sub_1", 1).await;
    assert!(told.contains("not paused yet"), "{told}");
    does(&club, "do resume sub_1", 0).await;
    assert_eq!(object(&club, "subscriptions/sub_1").await["pause_collection"], Json::Null);
    // The same decision once more is another act, under another key.
    does(&club, "do pause sub_1", 0).await;
    does(&club, "do resume sub_1", 0).await;

    does(&club, "do cancel sub_1", 0).await;
    assert_eq!(object(&club, "subscriptions/sub_1").await["cancel_at_period_end"], true);
    let told = does(&club, "do cancel sub_1", 1).await;
    assert!(told.contains("ends with its period already, and not by this act"), "{told}");
    does(&club, "do keep sub_1", 0).await;
    assert_eq!(object(&club, "subscriptions/sub_1").await["cancel_at_period_end"], false);

    does(&club, "do end sub_1", 3).await;
    does(&club, "do end sub_1 --confirm sub_1", 0).await;
    let over = object(&club, "subscriptions/sub_1").await;
    assert_eq!(over["status"], "canceled");
    let comment = over["cancellation_details"]["comment"].as_str().unwrap_or_default();
    assert!(comment.starts_with("wheelhouse ") && comment.ends_with(" by op"), "{comment}");
    let journal = does(&club, "journal export", 0).await;
    assert!(journal.contains("cancellation of sub_1: canceled"), "{journal}");
}

#[tokio::test]
async fn a_members_timeline_is_a_queue_like_any_other() {
    let club = Club::open().await;
    let page = does(&club, "snapshot --screen queue:timeline --size 120x40", 0).await;
    assert!(page.contains("Member 4"), "{page}");
    let place = |what: &str| page.lines().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {page}"));
    assert!(place("dp_4") < place("ch_4") && place("ch_4") < place("cus_4"), "the newest first: {page}");
    assert!(page.contains("product_not_received") && page.contains("sub_4/end"), "{page}");
}

#[tokio::test]
async fn a_key_that_lacks_rights_is_told_which_before_anything_is_needed() {
    let club = Club::open().await;
    let whole = club.run("connect check stripe").await;
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    assert!(said(&whole).contains("may read charges payment_intents refunds events"), "{}", said(&whole));
    assert!(
        said(&whole).contains("needs to write disputes refunds subscriptions (`--writes` asks whether it may)"),
        "{}",
        said(&whole)
    );

    let narrow = [("CLUB_STRIPE_KEY", "rk_demo_narrow")];
    let checked = club.run_with("connect check stripe", &narrow).await;
    assert_eq!(checked.status.code(), Some(1), "{}", said(&checked));
    let told = said(&checked);
    assert!(
        told.contains("the pack reads disputes, and the key may not: give it the right to read disputes (`rak_dispute_read`)"),
        "{told}"
    );
    assert!(!told.contains("rak_payment_intent_read"), "the club has no need of payment intents: {told}");

    assert!(!told.contains("rak_webhook_read"), "nor of endpoints: {told}");
    assert!(!told.contains("rak_subscription_write"), "a write is not asked unless that is wanted: {told}");

    let refused = club.run_with("do pause sub_1", &narrow).await;
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let told = said(&refused);
    assert!(told.contains("give the key the right to write subscriptions (`rak_subscription_write`)"), "{told}");
}

#[tokio::test]
async fn what_a_key_may_write_is_asked_and_nothing_is_changed_by_it() {
    let club = Club::open().await;
    let before = [object(&club, "refunds").await, object(&club, "disputes").await, object(&club, "subscriptions").await];
    let told = does(&club, "connect check stripe --writes", 0).await;
    assert!(told.contains("may write disputes refunds subscriptions (asked for what does not exist)"), "{told}");
    let narrow = [("CLUB_STRIPE_KEY", "rk_demo_narrow")];
    let checked = club.run_with("connect check stripe --writes", &narrow).await;
    let told = said(&checked);
    assert_eq!(checked.status.code(), Some(1), "{told}");
    assert!(told.contains("may write disputes refunds (asked for what does not exist)"), "{told}");
    assert!(
        told.contains("the pack writes subscriptions, and the key may not: give it the right to write subscriptions (`rak_subscription_write`)"),
        "{told}"
    );
    let after = [object(&club, "refunds").await, object(&club, "disputes").await, object(&club, "subscriptions").await];
    assert_eq!(before, after);
}
