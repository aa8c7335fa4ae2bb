//! Queries: reads of one connection.

use std::time::Duration;

use super::{CommandRead, Connection, FirestoreRead, Paging};

use crate::domain::{id::Id, proof::Proof, template::Template};

/// A look whose list is longer than this is a failure, unless its pack says how many rows it wants: so many are plenty for
/// a screen and bearable for the interface, and a list cut off without a word would look whole.
pub const MOST_ROWS: usize = 10_000;

/// A read of one connection. Its parameters come from where it is asked: `:now`, `:from` and `:to` of a window,
/// `:id` and every other column of the row that it is about.
#[derive(Clone, Debug)]
pub struct Query {
    pub on: Id<Connection>,
    pub read: Read,
    /// Columns in minor units that become money.
    pub money: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum Read {
    Sql(Sql),
    Stripe(StripeRead),
    Http(HttpRead),
    Command(CommandRead),
    Firestore(FirestoreRead),
}

/// SQL with named parameters (`:name`), each of them found by the parser outside quotes, comments and `::casts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// As written in the pack.
    pub text: String,
    /// With `$1`, `$2` ... in place of the names; the same name is the same number.
    pub numbered: String,
    /// The names, in the order of their numbers.
    pub parameters: Vec<String>,
}

/// A list of Stripe objects as rows. Columns are the object's top-level fields; `amount`-like fields are integers in
/// minor units, `created` and other Unix times are times, nested objects are JSON, `metadata.NAME` is flattened.
#[derive(Clone, Debug)]
pub struct StripeRead {
    pub list: StripeList,
    /// One object instead of a list: its id. Of a timeline the customer's.
    pub id: Option<Template>,
    /// Further query parameters, as Stripe names them (`delivery_success = "false"`).
    pub filters: Vec<(String, Template)>,
    /// How far back, by `created`, where the caller gives no `:from`.
    pub window: Option<Duration>,
    /// A look takes only so many, the newest; of a ledger, and where nothing is said, a list is whole or a failure.
    pub at_most: Option<usize>,
    /// Of undelivered events: the one endpoint that is meant, by its id or its address; `None` is all of them.
    pub endpoint: Option<Template>,
    /// Rows that the business's own record has already: they are left out, and counted.
    pub except: Option<Box<Except>>,
}

/// A statement whose first column holds the ids of what is done already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Except {
    pub on: Id<Connection>,
    pub sql: Sql,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StripeList {
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
    /// Not one of Stripe's: what one customer's charges, refunds, disputes, subscriptions and invoices tell, in one list.
    Timeline,
}

impl StripeList {
    pub const ALL: [Self; 13] = [
        Self::Charges,
        Self::PaymentIntents,
        Self::Refunds,
        Self::Events,
        Self::BalanceTransactions,
        Self::Disputes,
        Self::Payouts,
        Self::Customers,
        Self::Subscriptions,
        Self::Invoices,
        Self::Transfers,
        Self::UndeliveredEvents,
        Self::Timeline,
    ];

    /// The word in a pack and, but for undelivered events, the path under `/v1/`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Charges => "charges",
            Self::PaymentIntents => "payment_intents",
            Self::Refunds => "refunds",
            Self::Events => "events",
            Self::BalanceTransactions => "balance_transactions",
            Self::Disputes => "disputes",
            Self::Payouts => "payouts",
            Self::Customers => "customers",
            Self::Subscriptions => "subscriptions",
            Self::Invoices => "invoices",
            Self::Transfers => "transfers",
            Self::UndeliveredEvents => "undelivered_events",
            Self::Timeline => "timeline",
        }
    }

    /// False for what is made here of several lists.
    pub fn is_stripes_own(self) -> bool {
        !matches!(self, Self::UndeliveredEvents | Self::Timeline)
    }

    /// The lists of Stripe's that are asked for it, by their paths under `/v1/`.
    pub fn asks(self) -> Vec<&'static str> {
        match self {
            Self::Charges
            | Self::PaymentIntents
            | Self::Refunds
            | Self::Events
            | Self::BalanceTransactions
            | Self::Disputes
            | Self::Payouts
            | Self::Customers
            | Self::Subscriptions
            | Self::Invoices
            | Self::Transfers => vec![self.word()],
            Self::UndeliveredEvents => vec!["events", "webhook_endpoints"],
            Self::Timeline => vec!["charges", "refunds", "disputes", "customers", "subscriptions", "invoices"],
        }
    }
}

/// A request whose answer becomes rows. Always there: `ok` (2xx), `status`, `latency_ms`, `body` (JSON, else text).
#[derive(Clone, Debug)]
pub struct HttpRead {
    pub method: String,
    /// Appended to the connection's base URL.
    pub path: Template,
    /// A JSON body; POST where there is one.
    pub body: Option<Template>,
    /// Column name -> JSON pointer into the answer (into each element, where `rows` is given).
    pub columns: Vec<(String, String)>,
    /// JSON pointers: one row for each element of the first list that stands at one of them. Empty: one row.
    pub rows: Vec<String>,
    /// Of these elements, those in which all of it stands.
    pub only: Vec<Proof>,
    /// Columns with Unix times, in seconds or milliseconds, which their size tells apart.
    pub times: Vec<String>,
    /// Columns with numbers that are written as text.
    pub numbers: Vec<String>,
    /// Where the list comes in pages.
    pub pages: Option<Paging>,
    /// The answer itself is what is being judged: a timeout, a refused connection or a non-2xx status is one row with
    /// `ok = false` and `error`, not a failure to look.
    pub probe: bool,
}
