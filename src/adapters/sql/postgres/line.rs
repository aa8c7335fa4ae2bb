//! One connection to PostgreSQL within one transaction: what is asked on it is described first, and nothing is left
//! behind on the server.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::domain::zone::Zone;
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::{
    Arguments as _, Column as _, Connection as _, Either, Executor as _, Row as _, Statement as _,
    postgres::{PgArguments, PgConnection, PgTypeInfo},
    query::Query,
};

use super::{
    bind::Bind,
    cell::{asked_as, decode},
};
use crate::{
    adapters::sql::{
        Acted, Statement,
        claims::Transaction,
        fault::{Fault, FaultKind},
        marks,
        parts::Parts,
        statement_of_the_pack,
    },
    domain::{rows::Rows, value::Value},
};

/// What the server is told with the beginning of each transaction, and within it: a pooler hands the same server to
/// someone else in a moment.
pub(super) struct Terms {
    /// The longest that one statement may take.
    pub(super) statement: Duration,
    /// The longest that it may wait for what somebody has locked.
    pub(super) lock: Duration,
    /// The longest that a transaction may hear nothing of us.
    pub(super) silence: Duration,
}

impl Terms {
    fn said(&self) -> String {
        // Zero would mean for ever.
        let [statement, lock, silence] = [self.statement, self.lock, self.silence].map(|limit| limit.as_millis().max(1));
        format!(
            "set local statement_timeout = {statement}; set local lock_timeout = {lock}; \
             set local idle_in_transaction_session_timeout = {silence}; set local timezone = 'UTC'"
        )
    }
}

/// The types that the server gave to a statement's parameters, and the columns that it answers with.
#[derive(Debug)]
pub(super) struct Described {
    /// As it is sent: the pack's own, or that within one that asks the server for its words of some columns.
    text: String,
    parameters: Vec<PgTypeInfo>,
    pub(super) columns: Vec<String>,
    is_reworded: bool,
}

/// A connection and what it described. Never another connection's descriptions: a driver that meets an unknown type in
/// an unnamed statement asks the catalogue in between, which destroys the statement (`26000`).
pub(super) struct Line {
    connection: PgConnection,
    described: HashMap<String, Arc<Described>>,
    zone: Zone,
}

impl Line {
    pub(super) fn new(connection: PgConnection, zone: Zone) -> Self {
        Self { connection, described: HashMap::new(), zone }
    }

    /// Begins a transaction; `begin` is `begin` or `begin read only`.
    pub(super) async fn start(&mut self, begin: &str, terms: &Terms) -> Result<(), Fault> {
        // Reworded by its columns: right as long as this transaction keeps others from changing the table.
        self.described.retain(|_, described| !described.is_reworded);
        let text = format!("{begin}; {}", terms.said());
        sqlx::raw_sql(statement_of_the_pack(&text)).execute(&mut self.connection).await?;
        Ok(())
    }

    pub(super) async fn finish(&mut self, how: &'static str) -> Result<(), Fault> {
        sqlx::raw_sql(how).execute(&mut self.connection).await?;
        Ok(())
    }

    /// What came of an act before it is committed or rolled back; nothing where all is as expected.
    pub(super) async fn changes(&mut self, statement: &Statement<'_>) -> Result<Option<Acted>, Fault> {
        if let Some(marks) = statement.marks {
            let values = marks::values(statement.mark);
            if self.execute(&marks.write, &values).await? == 0 {
                return Ok(Some(Acted::Already));
            }
        }
        let found = self.execute(statement.text, statement.parameters).await?;
        Ok((found != statement.rows).then_some(Acted::OtherRows(found)))
    }

    pub(super) async fn execute(&mut self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        let described = self.describe(text).await?;
        let query = bound(text, values, &described.parameters, self.zone)?;
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    pub(super) async fn describe(&mut self, text: &str) -> Result<Arc<Described>, Fault> {
        if let Some(known) = self.described.get(text) {
            return Ok(Arc::clone(known));
        }
        let statement = (&mut self.connection).prepare(statement_of_the_pack(text)).await?;
        let parameters = match statement.parameters() {
            Some(Either::Left(types)) => types.to_vec(),
            Some(Either::Right(_)) | None => Vec::new(),
        };
        let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
        let types: Vec<PgTypeInfo> = statement.columns().iter().map(|column| column.type_info().clone()).collect();
        // In this same transaction, thus at this same server behind a pooler.
        self.connection.clear_cached_statements().await?;
        let reworded = reworded(text, &types);
        let is_reworded = reworded.is_some();
        let described =
            Arc::new(Described { text: reworded.unwrap_or_else(|| text.to_owned()), parameters, columns, is_reworded });
        self.described.insert(text.to_owned(), Arc::clone(&described));
        Ok(described)
    }

    /// The answer, as far as it fits in memory.
    async fn fetch(&mut self, values: &[Value], described: &Described) -> Result<Rows, Fault> {
        let mut parts = Parts::gathered();
        self.pour(values, described, &mut parts).await?;
        parts.end()
    }

    /// The answer, to where it goes. A line that was left in the middle of one must not be kept.
    pub(super) async fn pour(&mut self, values: &[Value], described: &Described, parts: &mut Parts<'_>) -> Result<(), Fault> {
        let mut sizes = Vec::new();
        let query = bound(&described.text, values, &described.parameters, self.zone)?;
        let mut stream = query.fetch(&mut self.connection);
        while let Some(row) = stream.try_next().await? {
            if parts.is_blank() {
                let own = || row.columns().iter().map(|column| column.name().to_owned()).collect();
                // The row's own: a description may be older than the table.
                parts.head(if described.is_reworded { described.columns.clone() } else { own() });
            }
            sizes.clear();
            for index in 0..row.len() {
                sizes.push(row.try_get_raw(index)?.as_bytes().map_or(0, <[u8]>::len));
            }
            parts.admit(sizes.iter().copied())?;
            let cells: Result<_, Fault> = (0..row.len()).map(|index| decode(&row, index, self.zone)).collect();
            parts.push(cells?)?;
        }
        if parts.is_blank() {
            parts.head(described.columns.clone());
        }
        Ok(())
    }

    /// The next statement of this transaction may take so long.
    pub(super) async fn have_patience(&mut self, longest: Duration) -> Result<(), Fault> {
        let text = format!("set local statement_timeout = {}", longest.as_millis().max(1));
        sqlx::raw_sql(statement_of_the_pack(&text)).execute(&mut self.connection).await?;
        Ok(())
    }
}

#[async_trait]
impl Transaction for Line {
    async fn rows(&mut self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        let described = self.describe(text).await?;
        self.fetch(values, &described).await
    }

    async fn change(&mut self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        self.execute(text, values).await
    }

    async fn only_read(&mut self) -> Result<(), Fault> {
        self.finish("set transaction read only").await
    }
}

/// The same rows, with the server's words where a column's type has no place here; `None` where all have one.
fn reworded(text: &str, types: &[PgTypeInfo]) -> Option<String> {
    let names: Vec<String> = (0..types.len()).map(|index| format!("c{index}")).collect();
    let asked: Vec<Option<String>> = types.iter().zip(&names).map(|(kind, name)| asked_as(kind, name)).collect();
    if asked.iter().all(Option::is_none) {
        return None;
    }
    let cells: Vec<String> = asked.into_iter().zip(&names).map(|(asked, name)| asked.unwrap_or_else(|| name.clone())).collect();
    let text = text.trim_end().trim_end_matches(';');
    // The order of the rows within is the order without: nothing is joined, grouped or sorted there.
    Some(format!("select {} from (\n{text}\n) as look ({})", cells.join(", "), names.join(", ")))
}

fn bound(
    text: &str,
    values: &[Value],
    types: &[PgTypeInfo],
    zone: Zone,
) -> Result<Query<'static, sqlx::Postgres, PgArguments>, Fault> {
    if values.len() != types.len() {
        return Err(Fault::new(
            FaultKind::Refused,
            format!("the statement takes {} parameters and {} are given", types.len(), values.len()),
        ));
    }
    let mut arguments = PgArguments::default();
    for (index, (value, kind)) in values.iter().zip(types).enumerate() {
        arguments
            .add(Bind { value, kind: kind.clone(), zone })
            .map_err(|why| Fault::new(FaultKind::Refused, format!("parameter {} does not fit: {why}", index + 1)))?;
    }
    Ok(sqlx::query_with(statement_of_the_pack(text), arguments).persistent(false))
}
