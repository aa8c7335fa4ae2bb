//! PostgreSQL as Debian has it, started for a test, and a way to say anything to either database.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use wheelhouse::adapters::Database;

const PASSWORD: &str = "as-secret-as-a-test";

/// A server on a port of its own, stopped when it is dropped.
pub struct Server {
    programs: PathBuf,
    directory: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// `None` where PostgreSQL is not installed, which is said.
    pub fn start() -> Option<Self> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
        let Some(programs) = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists()) else {
            println!("PostgreSQL is not installed (apt-get install postgresql): its tests did not run");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("wheelhouse-claims").tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { programs, directory, port };
        let path = |name: &str| server.directory.path().join(name).display().to_string();
        fs::write(server.directory.path().join("password"), PASSWORD).unwrap();
        let password = format!("--pwfile={}", path("password"));
        server.run("initdb", &["-D", &path("data"), "-U", "app", "-A", "scram-sha-256", &password, "--no-sync", "-E", "UTF8"]);
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {}", server.directory.path().display());
        server.run("pg_ctl", &["-D", &path("data"), "-o", &options, "-l", &path("log"), "-w", "start"]);
        Some(server)
    }

    pub fn address(&self, role: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = unprivileged(&self.programs.join(program));
        command.args(arguments).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().unwrap().success(), "{program} {arguments:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.directory.path().join("data").display().to_string();
        self.run("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]);
    }
}

/// As another user where we are root, whom PostgreSQL refuses.
fn unprivileged(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

pub async fn run(kind: Database, address: &str, text: &str) {
    let text = sqlx::AssertSqlSafe(text.to_owned());
    match kind {
        Database::Postgres => {
            let mut line = address.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
            sqlx::raw_sql(text).execute(&mut line).await.unwrap();
        }
        Database::Sqlite => {
            let mut line = address.parse::<SqliteConnectOptions>().unwrap().connect().await.unwrap();
            sqlx::raw_sql(text).execute(&mut line).await.unwrap();
        }
    }
}

/// The first cells of all rows, joined by commas.
pub async fn ask(kind: Database, address: &str, text: &str) -> String {
    let text = sqlx::AssertSqlSafe(format!("with answers (answer) as ({text}) select cast(answer as text) from answers"));
    let cells: Vec<Option<String>> = match kind {
        Database::Postgres => {
            let mut line = address.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
            sqlx::query_scalar(text).fetch_all(&mut line).await.unwrap()
        }
        Database::Sqlite => {
            let mut line = address.parse::<SqliteConnectOptions>().unwrap().connect().await.unwrap();
            sqlx::query_scalar(text).fetch_all(&mut line).await.unwrap()
        }
    };
    cells.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join(",")
}

/// Somebody else writes to the file, and takes his time.
pub async fn hold(address: &str) -> sqlx::SqliteConnection {
    let mut line = address.parse::<SqliteConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::raw_sql("begin immediate").execute(&mut line).await.unwrap();
    line
}

pub async fn let_go(line: &mut sqlx::SqliteConnection) {
    sqlx::raw_sql("rollback").execute(line).await.unwrap();
}
