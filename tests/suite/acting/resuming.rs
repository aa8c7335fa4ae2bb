use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, rows::Params, value::Value},
    engine::message::Ask,
};

use super::{
    Cockpit,
    world::{Script, World},
};

/// A batch of refunds of which the first is through and the second unknown when the program dies; opened again.
async fn cut(world: &std::sync::Arc<World>, folder: &TempDir) -> Cockpit {
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(world, &path).await;
    world.script([Script::Goes, Script::Goes, Script::LostAfter]);
    cockpit.confirm("pay_back", &["a", "b", "c", "d"]).await.unwrap();
    cockpit.until_standing("b", Standing::Unknown).await;
    cockpit.die().await;
    Cockpit::ready(world, &path).await
}

#[tokio::test]
async fn the_rest_goes_through_the_usual_preview_under_the_same_policy() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b", "c", "d"]));
    let cockpit = cut(&world, &folder).await;
    let recovery = cockpit.actor.standings().recovery.clone().unwrap();
    let batch = recovery.batches.first().unwrap();
    assert_eq!(batch.said(), "pay_back 4, which was cut off: 2 done, 2 not sent");
    assert_eq!(recovery.acts.iter().map(|act| act.receipt.target.key.as_str()).collect::<Vec<_>>(), ["b"]);
    world.later(TimeDelta::minutes(1));
    let preview = cockpit.actor.resume(Ask(7), batch.id.clone(), Params::new()).await.unwrap();
    assert_eq!((preview.plans.len(), preview.expected.as_str()), (2, "2 44.00"));
    assert!(cockpit.actor.commit(Ask(7), "2".to_owned()).await.is_err(), "count and total are typed");
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 2);
    cockpit.actor.commit(Ask(7), preview.expected).await.unwrap();
    cockpit.until_standing("c", Standing::Done).await;
    cockpit.until_standing("d", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 4);
    let recovery = cockpit.actor.standings().recovery.clone().unwrap();
    assert!(recovery.batches[0].is_through() && recovery.batches[0].unsent.is_empty());
    let again = cockpit.actor.resume(Ask(8), recovery.batches[0].id.clone(), Params::new()).await.unwrap_err();
    assert_eq!(again.shown(), "nothing of it is left to send");
}

#[tokio::test]
async fn what_changed_or_went_away_is_left_out_with_the_reason() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b", "c", "d"]));
    let cockpit = cut(&world, &folder).await;
    let batch = cockpit.actor.standings().recovery.as_ref().unwrap().batches[0].id.clone();
    world.set("c", "status", Value::text("refunded"));
    world.outside.lock().unwrap().rows.remove("d");
    let preview = cockpit.actor.resume(Ask(7), batch, Params::new()).await.unwrap();
    assert!(preview.plans.is_empty());
    let refused: Vec<String> =
        preview.refused.iter().map(|(target, why)| format!("{}: {}", target.key, why.one_line())).collect();
    assert!(refused[0].starts_with("c: ") && refused[0].contains("status"), "{refused:?}");
    assert_eq!(refused[1], "d: it is no longer there");
    assert!(cockpit.actor.commit(Ask(7), preview.expected).await.is_err());
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 2);
}

#[tokio::test]
async fn a_batch_that_an_orderly_end_cut_off_is_told_and_offered_at_the_next_start() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b", "c"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.confirm("refund", &["a", "b", "c"]).await.unwrap();
    cockpit.actor.stop().await.unwrap();
    cockpit.end().await;
    let cockpit = Cockpit::ready(&world, &path).await;
    let recovery = cockpit.actor.standings().recovery.clone().unwrap();
    assert_eq!(recovery.batches[0].said(), "refund 3, which was cut off: 0 done, 3 not sent");
    assert!(recovery.acts.is_empty());
    assert_eq!(cockpit.lines().await.last().unwrap(), "UNLOCK writing unlocked for 15m");
    let inputs = recovery.batches[0].inputs.clone();
    let preview = cockpit.actor.resume(Ask(7), recovery.batches[0].id.clone(), inputs).await.unwrap();
    assert_eq!((preview.plans.len(), preview.missing.len()), (3, 0));
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}
