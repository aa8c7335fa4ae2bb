//! Two operators at two cockpits over one business on documents: one has an item in hand, and the other is told who.

use std::{path::Path, sync::Arc, time::Instant};

use chrono::TimeDelta;
use serde_json::json;
use wheelhouse::{
    adapters::Environment,
    domain::{pack::Pack, plan::Standing, text::Text},
    engine::{act::Standings, message::Ask},
    pack,
};

use super::{LossyLine, Server, words};
use crate::{claims::Cockpit, pty::PATIENCE};

const PACK: &str = r#"
[pack]
title = "Claims"
timezone = "Australia/Brisbane"
currency = "AUD"

[connections]
docs.firestore = { project = "board", marks = "operator_actions", timeout = "20s" }

[actions.approve]
title = "Approve"
fresh.firestore = { on = "docs", document = "items/{{ id }}", columns = { state = "state", bought_at = "boughtAt" } }
guards = [ { title = "within 3 days", within = { column = "bought_at", window = "72h" } } ]
do.firestore = { on = "docs", document = "items/{{ id }}", set = { state = "approved", by = ":operator" } }
undo = "reopen"

[actions.reject]
title = "Reject"
fresh.firestore = { on = "docs", document = "items/{{ id }}", columns = { state = "state" } }
do.firestore = { on = "docs", document = "items/{{ id }}", set = { state = "rejected", by = ":operator" } }
undo = "reopen"

[actions.reopen]
title = "Reopen"
fresh.firestore = { on = "docs", document = "items/{{ id }}", columns = { state = "state" } }
do.firestore = { on = "docs", document = "items/{{ id }}", set = { state = "open" } }
undo = "approve"
"#;

/// A business on documents with items `i1` ... `i20`, and a directory for the operators' records.
struct Desk {
    server: Server,
    directory: tempfile::TempDir,
    pack: Arc<Pack>,
}

impl Desk {
    fn open(pack: &str) -> Option<Self> {
        let server = Server::start()?;
        let directory = tempfile::tempdir().expect("a directory");
        let loaded = pack::parse("claims.toml", pack, &|_| Err(String::new())).unwrap_or_else(|problems| panic!("{problems}"));
        let desk = Self { server, directory, pack: loaded.pack };
        (1..=20).for_each(|number| desk.put(&format!("i{number}"), 1));
        Some(desk)
    }

    /// An item that was bought so many hours ago.
    fn put(&self, id: &str, hours: i64) {
        let bought = (chrono::Utc::now() - TimeDelta::hours(hours)).to_rfc3339();
        self.server.put(&format!("items/{id}"), &json!({ "state": words("open"), "boughtAt": { "timestampValue": bought } }));
    }

    async fn cockpit(&self, operator: &str) -> Cockpit {
        self.cockpit_at(&self.server.address, operator, TimeDelta::zero()).await
    }

    async fn cockpit_at(&self, address: &str, operator: &str, wrong_by: TimeDelta) -> Cockpit {
        let environment = Environment::default().with("FIRESTORE_EMULATOR_HOST", address);
        let record = self.record(operator);
        Cockpit::open(Arc::clone(&self.pack), &environment, Path::new(&record), operator, wrong_by).await
    }

    fn record(&self, operator: &str) -> String {
        self.directory.path().join(format!("{operator}.db")).display().to_string()
    }

    /// `operator number action outcome` of every claim; an open one has no outcome.
    fn claims(&self) -> Vec<String> {
        let plain = |claim: &serde_json::Value, field: &str| {
            claim[field].as_object().and_then(|kinds| kinds.values().next()?.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let all = self.server.all("operator_actions");
        let said =
            |claim: &serde_json::Value| ["operator", "epoch", "action", "outcome"].map(|field| plain(claim, field)).join(" ");
        let mut claims: Vec<String> = all.iter().filter(|claim| claim["epoch"].is_object()).map(said).collect();
        claims.sort_by_key(|claim| claim.split(' ').nth(1).map(str::to_owned));
        claims
    }

    /// Waits until every claim is given back.
    fn all_given_back(&self) {
        let end = Instant::now() + PATIENCE;
        while self.claims().iter().any(|claim| claim.ends_with(' ')) {
            assert!(Instant::now() < end, "{:?}", self.claims());
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn of_two_who_decide_differently_one_wins_and_the_other_is_told_who_and_since_when() {
    let Some(desk) = Desk::open(PACK) else { return };
    let (anna, jo) = (desk.cockpit("Anna").await, desk.cockpit("jo").await);
    let (hers, his) = (anna.propose("approve", &["i1"]).await, jo.propose("reject", &["i1"]).await);
    assert!(hers.unclaimed.is_none() && his.unclaimed.is_none(), "{hers:?}");
    anna.commit().await.unwrap();
    assert_eq!(anna.ended("i1").await.standing, Standing::Done);
    jo.commit().await.unwrap();
    let lost = jo.ended("i1").await;
    assert_eq!(lost.standing, Standing::Changed, "{lost:?}");
    let said = lost.said.shown();
    assert!(said.starts_with("Anna ") && said.ends_with(" (approve): nothing was sent"), "{said}");
    assert_eq!((desk.server.text("items/i1", "state"), desk.server.marks()), ("approved".to_owned(), 1));
    // What is over stands in nobody's way.
    assert_eq!(jo.act("reopen", "i1").await.standing, Standing::Done);
    jo.close().await;
    assert_eq!(anna.act("reject", "i1").await.standing, Standing::Done);
    anna.close().await;
    assert_eq!(desk.claims(), ["Anna 0 approve done", "jo 1 reopen done", "Anna 2 reject done"]);
}

/// Where both press their key at the same moment, round after round.
#[tokio::test]
async fn both_at_once_have_one_winner_on_each_of_many_items() {
    const ROUNDS: usize = 5;
    let Some(desk) = Desk::open(PACK) else { return };
    let (anna, jo) = (desk.cockpit("Anna").await, desk.cockpit("jo").await);
    let mut won = [0, 0];
    for round in 1..=ROUNDS {
        let ids: Vec<String> = (1..=20).map(|number| format!("r{round}-{number}")).collect();
        for id in &ids {
            desk.put(id, 1);
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let backwards: Vec<&str> = ids.iter().rev().copied().collect();
        assert_eq!(anna.propose("approve", &ids).await.plans.len(), 20);
        assert_eq!(jo.propose("reject", &backwards).await.plans.len(), 20);
        let (hers, his) = tokio::join!(anna.actor.commit(Ask(1), "20".into()), jo.actor.commit(Ask(1), "20".into()));
        hers.and(his).unwrap();
        let over = async |cockpit: &Cockpit| {
            let is_of_round = |key: &str| ids.contains(&key);
            let all = |standings: &Standings| {
                let of_round = standings.receipts.iter().filter(|receipt| is_of_round(&receipt.target.key));
                of_round.filter(|receipt| receipt.standing.is_over()).count() == 20
            };
            let receipts = cockpit.until(all).await.receipts.clone();
            receipts.into_iter().filter(|receipt| is_of_round(&receipt.target.key)).collect::<Vec<_>>()
        };
        let (hers, his) = (over(&anna).await, over(&jo).await);
        for id in ids {
            let end = |receipts: &[wheelhouse::domain::plan::Receipt]| {
                receipts.iter().find(|receipt| receipt.target.key == id).cloned().unwrap()
            };
            let (hers, his) = (end(&hers), end(&his));
            let (number, lost, winner, state) = match (hers.standing, his.standing) {
                (Standing::Done, Standing::Changed) => (0, his, "Anna", "approved"),
                (Standing::Changed, Standing::Done) => (1, hers, "jo", "rejected"),
                odd => panic!("{id}: {odd:?}"),
            };
            won[number] += 1;
            let said = lost.said.shown();
            assert!(said.starts_with(&format!("{winner} ")) && said.ends_with("): nothing was sent"), "{id}: {said}");
            let document = format!("items/{id}");
            assert_eq!((desk.server.text(&document, "state"), desk.server.text(&document, "by")), (state.into(), winner.into()));
        }
    }
    println!("of {} contested items Anna had {} and jo {}", 20 * ROUNDS, won[0], won[1]);
    assert_eq!(won.iter().sum::<usize>(), 20 * ROUNDS);
    assert_eq!(desk.server.marks(), 20 * ROUNDS, "what lost was never sent");
    anna.close().await;
    jo.close().await;
    assert_eq!(desk.claims().len(), 20 * ROUNDS);
    assert!(desk.claims().iter().all(|claim| claim.ends_with(" done")), "{:?}", desk.claims());
}

#[tokio::test]
async fn what_a_death_or_a_broken_line_left_claimed_stands_in_nobodys_way_for_ever() {
    let Some(desk) = Desk::open(PACK) else { return };
    // The answer to the claim is lost: it is asked for again, and found.
    let line = LossyLine::losing_claims(&desk.server, 1);
    let anna = desk.cockpit_at(&line.address, "Anna", TimeDelta::zero()).await;
    assert_eq!(anna.act("approve", "i1").await.standing, Standing::Done);
    anna.close().await;
    assert_eq!((line.commits(), desk.server.marks()), (1, 1));
    assert_eq!(desk.claims(), ["Anna 0 approve done"]);
    // The program died before it gave the claim back.
    let claim = desk.server.names("operator_actions").into_iter().find(|name| name.starts_with("claim-")).unwrap();
    let open = || {
        for field in ["ended_at", "outcome"] {
            desk.server.change(&format!("operator_actions/{claim}"), field, &json!({ "nullValue": null }));
        }
    };
    open();
    let jo = desk.cockpit("jo").await;
    let barred = jo.propose("reopen", &["i1"]).await;
    assert!(barred.refused[0].1.shown().starts_with("Anna has had it since "), "{barred:?}");
    let anna = desk.cockpit("Anna").await;
    desk.all_given_back();
    open();
    assert_eq!(anna.act("reopen", "i1").await.standing, Standing::Done, "her own is given back on the way");
    anna.close().await;
    assert_eq!(jo.act("reject", "i1").await.standing, Standing::Done);
    jo.close().await;
    assert_eq!(desk.claims(), ["Anna 0 approve done", "Anna 1 reopen done", "jo 2 reject done"]);
}

#[tokio::test]
async fn a_cockpit_whose_clock_is_wrong_judges_by_the_databases() {
    let Some(desk) = Desk::open(PACK) else { return };
    desk.put("i1", 71);
    desk.put("i2", 73);
    for (wrong_by, operator) in [(TimeDelta::hours(2), "fast"), (TimeDelta::hours(-2), "slow")] {
        let cockpit = desk.cockpit_at(&desk.server.address, operator, wrong_by).await;
        let late = cockpit.propose("approve", &["i2"]).await;
        assert!(late.refused[0].1.shown().starts_with("within 3 days: over by 1h"), "{operator}: {late:?}");
        assert_eq!(cockpit.act("approve", "i1").await.standing, Standing::Done, "{operator}");
        assert_eq!(cockpit.act("reopen", "i1").await.standing, Standing::Done);
        cockpit.close().await;
    }
}

#[tokio::test]
async fn where_no_claims_are_kept_the_preview_says_so_and_the_document_itself_lets_one_through() {
    let Some(desk) = Desk::open(&PACK.replace("marks = \"operator_actions\", ", "")) else { return };
    let (anna, jo) = (desk.cockpit("Anna").await, desk.cockpit("jo").await);
    let (hers, his) = (anna.propose("approve", &["i1"]).await, jo.propose("reject", &["i1"]).await);
    for preview in [hers, his] {
        let said = preview.unclaimed.as_ref().map(Text::shown);
        assert_eq!(said, Some("not claimed in the database: another operator could act at the same time"));
    }
    let (hers, his) = tokio::join!(anna.commit(), jo.commit());
    hers.and(his).unwrap();
    let ends = [anna.ended("i1").await, jo.ended("i1").await];
    let count = |standing| ends.iter().filter(|end| end.standing == standing).count();
    assert_eq!((count(Standing::Done), count(Standing::Changed)), (1, 1), "{ends:?}");
    let lost = ends.iter().find(|end| end.standing == Standing::Changed).unwrap();
    assert!(lost.said.shown().contains("it has changed since it was read"), "{lost:?}");
    assert_eq!(desk.server.count("operator_actions"), 0);
    anna.close().await;
    jo.close().await;
}
