//! The demo business on PostgreSQL, directly and through a transaction pooler: its tables are copied there, its pack is
//! the same but for seven words of SQL, and the town's other services are as they are.

mod journeys;
mod outages;
mod runs;

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use serde::Deserialize;
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use wheelhouse::{
    adapters::{Database, marks_table},
    demo::{Options, Town},
};

use crate::claims::server::{self, Pooler, Server};

const SCHEMA: &str = include_str!("../../journeys/postgres/schema.sql");
const DIALECT: &str = include_str!("../../journeys/postgres/dialect.toml");

/// As the program has it where none is told: the journeys name what it makes.
const SEED: u64 = 1;

/// Parents before their children.
const TABLES: [&str; 13] = [
    "councils",
    "users",
    "businesses",
    "reviews",
    "review_moderation_log",
    "payment_audit",
    "featured_placements",
    "featured_queue",
    "refund_requests",
    "cron_jobs",
    "stripe_events",
    "search_events",
    "triage_logs",
];

#[derive(Deserialize)]
struct Dialect {
    words: Vec<(String, String)>,
}

/// How the business's database is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Directly,
    ThroughPooler,
}

/// A town whose business lies in PostgreSQL; all of it runs as long as it lives.
pub struct Business {
    pub environment: Vec<(String, String)>,
    /// Past the pooler.
    address: String,
    /// The town's servers run until it goes.
    _open: mpsc::Sender<()>,
    _pooler: Option<Pooler>,
    server: Server,
}

impl Business {
    /// In `home`: `town` with the stand-ins and the record, `cockpit/pack.toml`. `None` where a partner is missing.
    pub fn open(home: &Path, way: Way) -> Option<Self> {
        let server = Server::start()?;
        let pooler = match way {
            Way::Directly => None,
            Way::ThroughPooler => Some(Pooler::start(&server)?),
        };
        let dir = home.join("town");
        let (open, business, found) = stand(dir);
        let address = server.address("app");
        runtime().block_on(copy(&business, &address));
        let dialect: Dialect = toml::from_str(DIALECT).unwrap();
        write_pack(home, &dialect.words);
        let mut environment = found;
        let told = pooler.as_ref().map_or_else(|| address.clone(), Pooler::address);
        for (name, value) in &mut environment {
            if name == "DTD_DATABASE_URL" {
                value.clone_from(&told);
            }
        }
        Some(Self { environment, address, _open: open, _pooler: pooler, server })
    }

    /// The first cells of all rows, joined by commas.
    pub fn ask(&self, query: &str) -> String {
        runtime().block_on(server::ask(Database::Postgres, &self.address, query))
    }

    pub fn run(&self, statement: &str) {
        runtime().block_on(server::run(Database::Postgres, &self.address, statement));
    }

    /// The demo's site writes into the town's own tables: what it adds there is added here as well, while this lives.
    pub fn follow_site(&self, town: &Path, tables: &[String]) -> Site {
        let (open, closed) = mpsc::channel::<()>();
        let (from, to, tables) = (town.join("business.db"), self.address.clone(), tables.to_vec());
        let follower = std::thread::spawn(move || {
            // A change in a file tells nobody.
            while closed.recv_timeout(Duration::from_millis(50)) == Err(mpsc::RecvTimeoutError::Timeout) {
                runtime().block_on(async {
                    let mut sqlite = read_only(&from).await;
                    for table in &tables {
                        copy_rows(&mut sqlite, &to, table, " on conflict do nothing").await;
                    }
                });
            }
        });
        Site { open: Some(open), follower: Some(follower) }
    }

    /// Somebody else locks a table, until he lets it go.
    pub fn lock(&self, table: &str) -> Lock {
        let runtime = runtime();
        let line = runtime.block_on(server::lock(&self.address, table));
        Lock { runtime, line }
    }
}

/// The demo's site, as far as it works on this business.
pub struct Site {
    open: Option<mpsc::Sender<()>>,
    follower: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.open.take());
        // What it failed at is told by what is missing.
        let _ = self.follower.take().map(std::thread::JoinHandle::join);
    }
}

/// Another session that has a table locked.
pub struct Lock {
    runtime: tokio::runtime::Runtime,
    line: PgConnection,
}

impl Drop for Lock {
    /// Only when it returns nothing is locked any more.
    fn drop(&mut self) {
        self.runtime.block_on(server::let_go_of_table(&mut self.line));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A town at this moment, served on a thread of its own until the sender is dropped; its database and its variables.
pub fn stand(dir: PathBuf) -> (mpsc::Sender<()>, PathBuf, Vec<(String, String)>) {
    let (open, closed) = mpsc::channel::<()>();
    let (told, found) = mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let options = Options { pack: "dtd".to_owned(), dir: Some(dir), seed: SEED, ..Options::default() };
            let town = Town::open(options).await.unwrap();
            let environment = town.environment.clone().into_iter().collect();
            told.send((town.business.clone(), environment)).unwrap();
            // An error only says that nobody needs it any more.
            let _ = tokio::task::spawn_blocking(move || closed.recv()).await;
        });
    });
    let (business, environment) = found.recv().expect("the town opens");
    (open, business, environment)
}

/// The pack beside its playbooks, named so that its record is where the demo has it, with other words for some.
pub fn write_pack(home: &Path, instead: &[(String, String)]) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/packs/dtd");
    let to = home.join("cockpit");
    std::fs::create_dir_all(to.join("playbooks")).unwrap();
    for entry in std::fs::read_dir(from.join("playbooks")).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join("playbooks").join(entry.file_name())).unwrap();
    }
    let mut pack = std::fs::read_to_string(from.join("pack.toml")).unwrap();
    for (said, instead) in instead {
        assert!(pack.contains(said), "the pack no longer says {said}");
        pack = pack.replace(said, instead);
    }
    std::fs::write(to.join("pack.toml"), pack).unwrap();
}

async fn copy(from: &Path, to: &str) {
    server::run(Database::Postgres, to, SCHEMA).await;
    server::run(Database::Postgres, to, &marks_table(Database::Postgres, "operator_actions")).await;
    let mut sqlite = read_only(from).await;
    for table in TABLES {
        copy_rows(&mut sqlite, to, table, "").await;
        let counts = server::ask(Database::Postgres, to, &counts(table)).await;
        if !counts.is_empty() {
            let next = format!("select setval('{counts}', coalesce((select max(id) from {table}), 0) + 1, false)");
            server::ask(Database::Postgres, to, &next).await;
        }
    }
}

async fn read_only(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(Duration::from_secs(10));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn copy_rows(sqlite: &mut SqliteConnection, to: &str, table: &str, on_conflict: &str) {
    let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info($1)")
        .bind(table.to_owned())
        .fetch_all(&mut *sqlite)
        .await
        .unwrap();
    // A text that is a list stays one.
    let cells = columns.iter().map(|name| match name.as_str() {
        "age_specialties" | "behavior_issues" => format!("'{name}', json({name})"),
        name => format!("'{name}', {name}"),
    });
    let cells = cells.collect::<Vec<_>>().join(", ");
    let rows = format!("select json_group_array(json_object({cells})) from {table}");
    let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(sqlite).await.unwrap();
    let names = columns.join(", ");
    let insert = format!(
        "insert into {table} ({names}) select {names} from json_populate_recordset(null::{table}, $1::json){on_conflict}"
    );
    server::insert(to, &insert, &rows).await;
}

/// The sequence that numbers a table's rows, if one does.
fn counts(table: &str) -> String {
    format!(
        "select coalesce(pg_get_serial_sequence('{table}', 'id'), '') from pg_attribute where attrelid = '{table}'::regclass and attname = 'id'"
    )
}
