//! The program dies at every point, once and again while it recovers: never twice, never lost.

use std::{path::Path, sync::Arc};

use chrono::TimeDelta;
use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, text::Text},
    engine::message::{Ask, Event},
    ports::{Journal as _, Ownership},
};

use super::{
    Cockpit,
    world::{self, World},
};

/// Confirms a refund and a statement and sees them through, or dies on the way; true where it came to the end.
async fn live(world: &Arc<World>, path: &Path) -> bool {
    let cockpit = Cockpit::ready(world, path).await;
    let ends = tokio::select! {
        biased;
        () = world.killed.notified() => false,
        () = async {
            cockpit.confirm("pay_back", &["a"]).await.unwrap();
            cockpit.until_standing("a", Standing::Done).await;
        } => true,
    };
    cockpit.die().await;
    ends
}

/// Starts again and recovers, or dies on the way; how the act stands then.
async fn recover(world: &Arc<World>, path: &Path) -> Option<Option<Standing>> {
    let cockpit = Cockpit::open(world, path).await;
    let receipts = tokio::select! {
        biased;
        () = world.killed.notified() => None,
        receipts = cockpit.actor.recover() => Some(receipts.unwrap()),
    };
    cockpit.die().await;
    receipts.map(|receipts| receipts.first().map(|receipt| receipt.standing))
}

fn assert_once(world: &World, after: &str) {
    let outside = world.outside.lock().unwrap();
    assert!(outside.refunds.len() <= 1 && outside.statements.len() <= 1, "twice {after}");
    assert!(outside.statements.len() <= outside.refunds.len(), "the statement without its refund {after}");
}

#[tokio::test]
async fn whenever_the_program_dies_nothing_happens_twice_and_nothing_is_lost() {
    let mut points = 0;
    loop {
        let mut recovery_points = 0;
        loop {
            let after = format!("after deaths at {points} and {recovery_points}");
            let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
            let path = folder.path().join("town.db");
            world.kill_at(points);
            if live(&world, &path).await {
                assert!(points > 10, "the points were met");
                return;
            }
            assert_once(&world, &after);
            let was_sent = !world.outside.lock().unwrap().refunds.is_empty();
            world.kill_at(recovery_points);
            let died = recover(&world, &path).await.is_none();
            assert_once(&world, &after);
            world.kill_at(usize::MAX);
            let standing = recover(&world, &path).await.unwrap();
            assert_once(&world, &after);
            let outside = world.outside.lock().unwrap();
            let happened = (outside.refunds.len(), outside.statements.len());
            match standing {
                Some(Standing::Done) => assert_eq!(happened, (1, 1), "{after}"),
                Some(Standing::NotSent) => assert_eq!(happened, (0, 0), "{after}"),
                // Nothing was open any more: it had ended, or had not begun.
                None => assert!(happened == (1, 1) || (happened == (0, 0) && !was_sent), "{happened:?} {after}"),
                other => panic!("{other:?} {after}"),
            }
            if !died {
                break;
            }
            recovery_points += 1;
        }
        points += 1;
    }
}

#[tokio::test]
async fn what_was_held_at_the_end_is_said_not_to_have_been_sent() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.confirm("refund", &["a"]).await.unwrap();
    cockpit.die().await;
    assert_eq!(recover(&world, &path).await, Some(Some(Standing::NotSent)));
    let cockpit = Cockpit::ready(&world, &path).await;
    cockpit.confirm("refund", &["b"]).await.unwrap();
    cockpit.actor.stop().await.unwrap();
    assert_eq!(cockpit.until_standing("b", Standing::NotSent).await.said.shown(), "not sent: the program ended before");
    assert!(cockpit.actor.commit(Ask(9), String::new()).await.is_err());
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}

#[tokio::test]
async fn a_refund_that_lay_for_days_is_never_sent_again_and_is_given_up_after_two_looks() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    // The points of the first life: the intent (2), the attempt on disk (2), then the sending.
    world.kill_at(4);
    assert!(!live(&world, &path).await);
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 0);
    world.kill_at(usize::MAX);
    world.later(TimeDelta::hours(23));
    let cockpit = Cockpit::ready(&world, &path).await;
    let receipt = cockpit.until_standing("a", Standing::Unknown).await;
    assert!(receipt.said.shown().contains("too old"), "{receipt:?}");
    cockpit.later(TimeDelta::seconds(60)).await;
    let receipt = cockpit.until_standing("a", Standing::Rejected).await;
    assert!(receipt.said.shown().contains("planned anew"), "{receipt:?}");
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 0);
    let anew = cockpit.propose(1, "pay_back", &["a"]).await;
    assert_ne!(anew.plans[0].id, receipt.plan);
}

#[tokio::test]
async fn an_open_refund_is_not_touched_under_another_account() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    world.kill_at(4);
    assert!(!live(&world, &path).await);
    world.kill_at(usize::MAX);
    let why = Text::new("the key belongs to acct_2, the pack says acct_1");
    world.belongs(Ownership::Another(why.clone()));
    let cockpit = Cockpit::open(&world, &path).await;
    assert_eq!(cockpit.actor.recover().await, Err(why.clone()));
    assert!(cockpit.actor.unlock().await.unwrap_err().shown().ends_with(why.shown()));
    assert_eq!(cockpit.actor.commit(Ask(1), String::new()).await, Err(why));
    cockpit.die().await;
    world.belongs(Ownership::Own);
    let mut cockpit = Cockpit::open_with(&world, &path, world::pack_for("acct_2")).await;
    assert_eq!(cockpit.actor.recover().await.unwrap(), []);
    assert!(cockpit.said().iter().any(|event| matches!(event, Event::Notice { is_error: true, .. })));
    let left = cockpit.journal.store.open_acts().await.unwrap().remove(0).plan.id;
    assert!(cockpit.actor.look_up(left).await.unwrap_err().shown().contains("another account"));
    cockpit.die().await;
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
    assert_eq!(recover(&world, &path).await, Some(Some(Standing::Done)), "its own account settles it");
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_sends_nothing() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    let preview = cockpit.propose(1, "pay_back", &["a"]).await;
    let fault = rival(&path);
    let refused = cockpit.actor.commit(Ask(1), preview.expected.clone()).await.unwrap_err();
    let file = path.display();
    let wanted =
        format!("the journal cannot be written ({file}: another program keeps it locked: end that program): nothing was sent");
    assert_eq!(refused.shown(), wanted);
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
    assert!(cockpit.actor.unlock().await.is_err(), "still");
    fault.release();
    cockpit.actor.unlock().await.unwrap();
    cockpit.until(|standings| standings.barrier.is_none()).await;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
}

/// Another program that keeps the database locked.
struct Rival {
    release: tokio::sync::oneshot::Sender<()>,
    done: std::thread::JoinHandle<()>,
}

impl Rival {
    fn release(self) {
        self.release.send(()).unwrap();
        self.done.join().unwrap();
    }
}

fn rival(path: &Path) -> Rival {
    use sqlx::Connection as _;
    let (release, released) = tokio::sync::oneshot::channel();
    let (locked, is_locked) = std::sync::mpsc::channel();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let done = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            let transaction = connection.begin_with("BEGIN EXCLUSIVE").await.unwrap();
            locked.send(()).unwrap();
            released.await.unwrap();
            transaction.rollback().await.unwrap();
        });
    });
    is_locked.recv().unwrap();
    Rival { release, done }
}
