//! PostgreSQL, also behind a transaction pooler: every look is one read-only transaction with unnamed statements, and
//! nothing is left behind on the server.

use std::{collections::HashMap, net::IpAddr, path::Path, str::FromStr as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::{
    Arguments as _, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _, Statement as _,
    postgres::{PgArguments, PgConnectOptions, PgConnection, PgSslMode, PgTypeInfo},
    query::Query,
};

use super::{
    Acted, Broken, MOST_ROWS, Statement,
    claims::{Contended, Contest, Transaction},
    fault::{Fault, FaultKind},
    lane::{Lane, Place},
    parts::Parts,
    postgres_cell::{Bind, decode},
    statement_of_the_pack,
};
use crate::domain::{rows::Rows, value::Value};

/// The types that the server gave to a statement's parameters, and the columns that it answers with.
#[derive(Debug)]
struct Described {
    parameters: Vec<PgTypeInfo>,
    columns: Vec<String>,
}

/// A connection and what it described. Never another connection's descriptions: a driver that meets an unknown type in
/// an unnamed statement asks the catalogue in between, which destroys the statement (`26000`).
struct Line {
    connection: PgConnection,
    described: HashMap<String, Arc<Described>>,
}

pub(super) struct Postgres {
    options: PgConnectOptions,
    lane: Lane<Line>,
    timeout: Duration,
}

impl Postgres {
    pub(super) fn open(url: &str, timeout: Duration) -> Result<Self, String> {
        let options = PgConnectOptions::from_str(url).map_err(|error| format!("the address is not understood: {error}"))?;
        let told =
            reqwest::Url::parse(url).is_ok_and(|url| url.query_pairs().any(|(key, _)| matches!(&*key, "sslmode" | "ssl-mode")));
        // The driver's own default falls back to plain text without a word.
        let options = match told {
            true => options,
            false if is_loopback(&options) => options.ssl_mode(PgSslMode::Prefer),
            false => options.ssl_mode(PgSslMode::VerifyFull),
        };
        // Poolers refuse start-up settings that they do not know; floats come in binary, where digits do not matter.
        let options = options.extra_float_digits(None).application_name("wheelhouse").disable_statement_logging();
        Ok(Self { options, lane: Lane::with_places(4), timeout })
    }

    pub(super) async fn read(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        match self.read_once(text, values).await {
            Err(fault) if fault.is_mixed_up => {
                self.distrust();
                self.read_once(text, values).await
            }
            answer => answer,
        }
    }

    async fn read_once(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin(&place, "begin read only").await?;
        let described = self.describe(&mut line, text, "begin read only").await?;
        let rows = fetch(&mut line.connection, text, values, &described).await?;
        line.finish("commit").await?;
        place.keep(line);
        Ok(rows)
    }

    /// As `read`, in parts.
    pub(super) async fn stream(&self, text: &str, values: &[Value], mut parts: Parts<'_>) -> Result<Rows, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin(&place, "begin read only").await?;
        let described = self.describe(&mut line, text, "begin read only").await?;
        let patience = format!("set local statement_timeout = {}", parts.patience(self.timeout).as_millis());
        sqlx::raw_sql(statement_of_the_pack(&patience)).execute(&mut line.connection).await?;
        {
            let mut stream = bound(text, values, &described.parameters)?.fetch(&mut line.connection);
            while let Some(row) = stream.try_next().await? {
                if parts.is_blank() {
                    parts.head(row.columns().iter().map(|column| column.name().to_owned()).collect());
                }
                parts.push((0..row.len()).map(|index| decode(&row, index)).collect::<Result<_, Fault>>()?)?;
            }
        }
        if parts.is_blank() {
            parts.head(described.columns.clone());
        }
        line.finish("commit").await?;
        place.keep(line);
        parts.end()
    }

    pub(super) async fn columns(&self, text: &str) -> Result<Option<Vec<String>>, Fault> {
        let place = self.lane.enter().await;
        let mut line = self.begin(&place, "begin read only").await?;
        let described = self.describe(&mut line, text, "begin read only").await?;
        line.finish("rollback").await?;
        place.keep(line);
        Ok(Some(described.columns.clone()))
    }

    pub(super) async fn act(&self, statement: &Statement<'_>) -> Result<Acted, Broken> {
        let before_commit = async {
            let place = self.lane.enter().await;
            let mut line = self.begin_described(&place, statement).await?;
            let verdict = line.changes(statement).await?;
            if verdict.is_some() {
                line.finish("rollback").await?;
            }
            Ok::<_, Fault>((place, line, verdict))
        };
        // Dropping the connection before the commit is sent ends the transaction at the server.
        let Ok(ready) = tokio::time::timeout(self.timeout, before_commit).await else {
            self.distrust();
            return Err(Fault::timed_out().into());
        };
        let (place, line, verdict) = ready?;
        if let Some(verdict) = verdict {
            place.keep(line);
            return Ok(verdict);
        }
        self.commit(place, line).await.map(|()| Acted::Committed)
    }

    async fn commit(&self, place: Place<'_, Line>, mut line: Line) -> Result<(), Broken> {
        match tokio::time::timeout(self.timeout, line.finish("commit")).await {
            Ok(Ok(())) => {
                place.keep(line);
                Ok(())
            }
            // The server's own refusal (a deferred constraint, a lost race) ends the transaction; all else is doubt.
            Ok(Err(fault)) => {
                let in_doubt = !fault.is_verdict || fault.kind == FaultKind::Lost || fault.kind == FaultKind::TimedOut;
                Err(Broken { fault, in_doubt })
            }
            Err(_) => Err(Broken { fault: Fault::timed_out(), in_doubt: true }),
        }
    }

    /// A claim in one transaction; whoever takes the same number meanwhile waits for it.
    pub(super) async fn claim(&self, mut contest: Contest<'_>) -> Result<Contended, Broken> {
        let before_commit = async {
            let place = self.lane.enter().await;
            let mut line = self.begin_with(&place, &contest.texts()).await?;
            let contended = contest.run(&mut line).await?;
            if !matches!(contended, Contended::Stands) {
                line.finish("rollback").await?;
            }
            Ok::<_, Fault>((place, line, contended))
        };
        let Ok(ready) = tokio::time::timeout(self.timeout, before_commit).await else {
            self.distrust();
            return Err(Fault::timed_out().into());
        };
        let (place, line, contended) = ready?;
        if matches!(contended, Contended::Stands) {
            self.commit(place, line).await?;
        } else {
            place.keep(line);
        }
        Ok(contended)
    }

    /// One statement in a transaction of its own.
    pub(super) async fn change(&self, text: &str, values: &[Value]) -> Result<(), Broken> {
        let before_commit = async {
            let place = self.lane.enter().await;
            let mut line = self.begin_with(&place, &[text.to_owned()]).await?;
            line.execute(text, values).await?;
            Ok::<_, Fault>((place, line))
        };
        let Ok(ready) = tokio::time::timeout(self.timeout, before_commit).await else {
            self.distrust();
            return Err(Fault::timed_out().into());
        };
        let (place, line) = ready?;
        self.commit(place, line).await
    }

    /// A connection with a transaction begun: a kept one, or, where that went stale, a new one.
    async fn begin(&self, place: &Place<'_, Line>, begin: &str) -> Result<Line, Fault> {
        if let Some(mut kept) = place.take()
            && self.start(&mut kept, begin).await.is_ok()
        {
            return Ok(kept);
        }
        let connection = self.options.connect().await.map_err(|error| Fault::connecting(&error))?;
        let mut line = Line { connection, described: HashMap::new() };
        self.start(&mut line, begin).await?;
        Ok(line)
    }

    /// A transaction for an act, every statement of it described before: a name that is taken would end it.
    async fn begin_described(&self, place: &Place<'_, Line>, statement: &Statement<'_>) -> Result<Line, Fault> {
        let texts = statement.marks.map(|marks| marks.write.as_str()).into_iter().chain([statement.text]);
        self.begin_with(place, &texts.map(str::to_owned).collect::<Vec<_>>()).await
    }

    async fn begin_with(&self, place: &Place<'_, Line>, texts: &[String]) -> Result<Line, Fault> {
        let mut line = self.begin(place, "begin").await?;
        for text in texts {
            self.describe(&mut line, text, "begin").await?;
        }
        Ok(line)
    }

    async fn start(&self, line: &mut Line, begin: &str) -> Result<(), Fault> {
        let text = format!("{begin}; set local statement_timeout = {}", self.timeout.as_millis());
        sqlx::raw_sql(statement_of_the_pack(&text)).execute(&mut line.connection).await?;
        Ok(())
    }

    /// As `Line::describe`, for a transaction that may be begun anew.
    async fn describe(&self, line: &mut Line, text: &str, begin: &str) -> Result<Arc<Described>, Fault> {
        // Only the driver's named statements can be described; behind a pooler another program's may bear the name.
        for _ in 0..NAMES_TO_TRY {
            match line.describe(text).await {
                Err(fault) if fault.is_mixed_up => {
                    line.finish("rollback").await?;
                    self.start(line, begin).await?;
                }
                answer => return answer,
            }
        }
        line.describe(text).await
    }

    pub(super) fn distrust(&self) {
        self.lane.distrust();
    }
}

#[async_trait]
impl Transaction for Line {
    async fn rows(&mut self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        let described = self.describe(text).await?;
        fetch(&mut self.connection, text, values, &described).await
    }

    async fn change(&mut self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        self.execute(text, values).await
    }

    async fn only_read(&mut self) -> Result<(), Fault> {
        self.finish("set transaction read only").await
    }
}

impl Line {
    async fn changes(&mut self, statement: &Statement<'_>) -> Result<Option<Acted>, Fault> {
        if let Some(marks) = statement.marks {
            let values = super::marks::values(statement.mark);
            if self.execute(&marks.write, &values).await? == 0 {
                return Ok(Some(Acted::Already));
            }
        }
        let found = self.execute(statement.text, statement.parameters).await?;
        Ok((found != statement.rows).then_some(Acted::OtherRows(found)))
    }

    async fn execute(&mut self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        let described = self.describe(text).await?;
        let query = bound(text, values, &described.parameters)?;
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    async fn describe(&mut self, text: &str) -> Result<Arc<Described>, Fault> {
        if let Some(known) = self.described.get(text) {
            return Ok(Arc::clone(known));
        }
        let statement = (&mut self.connection).prepare(statement_of_the_pack(text)).await?;
        let parameters = match statement.parameters() {
            Some(Either::Left(types)) => types.to_vec(),
            Some(Either::Right(_)) | None => Vec::new(),
        };
        let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
        // In this same transaction, thus at this same server behind a pooler.
        self.connection.clear_cached_statements().await?;
        let described = Arc::new(Described { parameters, columns });
        self.described.insert(text.to_owned(), Arc::clone(&described));
        Ok(described)
    }

    async fn finish(&mut self, how: &'static str) -> Result<(), Fault> {
        sqlx::raw_sql(how).execute(&mut self.connection).await?;
        Ok(())
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The driver's options would print the password.
        f.debug_struct("Postgres").field("lane", &self.lane).finish_non_exhaustive()
    }
}

/// Another program of ours that ended in the middle leaves one name taken.
const NAMES_TO_TRY: usize = 8;

async fn fetch(connection: &mut PgConnection, text: &str, values: &[Value], described: &Described) -> Result<Rows, Fault> {
    let mut columns = Vec::new();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut stream = bound(text, values, &described.parameters)?.fetch(connection);
    while let Some(row) = stream.try_next().await? {
        if rows.is_empty() {
            // The row's own: a description may be older than the table.
            columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
        }
        if rows.len() == MOST_ROWS {
            return Err(Fault::new(FaultKind::Refused, format!("more than {MOST_ROWS} rows; add a limit")));
        }
        rows.push((0..row.len()).map(|index| decode(&row, index)).collect::<Result<_, Fault>>()?);
    }
    if rows.is_empty() {
        columns.clone_from(&described.columns);
    }
    Ok(Rows::new(columns, rows))
}

fn bound(text: &str, values: &[Value], types: &[PgTypeInfo]) -> Result<Query<'static, sqlx::Postgres, PgArguments>, Fault> {
    if values.len() != types.len() {
        return Err(Fault::new(
            FaultKind::Refused,
            format!("the statement takes {} parameters and {} are given", types.len(), values.len()),
        ));
    }
    let mut arguments = PgArguments::default();
    for (index, (value, kind)) in values.iter().zip(types).enumerate() {
        arguments
            .add(Bind { value, kind: kind.clone() })
            .map_err(|why| Fault::new(FaultKind::Refused, format!("parameter {} does not fit: {why}", index + 1)))?;
    }
    Ok(sqlx::query_with(statement_of_the_pack(text), arguments).persistent(false))
}

fn is_loopback(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || Path::new(host).is_absolute()
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_must_prove_who_it_is() {
        let mode = |url: &str| Postgres::open(url, Duration::from_secs(1)).unwrap().options.get_ssl_mode();
        assert!(matches!(mode("postgres://a:b@db.example/d"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://a:b@10.0.0.7/d?connect_timeout=3"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://a:b@db.example/d?sslmode=require"), PgSslMode::Require));
        assert!(matches!(mode("postgres://a:b@127.0.0.1/d"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a:b@localhost/d"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a:b@%2Fvar%2Frun/d"), PgSslMode::Prefer));
    }
}
