//! Where one act stands: what is written to disk between any two moments of its life.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    outcome::{Answer, Mark},
    step::key_is_good,
};

use crate::domain::{
    plan::{Order, Plan, Receipt, Standing},
    text::Text,
};

/// A plan and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    pub plan: Plan,
    pub state: ActState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Made and shown; nothing is on disk yet.
    Planned,
    /// Confirmed by the operator. Not sent before `until`.
    Intent {
        until: DateTime<Utc>,
    },
    /// Claimed in the business's own database, and judged there by its clock. Nothing has been sent.
    Claimed,
    /// An attempt is on its way.
    Sent,
    /// A step is through and the next one has not been sent.
    Confirmed,
    /// The last attempt certainly did nothing; the same key goes out again at `at`.
    Again {
        at: DateTime<Utc>,
    },
    /// An attempt may have happened. Looked up at `look_at`, where it is looked up by itself.
    Unknown {
        look_at: Option<DateTime<Utc>>,
    },
    Done,
    /// Done so long ago that the outside no longer undoes it by itself.
    Settled,
    /// The outside undid it by itself after it was done, days later perhaps: a person decides what to do instead.
    FailedLate,
    Rejected,
    Changed,
    TakenBack,
    Refused,
    /// The program ended before the first attempt.
    NotSent,
    /// It did not happen, and it is not sent again by itself: its key is too old, or a person says so. A first step is
    /// planned anew; of a later one, what came before stands, and a person finishes or closes the rest.
    Expired,
    /// Something like it happened and nothing says by whom: a person decides.
    Conflict,
}

impl Phase {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Intent { .. } => "intent",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Again { .. } => "again",
            Self::Unknown { .. } => "unknown",
            Self::Done => "done",
            Self::Settled => "settled",
            Self::FailedLate => "failed_late",
            Self::Rejected => "rejected",
            Self::Changed => "changed",
            Self::TakenBack => "taken_back",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Expired => "expired",
            Self::Conflict => "conflict",
        }
    }

    /// True where nothing more happens by itself and nothing is unsettled.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Planned
            | Self::Intent { .. }
            | Self::Claimed
            | Self::Sent
            | Self::Confirmed
            | Self::Again { .. }
            | Self::Unknown { .. }
            | Self::Conflict => false,
            Self::Done
            | Self::Settled
            | Self::FailedLate
            | Self::Rejected
            | Self::Changed
            | Self::TakenBack
            | Self::Refused
            | Self::NotSent
            | Self::Expired => true,
        }
    }
}

/// A no that is believed only after a look, because an earlier attempt of the same step may have happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    Rejected(Text),
    Changed(Text),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActState {
    pub phase: Phase,
    /// What the outside answered to each step that is through, in order.
    pub answers: Vec<Answer>,
    /// Attempts of the current step.
    pub attempts: u32,
    /// Attempts since the operator or a start last asked; bounded.
    pub tries: u32,
    /// Looks since the last attempt; bounded.
    pub looks: u32,
    /// When the key of the current step first went out.
    pub first_sent_at: Option<DateTime<Utc>>,
    /// True once an attempt of the current step may have happened.
    pub doubtful: bool,
    pub denial: Option<Denial>,
    /// The first of two looks that found nothing, where the key is too old to be sent again.
    pub absent_since: Option<DateTime<Utc>>,
    /// True once anything of this act has gone out.
    pub was_sent: bool,
    /// True from the moment that a claim was asked for: it must be given back at the end.
    #[serde(default)]
    pub may_be_claimed: bool,
    /// A person leaves the rest of it undone.
    #[serde(default)]
    pub is_closed: bool,
    /// The last lines that the latest attempt printed, where it prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed: Option<Text>,
    /// Why it stands so, or what was answered.
    pub said: Text,
    /// When it last moved.
    pub at: Option<DateTime<Utc>>,
}

impl Default for ActState {
    fn default() -> Self {
        Self {
            phase: Phase::Planned,
            answers: Vec::new(),
            attempts: 0,
            tries: 0,
            looks: 0,
            first_sent_at: None,
            doubtful: false,
            denial: None,
            absent_since: None,
            was_sent: false,
            may_be_claimed: false,
            is_closed: false,
            printed: None,
            said: Text::new(""),
            at: None,
        }
    }
}

impl ActState {
    pub fn steps_done(&self) -> usize {
        self.answers.len()
    }

    /// Names the attempt that is, or was last, under way.
    pub fn mark(&self, plan: &Plan) -> Mark {
        self.mark_of(plan, self.steps_done())
    }

    /// Names a step, by its number from 0.
    pub fn mark_of(&self, plan: &Plan, step: usize) -> Mark {
        Mark {
            action: plan.id.clone(),
            step,
            attempt: self.attempts.max(1),
            target: plan.target.key.clone(),
            operator: plan.operator.clone(),
        }
    }

    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match self.phase {
            Phase::Intent { until } if until > now => Standing::Held,
            Phase::Planned | Phase::Intent { .. } => Standing::Waiting,
            Phase::Claimed | Phase::Sent | Phase::Confirmed | Phase::Again { .. } => Standing::UnderWay,
            Phase::Unknown { .. } | Phase::Conflict => Standing::Unknown,
            Phase::Done | Phase::Settled => Standing::Done,
            Phase::Rejected | Phase::Expired | Phase::FailedLate => Standing::Rejected,
            Phase::Changed => Standing::Changed,
            Phase::TakenBack => Standing::TakenBack,
            Phase::Refused => Standing::Refused,
            Phase::NotSent => Standing::NotSent,
        }
    }

    /// When time alone moves it on.
    pub fn wakes_at(&self) -> Option<DateTime<Utc>> {
        match self.phase {
            Phase::Intent { until } => Some(until),
            Phase::Again { at } => Some(at),
            Phase::Unknown { look_at } => look_at,
            Phase::Planned
            | Phase::Claimed
            | Phase::Sent
            | Phase::Confirmed
            | Phase::Done
            | Phase::Settled
            | Phase::FailedLate
            | Phase::Rejected
            | Phase::Changed
            | Phase::TakenBack
            | Phase::Refused
            | Phase::NotSent
            | Phase::Expired
            | Phase::Conflict => None,
        }
    }

    /// True where money or anything else of this act is, or may be, outside: counted by caps, never planned twice.
    pub fn may_have_happened(&self) -> bool {
        let is_through = !self.answers.is_empty() && self.phase != Phase::FailedLate;
        is_through
            || match self.phase {
                Phase::Done | Phase::Settled | Phase::Unknown { .. } | Phase::Conflict | Phase::Sent | Phase::Confirmed => true,
                Phase::Again { .. } => self.doubtful,
                Phase::Planned
                | Phase::Intent { .. }
                | Phase::Claimed
                | Phase::FailedLate
                | Phase::Rejected
                | Phase::Changed
                | Phase::TakenBack
                | Phase::Refused
                | Phase::NotSent
                | Phase::Expired => false,
            }
    }
}

impl Act {
    /// Ended with some of its steps through and the rest not, and nobody has closed it: what came before stands.
    pub fn is_half_way(&self) -> bool {
        matches!(self.state.phase, Phase::Rejected | Phase::Changed | Phase::Expired)
            && !self.state.is_closed
            && (1..self.plan.steps.len()).contains(&self.state.steps_done())
    }

    /// As the state's own; of an act whose proof alone is missing, that.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match (self.state.standing(now), self.plan.steps.get(self.state.steps_done()).map(|step| &step.order)) {
            (Standing::Rejected, Some(Order::Proof { .. })) if self.is_half_way() => Standing::Unproven,
            (standing, _) => standing,
        }
    }

    pub fn receipt(&self, has_undo: bool, now: DateTime<Utc>) -> Receipt {
        let Self { plan, state } = self;
        let standing = self.standing(now);
        Receipt {
            plan: plan.id.clone(),
            action: plan.action.clone(),
            title: plan.title.clone(),
            target: plan.target.clone(),
            label: plan.label.clone(),
            amount: plan.amount,
            standing,
            said: state.said.clone(),
            steps_done: state.steps_done(),
            steps: plan.steps.len(),
            held_until: match state.phase {
                Phase::Intent { until } if until > now => Some(until),
                _ => None,
            },
            looked_for_at: match state.phase {
                Phase::Unknown { look_at } => look_at,
                _ => None,
            },
            is_final: plan.is_final,
            can_undo: has_undo && standing == Standing::Done,
            has_rest: self.is_half_way(),
            is_resendable: self.is_half_way() && key_is_good(plan, state, now),
            batch: plan.batch.clone(),
            at: state.at.unwrap_or(now),
        }
    }
}
