//! One intended act: what exactly will be sent where, fixed before the operator confirms it.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    amendment::Amendment,
    command::Exits,
    document::{Change, Precondition},
    finding::Finding,
    id::Id,
    money::Money,
    pack::{Action, Connection, Queue},
    proof::Proofs,
    rows::Params,
    text::Text,
    value::Value,
};

/// The name of one act, and its idempotency key everywhere: a SHA-256 in hex over what makes it that act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActionId(pub String);

impl ActionId {
    /// Enough of it for a screen.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A set of plans confirmed together; each is still an act of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchId(pub String);

/// What is acted on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The queue that it stands in; of what is acted on, the name of its items, which several queues may share
    /// (`Pack::known_as`). `None` for a flag, a job or a reconciliation's row.
    pub queue: Option<Id<Queue>>,
    /// The item's id, the flag's or the job's name.
    pub key: String,
}

/// An effect with everything filled in: what an adapter carries out, byte for byte the same at every attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Sql {
        on: Id<Connection>,
        statement: String,
        parameters: Vec<Value>,
        rows: u64,
    },
    Refund {
        on: Id<Connection>,
        charge: String,
        amount: Money,
        reason: Option<String>,
    },
    /// A change of a dispute or a subscription that is there.
    Amend {
        on: Id<Connection>,
        object: String,
        change: Amendment,
        /// What is staged, by Stripe's names; empty for every other change.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        evidence: BTreeMap<String, String>,
    },
    Http {
        on: Id<Connection>,
        method: String,
        path: String,
        body: Option<String>,
        /// Looked for before each attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        find: Option<Box<Finding>>,
        #[serde(default, skip_serializing_if = "Proofs::is_empty")]
        proofs: Proofs,
    },
    Mail {
        on: Id<Connection>,
        to: String,
        subject: String,
        body: String,
    },
    Webhook {
        on: Id<Connection>,
        text: String,
    },
    /// Run once and never again by itself.
    Command {
        on: Id<Connection>,
        arguments: Vec<String>,
        #[serde(default)]
        exits: Exits,
        /// The pack names a read that finds a trace of it.
        #[serde(default)]
        is_looked_for: bool,
    },
    /// An event sent once more, by its id: whoever takes it knows by that whether it was there before.
    Event {
        on: Id<Connection>,
        event: String,
        to: EventTo,
    },
    /// A look that proves what came before it, where it finds a row.
    Proof {
        on: Id<Connection>,
        statement: String,
        parameters: Vec<Value>,
    },
    /// Fields of one document, by their paths; nothing else of it.
    Firestore {
        on: Id<Connection>,
        document: String,
        changes: Vec<(String, Change)>,
        when: Precondition,
    },
}

/// Where an event is sent once more, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTo {
    /// The payment account sends it to its endpoint of this id.
    Endpoint(String),
    /// We send it, signed, to the handler of this name.
    Handler(String),
}

impl Order {
    pub fn connection(&self) -> &Id<Connection> {
        match self {
            Self::Sql { on, .. }
            | Self::Refund { on, .. }
            | Self::Amend { on, .. }
            | Self::Http { on, .. }
            | Self::Mail { on, .. }
            | Self::Webhook { on, .. }
            | Self::Event { on, .. }
            | Self::Proof { on, .. }
            | Self::Firestore { on, .. }
            | Self::Command { on, .. } => on,
        }
    }

    /// True where it is the payment account's: under another one's key it would seem never to have happened.
    pub fn needs_the_account(&self) -> bool {
        match self {
            Self::Refund { .. } | Self::Amend { .. } => true,
            Self::Sql { .. }
            | Self::Http { .. }
            | Self::Mail { .. }
            | Self::Webhook { .. }
            | Self::Event { .. }
            | Self::Proof { .. }
            | Self::Firestore { .. }
            | Self::Command { .. } => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub order: Order,
    /// What it does, in words.
    pub said: Text,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub id: ActionId,
    pub action: Id<Action>,
    /// The action's title ("Approve").
    pub title: String,
    pub target: Target,
    /// One line for lists and the journal.
    pub label: Text,
    /// The row as it was when the plan was made.
    pub row: Params,
    pub inputs: Params,
    pub amount: Option<Money>,
    /// Which decision on its target it is: used numbers are not used again.
    pub epoch: u32,
    /// The connection in whose database it is claimed before its first attempt; `None` where no table is kept for that.
    #[serde(default)]
    pub claim: Option<Id<Connection>>,
    pub steps: Vec<Step>,
    /// False where it can be taken back afterwards by the action's undo.
    pub is_final: bool,
    pub operator: String,
    pub planned_at: DateTime<Utc>,
    pub batch: Option<BatchId>,
}

/// How an act ended, or stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Confirmed by the operator, waiting out its hold.
    Held,
    /// Waiting its turn in a batch.
    Waiting,
    /// Being carried out.
    UnderWay,
    Done,
    /// Taken back before it was sent.
    TakenBack,
    /// A guard, a cap or a changed row stopped it; nothing was sent.
    Refused,
    /// The outside said no; what came before it stands.
    Rejected,
    /// Done as far as the outside answered, and what would prove it is not there.
    Unproven,
    /// Someone else changed the row meanwhile; nothing was overwritten.
    Changed,
    /// Sent, and no answer tells whether it happened. Looked up before anything else.
    Unknown,
    /// Never sent: the program ended before.
    NotSent,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::UnderWay => "under way",
            Self::Done => "done",
            Self::TakenBack => "taken back",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Unproven => "not proven",
            Self::Changed => "changed by someone else",
            Self::Unknown => "unknown",
            Self::NotSent => "not sent",
        }
    }

    pub fn is_over(self) -> bool {
        match self {
            Self::Held | Self::Waiting | Self::UnderWay | Self::Unknown => false,
            Self::Done | Self::TakenBack | Self::Refused | Self::Rejected | Self::Unproven | Self::Changed | Self::NotSent => {
                true
            }
        }
    }
}

/// The outcome of one plan as it is told to the operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub plan: ActionId,
    pub action: Id<Action>,
    pub title: String,
    pub target: Target,
    pub label: Text,
    pub amount: Option<Money>,
    pub standing: Standing,
    /// Why, or what the outside answered (`re_1Nx...`).
    pub said: Text,
    /// How many steps are through.
    pub steps_done: usize,
    pub steps: usize,
    /// The end of the hold, while it is held.
    pub held_until: Option<DateTime<Utc>>,
    /// When it is looked for outside by itself, or since when it is, while nobody knows whether it happened.
    #[serde(default)]
    pub looked_for_at: Option<DateTime<Utc>>,
    pub is_final: bool,
    /// True where the action's undo can still be offered.
    pub can_undo: bool,
    /// True where it failed after some of its steps: those stand, and what is left is to be finished, or closed.
    #[serde(default)]
    pub has_rest: bool,
    /// True where the step of that rest at which it failed may go out again, under its key.
    #[serde(default)]
    pub is_resendable: bool,
    pub batch: Option<BatchId>,
    pub at: DateTime<Utc>,
}

impl Receipt {
    /// True where it failed after some of its steps; where the proof alone is missing it did not fail.
    pub fn is_half_done(&self) -> bool {
        self.has_rest && self.standing != Standing::Unproven
    }
}
