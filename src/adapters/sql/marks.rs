//! The business's table of marks: each act writes one in its own transaction, so that an act whose answer was lost
//! can be told from one that never came, and a repeated one changes nothing.

use crate::{domain::value::Value, ports::Mark};

/// The table that a connection's `marks` names, for PostgreSQL and SQLite alike.
pub const MARKS_TABLE: &str = "\
create table operator_actions (
    action_id text not null,
    step integer not null,
    target text not null,
    operator text not null,
    marked_at timestamp not null default current_timestamp,
    primary key (action_id, step)
)";

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
}

impl Marks {
    pub(super) fn of(table: &str) -> Result<Self, String> {
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_may_stand_in_a_statement() {
        assert!(Marks::of("operator_actions").is_ok());
        assert!(Marks::of("ops.operator_actions").is_ok());
        for bad in ["", "a b", "a;drop table x", "a.b.c", "1a", "a.", "\"a\""] {
            assert!(Marks::of(bad).is_err(), "{bad}");
        }
    }
}
