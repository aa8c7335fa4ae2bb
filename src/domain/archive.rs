//! What is filed of a statement, so that it can be looked at years later: where its rows came from, and the rows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Serialize};

use super::{
    pack::{Ledger, Pack, Read, Reconciliation},
    reconcile::Sheet,
    rows::Params,
    snapshot::Statement,
    text::Text,
};

/// How long a statement is kept, at least.
const KEPT: Months = Months::new(12 * 7);

/// How one side was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub ledger: String,
    pub title: String,
    pub connection: String,
    pub kind: String,
    /// The statement, the list with its filters, the request.
    pub query: String,
    pub parameters: BTreeMap<String, String>,
    /// What the outside calls the requests that it was asked, as far as it names them.
    pub requests: Vec<String>,
    pub rows: usize,
    pub took_ms: u64,
}

impl Origin {
    pub fn of(ledger: &Ledger, pack: &Pack, params: &Params, requests: Vec<String>, rows: usize, took: Duration) -> Self {
        let (kind, query) = match &ledger.query.read {
            Read::Sql(sql) => ("sql", sql.text.trim().to_owned()),
            Read::Stripe(read) => {
                let filters = read.filters.iter().map(|(name, value)| format!(" {name}={}", value.source()));
                ("stripe", format!("GET /v1/{}{}", read.list.word(), filters.collect::<String>()))
            }
            Read::Firestore(read) => ("firestore", read.said()),
            Read::Http(read) => {
                let body = read.body.as_ref().map(|body| format!(" {}", body.source())).unwrap_or_default();
                ("http", format!("{} {}{body}", read.method, read.path.source()))
            }
            Read::Command(read) => {
                let program = pack.connections.iter().find(|connection| connection.id == ledger.query.on);
                let program = program.and_then(|connection| connection.kind.program()).unwrap_or_default();
                ("command", format!("{program} {}", read.line.source()).trim().to_owned())
            }
        };
        let told = ["from", "to", "now"].into_iter().filter_map(|name| Some((name.to_owned(), params.get(name)?.original())));
        Self {
            ledger: ledger.id.to_string(),
            title: ledger.title.clone(),
            connection: ledger.query.on.to_string(),
            kind: kind.to_owned(),
            query,
            parameters: told.collect(),
            requests,
            rows,
            took_ms: took.as_millis() as u64,
        }
    }
}

/// What a statement is made of; theirs first.
#[derive(Debug)]
pub struct Evidence {
    pub origins: [Origin; 2],
    pub sheet: Sheet,
    pub asked_at: DateTime<Utc>,
}

/// A statement on its way into the archive.
#[derive(Clone, Debug)]
pub struct Filing {
    /// The pack's name and title.
    pub business: (String, String),
    pub reconciliation: Reconciliation,
    pub statement: Arc<Statement>,
    pub evidence: Arc<Evidence>,
    pub by: String,
    pub at: DateTime<Utc>,
    pub signed: bool,
    pub note: Text,
}

/// A statement in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// What its files are called, without their endings.
    pub name: String,
    /// SHA-256 of each file, by its name.
    pub hashes: BTreeMap<String, String>,
}

/// True where a statement filed then need no longer be kept.
pub fn is_over(filed_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    filed_at.checked_add_months(KEPT).is_some_and(|end| end <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_years_are_seven_years_whatever_leap_days_are_between() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(!is_over(at("2024-02-29T12:00:00Z"), at("2031-02-28T11:59:59Z")));
        assert!(is_over(at("2024-02-29T12:00:00Z"), at("2031-02-28T12:00:00Z")));
        assert!(!is_over(at("2026-11-20T00:00:00Z"), at("2033-11-19T23:59:59Z")));
    }
}
