//! What a pack needs to be allowed at the payment account, and what its key may do.

use std::collections::BTreeSet;

use super::{pack::StripeList, text::Text};

/// What a pack reads and writes there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub reads: BTreeSet<StripeList>,
    /// In the words of Stripe's dashboard (`refunds`).
    pub writes: BTreeSet<&'static str>,
}

/// What the credentials of a connection may do, as far as that can be asked without doing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// As label and words.
    pub facts: Vec<(&'static str, Text)>,
    /// What is needed and not allowed, each with the next step.
    pub lacks: Vec<Text>,
}
