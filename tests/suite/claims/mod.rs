//! Claims in the business's own database, over both of them: two operators, two cockpits, one winner.

mod contest;
mod operators;
pub mod server;
mod window;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use wheelhouse::{
    adapters::{self, Database, Environment, marks_table},
    domain::{
        id::Id,
        pack::{Pack, Queue},
        plan::{Receipt, Standing, Target},
        rows::Params,
        text::Text,
        value::Value,
    },
    engine::{
        act::{Actor, Aim, Setup, Standings},
        message::{Ask, Event, Preview},
    },
    pack,
    ports::Clock,
    store::Store,
};

use server::Server;

const PACK: &str = r#"
[pack]
title = "Claims"
timezone = "Australia/Sydney"
currency = "AUD"

[connections]
db.sql = { url_env = "CLAIMS_DATABASE_URL", marks = "operator_actions", timeout = "TIMEOUT" }

[actions.approve]
title = "Approve"
do.sql = { on = "db", text = "update items set state = 'approved', changes = changes + 1 where id = :id and state = 'open'" }
fresh.sql = { on = "db", text = "select id, state, bought_at from items where id = :id" }
guards = [ { title = "within 3 days", within = { column = "bought_at", window = "72h" } } ]
undo = "reopen"

[actions.reject]
title = "Reject"
do.sql = { on = "db", text = "update items set state = 'rejected', changes = changes + 1 where id = :id and state = 'open'" }
fresh.sql = { on = "db", text = "select id, state from items where id = :id" }
undo = "reopen"

[actions.reopen]
title = "Reopen"
do.sql = { on = "db", text = "update items set state = 'open', changes = changes + 1 where id = :id and state <> 'open'" }
undo = "approve"

# Nothing in the statement keeps two operators apart.
[actions.touch]
title = "Touch"
do.sql = { on = "db", text = "update items set changes = changes + 1 where id = :id" }
undo = "untouch"

[actions.untouch]
title = "Take back"
do.sql = { on = "db", text = "update items set changes = changes - 1 where id = :id" }
undo = "touch"
"#;

/// The business's database, of either kind.
struct Town {
    directory: tempfile::TempDir,
    kind: Database,
    address: String,
    /// It runs as long as it lives.
    _server: Option<Server>,
}

impl Town {
    /// With items `i1` ... `i20`, and the table of marks as `pack ddl` prints it.
    async fn new(kind: Database) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let (address, server) = match kind {
            Database::Sqlite => (format!("sqlite:{}?mode=rwc", directory.path().join("business.db").display()), None),
            Database::Postgres => {
                let server = Server::start()?;
                (server.address("app"), Some(server))
            }
        };
        let town = Self { directory, kind, address, _server: server };
        let moment = match kind {
            Database::Sqlite => "timestamp",
            Database::Postgres => "timestamptz",
        };
        town.run(&format!(
            "create table items (id text primary key, state text not null default 'open', changes integer not null default 0, bought_at {moment})"
        ))
        .await;
        let bought = (Utc::now() - TimeDelta::hours(1)).format("%Y-%m-%d %H:%M:%S+00");
        let rows: Vec<_> = (1..=20).map(|number| format!("('i{number}', '{bought}')")).collect();
        town.run(&format!("insert into items (id, bought_at) values {}", rows.join(", "))).await;
        town.run(&marks_table(kind, "operator_actions")).await;
        Some(town)
    }

    async fn run(&self, text: &str) {
        server::run(self.kind, &self.address, text).await;
    }

    /// The first cells of all rows, joined by commas.
    async fn ask(&self, text: &str) -> String {
        server::ask(self.kind, &self.address, text).await
    }

    fn pack(&self, timeout: &str) -> Arc<Pack> {
        let file = self.directory.path().join("claims.toml");
        std::fs::write(&file, PACK.replace("TIMEOUT", timeout)).unwrap();
        pack::load(&file).unwrap_or_else(|problems| panic!("{problems:#?}")).pack
    }

    fn environment(&self) -> Environment {
        Environment::default().with("CLAIMS_DATABASE_URL", self.address.clone())
    }

    fn record(&self, operator: &str) -> PathBuf {
        self.directory.path().join(format!("{operator}.db"))
    }

    async fn cockpit(&self, operator: &str) -> Cockpit {
        self.cockpit_that(operator, TimeDelta::zero(), "20s").await
    }

    /// One whose clock is wrong by so much.
    async fn cockpit_that(&self, operator: &str, wrong_by: TimeDelta, timeout: &str) -> Cockpit {
        Cockpit::open(self.pack(timeout), &self.environment(), &self.record(operator), operator, wrong_by).await
    }
}

/// A machine's clock, wrong by so much.
struct Wrong(TimeDelta);

impl Clock for Wrong {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.0
    }
}

/// A cockpit on a machine of its own, with a record of its own.
pub struct Cockpit {
    pub actor: Actor,
    task: tokio::task::JoinHandle<()>,
    _events: mpsc::UnboundedReceiver<Event>,
}

impl Cockpit {
    pub async fn open(pack: Arc<Pack>, environment: &Environment, record: &Path, operator: &str, wrong_by: TimeDelta) -> Self {
        let connections = adapters::open(&pack, environment).unwrap();
        let clock = Arc::new(Wrong(wrong_by));
        let (store, _) = Store::open(record, operator, clock.now()).await.unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let (actor, task) = Actor::start(Setup {
            pack,
            connections,
            journal: Arc::new(store),
            session_began: clock.now(),
            clock,
            operator: operator.to_owned(),
            barrier: None,
            hold_at_least: Duration::ZERO,
            unlocked_for: Duration::from_mins(15),
            tell: Arc::new(move |event| drop(sender.send(event))),
        });
        let cockpit = Self { actor, task: tokio::spawn(task), _events: events };
        // Whoever asks while the start still looks for claims that were left is heard when it has ended.
        let (recovered, unlocked) = tokio::join!(cockpit.actor.recover(), cockpit.actor.unlock());
        recovered.unwrap();
        unlocked.unwrap();
        cockpit
    }

    pub async fn propose(&self, action: &str, ids: &[&str]) -> Box<Preview> {
        let aims = ids.iter().map(|id| aim(id)).collect();
        self.actor.propose(Ask(1), Id::new(action), aims, Params::new()).await.unwrap()
    }

    /// As it is answered to what was proposed last.
    pub async fn commit(&self) -> Result<Text, Text> {
        self.actor.commit(Ask(1), String::new()).await
    }

    /// The end of the one act on an item.
    pub async fn ended(&self, id: &str) -> Receipt {
        let is = |receipt: &&Receipt| receipt.target.key == id && receipt.standing.is_over();
        let standings = self.until(|standings| standings.receipts.iter().any(|receipt| is(&receipt))).await;
        standings.receipts.iter().find(is).cloned().unwrap()
    }

    /// Waits, without a pause of its own.
    pub async fn until(&self, wanted: impl Fn(&Standings) -> bool) -> Arc<Standings> {
        let mut watch = self.actor.watch();
        let waited = tokio::time::timeout(Duration::from_mins(1), watch.wait_for(|standings| wanted(standings))).await;
        let Ok(standings) = waited else { panic!("still {:#?}", self.actor.standings()) };
        Arc::clone(&standings.unwrap())
    }

    /// Proposed, confirmed and over.
    pub async fn act(&self, action: &str, id: &str) -> Receipt {
        let preview = self.propose(action, &[id]).await;
        self.commit().await.unwrap();
        let plan = preview.plans[0].id.clone();
        let is = |receipt: &&Receipt| receipt.plan == plan && receipt.standing.is_over();
        let standings = self.until(|standings| standings.receipts.iter().any(|receipt| is(&receipt))).await;
        standings.receipts.iter().find(is).cloned().unwrap()
    }

    /// Every claim is given back when it has ended.
    pub async fn close(self) {
        self.actor.stop().await.unwrap();
        self.task.await.unwrap();
    }
}

fn aim(id: &str) -> Aim {
    let target = Target { queue: Some(Id::<Queue>::new("items")), key: id.to_owned() };
    Aim { target, row: Params::from([("id".to_owned(), Value::text(id))]), is_drawn: false }
}

fn standings(receipts: &[Receipt]) -> HashMap<Standing, usize> {
    let mut count = HashMap::new();
    for receipt in receipts {
        *count.entry(receipt.standing).or_default() += 1;
    }
    count
}
