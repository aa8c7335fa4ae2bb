use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, value::Value},
    engine::message::Ask,
};

use super::{
    Cockpit, plan_of,
    world::{Script, World},
};

#[tokio::test]
async fn forty_are_approved_and_the_one_that_changed_is_told_and_left_alone() {
    let ids: Vec<_> = (0..40).map(|number| format!("r{number:02}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    let preview = cockpit.propose(1, "approve", &ids).await;
    assert_eq!(preview.plans.len(), 40);
    world.set("r17", "status", Value::text("rejected"));
    assert_eq!(cockpit.actor.commit(Ask(1), String::new()).await.unwrap().shown(), "40 confirmed");
    let standings = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ended_at.is_some())).await;
    let batch = standings.batch.clone().unwrap();
    assert_eq!((batch.total, batch.done, batch.failed, batch.skipped), (40, 39, 0, 1));
    cockpit.until_standing("r17", Standing::Changed).await;
    assert_eq!(world.outside.lock().unwrap().statements.len(), 39);
    assert_eq!(cockpit.lines().await.last().unwrap(), "BATCH approve 40: 39 of 40 done, 0 failed, 1 skipped");
}

#[tokio::test]
async fn money_stops_at_the_first_outcome_that_nobody_knows() {
    let ids = ["a", "b", "c"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Goes, Script::Goes, Script::LostAfter]);
    cockpit.confirm("pay_back", &ids).await.unwrap();
    let unknown = cockpit.until_standing("b", Standing::Unknown).await;
    let standings = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.paused)).await;
    assert_eq!(standings.receipts.iter().find(|receipt| receipt.target.key == "c").unwrap().standing, Standing::Waiting);
    let batch = standings.batch.as_ref().unwrap().id.clone();
    let refused = cockpit.actor.pause(batch.clone(), false).await.unwrap_err();
    assert_eq!(refused.shown(), "nobody knows yet whether b happened: look it up first");
    cockpit.actor.look_up(plan_of(&unknown)).await.unwrap();
    cockpit.until_standing("b", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 2, "the rest waits for the operator");
    cockpit.actor.pause(batch, false).await.unwrap();
    cockpit.until_standing("c", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 3);
}

#[tokio::test]
async fn other_batches_go_on_past_a_failure() {
    let ids = ["a", "b", "c"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Rejected]);
    cockpit.confirm("approve", &ids).await.unwrap();
    let standings = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ended_at.is_some())).await;
    let batch = standings.batch.clone().unwrap();
    assert_eq!((batch.done, batch.failed, batch.skipped), (2, 1, 0));
}

#[tokio::test]
async fn a_batch_is_paused_and_cancelled_before_it_is_sent() {
    let ids = ["a", "b", "c"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.confirm("refund", &ids).await.unwrap();
    let batch = cockpit.until(|standings| standings.batch.is_some()).await.batch.clone().unwrap().id;
    cockpit.actor.pause(batch.clone(), true).await.unwrap();
    cockpit.later(TimeDelta::seconds(60)).await;
    let standings =
        cockpit.until(|standings| standings.receipts.iter().all(|receipt| receipt.standing == Standing::Waiting)).await;
    assert_eq!(standings.receipts.len(), 3);
    assert_eq!(cockpit.actor.cancel(batch).await.unwrap().shown(), "3 taken back before they were sent");
    cockpit.until(|standings| standings.receipts.iter().all(|receipt| receipt.standing == Standing::TakenBack)).await;
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}
