//! What recovery found of an earlier run, kept up to date while it is settled, for the screen and for `journal recover`.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Reply, aim::Aim, driver::Driver, preview::Asker};

use crate::{
    domain::{
        journal::{Act, Phase},
        plan::{ActionId, BatchId, Receipt},
        planning,
        recovery::{CutBatch, LeftAct, Recovery},
        rows::Params,
        text::Text,
    },
    engine::message::{Ask, Preview},
    ports::StoreError,
};

/// The acts as they were found, and how far each has come since.
pub(super) struct Findings {
    began_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// Told one by one, as they were found.
    told: Vec<LeftAct>,
    batches: Vec<(BatchId, Vec<ActionId>)>,
    /// Every act of both, as it stands.
    acts: HashMap<ActionId, Act>,
    left_alone: Option<Text>,
}

impl Findings {
    /// `open` acts, those that ended half way, and the batches that were cut off; `None` where there is nothing.
    fn of(
        open: &[Act],
        half_way: &[Act],
        batches: Vec<(BatchId, Vec<Act>)>,
        receipt: impl Fn(&Act) -> Receipt,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let is_counted = |act: &&Act| {
            let never_sent = matches!(act.state.phase, Phase::Intent { .. } | Phase::Claimed);
            let cut = |id: &BatchId| batches.iter().any(|(cut, _)| cut == id);
            never_sent && act.plan.batch.as_ref().is_some_and(cut)
        };
        let told = open.iter().filter(|act| !is_counted(act)).chain(half_way);
        let told: Vec<_> = told.map(|act| LeftAct::found(act, receipt(act), now)).collect();
        if told.is_empty() && batches.is_empty() {
            return None;
        }
        let named = |acts: &[Act]| acts.iter().map(|act| act.plan.id.clone()).collect();
        let listed = batches.iter().map(|(id, acts)| (id.clone(), named(acts))).collect();
        let acts = batches.into_iter().flat_map(|(_, acts)| acts).chain(half_way.iter().chain(open).cloned());
        let acts = acts.map(|act| (act.plan.id.clone(), act)).collect();
        Some(Self { began_at: now, ended_at: None, told, batches: listed, acts, left_alone: None })
    }

    /// An act has moved.
    pub(super) fn note(&mut self, act: &Act) {
        if let Some(known) = self.acts.get_mut(&act.plan.id) {
            known.clone_from(act);
        }
    }

    pub(super) fn end(&mut self, now: DateTime<Utc>, left_alone: Option<&Text>) {
        self.ended_at.get_or_insert(now);
        self.left_alone = left_alone.cloned();
    }

    /// The acts of a batch, as they stand.
    pub(super) fn batch(&self, id: &BatchId) -> Option<Vec<Act>> {
        let (_, acts) = self.batches.iter().find(|(known, _)| known == id)?;
        Some(acts.iter().filter_map(|act| self.acts.get(act)).cloned().collect())
    }

    fn report(
        &self,
        receipt: impl Fn(&Act) -> Receipt,
        waits_for: impl Fn(&ActionId) -> Option<(Text, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> Recovery {
        let acts = self.told.iter().map(|told| {
            let act = self.acts.get(&told.receipt.plan);
            let receipt = act.map_or_else(|| told.receipt.clone(), &receipt);
            if let Some(why) = &self.left_alone {
                let asks = Text::new(format!("nothing can be asked: {}", why.original()));
                return LeftAct { waits_for: None, asks, receipt, ..told.clone() };
            }
            LeftAct { waits_for: waits_for(&receipt.plan), receipt, ..told.clone() }
        });
        Recovery {
            began_at: self.began_at,
            ended_at: self.ended_at,
            acts: acts.collect(),
            batches: self
                .batches
                .iter()
                .filter_map(|(id, _)| CutBatch::count(id, &self.batch(id).unwrap_or_default(), now))
                .collect(),
            left_alone: self.left_alone.clone(),
        }
    }
}

impl Driver {
    /// Reads what is half done and cut off beside the acts that are open; nothing of it is touched.
    pub(super) async fn list_findings(&mut self, open: &[Act]) -> Result<(), StoreError> {
        let journal = Arc::clone(&self.setup.journal);
        let mut half_way = journal.half_way_acts().await?;
        half_way.retain(|act| planning::belongs(&act.plan, &self.setting()));
        let mut batches = Vec::new();
        for acts in journal.cut_batches().await? {
            let Some(id) = acts.iter().find_map(|act| act.plan.batch.clone()) else { continue };
            let is_ours = acts.iter().all(|act| planning::belongs(&act.plan, &self.setting()));
            if is_ours && !self.batches.iter().any(|batch| batch.report.id == id) {
                batches.push((id, acts));
            }
        }
        let now = self.now();
        self.findings = Findings::of(open, &half_way, batches, |act| self.receipt(act, now), now);
        for act in half_way {
            self.show_ended(act);
        }
        Ok(())
    }

    /// Proposes what a batch never sent. The row that was confirmed is the one drawn: whatever changed since is refused.
    pub(super) fn resume(&mut self, ask: Ask, batch: &BatchId, inputs: Params, reply: Reply<Box<Preview>>) {
        if let Err(why) = self.may_act() {
            return drop(reply.send(Err(why)));
        }
        let acts = self.findings.as_ref().and_then(|findings| findings.batch(batch)).unwrap_or_default();
        let is_left = |act: &&Act| act.state.phase == Phase::NotSent && act.plan.batch.as_ref() == Some(batch);
        let left: Vec<&Act> = acts.iter().filter(is_left).collect();
        let Some(first) = left.first() else {
            return drop(reply.send(Err(Text::new("nothing of it is left to send"))));
        };
        let aim = |act: &&Act| Aim { target: act.plan.target.clone(), row: act.plan.row.clone(), is_drawn: true };
        let (action, aims) = (first.plan.action.clone(), left.iter().map(aim).collect());
        self.propose(ask, &action, aims, inputs, Asker::Preview(reply));
    }

    pub(super) fn recovery(&self, now: DateTime<Utc>) -> Option<Arc<Recovery>> {
        let findings = self.findings.as_ref()?;
        let waits_for = |id: &ActionId| {
            if self.account.unsettled.contains(id) {
                return Some((Text::new("Stripe, to say whose key this is,"), findings.began_at));
            }
            let since = self.flying_since(id)?;
            let act = findings.acts.get(id)?;
            let whom = act.plan.steps.get(act.state.steps_done()).map_or("", |step| step.order.connection().as_str());
            Some((Text::new(whom), since))
        };
        Some(Arc::new(findings.report(|act| self.receipt(act, now), waits_for, now)))
    }
}
