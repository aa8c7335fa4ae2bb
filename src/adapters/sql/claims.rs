//! Claims in the table of marks: one transaction in which the number is taken, the clock read, the row re-read and the
//! policy judged. Two unique indexes give each number, and each target that is in hand, once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    SqlSystem, bound,
    fault::{Fault, FaultKind},
    marks::Database,
};
use crate::{
    adapters::wrong_query,
    domain::{
        claim::{Claim, Claims, Ending, Held},
        pack::{Query, Read},
        plan::ActionId,
        rows::{Params, Row, Rows},
        value::Value,
    },
    ports::{Inside, Judge, SourceError},
};

/// What a claim needs beside what a mark does, and its type where the databases agree.
const COLUMNS: [(&str, &str); 5] =
    [("epoch", "integer"), ("action", "text"), ("journal", "text"), ("ended_at", ""), ("outcome", "text")];

/// A claim stands beside the marks of its own act, under a step that no act has.
const STEP: i64 = -1;

/// The statements over the claims in one table of marks.
#[derive(Debug)]
pub(super) struct ClaimStatements {
    /// The clock, beside every claim on the targets of a JSON list; one row without a claim where there is none.
    pub(super) look: String,
    /// Takes a number, or changes no row where it, or the target, is taken.
    pub(super) take: String,
    pub(super) end: String,
    /// The acts of a record whose claims are open.
    pub(super) open: String,
    rehearsals: [String; 3],
}

impl ClaimStatements {
    pub(super) fn of(database: Database, table: &str) -> Self {
        let (clock, list) = match database {
            Database::Postgres => ("clock_timestamp()", "select jsonb_array_elements_text($1::jsonb)"),
            Database::Sqlite => ("strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", "select value from json_each($1)"),
        };
        let ended = match database {
            Database::Postgres => clock,
            Database::Sqlite => "current_timestamp",
        };
        let insert = format!(
            "insert into {table} (action_id, step, target, operator, epoch, action, journal) values ($1, {STEP}, $2, $3, $4, $5, $6)"
        );
        let end = format!(
            "update {table} set outcome = $3, ended_at = coalesce(ended_at, {ended}) where action_id = $1 and step = {STEP} and journal = $2"
        );
        Self {
            look: format!(
                "select clock.now, claims.action_id, claims.target, claims.epoch, claims.action, claims.operator, \
                 claims.journal, claims.marked_at, claims.ended_at, claims.outcome from (select {clock} as now) clock \
                 left join {table} claims on claims.epoch is not null and claims.target in ({list})"
            ),
            take: format!("{insert} on conflict do nothing"),
            open: format!("select action_id from {table} where journal = $1 and epoch is not null and ended_at is null"),
            rehearsals: [
                format!("explain {insert} on conflict (target, epoch) do nothing"),
                format!("explain {insert} on conflict (target) where epoch is not null and ended_at is null do nothing"),
                format!("explain {end}"),
            ],
            end,
        }
    }

    /// The columns of a claim that a table does not have.
    pub(super) fn missing(there: &[String]) -> Vec<&'static str> {
        let names = COLUMNS.iter().map(|(name, _)| *name);
        names.filter(|column| !there.iter().any(|name| name.eq_ignore_ascii_case(column))).collect()
    }

    /// What it would take to claim: the indexes and the grants. Nothing is written.
    pub(super) fn rehearsals(&self) -> [(&str, Vec<Value>); 3] {
        let [number, target, end] = &self.rehearsals;
        let nothing = taken(&Claim {
            act: ActionId(String::new()),
            target: String::new(),
            epoch: 0,
            action: String::new(),
            operator: String::new(),
            journal: String::new(),
        });
        let ended = ending(&ActionId(String::new()), "", Ending::Nothing);
        [(number, nothing.clone()), (target, nothing), (end, ended)]
    }
}

/// The columns of claims, as they stand in the statement that creates a table.
pub(super) fn columns(database: Database) -> String {
    COLUMNS.map(|(name, kind)| format!("    {name} {},\n", column(database, kind))).concat()
}

fn column(database: Database, kind: &'static str) -> &'static str {
    match (kind, database) {
        ("", Database::Postgres) => "timestamptz",
        ("", Database::Sqlite) => "timestamp",
        (kind, _) => kind,
    }
}

/// The indexes that give each number and each target once.
pub(super) fn indexes(database: Database, table: &str) -> String {
    let (schema, name) = table.rsplit_once('.').map_or(("", table), |(schema, name)| (schema, name));
    // PostgreSQL puts an index where its table is; SQLite wants its schema before the index and not before the table.
    let (before, on) = match (database, schema) {
        (Database::Sqlite, schema) if !schema.is_empty() => (format!("{schema}."), name),
        (Database::Postgres | Database::Sqlite, _) => (String::new(), table),
    };
    format!(
        "create unique index {before}{name}_numbers on {on} (target, epoch);\n\
         create unique index {before}{name}_in_hand on {on} (target) where epoch is not null and ended_at is null;\n"
    )
}

/// What brings an older table of marks up to date.
pub fn marks_upgrade(database: Database, table: &str) -> String {
    let add = |(name, kind)| format!("alter table {table} add column {name} {};\n", column(database, kind));
    COLUMNS.map(add).concat() + &indexes(database, table)
}

/// The list of targets that `look` takes.
pub(super) fn looked(targets: &[String]) -> Vec<Value> {
    vec![Value::Json(targets.into())]
}

fn taken(claim: &Claim) -> Vec<Value> {
    vec![
        Value::text(claim.act.0.as_str()),
        Value::text(claim.target.as_str()),
        Value::text(claim.operator.as_str()),
        Value::Integer(claim.epoch.into()),
        Value::text(claim.action.as_str()),
        Value::text(claim.journal.as_str()),
    ]
}

pub(super) fn ending(act: &ActionId, journal: &str, ending: Ending) -> Vec<Value> {
    vec![Value::text(act.0.as_str()), Value::text(journal), Value::text(ending.word())]
}

/// What `look` answered.
pub(super) fn claims(rows: &Rows) -> Result<Claims, Fault> {
    let odd = |what: &str| Fault::new(FaultKind::Malformed, format!("the table of marks has {what}"));
    let now = rows.first().and_then(|row| moment(row, "now")).ok_or_else(|| odd("no clock"))?;
    let mut held = Vec::new();
    for row in rows.iter().filter(|row| !row.find("action_id").is_none_or(Value::is_null)) {
        let text = |name: &str| row.find(name).map(Value::original).unwrap_or_default();
        let Some(Value::Integer(epoch)) = row.find("epoch") else { return Err(odd("a claim without a number")) };
        let is_ended = row.find("ended_at").is_some_and(|ended| !ended.is_null());
        held.push(Held {
            act: ActionId(text("action_id")),
            target: text("target"),
            epoch: u32::try_from(*epoch).map_err(|_| odd("a claim with a number out of range"))?,
            action: text("action"),
            operator: text("operator"),
            journal: text("journal"),
            since: moment(row, "marked_at").unwrap_or(now),
            ended: is_ended.then(|| Ending::of_word(&text("outcome"))),
        });
    }
    held.sort_by_key(|held| held.epoch);
    Ok(Claims { now, held })
}

fn moment(row: &Row, name: &str) -> Option<DateTime<Utc>> {
    match row.find(name) {
        Some(Value::Time(time)) => Some(*time),
        Some(_) | None => None,
    }
}

/// A transaction that is open, of either database.
#[async_trait]
pub(super) trait Transaction: Send {
    async fn rows(&mut self, text: &str, values: &[Value]) -> Result<Rows, Fault>;

    /// How many rows it changed.
    async fn change(&mut self, text: &str, values: &[Value]) -> Result<u64, Fault>;

    /// From here on nothing more is written in it, whatever a pack's query says.
    async fn only_read(&mut self) -> Result<(), Fault>;
}

/// What became of a claim inside its transaction.
#[derive(Debug)]
pub(super) enum Contended {
    /// To be committed.
    Stands,
    /// To be rolled back, by the judge's word.
    Forbidden,
    /// To be rolled back: these were there.
    Lost(Claims),
}

/// One claim, on its way.
pub(super) struct Contest<'a> {
    pub(super) system: &'a SqlSystem,
    pub(super) statements: &'a ClaimStatements,
    pub(super) claim: &'a Claim,
    pub(super) settled: &'a [(ActionId, Ending)],
    pub(super) judge: &'a mut dyn Judge,
}

impl Contest<'_> {
    /// Every statement that it may run, to be described before.
    pub(super) fn texts(&self) -> Vec<String> {
        let own = [&self.statements.look, &self.statements.take, &self.statements.end].into_iter().cloned();
        let sql = self.judge.queries().iter().filter_map(|query| match &query.read {
            Read::Sql(sql) => Some(sql.numbered.clone()),
            Read::Stripe(_) | Read::Http(_) | Read::Firestore(_) | Read::Command(_) => None,
        });
        own.chain(sql).collect()
    }

    pub(super) async fn run(&mut self, line: &mut dyn Transaction) -> Result<Contended, Fault> {
        let Self { system, statements, claim, settled, judge } = self;
        let targets = looked(std::slice::from_ref(&claim.target));
        let before = claims(&line.rows(&statements.look, &targets).await?)?;
        let mut stands = false;
        for held in before.held.iter().filter(|held| held.ended.is_none()) {
            if held.journal != claim.journal {
                return Ok(Contended::Lost(before));
            }
            if held.act == claim.act {
                stands = true;
                continue;
            }
            let known = settled.iter().find(|(act, _)| *act == held.act).map(|(_, ending)| *ending);
            let ended = ending(&held.act, &held.journal, known.unwrap_or(Ending::Partly));
            line.change(&statements.end, &ended).await?;
        }
        // On PostgreSQL it waits here for whoever takes the same number, or the same target, at this moment.
        let is_taken = stands || line.change(&statements.take, &taken(claim)).await? == 1;
        line.only_read().await?;
        let now = claims(&line.rows(&statements.look, &targets).await?)?;
        if !is_taken {
            return Ok(Contended::Lost(now));
        }
        let mut inside = Within { system, line, claims: now };
        Ok(if judge.permits(&mut inside).await { Contended::Stands } else { Contended::Forbidden })
    }
}

struct Within<'a> {
    system: &'a SqlSystem,
    line: &'a mut dyn Transaction,
    claims: Claims,
}

#[async_trait]
impl Inside for Within<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.claims.now
    }

    fn held(&self) -> &[Held] {
        &self.claims.held
    }

    async fn read(&mut self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        let Read::Sql(sql) = &query.read else { return Err(wrong_query(&self.system.name, "sql")) };
        let values = bound(sql, params).map_err(|missing| self.system.lacks(&missing))?;
        self.line.rows(&sql.numbered, &values).await.map_err(|fault| self.system.error(&fault))
    }
}
