//! A look behind the screen of a demo town: its databases, its files, its control door.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Row as _, sqlite::SqliteRow};

use crate::pty::PATIENCE;

/// The first column of all rows, joined by commas; an error as its text, because a town may still be opening. The
/// business, the stand-ins and the cockpit's own record are one database here: tables may be joined across them.
pub fn first_column(town: &Path, sql: &str) -> String {
    let rows = runtime().block_on(async {
        let mut connection = connect(&town.join("business.db"), true).await?;
        for (file, name) in [("stand-ins.db", "stand_ins"), ("cockpit.db", "record")] {
            let attach = format!("attach '{}' as {name}", town.join(file).display());
            sqlx::query(sqlx::AssertSqlSafe(attach)).execute(&mut connection).await?;
        }
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await
    });
    match rows {
        Ok(rows) => rows.iter().map(cell).collect::<Vec<_>>().join(","),
        Err(error) => error.to_string(),
    }
}

/// The same, of one database alone.
pub fn first_column_of(file: &Path, sql: &str) -> String {
    let rows = runtime().block_on(async {
        let mut connection = connect(file, true).await?;
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await
    });
    rows.map_or_else(|error| error.to_string(), |rows| rows.iter().map(cell).collect::<Vec<_>>().join(","))
}

/// A new database, made by these scripts.
pub fn create(file: &Path, scripts: &[&str]) {
    let made = runtime().block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        for script in scripts {
            sqlx::raw_sql(sqlx::AssertSqlSafe((*script).to_owned())).execute(&mut connection).await?;
        }
        connection.close().await
    });
    made.expect("the database is made");
}

fn cell(row: &SqliteRow) -> String {
    row.try_get::<Option<String>, _>(0)
        .map(Option::unwrap_or_default)
        .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()))
        .or_else(|_| row.try_get::<f64, _>(0).map(|number| number.to_string()))
        .unwrap_or_else(|error| error.to_string())
}

/// What someone else does to the business meanwhile.
pub fn execute(town: &Path, sql: &str) {
    execute_on(&town.join("business.db"), sql);
}

/// The same in another database.
pub fn execute_on(file: &Path, sql: &str) {
    let done = runtime().block_on(async {
        let mut connection = connect(file, false).await?;
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await
    });
    let changed = done.expect("the statement runs").rows_affected();
    assert!(changed == 1 || sql.starts_with("create") || sql.starts_with("drop"), "{sql}: {changed} rows");
}

/// `none` ends every fault.
pub fn switch_fault(town: &Path, fault: &str) {
    if fault == "none" {
        ask(town, |client, door| client.delete(format!("{door}/faults")));
    } else {
        ask(town, |client, door| client.post(format!("{door}/faults")).body(fault.to_owned()));
    }
}

pub fn switch(town: &Path, name: &str, value: &str) {
    ask(town, |client, door| client.post(format!("{door}/switches/{name}")).body(value.to_owned()));
}

/// Asks the town's control door; one that is just being opened again has another address in a moment.
fn ask(town: &Path, request: impl Fn(&reqwest::Client, &str) -> reqwest::RequestBuilder) {
    // Only the first may install it; it is there afterwards.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let end = Instant::now() + PATIENCE;
    loop {
        let door = std::fs::read_to_string(town.join("control.txt")).unwrap_or_default();
        let answer = runtime().block_on(request(&client, door.trim().trim_end_matches('/')).send());
        match answer {
            Ok(answer) => {
                assert!(answer.status().is_success(), "the control door answers {answer:?}");
                return;
            }
            Err(error) => assert!(Instant::now() < end, "the control door never answered: {error}"),
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The text of a file, or of all files of a folder one after the other.
pub fn texts_under(path: &Path) -> String {
    if path.is_file() {
        return std::fs::read_to_string(path).unwrap_or_default();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| std::fs::read_to_string(entry.path()).unwrap_or_default()).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn connect(file: &Path, read_only: bool) -> Result<sqlx::SqliteConnection, sqlx::Error> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(read_only);
    let options = options.busy_timeout(Duration::from_secs(10));
    sqlx::SqliteConnection::connect_with(&options).await
}
