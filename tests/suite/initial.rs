//! `wheelhouse init`: a first pack that opens on the business it was made for.

use std::path::Path;

use crate::{
    cli::{Ran, wheelhouse},
    probe,
};

const SCHEMA: &str = "create table users (id text primary key, email text, created_at timestamp);\n\
    create table payments (id text primary key, stripe_charge_id text, amount_cents integer, paid_at timestamp);\n\
    insert into payments values ('p1', 'ch_1', 2200, datetime('now', '-2 hours')), ('p2', 'ch_2', 2200, datetime('now', '-2 days'));";

fn init(home: &Path, database: Option<&str>, words: &[&str], typed: &str) -> Ran {
    let mut command = wheelhouse(home);
    command.args(["init"]).args(words).write_stdin(typed);
    if let Some(database) = database {
        command.env("TEA_KETTLE_DATABASE_URL", database);
    }
    Ran::of(command.output())
}

#[test]
fn what_can_be_found_out_is_suggested_and_the_pack_looks_at_the_business() {
    let home = tempfile::tempdir().expect("a home");
    probe::create(&home.path().join("shop.db"), &[SCHEMA]);
    let database = format!("sqlite://{}", home.path().join("shop.db").display());
    let told = ["--title", "Tea & Kettle", "--timezone", "Europe/Vienna", "--currency", "eur", "--stripe-env", "-"];
    init(home.path(), Some(&database), &told, "").ends(0).says(&["tea-kettle.toml is written: 1 check", "connect check"]);
    let pack = std::fs::read_to_string(home.path().join("tea-kettle.toml")).expect("a pack");
    assert!(pack.contains("select max(paid_at) as latest from payments") && pack.contains("sum(amount_cents)"), "{pack}");
    let mut command = wheelhouse(home.path());
    command.env("TEA_KETTLE_DATABASE_URL", &database);
    let checked = command.args(["--pack", "tea-kettle.toml", "--state-dir", "state", "check", "--all"]).output();
    let checked = Ran::of(checked).ends(0).says(&["GREEN", "Time since the latest payment", "2"]);
    assert_eq!(checked.errors, "", "every statement fits");
    // What is there is never written over.
    init(home.path(), Some(&database), &told, "").ends(3).complains(&["tea-kettle.toml is there already"]);
}

#[test]
fn a_pack_with_stripe_reconciles_and_what_is_wrong_is_said_before_anything_is_written() {
    let home = tempfile::tempdir().expect("a home");
    probe::create(&home.path().join("shop.db"), &[SCHEMA]);
    let database = format!("sqlite://{}", home.path().join("shop.db").display());
    let told = ["--title", "Tea & Kettle", "--account", "acct_1", "--live", "shop.toml"];
    init(home.path(), Some(&database), &told, "")
        .ends(0)
        .complains(&["the environment variable TEA_KETTLE_STRIPE_KEY", "nothing is suggested from it"])
        .says(&["export TEA_KETTLE_STRIPE_KEY=..."]);
    let ran = wheelhouse(home.path()).args(["pack", "check", "shop.toml"]).output();
    Ran::of(ran).ends(0).says(&["Tea & Kettle is right", "2 connections, 2 checks", "1 reconciliation"]);
    let wrong = |words: &[&str]| init(home.path(), Some(&database), words, "").ends(3);
    wrong(&[]).complains(&["a pack needs a name: --title"]);
    wrong(&["--title", "x", "--timezone", "Vienna"]).complains(&["`Vienna` is no zone, such as Europe/Vienna"]);
    wrong(&["--title", "Tea & Kettle", "--amount", "sum", "b.toml"]).complains(&["payments has no column `sum`; it has id, "]);
    wrong(&["--title", "Tea & Kettle", "--payments", "pay ments", "--amount", "a", "--paid-at", "b", "c.toml"])
        .complains(&["`pay ments` cannot stand in a statement"]);
    assert!(!home.path().join("b.toml").exists() && !home.path().join("c.toml").exists());
}
