//! A ledger of documents, page after page, paired with one of SQL: every row in its class, wherever a page ends.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use super::{LossyLine, Server, words};
use crate::{
    cli::{Ran, wheelhouse},
    probe,
};

const PACK: &str = r#"
[pack]
title = "Books in documents"
timezone = "Australia/Brisbane"
currency = "AUD"

[connections]
docs.firestore = { project = "board", timeout = "20s" }
db.sql = { url_env = "BANK_URL" }

[ledgers.bank]
title = "bank"
read.sql = { on = "db", text = "select id, cents, refunded, state, booked_at from bank where booked_at >= :from and booked_at < :to", money = ["cents", "refunded"] }
columns = { key = "id", amount = "cents", refunded = "refunded", at = "booked_at", status = "state", settled = ["booked"] }

[ledgers.payments]
title = "documents"
read.firestore = { on = "docs", collection = "payments", where = [ { field = "paid.at", at_least = ":from" }, { field = "paid.at", below = ":to" } ], columns = { bank = "bankLine", cents = "paid.cents", refunded = "paid.refunded", state = "state", paid_at = "paid.at" }, money = ["cents", "refunded"] }
columns = { key = "id", link = "bank", amount = "cents", refunded = "refunded", at = "paid_at", status = "state", settled = ["booked"] }

[reconciliations.payments]
title = "Payments, 30 days"
theirs = "bank"
ours = "payments"
window = "30d"
"#;

/// Payments: more than two pages of 500.
const PAYMENTS: i64 = 1_203;

fn cents(number: i64) -> i64 {
    1_000 + number
}

/// Ten minutes apart, the first the youngest.
fn paid_at(now: DateTime<Utc>, number: i64) -> DateTime<Utc> {
    now - TimeDelta::hours(2) - TimeDelta::minutes(10 * number)
}

fn document(bank: Option<String>, cents: i64, at: DateTime<Utc>) -> Json {
    let integer = |number: i64| json!({ "integerValue": number.to_string() });
    let paid = json!({ "cents": integer(cents), "refunded": integer(0), "at": { "timestampValue": at.to_rfc3339() } });
    let mut fields = json!({ "state": words("booked"), "paid": { "mapValue": { "fields": paid } } });
    if let Some(bank) = bank {
        fields["bankLine"] = words(&bank);
    }
    fields
}

/// Each kind of difference stands at the edge of a page.
fn documents(now: DateTime<Utc>) -> Vec<(String, Json)> {
    let payment = |number: i64| document(Some(format!("b{number:04}")), cents(number), paid_at(now, number));
    let mut all: Vec<_> = (1..=PAYMENTS)
        .filter(|number| *number != 1001)
        .map(|number| (format!("payments/p{number:04}"), payment(number)))
        .collect();
    all.push(("payments/p1203-again".to_owned(), payment(1203)));
    all.push(("payments/young".to_owned(), document(None, 700, now - TimeDelta::minutes(5))));
    all.push(("payments/long-ago".to_owned(), document(None, 900, now - TimeDelta::days(40))));
    all
}

fn bank(now: DateTime<Utc>) -> String {
    let mut script = "create table bank (id text primary key, cents integer not null, refunded integer not null, state text not null, booked_at timestamp not null);\n".to_owned();
    for number in (1..=PAYMENTS).filter(|number| *number != 1) {
        let more = if number == 500 { 50 } else { 0 };
        let refunded = if number == 1000 { 300 } else { 0 };
        let state = if number == 501 { "returned" } else { "booked" };
        let (cents, at) = (cents(number) + more, paid_at(now, number).format("%Y-%m-%d %H:%M:%S"));
        writeln!(script, "insert into bank values ('b{number:04}', {cents}, {refunded}, '{state}', '{at}');").unwrap();
    }
    script
}

#[test]
fn documents_of_several_pages_pair_with_rows_of_sql_and_every_row_has_its_class() {
    let Some(server) = Server::start() else { return };
    let line = LossyLine::never_loses(&server);
    let now = Utc::now();
    server.put_all(&documents(now));
    let home = tempfile::tempdir().expect("a home");
    let file = home.path().join("bank.db");
    probe::create(&file, &["begin", &bank(now), "commit"]);
    std::fs::write(home.path().join("books.toml"), PACK).expect("a pack");
    let mut command = wheelhouse(home.path());
    command.env("FIRESTORE_EMULATOR_HOST", &line.address).env("BANK_URL", format!("sqlite://{}", file.display()));
    command.args(["--pack", "books.toml", "--state-dir", "state", "reconcile", "payments", "--json"]);
    let ran = Ran::of(command.output());
    let statement = &serde_json::from_str::<Json>(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.errors))
        [0]["statement"];
    let mut told: Vec<(String, Json)> = statement["discrepancies"]
        .as_array()
        .unwrap_or_else(|| panic!("{statement}"))
        .iter()
        .map(|one| (one["key"].as_str().unwrap_or_default().to_owned(), one["difference"][0]["minor"].clone()))
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("amount:b0500:p0500", 50),
        ("duplicate:-:p1203-again", -cents(1203)),
        ("in_flight:-:young", -700),
        ("missing_here:b1001:-", cents(1001)),
        ("missing_there:-:p0001", -cents(1)),
        ("refund_drift:b1000:p1000", -300),
        ("status:b0501:p0501", -cents(501)),
    ];
    assert_eq!(told, expected.map(|(key, minor)| (key.to_owned(), json!(minor))));
    // What is left are the pairs that agree: all payments but the five above that differ or stand alone.
    assert_eq!(statement["matched"], json!(PAYMENTS - 5), "{}", statement["totals"]);
    assert!(line.looks() >= 3, "in {} pages", line.looks());
}
