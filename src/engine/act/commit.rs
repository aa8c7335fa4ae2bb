//! From a confirmed preview to acts on disk; pausing, cancelling, settling; the write lock; the start and the end.

use std::{mem, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Reply,
    batch::Batch,
    driver::{Driver, Mode},
    preview::Proposal,
};

use crate::{
    domain::{
        age,
        journal::{Act, ActState, Entry, Event, Phase},
        pack::Confirm,
        plan::{ActionId, BatchId, Plan, Receipt},
        policy::{self, Context, Refusal},
        text::Text,
    },
    engine::message::{self, Ask},
};

impl Driver {
    /// Confirms what a preview showed. Each plan is judged once more, against what was confirmed before it.
    pub(super) async fn commit(&mut self, ask: Ask, typed: &str) -> Result<Text, Text> {
        let now = self.now();
        self.may_act()?;
        if !self.lock.is_open(now) {
            return Err(Text::new("writing is locked: W unlocks it"));
        }
        let place = self.proposals.iter().position(|proposal| proposal.ask == ask);
        let Some(proposal) = place.and_then(|place| self.proposals.get(place)) else {
            return Err(Text::new("there is no such preview any more: look again"));
        };
        confirmed(proposal, typed, now)?;
        let Some(Proposal { action, plans, preview, .. }) = place.and_then(|place| self.proposals.remove(place)) else {
            return Err(Text::new("there is no such preview any more: look again"));
        };
        if let Some(id) = plans.iter().find_map(|plan| plan.batch.clone()) {
            let moves_money = plans.iter().any(|plan| plan.amount.is_some());
            let title = format!("{} {}", action.title, plans.len());
            self.batches.push(Batch::new(id, title, plans.len(), moves_money, now));
        }
        let until = now + TimeDelta::from_std(preview.hold).unwrap_or(TimeDelta::zero());
        let count = plans.len();
        for plan in plans {
            self.intend(plan, until).await?;
        }
        let held =
            if until > now { format!("held for {}: u takes it back", age::span(until - now)) } else { "confirmed".to_owned() };
        Ok(Text::new(if count == 1 { held } else { format!("{count} {held}") }))
    }

    async fn intend(&mut self, plan: Plan, until: DateTime<Utc>) -> Result<(), Text> {
        let now = self.now();
        let said = |error: crate::ports::StoreError| Text::new(error.to_string());
        let Some(action) = self.action(&plan) else {
            return Err(Text::new(format!("`{}` is no longer in the pack", plan.action)));
        };
        let journal = Arc::clone(&self.setup.journal);
        let earlier = journal.acts_on(&plan.target).await.map_err(said)?;
        let (money_today, money_this_session) = self.money_without(None).await.map_err(said)?;
        let context = Context {
            action: &action,
            policy: &self.setup.pack.policy,
            currency: self.setup.pack.currency,
            may_write: true,
            wrong_account: self.setup.wrong_account.as_ref(),
            drawn: None,
            earlier: &earlier,
            money_today,
            money_this_session,
            now,
        };
        let event = match policy::judge(&plan, &context) {
            Ok(()) => Event::Confirm { until },
            // An act of the same id may be under way: its record must not be written over.
            Err(refusal @ Refusal::Decided(_)) => {
                self.record_refusals(&plan.title, &[(plan.target.key.clone(), Text::new(refusal.to_string()))]).await;
                self.skip(&plan, now).await;
                return if plan.batch.is_some() { Ok(()) } else { Err(Text::new(refusal.to_string())) };
            }
            Err(refusal) => Event::Refuse(Text::new(refusal.to_string())),
        };
        let id = plan.id.clone();
        self.adopt(Act { plan, state: ActState::default() });
        self.feed(&id, event).await;
        match self.broken.clone() {
            Some(why) => {
                // What never came to disk is not there.
                self.running.retain(|running| running.act.state.phase != Phase::Planned);
                Err(why)
            }
            None => Ok(()),
        }
    }

    /// Counts a plan of a batch that came to nothing before it was an act.
    async fn skip(&mut self, plan: &Plan, now: DateTime<Utc>) {
        let batch = |batch: &&mut Batch| plan.batch.as_ref() == Some(&batch.report.id);
        let Some(batch) = self.batches.iter_mut().find(batch) else { return };
        if batch.count(crate::domain::plan::Standing::Refused, now) {
            let entry = Entry::new(now, self.setup.operator.clone(), "BATCH", batch.said());
            self.record(&entry).await;
        }
    }

    /// Everything but the lock that must be so before anything is sent.
    pub(super) fn may_act(&self) -> Result<(), Text> {
        if let Some(why) = &self.setup.read_only {
            return Err(why.clone());
        }
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        match self.mode {
            Mode::Ready => Ok(()),
            Mode::NotRecovered | Mode::Recovering { .. } => {
                Err(Text::new("what an earlier run left is being settled first: nothing was sent"))
            }
            Mode::Stopping(_) => Err(Text::new("it is stopping: nothing was sent")),
        }
    }

    pub(super) async fn pause(&mut self, id: &BatchId, paused: bool) -> Result<Text, Text> {
        let in_doubt = self.running.iter().map(|running| &running.act).find(|act| {
            act.plan.batch.as_ref() == Some(id) && matches!(act.state.phase, Phase::Unknown { .. } | Phase::Conflict)
        });
        let in_doubt = in_doubt.map(|act| act.plan.label.original().to_owned());
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.report.id == *id) else {
            return Err(Text::new("there is no such batch"));
        };
        if let (false, true, Some(label)) = (paused, batch.moves_money, in_doubt) {
            return Err(Text::new(format!("nobody knows yet whether {label} happened: look it up first")));
        }
        batch.report.paused = paused;
        let title = batch.report.title.clone();
        let (word, said) = if paused { ("PAUSE", "paused") } else { ("RESUME", "goes on") };
        let said = format!("{title} {said}");
        let entry = Entry::new(self.now(), self.setup.operator.clone(), word, said.as_str());
        self.record(&entry).await;
        Ok(Text::new(said))
    }

    /// Nothing has to be unlocked for it: nothing is sent by taking back.
    pub(super) async fn cancel(&mut self, id: &BatchId) -> Result<Text, Text> {
        let held: Vec<_> =
            self.intended().filter(|act| act.plan.batch.as_ref() == Some(id)).map(|act| act.plan.id.clone()).collect();
        for id in &held {
            self.feed(id, Event::TakeBack).await;
        }
        self.broken.clone().map_or_else(|| Ok(Text::new(format!("{} taken back before they were sent", held.len()))), Err)
    }

    pub(super) fn intended(&self) -> impl Iterator<Item = &Act> {
        self.running.iter().map(|running| &running.act).filter(|act| matches!(act.state.phase, Phase::Intent { .. }))
    }

    pub(super) async fn look_up(&mut self, id: &ActionId) -> Result<Text, Text> {
        self.may_act()?;
        if self.is_flying(id) {
            return Err(Text::new("it is on its way: wait for the answer"));
        }
        if self.find(id).is_none() {
            let journal = Arc::clone(&self.setup.journal);
            let act = journal.act(id).await.map_err(|error| Text::new(error.to_string()))?;
            let Some(act) = act else { return Err(Text::new("there is no such act")) };
            if act.state.phase.is_over() && !self.lock.is_open(self.now()) {
                return Err(Text::new("writing is locked: W unlocks it"));
            }
            self.adopt(act);
        }
        self.feed(id, Event::LookUp).await;
        let flies = self.is_flying(id);
        self.running.retain(|running| !running.act.state.phase.is_over());
        if flies { Ok(Text::new("being looked up")) } else { Err(Text::new("there is nothing to look up")) }
    }

    pub(super) async fn settle(&mut self, id: &ActionId, happened: bool) -> Result<Text, Text> {
        self.may_act()?;
        if !self.lock.is_open(self.now()) {
            return Err(Text::new("writing is locked: W unlocks it"));
        }
        let in_doubt =
            self.find(id).is_some_and(|running| matches!(running.act.state.phase, Phase::Unknown { .. } | Phase::Conflict));
        if !in_doubt || self.is_flying(id) {
            return Err(Text::new("nothing about it is in doubt"));
        }
        self.feed(id, Event::Settle { happened }).await;
        self.broken.clone().map_or_else(|| Ok(Text::new("settled")), Err)
    }

    pub(super) async fn unlock(&mut self) -> Result<DateTime<Utc>, Text> {
        if let Some(why) = &self.setup.read_only {
            return Err(why.clone());
        }
        if matches!(self.mode, Mode::Stopping(_)) {
            return Err(Text::new("it is stopping"));
        }
        if self.broken.is_some() && !self.flights.is_empty() {
            return Err(Text::new("an effect is still on its way: try again when it has answered"));
        }
        let now = self.now();
        let was_broken = self.broken.take().is_some();
        let entry = Entry::new(now, self.setup.operator.clone(), "UNLOCK", "writing unlocked for 15 minutes");
        self.record(&entry).await;
        if let Some(why) = self.broken.clone() {
            return Err(why);
        }
        if was_broken {
            // Memory may be behind the disk: what was under way is taken from there and settled.
            self.running.clear();
            self.mode = Mode::NotRecovered;
            self.begin_recovery(None).await?;
        }
        let until = self.lock.open(now);
        (self.setup.tell)(message::Event::Lock { until: Some(until), why: None });
        Ok(until)
    }

    pub(super) async fn close_lock(&mut self, word: &str, said: &str) -> Result<(), Text> {
        if self.lock.until().is_some() {
            self.lock.close();
            let entry = Entry::new(self.now(), self.setup.operator.clone(), word, said);
            self.record(&entry).await;
        }
        (self.setup.tell)(message::Event::Lock { until: None, why: None });
        Ok(())
    }

    pub(super) async fn recover(&mut self, reply: Reply<Vec<Receipt>>) {
        let is_first = matches!(self.mode, Mode::NotRecovered);
        if self.setup.read_only.is_some() || !is_first {
            if is_first {
                self.mode = Mode::Ready;
            }
            return drop(reply.send(Ok(Vec::new())));
        }
        // A failure has answered by dropping nothing: the reply is taken only where recovery began.
        let journal = Arc::clone(&self.setup.journal);
        if let Err(error) = journal.open_acts().await {
            return drop(reply.send(Err(Text::new(error.to_string()))));
        }
        if let Err(why) = self.begin_recovery(Some(reply)).await {
            (self.setup.tell)(message::Event::Notice { said: why, is_error: true });
        }
    }

    async fn begin_recovery(&mut self, reply: Option<Reply<Vec<Receipt>>>) -> Result<(), Text> {
        let journal = Arc::clone(&self.setup.journal);
        let open = journal.open_acts().await.map_err(|error| Text::new(error.to_string()))?;
        let acts: Vec<_> = open.iter().map(|act| act.plan.id.clone()).collect();
        self.mode = Mode::Recovering { acts: acts.clone(), reply };
        for act in open {
            self.adopt(act);
        }
        for id in &acts {
            self.feed(id, Event::Recover).await;
        }
        Ok(())
    }

    /// Answers once everything found has been looked up and nothing is on its way.
    pub(super) fn report_recovery(&mut self) {
        if !self.flights.is_empty() || !matches!(self.mode, Mode::Recovering { .. }) {
            return;
        }
        let Mode::Recovering { acts, reply } = mem::replace(&mut self.mode, Mode::Ready) else { return };
        let now = self.now();
        let known = || self.running.iter().map(|running| &running.act).chain(&self.ended);
        let receipts: Vec<_> =
            acts.iter().filter_map(|id| known().find(|act| act.plan.id == *id)).map(|act| self.receipt(act, now)).collect();
        if let Some(reply) = reply {
            drop(reply.send(Ok(receipts.clone())));
        }
        (self.setup.tell)(message::Event::Recovered(receipts));
    }

    /// Starts nothing more; what has not been sent is said to be so.
    pub(super) async fn stop(&mut self, reply: Option<Reply<()>>) {
        self.mode = Mode::Stopping(reply);
        self.looks.clear();
        let held: Vec<_> = self.intended().map(|act| act.plan.id.clone()).collect();
        for id in &held {
            if self.broken.is_none() {
                self.feed(id, Event::Recover).await;
            }
        }
    }
}

/// Whether the preview can be confirmed, and was.
fn confirmed(proposal: &Proposal, typed: &str, now: DateTime<Utc>) -> Result<(), Text> {
    let preview = &proposal.preview;
    if !proposal.is_fresh(now) {
        return Err(Text::new("the preview is too old: look again"));
    }
    if !preview.missing.is_empty() {
        return Err(Text::new(format!("still to be given: {}", preview.missing.join(", "))));
    }
    if proposal.plans.is_empty() {
        let why = preview.refused.first().map_or("nothing can be done", |(_, why)| why.original());
        return Err(Text::new(why));
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if preview.confirm == Confirm::Typed && words(typed) != words(&preview.expected) {
        return Err(Text::new(format!("type {} to confirm: nothing was sent", preview.expected)));
    }
    Ok(())
}
