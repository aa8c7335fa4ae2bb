//! Journeys: what a person does on the demo, from keys to screen, database, stand-ins and files. Each is a TOML
//! scenario in tests/journeys; the real program runs in a pseudo-terminal on a town of its own.

use std::{path::Path, time::Instant};

use serde::Deserialize;
use sqlx::{Connection as _, Row as _};

use crate::pty::{PATIENCE, Terminal};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The operator's story in one sentence.
    title: String,
    #[serde(default = "wide")]
    size: (u16, u16),
    #[serde(default)]
    arguments: Vec<String>,
    /// Configuration of the cockpit, as TOML text.
    #[serde(default)]
    config: String,
    step: Vec<Step>,
}

fn wide() -> (u16, u16) {
    (120, 40)
}

/// What is given happens in this order: keys, then what must be seen, then what must be so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    keys: String,
    see: Vec<String>,
    see_no: Vec<String>,
    /// A query on the town's database, and the value of its first cell.
    sql: Option<String>,
    is: Option<String>,
    /// Which database: the business's, unless told (`stand-ins`, `cockpit`).
    database: Option<String>,
    /// A statement that someone else runs on the business's database meanwhile.
    meanwhile: Option<String>,
    /// Text that some file under this folder of the town contains.
    folder: Option<String>,
    holds: Vec<String>,
    /// Kill -9, and start again.
    killed: bool,
    /// Faults switched while it runs (`stripe=drop`).
    fault: Option<String>,
}

fn play(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journeys").join(name);
    let source = std::fs::read_to_string(&path).expect("the scenario is there");
    let scenario: Scenario = toml::from_str(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
    let home = tempfile::tempdir().expect("a home");
    let town = home.path().join("town");
    std::fs::write(home.path().join("config.toml"), &scenario.config).expect("a configuration");
    let mut arguments: Vec<String> = ["demo", "--demo-dir", "town", "--config", "config.toml"].map(str::to_owned).to_vec();
    arguments.extend(scenario.arguments.iter().cloned());
    let start = || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Terminal::start(&arguments, home.path(), scenario.size.0, scenario.size.1)
    };
    let mut terminal = start();
    for (index, step) in scenario.step.iter().enumerate() {
        eprintln!("{}: step {}: {step:?}", scenario.title, index + 1);
        if step.killed {
            terminal.kill();
            terminal = start();
        }
        if let Some(fault) = &step.fault {
            switch_fault(&town, fault);
        }
        if let Some(statement) = &step.meanwhile {
            execute(&town.join("business.db"), statement);
        }
        terminal.keys(&step.keys);
        step.see.iter().for_each(|text| terminal.see(text));
        step.see_no.iter().for_each(|text| terminal.see_no(text));
        if let (Some(sql), Some(is)) = (&step.sql, &step.is) {
            let file = town.join(format!("{}.db", step.database.as_deref().unwrap_or("business")));
            wait_for(&format!("{sql} = {is}"), &terminal, || {
                let found = first_cell(&file, sql);
                (found == *is).then_some(()).ok_or(found)
            });
        }
        if let Some(folder) = &step.folder {
            wait_for(&format!("{folder}: {:?}", step.holds), &terminal, || {
                let texts = texts_under(&town.join(folder));
                let missing: Vec<_> = step.holds.iter().filter(|text| !texts.contains(text.as_str())).collect();
                missing.is_empty().then_some(()).ok_or(format!("missing {missing:?} in:\n{texts}"))
            });
        }
    }
}

/// Asks until it is so. A change on disk tells nobody, so this asks again each time the screen could have moved on.
fn wait_for(what: &str, terminal: &Terminal, ask: impl Fn() -> Result<(), String>) {
    let end = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(()) => return,
            Err(found) => {
                assert!(Instant::now() < end, "never so: {what}\n--- instead: {found}\n--- the screen:\n{}", terminal.text());
                std::thread::park_timeout(std::time::Duration::from_millis(20));
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn connect(file: &Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).busy_timeout(std::time::Duration::from_secs(10));
    sqlx::SqliteConnection::connect_with(&options).await.expect("the database opens")
}

fn first_cell(file: &Path, sql: &str) -> String {
    runtime().block_on(async {
        let mut connection = connect(file).await;
        let row = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await;
        let row = match row {
            Ok(row) => row,
            Err(error) => return format!("{error}"),
        };
        row.try_get::<Option<String>, _>(0)
            .map(Option::unwrap_or_default)
            .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()))
            .or_else(|_| row.try_get::<f64, _>(0).map(|number| number.to_string()))
            .unwrap_or_else(|error| error.to_string())
    })
}

fn execute(file: &Path, sql: &str) {
    runtime().block_on(async {
        let mut connection = connect(file).await;
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("the statement runs");
    });
}

fn switch_fault(town: &Path, fault: &str) {
    let url = std::fs::read_to_string(town.join("control.txt")).expect("the town has a control address");
    let answer = runtime().block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.post(format!("{}/faults", url.trim().trim_end_matches('/'))).body(fault.to_owned()).send().await
    });
    assert!(answer.expect("the control answers").status().is_success(), "the fault {fault} is refused");
}

fn texts_under(folder: &Path) -> String {
    if folder.is_file() {
        return std::fs::read_to_string(folder).unwrap_or_default();
    }
    let mut texts = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        texts.push_str(&std::fs::read_to_string(entry.path()).unwrap_or_default());
    }
    texts
}
