//! Firestore in a pack: which documents are read and by what conditions, and what is written into one.

use crate::domain::{
    document::{FieldPath, Written},
    template::Template,
};

/// Documents, or totals over them.
#[derive(Clone, Debug)]
pub struct FirestoreRead {
    pub from: Documents,
    pub conditions: Vec<Condition>,
    pub order: Vec<By>,
    /// The query's own limit; without one a list that is too long is a failure.
    pub limit: Option<usize>,
    pub columns: Vec<(String, DocumentColumn)>,
    /// Only its own columns: it is read beside another document, whose `id`, `path` and times must not be taken for its own.
    pub is_beside: bool,
    /// One row of totals instead of the documents.
    pub totals: Vec<(String, Total)>,
}

#[derive(Clone, Debug)]
pub enum Documents {
    /// One by its path; no row where it is not there.
    One(Template),
    Collection(Template),
    /// Every collection of this name, wherever it stands.
    Group(String),
}

/// What a column shows of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentColumn {
    Id,
    /// Its path below the database.
    Path,
    CreateTime,
    UpdateTime,
    Field(FieldPath),
}

/// Columns of every document, before the query's own.
static ALWAYS: [(&str, DocumentColumn); 4] = [
    ("id", DocumentColumn::Id),
    ("path", DocumentColumn::Path),
    ("create_time", DocumentColumn::CreateTime),
    (UPDATE_TIME, DocumentColumn::UpdateTime),
];

impl DocumentColumn {
    /// The words for what a document tells of itself, where a field's path could stand.
    pub const WORDS: [&str; 4] = ["__id__", "__path__", "__create_time__", "__update_time__"];

    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().zip(&ALWAYS).find(|(known, _)| **known == word).map(|(_, (_, column))| column.clone())
    }
}

#[derive(Clone, Debug)]
pub struct Condition {
    pub field: FieldPath,
    pub test: Test,
}

#[derive(Clone, Debug)]
pub enum Test {
    Compared(Comparing, Written),
    Listed(Listing, Vec<Written>),
    IsNone,
    IsNotNone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparing {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
    Contains,
}

impl Comparing {
    pub const ALL: [Self; 7] = [Self::Is, Self::IsNot, Self::Below, Self::AtMost, Self::Above, Self::AtLeast, Self::Contains];

    /// The key in a pack.
    pub fn word(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is_not",
            Self::Below => "below",
            Self::AtMost => "at_most",
            Self::Above => "above",
            Self::AtLeast => "at_least",
            Self::Contains => "contains",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    OneOf,
    NoneOf,
    ContainsOneOf,
}

impl Listing {
    pub const ALL: [Self; 3] = [Self::OneOf, Self::NoneOf, Self::ContainsOneOf];

    /// The key in a pack.
    pub fn word(self) -> &'static str {
        match self {
            Self::OneOf => "one_of",
            Self::NoneOf => "none_of",
            Self::ContainsOneOf => "contains_one_of",
        }
    }
}

impl Test {
    /// True where it needs the documents in the order of its field.
    pub fn is_by_order(&self) -> bool {
        match self {
            Self::Compared(comparing, _) => match comparing {
                Comparing::IsNot | Comparing::Below | Comparing::AtMost | Comparing::Above | Comparing::AtLeast => true,
                Comparing::Is | Comparing::Contains => false,
            },
            Self::Listed(listing, _) => *listing == Listing::NoneOf,
            Self::IsNone => false,
            Self::IsNotNone => true,
        }
    }
}

/// One field by which a list is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub field: FieldPath,
    pub descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    Count,
    Sum(FieldPath),
    Average(FieldPath),
}

impl FirestoreRead {
    /// True for documents that come page by page.
    pub fn is_list(&self) -> bool {
        self.totals.is_empty() && !matches!(self.from, Documents::One(_))
    }

    /// The columns of its rows.
    pub fn names(&self) -> Vec<String> {
        if !self.totals.is_empty() {
            return self.totals.iter().map(|(name, _)| name.clone()).collect();
        }
        self.all_columns().map(|(name, _)| name.to_owned()).collect()
    }

    /// The same read of a row that has an id already.
    #[must_use]
    pub fn beside(mut self) -> Self {
        self.is_beside = true;
        self
    }

    /// Every column of a document; one of the query's own takes the place of one that is always there.
    pub fn all_columns(&self) -> impl Iterator<Item = (&str, &DocumentColumn)> {
        let is_own = |name: &str| self.columns.iter().any(|(own, _)| own == name);
        let always =
            ALWAYS.iter().filter(move |(name, _)| !self.is_beside && !is_own(name)).map(|(name, column)| (*name, column));
        always.chain(self.columns.iter().map(|(name, column)| (name.as_str(), column)))
    }

    /// In words, for the record.
    pub fn said(&self) -> String {
        let from = match &self.from {
            Documents::One(path) => format!("document {}", path.source()),
            Documents::Collection(path) => format!("collection {}", path.source()),
            Documents::Group(name) => format!("collection group {name}"),
        };
        let condition = |condition: &Condition| {
            let said = match &condition.test {
                Test::Compared(comparing, value) => format!("{} {}", comparing.word(), value.said()),
                Test::Listed(listing, values) => {
                    format!("{} [{}]", listing.word(), values.iter().map(Written::said).collect::<Vec<_>>().join(", "))
                }
                Test::IsNone => "is none".to_owned(),
                Test::IsNotNone => "is not none".to_owned(),
            };
            format!("{} {said}", condition.field)
        };
        let conditions: Vec<String> = self.conditions.iter().map(condition).collect();
        if conditions.is_empty() { from } else { format!("{from} where {}", conditions.join(" and ")) }
    }
}

/// What is written into one document. Nothing else of it is touched, and no document is ever deleted.
#[derive(Clone, Debug)]
pub struct DocumentWrite {
    pub document: Template,
    pub changes: Vec<(FieldPath, WrittenChange)>,
    pub when: When,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WrittenChange {
    Set(Written),
    ServerTime,
    Remove,
}

impl WrittenChange {
    /// Every name that it takes.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Set(written) => written.names(),
            Self::ServerTime | Self::Remove => Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// It is not there yet.
    Absent,
    /// It is as it was when it was read: the column with that moment, which no other document's can stand in for.
    Unchanged { since: String },
}

/// The column that says when a document last changed, where the pack names no other.
pub const UPDATE_TIME: &str = "update_time";

impl DocumentWrite {
    /// Every name that it takes.
    pub fn names(&self) -> Vec<String> {
        let changes = self.changes.iter().flat_map(|(_, change)| change.names());
        self.document.names().into_iter().chain(changes).collect()
    }

    /// The same with some names given for good, as text.
    #[must_use]
    pub fn given(&self, given: &[(&str, &str)]) -> Self {
        let mut write = self.clone();
        for (name, text) in given {
            write.document = write.document.with(name, crate::domain::value::Value::text(*text));
            for (_, change) in &mut write.changes {
                if let WrittenChange::Set(written) = change {
                    *written = written.given(name, text);
                }
            }
        }
        write
    }
}
