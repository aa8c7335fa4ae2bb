use tempfile::TempDir;
use wheelhouse::{
    domain::{plan::Standing, text::Text},
    engine::message::{Ask, Event},
    ports::Ownership,
};

use super::{Cockpit, plan_of, world::World};

fn another() -> Ownership {
    Ownership::Another(Text::new("stripe: the key belongs to acct_2, and the pack is for acct_1"))
}

fn unasked() -> Ownership {
    Ownership::Unasked(Text::new("Stripe could not be asked whose key this is (no answer within 8 s)"))
}

fn errors(cockpit: &mut Cockpit) -> Vec<String> {
    let said = |event| match event {
        Event::Notice { said, is_error: true } => Some(said.one_line()),
        _ => None,
    };
    cockpit.said().into_iter().filter_map(said).collect()
}

#[tokio::test]
async fn a_key_of_another_account_locks_writing_for_the_session_and_says_so_once() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    world.belongs(another());
    let mut cockpit = Cockpit::open(&world, &folder.path().join("town.db")).await;
    assert_eq!(cockpit.actor.account().await.unwrap(), another());
    assert!(cockpit.actor.recover().await.is_err());
    let said = "nothing is written in this session: stripe: the key belongs to acct_2, and the pack is for acct_1";
    assert_eq!(errors(&mut cockpit), [said]);
    assert_eq!(cockpit.actor.unlock().await.unwrap_err().shown(), said);
    assert_eq!(cockpit.lines().await, [format!("LOCK {said}")]);
    let barrier = cockpit.until(|standings| standings.barrier.is_some()).await.barrier.clone().unwrap();
    assert_eq!((barrier.word(), barrier.is_alarm()), ("WRONG ACCOUNT", true));
    // No statement goes out either: whose business it is that the figures speak of, nobody knows.
    let preview = cockpit.propose(1, "approve", &["a"]).await;
    assert!(preview.plans.is_empty() && preview.refused[0].1.shown().contains("acct_2"), "{preview:?}");
    assert!(cockpit.actor.commit(Ask(1), String::new()).await.is_err());
    assert_eq!(world.outside.lock().unwrap().attempts, 0);
}

#[tokio::test]
async fn an_account_that_cannot_be_asked_bars_money_alone_and_is_asked_again_before_it_moves() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a", "b"]));
    world.belongs(unasked());
    let mut cockpit = Cockpit::ready(&world, &folder.path().join("town.db")).await;
    assert_eq!(cockpit.actor.account().await.unwrap(), unasked());
    let said = errors(&mut cockpit);
    assert!(said.len() == 1 && said[0].contains("nothing is changed at Stripe before it has answered"), "{said:?}");
    cockpit.confirm("approve", &["b"]).await.unwrap();
    cockpit.until_standing("b", Standing::Done).await;
    let preview = cockpit.propose(1, "pay_back", &["a"]).await;
    assert!(preview.plans.is_empty() && preview.refused[0].1.shown().contains("no answer within 8 s"), "{preview:?}");
    assert!(cockpit.lines().await.iter().any(|line| line.starts_with("REFUSED pay_back refused: a (Stripe could not")));
    world.belongs(Ownership::Own);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn a_refund_in_doubt_is_not_looked_up_before_the_account_is_known() {
    let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
    let path = folder.path().join("town.db");
    let cockpit = Cockpit::ready(&world, &path).await;
    // It has reached the outside, and the program dies before the answer.
    world.kill_at(5);
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    world.killed.notified().await;
    cockpit.die().await;
    world.kill_at(usize::MAX);
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);

    world.belongs(unasked());
    let mut cockpit = Cockpit::open(&world, &path).await;
    let left = cockpit.actor.recover().await.unwrap().remove(0);
    assert_eq!(left.standing, Standing::UnderWay, "{left:?}");
    assert!(errors(&mut cockpit).contains(&"1 act waits to be settled until Stripe says whose key this is".to_owned()));
    world.belongs(Ownership::Own);
    cockpit.actor.look_up(plan_of(&left)).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn what_was_left_is_listed_under_a_wrong_key_and_not_touched() {
    let mode = || Ownership::OtherMode(Text::new("stripe: the key is a test key, and the pack says `livemode = true`"));
    for (ownership, word, is_known_first) in
        [(another(), "WRONG ACCOUNT", true), (another(), "WRONG ACCOUNT", false), (mode(), "WRONG MODE", true)]
    {
        let (folder, world) = (TempDir::new().unwrap(), World::new(&["a"]));
        let path = folder.path().join("town.db");
        let cockpit = Cockpit::ready(&world, &path).await;
        world.kill_at(5);
        cockpit.confirm("pay_back", &["a"]).await.unwrap();
        world.killed.notified().await;
        cockpit.die().await;
        world.kill_at(usize::MAX);

        world.belongs(ownership.clone());
        let cockpit = Cockpit::open(&world, &path).await;
        if is_known_first {
            assert_eq!(cockpit.actor.account().await.unwrap(), ownership);
        }
        assert!(cockpit.actor.recover().await.is_err());
        let is_told = |standings: &super::Standings| standings.recovery.as_ref().is_some_and(|found| found.left_alone.is_some());
        let standings = cockpit.until(is_told).await;
        assert_eq!(standings.barrier.as_ref().map(wheelhouse::domain::barrier::Barrier::word), Some(word));
        let found = standings.recovery.clone().unwrap();
        assert!(found.ended_at.is_some() && found.acts.len() == 1, "{found:?}");
        let facts: Vec<String> = found.acts[0].facts(|at| at.to_string()).into_iter().map(|(_, said)| said).collect();
        assert!(facts.iter().any(|said| said.starts_with("nothing can be asked: stripe: the key ")), "{facts:?}");
        assert!(facts.iter().any(|said| said.contains("whether step 1 of 2 happened")), "{facts:?}");
        cockpit.die().await;

        world.belongs(Ownership::Own);
        let cockpit = Cockpit::open(&world, &path).await;
        assert_eq!(cockpit.actor.recover().await.unwrap()[0].standing, Standing::Done);
        assert_eq!(world.outside.lock().unwrap().refunds.len(), 1);
    }
}
