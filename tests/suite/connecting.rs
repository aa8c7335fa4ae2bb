//! `wheelhouse connect check`: what answers, as whom, and what is to be done, with nothing written anywhere.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use chrono::{TimeDelta, Utc};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{
    claims::server::{self, Server},
    cli::{Ran, wheelhouse},
};
use wheelhouse::adapters::Database;

const HEAD: &str = "[pack]\ntitle = \"Shop\"\ntimezone = \"UTC\"\ncurrency = \"EUR\"\n\n[connections]\n";

/// A pack of connections alone, and the variables that they name.
struct Shop {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Shop {
    fn of(connections: &str, variables: &[(&'static str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a home");
        std::fs::write(home.path().join("pack.toml"), format!("{HEAD}{connections}\n")).expect("a pack");
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { home, variables }
    }

    fn check(&self, words: &[&str]) -> Ran {
        let mut command = wheelhouse(self.home.path());
        let ran = Ran::of(
            command
                .envs(self.variables.iter().map(|(name, value)| (name, value)))
                .args(["--pack", "pack.toml", "--state-dir", "state", "connect", "check"])
                .args(words)
                .output(),
        );
        let kept = std::fs::read_dir(self.home.path().join("state")).into_iter().flatten().flatten();
        let records: Vec<_> = kept.map(|file| file.file_name()).filter(|name| name.to_string_lossy().contains(".db")).collect();
        assert!(records.is_empty(), "a record is opened: {records:?}");
        ran
    }
}

fn demo(words: &[&str]) -> Ran {
    let home = tempfile::tempdir().expect("a home");
    Ran::of(wheelhouse(home.path()).args(["--demo", "connect", "check"]).args(words).output())
}

fn of<'a>(told: &'a Json, name: &str) -> &'a Json {
    let all = told["connections"].as_array().expect("connections");
    all.iter().find(|connection| connection["name"] == name).unwrap_or_else(|| panic!("no {name}: {told}"))
}

#[test]
fn each_connection_says_what_answers_and_as_whom() {
    demo(&[]).ends(0).says(&["db ", "SQLite 3.", "account acct_1DTD", "key rk_demo", "7 connections: all is well"]);
    let told = demo(&["--json", "stripe", "site", "mail"]).ends(0).json();
    assert_eq!(told["connections"].as_array().unwrap().len(), 3);
    assert_eq!(of(&told, "stripe")["identity"]["account"], "acct_1DTD");
    assert_eq!(of(&told, "stripe")["clock_ahead_ms"], 0, "an answer's own time and the cut second are no drift");
    assert!(of(&told, "site")["latency_ms"].is_u64());
    // Its queue of undelivered events sends them again, and has to know the endpoints.
    let told = demo(&["--json", "stripe", "--writes"]).ends(0).json();
    assert_eq!(of(&told, "stripe")["identity"]["may write"], "events refunds (asked for what does not exist)", "{told}");
    assert!(!of(&told, "stripe")["identity"]["not needed"].as_str().unwrap().contains("webhook_endpoints"), "{told}");
    demo(&["stripe", "--writes", "--read-only"]).ends(3).complains(&["not with `--read-only`"]);
    demo(&["stripes"]).ends(3).complains(&["there is no connection `stripes`; there is db, stripe, site"]);
}

#[test]
fn what_fails_is_told_by_itself_and_keeps_no_other_from_being_reached() {
    let told = demo(&["--json", "--fault", "stripe=500", "--fault", "site=refuse"]).ends(2).json();
    assert!(of(&told, "stripe")["failure"].as_str().unwrap().contains("500"), "{told}");
    assert!(of(&told, "site")["failure"].as_str().unwrap().contains("Connection refused"), "{told}");
    assert_eq!(of(&told, "db")["reached"], true);
    demo(&["--fault", "site=refuse"]).ends(2).says(&["site ", "FAILED", "nobody answers", "7 connections: 1 not usable"]);
}

#[test]
fn a_missing_secret_a_wrong_mode_and_a_shut_door_are_three_things() {
    let shop = Shop::of(
        "stripe.stripe = { key_env = \"KEY\", account = \"acct_1\", livemode = true }\n\
         mail.smtp = { url_env = \"MAIL\", from = \"Shop <a@b.example>\" }\nsite.http = { url_env = \"SITE\" }",
        &[("MAIL", "smtp://127.0.0.1:9"), ("SITE", "http://127.0.0.1:9/api")],
    );
    let told = shop.check(&["--json"]).ends(2).json();
    let failure = |name: &str| of(&told, name)["failure"].as_str().unwrap_or_default().to_owned();
    assert!(failure("stripe").contains("environment variable KEY"), "{told}");
    assert!(failure("mail").contains("connecting: Connection refused"), "{told}");
    assert!(failure("site").contains("nobody answers"), "{told}");
}

#[test]
fn a_database_tells_its_role_and_what_that_may_do_too_much() {
    let Some(server) = Server::start() else { return };
    let shop = Shop::of("db.sql = { url_env = \"DB\" }", &[("DB", &server.address("app"))]);
    let told = shop.check(&["--json"]).ends(1).json();
    let db = of(&told, "db");
    assert_eq!((&db["identity"]["role"], &db["identity"]["database"]), (&Json::from("app"), &Json::from("postgres")), "{told}");
    assert_eq!(db["identity"]["tls"], "none");
    assert!(db["system"].as_str().unwrap().starts_with("PostgreSQL 1"), "{told}");
    assert!(db["warnings"][0].as_str().unwrap().contains("superuser"), "{told}");
    let role = "create role reader login password 'as-secret-as-a-test'";
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(server::run(
        Database::Postgres,
        &server.address("app"),
        role,
    ));
    let shop = Shop::of("db.sql = { url_env = \"DB\" }", &[("DB", &server.address("reader"))]);
    shop.check(&[]).ends(0).says(&["role reader", "1 connection: all is well"]);
    let wrong = server.address("reader").replace("as-secret", "no-secret");
    let shop = Shop::of("db.sql = { url_env = \"DB\" }", &[("DB", &wrong)]);
    let ran = shop.check(&[]).ends(2).says(&["FAILED", "password"]);
    assert!(!ran.out.contains("no-secret"), "{}", ran.out);
}

const ORDERS: &str = "create table orders (id text primary key, state text, cents bigint); \
    create role looks login password 'as-secret-as-a-test'; grant select on orders to looks; \
    create role acts login password 'as-secret-as-a-test'; grant select, update (state) on orders to acts";

const SHIP: &str = r#"
[checks.late]
title = "Late"
read.sql = { on = "db", text = "select count(*) as late from orders where state = 'late'" }
value = "late"
yellow = { at_least = 1 }
[actions.ship]
title = "Ship"
do.sql = { on = "db", text = "update orders set state = 'shipped' where id = :id", rows = 1 }
[actions.correct]
title = "Correct"
inputs = [ { name = "cents", title = "Cents", required = true } ]
do.sql = { on = "db", text = "update orders set cents = cast(:cents as bigint) where id = :id", rows = 1 }
"#;

#[test]
fn what_an_act_would_be_refused_is_told_before_anybody_acts() {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |text: &str| runtime.block_on(server::run(Database::Postgres, &server.address("app"), text));
    run(ORDERS);
    let shop = Shop::of(
        &format!("db.sql = {{ url_env = \"DB\", act_url_env = \"ACTS\" }}\n{SHIP}"),
        &[("DB", &server.address("looks")), ("ACTS", &server.address("acts"))],
    );
    let lacks = "db: `actions.correct` needs what the role `acts` may not: permission denied for table orders; the role needs a grant for it";
    shop.check(&[]).ends(1).says(&[lacks, "1 thing to look at"]);
    let told = shop.check(&["--json"]).ends(1).json();
    assert_eq!(of(&told, "db")["warnings"], serde_json::json!([lacks]));
    run("grant update (cents) on orders to acts; revoke select on orders from looks");
    let told = shop.check(&["--json"]).ends(1).json();
    assert_eq!(
        of(&told, "db")["warnings"],
        serde_json::json!([
            "db: `checks.late` needs what the role `looks` may not: permission denied for table orders; the role needs a grant for it"
        ])
    );
    run("grant select on orders to looks");
    shop.check(&[]).ends(0).says(&["1 connection: all is well"]);
}

/// Answers each request with its own idea of the time.
fn site_whose_clock_is(ahead: TimeDelta) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for line in listener.incoming() {
            let mut line = line.expect("a line");
            let mut asked = Vec::new();
            let mut piece = [0; 1024];
            while !asked.ends_with(b"\r\n\r\n") {
                match line.read(&mut piece) {
                    Ok(count) if count > 0 => asked.extend_from_slice(&piece[..count]),
                    Ok(_) | Err(_) => break,
                }
            }
            let now = (Utc::now() + ahead).format("%a, %d %b %Y %H:%M:%S GMT");
            // Whoever has hung up hears nothing.
            let _ = write!(line, "HTTP/1.1 200 OK\r\ndate: {now}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        }
    });
    format!("http://{address}/")
}

#[test]
fn a_clock_that_is_far_off_is_warned_of_and_one_that_agrees_is_not() {
    for (minutes, said) in [(150, Some("ahead of")), (-150, Some("behind")), (0, None)] {
        let ahead = TimeDelta::minutes(minutes);
        let shop = Shop::of("site.http = { url_env = \"SITE\" }", &[("SITE", &site_whose_clock_is(ahead))]);
        let ran = shop.check(&["--json"]);
        let told = ran.json();
        let warnings = of(&told, "site")["warnings"].as_array().unwrap().iter().map(|said| said.as_str().unwrap().to_owned());
        let clocks: Vec<String> = warnings.filter(|said| said.contains("its clock is")).collect();
        match said {
            None => assert_eq!(clocks, [] as [&str; 0]),
            Some(said) => {
                assert!(clocks.len() == 1 && clocks[0].contains(said) && clocks[0].starts_with("its clock is 2h"), "{told}");
                assert_eq!(told["status"], 1, "{told}");
            }
        }
    }
}
