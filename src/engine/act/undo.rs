//! Taking back: what is held is withdrawn, what is done is undone by the action that the pack names for it.

use std::sync::Arc;

use super::{Reply, TakenBack, aim::Aim, driver::Driver, preview::Asker};

use crate::{
    domain::{
        journal::{Act, Event, Phase},
        plan::{ActionId, Standing},
        planning::CURRENT,
        rows::Params,
        text::Text,
        value::Value,
    },
    engine::message::Ask,
};

impl Driver {
    pub(super) async fn take_back(&mut self, ask: Ask, plan: Option<ActionId>, reply: Reply<TakenBack>) {
        let held = self.held(plan.as_ref());
        if !held.is_empty() {
            for id in &held {
                self.feed(id, Event::TakeBack).await;
            }
            let said = Text::new(match held.len() {
                1 => "taken back before it was sent".to_owned(),
                count => format!("{count} taken back before they were sent"),
            });
            let withdrawn = self.broken.clone().map_or(Ok(TakenBack::Withdrawn(said)), Err);
            return drop(reply.send(withdrawn));
        }
        match self.undoable(plan).await {
            Ok(acts) => self.propose_undo(ask, &acts, reply),
            Err(why) => drop(reply.send(Err(why))),
        }
    }

    /// The act itself where it is still held; without one, the latest that is, with all that was confirmed together with it.
    fn held(&self, plan: Option<&ActionId>) -> Vec<ActionId> {
        if let Some(id) = plan {
            return self.intended().filter(|act| act.plan.id == *id).map(|act| act.plan.id.clone()).collect();
        }
        let now = self.now();
        let held = |act: &&Act| act.state.standing(now) == Standing::Held;
        let Some(latest) = self.intended().filter(held).last() else { return Vec::new() };
        let is_with_it = |act: &&Act| match &latest.plan.batch {
            Some(batch) => act.plan.batch.as_ref() == Some(batch),
            None => act.plan.id == latest.plan.id,
        };
        self.intended().filter(is_with_it).map(|act| act.plan.id.clone()).collect()
    }

    async fn undoable(&mut self, plan: Option<ActionId>) -> Result<Vec<Act>, Text> {
        let Some(id) = plan else {
            let is_done = |act: &&Act| act.state.phase == Phase::Done && self.undo_of(act).is_some();
            let Some(latest) = self.ended.iter().find(is_done) else {
                return Err(Text::new("there is nothing to take back"));
            };
            let is_with_it = |act: &&Act| match &latest.plan.batch {
                Some(batch) => act.plan.batch.as_ref() == Some(batch) && act.state.phase == Phase::Done,
                None => act.plan.id == latest.plan.id,
            };
            return Ok(self.ended.iter().filter(is_with_it).cloned().collect());
        };
        if let Some(running) = self.find(&id) {
            let standing = running.act.state.standing(self.now());
            return Err(Text::new(format!("it is {}: too late to take it back", standing.word())));
        }
        let journal = Arc::clone(&self.setup.journal);
        match journal.act(&id).await {
            Ok(Some(act)) if act.state.phase == Phase::Done => Ok(vec![act]),
            Ok(Some(act)) => {
                Err(Text::new(format!("it is {}: there is nothing to take back", act.state.standing(self.now()).word())))
            }
            Ok(None) => Err(Text::new("there is no such act")),
            Err(error) => Err(Text::new(error.to_string())),
        }
    }

    fn undo_of(&self, act: &Act) -> Option<crate::domain::id::Id<crate::domain::pack::Action>> {
        self.action(&act.plan).and_then(|action| action.undo)
    }

    fn propose_undo(&mut self, ask: Ask, acts: &[Act], reply: Reply<TakenBack>) {
        let undo = acts.first().and_then(|act| self.undo_of(act));
        let Some(undo) = undo else {
            return drop(reply.send(Err(Text::new("it cannot be taken back"))));
        };
        // The act itself has changed the row, so the row before it is no measure of what others changed.
        let aim = |act: &Act| Aim { target: act.plan.target.clone(), row: act.plan.row.clone(), is_drawn: false };
        // What is undone by itself is set back to what it was: a flag to its value before.
        let inputs = match acts {
            [act] if act.plan.action == undo => act.plan.row.get(CURRENT).map_or_else(Params::new, |before| {
                let reason = format!("taken back: {}", act.plan.label);
                Params::from([("value".to_owned(), before.clone()), ("reason".to_owned(), Value::text(reason))])
            }),
            _ => Params::new(),
        };
        self.propose(ask, &undo, acts.iter().map(aim).collect(), inputs, Asker::Undo(reply));
    }
}
