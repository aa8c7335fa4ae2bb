//! What the screen asks of the engine and what it is told. Every answer carries the number of the question.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

pub use crate::domain::guard::GuardVerdict;
use crate::domain::{
    command::Printed,
    id::Id,
    money::Money,
    pack::{Action, Confirm, Flag, Job, Reconciliation},
    plan::{ActionId, BatchId, Receipt, Target},
    reconcile::Gist,
    rows::Params,
    snapshot::{Flip, JournalLine, Snapshot, Subject},
    text::Text,
};

/// Numbers a question, so that an answer nobody waits for any more is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ask(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Look again, now.
    Refresh(Scope),
    /// Say what an action would do to these targets. Nothing is sent.
    Propose {
        ask: Ask,
        action: Id<Action>,
        targets: Vec<Target>,
        inputs: Params,
    },
    /// Say what going on with the rest of a batch would do that was cut off: what was never sent of it, looked at anew.
    Resume {
        ask: Ask,
        batch: BatchId,
        inputs: Params,
    },
    /// Carry out what the preview said. `typed` is what the operator typed to confirm it.
    Commit {
        ask: Ask,
        preview: Ask,
        typed: String,
    },
    /// Take back a held act, or propose the undo of a done one (answered by a preview).
    TakeBack {
        ask: Ask,
        plan: Option<ActionId>,
    },
    /// Stop, or go on with, what a batch has not sent yet.
    Pause {
        batch: BatchId,
        paused: bool,
    },
    /// Take back all that a batch has not sent yet.
    Cancel {
        batch: BatchId,
    },
    /// End the command of an act that runs.
    StopRun {
        plan: ActionId,
    },
    /// Settle what stands unknown: look it up outside again.
    LookUp {
        plan: ActionId,
    },
    /// Decide what stands unknown: a person has looked outside and says whether it happened.
    Settle {
        plan: ActionId,
        happened: bool,
    },
    Handle {
        subject: Subject,
        how: Handle,
    },
    SignOff {
        ask: Ask,
        reconciliation: Id<Reconciliation>,
        /// What the statement said that the operator has read; one that says anything else is not signed.
        seen: Gist,
        note: String,
    },
    /// The flips and notes of one subject.
    History {
        ask: Ask,
        subject: Subject,
    },
    /// The journal's lines before a sequence number, newest first.
    Journal {
        ask: Ask,
        before: Option<u64>,
        contains: String,
    },
    Unlock,
    Lock,
    /// Finish the effect under way, start none, put on record what is left to, answer `Stopped`.
    Stop,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    All,
    Alerts,
    Queue(Id<crate::domain::pack::Queue>),
    Job(Id<Job>),
    Reconciliation(Id<Reconciliation>),
    Flag(Id<Flag>),
    Metrics,
}

/// What the operator does about an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Handle {
    Acknowledge,
    Snooze(Duration),
    /// Until the pack's next session.
    Defer,
    Note(String),
    /// Back to unhandled.
    Reopen,
}

#[derive(Clone, Debug)]
pub enum Event {
    Snapshot(Arc<Snapshot>),
    Preview {
        ask: Ask,
        preview: Result<Box<Preview>, Text>,
    },
    /// An act changed its standing.
    Receipt(Receipt),
    /// What an act under way has printed so far.
    Printed {
        plan: ActionId,
        printed: Printed,
    },
    /// The answer to a `Commit`, `TakeBack` or `SignOff` that needs no preview: done, or why not.
    Answer {
        ask: Ask,
        said: Result<Text, Text>,
    },
    History {
        ask: Ask,
        flips: Vec<Flip>,
        lines: Vec<JournalLine>,
    },
    Journal {
        ask: Ask,
        lines: Vec<JournalLine>,
    },
    /// Writing is possible until then; `None` is locked. `why` is said once.
    Lock {
        until: Option<DateTime<Utc>>,
        why: Option<Text>,
    },
    /// What recovery found and settled at the start.
    Recovered(Vec<Receipt>),
    /// The business could not be opened, and why: nothing is read, nothing sent.
    Unopened(Text),
    /// Something the operator should read; `is_error` keeps it in the error list.
    Notice {
        said: Text,
        is_error: bool,
    },
    Stopped,
}

/// Exactly what would happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub action: Id<Action>,
    pub title: String,
    pub plans: Vec<PlanPreview>,
    /// Targets that a guard, a cap or a change forbids, and why.
    pub refused: Vec<(Target, Text)>,
    /// Required inputs that are still empty, by name.
    pub missing: Vec<String>,
    pub confirm: Confirm,
    /// What must be typed where `confirm` is `Typed`: the amount, the count and total (`40 880.00`), or the name.
    pub expected: String,
    pub total: Option<Money>,
    pub hold: Duration,
    /// False where it can be taken back afterwards.
    pub is_final: bool,
    /// Rows that changed since they were drawn, in words.
    pub changed: Vec<Text>,
    /// The caps after this (`A$44.00 of A$200.00 today`).
    pub caps: Vec<(String, bool)>,
    /// Why two operators could act on it at the same time, where nothing in the business's database prevents that.
    pub unclaimed: Option<Text>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlanPreview {
    pub id: ActionId,
    pub target: Target,
    pub label: Text,
    pub amount: Option<Money>,
    /// Every guard: as it is said, whether it holds, and by how much.
    pub guards: Vec<GuardVerdict>,
    /// Every effect, in words, in order.
    pub steps: Vec<Text>,
    /// What others will read, word for word.
    pub letters: Vec<Letter>,
}

/// A mail or a message as it will be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Which of the effects sends it, from 0.
    pub step: usize,
    /// An address, or the connection of a channel.
    pub to: Text,
    /// A message has none.
    pub subject: Option<Text>,
    pub text: Text,
}
