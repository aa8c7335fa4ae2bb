//! A refund is through, and a later step outlives the life of its key: the rest is finished or closed, by a person.

use std::{path::Path, sync::Arc};

use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::domain::plan::{Receipt, Standing};

use super::{
    Cockpit, plan_of,
    world::{Script, World},
};

/// The mail never went out, and a day and more went by until anybody looked: given up after two looks, by the next start.
async fn outlived(world: &Arc<World>, path: &Path) -> (Cockpit, Receipt) {
    world.outside.lock().unwrap().keeps_mails = true;
    let cockpit = Cockpit::ready(world, path).await;
    world.script([Script::Goes, Script::LostBefore]);
    cockpit.confirm("thank", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Unknown).await;
    cockpit.die().await;
    world.later(TimeDelta::hours(25));
    let cockpit = Cockpit::ready(world, path).await;
    cockpit.later(TimeDelta::seconds(60)).await;
    let receipt = cockpit.until_standing("a", Standing::Rejected).await;
    assert_eq!((receipt.steps_done, receipt.has_rest, receipt.is_resendable), (1, true, false), "{receipt:?}");
    let said = receipt.said.shown();
    assert!(said.contains("too old") && said.contains("what came before stands") && !said.contains("anew"), "{said}");
    (cockpit, receipt)
}

#[tokio::test]
async fn the_step_is_done_by_hand_and_what_was_never_begun_goes_on() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let (cockpit, receipt) = outlived(&world, &folder.path().join("town.db")).await;
    let refused = cockpit.actor.look_up(plan_of(&receipt)).await.unwrap_err();
    assert!(refused.shown().contains("do the step by hand"), "{refused}");
    let anew = cockpit.propose(2, "thank", &["a"]).await;
    assert!(anew.refused[0].1.shown().contains("it was already done"), "the refund is not made again: {anew:?}");
    cockpit.actor.settle(plan_of(&receipt), true).await.unwrap();
    let done = cockpit.until_standing("a", Standing::Done).await;
    assert_eq!((done.steps_done, done.has_rest), (3, false));
    let outside = world.outside.lock().unwrap();
    assert_eq!((outside.refunds.len(), outside.mails.len(), outside.statements.len()), (1, 0, 1));
    assert_eq!(outside.attempts, 3, "the refund, the mail that was lost, the statement: each of them once");
}

#[tokio::test]
async fn the_rest_is_closed_and_stays_so() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    let (cockpit, receipt) = outlived(&world, &path).await;
    // A start in between still tells of it.
    cockpit.die().await;
    let cockpit = Cockpit::ready(&world, &path).await;
    let left = cockpit.until(|standings| standings.recovery.is_some()).await.recovery.clone().unwrap();
    let facts: Vec<String> = left.acts[0].facts(|at| at.to_string()).into_iter().map(|(_, said)| said).collect();
    assert!(facts.iter().any(|said| said.contains("do this step by hand, and say so")), "{facts:?}");
    cockpit.actor.settle(plan_of(&receipt), false).await.unwrap();
    let closed = cockpit.until(|standings| standings.receipts.iter().any(|one| one.said.shown().contains("undone"))).await;
    assert_eq!((closed.receipts[0].standing, closed.receipts[0].has_rest), (Standing::Rejected, false));
    assert!(cockpit.actor.settle(plan_of(&receipt), true).await.is_err(), "it is closed");
    assert!(cockpit.actor.look_up(plan_of(&receipt)).await.is_err());
    cockpit.die().await;
    let cockpit = Cockpit::ready(&world, &path).await;
    assert_eq!(cockpit.actor.standings().recovery, None, "nothing is left");
    assert_eq!(world.outside.lock().unwrap().attempts, 2);
    assert_eq!(cockpit.propose(2, "thank", &["a"]).await.plans, [], "money moves once");
}
