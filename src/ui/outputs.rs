//! What commands print: the last lines of each that runs, or that ran lately.

use chrono::{DateTime, Utc};

use crate::domain::{command::Printed, plan::ActionId};

/// Runs whose output is kept; the journal has the end of each.
const KEPT: usize = 16;

/// One run, as far as it was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    pub plan: ActionId,
    pub printed: Printed,
    pub began: DateTime<Utc>,
}

/// Newest first.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    list: Vec<Output>,
}

impl Outputs {
    pub fn hear(&mut self, plan: ActionId, printed: Printed, now: DateTime<Utc>) {
        match self.list.iter_mut().find(|output| output.plan == plan) {
            Some(output) => output.printed = printed,
            None => self.list.insert(0, Output { plan, printed, began: now }),
        }
        self.list.truncate(KEPT);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Output> {
        self.list.iter()
    }

    pub fn find(&self, plan: &ActionId) -> Option<&Output> {
        self.list.iter().find(|output| output.plan == *plan)
    }
}
