//! The tables of the cockpit's own database, by version. Steps are only ever added.

use sqlx::{Connection as _, SqliteConnection};

/// Each step runs once, in a transaction, and leaves its number in `user_version`.
const STEPS: [&str; 4] = [
    "
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    word TEXT NOT NULL,
    said TEXT NOT NULL,
    severity TEXT NOT NULL,
    payload TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'nothing is deleted from the audit'); END;

CREATE TABLE plans (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    is_over INTEGER NOT NULL,
    money INTEGER NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX plans_open ON plans (is_over) WHERE is_over = 0;
CREATE INDEX plans_target ON plans (target);
CREATE INDEX plans_committed ON plans (committed_at);
CREATE TABLE plan_events (
    sequence INTEGER PRIMARY KEY REFERENCES audit (sequence),
    plan TEXT NOT NULL REFERENCES plans (id),
    state TEXT NOT NULL
) STRICT;
CREATE INDEX plan_events_plan ON plan_events (plan);

CREATE TABLE notes (
    sequence INTEGER PRIMARY KEY REFERENCES audit (sequence),
    subject TEXT NOT NULL
) STRICT;
CREATE INDEX notes_subject ON notes (subject, sequence);
CREATE TABLE memories (subject TEXT PRIMARY KEY, memory TEXT, handling TEXT) STRICT;
CREATE TABLE flips (number INTEGER PRIMARY KEY, subject TEXT NOT NULL, at TEXT NOT NULL, flip TEXT NOT NULL) STRICT;
CREATE INDEX flips_subject ON flips (subject, number);
CREATE INDEX flips_at ON flips (at);
CREATE TABLE statements (hash TEXT PRIMARY KEY, statement TEXT NOT NULL) STRICT;
CREATE TABLE sign_offs (
    sequence INTEGER PRIMARY KEY REFERENCES audit (sequence),
    reconciliation TEXT NOT NULL,
    hash TEXT NOT NULL REFERENCES statements (hash),
    sign_off TEXT NOT NULL
) STRICT;
CREATE TABLE flag_flips (flag TEXT PRIMARY KEY, flip TEXT NOT NULL) STRICT;
CREATE TABLE snapshots (number INTEGER PRIMARY KEY CHECK (number = 1), snapshot TEXT NOT NULL) STRICT;
CREATE TABLE visits (number INTEGER PRIMARY KEY, operator TEXT NOT NULL, began TEXT NOT NULL, ended TEXT) STRICT;
PRAGMA user_version = 1;
",
    // At every start: which batches have no closing line. Neither index grows with acts of their own.
    "
CREATE INDEX plans_batch ON plans (json_extract(plan, '$.batch')) WHERE json_extract(plan, '$.batch') IS NOT NULL;
CREATE INDEX audit_batch ON audit (json_extract(payload, '$.batch')) WHERE word = 'BATCH';
PRAGMA user_version = 2;
",
    // Claims in the business's database carry it, so that only this record takes its own over.
    "
CREATE TABLE identity (number INTEGER PRIMARY KEY CHECK (number = 1), name TEXT NOT NULL) STRICT;
INSERT INTO identity (number, name) VALUES (1, lower(hex(randomblob(16))));
PRAGMA user_version = 3;
",
    // In pieces. What was kept last is looked at anew instead of carried over.
    "
DROP TABLE snapshots;
CREATE TABLE snapshots (number INTEGER PRIMARY KEY, piece BLOB NOT NULL) STRICT;
PRAGMA user_version = 4;
",
];

/// Brings the database to the newest version; one written by a newer program is refused.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > STEPS.len() {
        return Err(sqlx::Error::Configuration(format!("it was written by a newer version ({version})").into()));
    }
    for step in STEPS.into_iter().skip(version) {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(step).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}
