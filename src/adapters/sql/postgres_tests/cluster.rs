//! A server of PostgreSQL as Debian has it, and a pooler before it, started for one test.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::adapters::{environment::Found as Secret, sql::SqlSystem, testing::CANARY};

/// A server on a socket and a port of its own, stopped when it is dropped.
pub(super) struct Cluster {
    programs: PathBuf,
    directory: tempfile::TempDir,
    pub(super) port: u16,
}

impl Cluster {
    /// `None` where PostgreSQL is not installed, which is said.
    pub(super) fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
        let Some(programs) = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists()) else {
            crate::adapters::absent::absent("PostgreSQL", "apt-get install postgresql");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("wheelhouse-pg").tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { programs, directory, port };
        let data = cluster.data();
        let data = data.to_str().unwrap();
        std::fs::write(cluster.directory.path().join("password"), CANARY).unwrap();
        let password = format!("--pwfile={}", cluster.directory.path().join("password").display());
        cluster.run("initdb", &["-D", data, "-U", "app", "-A", "scram-sha-256", &password, "--no-sync", "-E", "UTF8"]);
        cluster.begin();
        Some(cluster)
    }

    /// From now on it offers TLS with this certificate.
    pub(super) fn with_certificate(&self, certificate: &Path, key: &Path) {
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = self.directory.path().join(name);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            self.give(&to);
        }
        let file = |name: &str| self.directory.path().join(name).display().to_string();
        let settings = format!("ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n", file("server.crt"), file("server.key"));
        self.append("postgresql.conf", &settings);
        self.restart();
    }

    /// From now on it lets nobody in without TLS.
    pub(super) fn wants_tls(&self) {
        let rules = "hostssl all all all scram-sha-256\n";
        let file = self.data().join("pg_hba.conf");
        std::fs::write(&file, rules).unwrap();
        self.give(&file);
        self.restart();
    }

    /// From now on it is reached at this name as well, wherever the machine says that it leads (`127.0.1.1` on Debian).
    pub(super) fn listens_on(&self, host: &str) {
        self.stop();
        self.append("pg_hba.conf", "host all all all scram-sha-256\n");
        self.begin_at(&format!("127.0.0.1,{host}"));
    }

    fn append(&self, name: &str, text: &str) {
        let file = self.data().join(name);
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, before + text).unwrap();
        self.give(&file);
    }

    /// To whom the server runs as.
    fn give(&self, file: &Path) {
        if rustix::process::geteuid().is_root() {
            let owner = std::fs::metadata(self.data()).unwrap();
            std::os::unix::fs::chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
    }

    pub(super) fn begin(&self) {
        self.begin_at("127.0.0.1");
    }

    fn begin_at(&self, addresses: &str) {
        let directory = self.directory.path().display();
        let options = format!("-p {} -c listen_addresses={addresses} -c fsync=off -k {directory}", self.port);
        let log = format!("{directory}/log");
        self.run("pg_ctl", &["-D", self.data().to_str().unwrap(), "-o", &options, "-l", &log, "-w", "start"]);
    }

    pub(super) fn stop(&self) {
        self.run("pg_ctl", &["-D", self.data().to_str().unwrap(), "-m", "fast", "-w", "stop"]);
    }

    pub(super) fn restart(&self) {
        self.run("pg_ctl", &["-D", self.data().to_str().unwrap(), "-m", "fast", "-w", "-l", "/dev/null", "restart"]);
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(super) fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = unprivileged(&program);
        let status =
            command.args(arguments).current_dir(Path::new("/")).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{} {arguments:?}", program.display());
    }

    pub(super) fn address(&self, password: &str) -> String {
        address(password, self.port)
    }

    pub(super) fn open(&self, marks: Option<&str>, limit: std::time::Duration) -> SqlSystem {
        SqlSystem::at(&Secret::secret(&self.address(CANARY)), marks, limit).unwrap()
    }
}

/// As another user where we are root, whom PostgreSQL and its pooler refuse.
pub(super) fn unprivileged(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        self.run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
    }
}

pub(super) fn address(password: &str, port: u16) -> String {
    format!("postgres://app:{password}@127.0.0.1:{port}/postgres?sslmode=disable")
}

/// A transaction pooler with one line to the server, so that every client meets what the others left there.
pub(super) struct Pooler {
    process: Child,
    pub(super) port: u16,
}

impl Pooler {
    pub(super) fn start(cluster: &Cluster) -> Option<Self> {
        let program = Path::new("/usr/sbin/pgbouncer");
        if !program.exists() {
            crate::adapters::absent::absent("pgbouncer", "apt-get install pgbouncer");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=app password={CANARY}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 1\nunix_socket_dir =\n",
            cluster.port
        );
        let file = cluster.directory.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut process = unprivileged(program).arg(&file).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("process up")), "the pooler did not start");
        // Read on, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, port })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
