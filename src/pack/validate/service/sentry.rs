//! Sentry: issues and numbers of errors, by route, environment and period. The paths are those of its API reference.

use std::{fmt::Write as _, time::Duration};

use super::{Listing, Reached, connection};
use crate::{
    domain::pack::{AskedBy, ConnectionKind, PageWay, Paging, Query, Service},
    pack::{
        place::Place,
        raw::{RawSentry, RawSentryList, RawSentryRead},
        validate::{reader::Reader, secret::Given},
    },
};

const WORD: &str = "sentry";
const PERIOD: Duration = Duration::from_hours(24);

pub(in crate::pack::validate) fn open(reader: &mut Reader<'_>, place: &Place, raw: &RawSentry) -> Option<ConnectionKind> {
    reader.segment(&place.key("organization"), &raw.organization, "an organization's slug or id");
    let token = Given {
        plain: None,
        environment: raw.token_env.as_ref(),
        file: raw.token_file.as_ref(),
        command: raw.token_command.as_ref(),
    };
    let reached = Reached { url: raw.url.as_ref(), url_env: raw.url_env.as_ref(), token: Some(token) };
    let service = Service {
        word: WORD,
        title: "Sentry",
        address: Some("https://sentry.io"),
        door: format!("/api/0/organizations/{}/", raw.organization),
        facts: vec![("organization", "/slug")],
    };
    connection(reader, place, &reached, service)
}

pub(in crate::pack::validate) fn read(reader: &mut Reader<'_>, place: &Place, raw: &RawSentryRead) -> Option<Query> {
    let on = reader.connection(WORD, &raw.on, &place.key("on"));
    let period = reader.duration_or(&place.key("period"), raw.period.as_ref(), PERIOD);
    if period < Duration::from_secs(1) {
        reader.say(&place.key("period"), "no error falls into so short a time", "too short", Some("at least `1s`".to_owned()));
    }
    if let Some(route) = raw.route.as_ref().filter(|route| route.is_empty() || route.contains([' ', '"', '\t', '\n'])) {
        let help = Some("as the transaction is named, such as `/api/stripe/*`".to_owned());
        reader.say(&place.key("route"), format!("`{route}` is not a part of a route"), "not a route", help);
    }
    let at_most = place.key("at_most");
    match (raw.list, raw.at_most) {
        (RawSentryList::Errors, Some(_)) => {
            let help = Some("leave it out; `at_most` is of `issues`".to_owned());
            reader.say_key(&at_most, "`errors` is one row, however many there were", "not a list", help);
        }
        (RawSentryList::Issues, Some(0)) => reader.say(&at_most, "no rows at all would be read", "too few", None),
        (RawSentryList::Issues | RawSentryList::Errors, _) => {}
    }
    let on = on?;
    let organization = reader.text_of(&on, WORD, "organization")?;
    let mut given = vec![("period", span(period)), ("query", search(raw))];
    let mut rest = "statsPeriod={{ period }}".to_owned();
    // Each by a parameter of its own: what is no number is refused as an id.
    let is_id = raw.project.as_ref().is_some_and(|project| project.parse::<i64>().is_ok());
    let project = if is_id { "project" } else { "projectSlug" };
    for (key, parameter, value) in
        [("project", project, raw.project.as_ref()), ("environment", "environment", raw.environment.as_ref())]
    {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(rest, "&{parameter}={{{{ {key} }}}}");
            given.push((key, value.clone()));
        }
    }
    // An empty query is not the same as none: with none, only what is unresolved is told.
    let is_empty = given.iter().any(|(name, value)| *name == "query" && value.is_empty());
    given.retain(|(name, value)| *name != "query" || !value.is_empty());
    let query = if is_empty { "query=" } else { "query={{ query }}" };
    let listing = match raw.list {
        RawSentryList::Issues => Listing {
            path: format!("/api/0/organizations/{organization}/issues/?{query}&{rest}&limit=100"),
            rows: vec![""],
            columns: vec![
                ("id", "/id"),
                ("short_id", "/shortId"),
                ("title", "/title"),
                ("culprit", "/culprit"),
                ("level", "/level"),
                ("project", "/project/slug"),
                ("events", "/count"),
                ("users", "/userCount"),
                ("first_seen", "/firstSeen"),
                ("last_seen", "/lastSeen"),
                ("link", "/permalink"),
            ],
            numbers: vec!["events", "users"],
            pages: Some(Paging {
                way: PageWay::LinkCursor { relation: "next".to_owned(), by: AskedBy::Parameter("cursor".to_owned()) },
                at_most: raw.at_most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            }),
            ..Listing::default()
        },
        RawSentryList::Errors => Listing {
            path: format!(
                "/api/0/organizations/{organization}/events/?dataset=errors&field=count()&field=count_unique(user)&{query}&{rest}"
            ),
            rows: vec!["/data"],
            columns: vec![("errors", "/count()"), ("users", "/count_unique(user)")],
            numbers: vec!["errors", "users"],
            ..Listing::default()
        },
    };
    Listing { given, ..listing }.query(on)
}

fn search(raw: &RawSentryRead) -> String {
    let unresolved = matches!(raw.list, RawSentryList::Issues).then(|| "is:unresolved".to_owned());
    let route = raw.route.as_ref().map(|route| {
        let route = if route.contains('*') { route.clone() } else { format!("*{route}*") };
        format!("transaction:{route}")
    });
    let words = unresolved.into_iter().chain(route).chain(raw.query.clone().filter(|query| !query.trim().is_empty()));
    words.collect::<Vec<_>>().join(" ")
}

/// A span as Sentry writes it: one number with one unit.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    // One day is 24 h, as Sentry itself says it.
    for (unit, least, word) in [(86_400, 2, 'd'), (3_600, 1, 'h'), (60, 1, 'm')] {
        if seconds >= least * unit && seconds.is_multiple_of(unit) {
            return format!("{}{word}", seconds / unit);
        }
    }
    format!("{seconds}s")
}
