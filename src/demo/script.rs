//! SQL as a demo business declares it: several statements, named parameters, rows as JSON.
//!
//! The one place of the town where SQL text that was not written here is run; values only ever go in bound.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use sqlx::{AssertSqlSafe, Column as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _, sqlite::SqliteRow};

use super::error::Error;

/// What parameters are bound to.
pub type Values = BTreeMap<String, Json>;

/// Statements with `$1`, `$2` ... where names stood.
#[derive(Clone, Debug)]
pub struct Script {
    what: String,
    numbered: String,
    names: Vec<String>,
}

impl Script {
    /// `what` names it in errors.
    pub fn new(what: impl Into<String>, source: &str) -> Self {
        let (numbered, names) = number(source);
        Self { what: what.into(), numbered, names }
    }

    /// Runs every statement; the rows changed by all of them.
    pub async fn run(&self, connection: &mut SqliteConnection, values: &Values) -> Result<u64, Error> {
        let done = self.query(values)?.execute(connection).await.map_err(Error::sql(&self.what))?;
        Ok(done.rows_affected())
    }

    pub async fn rows(&self, connection: &mut SqliteConnection, values: &Values) -> Result<Vec<Map<String, Json>>, Error> {
        let rows = self.query(values)?.fetch_all(connection).await.map_err(Error::sql(&self.what))?;
        rows.iter().map(|row| cells(row).map_err(Error::sql(&self.what))).collect()
    }

    fn query(&self, values: &Values) -> Result<sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>, Error> {
        let mut query = sqlx::query(AssertSqlSafe(self.numbered.clone())).persistent(false);
        for name in &self.names {
            let value = values.get(name).ok_or_else(|| Error::Parameter { what: self.what.clone(), name: name.clone() })?;
            query = match value {
                Json::Null => query.bind(None::<String>),
                Json::Bool(truth) => query.bind(*truth),
                Json::Number(number) => match number.as_i64() {
                    Some(whole) => query.bind(whole),
                    None => query.bind(number.as_f64()),
                },
                Json::String(text) => query.bind(text.clone()),
                Json::Array(_) | Json::Object(_) => query.bind(value.to_string()),
            };
        }
        Ok(query)
    }
}

fn cells(row: &SqliteRow) -> Result<Map<String, Json>, sqlx::Error> {
    let mut cells = Map::new();
    for column in row.columns() {
        let raw = row.try_get_raw(column.ordinal())?;
        let kind = if raw.is_null() { "NULL".to_owned() } else { raw.type_info().name().to_owned() };
        let value = match kind.as_str() {
            "NULL" => Json::Null,
            "INTEGER" => Json::from(row.try_get_unchecked::<i64, _>(column.ordinal())?),
            "REAL" => Json::from(row.try_get_unchecked::<f64, _>(column.ordinal())?),
            _ => Json::from(row.try_get_unchecked::<String, _>(column.ordinal())?),
        };
        cells.insert(column.name().to_owned(), value);
    }
    Ok(cells)
}

/// Replaces each `:name` outside quotes and comments; the same name is the same number.
fn number(source: &str) -> (String, Vec<String>) {
    let mut numbered = String::with_capacity(source.len());
    let mut names: Vec<String> = Vec::new();
    let mut rest = source.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' => {
                numbered.push(character);
                for inner in rest.by_ref() {
                    numbered.push(inner);
                    if inner == character {
                        break;
                    }
                }
            }
            '-' if rest.peek() == Some(&'-') => {
                for inner in rest.by_ref() {
                    if inner == '\n' {
                        numbered.push('\n');
                        break;
                    }
                }
            }
            ':' if rest.peek().is_some_and(|next| next.is_ascii_alphabetic() || *next == '_') => {
                let mut name = String::new();
                while let Some(next) = rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
                    name.push(next);
                }
                let index = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                numbered.push('$');
                numbered.push_str(&(index + 1).to_string());
            }
            _ => numbered.push(character),
        }
    }
    (numbered, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_quotes_and_comments_become_numbers() {
        let (numbered, names) = number("select ':a', :now -- :b it's\n, \":c\", :id, :now");
        assert_eq!(numbered, "select ':a', $1 \n, \":c\", $2, $1");
        assert_eq!(names, ["now", "id"]);
    }
}
