//! The program itself over a hostile business: standard output, standard error, the log, the record and its exports.

use std::{fs, path::Path, process::Output};

use assert_cmd::Command;
use tempfile::TempDir;

use super::{oracle, strings::hostile};
use crate::probe;

const PACK: &str = r#"
[pack]
title = "Hostile"
timezone = "UTC"
currency = "AUD"

[connections]
db.sql = { url_env = "HOSTILE_DATABASE_URL", marks = "operator_actions" }

[queues.rows]
title = "Rows"
read.sql = { on = "db", text = "select id, name, state from things where state = 'open'" }
id = "id"
minutes_each = 1
actions = ["close"]
columns = [{ column = "id", title = "Id", as = "id" }, { column = "name", title = "Name" }]

[checks.worst]
title = "Worst"
read.sql = { on = "db", text = "select count(*) as n, max(name) as name from things" }
value = "n"
red = { at_least = 1 }
detail = "{{ name }}"

[checks.broken]
title = "Broken"
read.sql = { on = "db", text = "select json_extract(name, name) as n from things" }
value = "n"
red = { at_least = 1 }

[ledgers.one]
title = "one"
read.sql = { on = "db", text = "select id, 100 as amount, 'AUD' as currency, :now as at, 'ok' as status from things", money = ["amount"] }
columns = { key = "id", amount = "amount", currency = "currency", at = "at", status = "status", settled = ["ok"] }

[ledgers.other]
title = "other"
read.sql = { on = "db", text = "select name || 'x' as id, 200 as amount, 'AUD' as currency, :now as at, 'ok' as status from things", money = ["amount"] }
columns = { key = "id", amount = "amount", currency = "currency", at = "at", status = "status", settled = ["ok"] }

[reconciliations.both]
title = "Both"
theirs = "one"
ours = "other"
window = "7d"

[actions.close]
title = "Close"
do = [{ sql = { on = "db", text = "update things set state = 'closed' where id = :id and state = 'open'", rows = 1 }, says = "close {{ name }}" }]
label = "{{ name }}"
confirm = "key"
"#;

fn run(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("USER", "op").env("WHEELHOUSE_LOG", "trace");
    command.env("HOSTILE_DATABASE_URL", format!("sqlite://{}", home.join("things.db").display()));
    command.current_dir(home).args(["--pack", "hostile.toml", "--state-dir", "state"]).args(words);
    command.output().unwrap()
}

fn literal(text: &str) -> String {
    format!("cast(x'{}' as text)", hex::encode(text))
}

#[test]
fn nothing_that_the_program_writes_deceives() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("hostile.toml"), PACK).unwrap();
    fs::create_dir(home.path().join("state")).unwrap();
    let words: Vec<String> =
        (0..120).map(hostile).filter(|text| !text.is_empty() && text.len() < 2_000 && !text.contains('\0')).collect();
    let rows: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(at, text)| format!("({}, {}, 'open')", literal(&format!("{at}{text}")), literal(text)))
        .collect();
    let schema = "create table things (id text primary key, name text not null, state text not null)";
    let marks = wheelhouse::adapters::marks_table(wheelhouse::adapters::Database::Sqlite, "operator_actions");
    let fill = format!("insert into things values {}", rows.join(", "));
    probe::create(&home.path().join("things.db"), &[schema, &marks, &fill]);

    let (first, second) = (format!("0{}", words[0]), format!("1{}", words[1]));
    let mut offences = Vec::new();
    let mut printed = 0;
    for (words, is_csv) in [
        (vec!["check", "--all"], false),
        (vec!["check", "--all", "--json"], false),
        (vec!["reconcile"], false),
        (vec!["reconcile", "--json"], false),
        (vec!["reconcile", "--csv"], true),
        (vec!["do", "close", &first, "--dry-run"], false),
        (vec!["do", "close", &first, "--dry-run", "--json"], false),
        (vec!["do", "close", &first], false),
        (vec!["do", "close", &second, "--json"], false),
        (vec!["do", "close", "no\u{1b}[2Jsuch\u{202e}row"], false),
        (vec!["do", "no\u{1b}[2Jsuch\u{202e}act", "x"], false),
        (vec!["reconcile", "no\u{1b}[2Jsuch\u{202e}one"], false),
        (vec!["snapshot", "--screen", "rows"], false),
        (vec!["snapshot", "--screen", "no\u{1b}[2Jsuch\u{202e}screen"], false),
        (vec!["journal", "export"], false),
        (vec!["journal", "export", "--format", "csv"], true),
        (vec!["journal", "verify"], false),
        (vec!["journal", "recover"], false),
    ] {
        let output = run(home.path(), &words);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        printed += usize::from(!out.is_empty() || !errors.is_empty());
        let mut seen = vec![oracle::offence(&out), oracle::offence(&errors)];
        if is_csv {
            let mut reader = csv::ReaderBuilder::new().from_reader(out.as_bytes());
            seen.extend(
                reader.records().flat_map(|record| record.unwrap().iter().map(oracle::offence_in_cell).collect::<Vec<_>>()),
            );
        }
        offences.extend(seen.into_iter().flatten().map(|offence| format!("{words:?}: {offence}")));
    }
    assert_eq!(printed, 18, "each of them says something");
    let log: String = fs::read_dir(home.path().join("state"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "log"))
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect();
    assert!(log.contains("a look failed"), "the log at its most talkative holds the failed look: {}", log.len());
    offences.extend(oracle::offence(&log).map(|offence| format!("log: {offence}")));
    super::none(offences);
}
