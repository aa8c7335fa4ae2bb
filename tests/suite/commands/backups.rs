//! The backups that the packs' documentation shows: a dump of a real PostgreSQL, an export with a stand-in's argv.

use std::{fs, process::Command};

use super::{Depot, SECRET, holds_secret};
use crate::claims::server::{self, Server};
use wheelhouse::adapters::Database;

#[test]
fn a_dump_of_postgresql_is_made_and_can_be_read_back() {
    let Some(server) = Server::start() else { return };
    let address = server.address("app");
    let (_, rest) = address.split_once("://").unwrap();
    let (login, place) = rest.split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let (host, database) = place.split_once('/').unwrap();
    let (host, port) = host.rsplit_once(':').unwrap();
    let database = database.split('?').next().unwrap();
    let made = "create table orders (id int primary key, customer text); insert into orders values (1, 'Mira'), (2, 'Jo')";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(server::run(Database::Postgres, &address, made));

    let depot = Depot::of(&format!(
        r#"
[connections]
dump.command = {{ program = "pg_dump", directory = "HOME", version = ["--version"], timeout = "10m", environment = {{ PGHOST = "{host}", PGPORT = "{port}", PGUSER = "{user}", PGDATABASE = "{database}", PGPASSWORD_env = "DEPOT_TOKEN" }} }}
find.command = {{ program = "find", directory = "HOME" }}

[jobs.dump]
title = "Dump"
schedule = "0 3 * * *"
history.command = {{ on = "find", args = ["copies", "-name", "*.dump", "-printf", "%TY-%Tm-%TdT%TH:%TM:%TSZ,ok\n"], format = "csv", header = ["made", "status"] }}
history_columns = {{ started = "made", status = "status", succeeded = "ok" }}
run = [ {{ command = {{ on = "dump", args = ["--format=custom", "--verbose", "--file=copies/{{{{ action_id }}}}.dump"] }}, says = "dump the database" }} ]
"#
    ));
    fs::create_dir(depot.path("copies")).unwrap();
    let ran = |words: &[&str]| {
        let mut command = depot.command(words);
        super::Ran::of(command.env("DEPOT_TOKEN", password).output())
    };
    ran(&["connect", "check", "dump"]).ends(0).says(&["pg_dump (PostgreSQL)"]);
    let done = ran(&["do", "job.dump", "--confirm", "dump"]).ends(0).says(&["done", "dump: pg_dump ended with 0"]);
    done.complains(&["dumping contents of table \"public.orders\""]);
    let made: Vec<_> = fs::read_dir(depot.path("copies")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(made.len(), 1, "{made:?}");
    let listed = Command::new("pg_restore").arg("--list").arg(&made[0]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("TABLE public orders"), "{listed}");
    let data = Command::new("pg_restore").args(["--data-only", "--file=-"]).arg(&made[0]).output().unwrap();
    assert!(String::from_utf8(data.stdout).unwrap().contains("2\tJo"));

    // What is wrong is said in the program's own words, and the password in none.
    let wrong = depot.run(&["do", "job.dump", "--confirm", "dump"]);
    assert_ne!(wrong.status, 0, "{wrong:?}");
    assert!(wrong.out.contains("rejected") && wrong.out.contains("password authentication failed"), "{wrong:?}");
    assert!(!wrong.out.contains(SECRET) && !wrong.errors.contains(SECRET) && !holds_secret(&depot.path("state")));
}

/// The example of `gcloud`, which cannot be had here: a stand-in says what it was called with.
#[test]
fn an_export_is_called_as_its_pack_says_and_a_name_finds_it() {
    let depot = Depot::of(
        r#"
[connections]
gcloud.command = { program = "gcloud", directory = "HOME", timeout = "30m", version = ["version"], environment = { PATH = "HOME/bin:/usr/bin:/bin", CLOUDSDK_CORE_PROJECT = "exchange-prod", CLOUDSDK_CORE_DISABLE_PROMPTS = "1" } }
npm.command = { program = "npm", directory = "HOME", timeout = "5m", environment = { PATH = "HOME/bin:/usr/bin:/bin", CRON_SECRET_env = "DEPOT_TOKEN" } }

[queues.buckets]
title = "Backups"
read.command = { on = "gcloud", args = ["firestore", "operations", "list", "--format=json"], format = "json", columns = { name = "/name", state = "/metadata/operationState", began = "/metadata/startTime" } }
id = "name"
since = "began"
minutes_each = 1
actions = ["again"]
columns = [ { column = "name", title = "Operation" }, { column = "state", title = "State" } ]

[actions.again]
title = "Export again"
key = "x"
hold = "0s"
do.command = { on = "gcloud", args = ["firestore", "export", "gs://exchange-backups", "--collection-ids=users,listings,orders", "--async"] }

[jobs.expiry]
title = "featured-expiry"
schedule = "0 2 * * *"
history.command = { on = "gcloud", args = ["firestore", "operations", "list", "--format=json"], format = "json", columns = { began = "/metadata/startTime", state = "/metadata/operationState" } }
history_columns = { started = "began", status = "state", succeeded = "SUCCESSFUL" }
run = [ { command = { on = "npm", args = ["run", "cron:featured-expiry"], done = [0], unknown = [130] } } ]
"#,
    );
    let gcloud = r#"printf '%s\n' "$CLOUDSDK_CORE_PROJECT" "$@" >>called
case "$1 $2" in
"firestore operations") echo '[{"name": "op-1", "metadata": {"operationState": "SUCCESSFUL", "startTime": "2026-11-20T03:00:00Z"}}]' ;;
"firestore export") echo "outputUriPrefix: gs://exchange-backups/2026-11-20" ;;
"version ") echo "Google Cloud SDK 500.0.0" ;;
*) echo "ERROR: (gcloud) Invalid choice: '$1'." >&2; exit 2 ;;
esac"#;
    let npm = r#"[ -n "$CRON_SECRET" ] || { echo "CRON_SECRET is not set" >&2; exit 1; }
printf '%s\n' "$@" >>npm-called; echo '> 12 promoted'"#;
    let depot = depot.with_program("gcloud", gcloud).with_program("npm", npm);
    depot.run(&["connect", "check"]).ends(0).says(&["version Google Cloud SDK 500.0.0", "bin/npm"]);
    fs::remove_file(depot.path("called")).unwrap();
    depot.run(&["do", "again", "op-1"]).ends(0).says(&["done"]).complains(&["gs://exchange-backups/2026-11-20"]);
    let called = depot.text("called");
    let export = "exchange-prod\nfirestore\nexport\ngs://exchange-backups\n--collection-ids=users,listings,orders\n--async\n";
    assert_eq!(called.matches(export).count(), 1, "{called}");
    depot.run(&["do", "job.expiry", "--confirm", "expiry"]).ends(0).complains(&["> 12 promoted"]);
    assert_eq!(depot.text("npm-called"), "run\ncron:featured-expiry\n");
}

#[test]
fn the_demo_makes_a_copy_by_hand_and_its_job_is_well_again() {
    let home = tempfile::tempdir().unwrap();
    let town = home.path().join("town");
    fs::write(home.path().join("config.toml"), "[confirm]\nhold_at_most = \"0s\"\n").unwrap();
    let run = |words: &[&str]| {
        let mut command = crate::cli::wheelhouse(home.path());
        command.args(["--demo", "--config", "config.toml", "--demo-dir"]).arg(&town).args(words);
        super::Ran::of(command.output())
    };
    let ran = run(&["do", "job.backup", "--confirm", "backup"]).ends(0).says(&["done"]);
    ran.complains(&["dumping contents of table \"public.businesses\""]);
    let copies: Vec<_> = fs::read_dir(town.join("copies")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(fs::metadata(&copies[0]).unwrap().len() > 100_000);
    assert!(!run(&["check"]).out.contains("database-backup"), "it is late no more");
}
