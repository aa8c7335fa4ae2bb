//! From a confirmed preview to acts on disk. Nothing is confirmed while writing is locked or recovery is not done.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    batch::Batch,
    driver::{Driver, Mode},
    preview::Proposal,
};

use crate::{
    domain::{
        age,
        journal::{Act, ActState, Event, Phase},
        pack::Confirm,
        plan::{Plan, Standing},
        policy::{self, Context, Refusal},
        text::Text,
    },
    engine::message::Ask,
    ports::StoreError,
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
        let Some(Proposal { action, plans, preview, skew, .. }) = place.and_then(|place| self.proposals.remove(place)) else {
            return Err(Text::new("there is no such preview any more: look again"));
        };
        if let Some(id) = plans.iter().find_map(|plan| plan.batch.clone()) {
            let stops_at_unknown = action.stops_at_unknown || plans.iter().any(|plan| plan.amount.is_some());
            let title = format!("{} {}", action.title, plans.len());
            self.batches.push(Batch::new(id, title, plans.len(), stops_at_unknown, now));
        }
        let until = now + TimeDelta::from_std(preview.hold).unwrap_or(TimeDelta::zero());
        let count = plans.len();
        let mut left_out = None;
        for plan in plans {
            let (title, target) = (plan.title.clone(), plan.target.key.clone());
            let of_batch = plan.batch.is_some().then(|| plan.clone());
            let Err(why) = self.intend(plan, until, skew).await else { continue };
            // What was confirmed before it goes on: the batch says of this one why it does not.
            let Some(plan) = of_batch.filter(|_| self.broken.is_none()) else { return Err(why) };
            self.record_refusals(&title, &[(target, why.clone())]).await;
            self.skip(&plan, now).await;
            left_out = Some(why);
        }
        let held =
            if until > now { format!("held for {}: u takes it back", age::span(until - now)) } else { "confirmed".to_owned() };
        let said = if count == 1 { held } else { format!("{count} {held}") };
        Ok(Text::new(match left_out {
            Some(why) => format!("{said}; not all of them: {}", why.original()),
            None => said,
        }))
    }

    async fn intend(&mut self, plan: Plan, until: DateTime<Utc>, skew: TimeDelta) -> Result<(), Text> {
        let now = self.now();
        let said = |error: StoreError| Text::new(error.to_string());
        let Some(action) = self.action(&plan) else {
            return Err(Text::new(format!("`{}` is no longer in the pack", plan.action)));
        };
        if self.is_flying(&plan.id) && self.find(&plan.id).is_none() {
            return Err(Text::new("the same act was just taken back and is still being read: again in a moment"));
        }
        let journal = Arc::clone(&self.setup.journal);
        let earlier = journal.acts_on(&plan.target).await.map_err(said)?;
        let (money_today, money_this_session) = self.money_without(None).await.map_err(said)?;
        let context = Context {
            action: &action,
            policy: &self.setup.pack.policy,
            currency: self.setup.pack.currency,
            timezone: self.setup.pack.timezone,
            may_write: true,
            wrong_account: self.account.bars(action.needs_the_account()),
            // Judged in the claim itself.
            claimed: None,
            drawn: None,
            earlier: &earlier,
            money_today,
            money_this_session,
            now: now + skew,
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
        if batch.count(&plan.id, Standing::Refused, now) {
            let entry = batch.entry(&self.setup.operator, now);
            self.record(&entry).await;
        }
    }

    /// Everything but the lock that must be so before anything is sent.
    pub(super) fn may_act(&self) -> Result<(), Text> {
        if let Some(barrier) = &self.setup.barrier {
            return Err(barrier.why().clone());
        }
        if let Some(why) = self.account.another().or(self.broken.as_ref()) {
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
