//! What became of each act, as far as the screen was told.

use chrono::{DateTime, Utc};

use crate::domain::plan::{ActionId, Receipt, Standing, Target};

/// Acts kept; the journal has them all.
const KEPT: usize = 1_000;

#[derive(Clone, Debug, Default)]
pub struct Receipts {
    /// Newest first.
    list: Vec<Receipt>,
}

impl Receipts {
    pub fn take(&mut self, receipt: Receipt) {
        if let Some(at) = self.list.iter().position(|known| known.plan == receipt.plan) {
            if self.list.get(at).is_some_and(|known| known.at > receipt.at) {
                return;
            }
            self.list.remove(at);
        }
        let at = self.list.partition_point(|known| known.at > receipt.at);
        self.list.insert(at, receipt);
        self.list.truncate(KEPT);
    }

    /// A snapshot's receipts: newer standings win; what it no longer tells of and is not over is taken as it says.
    pub fn take_all(&mut self, receipts: &[Receipt]) {
        if self.list.as_slice() == receipts {
            return;
        }
        for receipt in receipts.iter().rev() {
            self.take(receipt.clone());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Receipt> {
        self.list.iter()
    }

    pub fn of(&self, target: &Target) -> Option<&Receipt> {
        self.list.iter().find(|receipt| receipt.target == *target)
    }

    pub fn find(&self, plan: &ActionId) -> Option<&Receipt> {
        self.list.iter().find(|receipt| receipt.plan == *plan)
    }

    /// Acts that wait out their hold; the one that is sent next comes first.
    pub fn held(&self, now: DateTime<Utc>) -> Vec<&Receipt> {
        let mut held: Vec<&Receipt> = self
            .list
            .iter()
            .filter(|receipt| receipt.standing == Standing::Held && receipt.held_until.is_none_or(|until| until > now))
            .collect();
        held.sort_by_key(|receipt| receipt.held_until);
        held
    }

    pub fn count(&self, standing: Standing) -> usize {
        self.list.iter().filter(|receipt| receipt.standing == standing).count()
    }

    /// Held, waiting and under way: what a quit would cut short.
    pub fn unfinished(&self) -> usize {
        self.count(Standing::Held) + self.count(Standing::Waiting) + self.count(Standing::UnderWay)
    }
}
