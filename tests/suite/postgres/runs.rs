//! Whole runs of the program, one after the other and at the same time, against a server and through a pooler that has
//! one line to it: what one run leaves behind, the next one meets.

use std::{path::Path, process::Command};

use serde_json::Value as Json;

use super::{Business, Way};

struct Ran {
    out: String,
    errors: String,
    status: Option<i32>,
}

fn command(business: &Business, home: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.env_clear().env("HOME", home).env("TMPDIR", home).env("PATH", "/usr/bin:/bin").env("USER", "op").current_dir(home);
    command.envs(business.environment.iter().map(|(name, value)| (name, value)));
    command.args(["--pack", "cockpit/pack.toml", "--state-dir", "town"]).args(words.split(' '));
    command
}

fn run(business: &Business, home: &Path, words: &str) -> Ran {
    let output = command(business, home, words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { out: text(&output.stdout), errors: text(&output.stderr), status: output.status.code() }
}

fn ended(business: &Business, home: &Path, words: &str, status: i32) -> Ran {
    let ran = run(business, home, words);
    assert_eq!(ran.status, Some(status), "{words}: {}\n{}", ran.out, ran.errors);
    ran
}

/// Name and severity of every alert, by name; none that could not be looked at.
fn severities(out: &str) -> Vec<(String, String)> {
    let json: Json = serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {out}"));
    let text = |alert: &Json, name: &str| alert[name].as_str().unwrap_or_default().to_owned();
    let alerts = json["alerts"].as_array().unwrap();
    for alert in alerts {
        assert_eq!(alert["failure"], Json::Null, "{alert}");
    }
    let mut severities: Vec<_> = alerts.iter().map(|alert| (text(alert, "name"), text(alert, "severity"))).collect();
    severities.sort();
    severities
}

#[test]
fn looks_acts_and_claims_through_a_pooler_work_in_every_run() {
    let home = tempfile::tempdir().unwrap();
    let Some(business) = Business::open(home.path(), Way::ThroughPooler) else { return };
    let first = severities(&ended(&business, home.path(), "check --json --all", 2).out);
    assert!(first.len() > 15, "{first:?}");
    for review in ["rv_902", "rv_912"] {
        assert_eq!(severities(&ended(&business, home.path(), "check --json --all", 2).out), first);
        ended(&business, home.path(), &format!("do approve_review {review} --json"), 0);
        assert_eq!(business.ask(&format!("select moderation_status from reviews where id = '{review}'")), "approved");
        let again = run(&business, home.path(), &format!("do approve_review {review} --json"));
        assert_eq!(again.status, Some(1), "{}", again.out);
        ended(&business, home.path(), "reconcile --json", 1);
    }
    let claims = "select count(*) || ' ' || count(distinct target) || ' ' || count(*) filter (where outcome = 'done') from operator_actions where step = -1";
    assert_eq!(business.ask(claims), "4 2 2", "what was refused the second time was claimed and given back");
    assert_eq!(business.ask("select count(*) from review_moderation_log where decided_by = 'op'"), "2");

    // Four at once, twice: hundreds of statements over the one line, and none of them fails.
    for _ in 0..2 {
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let mut command = command(&business, home.path(), "check --json --all");
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert_eq!(severities(&String::from_utf8(output.stdout).unwrap()), first);
        }
    }
    assert_eq!(business.ask("select count(*) from pg_stat_activity where state like 'idle in%'"), "0");
}

#[test]
fn the_same_business_is_judged_the_same_on_sqlite_and_on_postgresql() {
    let home = tempfile::tempdir().unwrap();
    let Some(business) = Business::open(home.path(), Way::Directly) else { return };
    let there = severities(&ended(&business, home.path(), "check --json --all", 2).out);
    let mut demo = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    demo.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin").current_dir(home.path());
    let output = demo.args(["--demo", "check", "--json", "--all"]).output().unwrap();
    assert_eq!(severities(&String::from_utf8(output.stdout).unwrap()), there);
}

#[test]
fn what_a_stopped_server_keeps_is_unknown_and_never_green() {
    let home = tempfile::tempdir().unwrap();
    let Some(business) = Business::open(home.path(), Way::Directly) else { return };
    let before = severities(&ended(&business, home.path(), "check --json --all", 2).out);
    business.server.stop();
    let ran = run(&business, home.path(), "check --json --all");
    let json: Json = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out));
    let alerts = json["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), before.len());
    let blind: Vec<&Json> = alerts.iter().filter(|alert| alert["failure"] != Json::Null).collect();
    assert!(blind.len() > 10, "{json}");
    for alert in blind {
        assert_eq!(alert["severity"], "unknown", "{alert}");
        assert!(alert["failure"].as_str().unwrap().contains("nobody answers"), "{alert}");
    }
}
