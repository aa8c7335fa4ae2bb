//! What became of each act, as far as the screen was told.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::plan::{ActionId, Receipt, Standing, Target};

/// Acts kept; the journal has them all.
const KEPT: usize = 1_000;

/// How long an act is kept that no snapshot tells of any more.
const REMEMBERED: TimeDelta = TimeDelta::minutes(2);

#[derive(Clone, Debug, Default)]
pub struct Receipts {
    /// Newest first.
    list: Vec<Receipt>,
}

impl Receipts {
    /// What the engine tells of one act comes in order: it holds even where a clock was set back meanwhile.
    pub fn hear(&mut self, receipt: Receipt) {
        self.list.retain(|known| known.plan != receipt.plan);
        self.take(receipt);
    }

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

    /// A snapshot's receipts: newer standings win; what it no longer tells of is forgotten after a while.
    pub fn take_all(&mut self, receipts: &[Receipt], taken_at: DateTime<Utc>) {
        if self.list.as_slice() == receipts {
            return;
        }
        let told = |known: &Receipt| receipts.iter().any(|receipt| receipt.plan == known.plan);
        self.list.retain(|known| taken_at - known.at < REMEMBERED || told(known));
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

    /// True where several acts are held and all of them were confirmed as one batch.
    pub fn held_together(&self, now: DateTime<Utc>) -> bool {
        let held = self.held(now);
        let batch = held.first().and_then(|receipt| receipt.batch.as_ref());
        held.len() > 1 && batch.is_some() && held.iter().all(|receipt| receipt.batch.as_ref() == batch)
    }

    /// Acts for a person to decide: first those of which nobody knows whether they happened, then those left half done,
    /// then those whose proof alone is missing.
    pub fn to_decide(&self) -> impl Iterator<Item = &Receipt> {
        let unknown = self.list.iter().filter(|receipt| receipt.standing == Standing::Unknown);
        let unproven = self.list.iter().filter(|receipt| receipt.has_rest && !receipt.is_half_done());
        unknown.chain(self.half_done()).chain(unproven)
    }

    pub fn half_done(&self) -> impl Iterator<Item = &Receipt> {
        self.list.iter().filter(|receipt| receipt.is_half_done())
    }

    pub fn count(&self, standing: Standing) -> usize {
        self.list.iter().filter(|receipt| receipt.standing == standing).count()
    }

    /// Held, waiting and under way: what a quit would cut short.
    pub fn unfinished(&self) -> usize {
        self.count(Standing::Held) + self.count(Standing::Waiting) + self.count(Standing::UnderWay)
    }
}
