//! A business whose whole record is in Firestore (`tests/packs/board`): the program itself on the partner, without a word of
//! Rust about that business.

mod claims;
mod ledgers;
mod screen;
pub mod server;

use std::{path::Path, process::Stdio, time::Instant};

use serde_json::json;
use tempfile::TempDir;

use self::server::{LossyLine, Server, words};
use crate::{
    cli::{Ran, wheelhouse},
    pty::PATIENCE,
};

/// A cockpit of the board's, at a server or at a line to it.
struct Cockpit {
    home: TempDir,
    address: String,
}

impl Cockpit {
    fn at(address: &str) -> Self {
        let home = tempfile::tempdir().expect("a home");
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs/board/pack.toml");
        std::fs::copy(pack, home.path().join("board.toml")).expect("a pack");
        std::fs::write(home.path().join("config.toml"), "[confirm]\nhold_at_most = \"0s\"\n").expect("a configuration");
        Self { home, address: address.to_owned() }
    }

    /// A pack without marks.
    fn without_marks(self) -> Self {
        let pack = self.home.path().join("board.toml");
        let text = std::fs::read_to_string(&pack).expect("a pack");
        assert!(text.contains("marks = \"operator_actions\", "));
        std::fs::write(&pack, text.replace("marks = \"operator_actions\", ", "")).expect("a pack");
        self
    }

    fn environment(&self) -> Vec<(String, String)> {
        [("BOARD_PROJECT", "board"), ("FIRESTORE_EMULATOR_HOST", &self.address)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn arguments() -> [&'static str; 6] {
        ["--pack", "board.toml", "--state-dir", "state", "--config", "config.toml"]
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = wheelhouse(self.home.path());
        Ran::of(command.envs(self.environment()).args(Self::arguments()).args(arguments).output())
    }
}

#[test]
fn a_business_on_documents_alone_is_looked_at_and_judged() {
    let Some(server) = Server::with_board() else { return };
    let cockpit = Cockpit::at(&server.address);
    cockpit.run(&["check", "--all"]).ends(1).says(&[
        "YELLOW   Jobs without a change for a week",
        "2 jobs",
        "A$900.00 held",
        "GREEN    System status",
        "All is well.",
        "GREEN    Payments without their log line, 24 h",
    ]);
    let address = server.address.clone();
    cockpit.run(&["connect", "check"]).ends(1).says(&[
        "docs  firestore  warning",
        "Firestore emulator",
        "project board",
        "database (default)",
        &format!("emulator {address}"),
        "FIRESTORE_EMULATOR_HOST is set",
    ]);
    // A field that is not there is unknown, and never green.
    server.put("system_status/global", &json!({ "message": words("status is missing") }));
    cockpit.run(&["check"]).ends(1).says(&["UNKNOWN  System status", "`status` is empty", "1 unknown, 1 green"]);
    server.put("system_status/global", &json!({ "status": { "nullValue": null } }));
    cockpit.run(&["check"]).ends(1).says(&["UNKNOWN  System status", "1 unknown, 1 green"]);
    server.change("system_status/global", "status", &words("maintenance"));
    cockpit.run(&["check"]).ends(2).says(&["RED      System status"]);
    let gone = Cockpit::at("127.0.0.1:9");
    gone.run(&["check"]).ends(3).says(&["UNKNOWN  System status", "nobody answers"]);
    let mut without = wheelhouse(cockpit.home.path());
    let without = Ran::of(without.env("BOARD_PROJECT", "board").args(Cockpit::arguments()).args(["connect", "check"]).output());
    without.ends(2).says(&["environment variable BOARD_CREDENTIALS is not set"]);
    // This machine's own credentials, of which there are none.
    let pack = cockpit.home.path().join("board.toml");
    let text = std::fs::read_to_string(&pack).expect("a pack");
    std::fs::write(&pack, text.replace("credentials_env = \"BOARD_CREDENTIALS\", ", "")).expect("a pack");
    let mut none = wheelhouse(cockpit.home.path());
    none.envs([("BOARD_PROJECT", "board"), ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")]).args(Cockpit::arguments());
    let none = Ran::of(none.args(["connect", "check"]).output()).ends(2);
    none.says(&["GOOGLE_APPLICATION_CREDENTIALS names /nowhere/key.json: No such file"]);
}

#[test]
fn documents_are_acted_upon_once_and_taken_back() {
    let Some(server) = Server::with_board() else { return };
    let cockpit = Cockpit::at(&server.address);
    cockpit.run(&["do", "reopen", "j1", "--dry-run"]).ends(0).says(&[
        "[ok] paid for or begun",
        "jobs/j1: reopened.at = the moment of writing",
        "status = \"open\"",
        "without installerId",
        "nothing has been sent",
    ]);
    assert_eq!(server.text("jobs/j1", "status"), "funded");
    cockpit.run(&["do", "reopen", "j1"]).ends(0).says(&["done       Reopen  j1  Gutter in Ferny Grove", "jobs/j1 written"]);
    assert_eq!(server.text("jobs/j1", "status"), "open");
    assert_eq!(server.text("jobs/j1", "reopened.by"), "op");
    assert_eq!(
        (server.text("jobs/j1", "installerId"), server.text("jobs/j1", "title")),
        (String::new(), "Gutter in Ferny Grove".to_owned())
    );
    assert_eq!(server.marks(), 1);
    cockpit.run(&["do", "reopen", "j1"]).ends(1).says(&["refused", "paid for or begun"]);
    cockpit.run(&["do", "close_again", "j1"]).ends(0).says(&["done       Not reopened after all"]);
    assert_eq!(
        (server.text("jobs/j1", "status"), server.text("jobs/j1", "installerId")),
        ("funded".to_owned(), "inst_7".to_owned())
    );
    assert!(server.held("jobs/j1").get("reopened").is_none());

    // Two documents in one act; the second is new.
    cockpit
        .run(&["do", "ban", "j3", "-i", "reason=spam", "--dry-run"])
        .ends(0)
        .says(&["1. ban Kim Spam: spam", "2. a line in bans"]);
    cockpit.run(&["do", "ban", "j3", "-i", "reason=spam"]).ends(0).says(&["done       Ban its owner"]);
    assert_eq!(
        (server.text("users/u1", "isBanned"), server.text("users/u1", "ban.reason")),
        ("true".to_owned(), "spam (job j3)".to_owned())
    );
    assert_eq!((server.count("bans"), server.marks()), (1, 4));
    cockpit.run(&["do", "ban", "j3", "-i", "reason=spam"]).ends(1).says(&["not banned yet"]);
    cockpit.run(&["do", "unban", "j3"]).ends(0);
    assert_eq!(
        (server.text("users/u1", "isBanned"), server.text("users/u1", "name")),
        ("false".to_owned(), "Kim Spam".to_owned())
    );

    // A flag that is a truth, with its reason; written, and read back.
    let flip = ["do", "flag.enable_payments", "enable_payments", "-i", "value=false", "-i", "reason=card fraud"];
    cockpit.run(&flip).ends(3).complains(&["--confirm 'enable_payments'"]);
    cockpit.run(&[&flip[..], &["--confirm", "enable_payments"]].concat()).ends(0);
    assert_eq!(server.held("feature_flags/ENABLE_PAYMENTS")["enabled"], json!({ "booleanValue": false }));
    assert_eq!(server.text("feature_flags/ENABLE_PAYMENTS", "label"), "a", "the rest of the document stays");
    cockpit.run(&["journal", "verify"]).ends(0);
}

#[test]
fn an_answer_that_is_lost_is_looked_for_and_the_act_happens_once() {
    let Some(server) = Server::with_board() else { return };
    let line = LossyLine::to(&server, 1);
    let cockpit = Cockpit::at(&line.address);
    cockpit.run(&["do", "reopen", "j1", "--wait", "0s"]).ends(2).says(&["unknown    Reopen  j1"]);
    assert_eq!(server.text("jobs/j1", "status"), "open", "it happened, and nobody here knows");
    cockpit.run(&["journal", "recover"]).ends(0).says(&["done", "jobs/j1 written"]);
    assert_eq!((line.commits(), server.marks(), server.text("jobs/j1", "status").as_str()), (1, 1, "open"));

    // Without marks the document alone tells: it holds what was to be written, and nobody says by whom.
    let line = LossyLine::to(&server, 1);
    let cockpit = Cockpit::at(&line.address).without_marks();
    cockpit
        .run(&["do", "reopen", "j2", "--dry-run"])
        .ends(0)
        .says(&["not claimed in the database: another operator could act at the same time"]);
    cockpit.run(&["do", "reopen", "j2", "--wait", "0s"]).ends(2);
    cockpit.run(&["journal", "recover"]).ends(2).says(&["nothing says by whom"]);
    assert_eq!((line.commits(), server.text("jobs/j2", "status").as_str()), (1, "open"));
}

#[test]
fn killed_while_the_answer_was_on_its_way_it_is_found_again() {
    let Some(server) = Server::with_board() else { return };
    let line = LossyLine::always_loses(&server);
    let cockpit = Cockpit::at(&line.address);
    let mut program = std::process::Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"))
        .env_clear()
        .envs([("HOME", cockpit.home.path()), ("TMPDIR", cockpit.home.path())])
        .envs([("USER", "op"), ("PATH", "/usr/bin:/bin")])
        .envs(cockpit.environment())
        .current_dir(cockpit.home.path())
        .args(Cockpit::arguments())
        .args(["do", "start", "j4"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let end = Instant::now() + PATIENCE;
    while line.commits() == 0 {
        assert!(Instant::now() < end && program.try_wait().expect("a status").is_none(), "it never wrote");
        std::thread::yield_now();
    }
    program.kill().expect("it is killed");
    program.wait().expect("it ends");
    assert_eq!(server.text("jobs/j4", "status"), "in_progress");
    let again = LossyLine::never_loses(&server);
    let cockpit = Cockpit { address: again.address.clone(), ..cockpit };
    cockpit.run(&["journal", "recover"]).ends(0).says(&["done", "jobs/j4 written", "this act's mark"]);
    assert_eq!((again.commits(), server.marks()), (0, 1), "found, not sent again");
    let claims: Vec<_> = server.all("operator_actions").into_iter().filter(|claim| claim["epoch"].is_object()).collect();
    let outcomes: Vec<&serde_json::Value> = claims.iter().map(|claim| &claim["outcome"]).collect();
    assert_eq!(outcomes, [&words("done")], "its claim is given back with what became of it");
    cockpit.run(&["journal", "verify"]).ends(0);
}
