//! Subcommands about statements that are archived already. None of them looks at the business.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};

use super::{business::Opening, complaint::Complaint, errands::on_runtime};
use crate::{
    cli::{output, shelf},
    domain::journal::Entry,
    ports::{Journal as _, StoreError},
    store::{self, Filings, Held, Noted, Shelf, Standing, Store, Verdict},
};

/// A statement holds by itself, and no journal says that it is the one that was filed.
const UNKNOWN: u8 = 1;
/// A statement, or its place in the journal, is not what it was; as for the journal itself.
const BROKEN: u8 = 2;

pub fn list(opening: &Opening, name: Option<&str>, json: bool) -> Result<u8, Complaint> {
    let shelf = opening.shelf()?;
    let mut found = held(opening, &shelf)?;
    found.retain(|one| name.is_none_or(|name| one.is_of(name)));
    let zone = opening.choice.loaded.pack.timezone;
    if json {
        shelf::print_json(&found, Utc::now())?;
    } else {
        shelf::print_lines(&found, shelf.directory(), zone, Utc::now())?;
    }
    Ok(found.iter().map(|one| status(&one.standing)).max().unwrap_or(0))
}

fn status(standing: &Standing) -> u8 {
    match standing {
        Standing::Known => 0,
        Standing::Unknown | Standing::Unasked | Standing::Left => UNKNOWN,
        Standing::Missing | Standing::Broken(_) => BROKEN,
    }
}

fn held(opening: &Opening, shelf: &Shelf) -> Result<Vec<Held>, Complaint> {
    Ok(Held::all(shelf.list()?, shelf.directory(), journal(Some(opening))?))
}

/// Takes away what was kept for seven years by the journal's own date, once each of its files was found to be what was
/// filed and the journal says that it goes. What is not whole stays for somebody to look at.
pub fn remove_old(opening: &Opening) -> Result<u8, Complaint> {
    let shelf = opening.shelf()?;
    let now = Utc::now();
    let old: Vec<Held> = held(opening, &shelf)?.into_iter().filter(|one| one.is_over(now)).collect();
    if old.is_empty() {
        output::print_words("nothing has been kept for seven years yet\n")?;
        return Ok(0);
    }
    if opening.arguments.read_only {
        return Err(Complaint::said("nothing was taken away: not with `--read-only`"));
    }
    let record = opening.record().ok_or_else(|| Complaint::said("a scratch demo keeps no statements: give --demo-dir DIR"))?;
    if !record.exists() {
        let why = format!("nothing was taken away: {} is not there, the journal that knows what was filed", record.display());
        return Err(Complaint::said(why));
    }
    on_runtime(async {
        let operator = opening.choice.operator.as_str();
        let refused = |error: StoreError| Complaint::said(format!("nothing was taken away: {error}"));
        let (store, _) = Store::open(&record, operator, now).await.map_err(refused)?;
        let mut status = 0;
        for one in &old {
            match broken(one) {
                Ok(hashes) => {
                    if one.standing != Standing::Left {
                        store.append(&removal(one, &hashes, operator, now)).await.map_err(refused)?;
                    }
                    shelf.remove(&one.name)?;
                    output::print_words(&format!("removed {}\n", one.name))?;
                }
                Err(why) => {
                    status = BROKEN;
                    output::print_words(&format!("BROKEN  {} stays: {why}\n", one.name))?;
                }
            }
        }
        Ok(status)
    })
}

/// Its hashes, or why it is not what was filed.
fn broken(one: &Held) -> Result<BTreeMap<String, String>, String> {
    match &one.standing {
        // It was judged before the journal said that it goes, and may be gone in part.
        Standing::Left => return Ok(BTreeMap::new()),
        Standing::Broken(why) => return Err(why.to_string()),
        Standing::Known | Standing::Unknown | Standing::Unasked | Standing::Missing => {}
    }
    match store::verify_statement(&one.file).map_err(|error| error.to_string())? {
        Verdict::Holds { hashes, .. } => Ok(hashes),
        Verdict::Broken { wrong } => {
            Err(wrong.into_iter().map(|(file, why)| format!("{file} {why}")).collect::<Vec<_>>().join("; "))
        }
    }
}

fn removal(one: &Held, hashes: &BTreeMap<String, String>, operator: &str, now: DateTime<Utc>) -> Entry {
    let of = one.head.as_ref().map(|head| head.reconciliation.original()).unwrap_or_default();
    let filed_at = one.filed_at().map(|at| at.date_naive().to_string()).unwrap_or_default();
    let said = format!("took away the statement {}, filed {filed_at}: it was kept for seven years", one.name);
    let payload = serde_json::json!({
        "subject": format!("reconciliation.{of}"), "archive": one.name, "files": hashes, "filed_at": one.filed_at(),
    });
    Entry::new(now, operator, Filings::REMOVED, said).payload(payload)
}

/// The journal is asked as well, where there is one at hand.
pub fn verify(file: &Path, opening: Option<&Opening>) -> Result<u8, Complaint> {
    let verdict = store::verify_statement(file).map_err(|error| Complaint::said(format!("{}: {error}", file.display())))?;
    let (name, hashes) = match verdict {
        Verdict::Holds { name, hashes } => (name, hashes),
        Verdict::Broken { wrong } => {
            for (file, why) in &wrong {
                output::print_words(&format!("BROKEN  {file} {why}\n"))?;
            }
            return Ok(BROKEN);
        }
    };
    let rests = "that it is the one that was filed rests on its files alone";
    let journal = journal(opening)?;
    let (status, said) = match journal.as_ref().map(|journal| journal.get(&name)) {
        Some(Some(noted)) if noted.hashes == hashes => {
            let Noted { sequence, who, at, word, .. } = noted;
            (0, format!("the journal knows it: line {sequence}, {} by {who} at {}", word.said(), at.to_rfc3339()))
        }
        Some(Some(noted)) => (BROKEN, format!("BROKEN  the journal knows another one of this name (line {})", noted.sequence)),
        Some(None) => (UNKNOWN, format!("UNKNOWN  the journal at hand does not know it: {rests}")),
        None => (UNKNOWN, format!("UNKNOWN  there is no journal at hand to ask: {rests}; name its pack with --pack")),
    };
    output::print_words(&format!("{name} holds: none of its files was changed, and its rows add up to what it says\n{said}\n"))?;
    Ok(status)
}

/// What the journal says of every statement; `None` where there is none at hand.
fn journal(opening: Option<&Opening>) -> Result<Option<BTreeMap<String, Noted>>, Complaint> {
    let Some(record) = opening.and_then(Opening::record).filter(|record| record.exists()) else { return Ok(None) };
    on_runtime(async {
        let told = |error: StoreError| Complaint::said(format!("{}: {error}", record.display()));
        let store = Store::open_to_read(&record).await.map_err(told)?;
        store.noted().await.map(Some).map_err(told)
    })
}
