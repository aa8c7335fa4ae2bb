//! Claims: who has an item in hand, as the business's own database keeps it for every operator and every cockpit.
//!
//! The number of a claim (its epoch) counts the decisions on one target. Two operators who saw the same state of it ask
//! for the same number, and the database gives it once; whoever comes second looks again before anything is sent.

use crate::domain::zone::Zone;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    journal::{Act, ActState, Phase},
    plan::{ActionId, Plan, Target},
    planning::{self, Setting},
    text::Text,
};

/// What an act asks for before its first attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub act: ActionId,
    pub target: String,
    pub epoch: u32,
    /// The action's id: whoever reads the table sees what was decided.
    pub action: String,
    pub operator: String,
    /// The record in which the act stands: only that one takes the claim over or gives it back.
    pub journal: String,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Done,
    /// Some of it happened, or nobody can rule it out.
    Partly,
    Nothing,
}

impl Ending {
    pub const ALL: [Self; 3] = [Self::Done, Self::Partly, Self::Nothing];

    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Nothing => "nothing",
        }
    }

    /// A word that is none of ours was put there by a hand: it rules nothing out.
    pub fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|ending| ending.word() == word).unwrap_or(Self::Partly)
    }

    /// How an act that is over ended; `None` while it is not.
    pub fn of(state: &ActState) -> Option<Self> {
        let partly = |is_so| if is_so { Self::Partly } else { Self::Nothing };
        match state.phase {
            Phase::Done | Phase::Settled => Some(Self::Done),
            Phase::FailedLate
            | Phase::Rejected
            | Phase::Changed
            | Phase::TakenBack
            | Phase::Refused
            | Phase::NotSent
            | Phase::Expired => Some(partly(state.may_have_happened())),
            Phase::Planned
            | Phase::Intent { .. }
            | Phase::Claimed
            | Phase::Sent
            | Phase::Confirmed
            | Phase::Again { .. }
            | Phase::Unknown { .. }
            | Phase::Conflict => None,
        }
    }
}

/// A claim as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub act: ActionId,
    pub target: String,
    pub epoch: u32,
    pub action: String,
    pub operator: String,
    pub journal: String,
    /// By the database's clock.
    pub since: DateTime<Utc>,
    /// `None` while the act is under way.
    pub ended: Option<Ending>,
}

/// Every claim on some targets, and the moment at which they were read, by the database's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub now: DateTime<Utc>,
    pub held: Vec<Held>,
}

impl Claims {
    pub fn on(&self, target: &str) -> Vec<Held> {
        self.held.iter().filter(|held| held.target == target).cloned().collect()
    }
}

/// The name of a target among all of a pack's. The same key in two queues is two targets, unless the pack says that they
/// hold the same items (`Pack::known_as`).
pub fn target_name(target: &Target) -> String {
    let queue = target.queue.as_ref().map_or("", |queue| queue.as_str());
    format!("{queue}/{}", target.key)
}

/// The number that the next decision on a target takes.
pub fn next_epoch(held: &[Held]) -> u32 {
    held.iter().map(|held| held.epoch.saturating_add(1)).max().unwrap_or(0)
}

/// The ends, by one's own record, of one's own acts on a target: what a start or a broken line left claimed.
pub fn settled(earlier: &[Act]) -> Vec<(ActionId, Ending)> {
    earlier.iter().filter_map(|act| Some((act.plan.id.clone(), Ending::of(&act.state)?))).collect()
}

/// How a moment is said to the operator.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: DateTime<Utc>,
    pub timezone: Zone,
    /// What lies between the database's clock and the cockpit's, where a demo moved the latter.
    pub ahead: TimeDelta,
}

impl Moment {
    fn said(&self, at: DateTime<Utc>) -> String {
        let (at, now) = ((at + self.ahead).with_timezone(&self.timezone), self.now.with_timezone(&self.timezone));
        let form = if at.date_naive() == now.date_naive() { "%H:%M" } else { "%a %-d %b, %H:%M" };
        at.format(form).to_string()
    }
}

/// Why the claims on its target forbid a plan, if they do: another operator has it in hand, someone decided it since it
/// was shown, or the very same money moved already. One's own claims bar nothing here: the record judges those.
pub fn bar(plan: &Plan, held: &[Held], journal: &str, setting: &Setting<'_>, moment: &Moment) -> Option<Text> {
    let is_ours = |held: &&Held| held.journal == journal;
    let said = |who: &Held, what: &str| {
        Text::new(format!("{} {what} {} ({}): nothing was sent", who.operator, moment.said(who.since), who.action))
    };
    if let Some(open) = held.iter().find(|held| held.ended.is_none() && !is_ours(held)) {
        return Some(said(open, "has had it since"));
    }
    let is_same = |held: &&Held| held.act == planning::id_at(plan, held.epoch, setting);
    let moved = held.iter().find(|held| held.ended.is_some_and(|end| end != Ending::Nothing) && is_same(held));
    if let Some(moved) = moved.filter(|_| plan.amount.is_some()) {
        let what = if moved.ended == Some(Ending::Done) { "did the same at" } else { "began the same, and may have done it, at" };
        return Some(said(moved, what));
    }
    let is_own = |held: &Held| held.act == plan.id && held.journal == journal;
    let later = held.iter().find(|held| held.epoch >= plan.epoch && !is_own(held))?;
    Some(said(later, if is_ours(&later) { "claimed it again at" } else { "was quicker: had it at" }))
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
