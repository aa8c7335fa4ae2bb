//! Claims: asked for before the first attempt, judged inside the database's transaction, given back when the act is over.
//!
//! Dying at any moment leaves nothing in anybody's way for ever: what this record claimed and did not give back is found
//! in the database at the next start, and given back with what the record says became of it. What another record claimed
//! is never touched.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    driver::{Driver, Mode},
    flight::{self, Flight, Landing},
    fresh::{self, Fresh, Outside, Reading},
    judging::{Bench, event_of},
};

use crate::{
    domain::{
        claim::{self, Claim, Claims, Ending, Moment},
        id::Id,
        journal::{self, Phase},
        pack::{Connection, Query},
        plan::{ActionId, Plan},
        policy::{Permit, Refusal},
        rows::{Params, Rows},
        text::Text,
    },
    engine::message::Event,
    ports::{Claimed, Connections, Inside, Judge, SourceError, StoreError},
};

/// How soon a claim that could not be given back is tried again.
const SWEEP_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// What is known of the claims on the targets of a preview.
pub(super) enum Kept {
    /// The database keeps none: acts there are not claimed.
    Nowhere,
    In(Id<Connection>, Claims),
    Unread(Text),
}

impl Kept {
    /// Reads the claims on some targets where the pack keeps any.
    pub(super) async fn read(connections: &Connections, on: Option<Id<Connection>>, targets: &[String]) -> Self {
        let Some((on, system)) = on.and_then(|on| connections.find(&on).map(|system| (on, Arc::clone(system)))) else {
            return Self::Nowhere;
        };
        match system.claims(targets).await {
            Ok(Some(claims)) => Self::In(on, claims),
            Ok(None) => Self::Nowhere,
            Err(error) => {
                let who = if matches!(error, SourceError::TimedOut(_)) { format!("{on}: ") } else { String::new() };
                Self::Unread(Text::new(format!(
                    "nobody can tell who has it in hand: {who}{error}; nothing was sent: try again when it answers"
                )))
            }
        }
    }

    /// What to tell of acts that are not claimed.
    pub(super) fn weaker(&self) -> Option<Text> {
        matches!(self, Self::Nowhere)
            .then(|| Text::new("not claimed in the database: another operator could act at the same time"))
    }
}

/// What came of asking for a claim.
pub(super) enum Claiming {
    Granted(Box<Permit>),
    /// The same event for whoever lost it, and for whom policy refused.
    Denied(journal::Event),
    Unanswered(Text),
}

/// Judges inside the transaction, by the database's clock, over the row as it is there.
struct Bar<'a> {
    bench: &'a Bench,
    journal: &'a str,
    /// What the queries of other connections answered just before.
    answers: Vec<Rows>,
    queries: Vec<Query>,
    on: &'a Id<Connection>,
    ahead: TimeDelta,
    verdict: Option<Result<Permit, journal::Event>>,
}

#[async_trait]
impl Judge for Bar<'_> {
    fn queries(&self) -> &[Query] {
        &self.queries
    }

    async fn permits(&mut self, inside: &mut dyn Inside) -> bool {
        let now = inside.now() + self.ahead;
        let Plan { target, row, .. } = &self.bench.plan;
        let held = inside.held().to_vec();
        let mut reading = Within { inside, answers: &self.answers, on: self.on };
        let fresh = fresh::read_by(&mut reading, &self.bench.action, target, row, self.bench.pack.currency, now).await;
        let verdict = match fresh {
            Fresh::Unread(why) => Err(journal::Event::Refuse(why)),
            Fresh::Gone => Err(journal::Event::Change(Text::new("it is no longer there"))),
            Fresh::Row(row) => {
                let barred = barred(self.bench, &held, self.journal, now, self.ahead);
                self.bench.review(row, barred.as_ref(), now).map_err(event_of)
            }
        };
        let permits = verdict.is_ok();
        self.verdict = Some(verdict);
        permits
    }
}

fn barred(bench: &Bench, held: &[claim::Held], journal: &str, now: DateTime<Utc>, ahead: TimeDelta) -> Option<Text> {
    let moment = Moment { now, timezone: bench.pack.timezone, ahead };
    claim::bar(&bench.plan, held, journal, &bench.setting(now), &moment)
}

/// Reads the claiming database in the transaction, and takes all else as it was read before.
struct Within<'a> {
    inside: &'a mut dyn Inside,
    answers: &'a [Rows],
    on: &'a Id<Connection>,
}

#[async_trait]
impl Reading for Within<'_> {
    async fn read(&mut self, number: usize, query: &Query, names: &Params) -> Result<Rows, SourceError> {
        if query.on == *self.on {
            return self.inside.read(query, names).await;
        }
        let known = self.answers.get(number).cloned();
        known.ok_or_else(|| SourceError::Refused(Text::new(format!("{}: it was not read", query.on))))
    }
}

/// What a claim is made of, taken along on its way.
struct Errand {
    bench: Bench,
    journal: String,
    on: Id<Connection>,
    connections: Connections,
    /// The cockpit's clock.
    now: DateTime<Utc>,
    ahead: TimeDelta,
}

impl Errand {
    async fn run(self) -> Claiming {
        let Self { bench, journal, on, connections, now, ahead } = &self;
        let refused = |why: String| Claiming::Denied(journal::Event::Refuse(Text::new(why)));
        let Some(system) = connections.find(on) else { return refused(format!("`{on}` is not connected")) };
        let plan = &bench.plan;
        let (own, others): (Vec<&Query>, Vec<&Query>) = bench.action.fresh.iter().partition(|query| query.on == *on);
        let queries = own.into_iter().cloned().collect();
        let mut outside = Outside { connections, answers: Vec::new() };
        // What another system must be asked is asked before: no lock is held in the business while it thinks.
        if !others.is_empty() {
            let currency = bench.pack.currency;
            match fresh::read_by(&mut outside, &bench.action, &plan.target, &plan.row, currency, *now).await {
                Fresh::Row(_) => {}
                Fresh::Gone => return Claiming::Denied(journal::Event::Change(Text::new("it is no longer there"))),
                Fresh::Unread(why) => return Claiming::Denied(journal::Event::Refuse(why)),
            }
        }
        let wanted = Claim {
            act: plan.id.clone(),
            target: claim::target_name(&plan.target),
            epoch: plan.epoch,
            action: plan.action.to_string(),
            operator: plan.operator.clone(),
            journal: journal.clone(),
        };
        let settled = claim::settled(&bench.earlier);
        let mut bar = Bar { bench, journal, answers: outside.answers, queries, on, ahead: *ahead, verdict: None };
        match (system.claim(&wanted, &settled, &mut bar).await, bar.verdict) {
            (Claimed::Granted, Some(Ok(permit))) => Claiming::Granted(Box::new(permit)),
            (Claimed::Forbidden, Some(Err(event))) => Claiming::Denied(event),
            (Claimed::Lost(claims), _) => {
                let now = claims.now + *ahead;
                let why = barred(bench, &claims.held, journal, now, *ahead);
                let unnamed = || Text::new("someone else claimed it just now: nothing was sent; look again");
                Claiming::Denied(journal::Event::Change(why.unwrap_or_else(unnamed)))
            }
            (Claimed::Unanswered(why), _) => Claiming::Unanswered(why),
            (Claimed::Refused(why), _) => refused(format!("it could not be claimed: {}; nothing was sent", why.original())),
            (Claimed::NotKept, _) => refused(format!("`{on}` keeps no claims any more: nothing was sent; look again")),
            (Claimed::Granted | Claimed::Forbidden, _) => refused("its claim was not judged: nothing was sent".to_owned()),
        }
    }
}

fn release(connections: &Connections, on: &Id<Connection>, act: &ActionId, journal: String, ending: Ending) -> Flight {
    let (id, act, system) = (act.clone(), act.clone(), connections.find(on).map(Arc::clone));
    let work = async move {
        match system {
            Some(system) => system.release(&act, &journal, ending).await.map_err(|error| Text::new(error.to_string())),
            None => Ok(()),
        }
    };
    let lost = |why: &str| Err(Text::new(why));
    Box::pin(async move { (id, Landing::Released(flight::guarded(work, lost).await)) })
}

impl Driver {
    /// This record's name among all, asked once.
    pub(super) async fn identity(&mut self) -> Result<String, StoreError> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let journal = Arc::clone(&self.setup.journal);
        let identity = journal.identity().await?;
        self.identity = Some(identity.clone());
        Ok(identity)
    }

    /// The way to the claim of an act whose turn has come.
    pub(super) async fn claim(&mut self, plan: &Plan) -> Result<Flight, StoreError> {
        let (id, on) = (plan.id.clone(), plan.claim.clone());
        let denied = |refusal: Refusal| Claiming::Denied(event_of(refusal));
        let errand = match (self.bench(plan).await?, on) {
            (Ok(bench), Some(on)) => Ok(Errand {
                bench,
                journal: self.identity().await?,
                on,
                connections: self.setup.connections.clone(),
                now: self.now(),
                ahead: self.setup.clock.ahead(),
            }),
            (Ok(_), None) => Err(Refusal::Guard(Text::new("nothing keeps its claim"))),
            (Err(refusal), _) => Err(refusal),
        };
        let lost = |why: &str| Claiming::Unanswered(Text::new(why));
        Ok(Box::pin(async move {
            let claiming = match errand {
                Ok(errand) => flight::guarded(errand.run(), lost).await,
                Err(refusal) => denied(refusal),
            };
            (id, Landing::Claimed(claiming))
        }))
    }

    /// The answer to a claim has come.
    pub(super) async fn claimed(&mut self, id: &ActionId, claiming: Claiming) {
        let Some(running) = self.find(id) else {
            // It ended while the claim was on its way, and nothing of it was sent.
            let on = self.setup.pack.claims_on().cloned();
            return self.give_back(id, on, Ending::Nothing).await;
        };
        let plan = running.act.plan.clone();
        // A claim that stands is found again when it is asked for again.
        if self.broken.is_some() || self.is_paused(&plan) || !matches!(running.act.state.phase, Phase::Intent { .. }) {
            return;
        }
        let needs_the_account = self.action(&plan).is_some_and(|action| action.needs_the_account());
        let event = match (self.account.bars(needs_the_account), claiming) {
            (Some(why), Claiming::Granted(_)) => journal::Event::Refuse(why.clone()),
            (None, Claiming::Granted(permit)) => {
                self.give(id, *permit);
                journal::Event::Claimed
            }
            (_, Claiming::Denied(event)) => event,
            (_, Claiming::Unanswered(why)) => journal::Event::Unclaimed(why),
        };
        self.feed(id, event).await;
    }

    /// Gives a claim back. While it is itself still on its way, whoever sees it land does.
    pub(super) async fn give_back(&mut self, id: &ActionId, on: Option<Id<Connection>>, ending: Ending) {
        let Some(on) = on.filter(|_| !self.is_flying(id)) else { return };
        match self.identity().await {
            Ok(journal) => self.fly(release(&self.setup.connections, &on, id, journal, ending), id),
            Err(_) => self.sweep_at = Some(self.now() + SWEEP_AGAIN),
        }
    }

    pub(super) fn released(&mut self, answer: Result<(), Text>) {
        let Err(why) = answer else { return };
        self.sweep_at = Some(self.now() + SWEEP_AGAIN);
        let said = format!("a claim is not given back yet, and nobody else can act on its item: {why}; tried again in a minute");
        (self.setup.tell)(Event::Notice { said: Text::new(said), is_error: true });
    }

    /// Looks for claims of this record that an earlier run, or a broken line, left behind.
    pub(super) async fn sweep(&mut self) {
        let is_due = self.sweep_at.is_some_and(|at| at <= self.now());
        let may_be = matches!(self.mode, Mode::Ready | Mode::Recovering { .. });
        if !is_due || !may_be || self.broken.is_some() || self.setup.barrier.is_some() {
            return;
        }
        self.sweep_at = None;
        let system = self.setup.pack.claims_on().and_then(|on| self.setup.connections.find(on)).map(Arc::clone);
        let (Some(system), Ok(journal)) = (system, self.identity().await) else { return };
        let work = async move { system.open_claims(&journal).await.map_err(|error| Text::new(error.to_string())) };
        let lost = |why: &str| Err(Text::new(why));
        let look = async move { (ActionId(String::new()), Landing::OpenClaims(flight::guarded(work, lost).await)) };
        self.flights.push(Box::pin(look));
    }

    pub(super) async fn swept(&mut self, open: Result<Vec<ActionId>, Text>) {
        let Ok(open) = open else {
            self.sweep_at = Some(self.now() + SWEEP_AGAIN);
            return;
        };
        let journal = Arc::clone(&self.setup.journal);
        let on = self.setup.pack.claims_on().cloned();
        for id in open {
            if self.find(&id).is_some() || self.is_flying(&id) {
                continue;
            }
            let ending = match journal.act(&id).await {
                Ok(Some(act)) => Ending::of(&act.state),
                // A record that was put back to an earlier day: nothing can be ruled out.
                Ok(None) => Some(Ending::Partly),
                Err(_) => None,
            };
            if let Some(ending) = ending {
                self.give_back(&id, on.clone(), ending).await;
            }
        }
    }
}
