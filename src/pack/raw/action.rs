//! `[actions]` and their effects as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, RawBound, RawFirestoreEffect, RawNetlifyEffect, RawRead, RawVercelEffect};

/// Something the operator can do to one row.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawAction {
    pub title: String,
    /// The key in a queue that offers it: one character.
    pub key: Option<String>,
    /// Its effects, in order; a failure stops the rest.
    #[serde(rename = "do")]
    pub effects: OneOrMany<RawEffect>,
    /// What must hold; there is no override.
    #[serde(default)]
    pub guards: Vec<RawGuard>,
    /// What the operator is asked for.
    #[serde(default)]
    pub inputs: Vec<RawInput>,
    /// The action that takes it back.
    pub undo: Option<String>,
    /// How much a confirmation asks (default: `typed` where money, a flag or a job is touched, `count` where it is final).
    pub confirm: Option<RawConfirm>,
    /// Whether a batch of it stops at the first outcome that nobody knows (default: where money moves, and there always).
    pub stop_at_unknown: Option<bool>,
    /// How long a plan waits to be taken back (default `10s` where it is final).
    pub hold: Option<String>,
    /// The column with the money that moves.
    pub amount: Option<String>,
    /// Reads the row afresh, by `:id`, before it is acted on.
    #[serde(default)]
    pub fresh: OneOrMany<RawRead>,
    /// Columns that must not have changed since the row was drawn.
    #[serde(default)]
    pub unchanged: Vec<String>,
    /// One line for the journal, as a template over the row and the inputs.
    pub label: Option<String>,
    /// The rows of a capability list that it covers; documentation only.
    #[serde(default)]
    pub covers: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawConfirm {
    Key,
    Count,
    Typed,
}

/// What it changes; exactly one kind, and `says` what that is in words.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 2))]
pub(in crate::pack) struct RawEffect {
    pub sql: Option<RawSqlEffect>,
    pub stripe: Option<RawStripeEffect>,
    pub http: Option<RawHttpEffect>,
    pub smtp: Option<RawMailEffect>,
    pub webhook: Option<RawWebhookEffect>,
    pub vercel: Option<RawVercelEffect>,
    pub netlify: Option<RawNetlifyEffect>,
    pub event: Option<RawEventEffect>,
    pub proof: Option<RawProofEffect>,
    pub firestore: Option<RawFirestoreEffect>,
    pub flag: Option<RawFlagEffect>,
    pub job: Option<RawJobEffect>,
    /// What it does, in words, as a template.
    pub says: Option<String>,
}

/// One statement in one transaction.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawSqlEffect {
    pub on: String,
    /// The statement; the row's columns and the inputs are `:name` parameters.
    pub text: String,
    /// The rows that it must change, or nothing is changed (default 1).
    pub rows: Option<u64>,
}

/// One change at the payment account: exactly one of `refund`, `evidence`, `submit`, `pause`, `resume`,
/// `cancel_at_period_end`, `keep`, `cancel_now`, each with the column that has the object's id.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawStripeEffect {
    pub on: String,
    /// Gives a charge back.
    pub refund: Option<String>,
    /// Stages evidence for a dispute, which the bank does not see before it is submitted.
    pub evidence: Option<String>,
    /// Submits what is staged for a dispute: usually once, and for good.
    pub submit: Option<String>,
    /// Pauses the collection of a subscription's invoices.
    pub pause: Option<String>,
    /// Resumes it.
    pub resume: Option<String>,
    /// Ends a subscription with its period.
    pub cancel_at_period_end: Option<String>,
    /// Takes that back.
    pub keep: Option<String>,
    /// Ends a subscription at once, and for good.
    pub cancel_now: Option<String>,
    /// Of a refund: the column with the amount, in minor units.
    pub amount: Option<String>,
    /// Of a refund: `duplicate`, `fraudulent` or `requested_by_customer`.
    pub reason: Option<String>,
    /// Of evidence: field = text, as Stripe names the fields; an empty text takes the field out again.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Of a pause: what becomes of the invoices (default `keep_as_draft`).
    pub invoices: Option<RawUncollected>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawUncollected {
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

/// A request; any 2xx is success, unless `expect` or `refused` says otherwise.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawHttpEffect {
    pub on: String,
    /// Appended to the connection's URL; begins with `/`.
    pub path: String,
    /// Default `POST`.
    pub method: Option<String>,
    /// JSON, as a template.
    pub body: Option<String>,
    /// What in a 2xx answer proves that it was done; with any other answer nobody knows.
    pub expect: Option<RawProof>,
    /// What in a 2xx answer says that it was refused, and nothing was done.
    pub refused: Option<RawProof>,
}

/// A place in the JSON of an answer, and what stands there: `equals` or `contains`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawProof {
    /// A JSON pointer (`/result/state`); empty is the whole answer.
    pub at: String,
    pub equals: Option<RawBound>,
    /// A part of a text, or one text of a list.
    pub contains: Option<String>,
}

/// A mail.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawMailEffect {
    pub on: String,
    pub to: String,
    pub subject: String,
    pub body: String,
}

/// A message to a webhook.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawWebhookEffect {
    pub on: String,
    pub text: String,
}

/// An event of Stripe's is sent once more: `resend` by Stripe to an endpoint, `deliver` by ourselves to a handler.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawEventEffect {
    /// The connection, of the kind `stripe`.
    pub on: String,
    /// The column with the event's id; Stripe sends it.
    pub resend: Option<String>,
    /// With `resend`: the column with the endpoint's id (`we_...`).
    pub endpoint: Option<String>,
    /// The column with the event's id; we fetch, sign and post it.
    pub deliver: Option<String>,
    /// With `deliver`: one of the connection's `handlers`.
    pub handler: Option<String>,
}

/// A look that must find a row: it proves what the effects before it did.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawProofEffect {
    /// The connection, of the kind `sql`.
    pub on: String,
    /// The statement; the row's columns and the inputs are `:name` parameters.
    pub text: String,
}

/// The effects of a flag, with its new value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawFlagEffect {
    /// The flag.
    pub set: String,
    pub to: String,
}

/// The effects of a job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawJobEffect {
    /// The job.
    pub run: String,
}

/// What must hold before a plan may be carried out; `within` or `holds`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawGuard {
    /// As the screen says it.
    pub title: String,
    pub within: Option<RawWithin>,
    /// An expression over the row and the inputs.
    pub holds: Option<String>,
    /// What is said where it fails, as a template over the row; else what the rule read.
    pub says: Option<String>,
}

/// Elapsed time since a column is less than a window, exactly.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawWithin {
    pub column: String,
    pub window: String,
    /// `now`, or `requested_at:COLUMN` (default `now`).
    pub clock: Option<String>,
}

/// Something the operator is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawInput {
    pub name: String,
    pub title: String,
    /// What can be chosen; none: any text.
    pub choices: Option<Vec<String>>,
    #[serde(default)]
    pub required: bool,
}
