//! SQL databases, PostgreSQL or SQLite by the URL's scheme: read-only looks, and acts in one transaction that state
//! how many rows they change. Never more than the pack's own text with bound parameters reaches a database.

mod cell;
mod fault;
mod lane;
mod marks;
mod postgres;
mod postgres_cell;
mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

pub use marks::{Database, marks_table};

use self::{
    fault::{Fault, FaultKind},
    marks::Marks,
    postgres::Postgres,
    sqlite::Sqlite,
};
use super::{environment::Found as Secret, scrub::Scrubber, wrong_order, wrong_query};
use crate::{
    domain::{
        pack::{Query, Read, Sql},
        plan::{ActionId, Order},
        rows::{Params, Rows},
        text::{self, Text},
        value::Value,
    },
    ports::{Answer, Doer, Found, Mark, Outcome, Source, SourceError},
};

/// More rows than this are a mistake in the statement, and would not fit the screen's memory.
const MOST_ROWS: usize = 1_000_000;

/// How soon an act that met a lock or a lost line may be tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// A database of the business.
#[derive(Debug)]
pub(super) struct SqlSystem {
    name: String,
    engine: Engine,
    marks: Option<Marks>,
    timeout: Duration,
    scrub: Scrubber,
}

#[derive(Debug)]
enum Engine {
    Sqlite(Box<Sqlite>),
    Postgres(Box<Postgres>),
}

/// What an act did inside its transaction.
enum Acted {
    Committed,
    /// Its mark was there before: an earlier attempt got through.
    Already,
    /// So many rows fitted; everything was rolled back.
    OtherRows(u64),
}

/// Why an act did not finish; `in_doubt` from the moment that the commit was sent.
struct Broken {
    fault: Fault,
    in_doubt: bool,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self { fault, in_doubt: false }
    }
}

/// One statement to carry out.
struct Statement<'a> {
    text: &'a str,
    parameters: &'a [Value],
    rows: u64,
    marks: Option<&'a Marks>,
    mark: &'a Mark,
}

impl SqlSystem {
    pub(super) fn open(name: &str, url: &Secret, marks: Option<&str>, timeout: Duration) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide_address(url.expose());
        let address = url.expose();
        let engine = match Database::of(address) {
            Some(Database::Sqlite) => Sqlite::open(address, timeout).map(Box::new).map(Engine::Sqlite),
            Some(Database::Postgres) => Postgres::open(address, timeout).map(Box::new).map(Engine::Postgres),
            None => Err("the address must begin with `postgres://` or `sqlite:`".to_owned()),
        }
        .map_err(|problem| scrub.clean(&problem))?;
        let marks = marks.map(Marks::of).transpose()?;
        Ok(Self { name: name.to_owned(), engine, marks, timeout, scrub })
    }

    /// The sentence for a failure: which connection, what, what to try.
    fn said(&self, fault: &Fault) -> Text {
        self.scrub.text(&format!("{}: {}", self.name, fault.said))
    }

    fn error(&self, fault: &Fault) -> SourceError {
        let said = self.said(fault);
        match fault.kind {
            FaultKind::Unreachable | FaultKind::Lost => SourceError::Unreachable(said),
            FaultKind::Denied => SourceError::Denied(said),
            FaultKind::Malformed => SourceError::Malformed(said),
            FaultKind::TimedOut => SourceError::TimedOut(self.timeout),
            FaultKind::Busy => SourceError::Busy(said),
            FaultKind::Refused => SourceError::Refused(said),
        }
    }

    async fn rows(&self, sql: &Sql, params: &Params) -> Result<Rows, SourceError> {
        let values = bound(sql, params).map_err(|missing| {
            SourceError::Refused(Text::new(format!(
                "{}: the statement needs :{missing}, and nothing here is called that",
                self.name
            )))
        })?;
        self.look(&sql.numbered, &values).await.map_err(|fault| self.error(&fault))
    }

    async fn look(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        self.in_time(async {
            match &self.engine {
                Engine::Sqlite(sqlite) => sqlite.read(text, values).await,
                Engine::Postgres(postgres) => postgres.read(text, values).await,
            }
        })
        .await
    }

    async fn columns(&self, text: &str) -> Result<Option<Vec<String>>, Fault> {
        self.in_time(async {
            match &self.engine {
                Engine::Sqlite(sqlite) => sqlite.columns(text).await,
                Engine::Postgres(postgres) => postgres.columns(text).await,
            }
        })
        .await
    }

    /// What keeps a mark from being written, if anything does. A database that does not answer is told of by its looks.
    async fn unmarkable(&self, marks: &Marks) -> Result<Option<String>, Fault> {
        let verdict = |fault: Fault| match fault.kind {
            FaultKind::Refused | FaultKind::Denied => Ok(Some(format!("cannot be used ({})", fault.said))),
            FaultKind::Unreachable | FaultKind::Lost | FaultKind::Malformed | FaultKind::TimedOut | FaultKind::Busy => Err(fault),
        };
        let columns = match self.columns(&marks.columns()).await {
            Ok(columns) => columns.unwrap_or_default(),
            Err(fault) => return verdict(fault),
        };
        let missing = Marks::missing(&columns);
        if !missing.is_empty() {
            return Ok(Some(format!("lacks {}", missing.join(", "))));
        }
        let nothing = marks::values(&Mark {
            action: ActionId(String::new()),
            step: 0,
            attempt: 1,
            target: String::new(),
            operator: String::new(),
        });
        self.look(&marks.rehearsal(), &nothing).await.map_or_else(verdict, |_| Ok(None))
    }

    async fn in_time<T>(&self, look: impl Future<Output = Result<T, Fault>> + Send) -> Result<T, Fault> {
        let answer = tokio::time::timeout(self.timeout, look).await;
        if let (Err(_), Engine::Postgres(postgres)) = (&answer, &self.engine) {
            postgres.distrust();
        }
        answer.unwrap_or_else(|_| Err(Fault::timed_out()))
    }

    async fn apply(&self, statement: Statement<'_>) -> Result<Acted, Broken> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.act(&statement).await,
            Engine::Postgres(postgres) => postgres.act(&statement).await,
        }
    }

    fn judge(&self, acted: Result<Acted, Broken>, expected: u64) -> Outcome {
        match acted {
            Ok(Acted::Committed) => Outcome::Confirmed(self.answer("applied")),
            Ok(Acted::Already) => Outcome::Confirmed(self.answer("already applied")),
            Ok(Acted::OtherRows(found)) => Outcome::Changed(Text::new(format!(
                "{}: {} instead of {expected}: someone decided it meanwhile; nothing was changed",
                self.name,
                text::counted(found, "row")
            ))),
            Err(Broken { fault, in_doubt: true }) => {
                Outcome::Unknown(self.scrub.text(&format!("{}: no answer to the commit: {}", self.name, fault.said)))
            }
            Err(Broken { fault, in_doubt: false }) => match fault.kind {
                FaultKind::Unreachable | FaultKind::Lost | FaultKind::TimedOut | FaultKind::Busy => {
                    Outcome::Again { after: AGAIN, why: self.said(&fault) }
                }
                FaultKind::Denied | FaultKind::Malformed | FaultKind::Refused => Outcome::Rejected(self.said(&fault)),
            },
        }
    }

    fn answer(&self, said: &str) -> Answer {
        Answer { reference: None, request: None, said: Text::new(format!("{}: {said}", self.name)) }
    }
}

#[async_trait]
impl Source for SqlSystem {
    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        match &query.read {
            Read::Sql(sql) => self.rows(sql, params).await,
            Read::Stripe(_) | Read::Http(_) => Err(wrong_query(&self.name, "sql")),
        }
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        let Read::Sql(sql) = &query.read else {
            return Err(wrong_query(&self.name, "sql"));
        };
        self.columns(&sql.numbered).await.map_err(|fault| self.error(&fault))
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        let Some(marks) = &self.marks else { return Ok(Vec::new()) };
        let wrong = self.unmarkable(marks).await.map_err(|fault| self.error(&fault))?;
        Ok(wrong.iter().map(|what| self.scrub.text(&format!("{}: {}", self.name, marks.said(what)))).collect())
    }
}

#[async_trait]
impl Doer for SqlSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let Order::Sql { statement, parameters, rows, .. } = order else {
            return wrong_order(&self.name, "sql");
        };
        let statement = Statement { text: statement, parameters, rows: *rows, marks: self.marks.as_ref(), mark };
        self.judge(self.apply(statement).await, *rows)
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        if !matches!(order, Order::Sql { .. }) {
            return Found::CannotTell(Text::new(format!("{}: not an order for a database", self.name)));
        }
        let Some(marks) = &self.marks else {
            return Found::CannotTell(Text::new(format!("{}: no table of marks is declared, so nothing tells", self.name)));
        };
        let values = [Value::text(mark.action.0.as_str()), Value::Integer(mark.step as i64)];
        match self.look(&marks.look, &values).await {
            Ok(rows) if rows.is_empty() => Found::Absent,
            Ok(_) => Found::Ours(self.answer("already applied")),
            Err(fault) => Found::CannotTell(self.said(&fault)),
        }
    }
}

/// The values in the order of their numbers, or the name that is missing.
fn bound(sql: &Sql, params: &Params) -> Result<Vec<Value>, String> {
    sql.parameters.iter().map(|name| params.get(name).cloned().ok_or_else(|| name.clone())).collect()
}

/// The one door through which text becomes SQL: the pack's own statements, whose values are all bound, and ours.
fn statement_of_the_pack(text: &str) -> SqlStr {
    AssertSqlSafe(text.to_owned()).into_sql_str()
}

#[cfg(test)]
mod postgres_tests;
#[cfg(test)]
mod tests;
