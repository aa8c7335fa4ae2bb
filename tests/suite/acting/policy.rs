use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{id::Id, pack::Confirm, plan::Standing, rows::Params, text::Text, value::Value},
    engine::message::{Ask, Event},
};

use super::{
    Cockpit, aim,
    world::{self, World, aud},
};

#[tokio::test]
async fn a_preview_says_exactly_what_would_happen() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    let preview = cockpit.propose(1, "refund", &["a"]).await;
    assert_eq!((preview.confirm, preview.expected.as_str(), preview.total), (Confirm::Typed, "22.00", Some(aud(2200))));
    let steps: Vec<_> = preview.plans[0].steps.iter().map(Text::shown).collect();
    assert_eq!(steps, ["refund A$22.00 of ch_a", "status pending -> refunded", "mail to a@example.org"]);
    assert!(preview.is_final);
    let guard = &preview.plans[0].guards[0];
    assert_eq!((guard.title.as_str(), guard.holds, guard.said.shown()), ("within 3 days", true, "2d 14h left"));
    assert_eq!(
        preview.caps,
        [("A$22.00 of A$100.00 this session".to_owned(), true), ("A$22.00 of A$200.00 today".to_owned(), true)]
    );
    let both = cockpit.propose(1, "refund", &["a", "b"]).await;
    assert_eq!(both.expected, "2 44.00");
    let approve = cockpit.propose(1, "approve", &["a", "b"]).await;
    assert_eq!((approve.confirm, approve.is_final), (Confirm::Count, false));
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}

#[tokio::test]
async fn the_window_refuses_and_says_by_how_much() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    world.set("a", "purchased_at", Value::Time(world::start() - TimeDelta::hours(97)));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    let preview = cockpit.propose(1, "refund", &["a"]).await;
    assert_eq!(preview.refused[0].1.shown(), "within 3 days: over by 1d 1h");
    assert!(cockpit.actor.commit(Ask(1), "22.00".to_owned()).await.is_err());
    assert!(cockpit.lines().await.contains(&"REFUSED refund refused: a (within 3 days: over by 1d 1h)".to_owned()));
}

#[tokio::test]
async fn a_window_that_ends_during_the_hold_sends_nothing() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    world.set("a", "purchased_at", Value::Time(world::start() - TimeDelta::hours(72) + TimeDelta::seconds(5)));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.confirm("refund", &["a"]).await.unwrap();
    cockpit.later(TimeDelta::seconds(10)).await;
    let receipt = cockpit.until_standing("a", Standing::Refused).await;
    assert_eq!(receipt.said.shown(), "within 3 days: over by 5s");
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}

#[tokio::test]
async fn a_row_that_changed_is_not_acted_upon() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    world.set("b", "status", Value::text("approved"));
    let preview = cockpit.propose(1, "approve", &["b"]).await;
    assert_eq!(preview.changed[0].shown(), "b: status was pending and is approved now");
    cockpit.confirm("refund", &["a"]).await.unwrap();
    world.set("a", "amount", Value::Money(aud(4400)));
    cockpit.later(TimeDelta::seconds(10)).await;
    let receipt = cockpit.until_standing("a", Standing::Changed).await;
    assert_eq!(receipt.said.shown(), "the money was A$22.00 and is A$44.00 now");
    world.outside.lock().unwrap().rows.clear();
    let gone = cockpit.propose(1, "approve", &["a"]).await;
    assert_eq!(gone.refused[0].1.shown(), "it is no longer there");
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}

#[tokio::test]
async fn what_cannot_be_read_afresh_is_refused() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.confirm("refund", &["a"]).await.unwrap();
    world.outside.lock().unwrap().is_unreadable = true;
    cockpit.later(TimeDelta::seconds(10)).await;
    let receipt = cockpit.until_standing("a", Standing::Refused).await;
    assert_eq!(
        receipt.said.shown(),
        "it could not be read afresh: db: connection refused; nothing was sent: try again when it answers"
    );
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}

#[tokio::test]
async fn caps_count_what_is_held_and_what_is_chosen_together() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b", "c", "d", "e"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    let preview = cockpit.propose(1, "refund", &["a", "b", "c", "d", "e"]).await;
    assert_eq!(preview.plans.len(), 4);
    assert_eq!(preview.refused[0].1.shown(), "over the cap: it would be A$110.00 of A$100.00 this session");
    cockpit.actor.commit(Ask(1), "4 88.00".to_owned()).await.unwrap();
    let more = cockpit.propose(2, "refund", &["e"]).await;
    assert!(more.plans.is_empty(), "what is held counts: {more:?}");
    cockpit.actor.take_back(Ask(3), None).await.unwrap();
    let more = cockpit.propose(2, "refund", &["e"]).await;
    assert_eq!(more.plans.len(), 1, "what was taken back does not");
}

#[tokio::test]
async fn two_previews_of_the_same_refund_make_one() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    let first = cockpit.propose(1, "pay_back", &["a"]).await;
    let second = cockpit.propose(2, "pay_back", &["a"]).await;
    assert_eq!(first.plans[0].id, second.plans[0].id, "the same decision has the same name");
    cockpit.actor.commit(Ask(1), first.expected.clone()).await.unwrap();
    let refused = cockpit.actor.commit(Ask(2), second.expected.clone()).await.unwrap_err();
    assert!(refused.shown().contains("is not over") || refused.shown().contains("already done"), "{refused}");
    assert!(cockpit.actor.commit(Ask(1), first.expected.clone()).await.is_err(), "a preview is confirmed once");
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn nothing_is_confirmed_by_the_wrong_words_or_without_its_inputs() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    cockpit.propose(1, "refund", &["a"]).await;
    for typed in ["", "22", "22.0", "2200", "A$22.00 ", "22.00 22.00"] {
        assert_eq!(
            cockpit.actor.commit(Ask(1), typed.to_owned()).await.unwrap_err().shown(),
            "type 22.00 to confirm: nothing was sent"
        );
    }
    let bare = cockpit.actor.propose(Ask(1), Id::new("refund"), vec![aim("a")], Params::new()).await.unwrap();
    assert_eq!(bare.missing, ["note"]);
    assert_eq!(bare.plans.len(), 1, "the rules are shown all the same");
    assert_eq!(cockpit.actor.commit(Ask(1), "22.00".to_owned()).await.unwrap_err().shown(), "still to be given: note");
    cockpit.propose(1, "refund", &["a"]).await;
    world.later(TimeDelta::minutes(10));
    assert_eq!(cockpit.actor.commit(Ask(1), "22.00".to_owned()).await.unwrap_err().shown(), "the preview is too old: look again");
    assert!(cockpit.actor.standings().receipts.is_empty());
}

#[tokio::test]
async fn writing_is_locked_at_the_start_and_after_a_quarter_of_an_hour() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let mut cockpit = Cockpit::open(&world, &folder.path().join("town.db")).await;
    let early = cockpit.propose(1, "approve", &["a"]).await;
    assert!(
        cockpit.actor.commit(Ask(1), early.expected.clone()).await.unwrap_err().shown().starts_with("what an earlier run left")
    );
    cockpit.actor.recover().await.unwrap();
    assert_eq!(cockpit.actor.commit(Ask(1), String::new()).await.unwrap_err().shown(), "writing is locked: W unlocks it");
    let until = cockpit.actor.unlock().await.unwrap();
    assert_eq!(until, world::start() + TimeDelta::minutes(15));
    cockpit.later(TimeDelta::minutes(15)).await;
    cockpit.until(|standings| standings.unlocked_until.is_none()).await;
    assert!(cockpit.said().iter().any(|event| matches!(event, Event::Lock { until: None, why: Some(_) })));
    cockpit.propose(1, "approve", &["a"]).await;
    assert!(cockpit.actor.commit(Ask(1), String::new()).await.is_err());
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}
