//! Subcommands about statements that are archived already. None of them looks at the business.

use std::path::Path;

use chrono::Utc;

use super::{business::Opening, complaint::Complaint};
use crate::{
    cli::{output, shelf},
    store::{self, Noted, Store, Verdict},
};

/// A statement, or its place in the journal, is not what it was; as for the journal itself.
const BROKEN: u8 = 2;

pub fn list(opening: &Opening, name: Option<&str>, json: bool) -> Result<u8, Complaint> {
    let shelf = opening.shelf()?;
    let mut found = shelf.list()?;
    found.retain(|one| name.is_none_or(|name| one.head.as_ref().is_ok_and(|head| head.reconciliation.original() == name)));
    let zone = opening.choice.loaded.pack.timezone;
    if json {
        shelf::print_json(&found, Utc::now())?;
    } else {
        shelf::print_lines(&found, shelf.directory(), zone, Utc::now())?;
    }
    Ok(if found.iter().any(|one| one.head.is_err()) { BROKEN } else { 0 })
}

pub fn remove_old(opening: &Opening) -> Result<u8, Complaint> {
    let removed = opening.shelf()?.remove_old(Utc::now())?;
    if removed.is_empty() {
        output::print_words("nothing has been kept for seven years yet\n")?;
    }
    for name in &removed {
        output::print_words(&format!("removed {name}\n"))?;
    }
    Ok(0)
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
    let noted = match opening.and_then(Opening::record).filter(|record| record.exists()) {
        Some(record) => noted(&record, &name)?,
        None => None,
    };
    let (status, said) = match noted {
        Some(noted) if noted.hashes == hashes => {
            let what = if noted.word == "SIGNOFF" { "signed off" } else { "archived" };
            (0, format!("the journal knows it: line {}, {what} by {} at {}", noted.sequence, noted.who, noted.at))
        }
        Some(noted) => (BROKEN, format!("BROKEN  the journal knows another one of this name (line {})", noted.sequence)),
        None => {
            (0, "the journal at hand does not know it: that it is the one that was filed rests on its files alone".to_owned())
        }
    };
    output::print_words(&format!("{name} holds: none of its files was changed, and its rows add up to what it says\n{said}\n"))?;
    Ok(status)
}

fn noted(record: &Path, name: &str) -> Result<Option<Noted>, Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let told = |error: crate::ports::StoreError| Complaint::said(format!("{}: {error}", record.display()));
        let store = Store::open_to_read(record).await.map_err(told)?;
        store.noted(name).await.map_err(told)
    })
}
