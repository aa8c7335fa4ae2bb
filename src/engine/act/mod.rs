//! Acting through the journal: propose, confirm, carry out, take back, settle.
//!
//! One task owns every act. It never blocks the looking part: requests come through a bounded channel, answers and
//! receipts leave through a callback, and nothing is sent before recovery has settled what an earlier run left.

mod account;
mod aim;
mod batch;
mod claiming;
mod commit;
mod driver;
mod findings;
mod flight;
mod following;
mod fresh;
mod judging;
mod preview;
mod recovery;
mod settling;
mod stopping;
mod undo;
mod write_lock;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, oneshot, watch};

pub use aim::Aim;

use driver::{Driver, Mode};

use super::message::{Ask, Event, Preview};

use crate::{
    domain::{
        barrier::Barrier,
        id::Id,
        pack::{Action, Pack},
        plan::{ActionId, BatchId, Receipt},
        recovery::Recovery,
        rows::Params,
        snapshot::BatchReport,
        text::Text,
    },
    ports::{Clock, Connections, Journal, Ownership},
};

/// More requests than a person can make before the first is taken.
const WAITING_REQUESTS: usize = 64;
/// How long the task sleeps at most while something is due later: a machine that was asleep notices soon.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What the acting part works with.
pub struct Setup {
    pub pack: Arc<Pack>,
    pub connections: Connections,
    pub journal: Arc<dyn Journal>,
    pub clock: Arc<dyn Clock>,
    pub operator: String,
    /// What keeps it from writing from the start (`--read-only`, another cockpit holds the journal); never unlocked then.
    pub barrier: Option<Barrier>,
    /// Every final act is held at least so long.
    pub hold_at_least: Duration,
    /// How long an unlock lasts.
    pub unlocked_for: Duration,
    /// The start of the session, for the cap on its money.
    pub session_began: DateTime<Utc>,
    /// Takes receipts, notices and the state of the lock. Must not block.
    pub tell: Arc<dyn Fn(Event) + Send + Sync>,
}

/// How the acts stand, for the snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standings {
    /// Acts that are not over and those just ended, newest first.
    pub receipts: Vec<Receipt>,
    /// The latest batch.
    pub batch: Option<BatchReport>,
    pub money_today: i64,
    pub money_this_session: i64,
    pub unlocked_until: Option<DateTime<Utc>>,
    /// What keeps it from writing, for as long as it is so.
    pub barrier: Option<Barrier>,
    /// What an earlier run left, where there was anything.
    pub recovery: Option<Arc<Recovery>>,
}

/// What taking back came to.
#[derive(Clone, Debug, PartialEq)]
pub enum TakenBack {
    /// It had not been sent.
    Withdrawn(Text),
    /// It is done: this would undo it, once confirmed.
    Undo(Box<Preview>),
}

type Reply<T> = oneshot::Sender<Result<T, Text>>;

enum Request {
    Account(Reply<Ownership>),
    Recover(Reply<Vec<Receipt>>),
    Propose { ask: Ask, action: Id<Action>, aims: Vec<Aim>, inputs: Params, reply: Reply<Box<Preview>> },
    Resume { ask: Ask, batch: BatchId, inputs: Params, reply: Reply<Box<Preview>> },
    Commit { preview: Ask, typed: String, reply: Reply<Text> },
    TakeBack { ask: Ask, plan: Option<ActionId>, reply: Reply<TakenBack> },
    Pause { batch: BatchId, paused: bool, reply: Reply<Text> },
    Cancel { batch: BatchId, reply: Reply<Text> },
    StopRun { plan: ActionId, reply: Reply<Text> },
    LookUp { plan: ActionId, reply: Reply<Text> },
    Settle { plan: ActionId, happened: bool, reply: Reply<Text> },
    Unlock(Reply<DateTime<Utc>>),
    Lock(Reply<()>),
    Stop(Reply<()>),
}

/// A handle on the task; cheap to clone. The task ends, orderly, with its last handle.
#[derive(Clone)]
pub struct Actor {
    requests: mpsc::Sender<Request>,
    standings: watch::Receiver<Arc<Standings>>,
}

impl Actor {
    /// The handle, and the task that must be run for it to answer.
    pub fn start(setup: Setup) -> (Self, impl Future<Output = ()> + Send) {
        let (requests, taken) = mpsc::channel(WAITING_REQUESTS);
        let (shown, standings) = watch::channel(Arc::default());
        (Self { requests, standings }, run(Driver::new(setup), taken, shown))
    }

    /// Whose payment account it is: waits for the question under way, and is answered once that is.
    pub async fn account(&self) -> Result<Ownership, Text> {
        self.ask(Request::Account).await
    }

    /// Settles what an earlier run left, by looking before anything is sent again. Until it has, nothing is confirmed.
    pub async fn recover(&self) -> Result<Vec<Receipt>, Text> {
        self.ask(Request::Recover).await
    }

    /// Says exactly what an action would do, over rows read afresh. Nothing is sent.
    pub async fn propose(&self, ask: Ask, action: Id<Action>, aims: Vec<Aim>, inputs: Params) -> Result<Box<Preview>, Text> {
        self.ask(|reply| Request::Propose { ask, action, aims, inputs, reply }).await
    }

    /// Says what going on with a batch would do that an earlier run left: over what was never sent of it, each row held
    /// against how it was when it was confirmed. Nothing is sent.
    pub async fn resume(&self, ask: Ask, batch: BatchId, inputs: Params) -> Result<Box<Preview>, Text> {
        self.ask(|reply| Request::Resume { ask, batch, inputs, reply }).await
    }

    /// Carries out what a preview said. `typed` is what the operator typed where typing is asked for.
    pub async fn commit(&self, preview: Ask, typed: String) -> Result<Text, Text> {
        self.ask(|reply| Request::Commit { preview, typed, reply }).await
    }

    /// Withdraws what is held, or proposes the undo of what is done; without a plan, of the latest. The preview of an
    /// undo is committed under `ask`.
    pub async fn take_back(&self, ask: Ask, plan: Option<ActionId>) -> Result<TakenBack, Text> {
        self.ask(|reply| Request::TakeBack { ask, plan, reply }).await
    }

    pub async fn pause(&self, batch: BatchId, paused: bool) -> Result<Text, Text> {
        self.ask(|reply| Request::Pause { batch, paused, reply }).await
    }

    /// Takes back what a batch has not sent.
    pub async fn cancel(&self, batch: BatchId) -> Result<Text, Text> {
        self.ask(|reply| Request::Cancel { batch, reply }).await
    }

    /// Ends the command of an act that runs. What became of it is looked for and decided as after any lost answer.
    pub async fn stop_run(&self, plan: ActionId) -> Result<Text, Text> {
        self.ask(|reply| Request::StopRun { plan, reply }).await
    }

    /// Looks up what stands unknown, or goes on with what is left of an act that failed half way.
    pub async fn look_up(&self, plan: ActionId) -> Result<Text, Text> {
        self.ask(|reply| Request::LookUp { plan, reply }).await
    }

    /// A person has looked outside and decides whether the attempt in doubt happened.
    pub async fn settle(&self, plan: ActionId, happened: bool) -> Result<Text, Text> {
        self.ask(|reply| Request::Settle { plan, happened, reply }).await
    }

    /// Until when writing is unlocked.
    pub async fn unlock(&self) -> Result<DateTime<Utc>, Text> {
        self.ask(Request::Unlock).await
    }

    pub async fn lock(&self) -> Result<(), Text> {
        self.ask(Request::Lock).await
    }

    /// Finishes the effects under way, starts none, and answers when all is on disk.
    pub async fn stop(&self) -> Result<(), Text> {
        self.ask(Request::Stop).await
    }

    pub fn standings(&self) -> Arc<Standings> {
        Arc::clone(&self.standings.borrow())
    }

    /// Changes whenever an act, the lock or the money does.
    pub fn watch(&self) -> watch::Receiver<Arc<Standings>> {
        self.standings.clone()
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Text> {
        let gone = || Text::new("the acting part has stopped: nothing was sent");
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run(mut driver: Driver, mut requests: mpsc::Receiver<Request>, shown: watch::Sender<Arc<Standings>>) {
    let mut is_open = true;
    drop(driver.ask_account());
    loop {
        driver.advance().await;
        driver.report_recovery().await;
        let standings = driver.standings().await;
        shown.send_if_modified(|shown| {
            let differs = **shown != standings;
            if differs {
                *shown = Arc::new(standings);
            }
            differs
        });
        if driver.has_stopped() {
            return;
        }
        let sleep = driver.sleep().map(|pause| pause.min(LONGEST_SLEEP));
        tokio::select! {
            biased;
            request = requests.recv(), if is_open => {
                is_open = request.is_some();
                match request {
                    Some(request) => driver.take(request).await,
                    None => driver.stop(None).await,
                }
            }
            Some((id, landing)) = driver.flights.next(), if !driver.flights.is_empty() => driver.land(&id, landing).await,
            Some((id, landing)) = driver.following.next(), if !driver.following.is_empty() => driver.land(&id, landing).await,
            Some(look) = driver.looks.next(), if !driver.looks.is_empty() => driver.show(look).await,
            ownership = answered(driver.account.question()), if driver.account.is_asked() => driver.account_answered(ownership).await,
            () = tokio::time::sleep(sleep.unwrap_or(LONGEST_SLEEP)), if sleep.is_some() => {}
        }
    }
}

async fn answered(question: Option<account::Question>) -> Ownership {
    match question {
        Some(question) => question.await,
        None => std::future::pending().await,
    }
}

impl Driver {
    async fn take(&mut self, request: Request) {
        // Whoever asked may have gone away meanwhile; then nobody needs the answer.
        match request {
            Request::Account(reply) => self.tell_account(reply),
            Request::Recover(reply) => self.recover(reply).await,
            Request::Propose { ask, action, aims, inputs, reply } => {
                self.propose(ask, &action, aims, inputs, preview::Asker::Preview(reply));
            }
            Request::Resume { ask, batch, inputs, reply } => self.resume(ask, &batch, inputs, reply),
            Request::Commit { preview, typed, reply } => drop(reply.send(self.commit(preview, &typed).await)),
            Request::TakeBack { ask, plan, reply } => self.take_back(ask, plan, reply).await,
            Request::Pause { batch, paused, reply } => drop(reply.send(self.pause(&batch, paused).await)),
            Request::Cancel { batch, reply } => drop(reply.send(self.cancel(&batch).await)),
            Request::StopRun { plan, reply } => drop(reply.send(self.stop_run(&plan).await)),
            Request::LookUp { plan, reply } => drop(reply.send(self.look_up(&plan).await)),
            Request::Settle { plan, happened, reply } => drop(reply.send(self.settle(&plan, happened).await)),
            Request::Unlock(reply) => self.asked_to_unlock(reply).await,
            Request::Lock(reply) => drop(reply.send(self.close_lock("LOCK", "writing locked").await)),
            Request::Stop(reply) => self.stop(Some(reply)).await,
        }
    }

    fn has_stopped(&mut self) -> bool {
        let is_over = matches!(self.mode, Mode::Stopping(_)) && self.flights.is_empty();
        if is_over {
            if let Mode::Stopping(waiting) = &mut self.mode {
                waiting.drain(..).for_each(|reply| drop(reply.send(Ok(()))));
            }
            (self.setup.tell)(Event::Stopped);
        }
        is_over
    }
}
