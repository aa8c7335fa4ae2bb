//! Events that are sent once more, and what proves that they were processed.

use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::domain::{plan::Standing, value::Value};

use super::{
    Cockpit, plan_of,
    world::{Script, World},
};

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_known_by_its_proof_and_not_sent_again() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::LostAfter]);
    cockpit.confirm("replay", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Unknown).await;
    cockpit.later(TimeDelta::seconds(2)).await;
    let done = cockpit.until_standing("a", Standing::Done).await;
    assert_eq!((done.steps_done, done.said.shown()), (2, "proven"));
    assert_eq!(world.outside.lock().unwrap().arrived, ["a"]);
}

#[tokio::test]
async fn an_event_that_never_arrived_goes_out_once_more() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::LostBefore]);
    cockpit.confirm("replay", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Unknown).await;
    cockpit.later(TimeDelta::seconds(2)).await;
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().arrived, ["a"]);
}

#[tokio::test]
async fn what_is_delivered_and_not_proven_is_told_so_until_it_is() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.outside.lock().unwrap().is_deaf = true;
    cockpit.confirm("replay", &["a"]).await.unwrap();
    for tries in 1..6 {
        cockpit.until(|standings| standings.receipts.iter().any(|one| one.said.shown().starts_with("tried again in"))).await;
        assert_eq!(world.outside.lock().unwrap().attempts, 1 + tries);
        cockpit.later(TimeDelta::seconds(30)).await;
        cockpit.until(|_| world.outside.lock().unwrap().attempts == 2 + tries).await;
    }
    let unproven = cockpit.until_standing("a", Standing::Unproven).await;
    let said = unproven.said.shown();
    assert!(said.contains("not proven: no row yet") && said.contains("what came before stands: post a"), "{said}");
    assert!(unproven.has_rest && unproven.is_resendable, "{unproven:?}");
    assert_eq!(unproven.standing.word(), "not proven");

    // It needed longer than anybody waited: a look on request finds it, and the event is not sent again.
    world.outside.lock().unwrap().is_deaf = false;
    cockpit.actor.look_up(plan_of(&unproven)).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().arrived, ["a"]);
}

#[tokio::test]
async fn a_batch_stops_at_the_first_unknown_where_the_pack_says_so_and_each_has_its_verdict() {
    let ids = ["a", "b", "c", "d"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Goes, Script::Goes, Script::LostAfter]);
    cockpit.confirm("replay", &ids).await.unwrap();
    cockpit.until_standing("b", Standing::Unknown).await;
    let standings = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.paused)).await;
    let batch = standings.batch.as_ref().unwrap().id.clone();
    assert_eq!(standings.receipts.iter().find(|receipt| receipt.target.key == "c").unwrap().standing, Standing::Waiting);
    // Its proof settles it; the rest waits for the operator all the same, and one of it has changed meanwhile.
    cockpit.later(TimeDelta::seconds(2)).await;
    cockpit.until_standing("b", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().arrived, ["a", "b"]);
    world.set("d", "status", Value::text("processed"));
    cockpit.actor.pause(batch, false).await.unwrap();
    let ended = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ended_at.is_some())).await;
    let batch = ended.batch.clone().unwrap();
    assert_eq!((batch.total, batch.ends.done, batch.ends.failed, batch.ends.skipped), (4, 3, 0, 1));
    cockpit.until_standing("d", Standing::Changed).await;
    assert_eq!(world.outside.lock().unwrap().arrived, ["a", "b", "c"]);
}

#[tokio::test]
async fn what_is_not_proven_is_counted_as_that_wherever_a_batch_is_counted() {
    let ids = ["a", "b", "c", "d", "e"];
    let (folder, world) = (TempDir::new().unwrap(), World::new(&ids));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Goes, Script::Goes, Script::Goes, Script::Rejected, Script::Rejected]);
    cockpit.confirm("replay", &ids).await.unwrap();
    let ended = cockpit.until(|standings| standings.batch.as_ref().is_some_and(|batch| batch.ended_at.is_some())).await;
    let ends = ended.batch.as_ref().unwrap().ends;
    assert_eq!((ends.done, ends.unproven, ends.failed, ends.skipped), (3, 1, 1, 0));
    assert_eq!(cockpit.lines().await.last().unwrap(), "BATCH replay 5: 3 of 5 done, 1 not proven, 1 failed");
    let unproven = cockpit.until_standing("b", Standing::Unproven).await;
    assert!(unproven.said.shown().starts_with("step 2 of 2 (see it processed) found no proof: "), "{unproven:?}");
    // Its proof comes later: it moves from the one count to the other.
    cockpit.actor.look_up(plan_of(&unproven)).await.unwrap();
    cockpit.until_standing("b", Standing::Done).await;
    let ends = cockpit.actor.standings().batch.as_ref().unwrap().ends;
    assert_eq!(ends.said(5), "4 of 5 done, 1 failed");
}
