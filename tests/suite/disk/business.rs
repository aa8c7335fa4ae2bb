//! The business's own database: before a plan, and during the hold.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::net::TcpListener;
use wheelhouse::{
    domain::{id::Id, plan::Standing, rows::Params},
    engine::message::Ask,
};

use super::{
    fault::{Fault, Ground, Standing as Struck},
    is_clear,
};
use crate::{
    acting::{Cockpit, world::World},
    answers::stage,
};

pub const CASES: [Fault; 2] = [Fault::Locked, Fault::Full];

/// The till alone, beside an outside that counts whoever calls.
async fn befalls(fault: Fault, is_held: bool) {
    let case = format!("{fault:?} of the business's database, held: {is_held}");
    let Some(ground) = Ground::for_fault(fault) else {
        println!("NOT RUN, it takes a mount: {case}");
        return;
    };
    let till = ground.path().join("till.db");
    stage::open_till(&till, &["t1".to_owned()]).await;
    if fault == Fault::Locked {
        // With a log beside it, nobody who writes locks out those who read.
        sqlx::raw_sql("pragma journal_mode = delete").execute(&mut stage::connect(&till).await).await.unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pack = stage::till("400ms", "1s", None);
    let records = tempfile::TempDir::new().unwrap();
    let world = World::new(&[]);
    let connections = stage::connections(&pack, &till, listener.local_addr().unwrap(), "sk", "file:///nowhere");
    let cockpit = Cockpit::open_on(&world, &records.path().join("town.db"), Arc::clone(&pack), connections).await;
    cockpit.actor.recover().await.unwrap();
    cockpit.actor.unlock().await.unwrap();
    let propose = async |ask: u64| {
        cockpit.actor.propose(Ask(ask), Id::new("give_back"), vec![stage::aim("t1")], Params::new()).await.unwrap()
    };
    let is_called = async |patience| tokio::time::timeout(patience, listener.accept()).await.is_ok();
    if !is_held {
        let struck = strike(fault, &till).await;
        let preview = propose(1).await;
        assert!(preview.plans.is_empty(), "{case}");
        let said = preview.refused[0].1.shown();
        assert!(is_clear(said, &["db:"]), "{case}: {said}");
        assert!(!is_called(Duration::ZERO).await, "{case}: somebody called Stripe");
        struck.heal().await;
        assert_eq!(propose(9).await.plans.len(), 1, "{case}: it goes on when it is over");
        return;
    }
    let preview = propose(1).await;
    cockpit.actor.commit(Ask(1), preview.expected.clone()).await.unwrap();
    let struck = strike(fault, &till).await;
    cockpit.later(TimeDelta::seconds(11)).await;
    let unclaimed = "not claimed yet, tried again";
    let stands = cockpit
        .until(|standings| standings.receipts.first().is_some_and(|receipt| receipt.said.shown().contains(unclaimed)))
        .await;
    assert!(is_clear(stands.receipts[0].said.shown(), &["db:"]), "{case}: {}", stands.receipts[0].said);
    assert!(!is_called(Duration::ZERO).await, "{case}: somebody called Stripe");
    struck.heal().await;
    cockpit.later(TimeDelta::minutes(1)).await;
    assert!(is_called(Duration::from_secs(20)).await, "{case}: it goes on when it is over");
}

async fn strike(fault: Fault, till: &Path) -> Struck {
    Struck::strike(fault, till).await
}

pub async fn befalls_everywhere() {
    // A full disk keeps nobody from reading: what it does to a write is a test of its own.
    let cases = CASES.iter().filter(|fault| **fault != Fault::Full);
    futures_util::future::join_all(cases.flat_map(|fault| [befalls(*fault, false), befalls(*fault, true)])).await;
}

#[tokio::test]
async fn whatever_befalls_the_business_database_no_money_is_sent() {
    befalls_everywhere().await;
}

#[tokio::test]
async fn a_full_disk_under_the_business_changes_nothing_and_says_so() {
    let Some(ground) = Ground::for_fault(Fault::Full) else {
        println!("NOT RUN, it takes a mount: a full disk under the business");
        return;
    };
    let till = ground.path().join("till.db");
    stage::open_till(&till, &["t1".to_owned()]).await;
    let pack = stage::till("2s", "1s", None);
    let records = tempfile::TempDir::new().unwrap();
    let world = World::new(&[]);
    let connections = stage::connections(&pack, &till, "127.0.0.1:9".parse().unwrap(), "sk", "file:///nowhere");
    let cockpit = Cockpit::open_on(&world, &records.path().join("town.db"), Arc::clone(&pack), connections).await;
    cockpit.actor.recover().await.unwrap();
    cockpit.actor.unlock().await.unwrap();
    let preview = cockpit.actor.propose(Ask(1), Id::new("close"), vec![stage::aim("t1")], Params::new()).await.unwrap();
    let struck = strike(Fault::Full, &till).await;
    cockpit.actor.commit(Ask(1), preview.expected.clone()).await.unwrap();
    cockpit.later(TimeDelta::seconds(11)).await;
    let stands =
        cockpit.until(|standings| standings.receipts.first().is_some_and(|receipt| receipt.said.shown().contains("full"))).await;
    assert!(is_clear(stands.receipts[0].said.shown(), &["db:"]), "{}", stands.receipts[0].said);
    struck.heal().await;
    let plan = stands.receipts[0].plan.clone();
    for _ in 0..40 {
        cockpit.later(TimeDelta::seconds(61)).await;
        let standing = cockpit.actor.standings().receipts[0].standing;
        if standing.is_over() {
            break;
        }
        tokio::time::timeout(Duration::from_millis(50), cockpit.actor.watch().changed()).await.ok();
    }
    let receipt = cockpit.actor.standings().receipts.iter().find(|receipt| receipt.plan == plan).cloned().unwrap();
    let purchase = stage::purchase(&till, "t1").await;
    let is_whole = match receipt.standing {
        Standing::Done => purchase == ("closed".to_owned(), 1),
        _ => purchase == ("paid".to_owned(), 0),
    };
    assert!(is_whole, "all or nothing: {receipt:?} {purchase:?}");
}
