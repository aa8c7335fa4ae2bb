//! A server that proves who it is, and those that cannot: each is told in one sentence with the next step.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::Cluster;
use crate::{
    adapters::{
        environment::Found as Secret,
        install_tls,
        sql::{Reached, SqlSystem},
        testing::{CANARY, LIMIT, mark, sql},
    },
    domain::{rows::Params, value::Value},
    ports::{Doer as _, Outcome, Source as _, SourceError},
};

/// An authority, and a certificate that it signed for `localhost` alone, made with openssl.
struct Authority {
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Option<Self> {
        let authority = Self { directory: tempfile::tempdir().unwrap() };
        let made = Command::new("openssl").arg("version").output();
        if made.is_err() {
            crate::adapters::absent::absent("openssl", "apt-get install openssl");
            return None;
        }
        authority.openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=Authority");
        authority.openssl("req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=Server");
        fs::write(authority.file("leaf.ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
        let sign = "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile leaf.ext";
        authority.openssl(&format!("{sign} -days 2 -out leaf.pem"));
        authority.openssl(&format!("{sign} -days 0 -out old.pem"));
        Some(authority)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        let made = command.args(arguments.split(' ')).current_dir(self.directory.path()).output().unwrap();
        assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

fn open(url: &str, authority: Option<&Path>) -> SqlSystem {
    let url = &Secret::secret(url);
    let reached = Reached { url, act_url: None, authority, zone: None, timeout: LIMIT };
    SqlSystem::open("db", &reached, None).unwrap()
}

async fn said(db: &SqlSystem) -> String {
    match db.read(&sql("select 1 as one"), &Params::new()).await.unwrap_err() {
        SourceError::Unreachable(said) | SourceError::Denied(said) => said.shown().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_proves_who_it_is_or_nothing_is_said_to_it() {
    let Some(authority) = Authority::new() else { return };
    let Some(cluster) = Cluster::start() else { return };
    install_tls();
    let address = |host: &str, query: &str| format!("postgres://app:{CANARY}@{host}:{}/postgres{query}", cluster.port);
    let full = "?sslmode=verify-full";

    // A server without TLS.
    let plain = said(&open(&address("localhost", full), None)).await;
    assert!(plain.starts_with("db: no safe line: the server speaks no TLS; switch it on there (`ssl = on`)"), "{plain}");

    cluster.with_certificate(&authority.file("leaf.pem"), &authority.file("leaf.key"));
    let good = open(&address("localhost", ""), Some(&authority.file("ca.pem")));
    let used = sql("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
    let rows = good.read(&used, &Params::new()).await.unwrap();
    assert_eq!(rows.first().unwrap().find("ssl"), Some(&Value::Bool(true)));
    let by_url = address("localhost", &format!("{full}&sslrootcert={}", authority.file("ca.pem").display()));
    assert_eq!(open(&by_url, None).read(&used, &Params::new()).await.unwrap().len(), 1);
    // Its name is not asked for: the way through a tunnel.
    let by_authority = format!("?sslmode=verify-ca&sslrootcert={}", authority.file("ca.pem").display());
    assert_eq!(open(&address("127.0.0.1", &by_authority), None).read(&used, &Params::new()).await.unwrap().len(), 1);

    let unknown = said(&open(&address("localhost", full), None)).await;
    assert!(unknown.contains("signed by an authority that is not known here") && unknown.contains("`ca_file`"), "{unknown}");
    let other_name = said(&open(&address("127.0.0.1", full), Some(&authority.file("ca.pem")))).await;
    assert!(other_name.contains("its certificate is for localhost and not for `127.0.0.1`"), "{other_name}");
    assert!(!other_name.contains(CANARY));

    // Who acts says nothing to it either: the act is not sent, and is not done.
    super::run(&cluster, "create table hats (n integer); insert into hats values (1)").await;
    for (host, authority, why) in [
        ("127.0.0.1", Some(authority.file("ca.pem")), "and not for `127.0.0.1`"),
        ("localhost", None, "an authority that is not known here"),
    ] {
        let (looks, acts) = (Secret::secret(&cluster.address(CANARY)), Secret::secret(&address(host, full)));
        let reached = Reached { url: &looks, act_url: Some(&acts), authority: authority.as_deref(), zone: None, timeout: LIMIT };
        let db = SqlSystem::open("db", &reached, None).unwrap();
        let outcome = db.act(&super::order("update hats set n = 2", Vec::new()), &mark("t1")).await;
        assert!(matches!(&outcome, Outcome::Again { why: said, .. } if said.shown().contains(why)), "{outcome:?}");
        let hats = db.read(&sql("select n from hats"), &Params::new()).await.unwrap();
        assert_eq!(hats.first().unwrap().find("n"), Some(&Value::Integer(1)));
    }

    // One that wants TLS is not spoken to without.
    cluster.wants_tls();
    let bare = said(&open(&address("localhost", "?sslmode=disable"), None)).await;
    assert!(bare.contains("take `sslmode=disable` out of the address"), "{bare}");

    // Valid for no day: it has run out since it was made.
    cluster.with_certificate(&authority.file("old.pem"), &authority.file("leaf.key"));
    let old = said(&open(&address("localhost", ""), Some(&authority.file("ca.pem")))).await;
    assert!(old.contains("its certificate has run out"), "{old}");
    // An authority's own certificate.
    cluster.with_certificate(&authority.file("ca.pem"), &authority.file("ca.key"));
    let own = said(&open(&address("localhost", ""), Some(&authority.file("ca.pem")))).await;
    assert!(own.contains("an authority's own (CA:TRUE)"), "{own}");
}

#[tokio::test]
async fn a_line_that_anyone_could_read_or_bend_is_warned_of_at_the_start() {
    let Some(cluster) = Cluster::start() else { return };
    // Another machine by its name alone: the one of this machine, which does not say that it is this one.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned();
    cluster.listens_on(&host);
    let db = open(&format!("postgres://app:{CANARY}@{host}:{}/postgres?sslmode=disable", cluster.port), None);
    db.read(&sql("select 1 as one"), &Params::new()).await.unwrap();
    let told = db.inspect().await.unwrap();
    assert!(told.iter().any(|said| said.shown().contains("may be read and changed by whoever stands between")), "{told:?}");
}
