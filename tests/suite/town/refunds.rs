//! Refunds with idempotency, rule by rule as Stripe documents them.

use super::{figures::charge, *};

async fn refunds_of(stripe: &Caller, charge: &str) -> usize {
    stripe.data(&format!("refunds?charge={charge}")).await.len()
}

#[tokio::test]
async fn a_refund_is_made_once_and_shows_on_its_charge() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let form = format!("charge={charge}&amount=2200&reason=requested_by_customer&metadata[wheelhouse_action]=abc%20d");
    let reply = stripe.refund("key-1", &form).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.at("/object"), "refund");
    assert_eq!(reply.at("/status"), "succeeded");
    assert_eq!(reply.at("/amount"), 2200);
    assert_eq!(reply.at("/metadata/wheelhouse_action"), "abc d");
    assert_eq!(reply.header("idempotency-key"), "key-1");
    assert_eq!(reply.header("idempotent-replayed"), "");
    let after = stripe.list(&format!("charges/{charge}")).await;
    assert_eq!(after.get("amount_refunded"), Some(&Json::from(2200)));
    assert_eq!(after.get("refunded"), Some(&Json::Bool(true)));
    assert_eq!(after.get("status"), Some(&Json::from("succeeded")));
    let id = reply.at("/id").as_str().unwrap();
    assert_eq!(stripe.list(&format!("refunds/{id}")).await, reply.body);
    assert_eq!(refunds_of(&stripe, &charge).await, 1);
}

#[tokio::test]
async fn the_same_key_and_request_replays_the_first_answer() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let first = stripe.refund("key-1", &format!("charge={charge}&amount=1000")).await;
    let again = stripe.refund("key-1", &format!("amount=1000&charge={charge}")).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_eq!(refunds_of(&stripe, &charge).await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_an_error() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let first = stripe.refund("key-1", &format!("charge={charge}&amount=1000")).await;
    let other = stripe.refund("key-1", &format!("charge={charge}&amount=1001")).await;
    assert_eq!((other.status, other.at("/error/type").as_str()), (400, Some("idempotency_error")));
    let id = first.at("/id").as_str().unwrap();
    let elsewhere = stripe.post(&format!("refunds/{id}"), Some("key-1"), "metadata[a]=b").send().await.unwrap();
    let elsewhere = Reply::of(elsewhere).await;
    assert_eq!((elsewhere.status, elsewhere.at("/error/type").as_str()), (400, Some("idempotency_error")));
    assert!(elsewhere.text.contains("same endpoint"), "{}", elsewhere.text);
    assert_eq!(refunds_of(&stripe, &charge).await, 1);
}

#[tokio::test]
async fn two_at_once_with_one_key_conflict() {
    let town = town_with(&["stripe=slow"]).await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let form = format!("charge={charge}");
    let (one, two) = tokio::join!(stripe.refund("key-1", &form), stripe.refund("key-1", &form));
    let (done, refused) = if one.status == 200 { (one, two) } else { (two, one) };
    assert_eq!((done.status, refused.status), (200, 409), "{} {}", done.text, refused.text);
    assert_eq!(refused.at("/error/code"), "idempotency_key_in_use");
    assert_eq!(refused.header("stripe-should-retry"), "true");
    town.clear_faults().await.unwrap();
    let again = stripe.refund("key-1", &form).await;
    assert_eq!((again.status, again.text), (200, done.text));
    assert_eq!(refunds_of(&stripe, &charge).await, 1);
}

#[tokio::test]
async fn a_failure_of_the_service_is_replayed_too() {
    let town = town_with(&["stripe:/v1/refunds=500:1"]).await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let form = format!("charge={charge}");
    let first = stripe.refund("key-1", &form).await;
    assert_eq!((first.status, first.at("/error/type").as_str()), (500, Some("api_error")));
    let again = stripe.refund("key-1", &form).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, "true"));
    assert_eq!(refunds_of(&stripe, &charge).await, 0);
    assert_eq!(stripe.refund("key-2", &form).await.status, 200);
}

#[tokio::test]
async fn what_fails_validation_is_not_kept() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    for (form, code) in [
        ("amount=5".to_owned(), Some("parameter_missing")),
        (format!("charge={charge}&amount=0"), Some("parameter_invalid_integer")),
        (format!("charge={charge}&amount=2.5"), Some("parameter_invalid_integer")),
        (format!("charge={charge}&colour=red"), Some("parameter_unknown")),
        (format!("charge={charge}&reason=whim"), None),
        ("charge=ch_nothing".to_owned(), Some("resource_missing")),
    ] {
        let refused = stripe.refund("key-1", &form).await;
        assert!((400..=404).contains(&refused.status), "{form}: {}", refused.text);
        assert_eq!(refused.at("/error/code").as_str(), code, "{form}");
        assert_eq!(refused.header("idempotent-replayed"), "");
    }
    // The key is still free for the right request.
    assert_eq!(stripe.refund("key-1", &format!("charge={charge}")).await.status, 200);
}

#[tokio::test]
async fn no_more_goes_back_than_was_charged() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let more = stripe.refund("key-1", &format!("charge={charge}&amount=3000")).await;
    assert_eq!((more.status, more.at("/error/param").as_str()), (400, Some("amount")));
    assert!(more.text.contains("greater than charge amount (A$22.00)"), "{}", more.text);
    // Two equal parts both go through, as two requests.
    for key in ["key-2", "key-3"] {
        assert_eq!(stripe.refund(key, &format!("charge={charge}&amount=800")).await.status, 200);
    }
    let rest = stripe.refund("key-4", &format!("charge={charge}&amount=800")).await;
    assert!(rest.text.contains("greater than unrefunded amount on charge (A$6.00)"), "{}", rest.text);
    assert_eq!(stripe.refund("key-5", &format!("charge={charge}")).await.at("/amount"), 600);
    let full = stripe.refund("key-6", &format!("charge={charge}")).await;
    assert_eq!((full.status, full.at("/error/code").as_str()), (400, Some("charge_already_refunded")));
    assert_eq!(refunds_of(&stripe, &charge).await, 3);
}

#[tokio::test]
async fn a_payment_intent_stands_for_its_charge() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = charge(&town).await;
    let intent = stripe.list(&format!("charges/{charge}")).await.get("payment_intent").and_then(Json::as_str).unwrap().to_owned();
    let refund = stripe.refund("key-1", &format!("payment_intent={intent}")).await;
    assert_eq!(refund.at("/charge"), charge.as_str());
    assert_eq!(stripe.data(&format!("refunds?payment_intent={intent}")).await.len(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: Some(dir.path().to_owned()), ..options() };
    let first = Town::open(options.clone()).await.unwrap();
    let charge = charge(&first).await;
    let form = format!("charge={charge}&amount=500");
    assert_eq!(Caller::of(&first).refund("key-1", &form).await.status, 200);
    drop(first);

    let same_day = Town::open(Options { at: Some(later(23)), ..options.clone() }).await.unwrap();
    let stripe = Caller::of(&same_day);
    assert_eq!(stripe.refund("key-1", &form).await.header("idempotent-replayed"), "true");
    assert_eq!(refunds_of(&stripe, &charge).await, 1);
    drop(same_day);

    let next_day = Town::open(Options { at: Some(later(25)), ..options }).await.unwrap();
    let stripe = Caller::of(&next_day);
    assert_eq!(stripe.refund("key-1", &form).await.header("idempotent-replayed"), "");
    assert_eq!(refunds_of(&stripe, &charge).await, 2, "a new request by then: the danger that a cockpit must know");
}
