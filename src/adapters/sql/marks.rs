//! The business's table of marks: each act writes one in its own transaction, so that an act whose answer was lost
//! can be told from one that never came, and a repeated one changes nothing.

use super::claims::{self, ClaimStatements};
use crate::{domain::value::Value, ports::Mark};

/// The kinds of database that keep marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    Postgres,
    Sqlite,
}

impl Database {
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// By the scheme of an address.
    pub(in crate::adapters) fn of(address: &str) -> Option<Self> {
        match address.split_once(':').map_or("", |(scheme, _)| scheme) {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }
}

/// What a mark consists of; `marked_at` is the database's own.
const COLUMNS: [&str; 4] = ["action_id", "step", "target", "operator"];

/// The statement that creates the table which a connection's `marks` names.
pub fn marks_table(database: Database, table: &str) -> String {
    let marked_at = match database {
        Database::Postgres => "timestamptz not null default clock_timestamp()",
        Database::Sqlite => "timestamp not null default current_timestamp",
    };
    format!(
        "create table {table} (\n    action_id text not null,\n    step integer not null,\n    target text not null,\n    \
         operator text not null,\n    marked_at {marked_at},\n{}    primary key (action_id, step)\n);\n{}",
        claims::columns(database),
        claims::indexes(database, table),
    )
}

/// What a mark is written with, in the order of its numbers.
pub(super) fn values(mark: &Mark) -> [Value; 4] {
    [
        Value::text(mark.action.0.as_str()),
        Value::Integer(mark.step as i64),
        Value::text(mark.target.as_str()),
        Value::text(mark.operator.as_str()),
    ]
}

/// The statements over one table of marks.
#[derive(Debug)]
pub(super) struct Marks {
    /// Writes a mark, or changes no row where it is there already.
    pub(super) write: String,
    /// One row where the mark is there.
    pub(super) look: String,
    pub(super) claims: ClaimStatements,
    table: String,
}

impl Marks {
    pub(super) fn of(database: Database, table: &str) -> Result<Self, String> {
        let is_name = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        // The name becomes part of a statement, where no parameter can stand.
        if !table.split('.').all(is_name) || table.split('.').count() > 2 {
            return Err(format!("`marks` must be a table's name, and `{table}` is none"));
        }
        Ok(Self {
            write: format!(
                "insert into {table} (action_id, step, target, operator) values ($1, $2, $3, $4) \
                 on conflict (action_id, step) do nothing"
            ),
            look: format!("select operator from {table} where action_id = $1 and step = $2"),
            claims: ClaimStatements::of(database, table),
            table: table.to_owned(),
        })
    }

    pub(super) fn columns(&self) -> String {
        format!("select * from {}", self.table)
    }

    /// What it would take to write a mark: the columns, the grant, the key. Nothing is written.
    pub(super) fn rehearsal(&self) -> String {
        format!("explain {}", self.write)
    }

    /// The columns of a mark that a table does not have.
    pub(super) fn missing(there: &[String]) -> Vec<&'static str> {
        COLUMNS.into_iter().filter(|column| !there.iter().any(|name| name.eq_ignore_ascii_case(column))).collect()
    }

    /// What is to be done about a table that keeps marks and cannot keep claims.
    pub(super) fn said_of_claims(&self, what: &str) -> String {
        format!(
            "acts are not claimed in this database, so another operator could act at the same time: the table of marks `{}` \
             {what}; `wheelhouse pack ddl FILE` prints how an older one is brought up to date",
            self.table
        )
    }

    /// What is to be done about a table that is not as it must be.
    pub(super) fn said(&self, what: &str) -> String {
        format!(
            "every act on this database will be refused: the table of marks `{}` {what}; `wheelhouse pack ddl FILE` prints how it is made",
            self.table
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_may_stand_in_a_statement() {
        let of = |table| Marks::of(Database::Postgres, table);
        assert!(of("operator_actions").is_ok());
        assert!(of("ops.operator_actions").is_ok());
        for bad in ["", "a b", "a;drop table x", "a.b.c", "1a", "a.", "\"a\""] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
