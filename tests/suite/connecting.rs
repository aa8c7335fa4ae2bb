//! `wheelhouse connect check`: what answers, as whom, and what is to be done, with nothing written anywhere.

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
