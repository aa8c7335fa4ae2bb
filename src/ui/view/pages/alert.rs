//! What the page of an alert says: since when, by which rule, the course of its readings, what is turning, what was done.

use chrono::{DateTime, Utc};

use crate::{
    domain::{
        age, pack,
        severity::Severity,
        snapshot::{Alert, Failure, Flip, JournalLine, Reading, Subject},
    },
    ui::{
        theme::Role,
        view::{
            ink::Ink,
            markdown, metrics,
            page::{Extent, Paper},
        },
    },
};

/// Readings in the course, and in the list below it.
const READINGS: usize = 30;

pub fn alert(paper: &mut Paper<'_>, subject: &Subject) {
    let ink = paper.ink;
    let Some(alert) = ink.model.alert(subject) else { return };
    let severity = ink.model.severity(alert);
    if paper.extent == Extent::Aside {
        // The row beside it says the rest.
        paper.labelled("Since", &ink.date(alert.since), Ink::severity(severity));
    } else {
        let since = format!("{} for {}, since {}", severity.word(), ink.age(alert.since), ink.date(alert.since));
        paper.labelled("Now", &since, Ink::severity(severity));
    }
    if severity != alert.severity {
        paper.labelled("", &format!("it was {} when it was last looked at", alert.severity.word()), Role::Unknown);
    }
    if paper.extent == Extent::Whole {
        let reading = if alert.reading.is_empty() { "none" } else { &alert.reading };
        paper.labelled("Reading", reading, Role::Text);
    }
    if !alert.detail.shown().is_empty() {
        paper.labelled("Detail", alert.detail.shown(), Role::Text);
    }
    course(paper, alert);
    paper.labelled("Rule", &alert.rule, Role::Text);
    turning(paper, alert, severity);
    let looked = alert.looked_at.map_or_else(|| "never".to_owned(), |at| format!("{} ({})", ink.when(at), ink.age(at)));
    if paper.extent == Extent::Whole || severity != alert.severity {
        paper.labelled("Looked", &format!("{looked}, every {}", every(alert.every)), Role::Muted);
    }
    if let Some(failure) = &alert.failure {
        failed(paper, failure);
    }
    handling(paper, alert);
    if let Some(playbook) = alert.playbook.as_ref().and_then(|id| pack::find(&ink.model.pack.playbooks, id)) {
        paper.labelled("Playbook", &format!("{} (Enter reads it)", playbook.title), Role::Key);
        if paper.extent == Extent::Aside {
            paper.blank();
            paper.markdown(markdown::body(&playbook.markdown));
        }
    }
    if paper.extent == Extent::Aside {
        return;
    }
    if !alert.recent.is_empty() {
        paper.head("Readings, newest first");
        for reading in alert.recent.iter().take(READINGS) {
            recent(paper, reading);
        }
    }
    history(paper, subject);
}

/// The latest readings in one line, oldest first, with the least and the most.
fn course(paper: &mut Paper<'_>, alert: &Alert) {
    let ink = paper.ink;
    let numbers = alert
        .recent
        .iter()
        .take(READINGS)
        .rev()
        .map(|reading| reading.value.as_ref().and_then(crate::domain::value::Value::number).unwrap_or(f64::NAN));
    let numbers: Vec<f64> = numbers.collect();
    let known: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    let Some(first) = alert.recent.iter().take(READINGS).next_back().filter(|_| known.len() > 2) else { return };
    let (least, most) =
        (known.iter().copied().fold(f64::INFINITY, f64::min), known.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let drawn = metrics::spark(&ink, &numbers, READINGS);
    let span =
        if least < most { format!("{} to {}", figure(least), figure(most)) } else { format!("{} throughout", figure(least)) };
    paper.labelled("Course", &format!("{drawn}  {span} since {}", ink.when(first.at)), Role::Chart);
}

fn figure(number: f64) -> String {
    let rounded = format!("{number:.2}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn turning(paper: &mut Paper<'_>, alert: &Alert, severity: Severity) {
    let ink = paper.ink;
    let Some(turning) = &alert.turning else { return };
    let word = turning.into.word();
    let so = if turning.into > severity { format!("beyond the {word} limit") } else { "better".to_owned() };
    let text =
        format!("becomes {word} at {} if it stays so ({so} since {})", ink.when(turning.counts_at), ink.when(turning.since));
    paper.labelled("Turning", &text, Ink::severity(turning.into));
}

/// A failed look: what, since when, how often, when it is tried again, and what the operator may do.
pub fn failed(paper: &mut Paper<'_>, failure: &Failure) {
    let ink = paper.ink;
    paper.labelled("No data", failure.said.shown(), Role::Bad);
    let tries = if failure.tries == 1 { "1 try".to_owned() } else { format!("{} tries", failure.tries) };
    let next = failure.next_try.map_or_else(String::new, |at| format!("; next try {}", ink.when(at)));
    paper.labelled("", &format!("since {} ({}), {tries}{next}", ink.date(failure.since), ink.age(failure.since)), Role::Muted);
    paper.labelled("", "r looks again now, ! lists every source that fails", Role::Muted);
}

/// What the operator did about it, and until when that counts.
pub fn handling(paper: &mut Paper<'_>, alert: &Alert) {
    let ink = paper.ink;
    let handling = &alert.handling;
    let later = |until: Option<DateTime<Utc>>| until.filter(|until| *until > ink.calm);
    if let Some((at, who)) = &handling.acknowledged {
        paper.labelled("Acknowledged", &format!("by {who} at {}, until it changes", ink.date(*at)), Role::Text);
    }
    if let Some(until) = later(handling.snoozed_until) {
        paper.labelled("Snoozed", &format!("until {} (x ends it)", ink.date(until)), Role::Text);
    }
    if let Some(until) = later(handling.deferred_until) {
        paper.labelled("Deferred", &format!("to the session of {} (x ends it)", ink.date(until)), Role::Text);
    }
    if let Some(note) = &handling.note {
        paper.labelled("Note", note.shown(), Role::Text);
    }
}

/// All that is well, with its readings.
pub fn healthy(paper: &mut Paper<'_>) {
    let ink = paper.ink;
    let alerts = ink.model.snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default();
    for alert in alerts.iter().filter(|alert| ink.model.severity(alert) == Severity::Green) {
        let (title, reading) = (ink.cut(&alert.title, 38), ink.cut(&alert.reading, 20));
        let since = format!("since {}", ink.when(alert.since));
        paper.cells(&[
            ("G ", Role::Green),
            (&format!("{title:<40}"), Role::Text),
            (&format!("{reading:<22}"), Role::Text),
            (&since, Role::Muted),
        ]);
    }
}

fn recent(paper: &mut Paper<'_>, reading: &Reading) {
    let when = format!("{:<13}", paper.ink.when(reading.at));
    let letter = format!("{} ", reading.severity.letter());
    let said = reading.said.one_line();
    paper.cells(&[(&when, Role::Muted), (&letter, Ink::severity(reading.severity)), (&said, Role::Text)]);
}

/// What changed and what was noted; said where it is not known yet.
pub fn history(paper: &mut Paper<'_>, subject: &Subject) {
    if paper.extent == Extent::Aside {
        return;
    }
    let ink = paper.ink;
    paper.head("History, newest first");
    let Some((flips, lines)) = ink.model.histories.0.get(subject) else {
        let text = if ink.model.questions.is_looking_for(subject) { "looking..." } else { "not read" };
        paper.text(text, Role::Muted);
        return;
    };
    if flips.is_empty() && lines.is_empty() {
        paper.text("It has never changed.", Role::Muted);
    }
    changes(paper, flips);
    acts(paper, lines);
}

/// What was written and done about it; nothing where there is nothing.
pub fn notes(paper: &mut Paper<'_>, subject: &Subject) {
    let ink = paper.ink;
    let Some((_, lines)) = ink.model.histories.0.get(subject).filter(|(_, lines)| !lines.is_empty()) else { return };
    paper.head("Notes and acts, newest first");
    acts(paper, lines);
}

/// How its severity went.
pub fn course_of_severity(paper: &mut Paper<'_>, subject: &Subject) {
    let ink = paper.ink;
    let Some((flips, _)) = ink.model.histories.0.get(subject).filter(|(flips, _)| !flips.is_empty()) else { return };
    paper.head("Changes, newest first");
    changes(paper, flips);
}

fn changes(paper: &mut Paper<'_>, flips: &[Flip]) {
    let ink = paper.ink;
    for flip in flips {
        let when = format!("{:<13}", ink.when(flip.at));
        let change = format!("{} -> {}  ", flip.from.word(), flip.to.word());
        let said = flip.said.one_line();
        paper.cells(&[(&when, Role::Muted), (&change, Ink::severity(flip.to)), (&said, Role::Text)]);
    }
}

fn acts(paper: &mut Paper<'_>, lines: &[JournalLine]) {
    let ink = paper.ink;
    for line in lines {
        let when = format!("{:<13}", ink.when(line.at));
        let said = format!("{} {} {}", line.who, line.word, line.said.one_line());
        paper.cells(&[(&when, Role::Muted), (&said, Role::Text)]);
    }
}

fn every(duration: std::time::Duration) -> String {
    age::span(chrono::TimeDelta::from_std(duration).unwrap_or_default())
}
