//! `[ledgers]` and `[reconciliations]` as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::RawRead;

/// One side of a reconciliation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawLedger {
    /// Short, for the column head.
    pub title: String,
    /// Rows of money within a window: `:from` inclusive, `:to` exclusive.
    pub read: RawRead,
    pub columns: RawLedgerColumns,
}

/// Which columns say what; amounts in minor units.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawLedgerColumns {
    /// The row's own id.
    pub key: String,
    /// The other side's id, where this side records it.
    pub link: Option<String>,
    pub amount: String,
    /// What of it went back.
    pub refunded: Option<String>,
    pub currency: Option<String>,
    /// When the money moved.
    pub at: String,
    pub status: Option<String>,
    /// Words in `status` that count as the money having moved; none: every row counts.
    #[serde(default)]
    pub settled: Vec<String>,
    /// Words in `status` for a row still under way.
    #[serde(default)]
    pub pending: Vec<String>,
}

/// Two ledgers paired row by row.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawReconciliation {
    pub title: String,
    /// The ledger of the outside.
    pub theirs: String,
    /// The business's own ledger.
    pub ours: String,
    /// How far back (`7d`).
    pub window: String,
    /// Rows younger than this and without a partner are in flight (default `1h`).
    pub settle: Option<String>,
    /// Unlabelled rows pair by amount when their times are no further apart (default `10m`).
    pub tolerance: Option<String>,
    /// What repairs each class: `missing_here = "record_charge"`.
    #[serde(default)]
    pub propose: BTreeMap<String, String>,
    /// How often it looks (default `5m`).
    pub every: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}
