//! What a pack needs to be allowed at the payment account or in a database, and what its key or role may do.

use std::collections::BTreeSet;

use super::text::Text;

/// What a pack reads and writes at a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Lists, by their paths under `/v1/` (`webhook_endpoints`).
    pub reads: BTreeSet<&'static str>,
    pub writes: BTreeSet<Written>,
    pub asking: Asking,
    /// What it would run at a database.
    pub statements: Vec<Wanted>,
}

/// A statement of the pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it stands (`checks.stock`, `actions.ship`).
    pub of: String,
    /// With `$1`, `$2` ... for its parameters.
    pub text: String,
    pub parameters: usize,
    pub by: Runner,
}

/// Which role of a connection runs a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    Looks,
    Acts,
    /// It is read before an act, and once more, by whoever acts, where that is claimed.
    LooksAndClaims,
}

impl Runner {
    pub fn looks(self) -> bool {
        self != Self::Acts
    }

    pub fn acts(self) -> bool {
        self != Self::Looks
    }
}

/// What an act of the pack changes at the payment account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Written {
    Disputes,
    /// An event is sent to one of the account's endpoints once more.
    Events,
    Refunds,
    Subscriptions,
}

impl Written {
    /// In the words of Stripe's paths.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disputes => "disputes",
            Self::Events => "events",
            Self::Refunds => "refunds",
            Self::Subscriptions => "subscriptions",
        }
    }
}

/// What is asked of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asking {
    /// Reads alone; what the pack writes is only named.
    #[default]
    Reads,
    /// Writes as well, each with the id of something that cannot exist: nothing is changed by that.
    Writes,
}

/// What the credentials of a connection may do, as far as that can be asked without doing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// As label and words.
    pub facts: Vec<(&'static str, Text)>,
    /// What is needed and not allowed, each with the next step.
    pub lacks: Vec<Text>,
}
