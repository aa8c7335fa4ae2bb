//! Both days of a clock change, zone by zone, against a slow reckoning of our own.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, MappedLocalTime, NaiveDate, TimeDelta, TimeZone as _, Timelike as _, Utc};

use super::{Times, clock_change};
use crate::domain::{
    pack::Schedule,
    zone::{Zone, zone as named},
};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn times(cron: &str, zone: Zone) -> Times {
    Times::of(cron, zone).unwrap()
}

/// The runs from `from`, in the zone's own time.
fn runs(cron: &str, zone: Zone, from: &str, count: usize) -> Vec<String> {
    let times = times(cron, zone);
    let next = |moment: &DateTime<Utc>| times.after(*moment);
    let runs = std::iter::successors(times.after(at(from)), next).take(count);
    runs.map(|run| run.with_timezone(&zone).format("%m-%d %H:%M %z").to_string()).collect()
}

#[test]
fn the_hour_that_is_skipped_runs_once_right_after_it() {
    for (zone, cron, from, expected) in [
        (named("Australia/Sydney"), "0 2 * * *", "2026-10-02T20:00:00Z", ["10-04 03:00 +1100", "10-05 02:00 +1100"]),
        (named("Australia/Sydney"), "30 2 * * *", "2026-10-02T20:00:00Z", ["10-04 03:00 +1100", "10-05 02:30 +1100"]),
        (named("America/New_York"), "0 2 * * *", "2026-03-07T12:00:00Z", ["03-08 03:00 -0400", "03-09 02:00 -0400"]),
        (named("Europe/London"), "30 1 * * *", "2026-03-28T12:00:00Z", ["03-29 02:00 +0100", "03-30 01:30 +0100"]),
        (named("Australia/Lord_Howe"), "15 2 * * *", "2026-10-02T20:00:00Z", ["10-04 02:30 +1100", "10-05 02:15 +1100"]),
        (Zone::UTC, "0 2 * * *", "2026-10-03T12:00:00Z", ["10-04 02:00 +0000", "10-05 02:00 +0000"]),
    ] {
        assert_eq!(runs(cron, zone, from, 2), expected, "{cron} in {zone}");
    }
}

#[test]
fn the_hour_that_comes_twice_runs_once_the_first_time() {
    for (zone, cron, from, expected) in [
        (named("Australia/Sydney"), "0 2 * * *", "2026-04-04T12:00:00Z", ["04-05 02:00 +1100", "04-06 02:00 +1000"]),
        (named("America/New_York"), "30 1 * * *", "2026-10-31T12:00:00Z", ["11-01 01:30 -0400", "11-02 01:30 -0500"]),
        (named("Europe/London"), "0 1 * * *", "2026-10-24T12:00:00Z", ["10-25 01:00 +0100", "10-26 01:00 +0000"]),
        (named("Australia/Lord_Howe"), "45 1 * * *", "2026-04-04T12:00:00Z", ["04-05 01:45 +1100", "04-06 01:45 +1030"]),
        (Zone::UTC, "0 1 * * *", "2026-10-24T12:00:00Z", ["10-25 01:00 +0000", "10-26 01:00 +0000"]),
    ] {
        assert_eq!(runs(cron, zone, from, 2), expected, "{cron} in {zone}");
    }
    let both = ["04-05 02:00 +1100", "04-05 02:30 +1100", "04-05 02:00 +1000", "04-05 02:30 +1000", "04-06 02:00 +1000"];
    assert_eq!(runs("*/30 2 * * *", named("Australia/Sydney"), "2026-04-04T12:00:00Z", 5), both);
}

/// What a patient person with a wall clock would write down: every local time at its moments, a skipped one right after
/// the leap, a repeated one the first time.
fn by_hand(zone: Zone, hour: u32, minute: u32) -> BTreeSet<DateTime<Utc>> {
    let days = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().iter_days().take_while(|day| day.year() == 2026);
    let moment = |day: NaiveDate| {
        let mut local = day.and_hms_opt(hour, minute, 0).unwrap();
        loop {
            match zone.from_local_datetime(&local) {
                MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => return time.to_utc(),
                MappedLocalTime::None => local += TimeDelta::minutes(1),
            }
        }
    };
    days.map(moment).collect()
}

fn zones() -> [Zone; 12] {
    [
        named("Australia/Sydney"),
        named("America/New_York"),
        named("Europe/London"),
        named("Australia/Lord_Howe"),
        Zone::UTC,
        named("America/St_Johns"),
        named("Pacific/Auckland"),
        named("Pacific/Chatham"),
        named("America/Santiago"),
        named("Asia/Kolkata"),
        named("Africa/Casablanca"),
        named("Atlantic/Azores"),
    ]
}

#[test]
fn daily_jobs_agree_with_a_wall_clock_in_every_zone() {
    for zone in zones() {
        for (hour, minute) in [(0, 0), (0, 30), (1, 45), (2, 0), (2, 15), (3, 0)] {
            let expected = by_hand(zone, hour, minute);
            let cron = format!("{minute} {hour} * * *");
            let (first, last) = (*expected.first().unwrap(), *expected.last().unwrap());
            let times = times(&cron, zone);
            let forward: BTreeSet<_> =
                std::iter::successors(Some(first), |moment| times.after(*moment)).take_while(|moment| *moment <= last).collect();
            let odd: Vec<_> = forward.symmetric_difference(&expected).collect();
            assert!(odd.is_empty(), "{cron} forward in {zone}: {odd:?}");
            let backward: BTreeSet<_> = times.between(first, last, 1_000).into_iter().collect();
            let odd: Vec<_> = backward.symmetric_difference(&expected).collect();
            assert!(odd.is_empty(), "{cron} backward in {zone}: {odd:?}");
        }
    }
}

#[test]
fn jobs_at_intervals_agree_with_a_wall_clock_in_every_zone() {
    for zone in zones() {
        let from = at("2026-01-01T00:00:00Z");
        let minutes = (0..365 * 24 * 4).map(|quarter| from + TimeDelta::minutes(15 * quarter));
        let expected: BTreeSet<_> = minutes
            .filter(|moment| {
                let local = moment.with_timezone(&zone);
                (1..=3).contains(&local.hour()) && local.minute() % 30 == 0
            })
            .collect();
        let (first, last) = (*expected.first().unwrap(), *expected.last().unwrap());
        let times = times("*/30 1-3 * * *", zone);
        let backward = times.between(first, last, 10_000);
        assert_eq!(backward.iter().copied().collect::<BTreeSet<_>>(), expected, "backward in {zone}");
        let forward = std::iter::successors(Some(first), |moment| times.after(*moment)).take(expected.len());
        assert_eq!(forward.collect::<Vec<_>>(), backward, "forward in {zone}");
    }
}

#[test]
fn an_expression_that_never_comes_has_no_times() {
    let never = times("0 0 30 2 *", named("Australia/Sydney"));
    assert_eq!(never.after(at("2026-01-01T00:00:00Z")), None);
    assert_eq!(never.at_or_before(at("2026-01-01T00:00:00Z")), None);
    assert!(Times::of("every day", Zone::UTC).is_none());
}

#[test]
fn between_ends_at_the_last_time_before_and_keeps_the_latest() {
    let times = times("0 * * * *", Zone::UTC);
    let hours = |from: &str, until: &str, at_most| {
        times.between(at(from), at(until), at_most).iter().map(DateTime::hour).collect::<Vec<_>>()
    };
    assert_eq!(hours("2026-01-01T10:30:00Z", "2026-01-01T13:00:00Z", 9), [10, 11, 12, 13]);
    assert_eq!(hours("2026-01-01T10:00:00Z", "2026-01-01T12:59:59Z", 9), [10, 11, 12]);
    assert_eq!(hours("2026-01-01T01:00:00Z", "2026-01-01T12:59:59Z", 2), [11, 12]);
}

fn told(cron: &str, evaluated_in: Zone, meant_in: Zone, now: &str) -> Option<String> {
    clock_change(&Schedule { cron: cron.to_owned(), evaluated_in, meant_in }, at(now))
}

#[test]
fn clock_changes_are_told_a_week_ahead() {
    let (lord_howe, sydney, london) = (named("Australia/Lord_Howe"), named("Australia/Sydney"), named("Europe/London"));
    let daily = "0 2 * * *";
    for (cron, zone, now, said) in [
        (daily, sydney, "2026-09-27T00:00:00Z", Some("clocks go forward on Sun 4 Oct: 02:00 runs at 03:00")),
        (daily, sydney, "2026-10-03T15:59:00Z", Some("clocks go forward on Sun 4 Oct: 02:00 runs at 03:00")),
        (daily, sydney, "2026-09-26T15:59:59Z", None),
        (daily, sydney, "2026-10-03T16:00:00Z", None),
        ("30 2 * * *", sydney, "2026-10-01T00:00:00Z", Some("clocks go forward on Sun 4 Oct: 02:30 runs at 03:00")),
        (daily, sydney, "2026-04-01T00:00:00Z", Some("clocks go back on Sun 5 Apr: 02:00 comes twice and runs once")),
        ("0 12 * * *", sydney, "2026-10-01T00:00:00Z", None),
        ("0 2 * * MON", sydney, "2026-10-01T00:00:00Z", None),
        ("*/15 * * * *", sydney, "2026-10-01T00:00:00Z", None),
        ("20 * * * *", sydney, "2026-04-01T00:00:00Z", None),
        ("*/30 2 * * *", sydney, "2026-10-01T00:00:00Z", Some("clocks go forward on Sun 4 Oct: 02:00 to 02:30 does not run")),
        ("*/30 2 * * *", sydney, "2026-04-01T00:00:00Z", Some("clocks go back on Sun 5 Apr: 02:00 to 02:30 runs both times")),
        ("15 2 * * *", lord_howe, "2026-10-01T00:00:00Z", Some("clocks go forward on Sun 4 Oct: 02:15 runs at 02:30")),
        ("30 1 * * *", london, "2026-03-25T00:00:00Z", Some("clocks go forward on Sun 29 Mar: 01:30 runs at 02:00")),
        (daily, Zone::UTC, "2026-10-01T00:00:00Z", None),
    ] {
        assert_eq!(told(cron, zone, zone, now).as_deref(), said, "{cron} in {zone} at {now}");
    }
}

#[test]
fn a_job_with_two_zones_says_what_time_that_makes() {
    let (sydney, london) = (named("Australia/Sydney"), named("Europe/London"));
    let daily = "0 2 * * *";
    for (cron, meant_in, now, said) in [
        (daily, sydney, "2026-01-15T00:00:00Z", Some("02:00 is evaluated in UTC: it is 13:00 in Australia/Sydney")),
        (daily, sydney, "2026-07-15T00:00:00Z", Some("02:00 is evaluated in UTC: it is 12:00 in Australia/Sydney")),
        (daily, london, "2026-01-15T00:00:00Z", None),
        (daily, london, "2026-07-15T00:00:00Z", Some("02:00 is evaluated in UTC: it is 03:00 in Europe/London")),
        (
            daily,
            london,
            "2026-03-25T00:00:00Z",
            Some("clocks go forward on Sun 29 Mar: from then it runs at 03:00 instead of 02:00 in Europe/London"),
        ),
        ("*/15 * * * *", sydney, "2026-01-15T00:00:00Z", None),
    ] {
        assert_eq!(told(cron, Zone::UTC, meant_in, now).as_deref(), said, "{cron} meant in {meant_in} at {now}");
    }
}
