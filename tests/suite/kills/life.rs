//! One life of a cockpit, in a process of its own: it recovers, unlocks, does what is left to do, and ends; unless it
//! is killed on the way. The same work in every life: the operator starts again and goes on.

use std::{collections::HashMap, io::Read as _, sync::Arc, thread, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use wheelhouse::{
    adapters,
    domain::{
        id::Id,
        journal::{Act, Found, Phase},
        plan::{ActionId, BatchId, Order, Standing},
        rows::Params,
    },
    engine::{
        act::{Actor, Aim, Setup, TakenBack},
        message::Ask,
    },
    ports::{Clock, Connections, Journal, System},
    store::{Access, Store},
};

use super::{
    bugs::Bug,
    deed::Deed,
    depot,
    mortal::{MortalJournal, MortalSystem},
    place::{self, Reach},
    points::{Kill, Points, die, say},
};

/// The variable that makes a test binary a cockpit.
pub const LIFE: &str = "WHEELHOUSE_KILLS_LIFE";

/// Time passes so many times faster: no second is waited for in earnest.
const HASTE: i32 = 100;
/// How often a look that tells nothing is asked for again.
const LOOKS: u32 = 3;
/// How often the operator goes through the list.
const PASSES: usize = 12;
/// Between two glances at how it stands; each also makes the acting part notice that time has passed. With many acts a
/// glance is dear, and they go on without it.
const GLANCE: Duration = Duration::from_millis(2);
const GLANCE_AT_MANY: Duration = Duration::from_millis(25);
const MANY: usize = 10;
/// Glances until what was done must have been followed, for one pass.
const FOLLOWED_WITHIN: usize = 500;
/// How long an operator waits for the other to be ready, on a machine however busy.
const TOGETHER: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Life {
    pub reach: Reach,
    pub operator: String,
    /// Everybody else who is at work at the same time.
    pub others: Vec<String>,
    pub deed: Deed,
    pub items: Vec<String>,
    pub clock: FastClock,
    pub kill: Option<Kill>,
    pub bug: Option<Bug>,
    /// True where the operator decides what stands in doubt, after looking: nothing is on its way any more.
    pub decides: bool,
    /// True where Stripe's list of refunds is behind at the first look.
    pub lags: bool,
    /// True where the operators wait for each other at each act.
    pub meets: bool,
    /// True where a month has passed, and what was done is waited for until it has settled or failed.
    pub follows: bool,
}

impl Life {
    /// Two operators come to the same moment at once, as far as both come to it in time.
    pub async fn meet(&self, at: &str, patience: Duration) {
        if !self.meets {
            return;
        }
        let file = |who: &str| self.reach.folder.join(format!("{at}-{who}"));
        std::fs::write(file(&self.operator), "").unwrap();
        let all = async {
            while !self.others.iter().all(|other| file(other).exists()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        drop(tokio::time::timeout(patience, all).await);
    }
}

/// A clock that goes on from life to life, faster than the machine's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FastClock {
    pub began: DateTime<Utc>,
    pub hours_later: i64,
}

impl Clock for FastClock {
    fn now(&self) -> DateTime<Utc> {
        self.began + (Utc::now() - self.began) * HASTE + TimeDelta::hours(self.hours_later)
    }

    fn ahead(&self) -> TimeDelta {
        self.now() - Utc::now()
    }
}

/// Lives the life that the environment describes; nothing where it describes none.
pub fn live() {
    let Ok(said) = std::env::var(LIFE) else { return };
    let life: Life = serde_json::from_str(&said).unwrap();
    // Never longer than the harness.
    thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        die("the end of the harness");
    });
    adapters::install_tls();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cockpit = Cockpit::open(life).await;
        cockpit.work().await;
    });
}

/// What an item needs.
enum Todo {
    Nothing,
    Plan,
    /// It goes on by itself.
    Wait(ActionId),
    /// It must be looked up, or goes on at the operator's word.
    LookUp(ActionId),
    /// A later step outlived its key: the rest is left undone.
    Close(ActionId),
    /// It is done, and to be undone.
    TakeBack(ActionId),
    /// It is done, and what has become of it is being asked.
    Follow,
}

struct Cockpit {
    actor: Actor,
    journal: Arc<MortalJournal>,
    /// As they are, without points.
    connections: Connections,
    life: Arc<Life>,
}

impl Cockpit {
    async fn open(life: Life) -> Self {
        let life = Arc::new(life);
        let points = Arc::new(Points::until(life.kill.clone()));
        let loaded = life.reach.pack(life.deed);
        let connections = adapters::open(&loaded.pack, &life.reach.environment()).unwrap();
        let path = life.reach.journal(&life.operator);
        let (store, access) = Store::open(&path, &life.operator, life.clock.now()).await.unwrap();
        assert_eq!(access, Access::Write);
        let held = Mutex::default();
        let journal = MortalJournal { store, path, points: Arc::clone(&points), clock: life.clock, bug: life.bug, held };
        let journal = Arc::new(journal);
        let mortal = connections.0.iter().map(|(id, system)| {
            let (points, life, inner) = (Arc::clone(&points), Arc::clone(&life), Arc::clone(system));
            let mortal = MortalSystem { name: id.to_string(), inner, points, clock: life.clock, life };
            (id.clone(), Arc::new(mortal) as Arc<dyn System>)
        });
        let (actor, task) = Actor::start(Setup {
            pack: Arc::clone(&loaded.pack),
            connections: Connections(mortal.collect()),
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            clock: Arc::new(life.clock),
            operator: life.operator.clone(),
            barrier: None,
            hold_at_least: Duration::ZERO,
            unlocked_for: Duration::from_hours(8),
            session_began: life.clock.now(),
            tell: Arc::new(|_| {}),
        });
        tokio::spawn(task);
        Self { actor, journal, connections, life }
    }

    async fn work(&self) {
        self.actor.recover().await.unwrap();
        self.actor.unlock().await.unwrap();
        for _ in 0..PASSES {
            let (mut plan, mut open, mut back, mut follows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for item in &self.life.items {
                match self.todo(item).await {
                    Todo::Nothing => {}
                    Todo::Plan => plan.push(item.as_str()),
                    Todo::Wait(id) => open.push(id),
                    Todo::LookUp(id) => {
                        // Refused where it is on its way already: then it is waited for as well.
                        drop(self.actor.look_up(id.clone()).await);
                        open.push(id);
                    }
                    Todo::Close(id) => {
                        drop(self.actor.settle(id.clone(), false).await);
                        open.push(id);
                    }
                    Todo::TakeBack(id) => back.push(id),
                    Todo::Follow => follows.push(item),
                }
            }
            if plan.is_empty() && open.is_empty() && back.is_empty() && follows.is_empty() {
                self.actor.stop().await.unwrap();
                self.say_met();
                return say("end");
            }
            self.see_through(&open).await;
            if !plan.is_empty() {
                self.do_all(&plan).await;
            }
            for id in back {
                self.take_back(id).await;
            }
            self.wait_until_followed(&follows).await;
        }
        for item in &self.life.items {
            for Act { plan, state } in self.journal.acts_on(&self.life.deed.target(item)).await.unwrap() {
                say(&format!("left {item}: {} {} {}", plan.id.short(), state.phase.word(), state.said.one_line()));
            }
        }
        self.say_met();
        say("rest");
    }

    fn say_met(&self) {
        let met = self.journal.points.met();
        say(&format!("met {}", met.iter().map(String::as_str).collect::<Vec<_>>().join(" ")));
    }

    async fn todo(&self, item: &str) -> Todo {
        let acts = self.journal.acts_on(&self.life.deed.target(item)).await.unwrap();
        let is_done = |act: &&Act| act.plan.action.as_str() == self.life.deed.action() && act.state.phase == Phase::Done;
        let done = acts.iter().rfind(is_done).map(|act| act.plan.id.clone());
        let Some(Act { plan, state }) = acts.into_iter().last() else {
            return if self.is_due(item).await { Todo::Plan } else { Todo::Nothing };
        };
        let is_undo = plan.action.as_str() != self.life.deed.action();
        let is_half_way = (1..plan.steps.len()).contains(&state.steps_done());
        match state.phase {
            Phase::Done if self.life.deed == Deed::Lend && !is_undo => Todo::TakeBack(plan.id),
            Phase::Done if self.life.follows => Todo::Follow,
            Phase::Done | Phase::Settled | Phase::FailedLate => Todo::Nothing,
            Phase::Rejected | Phase::Changed if is_half_way => Todo::LookUp(plan.id),
            Phase::Expired if is_half_way && !state.is_closed && self.life.deed == Deed::Ship => Todo::LookUp(plan.id),
            Phase::Expired if is_half_way && !state.is_closed && self.life.decides => Todo::Close(plan.id),
            Phase::Expired if is_half_way => Todo::Nothing,
            Phase::Unknown { look_at: None } | Phase::Conflict => Todo::LookUp(plan.id),
            phase if !phase.is_over() => Todo::Wait(plan.id),
            _ if is_undo => done.map_or(Todo::Nothing, Todo::TakeBack),
            _ if self.is_due(item).await => Todo::Plan,
            _ => Todo::Nothing,
        }
    }

    async fn is_due(&self, item: &str) -> bool {
        let mut business = place::open(&self.life.reach.business()).await;
        let text = format!("select status from {} where id = $1", self.life.deed.table());
        let status: String = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).bind(item).fetch_one(&mut business).await.unwrap();
        status == self.life.deed.states().0
    }

    /// Proposed, and confirmed as it asks to be.
    async fn do_all(&self, items: &[&str]) {
        let aims: Vec<Aim> = self.rows(items).await;
        if aims.is_empty() {
            // The other operator was quicker.
            return;
        }
        let action = Id::new(self.life.deed.action());
        let preview = self.actor.propose(Ask(1), action, aims, Params::new()).await.unwrap();
        for (target, why) in &preview.refused {
            say(&format!("refused {}: {}", target.key, why.one_line()));
        }
        if preview.plans.is_empty() {
            return;
        }
        let ids: Vec<ActionId> = preview.plans.iter().map(|plan| plan.id.clone()).collect();
        // Decided before it is confirmed anew: the same decision is the same act.
        let changes_mind = self.life.deed == Deed::Lend && !self.have_been_withdrawn(items).await;
        // Nobody is through before the other has begun.
        self.life.meet("proposed", TOGETHER).await;
        match self.actor.commit(Ask(1), preview.expected.clone()).await {
            Ok(_) => say(&format!("confirmed {}", ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(" "))),
            Err(why) => return say(&format!("refused {}", why.original())),
        }
        if changes_mind {
            // While it is held; on a busy machine it may be too late for that.
            drop(self.actor.take_back(Ask(2), None).await);
        }
        self.see_through(&ids).await;
    }

    async fn have_been_withdrawn(&self, items: &[&str]) -> bool {
        for item in items {
            let acts = self.journal.store.acts_on(&self.life.deed.target(item)).await.unwrap();
            if !acts.iter().any(|act| act.state.phase == Phase::TakenBack) {
                return false;
            }
        }
        true
    }

    /// By the action that the pack names for it, confirmed as that asks to be.
    async fn take_back(&self, id: ActionId) {
        let preview = match self.actor.take_back(Ask(3), Some(id)).await {
            Ok(TakenBack::Undo(preview)) => preview,
            Ok(TakenBack::Withdrawn(_)) => return,
            Err(why) => return say(&format!("refused {}", why.original())),
        };
        let ids: Vec<ActionId> = preview.plans.iter().map(|plan| plan.id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        match self.actor.commit(Ask(3), preview.expected.clone()).await {
            Ok(_) => say(&format!("confirmed {}", ids[0])),
            Err(why) => return say(&format!("refused {}", why.original())),
        }
        self.see_through(&ids).await;
    }

    /// Asked by itself, at the start: it is only waited for.
    async fn wait_until_followed(&self, items: &[&String]) {
        for _ in 0..FOLLOWED_WITHIN {
            let mut open = 0;
            for item in items {
                let acts = self.journal.store.acts_on(&self.life.deed.target(item)).await.unwrap();
                open += usize::from(acts.last().is_some_and(|act| act.state.phase == Phase::Done));
            }
            if open == 0 {
                return;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn rows(&self, items: &[&str]) -> Vec<Aim> {
        let pack = self.life.reach.pack(self.life.deed).pack;
        let queue = pack.queues.iter().find(|queue| queue.id.as_str() == self.life.deed.table()).unwrap();
        let rows = self.connections.find(&queue.query.on).unwrap().read(&queue.query, &Params::new()).await.unwrap();
        let rows = rows.with_money(&queue.query.money, pack.currency);
        let rows = rows.iter().map(|row| {
            let row = row.params();
            let key = row["id"].original();
            Aim { target: self.life.deed.target(&key), row, is_drawn: true }
        });
        rows.filter(|aim| items.contains(&aim.target.key.as_str())).collect()
    }

    /// Waits until each of them is over, looking again where that is left to the operator, up to a point.
    async fn see_through(&self, ids: &[ActionId]) {
        let mut looks: HashMap<&ActionId, u32> = HashMap::new();
        loop {
            tokio::time::sleep(if ids.len() > MANY { GLANCE_AT_MANY } else { GLANCE }).await;
            // Refused, for there is no such batch: it only makes the acting part look at the clock.
            assert!(self.actor.pause(BatchId(String::new()), true).await.is_err());
            let standings = self.actor.standings();
            assert_eq!(standings.barrier, None);
            let open = |id: &&ActionId| standings.receipts.iter().any(|one| one.plan == **id && !one.standing.is_over());
            let open: Vec<&ActionId> = ids.iter().filter(open).collect();
            let mut in_doubt = 0;
            let mut given_up = 0;
            for id in &open {
                let receipt = standings.receipts.iter().find(|receipt| receipt.plan == **id);
                if receipt.is_none_or(|receipt| receipt.standing != Standing::Unknown) {
                    continue;
                }
                in_doubt += 1;
                let act = self.journal.store.act(id).await.unwrap().unwrap();
                // What leaves no trace for a look is a person's to decide from the beginning.
                let is_traceless = self.life.deed == Deed::Ship && act.state.steps_done() != self.life.deed.own_step();
                if !is_traceless && !matches!(act.state.phase, Phase::Unknown { look_at: None } | Phase::Conflict) {
                    continue;
                }
                let looked = looks.entry(*id).or_default();
                if !is_traceless && *looked < LOOKS {
                    *looked += u32::from(self.actor.look_up((*id).clone()).await.is_ok());
                } else if self.life.decides {
                    // Refused while it is on its way.
                    drop(self.actor.settle((*id).clone(), self.happened(&act).await).await);
                } else {
                    given_up += 1;
                }
            }
            if let Some(batch) = standings.batch.as_ref().filter(|batch| batch.paused && batch.ended_at.is_none()) {
                if given_up > 0 && given_up == in_doubt {
                    drop(self.actor.cancel(batch.id.clone()).await);
                } else if in_doubt == 0 {
                    // The quarter of an hour may be over.
                    drop(self.actor.unlock().await);
                    drop(self.actor.pause(batch.id.clone(), false).await);
                }
            }
            if open.len() == given_up {
                return;
            }
        }
    }

    /// What a person finds who looks.
    async fn happened(&self, act: &Act) -> bool {
        let step = &act.plan.steps[act.state.steps_done()];
        let system = self.connections.find(step.order.connection()).unwrap();
        let mark = act.state.mark(&act.plan);
        if matches!(step.order, Order::Http { .. } | Order::Webhook { .. }) {
            return depot::has_arrived(self.life.reach.depot, &mark.key());
        }
        match system.look_up(&step.order, &mark).await {
            Found::Ours(_) => true,
            Found::Absent => false,
            found => panic!("a person cannot tell: {found:?}"),
        }
    }
}
