use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, value::Value},
    engine::message::{Ask, Event},
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
    assert_eq!((batch.total, batch.ends.done, batch.ends.failed, batch.ends.skipped), (40, 39, 0, 1));
    cockpit.until_standing("r17", Standing::Changed).await;
    assert_eq!(world.outside.lock().unwrap().statements.len(), 39);
    assert_eq!(cockpit.lines().await.last().unwrap(), "BATCH approve 40: 39 of 40 done, 1 skipped");
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
async fn a_batch_that_paused_goes_on_only_while_writing_is_unlocked() {
    let ids = ["a", "b", "c"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::LostAfter]);
    cockpit.confirm("pay_back", &ids).await.unwrap();
    let unknown = cockpit.until_standing("a", Standing::Unknown).await;
    cockpit.actor.look_up(plan_of(&unknown)).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    cockpit.later(TimeDelta::minutes(15)).await;
    let standings = cockpit.until(|standings| standings.unlocked_until.is_none()).await;
    let batch = standings.batch.as_ref().unwrap().id.clone();
    let refused = cockpit.actor.pause(batch.clone(), false).await.unwrap_err();
    assert_eq!(refused.shown(), "writing is locked: W unlocks it, then P goes on with the batch");
    cockpit.later(TimeDelta::hours(1)).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1, "nobody is there");
    cockpit.actor.unlock().await.unwrap();
    cockpit.actor.pause(batch, false).await.unwrap();
    cockpit.until_standing("c", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 3);
}

#[tokio::test]
async fn an_item_that_cannot_be_taken_is_left_out_and_the_batch_comes_to_its_end() {
    let ids = ["a", "b", "c"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    let preview = cockpit.propose(1, "approve", &ids).await;
    world.outside.lock().unwrap().forgotten = Some("b".to_owned());
    let said = cockpit.actor.commit(Ask(1), preview.expected.clone()).await.unwrap();
    assert!(said.shown().contains("not all of them") && said.shown().contains("the page is damaged"), "{said}");
    let standings = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ended_at.is_some())).await;
    let ends = standings.batch.as_ref().unwrap().ends;
    assert_eq!((ends.done, ends.failed, ends.skipped), (2, 0, 1));
    let lines = cockpit.lines().await;
    assert_eq!(lines.last().unwrap(), "BATCH approve 3: 2 of 3 done, 1 skipped");
    assert!(lines.iter().any(|line| line.contains("REFUSED") && line.contains("the page is damaged")), "{lines:?}");
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
    assert_eq!((batch.ends.done, batch.ends.failed, batch.ends.skipped), (2, 1, 0));
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

#[tokio::test]
async fn a_batch_that_was_cut_off_is_told_as_one_and_what_was_not_sent_is_not_sent() {
    let ids: Vec<_> = (0..10).map(|number| format!("r{number:02}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    let preview = cockpit.propose(1, "approve", &ids).await;
    // Ten intents are two points each; each act sends after two, and ends after six.
    world.kill_at(20 + 3 * 6 + 4);
    let commit = cockpit.actor.commit(Ask(1), preview.expected.clone());
    commit.await.unwrap();
    world.killed.notified().await;
    cockpit.die().await;
    world.kill_at(usize::MAX);
    let sent = world.outside.lock().unwrap().statements.len();
    assert_eq!(sent, 4);

    let mut cockpit = Cockpit::open(&world, &path).await;
    cockpit.actor.recover().await.unwrap();
    let line = "approve 10, which was cut off: 4 done, 6 not sent";
    assert_eq!(cockpit.lines().await.last().unwrap(), &format!("BATCH {line}"));
    let told = cockpit.said().into_iter().any(|event| match event {
        Event::Notice { said, .. } => said.shown() == format!("recovery settled {line}; :recovery tells each"),
        _ => false,
    });
    assert!(told);
    cockpit.later(TimeDelta::hours(1)).await;
    assert_eq!(world.outside.lock().unwrap().statements.len(), 4);
    cockpit.die().await;

    // Told once: the next start has nothing left to say, and the rest is approved as rows like any other.
    let cockpit = Cockpit::ready(&world, &path).await;
    assert_eq!(cockpit.lines().await.iter().filter(|line| line.starts_with("BATCH")).count(), 1);
    cockpit.confirm("approve", &["r09"]).await.unwrap();
    cockpit.until_standing("r09", Standing::Done).await;
}

#[tokio::test]
async fn a_batch_of_money_that_was_cut_off_in_doubt_says_how_many_are_unknown() {
    let ids = ["a", "b", "c"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    world.script([Script::Goes, Script::Goes, Script::LostAfter]);
    cockpit.confirm("pay_back", &ids).await.unwrap();
    cockpit.until_standing("b", Standing::Unknown).await;
    cockpit.die().await;
    world.outside.lock().unwrap().is_unlabelled = true;
    let cockpit = Cockpit::open(&world, &path).await;
    cockpit.actor.recover().await.unwrap();
    assert_eq!(cockpit.lines().await.last().unwrap(), "BATCH pay_back 3, which was cut off: 1 done, 1 not sent, 1 unknown");
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 2);
}

#[tokio::test]
async fn one_that_failed_half_way_and_was_gone_on_with_is_counted_once() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Goes, Script::Rejected]);
    cockpit.confirm("pay_back", &["a", "b"]).await.unwrap();
    let ended = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ended_at.is_some())).await;
    let batch = ended.batch.clone().unwrap();
    assert_eq!((batch.ends.done, batch.ends.failed, batch.total), (1, 1, 2));
    let failed = cockpit.until_standing("a", Standing::Rejected).await;
    cockpit.actor.look_up(plan_of(&failed)).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    let batch = cockpit
        .until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ends.done == 2))
        .await
        .batch
        .clone()
        .unwrap();
    assert_eq!((batch.ends.done, batch.ends.failed, batch.ends.skipped), (2, 0, 0));
}
