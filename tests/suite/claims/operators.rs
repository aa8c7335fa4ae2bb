//! Two operators at two cockpits with records of their own, deciding on the same items.

use chrono::TimeDelta;
use wheelhouse::{
    adapters::{Database, marks_upgrade},
    domain::{
        id::Id,
        plan::{Standing, Target},
        rows::Params,
    },
    engine::{act::Aim, message::Ask},
};

use super::{Cockpit, Town, standings};

const BOTH: [Database; 2] = [Database::Sqlite, Database::Postgres];

#[tokio::test]
async fn of_two_who_decide_differently_one_wins_and_the_other_is_told_who_and_since_when() {
    for kind in BOTH {
        let Some(town) = Town::new(kind).await else { continue };
        let (anna, jo) = (town.cockpit("Anna").await, town.cockpit("jo").await);
        let (hers, his) = (anna.propose("approve", &["i1"]).await, jo.propose("reject", &["i1"]).await);
        assert!(hers.unclaimed.is_none() && his.unclaimed.is_none(), "{hers:?}");
        anna.commit().await.unwrap();
        assert_eq!(anna.ended("i1").await.standing, Standing::Done);
        jo.commit().await.unwrap();
        let lost = jo.ended("i1").await;
        assert_eq!(lost.standing, Standing::Changed, "{lost:?}");
        let said = lost.said.shown();
        assert!(said.starts_with("Anna ") && said.ends_with(" (approve): nothing was sent"), "{said}");
        assert_eq!(town.ask("select state || changes from items where id = 'i1'").await, "approved1");
        // What is over stands in nobody's way.
        assert_eq!(jo.act("reopen", "i1").await.standing, Standing::Done);
        jo.close().await;
        assert_eq!(anna.act("reject", "i1").await.standing, Standing::Done);
        anna.close().await;
        let claims = "select operator || ' ' || epoch || ' ' || action || ' ' || outcome from operator_actions where step = -1 order by epoch";
        assert_eq!(town.ask(claims).await, "Anna 0 approve done,jo 1 reopen done,Anna 2 reject done");
    }
}

#[tokio::test]
async fn both_at_once_on_twenty_items_make_one_change_each() {
    for kind in BOTH {
        let Some(town) = Town::new(kind).await else { continue };
        let (anna, jo) = (town.cockpit("Anna").await, town.cockpit("jo").await);
        let ids: Vec<String> = (1..=20).map(|number| format!("i{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let backwards: Vec<&str> = ids.iter().rev().copied().collect();
        assert_eq!(anna.propose("touch", &ids).await.plans.len(), 20);
        assert_eq!(jo.propose("touch", &backwards).await.plans.len(), 20);
        let (hers, his) = tokio::join!(anna.actor.commit(Ask(1), "20".into()), jo.actor.commit(Ask(1), "20".into()));
        hers.and(his).unwrap();
        let over = async |cockpit: &Cockpit| {
            let all = |standings: &wheelhouse::engine::act::Standings| {
                standings.receipts.len() == 20 && standings.receipts.iter().all(|receipt| receipt.standing.is_over())
            };
            standings(&cockpit.until(all).await.receipts)
        };
        let (hers, his) = (over(&anna).await, over(&jo).await);
        let count = |standing| hers.get(&standing).unwrap_or(&0) + his.get(&standing).unwrap_or(&0);
        assert_eq!((count(Standing::Done), count(Standing::Changed)), (20, 20), "{hers:?} {his:?}");
        assert_eq!(town.ask("select distinct changes from items").await, "1");
        anna.close().await;
        jo.close().await;
        assert_eq!(town.ask("select count(*) from operator_actions where step = -1 and ended_at is null").await, "0");
    }
}

#[tokio::test]
async fn whoever_has_it_in_hand_is_named_before_anything_is_confirmed_and_is_never_touched() {
    let town = Town::new(Database::Sqlite).await.unwrap();
    let jo = town.cockpit("jo").await;
    town.run(
        "insert into operator_actions (action_id, step, target, operator, epoch, action, journal)
         values ('hers', -1, 'items/i1', 'Anna', 0, 'approve', 'on her machine')",
    )
    .await;
    let preview = jo.propose("reject", &["i1"]).await;
    let said = preview.refused[0].1.shown();
    assert!(said.starts_with("Anna has had it since ") && said.ends_with(" (approve): nothing was sent"), "{said}");
    assert!(jo.commit().await.is_err());
    jo.close().await;
    assert_eq!(town.ask("select count(*) from operator_actions where ended_at is null").await, "1");
    // Her machine is lost: a hand ends it, and what became of it nobody rules out.
    town.run("update operator_actions set ended_at = current_timestamp, outcome = 'lost' where action_id = 'hers'").await;
    let jo = town.cockpit("jo").await;
    assert_eq!(jo.act("reject", "i1").await.standing, Standing::Done);
}

/// The program died after the act and before its claim was given back; and, on another item, after the claim and before
/// anything else.
#[tokio::test]
async fn what_a_death_left_claimed_stands_in_nobodys_way_for_ever() {
    for kind in BOTH {
        let Some(town) = Town::new(kind).await else { continue };
        let anna = town.cockpit("Anna").await;
        assert_eq!(anna.act("approve", "i1").await.standing, Standing::Done);
        assert_eq!(anna.act("approve", "i2").await.standing, Standing::Done);
        anna.close().await;
        town.run("update operator_actions set ended_at = null, outcome = null where step = -1").await;
        let jo = town.cockpit("jo").await;
        let barred = jo.propose("reopen", &["i1"]).await;
        assert!(barred.refused[0].1.shown().starts_with("Anna has had it since "), "{barred:?}");
        let anna = town.cockpit("Anna").await;
        let open = "select count(*) from operator_actions where step = -1 and ended_at is null";
        assert_eq!(town.ask(open).await, "0", "recovery has given back what it found");
        // A line that broke leaves the same while she is at work.
        town.run("update operator_actions set ended_at = null, outcome = null where target = 'items/i1'").await;
        assert_eq!(anna.act("reopen", "i1").await.standing, Standing::Done);
        anna.close().await;
        assert_eq!(town.ask("select distinct outcome from operator_actions where step = -1").await, "done");
        assert_eq!(jo.act("reopen", "i2").await.standing, Standing::Done);
    }
}

#[tokio::test]
async fn a_cockpit_whose_clock_is_wrong_judges_by_the_databases() {
    for kind in BOTH {
        let Some(town) = Town::new(kind).await else { continue };
        let bought = async |id: &str, hours: i64| {
            let at = (chrono::Utc::now() - TimeDelta::hours(hours)).format("%Y-%m-%d %H:%M:%S+00");
            town.run(&format!("update items set bought_at = '{at}' where id = '{id}'")).await;
        };
        bought("i1", 71).await;
        bought("i2", 73).await;
        for (wrong_by, operator) in [(TimeDelta::hours(2), "fast"), (TimeDelta::hours(-2), "slow")] {
            let cockpit = town.cockpit_that(operator, wrong_by, "20s").await;
            let late = cockpit.propose("approve", &["i2"]).await;
            assert!(late.refused[0].1.shown().starts_with("within 3 days: over by 1h"), "{operator}: {late:?}");
            assert_eq!(cockpit.act("approve", "i1").await.standing, Standing::Done, "{operator}");
            assert_eq!(cockpit.act("reopen", "i1").await.standing, Standing::Done);
            cockpit.close().await;
        }
    }
}

#[tokio::test]
async fn where_no_claims_are_kept_acts_go_and_the_preview_says_so_until_the_table_is_brought_up_to_date() {
    for kind in BOTH {
        let Some(town) = Town::new(kind).await else { continue };
        town.run(
            "drop table operator_actions;
             create table operator_actions (action_id text not null, step integer not null, target text not null, operator text not null,
                 marked_at timestamp not null default current_timestamp, primary key (action_id, step))",
        )
        .await;
        let jo = town.cockpit("jo").await;
        let preview = jo.propose("approve", &["i1"]).await;
        let said = preview.unclaimed.as_ref().map(wheelhouse::domain::text::Text::shown);
        assert_eq!(said, Some("not claimed in the database: another operator could act at the same time"));
        jo.commit().await.unwrap();
        assert_eq!(jo.ended("i1").await.standing, Standing::Done);
        town.run(&marks_upgrade(kind, "operator_actions")).await;
        jo.close().await;
        let jo = town.cockpit("jo").await;
        assert_eq!(jo.propose("reopen", &["i1"]).await.unclaimed, None);
        jo.commit().await.unwrap();
        assert_eq!(jo.ended("i1").await.standing, Standing::Done);
        jo.close().await;
        assert_eq!(town.ask("select outcome from operator_actions where step = -1").await, "done");
    }
}

#[tokio::test]
async fn a_claim_that_gets_no_answer_is_asked_for_again_and_sends_nothing_meanwhile() {
    let town = Town::new(Database::Sqlite).await.unwrap();
    let jo = town.cockpit_that("jo", TimeDelta::zero(), "400ms").await;
    jo.propose("touch", &["i1"]).await;
    let mut other = super::server::hold(&town.address).await;
    jo.commit().await.unwrap();
    let waits = |said: &str| said.starts_with("not claimed yet, tried again in ") && said.contains("someone else is writing");
    jo.until(|standings| standings.receipts.iter().any(|receipt| waits(receipt.said.shown()))).await;
    super::server::let_go(&mut other).await;
    assert_eq!(jo.ended("i1").await.standing, Standing::Done);
    assert_eq!(town.ask("select changes from items where id = 'i1'").await, "1");
}

/// Two lists of the same table, and by what word each calls its items.
const QUEUES: &str = r#"
[queues.early]
title = "Early"
read.sql = { on = "db", text = "select id from items where state = 'open'" }
id = "id"
items = "EARLY"
actions = ["touch"]
columns = [{ column = "id" }]

[queues.late]
title = "Late"
read.sql = { on = "db", text = "select id from items order by bought_at" }
id = "id"
items = "LATE"
actions = ["touch"]
columns = [{ column = "id" }]
"#;

#[tokio::test]
async fn an_item_that_two_queues_offer_is_one_where_the_pack_says_so() {
    for kind in BOTH {
        for (words, changes) in [(("thing", "thing"), "1"), (("thing", "other"), "2")] {
            let Some(town) = Town::new(kind).await else { continue };
            let text = super::PACK.replace("TIMEOUT", "20s") + &QUEUES.replace("EARLY", words.0).replace("LATE", words.1);
            let pack = wheelhouse::pack::parse("two.toml", &text, &|_| Err("not there".to_owned())).unwrap().pack;
            let open = |operator: &'static str| {
                let (pack, environment, record) = (std::sync::Arc::clone(&pack), town.environment(), town.record(operator));
                async move { Cockpit::open(pack, &environment, &record, operator, TimeDelta::zero()).await }
            };
            let (anna, jo) = (open("Anna").await, open("jo").await);
            let from = |queue: &str| {
                let target = Target { queue: Some(Id::new(queue)), key: "i1".to_owned() };
                vec![Aim { target, ..super::aim("i1") }]
            };
            let (hers, his) = tokio::join!(
                anna.actor.propose(Ask(1), Id::new("touch"), from("early"), Params::new()),
                jo.actor.propose(Ask(1), Id::new("touch"), from("late"), Params::new())
            );
            let (hers, his) = (hers.unwrap(), his.unwrap());
            assert_eq!(hers.plans[0].id == his.plans[0].id, words.0 == words.1, "the same decision has the same id");
            let (one, other) = tokio::join!(anna.commit(), jo.commit());
            one.and(other).unwrap();
            let ends = [anna.ended("i1").await.standing, jo.ended("i1").await.standing];
            assert_eq!(town.ask("select changes from items where id = 'i1'").await, changes, "{words:?}: {ends:?}");
            assert_eq!(ends.iter().filter(|end| **end == Standing::Done).count().to_string(), changes, "{ends:?}");
            anna.close().await;
            jo.close().await;
        }
    }
}
