//! The statement as JSON with every row, in one form alone: the same statement is the same bytes, and its hash, of all
//! that stands before it, is its last line.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write},
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Hashing, Head};
use crate::domain::{
    archive::Filing,
    reconcile::SheetRow,
    text::{Text, safe_json},
};

/// Whatever changes a byte of what is written, the CSV and the page among it, gives the format a new number: these are
/// written again from the JSON when a statement is verified.
pub(super) const FORMAT: &str = "wheelhouse statement 2";
/// Does not hold its own name.
pub(super) const FIRST_FORMAT: &str = "wheelhouse statement 1";
pub(super) const BEFORE_HASH: &str = "\"sha256\":\"";
pub(super) const AFTER_HASH: &str = "\"\n}\n";
const ROW: [&str; 11] = ["side", "class", "id", "link", "amount", "refunded", "currency", "at", "status", "settled", "partner"];

/// Writes it, and answers the hash in its last line. Amounts in minor units, times in UTC.
pub(super) fn write(out: &mut Hashing, filing: &Filing, name: &str) -> io::Result<String> {
    let (statement, evidence) = (&filing.statement, &filing.evidence);
    let reconciliation = &filing.reconciliation;
    out.write_all(b"{\n")?;
    line(out, "format", &FORMAT)?;
    line(out, "name", &name)?;
    line(out, "business", &json!({ "name": filing.business.0, "title": filing.business.1 }))?;
    let rules = json!({
        "name": reconciliation.id, "title": reconciliation.title, "settle_seconds": reconciliation.settle.as_secs(),
        "tolerance_seconds": reconciliation.tolerance.as_secs(),
    });
    line(out, "reconciliation", &rules)?;
    for (name, at) in [("from", statement.from), ("to", statement.to), ("asked_at", evidence.asked_at), ("filed_at", filing.at)] {
        line(out, name, &at)?;
    }
    line(out, "filed_by", &filing.by)?;
    line(out, "signed", &filing.signed)?;
    line(out, "note", &filing.note)?;
    line(out, "sources", &evidence.origins)?;
    line(out, "theirs", &statement.theirs_title)?;
    line(out, "ours", &statement.ours_title)?;
    line(out, "totals", &statement.totals)?;
    line(out, "matched", &statement.matched)?;
    line(out, "unlisted", &statement.unlisted)?;
    list(out, "discrepancies", statement.discrepancies.iter())?;
    line(out, "columns", &ROW)?;
    list(out, "rows", evidence.sheet.rows().map(|row| cells(&row)))?;
    let hash = out.so_far();
    write!(out, "{BEFORE_HASH}{hash}{AFTER_HASH}")?;
    Ok(hash)
}

fn line(out: &mut Hashing, name: &str, value: &impl Serialize) -> io::Result<()> {
    let value = serde_json::to_string(value).map_err(io::Error::other)?;
    writeln!(out, "\"{name}\":{},", safe_json(&value))
}

fn list<T: Serialize>(out: &mut Hashing, name: &str, elements: impl Iterator<Item = T>) -> io::Result<()> {
    write!(out, "\"{name}\":[")?;
    for (index, element) in elements.enumerate() {
        let element = serde_json::to_string(&element).map_err(io::Error::other)?;
        write!(out, "{}\n{}", if index == 0 { "" } else { "," }, safe_json(&element))?;
    }
    out.write_all(b"\n],\n")
}

fn cells(row: &SheetRow<'_>) -> Json {
    json!([
        if row.is_theirs { "theirs" } else { "ours" },
        row.class.word(),
        row.key,
        row.link,
        row.amount.minor,
        row.refunded.minor,
        row.amount.currency.code(),
        row.at,
        row.status,
        row.settled,
        row.partner,
    ])
}

/// What a file's statement is called, by the file.
pub(super) fn name_of(file: &Path) -> String {
    file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A statement says what it is called, so that it cannot be taken for another.
pub(super) fn is_own(told: Option<&str>, name: &str) -> Result<(), String> {
    match told {
        Some(told) if told == name => Ok(()),
        Some(told) => Err(format!("it is the statement {}, under another name", Text::new(told))),
        None => Err("it does not say `name`".to_owned()),
    }
}

/// What the first lines of a statement say of it; the rows may be millions.
pub(super) fn head(file: &Path) -> Result<Head, String> {
    let mut lines = BufReader::new(File::open(file).map_err(|error| error.to_string())?).lines();
    let mut facts = serde_json::Map::new();
    if lines.next().and_then(Result::ok).as_deref() != Some("{") {
        return Err("this is no statement".to_owned());
    }
    for text in lines.by_ref().take(32) {
        let text = text.map_err(|error| error.to_string())?;
        let fact = format!("{{{}}}", text.trim_end_matches(','));
        let Ok(Json::Object(fact)) = serde_json::from_str(&fact) else { break };
        facts.extend(fact);
        if facts.contains_key("note") {
            break;
        }
    }
    let own = facts.get("name").and_then(Json::as_str);
    match facts.get("format").and_then(Json::as_str) {
        Some(FIRST_FORMAT) => {}
        Some(FORMAT) => is_own(own, &name_of(file))?,
        Some(_) | None => return Err("this is no statement, or one of another version".to_owned()),
    }
    let text = |name: &str| facts.get(name).and_then(Json::as_str).ok_or_else(|| format!("it does not say `{name}`"));
    let moment = |name: &str| text(name)?.parse::<DateTime<Utc>>().map_err(|_| format!("`{name}` is no moment"));
    let reconciliation = facts.get("reconciliation").and_then(|of| of.get("name")).and_then(Json::as_str);
    Ok(Head {
        reconciliation: Text::new(reconciliation.ok_or("it does not say of which reconciliation it is")?),
        from: moment("from")?,
        to: moment("to")?,
        filed_at: moment("filed_at")?,
        filed_by: Text::new(text("filed_by")?),
        signed: facts.get("signed").and_then(Json::as_bool).ok_or("it does not say whether it was signed")?,
        note: Text::new(text("note")?),
    })
}
