use chrono::TimeDelta;
use futures_util::FutureExt as _;
use tempfile::TempDir;
use wheelhouse::{
    domain::plan::Standing,
    engine::{act::Standings, message::Event},
};

use super::{
    Cockpit, plan_of,
    world::{Script, World},
};

#[tokio::test]
async fn an_act_goes_through_its_steps_and_every_one_is_on_record() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    assert_eq!(cockpit.confirm("refund", &["a"]).await.unwrap().shown(), "held for 10s: u takes it back");
    cockpit.until_standing("a", Standing::Held).await;
    assert_eq!(world.outside.lock().unwrap().attempts, 0, "nothing goes out while it is held");
    cockpit.later(TimeDelta::seconds(10)).await;
    let receipt = cockpit.until_standing("a", Standing::Done).await;
    assert_eq!((receipt.steps_done, receipt.steps), (3, 3));
    {
        let outside = world.outside.lock().unwrap();
        assert_eq!(outside.refunds, [("ch_a".to_owned(), format!("{}-0", receipt.plan))]);
        assert_eq!((outside.statements.len(), outside.mails.len()), (1, 1));
    }
    let standings = cockpit.actor.standings();
    assert_eq!((standings.money_today, standings.money_this_session), (2200, 2200));
    assert_eq!(
        cockpit.lines().await,
        [
            "UNLOCK writing unlocked for 15m",
            "REFUND a: held for 10s",
            "REFUND a: sending step 1 of 3 (refund A$22.00 of ch_a)",
            "REFUND a: refunded (re_1)",
            "REFUND a: sending step 2 of 3 (status pending -> refunded)",
            "REFUND a: 1 row",
            "REFUND a: sending step 3 of 3 (mail to a@example.org)",
            "REFUND a: accepted",
        ]
    );
    assert!(cockpit.journal.store.verify().await.unwrap().is_ok());
}

#[tokio::test]
async fn busy_is_tried_again_under_the_same_key() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Again, Script::Again]);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    for said in ["tried again in 1s: busy", "tried again in 2s: busy"] {
        cockpit.until(|standings| standings.receipts.iter().any(|receipt| receipt.said.shown() == said)).await;
        cockpit.later(TimeDelta::seconds(5)).await;
    }
    cockpit.until_standing("a", Standing::Done).await;
    let outside = world.outside.lock().unwrap();
    assert_eq!((outside.refunds.len(), outside.attempts), (1, 4));
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_nothing_happens_twice() {
    for (script, attempts) in [(Script::LostAfter, 2), (Script::LostBefore, 3), (Script::Panics, 3)] {
        let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
        let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
        world.script([script.clone()]);
        cockpit.confirm("pay_back", &["a"]).await.unwrap();
        cockpit.until_standing("a", Standing::Unknown).await;
        assert_eq!(cockpit.actor.standings().money_today, 2200, "what may have happened counts");
        cockpit.later(TimeDelta::seconds(2)).await;
        cockpit.until_standing("a", Standing::Done).await;
        let outside = world.outside.lock().unwrap();
        assert_eq!((outside.refunds.len(), outside.attempts), (1, attempts), "{script:?}");
    }
}

#[tokio::test]
async fn a_mail_that_nobody_can_tell_of_stays_unknown_until_a_person_decides() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Goes, Script::Goes, Script::LostAfter]);
    cockpit.confirm("refund", &["a"]).await.unwrap();
    cockpit.later(TimeDelta::seconds(10)).await;
    let receipt = cockpit.until_standing("a", Standing::Unknown).await;
    assert_eq!(receipt.steps_done, 2);
    cockpit.later(TimeDelta::seconds(2)).await;
    cockpit.until(|standings| standings.receipts[0].said.shown().contains("the look could not tell")).await;
    cockpit.actor.settle(plan_of(&receipt), true).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().mails.len(), 1, "it is never mailed twice");
    assert!(cockpit.actor.settle(plan_of(&receipt), true).await.is_err(), "nothing is in doubt any more");
}

#[tokio::test]
async fn nobody_decides_while_it_is_being_looked_up() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::LostAfter]);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    let unknown = cockpit.until_standing("a", Standing::Unknown).await;
    world.be_silent();
    cockpit.actor.look_up(plan_of(&unknown)).await.unwrap();
    world.asked.notified().await;
    let refused = cockpit.actor.settle(plan_of(&unknown), false).await.unwrap_err();
    assert!(refused.shown().starts_with("it is on its way: wait for the answer"), "{refused}");
    world.speak();
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn a_no_is_not_believed_while_the_list_of_refunds_is_behind() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::LostAfter, Script::Rejected]);
    world.outside.lock().unwrap().behind = 2;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Unknown).await;
    cockpit.later(TimeDelta::seconds(2)).await;
    let second = |standings: &Standings| standings.receipts[0].said.shown().contains("a second look follows");
    let standings = cockpit.until(second).await;
    assert_eq!(standings.receipts[0].standing, Standing::Unknown);
    assert!(cockpit.propose(2, "pay_back", &["a"]).await.plans.is_empty(), "nothing is planned anew meanwhile");
    cockpit.later(TimeDelta::seconds(60)).await;
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn whoever_stops_it_once_more_waits_for_the_effect_under_way_as_well() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let mut cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.be_silent();
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    world.asked.notified().await;
    let actor = cockpit.actor.clone();
    let (mut once, mut again) = (Box::pin(actor.stop()), Box::pin(actor.stop()));
    assert!(once.as_mut().now_or_never().is_none() && again.as_mut().now_or_never().is_none());
    // Answered after both.
    cockpit.later(TimeDelta::zero()).await;
    assert!(once.as_mut().now_or_never().is_none(), "the effect is still under way");
    let has_stopped = |cockpit: &mut Cockpit| cockpit.said().iter().any(|event| matches!(event, Event::Stopped));
    assert!(!has_stopped(&mut cockpit));
    world.speak();
    assert_eq!((once.await, again.await), (Ok(()), Ok(())));
    assert!(has_stopped(&mut cockpit));
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
    assert_eq!(cockpit.lines().await.last().unwrap(), "PAY_BACK a: refunded (re_1)");
}

#[tokio::test]
async fn an_unlabelled_refund_is_for_a_person_to_decide() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::LostBefore]);
    world.outside.lock().unwrap().is_unlabelled = true;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Unknown).await;
    cockpit.later(TimeDelta::seconds(2)).await;
    let conflict = |standings: &super::Standings| standings.receipts[0].said.shown().starts_with("something like it");
    let standings = cockpit.until(conflict).await;
    let again = cockpit.propose(2, "pay_back", &["a"]).await;
    assert!(again.refused[0].1.shown().contains("another act on it is not over"), "{again:?}");
    cockpit.actor.settle(plan_of(&standings.receipts[0]), false).await.unwrap();
    let receipt = cockpit.until_standing("a", Standing::Rejected).await;
    world.outside.lock().unwrap().is_unlabelled = false;
    let anew = cockpit.propose(3, "pay_back", &["a"]).await;
    assert_ne!(anew.plans[0].id, receipt.plan, "a new decision has a new key");
}

#[tokio::test]
async fn a_first_step_that_is_rejected_leaves_nothing_and_can_be_planned_anew() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Rejected]);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    let receipt = cockpit.until_standing("a", Standing::Rejected).await;
    assert_eq!(receipt.said.shown(), "refused by the outside");
    assert_eq!(cockpit.actor.standings().money_today, 0);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    let done = cockpit.until_standing("a", Standing::Done).await;
    assert_ne!(done.plan, receipt.plan);
}

#[tokio::test]
async fn a_statement_that_fails_behind_a_refund_is_repeated_alone() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.script([Script::Goes, Script::Rejected]);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    let receipt = cockpit.until_standing("a", Standing::Rejected).await;
    assert_eq!(
        receipt.said.shown(),
        "step 2 of 2 (status pending -> refunded) failed: refused by the outside; what came before stands: refund A$22.00 of ch_a"
    );
    let anew = cockpit.propose(2, "pay_back", &["a"]).await;
    assert!(anew.refused[0].1.shown().contains("it was already done"), "money moves once: {anew:?}");
    cockpit.actor.look_up(plan_of(&receipt)).await.unwrap();
    let done = cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(done.plan, receipt.plan);
    let outside = world.outside.lock().unwrap();
    assert_eq!((outside.refunds.len(), outside.statements.len(), outside.attempts), (1, 1, 3));
}
