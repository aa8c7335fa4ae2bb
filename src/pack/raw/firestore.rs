//! Firestore as it is written: the connection, the reads, what is written into a document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// Firestore, by its REST interface.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawFirestore {
    /// The project's id.
    pub project: Option<String>,
    /// The environment variable with the project's id.
    pub project_env: Option<String>,
    /// The database's id (default `(default)`).
    pub database: Option<String>,
    /// The environment variable with a service account's key (its JSON); without any, Google's default credentials of
    /// this machine are used.
    pub credentials_env: Option<String>,
    /// The file with a service account's key, mode 0600.
    pub credentials_file: Option<String>,
    /// The command (program and arguments) that prints a service account's key.
    pub credentials_command: Option<Vec<String>>,
    /// A collection into which each act writes a document of its own, in the same commit.
    pub marks: Option<String>,
    /// The longest that one look or act may take (default `10s`).
    pub timeout: Option<String>,
}

/// Documents as rows; or, with `count`, `sums` or `averages`, one row of totals over them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawFirestoreRead {
    /// The connection.
    pub on: String,
    /// The path of one document (`system_status/global`); a template.
    pub document: Option<String>,
    /// The path of a collection (`jobs`, `users/{{ id }}/notes`); a template.
    pub collection: Option<String>,
    /// Every collection of this name, wherever it stands.
    pub group: Option<String>,
    /// What must hold of a document, all of it.
    #[serde(default, rename = "where")]
    pub conditions: OneOrMany<RawCondition>,
    /// Fields by which it is ordered; `-` before one turns it round.
    #[serde(default)]
    pub order: Vec<String>,
    /// No more documents than these.
    pub limit: Option<u64>,
    /// Column = path of a field (`amount = "payment.amount_cents"`); `id`, `path`, `create_time` and `update_time` are always there.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// The column with the number of documents.
    pub count: Option<String>,
    /// Column = path of a field that is added up.
    #[serde(default)]
    pub sums: BTreeMap<String, String>,
    /// Column = path of a field whose average is taken.
    #[serde(default)]
    pub averages: BTreeMap<String, String>,
    /// Columns in minor units that become money.
    #[serde(default)]
    pub money: Vec<String>,
}

/// One field and what must hold of it; exactly one comparison.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawCondition {
    /// The path of the field.
    pub field: String,
    pub is: Option<RawWritten>,
    pub is_not: Option<RawWritten>,
    pub below: Option<RawWritten>,
    pub at_most: Option<RawWritten>,
    pub above: Option<RawWritten>,
    pub at_least: Option<RawWritten>,
    /// The field is a list, and this is in it.
    pub contains: Option<RawWritten>,
    pub one_of: Option<Vec<RawWritten>>,
    pub none_of: Option<Vec<RawWritten>>,
    /// The field is a list, and one of these is in it.
    pub contains_one_of: Option<Vec<RawWritten>>,
    /// The field is there and holds nothing (`true`), or something (`false`).
    pub is_none: Option<bool>,
}

/// A value: plain, `:name`, a text with `{{ name }}`, a list, or a table that says its kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::pack) enum RawWritten {
    Truth(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<RawWritten>),
    Typed(RawTyped),
}

/// A text that must read as a certain kind; exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::pack) struct RawTyped {
    /// `true` or `false`.
    pub boolean: Option<String>,
    pub integer: Option<String>,
    pub double: Option<String>,
    /// RFC 3339.
    pub timestamp: Option<String>,
    /// A reference to a document, by its path.
    pub document: Option<String>,
    /// Hexadecimal digits.
    pub bytes: Option<String>,
    /// Latitude and longitude, with a comma between.
    pub geo_point: Option<String>,
    /// Holds nothing.
    pub none: Option<bool>,
    /// The moment at which the database writes it.
    pub server_time: Option<bool>,
}

/// Fields of one document; all others stay as they are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawFirestoreEffect {
    /// The connection.
    pub on: String,
    /// The document's path; a template.
    pub document: String,
    /// Path of a field = its new value.
    #[serde(default)]
    pub set: BTreeMap<String, RawWritten>,
    /// Paths of fields that are taken out.
    #[serde(default)]
    pub remove: Vec<String>,
    /// A new document, only where there is none of that name (default `false`: it is there, and as it was read).
    #[serde(default)]
    pub create: bool,
    /// The column with the moment at which the document last changed (default `update_time`).
    pub unchanged_since: Option<String>,
}
