//! What a statement says, in short: whether a newer one says the same as the one that a person has read.

use crate::domain::{
    money::Money,
    snapshot::{Statement, Totals},
};

/// Every figure, and what does not match. Neither the window nor an age is part of it: they move with each look.
#[derive(Clone, Debug, PartialEq)]
pub struct Gist {
    totals: Vec<Totals>,
    matched: usize,
    unlisted: usize,
    /// What names each discrepancy, and by how much it differs.
    open: Vec<(String, Vec<Money>)>,
}

impl Gist {
    pub fn of(statement: &Statement) -> Self {
        let open = statement.discrepancies.iter().map(|one| (one.key.clone(), one.difference.clone()));
        Self { totals: statement.totals.clone(), matched: statement.matched, unlisted: statement.unlisted, open: open.collect() }
    }
}
