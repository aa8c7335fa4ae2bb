//! Carries out what the state machine commands: writes first, then sends, one effect at a time in each lane.
//!
//! Where the journal cannot be written, memory stays where the disk is, nothing more is sent, and the next unlock or
//! start settles what was under way.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::stream::FuturesUnordered;

use super::{
    Reply, Setup, Standings,
    account::Account,
    batch::Batch,
    findings::Findings,
    flight::{self, Flight, Landing},
    preview::{Look, Proposal},
    write_lock::WriteLock,
};

use crate::{
    domain::{
        age,
        barrier::Barrier,
        journal::{self, Act, Command, Entry, Mark, Phase},
        pack::{self, Action, EffectKind, Query},
        plan::{ActionId, BatchId, Plan, Receipt, Standing},
        planning,
        policy::{self, Permit},
        rows::Params,
        severity::Severity,
        snapshot::BatchReport,
        text::Text,
    },
    engine::message::Event,
    ports::StoreError,
};

/// Effects on their way at the same time, over all lanes.
const LANES: usize = 4;
/// Acts that are over and still shown.
const KEPT: usize = 200;

pub(super) enum Mode {
    /// Nothing is confirmed before recovery.
    NotRecovered,
    Recovering {
        acts: Vec<ActionId>,
        reply: Option<Reply<Vec<Receipt>>>,
    },
    Ready,
    /// With all who wait for the end of it.
    Stopping(Vec<Reply<()>>),
}

/// An act that is not over. It holds a permit from its first attempt on.
pub(super) struct Running {
    pub(super) act: Act,
    permit: Option<Permit>,
}

pub(super) struct Driver {
    pub(super) setup: Setup,
    pub(super) mode: Mode,
    pub(super) lock: WriteLock,
    pub(super) account: Account,
    /// In the order of their confirmation.
    pub(super) running: Vec<Running>,
    /// Newest first.
    pub(super) ended: VecDeque<Act>,
    pub(super) batches: Vec<Batch>,
    pub(super) proposals: VecDeque<Proposal>,
    pub(super) flights: FuturesUnordered<Flight>,
    pub(super) looks: FuturesUnordered<Look>,
    /// Looks at what was done weeks ago; nobody waits for their end.
    pub(super) following: FuturesUnordered<Flight>,
    flying: HashMap<ActionId, DateTime<Utc>>,
    pub(super) findings: Option<Findings>,
    pub(super) broken: Option<Text>,
    /// Who asked to unlock before the start was over.
    pub(super) unlocks: Vec<Reply<DateTime<Utc>>>,
    pub(super) identity: Option<String>,
    /// When claims that were left behind are looked for.
    pub(super) sweep_at: Option<DateTime<Utc>>,
    /// When what was done is looked at again; `None` before the first time.
    pub(super) follow_at: Option<DateTime<Utc>>,
    money: (i64, i64),
    /// The day, in the pack's zone, for which `money` was last counted; `None` where money has moved since.
    money_counted_on: Option<NaiveDate>,
}

impl Driver {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            lock: WriteLock::lasting(setup.unlocked_for),
            setup,
            account: Account::default(),
            mode: Mode::NotRecovered,
            running: Vec::new(),
            ended: VecDeque::new(),
            batches: Vec::new(),
            proposals: VecDeque::new(),
            flights: FuturesUnordered::new(),
            looks: FuturesUnordered::new(),
            following: FuturesUnordered::new(),
            flying: HashMap::new(),
            findings: None,
            broken: None,
            unlocks: Vec::new(),
            identity: None,
            sweep_at: None,
            follow_at: None,
            money: (0, 0),
            money_counted_on: None,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.setup.clock.now()
    }

    pub(super) fn action(&self, plan: &Plan) -> Option<Action> {
        pack::find(&self.setup.pack.actions, &plan.action).cloned()
    }

    /// The read by which the pack finds a trace of a step, and the names for it.
    fn trace(&self, act: &Act, mark: &Mark) -> Option<(Query, Params)> {
        let action = self.action(&act.plan)?;
        match &action.effects.get(mark.step)?.kind {
            EffectKind::Command { found_by: Some(query), .. } => {
                let names = planning::names_for_tracing(&act.plan, act.state.first_sent_at, self.now());
                Some((Query::clone(query), names))
            }
            EffectKind::Command { found_by: None, .. }
            | EffectKind::Sql { .. }
            | EffectKind::Refund { .. }
            | EffectKind::Amend { .. }
            | EffectKind::Http { .. }
            | EffectKind::Mail { .. }
            | EffectKind::Webhook { .. }
            | EffectKind::Event { .. }
            | EffectKind::Proof { .. }
            | EffectKind::Firestore { .. } => None,
        }
    }

    /// Takes over an act that the journal holds, or will hold with its first event.
    pub(super) fn adopt(&mut self, act: Act) {
        if !self.running.iter().any(|running| running.act.plan.id == act.plan.id) {
            self.ended.retain(|ended| ended.plan.id != act.plan.id);
            let permit = policy::resume(&act);
            self.running.push(Running { act, permit });
        }
    }

    pub(super) fn find(&self, id: &ActionId) -> Option<&Running> {
        self.running.iter().find(|running| running.act.plan.id == *id)
    }

    pub(super) fn is_flying(&self, id: &ActionId) -> bool {
        self.flying.contains_key(id)
    }

    /// Since when something is on its way for an act.
    pub(super) fn flying_since(&self, id: &ActionId) -> Option<DateTime<Utc>> {
        self.flying.get(id).copied()
    }

    pub(super) fn give(&mut self, id: &ActionId, permit: Permit) {
        if let Some(running) = self.running.iter_mut().find(|running| running.act.plan.id == *id) {
            running.permit = Some(permit);
        }
    }

    pub(super) fn fly(&mut self, flight: Flight, id: &ActionId) {
        self.flights.push(flight);
        self.flying.insert(id.clone(), self.now());
    }

    /// Feeds one event to an act's machine and does what it commands. Stops at the first write that fails.
    pub(super) async fn feed(&mut self, id: &ActionId, event: journal::Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.now();
            let Some(place) = self.running.iter().position(|running| running.act.plan.id == *id) else { return };
            let Some(running) = self.running.get(place) else { return };
            let (state, commands) = journal::step(&running.act.plan, &running.act.state, event, now);
            let next = Act { plan: running.act.plan.clone(), state };
            let mut is_told = false;
            for command in commands {
                match command {
                    Command::Persist(entry) => {
                        let journal = Arc::clone(&self.setup.journal);
                        if let Err(error) = journal.save_transition(&next, &entry).await {
                            return self.fail(&error);
                        }
                    }
                    Command::Tell => is_told = true,
                    Command::Claim => match self.claim(&next.plan).await {
                        Ok(flight) => self.fly(flight, id),
                        Err(error) => return self.fail(&error),
                    },
                    Command::Release(ending) => self.give_back(id, next.plan.claim.clone(), ending).await,
                    Command::Send(mark) => {
                        let running = self.running.get(place);
                        let Some(permit) = running.and_then(|running| running.permit.as_ref()) else {
                            return self.fail(&StoreError::Unwritable(Text::new("an act without a permit was to be sent")));
                        };
                        let flight = flight::send(&self.setup.connections, permit, mark, &self.setup.tell);
                        self.fly(flight, id);
                    }
                    Command::LookUp(mark) => {
                        let trace = self.trace(&next, &mark);
                        self.fly(flight::look_up(&self.setup.connections, &next.plan, mark, trace), id);
                    }
                    Command::Next if matches!(self.mode, Mode::Stopping(_)) || self.broken.is_some() => {}
                    Command::Next => events.push_back(journal::Event::Next),
                }
            }
            if let Some(running) = self.running.get_mut(place) {
                running.act = next;
            }
            if is_told {
                self.moved(id).await;
            }
        }
    }

    /// An act has moved: tells it, counts it, lets go of it when it is over.
    async fn moved(&mut self, id: &ActionId) {
        let now = self.now();
        let Some(running) = self.find(id) else { return };
        let act = running.act.clone();
        if act.plan.amount.is_some() {
            self.money_counted_on = None;
        }
        (self.setup.tell)(Event::Receipt(self.receipt(&act, now)));
        if let Some(findings) = &mut self.findings {
            findings.note(&act);
        }
        if act.state.phase.is_over() {
            self.running.retain(|running| running.act.plan.id != *id);
            self.show_ended(act.clone());
        }
        let Some(id) = act.plan.batch.as_ref() else { return };
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.report.id == *id) else { return };
        let is_in_doubt = matches!(act.state.phase, Phase::Unknown { .. } | Phase::Conflict);
        if is_in_doubt && batch.stops_at_unknown && !batch.report.paused {
            batch.report.paused = true;
            let said = format!("{} stopped: nobody knows yet whether {} happened", batch.report.title, act.plan.label.original());
            (self.setup.tell)(Event::Notice { said: Text::new(said), is_error: true });
        }
        // What was still to be sent when the program was told to stop is the next start's to tell: the batch is cut off.
        let is_cut = matches!(self.mode, Mode::Stopping(_)) && act.state.phase == Phase::NotSent;
        if act.state.phase.is_over() && !is_cut && batch.count(&act.plan.id, act.standing(now), now) {
            let entry = batch.entry(&self.setup.operator, now);
            self.record(&entry).await;
        }
    }

    pub(super) fn show_ended(&mut self, act: Act) {
        self.ended.retain(|ended| ended.plan.id != act.plan.id);
        self.ended.push_front(act);
        self.ended.truncate(KEPT);
    }

    /// Writes an entry that belongs to no act.
    pub(super) async fn record(&mut self, entry: &Entry) {
        let journal = Arc::clone(&self.setup.journal);
        if let Err(error) = journal.append(entry).await {
            self.fail(&error);
        }
    }

    pub(super) fn fail(&mut self, error: &StoreError) {
        let said = Text::new(error.to_string());
        self.broken = Some(said.clone());
        (self.setup.tell)(Event::Notice { said, is_error: true });
    }

    /// Starts what time, a free lane and policy allow.
    pub(super) async fn advance(&mut self) {
        let now = self.now();
        if self.lock.expire(now) {
            let why = Text::new(format!("{} are over", age::span(self.lock.open_for())));
            let entry = Entry::by_system(now, "LOCK", format!("writing locked: {}", why.original()));
            self.record(&entry).await;
            (self.setup.tell)(Event::Lock { until: None, why: Some(why) });
        }
        self.sweep().await;
        self.follow().await;
        while let Some((id, is_first)) = self.due(now) {
            if is_first {
                self.judge_again(&id, now).await;
            } else {
                self.feed(&id, journal::Event::Wake).await;
            }
        }
    }

    /// The next act that may move, and whether it has yet to be sent for the first time.
    fn due(&self, now: DateTime<Utc>) -> Option<(ActionId, bool)> {
        let is_stopping = matches!(self.mode, Mode::Stopping(_));
        if self.broken.is_some() || is_stopping || self.flying.len() >= LANES {
            return None;
        }
        let busy: HashSet<&str> = self
            .running
            .iter()
            .map(|running| &running.act.plan)
            .filter(|plan| self.flying.contains_key(&plan.id))
            .map(lane)
            .collect();
        self.running.iter().map(|running| &running.act).find_map(|act| {
            let is_due = act.state.wakes_at().is_some_and(|at| at <= now);
            if !is_due || busy.contains(lane(&act.plan)) || self.account.unsettled.contains(&act.plan.id) {
                return None;
            }
            let is_first = matches!(act.state.phase, Phase::Intent { .. });
            (!is_first || !self.is_paused(&act.plan)).then(|| (act.plan.id.clone(), is_first))
        })
    }

    pub(super) fn is_paused(&self, plan: &Plan) -> bool {
        let batch = |id: &BatchId| self.batches.iter().find(|batch| batch.report.id == *id);
        plan.batch.as_ref().and_then(batch).is_some_and(|batch| batch.report.paused)
    }

    /// How long nothing happens by itself; `None` where nothing is waited for.
    pub(super) fn sleep(&self) -> Option<std::time::Duration> {
        let now = self.now();
        let wakes = self.running.iter().filter_map(|running| running.act.state.wakes_at());
        wakes
            .chain(self.lock.until())
            .chain(self.sweep_at)
            .chain(self.follow_at)
            .filter(|at| *at > now)
            .min()
            .and_then(|at| (at - now).to_std().ok())
    }

    pub(super) async fn land(&mut self, id: &ActionId, landing: Landing) {
        self.flying.remove(id);
        match landing {
            Landing::Outcome(outcome, printed) => {
                if let Some(printed) = printed {
                    self.feed(id, journal::Event::Printed(printed)).await;
                }
                self.feed(id, journal::Event::Outcome(outcome)).await;
            }
            Landing::Found(found) => self.feed(id, journal::Event::Found(found)).await,
            Landing::Fresh(fresh) => self.begin(id, fresh).await,
            Landing::Claimed(claiming) => self.claimed(id, claiming).await,
            Landing::Released(answer) => self.released(answer),
            Landing::OpenClaims(open) => self.swept(open).await,
            Landing::Followed(followed) => self.followed(followed).await,
        }
    }

    pub(super) fn receipt(&self, act: &Act, now: DateTime<Utc>) -> Receipt {
        let action = pack::find(&self.setup.pack.actions, &act.plan.action);
        let has_undo = action.is_some_and(|action| action.undo.is_some());
        let receipt = act.receipt(has_undo, now);
        let looked_for_at = match receipt.standing {
            Standing::Unknown => receipt.looked_for_at.or_else(|| self.flying_since(&receipt.plan)),
            _ => None,
        };
        Receipt { looked_for_at, ..receipt }
    }

    pub(super) async fn standings(&mut self) -> Standings {
        let now = self.now();
        let today = now.with_timezone(&self.setup.pack.timezone).date_naive();
        if self.money_counted_on != Some(today)
            && let Ok(money) = self.money_without(None).await
        {
            self.money = money;
            self.money_counted_on = Some(today);
        }
        let running = self.running.iter().rev().map(|running| &running.act);
        Standings {
            receipts: running.chain(&self.ended).map(|act| self.receipt(act, now)).collect(),
            batch: self.batches.last().map(|batch| BatchReport::clone(&batch.report)),
            money_today: self.money.0,
            money_this_session: self.money.1,
            unlocked_until: self.lock.until(),
            barrier: self.barrier(),
            recovery: self.recovery(now),
        }
    }

    fn barrier(&self) -> Option<Barrier> {
        self.setup.barrier.clone().or_else(|| self.account.barrier()).or_else(|| self.broken.clone().map(Barrier::Unwritable))
    }

    /// Puts on record what policy refused; a cockpit that cannot write has told it and that is all.
    pub(super) async fn record_refusals(&mut self, title: &str, refused: &[(String, Text)]) {
        if refused.is_empty() || self.setup.barrier.is_some() || self.broken.is_some() {
            return;
        }
        let few: Vec<_> = refused.iter().take(5).map(|(key, why)| format!("{key} ({})", why.original())).collect();
        let more = refused.len().saturating_sub(few.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let said = format!("{title} refused: {}{more}", few.join(", "));
        let keys: Vec<_> = refused.iter().map(|(key, why)| serde_json::json!([key, why])).collect();
        let entry = Entry::new(self.now(), self.setup.operator.clone(), "REFUSED", said)
            .severity(Severity::Yellow)
            .payload(serde_json::json!({ "refused": keys }));
        self.record(&entry).await;
    }
}

/// What is confirmed together is carried out one after the other; acts on their own do not wait for each other.
fn lane(plan: &Plan) -> &str {
    plan.batch.as_ref().map_or(plan.id.0.as_str(), |batch| batch.0.as_str())
}
