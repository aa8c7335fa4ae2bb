//! The shelf held against the journal: what of the statements that were filed is there, and what is there of all that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{Head, JSON, Shelved, noted::Filings, noted::Noted};
use crate::domain::{archive::is_over, text::Text};

/// A statement that is on the shelf or that the journal tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub name: String,
    pub file: PathBuf,
    /// As the file tells of it, where it can be read.
    pub head: Option<Head>,
    pub noted: Option<Noted>,
    pub standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The journal knows it, with these hashes.
    Known,
    /// The journal does not know it: it was never signed, whatever it says.
    Unknown,
    /// There is no journal at hand that could know it.
    Unasked,
    /// The journal knows it, and it is not there.
    Missing,
    /// The journal says that it was taken away, and it is there still.
    Left,
    /// It is not whole, or not what the journal knows; why.
    Broken(Text),
}

impl Standing {
    /// In one word, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Unasked => "unasked",
            Self::Missing => "missing",
            Self::Left => "left",
            Self::Broken(_) => "broken",
        }
    }
}

impl Held {
    /// Every statement of the shelf and of the journal, the oldest first. `None` where there is no journal.
    pub fn all(shelved: Vec<Shelved>, directory: &Path, journal: Option<BTreeMap<String, Noted>>) -> Vec<Self> {
        let has_journal = journal.is_some();
        let mut journal = journal.unwrap_or_default();
        let mut all: Vec<Self> = shelved
            .into_iter()
            .map(|one| {
                let noted = journal.remove(&one.name);
                let standing = standing(&one, noted.as_ref(), has_journal);
                Self { name: one.name, file: one.file, head: one.head.ok(), noted, standing }
            })
            .collect();
        let gone = journal.into_values().filter(|noted| noted.word != Filings::Removed);
        all.extend(gone.map(|noted| {
            let file = directory.join(format!("{}.{JSON}", noted.name));
            Self { name: noted.name.clone(), file, head: None, noted: Some(noted), standing: Standing::Missing }
        }));
        all.sort_by(|a, b| (a.filed_at(), &a.name).cmp(&(b.filed_at(), &b.name)));
        all
    }

    /// The journal's word, else the file's own.
    pub fn filed_at(&self) -> Option<DateTime<Utc>> {
        let noted = self.noted.as_ref().filter(|noted| noted.word != Filings::Removed);
        noted.map(|noted| noted.at).or_else(|| self.head.as_ref().map(|head| head.filed_at))
    }

    /// True where it was kept for seven years, or was to be gone already.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        match self.standing {
            Standing::Left => true,
            Standing::Missing => false,
            Standing::Known | Standing::Unknown | Standing::Unasked | Standing::Broken(_) => {
                self.filed_at().is_some_and(|at| is_over(at, now))
            }
        }
    }

    /// `true` where it is of this reconciliation, or cannot say of which.
    pub fn is_of(&self, name: &str) -> bool {
        match (&self.head, &self.noted) {
            (Some(head), _) => head.reconciliation.original() == name,
            (None, Some(noted)) => noted.subject == format!("reconciliation.{name}"),
            (None, None) => true,
        }
    }
}

fn standing(one: &Shelved, noted: Option<&Noted>, has_journal: bool) -> Standing {
    if noted.is_some_and(|noted| noted.word == Filings::Removed) {
        return Standing::Left;
    }
    match (&one.head, one.lacks.first(), &one.hashes, noted) {
        (Err(why), ..) => Standing::Broken(why.clone()),
        (Ok(_), Some(lacking), ..) => Standing::Broken(Text::new(format!("{lacking} is not there"))),
        (Ok(_), None, None, _) => Standing::Broken(Text::new("its list of hashes is not the one that was written")),
        (Ok(_), None, Some(hashes), Some(noted)) if *hashes != noted.hashes => {
            Standing::Broken(Text::new(format!("the journal knows another one of this name (line {})", noted.sequence)))
        }
        (Ok(_), None, Some(_), Some(_)) => Standing::Known,
        (Ok(_), None, Some(_), None) if has_journal => Standing::Unknown,
        (Ok(_), None, Some(_), None) => Standing::Unasked,
    }
}
