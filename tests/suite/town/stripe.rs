//! Stripe's lists, objects and errors.

use std::collections::BTreeSet;

use super::*;

fn ids(data: &[Json]) -> Vec<String> {
    data.iter().map(|object| object.get("id").and_then(Json::as_str).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn seven_days_of_charges_hold_the_lost_one_and_the_right_amount() {
    let town = town().await;
    let since = moment().timestamp() - 7 * 86_400;
    let charges = Caller::of(&town).data(&format!("charges?limit=100&created[gte]={since}")).await;
    assert_eq!(charges.len(), 21);
    let sum: i64 = charges.iter().map(|charge| charge.get("amount").and_then(Json::as_i64).unwrap()).sum();
    assert_eq!(sum, 46_200, "20 recorded as A$420.00, one of them A$20.00 too low, and A$22.00 lost");
    let known = row(&town, "select group_concat(charge_id) from payment_audit").await.remove(0);
    let lost: Vec<String> = ids(&charges).into_iter().filter(|id| !known.contains(id)).collect();
    assert_eq!(lost.len(), 1);
    let recorded =
        row(&town, "select charge_id from payment_audit where amount = 200 and created_at > datetime(:now, '-7 days')").await;
    let wrong = charges.iter().find(|charge| charge.get("id").and_then(Json::as_str) == recorded.first().map(String::as_str));
    assert_eq!(wrong.and_then(|charge| charge.get("amount")), Some(&Json::from(2200)));
}

#[tokio::test]
async fn five_events_were_not_delivered_two_of_them_of_the_lost_charge() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let events = stripe.data("events?delivery_success=false&limit=100").await;
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.get("pending_webhooks") == Some(&Json::from(1))));
    let known =
        row(&town, "select group_concat(charge_id) || group_concat(payment_intent_id) from payment_audit").await.remove(0);
    let lost = events.iter().filter(|event| {
        let id = event.pointer("/data/object/id").and_then(Json::as_str).unwrap();
        !known.contains(id)
    });
    let mut types: Vec<&str> = lost.map(|event| event.get("type").and_then(Json::as_str).unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["charge.succeeded", "payment_intent.succeeded"]);
    let charges = stripe.data("events?delivery_success=false&types[]=charge.succeeded&types[]=charge.refunded").await;
    assert_eq!(charges.len(), 4);
    let month = stripe.data("events?type=charge.refunded&limit=100").await;
    assert_eq!(month.len(), 2, "an event of each refund of the month");
}

#[tokio::test]
async fn pages_go_both_ways_and_meet() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let mut seen = Vec::new();
    let mut path = "charges?limit=100".to_owned();
    let last = loop {
        let page = stripe.list(&path).await;
        let data = page.get("data").and_then(Json::as_array).unwrap().clone();
        seen.extend(ids(&data));
        let last = seen.last().unwrap().clone();
        if page.get("has_more") == Some(&Json::Bool(false)) {
            break last;
        }
        assert_eq!(data.len(), 100);
        path = format!("charges?limit=100&starting_after={last}");
    };
    let recorded: usize = row(&town, "select count(*) from payment_audit").await.remove(0).parse().unwrap();
    assert_eq!(seen.len(), recorded + 1);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());

    let back = ids(&stripe.data(&format!("charges?limit=3&ending_before={last}")).await);
    assert_eq!(back, seen[seen.len() - 4..seen.len() - 1]);
    let first = stripe.list(&format!("charges?limit=3&ending_before={}", seen[0])).await;
    assert_eq!(first.get("data"), Some(&Json::Array(Vec::new())));
    assert_eq!(first.get("has_more"), Some(&Json::Bool(false)));
}

#[tokio::test]
async fn money_moved_is_charges_less_fees_less_refunds() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let moved = stripe.data("balance_transactions?limit=100").await;
    for entry in &moved {
        let whole = |name: &str| entry.get(name).and_then(Json::as_i64).unwrap();
        assert_eq!(whole("net"), whole("amount") - whole("fee"));
        let source = entry.get("source").and_then(Json::as_str).unwrap();
        if source.starts_with("ch_") {
            let amount = whole("amount");
            assert_eq!(whole("fee"), 30 + (amount * 17 + 500) / 1000, "1.7 % and 30 c");
        } else {
            assert_eq!((whole("fee"), whole("amount")), (0, -2200));
        }
    }
    assert!(moved.iter().any(|entry| entry.get("type") == Some(&Json::from("refund"))));
}

#[tokio::test]
async fn single_objects_answer_and_missing_ones_say_so() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let charge = figures::charge(&town).await;
    let object = stripe.list(&format!("charges/{charge}")).await;
    assert_eq!(object.get("id"), Some(&Json::from(charge.clone())));
    let intent = object.get("payment_intent").and_then(Json::as_str).unwrap();
    let intent = stripe.list(&format!("payment_intents/{intent}")).await;
    assert_eq!(intent.get("latest_charge"), Some(&Json::from(charge.clone())));
    let moved = object.get("balance_transaction").and_then(Json::as_str).unwrap();
    assert_eq!(stripe.list(&format!("balance_transactions/{moved}")).await.get("source"), Some(&Json::from(charge)));
    assert_eq!(stripe.list("account").await.get("id").and_then(Json::as_str), town.account.as_deref());
    assert_eq!(stripe.data("payouts").await.len(), 4);
    assert_eq!(stripe.data("disputes").await.len(), 0);
    let missing = stripe.list("charges/ch_nothing").await;
    assert_eq!(missing.pointer("/error/code"), Some(&Json::from("resource_missing")));
    assert_eq!(missing.pointer("/error/message"), Some(&Json::from("No such charge: 'ch_nothing'")));
}

#[tokio::test]
async fn wrong_requests_are_refused_in_stripes_words() {
    let town = town().await;
    let stripe = Caller::of(&town);
    for (path, status, said) in [
        ("charges?limit=0", 400, "greater than or equal to 1"),
        ("charges?limit=101", 400, "less than or equal to 100"),
        ("charges?limit=ten", 400, "Invalid integer: ten"),
        ("charges?starting_after=ch_no", 400, "No such charge: 'ch_no'"),
        ("charges?colour=red", 400, "Received unknown parameter: colour"),
        ("charges?created[gte]=yesterday", 400, "Invalid integer"),
        ("refunds?charge=ch_no", 200, "\"data\": []"),
        ("unheard_of", 404, "Unrecognized request URL (GET: /v1/unheard_of)"),
    ] {
        let url = format!("{}v1/{path}", stripe.base);
        let reply = Reply::of(stripe.client.get(url).bearer_auth(&stripe.key).send().await.unwrap()).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
        assert!(reply.text.contains(said), "{path}: {}", reply.text);
        assert!(reply.header("request-id").starts_with("req_"));
    }
}

#[tokio::test]
async fn without_the_key_nothing_is_answered() {
    let town = town().await;
    let stripe = Caller::of(&town);
    let url = format!("{}v1/charges", stripe.base);
    let bare = Reply::of(stripe.client.get(&url).send().await.unwrap()).await;
    assert_eq!((bare.status, bare.at("/error/type").as_str()), (401, Some("invalid_request_error")));
    let wrong = Reply::of(stripe.client.get(&url).bearer_auth("rk_live_0123456789abcdef").send().await.unwrap()).await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.text.contains("0123456789"), "the key is not repeated: {}", wrong.text);
}
