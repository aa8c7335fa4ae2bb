//! Ledgers and the reconciliations that pair them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Action, Query};

use crate::domain::id::Id;

/// One side of a reconciliation: rows of money within a window (`:from` inclusive, `:to` exclusive).
#[derive(Clone, Debug)]
pub struct Ledger {
    pub id: Id<Ledger>,
    /// Short, for the column head (`stripe`, `db`).
    pub title: String,
    pub query: Query,
    pub columns: LedgerColumns,
}

#[derive(Clone, Debug)]
pub struct LedgerColumns {
    /// The row's own id.
    pub key: String,
    /// The other side's id, where this side records it.
    pub link: Option<String>,
    /// Minor units.
    pub amount: String,
    /// Minor units of it that went back.
    pub refunded: Option<String>,
    pub currency: Option<String>,
    pub at: String,
    pub status: Option<String>,
    /// Words in `status` that count as the money having moved; empty counts every row.
    pub settled: Vec<String>,
    /// Words in `status` for a row still under way.
    pub pending: Vec<String>,
}

/// Two ledgers paired row by row.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    pub id: Id<Reconciliation>,
    pub title: String,
    /// The outside's record (Stripe).
    pub theirs: Id<Ledger>,
    /// The business's own record.
    pub ours: Id<Ledger>,
    pub window: Duration,
    /// Rows younger than this and without a partner are in flight, not missing.
    pub settle: Duration,
    /// Unlabelled rows pair by amount when their times are no further apart.
    pub tolerance: Duration,
    /// What repairs each class.
    pub proposals: BTreeMap<Class, Id<Action>>,
    /// What repairs a class of single rows where they stand in their ledger, in ours; before the one for both.
    pub proposals_there: BTreeMap<Class, Id<Action>>,
    pub proposals_here: BTreeMap<Class, Id<Action>>,
    pub every: Duration,
    pub covers: Vec<String>,
}

impl Reconciliation {
    /// What repairs a discrepancy of this class; `is_theirs` where a row of theirs is part of it.
    pub fn proposal(&self, class: Class, is_theirs: bool) -> Option<&Id<Action>> {
        let own = if is_theirs { &self.proposals_there } else { &self.proposals_here };
        own.get(&class).or_else(|| self.proposals.get(&class))
    }

    /// Every action that is proposed.
    pub fn proposed(&self) -> impl Iterator<Item = &Id<Action>> {
        [&self.proposals, &self.proposals_there, &self.proposals_here].into_iter().flat_map(BTreeMap::values)
    }
}

/// What became of a row; every row of either side falls in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Matched,
    MissingHere,
    MissingThere,
    Amount,
    Currency,
    Status,
    Duplicate,
    RefundDrift,
    InFlight,
    /// More than one row of the other side could be meant, and nothing tells which: never paired by guess.
    Ambiguous,
}

impl Class {
    /// In the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Matched,
        Self::MissingHere,
        Self::MissingThere,
        Self::Amount,
        Self::Currency,
        Self::Status,
        Self::Duplicate,
        Self::RefundDrift,
        Self::InFlight,
        Self::Ambiguous,
    ];

    /// The key in a pack.
    pub fn word(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Status => "status",
            Self::Duplicate => "duplicate",
            Self::RefundDrift => "refund_drift",
            Self::InFlight => "in_flight",
            Self::Ambiguous => "ambiguous",
        }
    }

    /// The class as a person says it.
    pub fn said(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::MissingHere => "missing here",
            Self::MissingThere => "missing there",
            Self::Amount => "amount differs",
            Self::Currency => "currency differs",
            Self::Status => "status differs",
            Self::Duplicate => "duplicate",
            Self::RefundDrift => "refund differs",
            Self::InFlight => "in flight",
            Self::Ambiguous => "ambiguous",
        }
    }
}
