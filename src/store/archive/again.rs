//! The CSV and the page of a statement, made once more from its JSON: each must be, byte for byte, what was filed.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::{
    canonical::{self, FIRST_FORMAT},
    page::{self, Leaf},
    table::Table,
};
use crate::domain::{
    archive::Origin,
    money::{Currency, Money},
    pack::Class,
    reconcile::SheetRow,
    snapshot::{Discrepancy, Statement},
    text::Text,
};

/// SHA-256 of what the other two files must be.
pub(super) struct Others {
    pub csv: String,
    pub html: String,
}

/// Side, class, id, link, amount, refunded, currency, at, status, settled, partner.
type Row = (String, Class, String, Option<String>, i64, i64, Currency, DateTime<Utc>, Option<String>, bool, Option<String>);

#[derive(Clone, Copy)]
enum Part {
    Facts,
    Discrepancies,
    Rows,
}

#[derive(Deserialize)]
struct Titled {
    title: String,
}

/// The rows' part of a statement, which may be millions.
#[derive(Deserialize)]
struct Facts {
    name: String,
    business: Titled,
    reconciliation: Titled,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    asked_at: DateTime<Utc>,
    filed_at: DateTime<Utc>,
    filed_by: String,
    signed: bool,
    note: Text,
    sources: [Origin; 2],
    theirs: String,
    ours: String,
    totals: Vec<crate::domain::snapshot::Totals>,
    matched: usize,
    unlisted: usize,
    sha256: String,
    #[serde(rename = "columns")]
    _columns: IgnoredAny,
}

/// What belongs beside this JSON; `None` for the first format, whose files were written otherwise.
pub(super) fn others(file: &Path) -> Result<Option<Others>, String> {
    let mut facts = serde_json::Map::new();
    let mut discrepancies: Vec<Discrepancy> = Vec::new();
    let mut table = None;
    let mut part = Part::Facts;
    for (number, line) in BufReader::with_capacity(1 << 16, File::open(file).map_err(told)?).lines().enumerate() {
        let line = line.map_err(told)?;
        let odd = |why: serde_json::Error| format!("line {}: {why}", number + 1);
        let element = line.strip_suffix(',').unwrap_or(&line);
        match (part, element) {
            (_, "]") => part = Part::Facts,
            (Part::Rows, row) => {
                let row: Row = serde_json::from_str(row).map_err(odd)?;
                let sides = || [side(&facts, "theirs"), side(&facts, "ours")];
                let table = match &mut table {
                    Some(table) => table,
                    None => table.insert(Table::begin(Sha256::new(), sides()).map_err(told)?),
                };
                table.row(&borrowed(&row)).map_err(told)?;
            }
            (Part::Discrepancies, one) => discrepancies.push(serde_json::from_str(one).map_err(odd)?),
            (Part::Facts, "\"rows\":[") => part = Part::Rows,
            (Part::Facts, "\"discrepancies\":[") => part = Part::Discrepancies,
            (Part::Facts, "{" | "}") => {}
            (Part::Facts, fact) => {
                let fact: serde_json::Map<String, Json> = serde_json::from_str(&format!("{{{fact}}}")).map_err(odd)?;
                facts.extend(fact);
            }
        }
    }
    if facts.get("format").and_then(Json::as_str) == Some(FIRST_FORMAT) {
        return Ok(None);
    }
    let facts: Facts = serde_json::from_value(Json::Object(facts)).map_err(told)?;
    canonical::is_own(Some(&facts.name), &canonical::name_of(file))?;
    let table = match table {
        Some(table) => table,
        None => Table::begin(Sha256::new(), [facts.theirs.clone(), facts.ours.clone()]).map_err(told)?,
    };
    let csv = hex::encode(table.end().map_err(told)?.finalize());
    let html = hex::encode(Sha256::digest(facts.page(discrepancies)));
    Ok(Some(Others { csv, html }))
}

impl Facts {
    fn page(self, discrepancies: Vec<Discrepancy>) -> String {
        let statement = Statement {
            from: self.from,
            to: self.to,
            theirs_title: self.theirs,
            ours_title: self.ours,
            totals: self.totals,
            discrepancies,
            matched: self.matched,
            unlisted: self.unlisted,
        };
        let leaf = Leaf {
            business: &self.business.title,
            title: &self.reconciliation.title,
            statement: &statement,
            origins: &self.sources,
            asked_at: self.asked_at,
            filed_at: self.filed_at,
            by: &self.filed_by,
            signed: self.signed,
            note: &self.note,
        };
        page::page(&leaf, &self.name, &self.sha256)
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn side(facts: &serde_json::Map<String, Json>, name: &str) -> String {
    facts.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn borrowed(row: &Row) -> SheetRow<'_> {
    let (side, class, key, link, amount, refunded, currency, at, status, settled, partner) = row;
    SheetRow {
        is_theirs: side == "theirs",
        class: *class,
        key,
        link: link.as_deref(),
        amount: Money::new(*amount, *currency),
        refunded: Money::new(*refunded, *currency),
        at: *at,
        status: status.as_deref(),
        settled: *settled,
        partner: partner.as_deref(),
    }
}
