use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, text::Text, value::Value},
    ports::{Followed, Journal as _},
};

use super::{
    Cockpit, plan_of, target,
    world::{Script, World},
};

#[tokio::test]
async fn a_refund_that_fails_days_later_is_told_and_can_be_made_anew() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    let before = cockpit.actor.standings().money_today;
    assert_eq!(before, 2200);
    cockpit.later(TimeDelta::hours(6)).await;
    world.outside.lock().unwrap().followed = Some(Followed::Undone(Text::new("re_1 failed (expired_or_canceled_card)")));
    cockpit.later(TimeDelta::hours(6)).await;
    let late = cockpit.until_standing("a", Standing::Rejected).await;
    assert_eq!(late.said.shown(), "failed after it was done: re_1 failed (expired_or_canceled_card); decide what to do instead");
    cockpit.until(|standings| standings.money_today == 0).await;
    let last = cockpit.lines().await.pop().unwrap();
    assert!(last.contains("failed after it was done"), "{last}");
    // A person decides to try it once more: another act, with a key of its own.
    world.set("a", "status", Value::text("pending"));
    world.outside.lock().unwrap().followed = None;
    cockpit.actor.unlock().await.unwrap();
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    let again = cockpit.until_standing("a", Standing::Done).await;
    assert_ne!(again.plan, late.plan);
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 2);
}

#[tokio::test]
async fn nobody_waits_at_the_end_for_looks_at_what_was_done_long_ago() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    world.be_silent();
    cockpit.later(TimeDelta::hours(6)).await;
    world.asked.notified().await;
    cockpit.actor.stop().await.unwrap();
    cockpit.end().await;
}

#[tokio::test]
async fn after_a_month_a_refund_is_settled_and_no_longer_asked_about() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    cockpit.die().await;
    world.outside.lock().unwrap().followed = Some(Followed::Stands(Text::new("re_1 succeeded")));
    world.later(TimeDelta::days(31));
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.later(TimeDelta::hours(7)).await;
    let mut lines = cockpit.lines().await;
    while !lines.iter().any(|line| line.contains("re_1 succeeded")) {
        tokio::task::yield_now().await;
        lines = cockpit.lines().await;
    }
    assert_eq!(cockpit.journal.unsettled_acts(10).await.unwrap(), []);
    let act = cockpit.journal.acts_on(&target("a")).await.unwrap().remove(0);
    assert_eq!(act.state.phase.word(), "settled");
    // It is still money that went out: the same is not done twice.
    world.set("a", "status", Value::text("pending"));
    let refused = cockpit.propose(7, "pay_back", &["a"]).await.refused;
    assert!(refused[0].1.shown().contains("it was already done"), "{refused:?}");
}

#[tokio::test]
async fn a_refund_that_a_person_settled_is_found_and_followed_or_said_not_to_be() {
    for (script, is_found) in [(Script::LostAfter, true), (Script::LostBefore, false)] {
        let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
        let path = folder.path().join("town.db");
        let cockpit = Cockpit::ready(&world, &path).await;
        world.script([script]);
        cockpit.confirm("pay_back", &["a"]).await.unwrap();
        let receipt = cockpit.until_standing("a", Standing::Unknown).await;
        cockpit.actor.settle(plan_of(&receipt), true).await.unwrap();
        cockpit.until_standing("a", Standing::Done).await;
        world.outside.lock().unwrap().followed = Some(Followed::Undone(Text::new("re_1 failed (lost_or_stolen_card)")));
        cockpit.later(TimeDelta::hours(6)).await;
        if is_found {
            let late = cockpit.until_standing("a", Standing::Rejected).await;
            assert!(late.said.shown().contains("failed after it was done: re_1 failed"), "{late:?}");
            let act = cockpit.journal.acts_on(&target("a")).await.unwrap().remove(0);
            assert_eq!(act.state.answers[0].reference.as_deref(), Some("re_1"));
        } else {
            let is_said =
                |standings: &super::Standings| standings.receipts.iter().any(|one| one.said.shown().contains("not followed"));
            let standings = cockpit.until(is_said).await;
            assert_eq!(standings.receipts[0].standing, Standing::Done);
            cockpit.later(TimeDelta::hours(6)).await;
            cockpit.later(TimeDelta::hours(6)).await;
            let lines = cockpit.lines().await;
            assert_eq!(lines.iter().filter(|line| line.contains("not followed")).count(), 1, "it is said once: {lines:?}");
        }
    }
}
