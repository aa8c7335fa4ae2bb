use std::time::Duration;

use crate::domain::zone::Zone;
use chrono::{DateTime, TimeDelta, Utc};

use super::health;
use crate::domain::{
    id::Id,
    pack::{HistoryColumns, Job, Query, Read, Schedule, Sql},
    rows::Rows,
    severity::Severity,
    snapshot::{JobHealth, RunOutcome},
    value::Value,
};

fn job(cron: &str, zone: Zone) -> Job {
    let text = |text: &str| Some(text.to_owned());
    Job {
        id: Id::new("promote"),
        title: "promote".to_owned(),
        schedule: Schedule { cron: cron.to_owned(), evaluated_in: zone, meant_in: zone },
        grace: Duration::from_mins(10),
        missed_after: Duration::from_hours(24),
        failed_after: Duration::from_hours(48),
        attempts: 5,
        history: Query {
            on: Id::new("db"),
            read: Read::Sql(Sql { text: String::new(), numbered: String::new(), parameters: vec![] }),
            money: vec![],
        },
        history_columns: HistoryColumns {
            started: "started".to_owned(),
            finished: text("finished"),
            status: "status".to_owned(),
            succeeded: "success".to_owned(),
            running: text("running"),
            attempt: text("attempt"),
            error: text("error"),
        },
        effect: None,
        run: None,
        playbook: None,
        note: String::new(),
        every: Duration::from_mins(1),
        covers: vec![],
    }
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// (started, seconds taken or none while it runs, status, attempt)
type Told<'a> = (&'a str, Option<i64>, &'a str, i64);

fn history(runs: &[Told<'_>]) -> Rows {
    let columns = ["started", "finished", "status", "attempt", "error"].map(str::to_owned);
    Rows::new(
        columns,
        runs.iter().map(|(started, took, status, attempt)| {
            let started = at(started);
            let error = if *status == "failure" { Value::text("db timeout") } else { Value::Null };
            let finished = took.map_or(Value::Null, |took| Value::Time(started + TimeDelta::seconds(took)));
            vec![Value::Time(started), finished, Value::text(*status), Value::Integer(*attempt), error]
        }),
    )
}

fn daily(runs: &[Told<'_>], now: &str) -> JobHealth {
    health(&job("0 2 * * *", Zone::UTC), &history(runs), at(now))
}

fn told(health: &JobHealth) -> (Severity, &str, u32) {
    (health.severity, &health.state, health.missed)
}

const WELL: [Told<'_>; 3] = [
    ("2026-03-03T02:00:15Z", Some(12), "success", 1),
    ("2026-03-02T02:00:15Z", Some(10), "success", 1),
    ("2026-03-01T02:00:15Z", Some(11), "success", 1),
];

#[test]
fn a_run_that_came_is_ok_until_the_next_is_over_its_grace() {
    for (now, severity, state, missed) in [
        ("2026-03-03T02:01:00Z", Severity::Green, "ok", 0),
        ("2026-03-04T01:59:59Z", Severity::Green, "ok", 0),
        ("2026-03-04T02:10:00Z", Severity::Green, "ok", 0),
        ("2026-03-04T02:10:01Z", Severity::Yellow, "LATE 10m", 1),
        ("2026-03-04T09:00:00Z", Severity::Yellow, "LATE 7h00m", 1),
        ("2026-03-05T02:00:00Z", Severity::Yellow, "MISSED 1", 1),
        ("2026-03-05T02:20:00Z", Severity::Yellow, "MISSED 2", 2),
        ("2026-03-06T01:59:59Z", Severity::Yellow, "MISSED 2", 2),
        ("2026-03-06T02:00:00Z", Severity::Red, "MISSED 2", 2),
        ("2026-03-06T02:20:00Z", Severity::Red, "MISSED 3", 3),
    ] {
        assert_eq!(told(&daily(&WELL, now)), (severity, state, missed), "{now}");
    }
    let health = daily(&WELL, "2026-03-05T02:20:00Z");
    assert_eq!(health.why, "2 runs did not come, the first of Wed 4 Mar 02:00 UTC");
    assert_eq!(health.expected, Some(at("2026-03-05T02:00:00Z")));
    assert_eq!(health.next, Some(at("2026-03-06T02:00:00Z")));
    assert_eq!(daily(&WELL, "2026-03-03T09:00:00Z").why, "ran Tue 3 Mar 02:00 UTC in 12s");
}

#[test]
fn failures_say_the_attempt_and_how_many_in_a_row() {
    let mut runs = vec![
        ("2026-03-05T02:05:00Z", Some(30), "failure", 2),
        ("2026-03-05T02:00:00Z", Some(30), "failure", 1),
        ("2026-03-04T02:00:00Z", Some(30), "failure", 1),
    ];
    runs.extend(WELL);
    let health = daily(&runs, "2026-03-05T09:00:00Z");
    assert_eq!(told(&health), (Severity::Red, "FAILED 2/5", 0));
    assert_eq!(health.why, "the run of Thu 5 Mar 02:05 UTC failed, 3 failures in a row: db timeout");
    assert!(health.runs[0].due == Some(at("2026-03-05T02:00:00Z")) && health.runs[0].attempt == Some(2));
    let late = daily(&runs, "2026-03-06T09:00:00Z");
    assert_eq!(told(&late), (Severity::Red, "FAILED 2/5", 1));
    assert!(late.why.ends_with("; the run of Fri 6 Mar 02:00 UTC did not come"), "{}", late.why);
}

#[test]
fn tries_are_counted_where_the_history_does_not_say_them() {
    let mut job = job("0 2 * * *", Zone::UTC);
    job.history_columns.attempt = None;
    let runs = [
        ("2026-03-04T02:10:00Z", Some(30), "failure", 0),
        ("2026-03-04T02:05:00Z", Some(30), "failure", 0),
        ("2026-03-04T02:00:00Z", Some(30), "failure", 0),
        ("2026-03-03T02:00:00Z", Some(30), "failure", 0),
    ];
    let health = health(&job, &history(&runs), at("2026-03-04T03:00:00Z"));
    assert_eq!(health.state, "FAILED 3/5");
    // Nothing says that the later ones belong to the schedule.
    assert_eq!(health.runs.iter().map(|run| run.due.is_some()).collect::<Vec<_>>(), [false, false, true, true]);
}

#[test]
fn a_run_by_hand_makes_good_what_failed_or_did_not_come() {
    let mut runs = vec![("2026-03-04T10:00:00Z", Some(12), "success", 1), ("2026-03-04T02:00:00Z", Some(30), "failure", 1)];
    runs.extend(WELL);
    let health = daily(&runs, "2026-03-04T11:00:00Z");
    assert_eq!(told(&health), (Severity::Green, "ok", 0));
    assert_eq!((health.runs[0].due, health.runs[1].due), (None, Some(at("2026-03-04T02:00:00Z"))));
    let mut late = vec![("2026-03-04T10:00:00Z", Some(12), "success", 1)];
    late.extend(WELL);
    assert_eq!(told(&daily(&late, "2026-03-04T11:00:00Z")), (Severity::Green, "ok", 0));
}

#[test]
fn a_run_a_moment_early_came_for_the_time_it_was_early_for() {
    let mut runs = vec![("2026-03-04T01:59:57Z", Some(12), "success", 1)];
    runs.extend(WELL);
    let health = daily(&runs, "2026-03-04T09:00:00Z");
    assert_eq!((told(&health), health.runs[0].due), ((Severity::Green, "ok", 0), Some(at("2026-03-04T02:00:00Z"))));
}

#[test]
fn runs_that_never_came_stand_in_the_history() {
    let runs = [WELL[0], WELL[2]];
    let health = daily(&runs, "2026-03-03T09:00:00Z");
    assert_eq!(told(&health), (Severity::Green, "ok", 0));
    let outcomes: Vec<_> = health.runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [RunOutcome::Succeeded, RunOutcome::Missed, RunOutcome::Succeeded]);
    assert_eq!((health.runs[1].due, health.runs[1].started), (Some(at("2026-03-02T02:00:00Z")), None));
}

#[test]
fn slow_and_endless_runs_are_seen() {
    let mut runs = vec![("2026-03-04T02:00:00Z", Some(25), "success", 1)];
    runs.extend(WELL);
    let health = daily(&runs, "2026-03-04T03:00:00Z");
    assert_eq!(health.usual, Some(Duration::from_millis(11_500)));
    assert_eq!(health.runs[0].outcome, RunOutcome::Slow);
    assert_eq!(health.why, "ran Wed 4 Mar 02:00 UTC in 25s, usually 11s");

    let mut running = vec![("2026-03-04T02:00:00Z", None, "running", 1)];
    running.extend(WELL);
    for (now, severity, state) in [
        ("2026-03-04T02:00:50Z", Severity::Green, "RUNNING 50s"),
        ("2026-03-04T02:40:00Z", Severity::Yellow, "RUNNING 40m"),
        ("2026-03-06T02:00:00Z", Severity::Red, "RUNNING 2d"),
    ] {
        let health = daily(&running, now);
        assert_eq!((health.severity, health.state.as_str()), (severity, state), "{now}");
    }
    running.insert(1, ("2026-03-04T01:00:00Z", Some(5), "failure", 1));
    assert_eq!(told(&daily(&running, "2026-03-04T02:00:50Z")), (Severity::Red, "RUNNING 1/5", 0));
}

#[test]
fn a_history_that_cannot_be_trusted_is_unknown() {
    let job = job("0 2 * * *", Zone::UTC);
    let now = at("2026-03-04T00:00:00Z");
    let of =
        |columns: &[&str], row: Vec<Value>| health(&job, &Rows::new(columns.iter().map(|name| (*name).to_owned()), [row]), now);
    let ahead = Value::Time(now + TimeDelta::hours(10));
    for (health, why) in [
        (daily(&[], "2026-03-04T00:00:00Z"), "the history holds no run"),
        (of(&["status"], vec![Value::text("success")]), "the history cannot be read: row 1 has no column `started`"),
        (
            of(&["started", "finished", "status"], vec![Value::text("02:00"), Value::Null, Value::text("success")]),
            "the history cannot be read: row 1 has no time in `started`, but `02:00`",
        ),
        (
            of(&["started", "finished", "status"], vec![ahead, Value::Null, Value::text("success")]),
            "the history cannot be read: row 1 started in the future (2026-03-04 10:00 UTC): a clock or a zone is wrong",
        ),
    ] {
        assert_eq!((health.severity, health.why.as_str()), (Severity::Unknown, why));
    }
    let mut broken = job.clone();
    broken.schedule.cron = "every day".to_owned();
    let health = health(&broken, &history(&WELL), now);
    assert_eq!((health.severity, health.next), (Severity::Unknown, None));
}

#[test]
fn two_correct_runs_25_hours_apart_are_not_late() {
    // Sydney's clocks went back at 03:00 on 5 April 2026, 16:00 UTC on the 4th.
    let job = job("0 2 * * *", crate::domain::zone::zone("Australia/Sydney"));
    let runs = [("2026-04-04T15:00:05Z", Some(12), "success", 1), ("2026-04-03T15:00:05Z", Some(12), "success", 1)];
    for (now, state) in [
        ("2026-04-04T15:30:00Z", "ok"),
        ("2026-04-04T16:30:00Z", "ok"),
        ("2026-04-05T15:59:00Z", "ok"),
        ("2026-04-05T16:10:00Z", "ok"),
        ("2026-04-05T16:11:00Z", "LATE 11m"),
    ] {
        let health = health(&job, &history(&runs), at(now));
        assert_eq!((health.state.as_str(), health.missed), (state, u32::from(state != "ok")), "{now}");
    }
}

#[test]
fn the_run_that_the_clocks_push_to_three_is_on_time() {
    let job = job("0 2 * * *", crate::domain::zone::zone("Australia/Sydney"));
    let runs = [("2026-10-03T16:00:05Z", Some(12), "success", 1), ("2026-10-02T16:00:05Z", Some(12), "success", 1)];
    let health = health(&job, &history(&runs), at("2026-10-04T14:00:00Z"));
    assert_eq!(told(&health), (Severity::Green, "ok", 0));
    assert_eq!(health.expected, Some(at("2026-10-03T16:00:00Z")));
    assert_eq!(health.next, Some(at("2026-10-04T15:00:00Z")));
    let before = super::health(&job, &history(&runs[1..]), at("2026-10-03T12:00:00Z"));
    assert_eq!(before.clock_change.as_deref(), Some("clocks go forward on Sun 4 Oct: 02:00 runs at 03:00"));
}

#[test]
fn a_job_every_quarter_of_an_hour_is_not_green_for_a_day_without_runs() {
    let job = job("*/15 * * * *", Zone::UTC);
    let runs = [("2026-03-04T10:00:02Z", Some(3), "success", 1), ("2026-03-04T09:45:01Z", Some(3), "success", 1)];
    let health = |now: &str| health(&job, &history(&runs), at(now));
    assert_eq!(told(&health("2026-03-04T10:20:00Z")), (Severity::Green, "ok", 0));
    assert_eq!(told(&health("2026-03-04T12:20:00Z")), (Severity::Yellow, "LATE 2h05m", 8));
    assert_eq!(health("2026-03-04T12:20:00Z").runs.len(), 10);
}

#[test]
fn a_job_due_every_minute_turns_red_however_many_runs_did_not_come() {
    let job = job("* * * * *", Zone::UTC);
    let well = [("2026-03-01T10:00:02Z", Some(3), "success", 1), ("2026-03-01T09:59:01Z", Some(3), "success", 1)];
    let failed = [("2026-03-01T10:00:02Z", Some(3), "failure", 1), ("2026-03-01T09:59:01Z", Some(3), "success", 1)];
    for (now, severity) in [("2026-03-02T09:00:00Z", Severity::Yellow), ("2026-03-04T10:00:00Z", Severity::Red)] {
        let health = health(&job, &history(&well), at(now));
        let missed = if severity == Severity::Red { "MISSED 1,000+" } else { "LATE 22h59m" };
        assert_eq!(told(&health), (severity, missed, 1_000), "{now}");
        assert_eq!(health.why, "1,000+ runs did not come, the first of Sun 1 Mar 10:01 UTC");
        assert_eq!(health.since, Some(at("2026-03-01T10:01:00Z")), "it stays since when it is so");
        let health = super::health(&job, &history(&failed), at(now));
        assert_eq!((health.severity, health.state.as_str()), (Severity::Red, "FAILED 1/5"), "what the last run came to stands");
        assert_eq!(health.since, Some(at("2026-03-01T10:00:02Z")));
    }
}
