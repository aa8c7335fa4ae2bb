use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, value::Value},
    engine::{act::TakenBack, message::Ask},
};

use super::{Cockpit, plan_of, world::World};

#[tokio::test]
async fn what_is_held_is_withdrawn() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.confirm("refund", &["a"]).await.unwrap();
    let withdrawn = cockpit.actor.take_back(Ask(2), None).await.unwrap();
    assert!(matches!(withdrawn, TakenBack::Withdrawn(_)));
    let receipt = cockpit.until_standing("a", Standing::TakenBack).await;
    cockpit.later(TimeDelta::minutes(1)).await;
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
    cockpit.confirm("refund", &["a"]).await.unwrap();
    let again = cockpit.until_standing("a", Standing::Held).await;
    assert_eq!(again.plan, receipt.plan, "nothing was sent under its key, so the decision keeps its name");
}

#[tokio::test]
async fn what_is_done_is_undone_by_a_preview_of_its_undo() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.confirm("approve", &["a", "b"]).await.unwrap();
    let receipt = cockpit.until_standing("b", Standing::Done).await;
    assert!(receipt.can_undo);
    let TakenBack::Undo(preview) = cockpit.actor.take_back(Ask(5), None).await.unwrap() else { panic!("not a preview") };
    assert_eq!((preview.action.as_str(), preview.plans.len()), ("unapprove", 2));
    cockpit.actor.commit(Ask(5), preview.expected).await.unwrap();
    cockpit.until(|standings| standings.receipts.iter().filter(|receipt| receipt.standing == Standing::Done).count() == 4).await;
    {
        let outside = world.outside.lock().unwrap();
        assert!(outside.rows.values().all(|row| row["status"] == Value::text("pending")));
    }
    cockpit.confirm("approve", &["a"]).await.unwrap();
    let standings =
        cockpit.until(|standings| standings.receipts.iter().filter(|receipt| receipt.target.key == "a").count() == 3).await;
    assert_ne!(standings.receipts[0].plan, plan_of(&receipt), "what can be repeated has a name of its own each time");
}

#[tokio::test]
async fn money_that_went_out_is_not_taken_back() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    let receipt = cockpit.until_standing("a", Standing::Done).await;
    assert!(!receipt.can_undo);
    assert_eq!(cockpit.actor.take_back(Ask(2), None).await.unwrap_err().shown(), "there is nothing to take back");
    assert_eq!(cockpit.actor.take_back(Ask(2), Some(receipt.plan)).await.unwrap_err().shown(), "it cannot be taken back");
}
