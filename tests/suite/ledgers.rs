//! Ledgers of any two connections, paired by the program: Stripe and SQL, HTTP and SQL, two databases; what each class
//! proposes is carried out; statements are archived and verified.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wheelhouse::{
    adapters::Database,
    demo::{Options, Town, built_in::BuiltIn},
    domain::{archive::Origin, journal::Entry, rows::Params},
    ports::Journal as _,
    store::Store,
};

use crate::{claims::server, probe, pty::Terminal};

pub const CLUB: BuiltIn = BuiltIn {
    name: "club",
    files: &[
        ("demo.toml", include_str!("../packs/club/demo.toml")),
        ("schema.sql", include_str!("../packs/club/schema.sql")),
        ("seed.sql", include_str!("../packs/club/seed.sql")),
    ],
};

/// The bank tells of two of the tills' takings, and of one amount that two of them have.
const BANK: &str = "create table bank (line text primary key, cents integer not null, booked_at timestamp not null);
insert into bank values ('b1', 10100, datetime('now', '-1 days', '+1 hours')), ('b2', 10200, datetime('now', '-2 days', '-1 hours')),
    ('b9', 5000, datetime('now', '-9 days', '+20 minutes'))";

/// The reading club: its stand-ins, its databases, and the program.
pub struct Club {
    home: TempDir,
    pub town: Town,
}

impl Club {
    pub async fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let accounts = home.path().join("accounts.db");
        tokio::task::spawn_blocking(move || probe::create(&accounts, &[BANK])).await.unwrap();
        let town = Town::of(&CLUB, Options { pack: "club".to_owned(), ..Options::default() }).await.unwrap();
        Self { home, town }
    }

    /// The stand-ins are tasks of this runtime: the program is waited for beside them.
    pub async fn run(&self, words: &str) -> Output {
        self.run_with(words, &[]).await
    }

    /// With other values for some of its variables.
    pub async fn run_with(&self, words: &str, instead: &[(&str, &str)]) -> Output {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs/club/pack.toml");
        let mut environment: BTreeMap<String, String> = self.town.environment.clone();
        environment.extend(instead.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let accounts = format!("sqlite://{}", self.home.path().join("accounts.db").display());
        run(self.home.path(), &pack, environment.into_iter().chain([("CLUB_ACCOUNTS_URL".to_owned(), accounts)]), words).await
    }

    /// Class, ids and minor units of each discrepancy, and what is proposed.
    async fn told(&self, name: &str) -> Vec<(String, String, String)> {
        let output = self.run(&format!("reconcile {name} --json")).await;
        let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let discrepancies = json[0]["statement"]["discrepancies"].as_array().unwrap_or_else(|| panic!("{json}")).clone();
        let mut told: Vec<(String, String, String)> = discrepancies
            .iter()
            .map(|one| {
                let minor: Vec<String> =
                    one["difference"].as_array().unwrap().iter().map(|money| money["minor"].to_string()).collect();
                let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
                (text("key"), minor.join(" "), text("proposal"))
            })
            .collect();
        told.sort();
        told
    }

    async fn sql(&self, query: &'static str) -> String {
        let file = self.town.business.clone();
        tokio::task::spawn_blocking(move || probe::first_column_of(&file, query)).await.unwrap()
    }
}

async fn run(home: &Path, pack: &Path, environment: impl IntoIterator<Item = (String, String)>, words: &str) -> Output {
    let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("USER", "op").current_dir(home).envs(environment);
    command.arg("--pack").arg(pack).arg("--state-dir").arg(home.join("state")).args(words.split(' '));
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

fn told(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(key, minor, proposal)| ((*key).to_owned(), (*minor).to_owned(), (*proposal).to_owned())).collect()
}

#[tokio::test]
async fn subscriptions_pair_with_members_and_transfers_with_orders() {
    let club = Club::open().await;
    assert_eq!(
        club.told("subscriptions").await,
        told(&[("amount:sub_3:3", "600", ""), ("missing_there:-:6", "-900", ""), ("status:sub_4:4", "-900", "")])
    );
    assert_eq!(
        club.told("transfers").await,
        told(&[("amount:tr_o2:o2", "100", ""), ("missing_there:-:o4", "-600", ""), ("refund_drift:tr_o3:o3", "-600", "")])
    );
}

#[tokio::test]
async fn what_a_site_tells_and_another_database_keeps_are_ledgers_as_well() {
    let club = Club::open().await;
    assert_eq!(club.told("tills").await, told(&[("amount:t3:t3", "50", "")]));
    assert_eq!(
        club.told("bank").await,
        told(&[
            ("ambiguous:-:t4", "-5000", ""),
            ("ambiguous:-:t5", "-5000", ""),
            ("ambiguous:b9:-", "5000", ""),
            ("missing_there:-:t3", "-10300", "")
        ])
    );
    let page = String::from_utf8(club.run("snapshot --size 120x40 --keys 4,G,k,k,d").await.stdout).unwrap();
    let line = page.lines().position(|line| line.contains("Could be")).unwrap_or_else(|| panic!("{page}"));
    let lines: Vec<&str> = page.lines().skip(line).take(2).collect();
    assert!(lines[0].contains("t4") && lines[1].contains("t5"), "{page}");
    let csv = String::from_utf8(club.run("reconcile bank --csv").await.stdout).unwrap();
    let line = csv.lines().find(|line| line.contains(",b9,")).unwrap();
    assert!(line.ends_with("€50.00 in bank could be any of 2 rows of takings,t4 t5"), "{line}");
}

#[tokio::test]
async fn each_class_has_a_repair_of_its_own_which_goes_through_the_journal() {
    let club = Club::open().await;
    assert_eq!(
        club.told("charges").await,
        told(&[
            ("amount:ch_3:o3", "1800", "correct"),
            ("duplicate:-:o4", "-2000", "forget"),
            ("duplicate:ch_2:-", "2000", "give_back"),
            ("missing_here:ch_5:-", "2500", "record"),
        ])
    );
    for (words, key) in [
        ("do record", "missing_here:ch_5:-"),
        ("do correct", "amount:ch_3:o3"),
        ("do forget", "duplicate:-:o4"),
        ("do give_back --confirm 20.00", "duplicate:ch_2:-"),
    ] {
        let output = club.run(&format!("{words} {key}")).await;
        assert_eq!(output.status.code(), Some(0), "{words} {key}: {output:?}");
    }
    assert_eq!(club.told("charges").await, []);
    assert_eq!(club.sql("select order_id || cents from payments order by 1").await, "o12000,o22000,o32000,o42000,o52500");
    let journal = String::from_utf8(club.run("journal export").await.stdout).unwrap();
    assert!(journal.lines().filter(|line| line.contains("\"DONE\"") || line.contains("done")).count() > 3, "{journal}");
}

/// Another name for who filed it, in every file, with the hashes made to fit: what nothing but the journal can tell.
fn forge(json: &Path) {
    let (html, list) = (json.with_extension("html"), json.with_extension("sha256"));
    let read = |file: &Path| std::fs::read_to_string(file).unwrap();
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let (old, old_page) = (read(json), read(&html));
    let (body, end) = old.split_once("\"sha256\":\"").unwrap();
    let told = end.split('"').next().unwrap();
    let body = body.replace("\"filed_by\":\"op\"", "\"filed_by\":\"eve\"");
    let new = format!("{body}\"sha256\":\"{}\"\n}}\n", hash(&body));
    let page = old_page.replace(" by op<", " by eve<").replace(told, &hash(&body));
    let hashes = read(&list).replace(&hash(&old), &hash(&new)).replace(&hash(&old_page), &hash(&page));
    assert!(new != old && page != old_page && hashes != read(&list));
    std::fs::write(json, new).unwrap();
    std::fs::write(html, page).unwrap();
    std::fs::write(list, hashes).unwrap();
}

#[tokio::test]
async fn statements_are_archived_listed_and_verified() {
    let club = Club::open().await;
    let archived = club.run("reconcile subscriptions --archive").await;
    assert_eq!(archived.status.code(), Some(1), "{archived:?}");
    let said = String::from_utf8(archived.stdout).unwrap();
    let file = said.lines().find_map(|line| line.strip_prefix("archived ")).unwrap_or_else(|| panic!("{said}")).to_owned();
    assert!(file.starts_with(&club.home.path().join("state/statements/club/subscriptions_").display().to_string()), "{file}");

    let json: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((json["sources"][0]["kind"].as_str(), json["sources"][1]["kind"].as_str()), (Some("stripe"), Some("sql")));
    assert_eq!(json["sources"][0]["query"], "GET /v1/subscriptions status=all");
    let requests = json["sources"][0]["requests"].as_array().unwrap();
    assert!(
        !requests.is_empty() && requests.iter().all(|id| id.as_str().is_some_and(|id| id.starts_with("req_"))),
        "{requests:?}"
    );
    assert!(json["sources"][1]["query"].as_str().unwrap().contains("from members"));
    assert_eq!(json["rows"].as_array().unwrap().len(), 11);

    let listed = String::from_utf8(club.run("reconcile --list").await.stdout).unwrap();
    assert!(listed.contains("subscriptions") && listed.contains("archived") && listed.contains("by op"), "{listed}");
    assert!(listed.contains("of the journal)"), "{listed}");
    let verified = club.run(&format!("reconcile --verify {file}")).await;
    let said = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(0), "{said}");
    assert!(said.contains("holds: none of its files was changed") && said.contains("the journal knows it: line"), "{said}");

    // Forged whole, with hashes that fit: the journal still knows the one that was filed.
    forge(Path::new(&file));
    let forged = club.run(&format!("reconcile --verify {file}")).await;
    assert_eq!(forged.status.code(), Some(2), "{forged:?}");
    assert!(String::from_utf8(forged.stdout).unwrap().contains("the journal knows another one of this name"));

    std::fs::write(Path::new(&file).with_extension("csv"), "side\n").unwrap();
    let changed = club.run(&format!("reconcile --verify {file}")).await;
    assert_eq!(changed.status.code(), Some(2));
    assert!(String::from_utf8(changed.stdout).unwrap().contains(".csv was changed"));
    assert_eq!(club.run("reconcile --verify nothing.json").await.status.code(), Some(3));
    assert_eq!(club.run("reconcile --remove-old").await.status.code(), Some(0));
}

/// Notes each statement on the shelf once more, as the journal of eight years ago would have.
async fn age(record: &Path, shelf: &Path) {
    let (store, _) = Store::open(record, "op", Utc::now()).await.unwrap();
    for entry in std::fs::read_dir(shelf).unwrap() {
        let list = entry.unwrap().path();
        if list.extension().is_some_and(|ending| ending == "sha256") {
            let text = std::fs::read_to_string(&list).unwrap();
            let files: BTreeMap<&str, &str> =
                text.lines().map(|line| line.split_once("  ").unwrap()).map(|(hash, file)| (file, hash)).collect();
            let name = list.file_stem().unwrap().to_str().unwrap();
            let payload = serde_json::json!({ "subject": "reconciliation.any", "archive": name, "files": files });
            let at = Utc::now() - TimeDelta::days(8 * 366);
            store.append(&Entry::new(at, "op", "ARCHIVE", format!("archived {name}")).payload(payload)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_statement_that_is_gone_is_missed_and_one_that_nobody_noted_is_told() {
    let club = Club::open().await;
    assert_eq!(club.run("reconcile subscriptions --archive").await.status.code(), Some(1));
    assert_eq!(club.run("reconcile transfers --archive").await.status.code(), Some(1));
    assert_eq!(club.run("reconcile --list").await.status.code(), Some(0));
    let shelf = club.home.path().join("state/statements/club");
    let of = |prefix: &str| -> Vec<PathBuf> {
        let files = std::fs::read_dir(&shelf).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with(prefix)).collect()
    };
    for file in of("transfers") {
        std::fs::remove_file(file).unwrap();
    }
    let listed = club.run("reconcile --list").await;
    let said = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.status.code(), Some(2), "{said}");
    let line = said.lines().find(|line| line.starts_with("MISSING  transfers_")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("archived") && line.contains("by op (line 2 of the journal)"), "{line}");
    let json: Json = serde_json::from_slice(&club.run("reconcile transfers --list --json").await.stdout).unwrap();
    assert_eq!((json[0]["standing"].as_str(), json[0]["journal"]["line"].as_u64()), (Some("missing"), Some(2)));

    // Another journal, such as that of a machine which was set up again.
    let state = club.home.path().join("state");
    let kept = state.join("kept");
    std::fs::create_dir(&kept).unwrap();
    let record = ["club.db", "club.db-wal", "club.db-shm", "club.db.head", "club.db.lock"];
    for file in record.iter().filter(|file| state.join(file).exists()) {
        std::fs::rename(state.join(file), kept.join(file)).unwrap();
    }
    let file = of("subscriptions").into_iter().find(|file| file.extension().unwrap() == "json").unwrap();
    let verified = club.run(&format!("reconcile --verify {}", file.display())).await;
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(verified.status.code() == Some(1) && said.contains("UNKNOWN  there is no journal at hand to ask"), "{said}");
    assert_eq!(club.run("reconcile transfers --archive").await.status.code(), Some(1));
    let verified = club.run(&format!("reconcile --verify {}", file.display())).await;
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(verified.status.code() == Some(1) && said.contains("UNKNOWN  the journal at hand does not know it"), "{said}");
    let listed = club.run("reconcile subscriptions --list").await;
    let said = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.code() == Some(1) && said.starts_with("UNKNOWN  subscriptions_"), "{said}");
}

#[tokio::test]
async fn what_goes_after_seven_years_is_verified_before_and_stands_in_the_journal() {
    let club = Club::open().await;
    assert_eq!(club.run("reconcile subscriptions --archive").await.status.code(), Some(1));
    assert_eq!(club.run("reconcile transfers --archive").await.status.code(), Some(1));
    let state = club.home.path().join("state");
    let shelf = state.join("statements/club");
    let names = || -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(&shelf).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let unready = club.run("reconcile --remove-old").await;
    assert!(unready.status.code() == Some(0) && names().len() == 8, "{unready:?}");
    age(&state.join("club.db"), &shelf).await;
    let refused = club.run("--read-only reconcile --remove-old").await;
    assert!(refused.status.code() == Some(3) && names().len() == 8, "{refused:?}");

    let page = names().into_iter().find(|name| name.starts_with("transfers") && name.ends_with("html")).unwrap();
    let whole = std::fs::read(shelf.join(&page)).unwrap();
    std::fs::write(shelf.join(&page), "another").unwrap();
    let removed = club.run("reconcile --remove-old").await;
    let said = String::from_utf8(removed.stdout).unwrap();
    assert_eq!(removed.status.code(), Some(2), "{said}");
    assert!(said.contains("removed subscriptions_") && said.contains("BROKEN  transfers_"), "{said}");
    assert!(said.contains(" stays: ") && names().len() == 4, "{said}");
    std::fs::write(shelf.join(&page), whole).unwrap();
    assert_eq!(club.run("reconcile --remove-old").await.status.code(), Some(0));
    assert_eq!(names(), Vec::<String>::new());
    let journal = String::from_utf8(club.run("journal export").await.stdout).unwrap();
    assert_eq!(journal.lines().filter(|line| line.contains("\"REMOVE\"") && line.contains("kept for seven years")).count(), 2);
    let listed = club.run("reconcile --list").await;
    assert_eq!(listed.status.code(), Some(0), "what went in order is not missing: {listed:?}");
}

const BOTH: &str = r#"
[pack]
title = "Both"
timezone = "UTC"
currency = "EUR"
[connections]
one.sql = { url_env = "ONE_URL", timeout = "20s" }
other.sql = { url_env = "OTHER_URL", timeout = "20s" }
[ledgers.theirs]
title = "one"
read.sql = { on = "one", text = "select id, cents, at from theirs where at >= :from and at < :to" }
columns = { key = "id", amount = "cents", at = "at" }
[ledgers.ours]
title = "other"
read.sql = { on = "other", text = "select id, their, cents, at from ours where at >= :from and at < :to" }
columns = { key = "id", link = "their", amount = "cents", at = "at" }
[reconciliations.both]
title = "Both"
theirs = "theirs"
ours = "ours"
window = "7d"
"#;

/// More rows than are handed over at once, and than are paired on the spot.
const MANY: u32 = 30_000;

#[tokio::test]
async fn two_databases_are_read_in_parts_and_paired_whole() {
    let Some(server) = server::Server::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let one = server.address("app");
    let theirs = format!(
        "create table theirs (id text primary key, cents bigint, at timestamptz);
         insert into theirs select 'ch_' || n, n, now() - interval '2 hours' - n * interval '1 second' from generate_series(1, {MANY}) n"
    );
    server::run(Database::Postgres, &one, &theirs).await;
    let file = home.path().join("ours.db");
    let ours = format!(
        "create table ours (id text primary key, their text, cents integer, at timestamp);
         with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {MANY})
         insert into ours select 'p' || n, 'ch_' || n, n + (n = 77), datetime('now', '-2 hours', '-' || n || ' seconds') from numbers where n <> 1234"
    );
    tokio::task::spawn_blocking(move || probe::create(&file, &[&ours])).await.unwrap();
    let pack = home.path().join("both.toml");
    std::fs::write(&pack, BOTH).unwrap();
    let other = format!("sqlite://{}", home.path().join("ours.db").display());
    let environment = [("ONE_URL".to_owned(), one), ("OTHER_URL".to_owned(), other)];
    let output = run(home.path(), &pack, environment, "reconcile --json").await;
    let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let statement = &json[0]["statement"];
    let keys: Vec<&str> = statement["discrepancies"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(
        (statement["matched"].as_u64(), keys),
        (Some(u64::from(MANY) - 2), vec!["missing_here:ch_1234:-", "amount:ch_77:p77"])
    );
    assert_eq!(statement["totals"][0]["theirs_rows"], MANY);
}

const ENDLESS: &str = r#"
[pack]
title = "Many"
timezone = "UTC"
currency = "EUR"
[connections]
db.sql = { url_env = "MANY_URL", timeout = "60s" }
[ledgers.theirs]
title = "bank"
read.sql = { on = "db", text = """
with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 50000000)
select 'c' || n as id, n as cents, datetime(:to, '-5 days') as at from numbers where :from < :to""" }
columns = { key = "id", amount = "cents", at = "at" }
[ledgers.ours]
title = "books"
read.sql = { on = "db", text = "select 'c1' as id, 1 as cents, datetime(:to, '-5 days') as at where :from < :to" }
columns = { key = "id", amount = "cents", at = "at" }
[reconciliations.many]
title = "Many"
theirs = "theirs"
ours = "ours"
window = "7d"
"#;

#[test]
fn who_waits_for_millions_of_rows_sees_how_many_there_are_and_may_leave() {
    let home = tempfile::tempdir().unwrap();
    probe::create(&home.path().join("many.db"), &["create table blank (n integer)"]);
    std::fs::write(home.path().join("many.toml"), ENDLESS).unwrap();
    let environment = [("MANY_URL".to_owned(), format!("sqlite://{}", home.path().join("many.db").display()))];
    let words = ["--pack", "many.toml", "--state-dir", "state"];
    let mut terminal = Terminal::start_with(&words, &environment, home.path(), 120, 40);
    let shows = |parts: &'static [&'static str]| {
        move |frame: &str| {
            let has_all = frame.lines().any(|line| parts.iter().all(|part| line.contains(part)));
            if has_all { Vec::new() } else { parts.iter().map(|part| (*part).to_owned()).collect() }
        }
    };
    terminal.until("rows so far", shows(&["Many", "reading: ", " rows"]));
    terminal.look_up();
    terminal.keys("4,Enter");
    terminal.until("the page", shows(&["Reading", " rows, ", "/s, since "]));
    terminal.keys("q");
    terminal.until_now("the overview again", |frame| frame.contains("1 Alerts"));
    terminal.keys("q");
    assert!(terminal.ended().success());
}

const ASKED: &str = r#"
[pack]
title = "Shop"
timezone = "UTC"
currency = "EUR"

[connections]
shop.http = { url = "https://shop.example" }
tool.command = { program = "/srv/shop/bin/admin" }

[ledgers.posted]
title = "posted"
read.http = { on = "shop", path = "/orders/search", body = '{"since": "{{ from }}"}', rows = "/orders", columns = { id = "/id", cents = "/total", at = "/at" } }
columns = { key = "id", amount = "cents", at = "at" }

[ledgers.printed]
title = "printed"
read.command = { on = "tool", args = ["orders", "--since={{ from }}"], format = "csv" }
columns = { key = "id", amount = "cents", at = "at" }

[reconciliations.orders]
title = "Orders"
theirs = "posted"
ours = "printed"
window = "7d"
"#;

#[test]
fn what_was_asked_is_archived_whole() {
    let pack = wheelhouse::pack::parse("shop.toml", ASKED, &|_| Err("no files".into()))
        .unwrap_or_else(|problems| panic!("{problems}"))
        .pack;
    let query = |ledger: &str| {
        let ledger = pack.ledgers.iter().find(|known| known.id.as_str() == ledger).unwrap();
        Origin::of(ledger, &pack, &Params::new(), vec!["req_1".to_owned()], 1, Duration::from_millis(1)).query
    };
    assert_eq!(query("posted"), r#"POST /orders/search {"since": "{{ from }}"}"#);
    assert_eq!(query("printed"), "/srv/shop/bin/admin orders --since={{ from }}");
}
