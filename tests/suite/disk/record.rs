//! The record: its database, its write-ahead log, the head of its chain, its lock; before a start and during an act.

use std::{path::Path, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::sync::Semaphore;
use wheelhouse::{
    domain::{
        pack::Query,
        plan::{Order, Standing},
        rows::{Params, Rows},
    },
    engine::message::Ask,
    ports::{Clock as _, Connections, Doer, Found, Mark, Outcome, Ownership, Source, SourceError, System},
    store::Store,
};

use super::{
    fault::{Fault, Ground, Standing as Struck},
    is_clear,
};
use crate::acting::{
    Cockpit,
    world::{self, World},
};

/// At a start: the ending of the file that it befalls, and what.
pub const START: [(&str, Fault); 17] = [
    ("", Fault::Locked),
    ("", Fault::Full),
    ("", Fault::ReadOnly),
    ("", Fault::Directory),
    ("", Fault::FullDevice),
    ("", Fault::Garbage),
    ("", Fault::Emptied),
    ("", Fault::Moved),
    ("-wal", Fault::Directory),
    (".head", Fault::Directory),
    (".head", Fault::FullDevice),
    (".head", Fault::Garbage),
    (".head", Fault::Emptied),
    (".head", Fault::Moved),
    (".lock", Fault::Directory),
    (".lock", Fault::FullDevice),
    (".head", Fault::Full),
];

/// While the cockpit has it open.
pub const UNDER_WAY: [(&str, Fault); 6] = [
    ("", Fault::Locked),
    ("", Fault::Full),
    ("", Fault::Moved),
    ("", Fault::Replaced),
    ("", Fault::Directory),
    ("-wal", Fault::Moved),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The preview is on the screen.
    Previewed,
    /// Confirmed, and held.
    Held,
    /// The first effect is on its way.
    Sent,
}

pub const MOMENTS: [Moment; 3] = [Moment::Previewed, Moment::Held, Moment::Sent];

fn file(record: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", record.display()))
}

/// An outside whose answers wait for a permit.
struct Gated {
    inner: Arc<dyn System>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Source for Gated {
    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        self.inner.read(query, params).await
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        self.inner.prepare(query).await
    }
}

#[async_trait]
impl Doer for Gated {
    async fn ownership(&self) -> Ownership {
        self.inner.ownership().await
    }

    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let outcome = self.inner.act(order, mark).await;
        let _permit = self.gate.acquire().await.unwrap();
        outcome
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        self.inner.look_up(order, mark).await
    }
}

fn gated(world: &Arc<World>, gate: &Arc<Semaphore>) -> Connections {
    let gate = |inner: &Arc<dyn System>| Arc::new(Gated { inner: Arc::clone(inner), gate: Arc::clone(gate) }) as Arc<dyn System>;
    Connections(world.connections().0.iter().map(|(id, system)| (id.clone(), gate(system))).collect())
}

fn calls(world: &World) -> usize {
    world.outside.lock().unwrap().attempts
}

/// The database's own thread closes it a moment after its last user has gone.
async fn closed(record: &Path) {
    for _ in 0..400 {
        if !file(record, "-wal").is_file() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{} is still open", record.display());
}

/// Everything that a start needs before it may act; the first refusal, in words.
async fn start(world: &Arc<World>, record: &Path) -> Result<Cockpit, String> {
    let opened = Store::open(record, "jo", world.now()).await;
    let (_, access) = opened.map_err(|error| error.to_string())?;
    if let Some(refusal) = access.refusal() {
        return Err(refusal.to_string());
    }
    let cockpit = Cockpit::open(world, record).await;
    let ready = async {
        cockpit.actor.recover().await?;
        cockpit.actor.unlock().await
    };
    match ready.await {
        Ok(_) => Ok(cockpit),
        Err(why) => {
            cockpit.die().await;
            Err(why.shown().to_owned())
        }
    }
}

async fn befalls_a_start(ending: &str, fault: Fault) {
    let case = format!("{fault:?} of the record{ending} at a start");
    let Some(ground) = Ground::for_fault(fault) else {
        println!("NOT RUN, it takes a mount: {case}");
        return;
    };
    let (record, world) = (ground.path().join("town.db"), World::new(&["a", "b"]));
    let cockpit = Cockpit::ready(&world, &record).await;
    cockpit.confirm("pay_back", &["a"]).await.unwrap();
    cockpit.until_standing("a", Standing::Done).await;
    cockpit.actor.stop().await.unwrap();
    drop(cockpit);
    let before = calls(&world);
    closed(&record).await;

    let struck = Struck::strike(fault, &file(&record, ending)).await;
    let refused = match start(&world, &record).await {
        Err(said) => said,
        Ok(cockpit) => {
            let said = cockpit.confirm("pay_back", &["b"]).await;
            cockpit.die().await;
            said.err().unwrap_or_else(|| panic!("{case}: it acts as if nothing were")).shown().to_owned()
        }
    };
    assert_eq!(calls(&world), before, "{case}: {refused}");
    assert!(is_clear(&refused, &["town.db"]), "{case}: {refused}");
    if matches!(fault, Fault::Moved | Fault::Emptied | Fault::Garbage | Fault::FullDevice | Fault::Directory) {
        // What was written beside another file must not be taken for its own.
        closed(&record).await;
    }
    struck.heal().await;

    let cockpit = start(&world, &record).await.unwrap_or_else(|why| panic!("{case}: after it is over: {why}"));
    assert_eq!(
        cockpit.lines().await.iter().filter(|line| line.contains("PAY_BACK a: 1 row")).count(),
        1,
        "{case}: nothing is lost"
    );
    cockpit.confirm("pay_back", &["b"]).await.unwrap();
    cockpit.until_standing("b", Standing::Done).await;
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 2, "{case}");
    assert!(cockpit.journal.store.verify().await.unwrap().is_ok(), "{case}");
}

async fn befalls_an_act(ending: &str, fault: Fault, moment: Moment) {
    let case = format!("{fault:?} of the record{ending}, {moment:?}");
    let Some(ground) = Ground::for_fault(fault) else {
        println!("NOT RUN, it takes a mount: {case}");
        return;
    };
    let (record, world, gate) = (ground.path().join("town.db"), World::new(&["a"]), Arc::new(Semaphore::new(0)));
    let cockpit = Cockpit::open_on(&world, &record, world::pack(), gated(&world, &gate)).await;
    cockpit.actor.recover().await.unwrap();
    cockpit.actor.unlock().await.unwrap();
    let action = if moment == Moment::Held { "refund" } else { "pay_back" };
    let preview = cockpit.propose(1, action, &["a"]).await;
    let file = file(&record, ending);
    let mut struck = None;
    if moment == Moment::Previewed {
        struck = Some(Struck::strike(fault, &file).await);
    }
    let committed = cockpit.actor.commit(Ask(1), preview.expected.clone()).await;
    let mut watch = cockpit.actor.watch();
    let said = if moment == Moment::Previewed {
        committed.unwrap_err().shown().to_owned()
    } else {
        committed.unwrap();
        if moment == Moment::Sent {
            while calls(&world) == 0 {
                tokio::task::yield_now().await;
            }
        }
        struck = Some(Struck::strike(fault, &file).await);
        if moment == Moment::Held {
            cockpit.later(TimeDelta::seconds(11)).await;
        }
        gate.add_permits(1);
        let broken =
            tokio::time::timeout(std::time::Duration::from_secs(30), watch.wait_for(|standings| standings.barrier.is_some()))
                .await;
        let broken = broken.unwrap_or_else(|_| panic!("{case}: it is not noticed")).unwrap();
        broken.barrier.as_ref().unwrap().why().shown().to_owned()
    };
    let sent = usize::from(moment == Moment::Sent);
    assert_eq!(calls(&world), sent, "{case}: {said}");
    assert!(is_clear(&said, &["town.db"]), "{case}: {said}");
    // On a full disk a few bytes may still find room.
    let again = if fault == Fault::Full { Err(said.as_str().into()) } else { cockpit.actor.unlock().await };
    assert!(again.is_err_and(|why| is_clear(why.shown(), &["town.db"])), "{case}: it is still so, and still said");
    struck.unwrap().heal().await;

    gate.add_permits(100);
    cockpit.actor.unlock().await.unwrap_or_else(|why| panic!("{case}: W, after it is over: {why}"));
    cockpit.until(|standings| standings.barrier.is_none() && standings.unlocked_until.is_some()).await;
    if moment == Moment::Sent {
        cockpit.until_standing("a", Standing::Done).await;
    } else {
        while cockpit.confirm(action, &["a"]).await.is_err() {
            tokio::task::yield_now().await;
        }
        cockpit.later(TimeDelta::seconds(11)).await;
        cockpit.until_standing("a", Standing::Done).await;
    }
    assert_eq!(world.outside.lock().unwrap().refunds.len(), 1, "{case}: once");
    assert!(cockpit.journal.store.verify().await.unwrap().is_ok(), "{case}");
}

pub async fn before_a_start() {
    futures_util::future::join_all(START.iter().map(|(ending, fault)| befalls_a_start(ending, *fault))).await;
}

pub async fn during_an_act() {
    let cases = UNDER_WAY.iter().flat_map(|case| MOMENTS.iter().map(move |moment| (case, *moment)));
    futures_util::future::join_all(cases.map(|((ending, fault), moment)| befalls_an_act(ending, *fault, moment))).await;
}

#[tokio::test]
async fn whatever_befalls_the_record_before_a_start_nothing_is_sent() {
    before_a_start().await;
}

#[tokio::test]
async fn whatever_befalls_the_record_during_an_act_nothing_further_is_sent() {
    during_an_act().await;
}
