//! PostgreSQL as Debian has it, started for a test, and a way to say anything to either database.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use wheelhouse::adapters::Database;

const PASSWORD: &str = "as-secret-as-a-test";

pub const POOLER: &str = "/usr/sbin/pgbouncer";

/// Where PostgreSQL's own programs are, if it is installed.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists())
}

/// A server on a port of its own, stopped when it is dropped.
pub struct Server {
    programs: PathBuf,
    directory: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// `None` where PostgreSQL is not installed, which is said.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            crate::partners::absent("PostgreSQL", "apt-get install postgresql");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("wheelhouse-claims").tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut server = Self { programs, directory, port: 0 };
        let path = |name: &str| server.directory.path().join(name).display().to_string();
        fs::write(server.directory.path().join("password"), PASSWORD).unwrap();
        let password = format!("--pwfile={}", path("password"));
        server.run("initdb", &["-D", &path("data"), "-U", "app", "-A", "scram-sha-256", &password, "--no-sync", "-E", "UTF8"]);
        // A port that was free may be taken in between.
        let is_up = (0..5).any(|_| {
            server.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            server.begin()
        });
        assert!(is_up, "PostgreSQL does not start");
        Some(server)
    }

    /// Whether it came up.
    pub fn begin(&self) -> bool {
        let directory = self.directory.path().display();
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c fsync=off -k {directory}", self.port);
        let (data, log) = (format!("{directory}/data"), format!("{directory}/log"));
        self.call("pg_ctl", &["-D", &data, "-o", &options, "-l", &log, "-w", "start"])
    }

    pub fn stop(&self) {
        let data = self.directory.path().join("data").display().to_string();
        self.run("pg_ctl", &["-D", &data, "-m", "fast", "-w", "stop"]);
    }

    pub fn address(&self, role: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.call(program, arguments), "{program} {arguments:?}");
    }

    fn call(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = unprivileged(&self.programs.join(program));
        command.args(arguments).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that never came up cannot be stopped.
        let data = self.directory.path().join("data").display().to_string();
        self.call("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]);
    }
}

/// A transaction pooler before a server, with one line to it: whoever comes meets what the one before left there.
pub struct Pooler {
    process: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Pooler {
    /// `None` where pgbouncer is not installed, which is said.
    pub fn start(server: &Server) -> Option<Self> {
        let program = Path::new(POOLER);
        if !program.exists() {
            crate::partners::absent("pgbouncer", "apt-get install pgbouncer");
            return None;
        }
        let directory = tempfile::Builder::new().prefix("wheelhouse-pooler").tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=app password={PASSWORD}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 1\nunix_socket_dir =\n",
            server.port
        );
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        let mut process = unprivileged(program).arg(&file).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("process up")), "the pooler did not start");
        // Read on, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, port, _directory: directory })
    }

    pub fn address(&self) -> String {
        format!("postgres://app:{PASSWORD}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
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

/// One statement with one parameter.
pub async fn insert(address: &str, statement: &str, value: &str) {
    let mut line = address.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).bind(value).execute(&mut line).await.unwrap();
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

/// Somebody else locks a table of the server.
pub async fn lock(address: &str, table: &str) -> sqlx::PgConnection {
    let mut line = address.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let lock = format!("begin; lock table {table}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut line).await.unwrap();
    line
}

pub async fn let_go_of_table(line: &mut sqlx::PgConnection) {
    sqlx::raw_sql("rollback").execute(line).await.unwrap();
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
