//! What a pack declares about its demo business (`demo.toml`): schema, seed, the site's endpoints, the Stripe account.

use std::collections::BTreeMap;

use crate::domain::zone::Zone;
use serde::Deserialize;

use super::{built_in::BuiltIn, error::Error};

/// A demo business. Texts that name a file are paths beside `demo.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Variable -> template over the stand-ins' addresses (`{{ database }}`, `{{ stripe }}`, `{{ site }}` ...).
    pub environment: BTreeMap<String, String>,
    pub schema: String,
    pub seed: String,
    /// Moments at which something runs, for the seed: table `slots(name, n, at)`, n = 0 the latest.
    #[serde(default)]
    pub slots: BTreeMap<String, Slots>,
    pub stripe: Option<StripeTown>,
    pub site: Option<SiteTown>,
    pub vercel: Option<VercelTown>,
    /// Stand-ins for programs that the pack runs: name -> a script for `sh`.
    #[serde(default)]
    pub programs: BTreeMap<String, String>,
    /// Facts of the town that a person can switch while it runs, with their first values.
    #[serde(default)]
    pub switches: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    pub cron: String,
    pub zone: Zone,
    pub count: usize,
    /// The latest slot is at least so many minutes old.
    #[serde(default)]
    pub settled_minutes: i64,
}

/// The Stripe account; its objects come from SQL over the business's own tables.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeTown {
    pub account: String,
    pub name: String,
    pub country: String,
    pub currency: String,
    pub key: String,
    pub livemode: bool,
    /// A second key, with fewer rights.
    pub narrow: Option<NarrowKey>,
    /// `id, created, amount, currency, status, payment_intent, customer, email, name, description, metadata, fee`; metadata
    /// is JSON here and below.
    pub charges: String,
    /// `id, created, charge, payment_intent, amount, currency, reason, status, metadata`
    #[serde(default)]
    pub refunds: Option<String>,
    /// `id, created, type, object` (a charge's or an intent's id), `delivered` (0 or 1)
    #[serde(default)]
    pub events: Option<String>,
    /// `id, created, charge, payment_intent, amount, currency, reason, status, due_by`
    #[serde(default)]
    pub disputes: Option<String>,
    /// `id, created, amount, currency, status, arrival_date`
    #[serde(default)]
    pub payouts: Option<String>,
    /// `id, created, email, name, currency, metadata`; where it is not given, those that the charges name.
    #[serde(default)]
    pub customers: Option<String>,
    /// `id, created, customer, price, unit_amount, quantity, currency, interval, status, metadata`
    #[serde(default)]
    pub subscriptions: Option<String>,
    /// `id, created, customer, subscription, number, amount, paid, currency, status, due_date, metadata`
    #[serde(default)]
    pub invoices: Option<String>,
    /// `id, created, amount, amount_reversed, currency, destination, transfer_group, source_transaction, metadata`
    #[serde(default)]
    pub transfers: Option<String>,
    #[serde(default)]
    pub webhook_endpoints: Vec<WebhookEndpoint>,
}

/// Where Stripe sends events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpoint {
    pub id: String,
    /// A template over the stand-ins' addresses.
    pub url: String,
    pub description: String,
    pub enabled_events: Vec<String>,
    pub secret: String,
    /// `disabled` where Stripe has switched it off.
    #[serde(default = "enabled")]
    pub status: String,
}

fn enabled() -> String {
    "enabled".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NarrowKey {
    pub key: String,
    /// Rights that it lacks, as Stripe names them (`rak_dispute_read`).
    pub lacks: Vec<String>,
}

/// The business's own site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteTown {
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint: what it reads, changes (one transaction) and answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub path: String,
    #[serde(default = "get")]
    pub method: String,
    /// A header that must have this value, else 401.
    pub require: Option<RequiredHeader>,
    /// What its body must be signed with, as Stripe signs events; else 400.
    pub signed_with: Option<String>,
    /// An expression over `env`, `switches`, `body`, `query`: while true, the request is never answered.
    pub hangs_while: Option<String>,
    #[serde(default)]
    pub delay_ms: u64,
    /// An expression: while false, `run` is skipped.
    pub run_when: Option<String>,
    /// Statements, in one transaction; parameters `:now`, `:body_NAME`, `:query_NAME`, `:env_NAME`, `:switch_NAME`.
    #[serde(default)]
    pub run: Vec<String>,
    /// Reads after it, by name; the answer sees the first row of each.
    #[serde(default)]
    pub reads: BTreeMap<String, String>,
    /// A template over `reads`, `env`, `switches`, `body`, `query`, in the pack's own language; JSON.
    pub answer: String,
}

fn get() -> String {
    "GET".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredHeader {
    pub header: String,
    pub is: String,
}

/// A project whose variables reach the site only with the next deployment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VercelTown {
    pub project: String,
    pub token: String,
    /// How long a deployment takes.
    pub deploys_in_ms: i64,
    /// Variable's id -> name and first value.
    pub variables: BTreeMap<String, Variable>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    pub name: String,
    pub value: String,
}

impl Declaration {
    pub fn read(pack: &BuiltIn) -> Result<Self, Error> {
        let file = format!("{}/demo.toml", pack.name);
        let text = pack.file("demo.toml").ok_or_else(|| Error::declaration(&file, "the pack has no demo business"))?;
        toml::from_str(text).map_err(|error| Error::declaration(&file, error))
    }
}
