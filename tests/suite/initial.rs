//! `wheelhouse init`: a first pack that opens on the business it was made for.

use std::path::Path;

use chrono::Utc;
use serde_json::Value as Json;
use wheelhouse::adapters::{Database, install_tls};

use crate::{
    claims::server::{self, Server},
    cli::{Ran, wheelhouse},
    postgres::stand,
    probe,
    pty::Terminal,
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

/// SQLite has no moments: whatever the table keeps in their place, the new pack's statements compare it rightly.
#[test]
fn a_first_pack_compares_moments_in_whatever_form_the_table_keeps_them() {
    for (kept, written) in [
        ("strftime('%Y-%m-%dT%H:%M:%SZ', PAID)", "datetime(paid_at)"),
        ("unixepoch(PAID)", "datetime(paid_at, 'unixepoch')"),
        ("unixepoch(PAID) * 1000", "datetime(paid_at / 1000, 'unixepoch')"),
        ("julianday(PAID)", "datetime(paid_at)"),
        ("datetime(PAID)", "paid_at"),
    ] {
        let home = tempfile::tempdir().expect("a home");
        let paid = |when: &str| kept.replace("PAID", &format!("'now', '{when}'"));
        let table = format!(
            "create table payments (id text primary key, stripe_charge_id text, amount_cents integer, paid_at timestamp);
            insert into payments values ('p1', 'ch_1', 2200, {}), ('p2', 'ch_2', 2200, {}), ('p3', 'ch_3', 700, {})",
            paid("-2 hours"),
            paid("-2 days"),
            paid("-40 days")
        );
        probe::create(&home.path().join("shop.db"), &[&table]);
        let database = format!("sqlite://{}", home.path().join("shop.db").display());
        init(home.path(), Some(&database), &["--title", "Tea & Kettle", "--currency", "eur", "shop.toml"], "").ends(0);
        let pack = std::fs::read_to_string(home.path().join("shop.toml")).expect("a pack");
        for said in [
            format!("select max({written}) as latest from payments"),
            format!("from payments where {written} > :month_ago"),
            format!("{written} as paid_at from payments\nwhere {written} >= :from and {written} < :to and"),
        ] {
            assert!(pack.contains(&said), "{said}: {pack}");
        }
        let alone = ["--title", "Tea & Kettle", "--currency", "eur", "--stripe-env", "-", "alone.toml"];
        init(home.path(), Some(&database), &alone, "").ends(0);
        let mut command = wheelhouse(home.path());
        command.env("TEA_KETTLE_DATABASE_URL", &database).args(["--pack", "alone.toml", "--state-dir", "state"]);
        let screen = Ran::of(command.args(["snapshot", "--screen", "metrics"]).output()).ends(0).out;
        assert!(screen.contains("44.00") && !screen.contains("51.00"), "{kept}: {screen}");
    }
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
    let pack = std::fs::read_to_string(home.path().join("shop.toml")).expect("a pack");
    let undelivered = pack.lines().find(|line| line.contains("delivery_success")).expect("a look at events");
    assert!(!undelivered.contains("window ="), "it would heal when Stripe gives up: {undelivered}");
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

/// The stand-in's Stripe of the demo's business.
struct Account {
    base: String,
    key: String,
}

impl Account {
    fn of(environment: &[(String, String)]) -> Self {
        let value = |wanted: &str| environment.iter().find(|(name, _)| name == wanted).expect("a variable").1.clone();
        Self { base: value("DTD_STRIPE_URL"), key: value("DTD_STRIPE_KEY") }
    }

    /// The charges of the last eight days that succeeded.
    async fn charges(&self) -> Vec<Json> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let since = Utc::now().timestamp() - 8 * 24 * 3600;
        let mut charges: Vec<Json> = Vec::new();
        loop {
            let after = charges.last().map(|last| format!("&starting_after={}", last["id"].as_str().unwrap()));
            let url = format!("{}v1/charges?limit=100&created[gte]={since}{}", self.base, after.unwrap_or_default());
            let page: Json = client.get(url).bearer_auth(&self.key).send().await.unwrap().json().await.unwrap();
            charges.extend(page["data"].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
            if page["has_more"] != true {
                charges.retain(|charge| charge["status"] == "succeeded");
                return charges;
            }
        }
    }

    async fn refund(&self, charge: &str) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}v1/refunds", self.base)).bearer_auth(&self.key);
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body(format!("charge={charge}&amount=100"));
        assert!(request.send().await.unwrap().status().is_success());
    }
}

/// Three ways to keep the same payments: by charge, by payment intent under a name that does not say so, and with what was
/// given back.
const KEPT: &str = "
    create schema by_charge; create schema by_intent; create schema with_refunds;
    create table by_charge.payments (id int, stripe_charge_id text, amount_cents bigint, paid_at timestamptz);
    create table by_intent.payments (id int, stripe_id text, amount_cents bigint, paid_at timestamptz);
    create table with_refunds.payments (id int, charge_id text, amount_cents bigint, amount_refunded bigint, paid_at timestamptz);
    create table charges (charges jsonb);";
const FILL: &str = "
    insert into by_charge.payments select row_number() over (), c ->> 'id', (c ->> 'amount')::bigint, to_timestamp((c ->> 'created')::bigint)
        from charges, jsonb_array_elements(charges) c;
    insert into by_intent.payments select row_number() over (), c ->> 'payment_intent', (c ->> 'amount')::bigint, to_timestamp((c ->> 'created')::bigint)
        from charges, jsonb_array_elements(charges) c;
    insert into with_refunds.payments select row_number() over (), c ->> 'id', (c ->> 'amount')::bigint, nullif((c ->> 'amount_refunded')::bigint, 0),
        to_timestamp((c ->> 'created')::bigint) from charges, jsonb_array_elements(charges) c;";

#[test]
fn a_first_pack_reconciles_a_business_that_is_all_right_and_finds_nothing() {
    let Some(database) = Server::start() else { return };
    install_tls();
    let home = tempfile::tempdir().expect("a home");
    let (_open, _, environment) = stand(home.path().join("town"));
    let account = Account::of(&environment);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = database.address("app");
    let count = runtime.block_on(async {
        let charges = account.charges().await;
        account.refund(charges.iter().find(|charge| charge["amount_refunded"] == 0).unwrap()["id"].as_str().unwrap()).await;
        let charges = account.charges().await;
        assert!(charges.iter().any(|charge| charge["amount_refunded"] == 100));
        server::run(Database::Postgres, &address, KEPT).await;
        server::insert(&address, "insert into charges select $1::jsonb", &Json::Array(charges.clone()).to_string()).await;
        server::run(Database::Postgres, &address, FILL).await;
        charges.len()
    });
    assert!(count > 3, "{count} charges");
    for (table, list) in [("by_charge", "charges"), ("by_intent", "payment_intents"), ("with_refunds", "charges")] {
        let file = format!("{table}.toml");
        let payments = format!("{table}.payments");
        let told =
            ["--title", "Tea & Kettle", "--currency", "AUD", "--account", "acct_1DTD", "--live", "--payments", &payments, &file];
        init(home.path(), Some(&address), &told, "").ends(0);
        let pack = std::fs::read_to_string(home.path().join(&file)).expect("a pack");
        assert!(pack.contains(&format!("list = \"{list}\"")), "{pack}");
        assert_eq!(pack.contains("amount_refunded\", currency"), table == "with_refunds", "{pack}");
        let reached = "key_env = \"TEA_KETTLE_STRIPE_KEY\",";
        let pack = pack.replace(reached, &format!("{reached} url_env = \"TEA_KETTLE_STRIPE_URL\","));
        std::fs::write(home.path().join(&file), pack).unwrap();
        let run = |words: &str| {
            let mut command = wheelhouse(home.path());
            command.env("TEA_KETTLE_DATABASE_URL", &address).env("TEA_KETTLE_STRIPE_URL", &account.base);
            command.env("TEA_KETTLE_STRIPE_KEY", &account.key).args(["--pack", &file, "--state-dir", "state"]);
            Ran::of(command.args(words.split(' ')).output())
        };
        let found: Json = serde_json::from_str(&run("reconcile --json").ends(0).out).unwrap();
        let statement = &found[0]["statement"];
        assert_eq!(statement["discrepancies"], serde_json::json!([]), "{table}");
        assert!(statement["matched"].as_u64().is_some_and(|matched| matched > 3), "{table}: {statement}");
        let checked = run("check --all");
        let line =
            checked.out.lines().find(|line| line.contains("Payments, 7 days")).unwrap_or_else(|| panic!("{}", checked.out));
        assert!(line.contains("GREEN"), "{line}");
    }
}

#[test]
fn ids_that_are_neither_charges_nor_payment_intents_pair_nothing_and_that_is_said() {
    let home = tempfile::tempdir().expect("a home");
    probe::create(&home.path().join("shop.db"), &[&SCHEMA.replace("'ch_", "'cs_test_")]);
    let database = format!("sqlite://{}", home.path().join("shop.db").display());
    init(home.path(), Some(&database), &["--title", "Tea & Kettle", "shop.toml"], "")
        .ends(0)
        .complains(&["stripe_charge_id of payments has ids such as `cs_test_1`", "nothing is reconciled by it"]);
    let pack = std::fs::read_to_string(home.path().join("shop.toml")).expect("a pack");
    assert!(!pack.contains("[reconciliations"), "{pack}");
}

#[test]
fn somebody_at_a_terminal_is_asked_and_may_take_what_is_suggested() {
    let home = tempfile::tempdir().expect("a home");
    probe::create(&home.path().join("shop.db"), &[SCHEMA]);
    let database = format!("sqlite://{}", home.path().join("shop.db").display());
    let environment = [("TEA_KETTLE_DATABASE_URL".to_owned(), database), ("TZ".to_owned(), "Europe/Vienna".to_owned())];
    let mut terminal = Terminal::start_with(&["init"], &environment, home.path(), 120, 40);
    for (question, answer) in [
        ("Name of the business: ", "text:Tea & Kettle,Enter"),
        ("Time zone [Europe/Vienna]: ", "text:Vienna,Enter"),
        ("`Vienna` is no zone, such as Europe/Vienna", "Enter"),
        ("Currency [USD]: ", "text:eur,Enter"),
        ("the database's address (- none) [TEA_KETTLE_DATABASE_URL]: ", "Enter"),
        ("Stripe's key (- no Stripe) [TEA_KETTLE_STRIPE_KEY]: ", "Enter"),
        ("Table with a row for each payment (- none) [payments]: ", "Enter"),
        ("Its column with the amount, in cents [amount_cents]: ", "text:cents,Enter"),
        ("payments has no column `cents`; it has id, stripe_charge_id, amount_cents, paid_at", "Enter"),
        ("Its column with the moment of the payment [paid_at]: ", "Enter"),
        ("Its column with Stripe's id of the charge or payment intent (- none) [stripe_charge_id]: ", "Enter"),
        ("Its column with what was given back, in cents (- none): ", "Enter"),
    ] {
        terminal.until_now(question, |frame| frame.contains(question.trim_end()));
        terminal.keys(answer);
    }
    assert!(terminal.ended().success(), "{}", terminal.text());
    let screen = terminal.text();
    assert!(screen.contains("tea-kettle.toml is written: 2 checks"), "{screen}");
    let pack = std::fs::read_to_string(home.path().join("tea-kettle.toml")).expect("a pack");
    for said in ["timezone = \"Europe/Vienna\"", "currency = \"EUR\"", "select stripe_charge_id as id, amount_cents as amount"] {
        assert!(pack.contains(said), "{said}: {pack}");
    }
    Ran::of(wheelhouse(home.path()).args(["pack", "check", "tea-kettle.toml"]).output()).ends(0);
}
