//! SQL databases, PostgreSQL or SQLite by the URL's scheme: read-only looks, and acts in one transaction that state
//! how many rows they change. Never more than the pack's own text with bound parameters reaches a database.

mod cell;
mod claims;
mod fault;
mod identity;
mod lane;
mod marks;
mod moments;
mod parts;
mod postgres;
mod reach;
mod rights;
mod sqlite;

use std::{path::Path, sync::OnceLock, time::Duration};

use crate::domain::zone::Zone;
use async_trait::async_trait;
use chrono::Utc;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

pub use claims::marks_upgrade;
pub use marks::{Database, marks_table};

use self::{
    claims::{ClaimStatements, Contended, Contest},
    fault::{Fault, FaultKind},
    marks::Marks,
    parts::{Parts, Progress},
    postgres::Postgres,
    sqlite::Sqlite,
};
use super::{environment::Found as Secret, scrub::Scrubber, wrong_order, wrong_query};
use crate::{
    domain::{
        claim::{Claim, Claims, Ending},
        identity::Identity,
        pack::{Query, Read, Sql},
        plan::{ActionId, Order},
        rights::{Needs, Rights},
        rows::{Params, Row, Rows},
        text::{self, Text},
        value::Value,
    },
    ports::{Answer, Claimed, Doer, Found, Judge, Mark, Outcome, Source, SourceError, Taker},
};

/// More rows than this are a mistake in the statement, and would not fit the screen's memory.
const MOST_ROWS: usize = 1_000_000;

/// What an answer may take in memory, in bytes.
const LARGEST_ANSWER: usize = if cfg!(test) { 16 << 20 } else { 256 << 20 };

/// How soon an act that met a lock or a lost line may be tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// How soon a proof is looked for again.
const PROOF_AGAIN: Duration = Duration::from_secs(1);

/// A database of the business.
#[derive(Debug)]
pub(super) struct SqlSystem {
    name: String,
    engine: Engine,
    /// Where acts go by a role of their own, and with them all that concerns marks.
    acting: Option<Engine>,
    marks: Option<Marks>,
    /// Set once the table of marks has been found fit for claims.
    claimable: OnceLock<()>,
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

/// How a database is reached.
pub(super) struct Reached<'a> {
    pub(super) url: &'a Secret,
    /// For acts, where another role makes them.
    pub(super) act_url: Option<&'a Secret>,
    /// The file with the certificates of those who may sign the server's.
    pub(super) authority: Option<&'a Path>,
    /// Where a `timestamp` without a zone is meant.
    pub(super) zone: Option<Zone>,
    pub(super) timeout: Duration,
}

impl SqlSystem {
    pub(super) fn open(name: &str, reached: &Reached<'_>, marks: Option<&str>) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        for url in [Some(reached.url), reached.act_url].into_iter().flatten() {
            scrub.hide_address(url.expose());
        }
        let engine = Engine::open(reached.url, reached).map_err(|problem| scrub.clean(&problem))?;
        let acting = reached.act_url.map(|url| Engine::open(url, reached)).transpose();
        let acting = acting.map_err(|problem| format!("`act_url`: {}", scrub.clean(&problem)))?;
        if acting.as_ref().is_some_and(|acting| acting.database() != engine.database()) {
            return Err("`url` and `act_url` must lead to the same database".to_owned());
        }
        let marks = marks.map(|table| Marks::of(engine.database(), table)).transpose()?;
        let (name, timeout) = (name.to_owned(), reached.timeout);
        Ok(Self { name, engine, acting, marks, claimable: OnceLock::new(), timeout, scrub })
    }

    fn acting(&self) -> &Engine {
        self.acting.as_ref().unwrap_or(&self.engine)
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
        let values = bound(sql, params).map_err(|missing| self.lacks(&missing))?;
        self.look(&sql.numbered, &values).await.map_err(|fault| self.error(&fault))
    }

    fn lacks(&self, missing: &str) -> SourceError {
        SourceError::Refused(Text::new(format!("{}: the statement needs :{missing}, and nothing here is called that", self.name)))
    }

    async fn look(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        self.look_at(&self.engine, text, values).await
    }

    /// As whoever acts.
    async fn look_as_actor(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        self.look_at(self.acting(), text, values).await
    }

    async fn look_at(&self, engine: &Engine, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        let look = async {
            match engine {
                Engine::Sqlite(sqlite) => sqlite.read(text, values).await,
                Engine::Postgres(postgres) => postgres.read(text, values).await,
            }
        };
        self.in_time(engine, look).await
    }

    async fn columns(&self, engine: &Engine, text: &str) -> Result<Option<Vec<String>>, Fault> {
        let columns = async {
            match engine {
                Engine::Sqlite(sqlite) => sqlite.columns(text).await,
                Engine::Postgres(postgres) => postgres.columns(text).await,
            }
        };
        self.in_time(engine, columns).await
    }

    async fn is_marked(&self, marks: &Marks, mark: &Mark) -> Result<bool, Fault> {
        let engine = self.acting();
        let marked = async {
            match engine {
                Engine::Sqlite(sqlite) => {
                    let key = [Value::text(mark.action.0.as_str()), Value::Integer(mark.step as i64)];
                    sqlite.read(&marks.look, &key).await.map(|rows| !rows.is_empty())
                }
                // A transaction of a broken line may still be open there, and its commit on the way: writing the same
                // mark waits for its end, where looking for it would not see it.
                Engine::Postgres(postgres) => {
                    postgres.rehearse(&marks.write, &marks::values(mark)).await.map(|written| written == 0)
                }
            }
        };
        self.in_time(engine, marked).await
    }

    /// What keeps a mark from being written, if anything does. A database that does not answer is told of by its looks.
    async fn unmarkable(&self, marks: &Marks) -> Result<Option<String>, Fault> {
        let columns = match self.columns(self.acting(), &marks.columns()).await {
            Ok(columns) => columns.unwrap_or_default(),
            Err(fault) => return unfit(fault),
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
        self.look_as_actor(&marks.rehearsal(), &nothing).await.map_or_else(unfit, |_| Ok(None))
    }

    /// What keeps a claim from being made in a table that keeps marks, if anything does.
    async fn unclaimable(&self, marks: &Marks) -> Result<Option<String>, Fault> {
        if self.claimable.get().is_some() {
            return Ok(None);
        }
        let columns = match self.columns(self.acting(), &marks.columns()).await {
            Ok(columns) => columns.unwrap_or_default(),
            Err(fault) => return unfit(fault),
        };
        let missing = ClaimStatements::missing(&columns);
        if !missing.is_empty() {
            return Ok(Some(format!("lacks {}", missing.join(", "))));
        }
        for (text, values) in marks.claims.rehearsals() {
            if let Err(fault) = self.look_as_actor(text, &values).await {
                return unfit(fault);
            }
        }
        self.claimable.get_or_init(|| ());
        Ok(None)
    }

    async fn contend(&self, contest: Contest<'_>) -> Result<Contended, Broken> {
        match self.acting() {
            Engine::Sqlite(sqlite) => sqlite.claim(contest).await,
            Engine::Postgres(postgres) => postgres.claim(contest).await,
        }
    }

    /// One statement of ours that changes what it finds, however often it is asked to.
    async fn change(&self, text: &str, values: &[Value]) -> Result<(), Fault> {
        match self.acting() {
            Engine::Sqlite(sqlite) => sqlite.change(text, values).await,
            Engine::Postgres(postgres) => postgres.change(text, values).await,
        }
        .map_err(|broken| broken.fault)
    }

    /// Where the line is not safe, what the role could do and no action needs, and whether the clocks agree. A file
    /// has neither roles nor a clock.
    async fn overreach(&self, engine: &Engine) -> Result<Vec<String>, Fault> {
        let Engine::Postgres(postgres) = engine else { return Ok(Vec::new()) };
        let mut said: Vec<String> = postgres.unsafe_because().map(str::to_owned).into_iter().collect();
        let asked = Utc::now();
        match self.look_at(engine, reach::LOOK, &[]).await {
            Ok(rows) => said.extend(reach::said(&rows, asked, Utc::now())),
            // A server that does not tell of its roles has nothing to be warned of by them.
            Err(fault) => drop(unfit(fault)?),
        }
        Ok(said)
    }

    async fn in_time<T>(&self, engine: &Engine, look: impl Future<Output = Result<T, Fault>> + Send) -> Result<T, Fault> {
        let answer = tokio::time::timeout(self.timeout, look).await;
        if let (Err(_), Engine::Postgres(postgres)) = (&answer, engine) {
            postgres.distrust();
        }
        answer.unwrap_or_else(|_| Err(Fault::timed_out()))
    }

    async fn apply(&self, statement: Statement<'_>) -> Result<Acted, Broken> {
        match self.acting() {
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

    /// Looks for the row that proves what came before it; what another system sets going may need a moment to arrive.
    async fn prove(&self, statement: &str, parameters: &[Value]) -> Outcome {
        match self.look(statement, parameters).await {
            Ok(rows) => match rows.first() {
                Some(row) => {
                    let facts = row.cells().filter(|(_, cell)| !cell.is_null()).map(|(name, cell)| format!("{name} {cell}"));
                    let facts = facts.collect::<Vec<_>>().join(", ");
                    Outcome::Confirmed(self.answer(format!("proven: {facts}").trim_end_matches([':', ' '])))
                }
                None => Outcome::Again { after: PROOF_AGAIN, why: Text::new(format!("{}: not proven: no row yet", self.name)) },
            },
            Err(fault) => match fault.kind {
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

impl Engine {
    fn open(url: &Secret, reached: &Reached<'_>) -> Result<Self, String> {
        let (address, timeout) = (url.expose(), reached.timeout);
        match Database::of(address) {
            Some(Database::Sqlite) if reached.authority.is_some() => {
                Err("a file has no authority: leave out `ca_file`".to_owned())
            }
            Some(Database::Sqlite) if reached.zone.is_some_and(|zone| zone != Zone::UTC) => {
                Err("SQLite's times without a zone are UTC: leave out `timestamps_in`".to_owned())
            }
            Some(Database::Sqlite) => Sqlite::open(address, timeout).map(Box::new).map(Self::Sqlite),
            Some(Database::Postgres) => {
                let zone = reached.zone.unwrap_or(Zone::UTC);
                Postgres::open(address, timeout, reached.authority, zone).map(Box::new).map(Self::Postgres)
            }
            None => Err("the address must begin with `postgres://` or `sqlite:`".to_owned()),
        }
    }

    fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) => Database::Sqlite,
            Self::Postgres(_) => Database::Postgres,
        }
    }
}

#[async_trait]
impl Source for SqlSystem {
    fn looks_at_once(&self) -> usize {
        match self.engine {
            Engine::Sqlite(_) => 1,
            Engine::Postgres(_) => postgres::LOOKS_AT_ONCE,
        }
    }

    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        match &query.read {
            Read::Sql(sql) => self.rows(sql, params).await,
            Read::Stripe(_) | Read::Http(_) | Read::Firestore(_) | Read::Command(_) => Err(wrong_query(&self.name, "sql")),
        }
    }

    async fn stream(&self, query: &Query, params: &Params, taker: &mut dyn Taker) -> Result<Vec<String>, SourceError> {
        let Read::Sql(sql) = &query.read else {
            return Err(wrong_query(&self.name, "sql"));
        };
        let values = bound(sql, params).map_err(|missing| self.lacks(&missing))?;
        let progress = Progress::default();
        let work = async {
            match &self.engine {
                Engine::Sqlite(sqlite) => sqlite.stream(&sql.numbered, &values, Parts::to(taker, &progress)).await,
                Engine::Postgres(postgres) => {
                    let first = postgres.stream(&sql.numbered, &values, Parts::to(&mut *taker, &progress)).await;
                    match first {
                        // As a look does, as long as nothing was passed on that would be passed on twice.
                        Err(fault) if fault.is_mixed_up && progress.is_blank() => {
                            postgres.distrust();
                            postgres.stream(&sql.numbered, &values, Parts::to(taker, &progress)).await
                        }
                        answer => answer,
                    }
                }
            }
        };
        let answer = progress.while_it_goes_on(work, self.timeout).await;
        if let (None, Engine::Postgres(postgres)) = (&answer, &self.engine) {
            postgres.distrust();
        }
        if let Some(why) = progress.unusable() {
            return Err(SourceError::Refused(Text::new(why)));
        }
        answer.unwrap_or_else(|| Err(Fault::timed_out())).map(|_| Vec::new()).map_err(|fault| self.error(&fault))
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        let Read::Sql(sql) = &query.read else {
            return Err(wrong_query(&self.name, "sql"));
        };
        // What acts is prepared by whoever acts.
        let engine = if is_look(&sql.numbered) { &self.engine } else { self.acting() };
        self.columns(engine, &sql.numbered).await.map_err(|fault| self.error(&fault))
    }

    async fn identify(&self) -> Result<Identity, SourceError> {
        let look = match &self.engine {
            Engine::Sqlite(_) => identity::OF_SQLITE,
            Engine::Postgres(_) => identity::OF_POSTGRES,
        };
        let rows = self.look(look, &[]).await.map_err(|fault| self.error(&fault))?;
        let mut identity = identity::told(&rows, |said| self.scrub.text(said));
        if self.acting.is_some() {
            let rows = self.look_as_actor(look, &[]).await.map_err(|fault| self.error(&fault))?;
            let role = identity::told(&rows, |said| self.scrub.text(said)).facts.into_iter().find(|(fact, _)| *fact == "role");
            identity.facts.extend(role.map(|(_, role)| ("acts as", role)));
        }
        Ok(identity)
    }

    async fn rights(&self, needs: &Needs) -> Rights {
        Rights { facts: Vec::new(), lacks: self.lacking(needs).await }
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        let mut said = self.overreach(&self.engine).await.map_err(|fault| self.error(&fault))?;
        if let Some(acting) = &self.acting {
            let more = self.overreach(acting).await.map_err(|fault| self.error(&fault))?;
            said.extend(more.into_iter().filter(|more| !said.contains(more)).collect::<Vec<_>>());
        }
        if let Some(marks) = &self.marks {
            let unmarkable = self.unmarkable(marks).await.map_err(|fault| self.error(&fault))?;
            let unclaimable = match unmarkable {
                Some(_) => None,
                None => self.unclaimable(marks).await.map_err(|fault| self.error(&fault))?,
            };
            said.extend(unmarkable.map(|what| marks.said(&what)));
            said.extend(unclaimable.map(|what| marks.said_of_claims(&what)));
        }
        Ok(said.iter().map(|said| self.scrub.text(&format!("{}: {said}", self.name))).collect())
    }
}

#[async_trait]
impl Doer for SqlSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let (statement, parameters, rows) = match order {
            Order::Sql { statement, parameters, rows, .. } => (statement, parameters, rows),
            Order::Proof { statement, parameters, .. } => return self.prove(statement, parameters).await,
            Order::Refund { .. }
            | Order::Amend { .. }
            | Order::Http { .. }
            | Order::Mail { .. }
            | Order::Webhook { .. }
            | Order::Event { .. }
            | Order::Firestore { .. }
            | Order::Command { .. } => {
                return wrong_order(&self.name, "sql");
            }
        };
        let statement = Statement { text: statement, parameters, rows: *rows, marks: self.marks.as_ref(), mark };
        self.judge(self.apply(statement).await, *rows)
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        if matches!(order, Order::Proof { .. }) {
            // A look changes nothing: it is simply made again.
            return Found::Absent;
        }
        if !matches!(order, Order::Sql { .. }) {
            return Found::CannotTell(Text::new(format!("{}: not an order for a database", self.name)));
        }
        let Some(marks) = &self.marks else {
            return Found::CannotTell(Text::new(format!("{}: no table of marks is declared, so nothing tells", self.name)));
        };
        match self.is_marked(marks, mark).await {
            Ok(false) => Found::Absent,
            Ok(true) => Found::Ours(self.answer("already applied")),
            Err(fault) => Found::CannotTell(self.said(&fault)),
        }
    }

    async fn claims(&self, targets: &[String]) -> Result<Option<Claims>, SourceError> {
        let Some(marks) = &self.marks else { return Ok(None) };
        if self.unclaimable(marks).await.map_err(|fault| self.error(&fault))?.is_some() {
            return Ok(None);
        }
        let rows = self.look_as_actor(&marks.claims.look, &claims::looked(targets)).await;
        rows.and_then(|rows| claims::claims(&rows)).map(Some).map_err(|fault| self.error(&fault))
    }

    async fn claim(&self, claim: &Claim, settled: &[(ActionId, Ending)], judge: &mut dyn Judge) -> Claimed {
        let Some(marks) = &self.marks else { return Claimed::NotKept };
        let contest = Contest { system: self, statements: &marks.claims, claim, settled, judge };
        match self.contend(contest).await {
            Ok(Contended::Stands) => Claimed::Granted,
            Ok(Contended::Forbidden) => Claimed::Forbidden,
            Ok(Contended::Lost(claims)) => Claimed::Lost(claims),
            Err(Broken { fault, .. }) => match fault.kind {
                FaultKind::Denied | FaultKind::Refused | FaultKind::Malformed if fault.is_verdict => {
                    Claimed::Refused(self.said(&fault))
                }
                FaultKind::Unreachable
                | FaultKind::Lost
                | FaultKind::TimedOut
                | FaultKind::Busy
                | FaultKind::Denied
                | FaultKind::Refused
                | FaultKind::Malformed => Claimed::Unanswered(self.said(&fault)),
            },
        }
    }

    async fn release(&self, act: &ActionId, journal: &str, ending: Ending) -> Result<(), SourceError> {
        let Some(marks) = &self.marks else { return Ok(()) };
        self.change(&marks.claims.end, &claims::ending(act, journal, ending)).await.map_err(|fault| self.error(&fault))
    }

    async fn open_claims(&self, journal: &str) -> Result<Vec<ActionId>, SourceError> {
        let Some(marks) = &self.marks else { return Ok(Vec::new()) };
        if self.unclaimable(marks).await.map_err(|fault| self.error(&fault))?.is_some() {
            return Ok(Vec::new());
        }
        let rows = self.look_as_actor(&marks.claims.open, &[Value::text(journal)]).await.map_err(|fault| self.error(&fault))?;
        let id = |row: &Row| row.find("action_id").map(|id| ActionId(id.original()));
        Ok(rows.iter().filter_map(id).collect())
    }
}

/// What is wrong with a table, or the failure where the database did not answer.
fn unfit(fault: Fault) -> Result<Option<String>, Fault> {
    match fault.kind {
        FaultKind::Refused | FaultKind::Denied => Ok(Some(format!("cannot be used ({})", fault.said))),
        FaultKind::Unreachable | FaultKind::Lost | FaultKind::Malformed | FaultKind::TimedOut | FaultKind::Busy => Err(fault),
    }
}

/// The values in the order of their numbers, or the name that is missing.
fn bound(sql: &Sql, params: &Params) -> Result<Vec<Value>, String> {
    sql.parameters.iter().map(|name| params.get(name).cloned().ok_or_else(|| name.clone())).collect()
}

/// Whether a statement only reads, by the words that the pack's reads must begin with.
fn is_look(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    ["select", "with", "values", "table"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// The one door through which text becomes SQL: the pack's own statements, whose values are all bound, and ours.
fn statement_of_the_pack(text: &str) -> SqlStr {
    AssertSqlSafe(text.to_owned()).into_sql_str()
}

#[cfg(test)]
impl SqlSystem {
    /// One at this address, with nothing else said of it.
    fn at(url: &Secret, marks: Option<&str>, timeout: Duration) -> Result<Self, String> {
        Self::open("db", &Reached { url, act_url: None, authority: None, zone: None, timeout }, marks)
    }
}

#[cfg(test)]
mod postgres_tests;
#[cfg(test)]
mod sqlite_faults;
#[cfg(test)]
mod tests;
