//! A read as it is written: `read.KIND = { ... }`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawCommandRead, RawFirestoreRead, RawNetlifyRead, RawSentryRead, RawStatuspageRead, RawVercelRead};

/// A read of one connection; exactly one kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::pack) struct RawRead {
    pub sql: Option<RawSqlRead>,
    pub stripe: Option<RawStripeRead>,
    pub http: Option<RawHttpRead>,
    /// As `http`; a failure is one row with `ok = false`, not a failure to look.
    pub probe: Option<RawHttpRead>,
    pub vercel: Option<RawVercelRead>,
    pub netlify: Option<RawNetlifyRead>,
    pub sentry: Option<RawSentryRead>,
    pub statuspage: Option<RawStatuspageRead>,
    pub firestore: Option<RawFirestoreRead>,
    pub command: Option<RawCommandRead>,
}

/// One statement that reads.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawSqlRead {
    /// The connection.
    pub on: String,
    /// The statement, with `:name` parameters: `:now`, `:day_ago`, `:week_ago`, `:month_ago` are given to every read.
    pub text: String,
    /// Columns in minor units that become money.
    #[serde(default)]
    pub money: Vec<String>,
}

/// Objects of Stripe as rows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawStripeRead {
    /// The connection.
    pub on: String,
    pub list: RawStripeList,
    /// One object instead of a list: its id. Of a timeline the customer's.
    pub id: Option<String>,
    /// Further query parameters, as Stripe names them.
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
    /// How far back, where nothing else says it (`7d`).
    pub window: Option<String>,
    /// At most so many rows (default 10000).
    pub at_most: Option<u64>,
    /// Of `undelivered_events`: only those meant for this endpoint, by its id (`we_...`) or its URL.
    pub endpoint: Option<String>,
    /// What the business's own record has already is left out, and counted as `left_out`.
    pub except: Option<RawExcept>,
    /// Columns in minor units that become money.
    #[serde(default)]
    pub money: Vec<String>,
}

/// A statement whose first column holds the ids of what is done already.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawExcept {
    /// The connection, of the kind `sql`.
    pub on: String,
    /// The statement, with the parameters of every read.
    pub text: String,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawStripeList {
    Charges,
    PaymentIntents,
    Refunds,
    Events,
    BalanceTransactions,
    Disputes,
    Payouts,
    Customers,
    Subscriptions,
    Invoices,
    Transfers,
    UndeliveredEvents,
    // Of several lists: one customer's, whose `id` is given.
    Timeline,
}

/// A request whose answer becomes rows; `ok`, `status`, `latency_ms` and `body` are always among the columns.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawHttpRead {
    /// The connection.
    pub on: String,
    /// Appended to the connection's URL; begins with `/`.
    pub path: String,
    /// Default `GET`, `POST` where there is a body. A read changes nothing, whatever its method: it is tried again.
    pub method: Option<String>,
    /// JSON, as a template.
    pub body: Option<String>,
    /// Column = JSON pointer into the answer (`mode = "/mode"`).
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// JSON pointer to an array: one row for each element.
    pub rows: Option<String>,
    /// How one page of that list leads to the next.
    pub pages: Option<RawPages>,
    /// At most so many rows of all pages (default 10000, in a ledger no limit).
    pub at_most: Option<u64>,
    /// Columns with Unix times, in seconds or milliseconds.
    #[serde(default)]
    pub times: Vec<String>,
    /// Columns with numbers that the service writes as text.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Columns in minor units that become money.
    #[serde(default)]
    pub money: Vec<String>,
}

/// What leads to the next page; exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::pack) struct RawPages {
    /// JSON pointer to the next page's address.
    pub next: Option<String>,
    /// The relation of the answer's `Link` header that has the next page's address (`next`).
    pub link: Option<String>,
    pub cursor: Option<RawCursor>,
    pub number: Option<RawNumber>,
}

/// The answer says by what the next page is asked for; exactly one of `parameter` and `field` takes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 2, "maxProperties" = 2))]
pub(in crate::pack) struct RawCursor {
    /// JSON pointer to it.
    pub at: String,
    /// The parameter of the address that takes it (`cursor`).
    pub parameter: Option<String>,
    /// JSON pointer to where it goes in the body (`/cursor`).
    pub field: Option<String>,
}

/// Pages are counted; the first without rows is the end. Exactly one of `parameter` and `field` takes the number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["parameter"] }, { "required": ["field"] }]))]
pub(in crate::pack) struct RawNumber {
    /// The parameter of the address that takes the number (`page`).
    pub parameter: Option<String>,
    /// JSON pointer to where the number goes in the body (`/page`).
    pub field: Option<String>,
    /// The first page's number (default 1).
    pub first: Option<u64>,
}
