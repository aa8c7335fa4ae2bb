//! A command that runs is ended because an operator says so. Never without a line on record before it.

use std::sync::Arc;

use super::driver::Driver;

use crate::domain::{
    age,
    journal::{Entry, Phase},
    plan::{ActionId, Order},
    severity::Severity,
    text::Text,
};

impl Driver {
    /// Nothing has to be unlocked for it: it takes nothing further. A batch that it is part of is paused, so that the next
    /// of it does not begin in its place.
    pub(super) async fn stop_run(&mut self, id: &ActionId) -> Result<Text, Text> {
        let Some(act) = self.find(id).map(|running| running.act.clone()) else {
            return Err(Text::new("it has ended already"));
        };
        let order = act.plan.steps.get(act.state.steps_done()).map(|step| &step.order);
        let Some(Order::Command { on, .. }) = order.filter(|_| act.state.phase == Phase::Sent) else {
            return Err(Text::new("no command of it runs now: there is nothing to stop"));
        };
        let Some(system) = self.setup.connections.find(on).map(Arc::clone) else {
            return Err(Text::new(format!("`{on}` is not connected")));
        };
        let now = self.now();
        let ran = self.flying_since(id).map_or_else(String::new, |since| format!(" after {}", age::span(now - since)));
        let what = format!("{} {}", act.plan.title, act.plan.label.original());
        let entry = Entry::new(now, self.setup.operator.clone(), "STOP", format!("{what}: asked to end{ran}"));
        self.record(&entry.severity(Severity::Yellow)).await;
        if let Some(why) = self.broken.clone() {
            return Err(why);
        }
        if !system.cut_short(id, &self.setup.operator) {
            return Err(Text::new("it has just ended, or is being stopped already"));
        }
        let batch = act.plan.batch.filter(|batch| self.batches.iter().any(|known| known.report.id == *batch));
        if let Some(batch) = batch {
            self.pause(&batch, true).await?;
            return Ok(Text::new(format!("stopping {what}; the rest of its batch is paused")));
        }
        Ok(Text::new(format!("stopping {what}")))
    }
}
