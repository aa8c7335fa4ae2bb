//! Contested claims: several cockpits ask for the same item at the same moment, and the database gives it once. The same
//! harness over a claim made by select-then-update shows that it would find two winners.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use futures_util::{StreamExt as _, future::join_all, stream};
use sqlx::{ConnectOptions as _, PgConnection, SqliteConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use tokio::sync::Mutex;
use wheelhouse::{
    adapters::{self, Database, Environment},
    domain::{
        claim::Claim,
        id::Id,
        pack::{Pack, Query},
        plan::ActionId,
    },
    pack,
    ports::{Claimed, Inside, Judge, System},
};

use super::Town;
use crate::documents::server as documents;

/// Cockpits that ask for each item.
const CONTENDERS: usize = 4;
/// Items that are contested at the same time.
const AT_ONCE: usize = 8;

/// Who asks for an item, and whether he was told that it is his.
#[async_trait]
trait Contender: Send + Sync {
    async fn wins(&self, item: usize) -> bool;
}

/// How many items had no winner, one, or more than one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    none: usize,
    one: usize,
    more: usize,
}

async fn contest(title: &str, contenders: &[Arc<dyn Contender>], items: usize) -> Tally {
    let began = Instant::now();
    let ask = |item: usize| async move {
        let asked = contenders.iter().map(|contender| contender.wins(item));
        join_all(asked).await.into_iter().filter(|wins| *wins).count()
    };
    let mut tally = Tally::default();
    let mut answers = stream::iter(0..items).map(ask).buffer_unordered(AT_ONCE);
    while let Some(winners) = answers.next().await {
        match winners {
            0 => tally.none += 1,
            1 => tally.one += 1,
            _ => tally.more += 1,
        }
        let done = tally.none + tally.one + tally.more;
        if done.is_multiple_of(1_000) {
            eprintln!("{title}: {done} of {items} items, {CONTENDERS} cockpits each, {:.0?}: {tally:?}", began.elapsed());
        }
    }
    tally
}

struct Yes;

#[async_trait]
impl Judge for Yes {
    fn queries(&self) -> &[Query] {
        &[]
    }

    async fn permits(&mut self, _: &mut dyn Inside) -> bool {
        true
    }
}

/// A cockpit with connections and a record of its own.
struct Cockpit {
    name: String,
    system: Arc<dyn System>,
}

#[async_trait]
impl Contender for Cockpit {
    async fn wins(&self, item: usize) -> bool {
        // Of every third item the cockpits' records know differently many decisions.
        let epoch = if item.is_multiple_of(3) && self.name.ends_with(['1', '3']) { 5 } else { 0 };
        let claim = Claim {
            act: ActionId(format!("{item} by {}", self.name)),
            target: format!("items/{item}"),
            epoch,
            action: "touch".to_owned(),
            operator: self.name.clone(),
            journal: self.name.clone(),
        };
        loop {
            match self.system.claim(&claim, &[], &mut Yes).await {
                Claimed::Granted => return true,
                Claimed::Lost(claims) => {
                    assert!(claims.held.iter().any(|held| held.operator != self.name), "lost to nobody");
                    return false;
                }
                // Asked again, as the journal does.
                Claimed::Unanswered(_) => {}
                odd @ (Claimed::Forbidden | Claimed::Refused(_) | Claimed::NotKept) => panic!("{odd:?}"),
            }
        }
    }
}

async fn contested(title: &str, pack: &Arc<Pack>, environment: &Environment, items: usize) {
    let cockpit = |number: usize| {
        let connections = adapters::open(pack, environment).unwrap();
        let system = Arc::clone(connections.find(&Id::new("db")).unwrap());
        Arc::new(Cockpit { name: format!("cockpit {number}"), system }) as Arc<dyn Contender>
    };
    let contenders: Vec<_> = (0..CONTENDERS).map(cockpit).collect();
    let tally = contest(title, &contenders, items).await;
    assert_eq!(tally, Tally { none: 0, one: items, more: 0 });
}

async fn nobody_wins_twice(kind: Database, items: usize) {
    let Some(town) = Town::new(kind).await else { return };
    if kind == Database::Sqlite {
        town.run("pragma journal_mode = wal").await;
    }
    contested(kind.title(), &town.pack("60s"), &town.environment(), items).await;
    let kept = "select count(*) || ' ' || count(distinct target) from operator_actions where step = -1";
    assert_eq!(town.ask(kept).await, format!("{items} {items}"));
}

async fn nobody_wins_twice_on_documents(items: usize) {
    let Some(server) = documents::Server::start() else { return };
    let head = "[pack]\ntitle = \"Claims\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\n";
    let text = format!("{head}db.firestore = {{ project = \"board\", marks = \"operator_actions\", timeout = \"60s\" }}\n");
    let pack = pack::parse("claims.toml", &text, &|_| Err(String::new())).unwrap().pack;
    let environment = Environment::default().with("FIRESTORE_EMULATOR_HOST", server.address.clone());
    contested("Firestore", &pack, &environment, items).await;
    let claims = server.all("operator_actions");
    let mut targets: Vec<String> =
        claims.iter().filter(|claim| claim["epoch"].is_object()).map(|claim| claim["target"].to_string()).collect();
    assert_eq!(targets.len(), items);
    targets.sort();
    targets.dedup();
    assert_eq!(targets.len(), items);
}

#[tokio::test]
async fn a_contested_claim_has_one_winner_on_sqlite() {
    nobody_wins_twice(Database::Sqlite, 200).await;
}

#[tokio::test]
async fn a_contested_claim_has_one_winner_on_postgresql() {
    nobody_wins_twice(Database::Postgres, 300).await;
}

#[tokio::test]
async fn a_contested_claim_has_one_winner_on_documents() {
    nobody_wins_twice_on_documents(200).await;
}

#[tokio::test]
#[ignore = "the long form: tests/proofs F6"]
async fn long_f6_twenty_thousand_contested_claims_on_each_database() {
    nobody_wins_twice(Database::Postgres, 20_000).await;
    nobody_wins_twice(Database::Sqlite, 20_000).await;
}

/// Fewer: the emulator looks through all of a collection.
#[tokio::test]
#[ignore = "the long form: tests/proofs F6"]
async fn long_f6_a_thousand_contested_claims_on_documents() {
    nobody_wins_twice_on_documents(1_000).await;
}

const TAKE: &str = "update control set owner = $2 where item = $1";

/// What a claim must not be: it looks whether the item is free, and then takes it.
struct OnPostgres(Mutex<PgConnection>);

#[async_trait]
impl Contender for OnPostgres {
    async fn wins(&self, item: usize) -> bool {
        let mut line = self.0.lock().await;
        let owner: Option<i64> = sqlx::query_scalar("select owner from control where item = $1")
            .bind(item as i64)
            .fetch_one(&mut *line)
            .await
            .unwrap();
        owner.is_none() && sqlx::query(TAKE).bind(item as i64).bind(1_i64).execute(&mut *line).await.unwrap().rows_affected() == 1
    }
}

struct OnSqlite(Mutex<SqliteConnection>);

#[async_trait]
impl Contender for OnSqlite {
    async fn wins(&self, item: usize) -> bool {
        let mut line = self.0.lock().await;
        let owner: Option<i64> = sqlx::query_scalar("select owner from control where item = $1")
            .bind(item as i64)
            .fetch_one(&mut *line)
            .await
            .unwrap();
        owner.is_none() && sqlx::query(TAKE).bind(item as i64).bind(1_i64).execute(&mut *line).await.unwrap().rows_affected() == 1
    }
}

/// Without it, a harness in which nobody ever meets anybody would prove as much.
#[tokio::test]
async fn the_harness_finds_two_winners_where_a_claim_is_select_then_update() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let Some(town) = Town::new(kind).await else { continue };
        let items = 100;
        if kind == Database::Sqlite {
            town.run("pragma journal_mode = wal").await;
        }
        town.run("create table control (item bigint primary key, owner bigint)").await;
        let rows: Vec<_> = (0..items).map(|item| format!("({item})")).collect();
        town.run(&format!("insert into control (item) values {}", rows.join(", "))).await;
        let mut contenders: Vec<Arc<dyn Contender>> = Vec::new();
        for _ in 0..CONTENDERS {
            contenders.push(match kind {
                Database::Postgres => {
                    let options: PgConnectOptions = town.address.parse().unwrap();
                    Arc::new(OnPostgres(Mutex::new(options.connect().await.unwrap())))
                }
                Database::Sqlite => {
                    let options: SqliteConnectOptions = town.address.parse().unwrap();
                    let options = options.busy_timeout(std::time::Duration::from_mins(1));
                    Arc::new(OnSqlite(Mutex::new(options.connect().await.unwrap())))
                }
            });
        }
        // On a busy machine nobody may meet anybody for a while: once is enough.
        let mut is_found = false;
        for _ in 0..100 {
            town.run("update control set owner = null").await;
            let tally = contest(&format!("{}, select then update", kind.title()), &contenders, items).await;
            is_found = tally.more > 0;
            if is_found {
                break;
            }
        }
        assert!(is_found, "{kind:?}: the control did not fail");
    }
}
