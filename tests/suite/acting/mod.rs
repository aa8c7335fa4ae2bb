//! Acting through the journal, over the real store and an outside that can fail.

mod accounts;
mod batches;
mod deaths;
mod events;
mod following;
mod halves;
mod outcomes;
mod policy;
mod resuming;
mod taking_back;
pub mod world;

use std::{path::Path, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::mpsc;
use wheelhouse::{
    domain::{
        id::Id,
        pack::Pack,
        plan::{ActionId, BatchId, Receipt, Standing, Target},
        rows::Params,
        text::Text,
        value::Value,
    },
    engine::{
        act::{Actor, Aim, Setup, Standings},
        message::{Ask, Event, Preview},
    },
    ports::{Clock as _, Connections, Journal as _},
    store::Store,
};

use world::{MortalJournal, World};

/// A cockpit at work.
pub struct Cockpit {
    pub actor: Actor,
    pub journal: Arc<MortalJournal>,
    world: Arc<World>,
    events: mpsc::UnboundedReceiver<Event>,
    task: tokio::task::JoinHandle<()>,
}

impl Cockpit {
    /// Opened, not yet recovered.
    pub async fn open(world: &Arc<World>, path: &Path) -> Self {
        Self::open_with(world, path, world::pack()).await
    }

    async fn open_with(world: &Arc<World>, path: &Path, pack: Arc<Pack>) -> Self {
        Self::open_on(world, path, pack, world.connections()).await
    }

    /// The same, over an outside of one's own.
    pub async fn open_on(world: &Arc<World>, path: &Path, pack: Arc<Pack>, connections: Connections) -> Self {
        let (store, _) = Store::open(path, "jo", world.now()).await.unwrap();
        let journal = Arc::new(MortalJournal { store, world: Arc::clone(world) });
        let (sender, events) = mpsc::unbounded_channel();
        let (actor, task) = Actor::start(Setup {
            pack,
            connections,
            journal: Arc::clone(&journal) as Arc<dyn wheelhouse::ports::Journal>,
            clock: Arc::clone(world) as Arc<dyn wheelhouse::ports::Clock>,
            operator: "jo".to_owned(),
            barrier: None,
            hold_at_least: Duration::ZERO,
            unlocked_for: Duration::from_mins(15),
            session_began: world.now(),
            tell: Arc::new(move |event| drop(sender.send(event))),
        });
        Self { actor, journal, world: Arc::clone(world), events, task: tokio::spawn(task) }
    }

    /// Opened, recovered and unlocked.
    pub async fn ready(world: &Arc<World>, path: &Path) -> Self {
        let cockpit = Self::open(world, path).await;
        cockpit.actor.recover().await.unwrap();
        cockpit.actor.unlock().await.unwrap();
        cockpit
    }

    pub async fn propose(&self, ask: u64, action: &str, ids: &[&str]) -> Box<Preview> {
        let inputs = if action == "refund" { Params::from([("note".to_owned(), Value::text("sorry"))]) } else { Params::new() };
        self.actor.propose(Ask(ask), Id::new(action), ids.iter().map(|id| aim(id)).collect(), inputs).await.unwrap()
    }

    /// Proposed, and confirmed as it asks to be.
    pub async fn confirm(&self, action: &str, ids: &[&str]) -> Result<Text, Text> {
        let preview = self.propose(1, action, ids).await;
        self.actor.commit(Ask(1), preview.expected).await
    }

    /// Waits, without a pause of its own, until the acts stand as wanted.
    pub async fn until(&self, wanted: impl Fn(&Standings) -> bool) -> Arc<Standings> {
        let mut watch = self.actor.watch();
        let waited = tokio::time::timeout(Duration::from_secs(20), watch.wait_for(|standings| wanted(standings))).await;
        let Ok(standings) = waited else { panic!("still {:#?}", self.actor.standings()) };
        Arc::clone(&standings.unwrap())
    }

    pub async fn until_standing(&self, id: &str, standing: Standing) -> Receipt {
        let is = |receipt: &&Receipt| receipt.target.key == id && receipt.standing == standing;
        let standings = self.until(|standings| standings.receipts.iter().any(|receipt| is(&receipt))).await;
        standings.receipts.iter().find(is).cloned().unwrap()
    }

    /// Moves the clock and lets the acting part notice.
    pub async fn later(&self, delta: TimeDelta) {
        self.world.later(delta);
        assert!(self.actor.pause(BatchId("none".to_owned()), true).await.is_err());
    }

    pub async fn lines(&self) -> Vec<String> {
        let mut lines = self.journal.journal_tail(100).await.unwrap();
        lines.reverse();
        lines.into_iter().map(|line| format!("{} {}", line.word, line.said)).collect()
    }

    /// The program is gone from one moment to the next.
    pub async fn die(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// The program ends in its own time.
    async fn end(self) {
        self.task.await.unwrap();
    }

    pub fn said(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

fn target(id: &str) -> Target {
    Target { queue: Some(Id::new("queue")), key: id.to_owned() }
}

fn aim(id: &str) -> Aim {
    Aim { target: target(id), row: world::row(id), is_drawn: true }
}

fn plan_of(receipt: &Receipt) -> ActionId {
    receipt.plan.clone()
}
