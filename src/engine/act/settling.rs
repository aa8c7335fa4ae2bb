//! What stands in doubt: looked up again when the operator asks, or decided by a person who has looked.

use std::sync::Arc;

use super::{account::needs_account, driver::Driver};

use crate::domain::{
    journal::{Act, Event, Phase},
    plan::ActionId,
    planning,
    text::Text,
};

impl Driver {
    pub(super) async fn look_up(&mut self, id: &ActionId) -> Result<Text, Text> {
        self.may_act()?;
        if self.is_flying(id) {
            return Err(Text::new("it is on its way: wait for the answer"));
        }
        let asked = "Stripe is being asked whose key this is; what waits for that is settled then";
        if self.account.unsettled.contains(id) {
            drop(self.ask_account());
            return Ok(Text::new(asked));
        }
        if self.find(id).is_none() {
            let journal = Arc::clone(&self.setup.journal);
            let act = journal.act(id).await.map_err(|error| Text::new(error.to_string()))?;
            let Some(act) = act else { return Err(Text::new("there is no such act")) };
            if !planning::belongs(&act.plan, &self.setting()) {
                return Err(Text::new("it was made under another account or mode: it is settled there"));
            }
            if act.state.phase.is_over() && !self.lock.is_open(self.now()) {
                return Err(Text::new("writing is locked: W unlocks it"));
            }
            if !self.account.is_own() && needs_account(&act) {
                drop(self.ask_account());
                return Err(Text::new(asked));
            }
            self.adopt(act);
        }
        self.feed(id, Event::LookUp).await;
        let flies = self.is_flying(id);
        let has_rest = self.find(id).is_some_and(|running| running.act.is_half_way());
        self.let_go();
        if flies {
            return Ok(Text::new("being looked up"));
        }
        Err(Text::new(if has_rest {
            "this step's key is too old to be sent again: do the step by hand and say so in the cockpit (D), and what comes after \
             it goes on; or leave the rest undone"
        } else {
            "there is nothing to look up"
        }))
    }

    /// What was taken up and is over after all goes back to where the ended ones are shown.
    fn let_go(&mut self) {
        let over = self.running.extract_if(.., |running| running.act.state.phase.is_over());
        let over: Vec<Act> = over.map(|running| running.act).collect();
        for act in over {
            self.show_ended(act);
        }
    }

    pub(super) async fn settle(&mut self, id: &ActionId, happened: bool) -> Result<Text, Text> {
        self.may_act()?;
        if !self.lock.is_open(self.now()) {
            return Err(Text::new("writing is locked: W unlocks it"));
        }
        if self.is_flying(id) {
            return Err(Text::new("it is on its way: wait for the answer, then decide if it is still in doubt"));
        }
        let journal = Arc::clone(&self.setup.journal);
        if self.find(id).is_none()
            && let Some(act) = journal.act(id).await.map_err(|error| Text::new(error.to_string()))?
            && planning::belongs(&act.plan, &self.setting())
        {
            self.adopt(act);
        }
        let is_open = |act: &Act| matches!(act.state.phase, Phase::Unknown { .. } | Phase::Conflict) || act.is_half_way();
        let is_open = self.find(id).is_some_and(|running| is_open(&running.act));
        if is_open {
            self.feed(id, Event::Settle { happened }).await;
        }
        self.let_go();
        if !is_open {
            return Err(Text::new("nothing about it is in doubt"));
        }
        self.broken.clone().map_or_else(|| Ok(Text::new("settled")), Err)
    }
}
