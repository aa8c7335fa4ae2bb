//! A clock that is set: back or forth, before an act, while it is held, and while nobody knows whether it happened.

use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{domain::plan::Standing, engine::message::Ask};

use super::is_clear;
use crate::acting::{
    Cockpit,
    world::{Script, World},
};

pub const CASES: usize = 8;

#[tokio::test]
async fn a_clock_that_is_set_between_preview_and_confirmation_sends_nothing() {
    for hours in [-30, -1, 1, 30] {
        let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
        let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
        let preview = cockpit.propose(1, "pay_back", &["a"]).await;
        cockpit.later(TimeDelta::hours(hours)).await;
        let said = cockpit.actor.commit(Ask(1), preview.expected.clone()).await.unwrap_err();
        assert!(is_clear(said.shown(), &["the preview", "writing is locked"]), "{hours}: {said}");
        assert_eq!(world.outside.lock().unwrap().attempts, 0, "{hours}");
        cockpit.later(TimeDelta::hours(-hours)).await;
        cockpit.actor.unlock().await.unwrap();
        cockpit.confirm("pay_back", &["a"]).await.unwrap();
        cockpit.until_standing("a", Standing::Done).await;
    }
}

#[tokio::test]
async fn a_clock_that_runs_ahead_or_behind_is_judged_by_the_window_before_anything_is_sent() {
    for (hours, said) in [(80, "over by"), (-12, "in the future")] {
        let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
        let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
        world.later(TimeDelta::hours(hours));
        let preview = cockpit.propose(1, "refund", &["a"]).await;
        let refused = preview.refused.first().map(|(_, why)| why.shown().to_owned()).unwrap_or_default();
        assert!(preview.plans.is_empty() && refused.contains(said) && is_clear(&refused, &["within 3 days"]), "{refused}");
        assert_eq!(world.outside.lock().unwrap().attempts, 0);
    }
}

#[tokio::test]
async fn a_key_whose_age_the_clock_hides_is_never_sent_again() {
    for hours in [-30, 30] {
        let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
        let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
        world.script([Script::LostBefore]);
        cockpit.confirm("pay_back", &["a"]).await.unwrap();
        let doubt = cockpit.until_standing("a", Standing::Unknown).await;
        cockpit.later(TimeDelta::hours(hours)).await;
        // Set back, its own look is a day away: the operator asks.
        while cockpit.actor.look_up(doubt.plan.clone()).await.is_err() {
            tokio::task::yield_now().await;
        }
        cockpit.until(|standings| standings.receipts[0].said.shown().contains("too old")).await;
        for _ in 0..4 {
            cockpit.later(TimeDelta::seconds(61)).await;
        }
        let receipt = cockpit.until_standing("a", Standing::Rejected).await;
        assert!(is_clear(receipt.said.shown(), &["its key is too old"]), "{}", receipt.said);
        let outside = world.outside.lock().unwrap();
        assert_eq!((outside.attempts, outside.refunds.len()), (1, 0), "{hours}: nothing further");
    }
}
