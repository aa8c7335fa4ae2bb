//! A stop inside a transaction that is not ours: a trigger that never ends holds the statement of the real program
//! exactly there, and the process is killed on it.
//!
//! So the product needs no crash code of its own for the points between the statements of one transaction.

use std::{path::Path, thread, time::Duration};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::points::die;

const SPIN: &str = "create view trap_spin as
    with recursive turns(n) as (select 1 union all select n + 1 from turns where n < 1000000000000) select n from turns";

/// The next change of this table, in whatever transaction, is the last thing that the process does.
pub async fn set(file: &Path, table: &'static str, name: String) {
    let mut connection = open(file).await;
    let triggers = ["insert", "update"]
        .map(|kind| format!("create trigger trap_{kind} after {kind} on {table} begin select max(n) from trap_spin; end"));
    for statement in [SPIN, &triggers[0], &triggers[1]] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let file = file.to_owned();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(wait_until_held(&file));
        die(&name);
    });
}

/// Nobody else can begin to write: the transaction is open, and it does not come past the trap.
async fn wait_until_held(file: &Path) {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::ZERO);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    while sqlx::raw_sql("begin immediate; rollback").execute(&mut connection).await.is_ok() {
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    // From the beginning of the transaction to the trap it is some microseconds.
    tokio::time::sleep(Duration::from_millis(3)).await;
}

/// Takes the trap away from a file on which a process was killed, or was not.
pub async fn clear(file: &Path) {
    let mut connection = open(file).await;
    let statements = "drop trigger if exists trap_insert; drop trigger if exists trap_update; drop view if exists trap_spin";
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn open(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(10));
    SqliteConnection::connect_with(&options).await.unwrap()
}
