//! Actions: what the operator can do, the effects it has and the guards that must hold.

use std::time::Duration;

use super::{Connection, DocumentWrite, Query, Sql};

use crate::domain::{amendment::Amendment, expression::Expression, finding::Finding, id::Id, proof::Proofs, template::Template};

/// Something the operator can do to one row (or, for flags and jobs, to one named thing).
#[derive(Clone, Debug)]
pub struct Action {
    pub id: Id<Action>,
    pub title: String,
    /// The key in a queue that offers it.
    pub key: Option<char>,
    /// In this order; a failure stops the rest.
    pub effects: Vec<Effect>,
    pub guards: Vec<Guard>,
    pub inputs: Vec<Input>,
    /// The action that takes it back.
    pub undo: Option<Id<Action>>,
    pub confirm: Confirm,
    /// A batch of it stops at the first outcome that nobody knows; where money moves, it always does.
    pub stops_at_unknown: bool,
    /// How long a plan waits, after it is confirmed, for the operator to take it back.
    pub hold: Duration,
    /// The column with the money that moves.
    pub amount: Option<String>,
    /// Read the row afresh, by `:id`, before it is acted on; later ones add or replace columns. No row in the first means
    /// that the item is gone.
    pub fresh: Vec<Query>,
    /// Columns that must not have changed since the row was drawn; empty: none is compared.
    pub unchanged: Vec<String>,
    /// One line for the journal (`{{ business }} {{ amount }}`).
    pub label: Option<Template>,
    pub covers: Vec<String>,
}

impl Action {
    /// True where an effect reaches beyond the business's own rows and nothing takes it back: it is held first.
    pub fn is_final(&self) -> bool {
        self.undo.is_none() && self.effects.iter().any(|effect| effect.kind.is_final())
    }

    /// True where it gives money back through the payment account.
    pub fn moves_money(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect.kind, EffectKind::Refund { .. }))
    }

    /// True where it changes something at the payment account, which must be the pack's own.
    pub fn needs_the_account(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect.kind, EffectKind::Refund { .. } | EffectKind::Amend { .. }))
    }

    /// True where a key takes it back once it is done.
    pub fn can_be_undone(&self) -> bool {
        self.undo.is_some()
    }
}

/// How much a confirmation asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirm {
    /// The key alone, for one item; a count for more.
    Key,
    /// Enter on a dialog that says the count.
    Count,
    /// The amount (one money plan) or the name (flag, job) is typed.
    Typed,
}

#[derive(Clone, Debug)]
pub struct Effect {
    pub kind: EffectKind,
    /// What it does, in words, over the row and the inputs.
    pub said: Template,
}

#[derive(Clone, Debug)]
pub enum EffectKind {
    /// A statement in one transaction that must change exactly `rows` rows.
    Sql {
        on: Id<Connection>,
        sql: Sql,
        rows: u64,
    },
    /// A refund of a charge; `amount` is a column in minor units.
    Refund {
        on: Id<Connection>,
        charge: String,
        amount: String,
        reason: Option<Template>,
    },
    /// A change of what the payment account holds; `object` is the column with its id.
    Amend {
        on: Id<Connection>,
        object: String,
        change: Amendment,
        /// What is staged, by Stripe's names; empty for every other change.
        evidence: Vec<(String, Template)>,
    },
    /// A request; a 2xx is success where `proofs` do not say otherwise.
    Http {
        on: Id<Connection>,
        method: String,
        path: Template,
        body: Option<Template>,
        /// What it must be told the id of first.
        find: Option<Box<Finding>>,
        proofs: Proofs,
    },
    Mail {
        on: Id<Connection>,
        to: Template,
        subject: Template,
        body: Template,
    },
    Webhook {
        on: Id<Connection>,
        text: Template,
    },
    /// An event of the payment account is sent once more; `event` is the column with its id.
    Event {
        on: Id<Connection>,
        event: String,
        way: EventWay,
    },
    /// A look that must find a row: what came before it is done, and this proves it. Changes nothing.
    Proof {
        on: Id<Connection>,
        sql: Sql,
    },
    Firestore {
        on: Id<Connection>,
        write: DocumentWrite,
    },
}

/// By whom an event is sent once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventWay {
    /// By the payment account, to one of its endpoints; the column with that endpoint's id.
    Account { endpoint: String },
    /// By us, signed as the account signs, to a handler that the connection names.
    Ourselves { handler: String },
}

impl EffectKind {
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
            | Self::Firestore { on, .. } => on,
        }
    }

    /// True where no compensation exists: money sent, mail sent, a job started.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Sql { .. } | Self::Proof { .. } | Self::Firestore { .. } => false,
            // A draft is nobody's yet, and can be written over.
            Self::Amend { change, .. } => *change != Amendment::Stage,
            Self::Refund { .. } | Self::Http { .. } | Self::Mail { .. } | Self::Webhook { .. } | Self::Event { .. } => true,
        }
    }

    pub fn word(&self) -> &'static str {
        match self {
            Self::Sql { .. } => "sql",
            Self::Refund { .. } | Self::Amend { .. } => "stripe",
            Self::Http { .. } => "http",
            Self::Mail { .. } => "smtp",
            Self::Webhook { .. } => "webhook",
            Self::Event { .. } => "event",
            Self::Proof { .. } => "proof",
            Self::Firestore { .. } => "firestore",
        }
    }
}

/// What must hold before a plan may be carried out. A missing field fails it; there is no override.
#[derive(Clone, Debug)]
pub struct Guard {
    /// As the screen says it (`within 3 days`).
    pub title: String,
    pub rule: GuardRule,
    /// What is said where it fails, over the row; by itself it shows what the rule read.
    pub says: Option<Template>,
}

#[derive(Clone, Debug)]
pub enum GuardRule {
    /// Elapsed time since `column` is less than `window`, exactly.
    Within { column: String, window: Duration, clock: WindowClock },
    /// An expression over the row and the inputs is true.
    Holds(Expression),
}

/// Whose moment the window is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowClock {
    Now,
    /// The column with the time of the request.
    RequestedAt(String),
}

/// Something the operator is asked for.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    pub title: String,
    pub kind: InputKind,
    pub required: bool,
}

#[derive(Clone, Debug)]
pub enum InputKind {
    Text,
    /// Chosen by 1-9.
    Choice(Vec<String>),
}
