//! What each page says, thing by thing.

use super::{
    flags,
    ink::{Ink, span},
    jobs, metrics,
    page::Paper,
    queues, reconciliation,
};
use crate::{
    domain::{
        age,
        id::Id,
        pack::{self, Class, Flag, Job, Metric, Queue, Reconciliation},
        plan::Target,
        snapshot::{Reading, RunOutcome, Subject},
        value::Value,
    },
    ui::theme::Role,
};

pub fn alert(paper: &mut Paper<'_>, subject: &Subject) {
    let ink = paper.ink;
    let Some(alert) = ink.model.alert(subject) else { return };
    let severity = ink.model.severity(alert);
    let since = format!("{} {} {}", severity.word(), ink.age(alert.since), format_args!("since {}", ink.date(alert.since)));
    paper.labelled("Now", &since, Ink::severity(severity));
    if severity != alert.severity {
        paper.labelled("", &format!("it was {} when it was last looked at", alert.severity.word()), Role::Unknown);
    }
    let reading = if alert.reading.is_empty() { "none" } else { &alert.reading };
    paper.labelled("Reading", reading, Role::Text);
    if !alert.detail.shown().is_empty() {
        paper.labelled("Detail", alert.detail.shown(), Role::Text);
    }
    paper.labelled("Rule", &alert.rule, Role::Text);
    if let Some(turning) = &alert.turning {
        let text = format!(
            "beyond the {} limit since {}; counts at {}",
            turning.into.word(),
            ink.when(turning.since),
            ink.when(turning.counts_at)
        );
        paper.labelled("Turning", &text, Ink::severity(turning.into));
    }
    let looked = alert.looked_at.map_or_else(|| "never".to_owned(), |at| format!("{} ({})", ink.when(at), ink.age(at)));
    paper.labelled("Looked", &format!("{looked}, every {}", every(alert.every)), Role::Muted);
    if let Some(failure) = &alert.failure {
        paper.labelled("Failing", &ink.failed(failure), Role::Bad);
    }
    if let Some(handled) = super::alerts::handled(&ink, alert) {
        paper.labelled("Handled", &handled, Role::Text);
    }
    if let Some(note) = &alert.handling.note {
        paper.labelled("Note", note.shown(), Role::Text);
    }
    if let Some(playbook) = alert.playbook.as_ref().and_then(|id| pack::find(&ink.model.pack.playbooks, id)) {
        paper.labelled("Playbook", &format!("{} (Enter reads it)", playbook.title), Role::Key);
    }
    if !alert.recent.is_empty() {
        paper.head("Readings, newest first");
        for reading in alert.recent.iter().take(30) {
            recent(paper, reading);
        }
    }
    history(paper, subject);
}

fn recent(paper: &mut Paper<'_>, reading: &Reading) {
    let when = format!("{:<13}", paper.ink.when(reading.at));
    let letter = format!("{} ", reading.severity.letter());
    let said = reading.said.one_line();
    paper.cells(&[(&when, Role::Muted), (&letter, Ink::severity(reading.severity)), (&said, Role::Text)]);
}

/// What changed and what was noted; said where it is not known yet.
fn history(paper: &mut Paper<'_>, subject: &Subject) {
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
    for flip in flips {
        let when = format!("{:<13}", ink.when(flip.at));
        let change = format!("{} -> {}  ", flip.from.word(), flip.to.word());
        let said = flip.said.one_line();
        paper.cells(&[(&when, Role::Muted), (&change, Ink::severity(flip.to)), (&said, Role::Text)]);
    }
    for line in lines {
        let when = format!("{:<13}", ink.when(line.at));
        let said = format!("{} {} {}", line.who, line.word, line.said.one_line());
        paper.cells(&[(&when, Role::Muted), (&said, Role::Text)]);
    }
}

fn every(duration: std::time::Duration) -> String {
    age::span(chrono::TimeDelta::from_std(duration).unwrap_or_default())
}

pub fn item(paper: &mut Paper<'_>, queue: &Id<Queue>, key: &str) {
    let ink = paper.ink;
    let Some(spec) = ink.model.queue_spec(queue) else { return };
    let Some(item) = ink.model.item(queue, key) else { return };
    if let Some(since) = item.since {
        paper.labelled("Waits", &format!("{} since {}", ink.age(since), ink.date(since)), Role::Text);
    }
    if let Some(deadline) = item.deadline {
        let (left, role) = ink.left(deadline);
        paper.labelled("Deadline", &format!("{} {left}", ink.date(deadline)), role);
    }
    let target = Target { queue: Some(queue.clone()), key: key.to_owned() };
    if let Some(receipt) = ink.model.receipts.of(&target) {
        let text = format!(
            "{} {}, {} of {} steps. {}",
            receipt.title,
            receipt.standing.word(),
            receipt.steps_done,
            receipt.steps,
            receipt.said
        );
        paper.labelled("Act", &text, Role::Warning);
    }
    if !item.presets.is_empty() {
        paper.labelled("Presets", &item.presets.join(", "), Role::Text);
    }
    let actions = spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id));
    for action in actions {
        let key = action.key.map_or_else(String::new, |key| format!("{key} "));
        match item.barred_from(&action.id) {
            Some(why) => paper.labelled(&format!("  {key}"), &format!("{}: NO, {}", action.title, why.one_line()), Role::Warning),
            None => paper.labelled(&format!("  {key}"), &action.title, Role::Key),
        }
    }
    if let Some(body) = spec.body.as_ref().and_then(|column| item.row.find(column)) {
        paper.blank();
        let text = match body {
            Value::Text(text) => text.shown().to_owned(),
            other => other.to_string(),
        };
        paper.text(&text, Role::Text);
    }
    paper.head("Columns");
    for (name, value) in item.row.cells().filter(|(name, _)| spec.body.as_deref() != Some(*name)) {
        let (text, _, role) = ink.cell(value, pack::ColumnFormat::Plain);
        paper.labelled(name, &text, role);
    }
}

pub fn job(paper: &mut Paper<'_>, id: &Id<Job>) {
    let ink = paper.ink;
    let Some(spec) = pack::find(&ink.model.pack.jobs, id) else { return };
    let snapshot = ink.model.snapshot.as_ref();
    let report = snapshot.and_then(|snapshot| snapshot.jobs.iter().find(|job| job.id == *id));
    let zones = if spec.schedule.evaluated_in == spec.schedule.meant_in {
        format!("{} ({})", spec.schedule.cron, spec.schedule.evaluated_in)
    } else {
        format!("{} evaluated in {}, meant in {}", spec.schedule.cron, spec.schedule.evaluated_in, spec.schedule.meant_in)
    };
    paper.labelled("Schedule", &zones, Role::Text);
    if !spec.note.is_empty() {
        paper.labelled("Does", &spec.note, Role::Text);
    }
    let Some(report) = report else { return };
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(health) = &report.look.value {
        paper.labelled("State", &format!("{}. {}", health.state, health.why), Ink::severity(jobs::severity(&ink, report)));
        if let Some(expected) = health.expected {
            paper.labelled("Expected", &ink.date(expected), Role::Text);
        }
        if let Some(next) = health.next {
            paper.labelled("Next", &format!("{}, in {}", ink.date(next), span(next - ink.calm)), Role::Text);
        }
        if health.missed > 0 {
            let runs = if health.missed == 1 { "run" } else { "runs" };
            paper.labelled("Missed", &format!("{} {runs}", health.missed), Role::Warning);
        }
        if let Some(change) = &health.clock_change {
            paper.labelled("Clock change", change, Role::Warning);
        }
        for (name, value) in &health.effect {
            paper.labelled(name, &value.to_string(), Role::Text);
        }
        paper.labelled("Runs", &jobs::history(health, 60), Role::Chart);
        paper.head("Runs, newest first");
        for run in health.runs.iter().take(60) {
            let when = run.started.or(run.due).map_or_else(|| "-".to_owned(), |at| ink.when(at));
            let took = run.finished.zip(run.started).map_or_else(String::new, |(end, start)| age::span(end - start));
            let (word, role) = match run.outcome {
                RunOutcome::Succeeded => ("ok", Role::Good),
                RunOutcome::Slow => ("slow", Role::Warning),
                RunOutcome::Failed => ("FAILED", Role::Bad),
                RunOutcome::Running => ("running", Role::Text),
                RunOutcome::Missed => ("MISSED", Role::Bad),
            };
            let attempt = run.attempt.map_or_else(String::new, |attempt| format!("attempt {attempt}/{}  ", spec.attempts));
            let error = run.error.as_ref().map_or_else(String::new, crate::domain::text::Text::one_line);
            let (when, word, took) = (format!("{when:<13}"), format!("{word:<8}"), format!("{took:<8}"));
            paper.cells(&[
                (&when, Role::Muted),
                (&word, role),
                (&took, Role::Muted),
                (&attempt, Role::Muted),
                (&error, Role::Text),
            ]);
        }
    }
    history(paper, &Subject::Job(id.clone()));
}

pub fn statement(paper: &mut Paper<'_>, id: &Id<Reconciliation>) {
    let ink = paper.ink;
    let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.reconciliations.as_slice()).unwrap_or_default();
    let Some(report) = reports.iter().find(|report| report.id == *id) else { return };
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(statement) = &report.look.value {
        paper.labelled("Window", &format!("{} to {}", ink.date(statement.from), ink.date(statement.to)), Role::Text);
        paper.labelled("Matched", &format!("{} rows", statement.matched), Role::Text);
        for totals in &statement.totals {
            paper.head(totals.difference.currency.code());
            paper.labelled(&statement.theirs_title, &format!("{}   {} rows", totals.theirs, totals.theirs_rows), Role::Money);
            paper.labelled(&statement.ours_title, &format!("{}   {} rows", totals.ours, totals.ours_rows), Role::Money);
            paper.labelled("difference", &reconciliation::signed(totals.difference), Role::Warning);
            for (class, count, sum) in totals.by_class.iter().filter(|(_, count, _)| *count > 0) {
                let role = if *class == Class::Matched { Role::Muted } else { Role::Text };
                paper.labelled(&format!("  {}", class.said()), &format!("{count:>4}   {}", reconciliation::signed(*sum)), role);
            }
        }
    }
    match &report.signed_off {
        Some(sign_off) => {
            paper.head("Signed off");
            paper.labelled("By", &format!("{} on {}", sign_off.operator, ink.date(sign_off.at)), Role::Text);
            paper.labelled("Note", sign_off.note.shown(), Role::Text);
            paper.labelled("SHA-256", &sign_off.hash, Role::Muted);
        }
        None => {
            paper.head("Never signed off; O signs it off");
        }
    }
    history(paper, &Subject::Reconciliation(id.clone()));
}

pub fn discrepancy(paper: &mut Paper<'_>, id: &Id<Reconciliation>, key: &str) {
    let ink = paper.ink;
    let Some(discrepancy) = ink.model.discrepancy(id, key) else { return };
    paper.labelled("Class", discrepancy.class.said(), Role::Warning);
    paper.labelled("What", discrepancy.said.shown(), Role::Text);
    let difference: Vec<String> = discrepancy.difference.iter().map(|money| reconciliation::signed(*money)).collect();
    paper.labelled("Difference", &difference.join(" "), Role::Money);
    match discrepancy.proposal.as_ref().and_then(|id| pack::find(&ink.model.pack.actions, id)) {
        Some(action) => paper.labelled("Repair", &format!("a {} (asks first)", action.title), Role::Key),
        None => paper.labelled("Repair", "the pack proposes none", Role::Muted),
    }
    for (title, entry) in [("Theirs", &discrepancy.theirs), ("Ours", &discrepancy.ours)] {
        paper.head(title);
        let Some(entry) = entry else {
            paper.text("no row", Role::Muted);
            continue;
        };
        paper.labelled("id", &entry.key, Role::Text);
        paper.labelled("amount", &entry.amount.to_string(), Role::Money);
        paper.labelled("refunded", &entry.refunded.to_string(), Role::Money);
        paper.labelled("at", &ink.date(entry.at), Role::Text);
        for (name, value) in entry.row.cells() {
            let (text, _, role) = ink.cell(value, pack::ColumnFormat::Plain);
            paper.labelled(name, &text, role);
        }
    }
}

pub fn flag(paper: &mut Paper<'_>, id: &Id<Flag>) {
    let ink = paper.ink;
    let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.flags.as_slice()).unwrap_or_default();
    let Some(report) = reports.iter().find(|report| report.id == *id) else { return };
    let value = report.look.value.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    paper.labelled("Now", &value, if value == report.normal { Role::Good } else { Role::Warning });
    paper.labelled("Normal", &report.normal, Role::Text);
    paper.labelled("Values", &report.values.join(", "), Role::Text);
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(check) = pack::find(&ink.model.pack.flags, id).and_then(|flag| flag.back_when.as_ref()) {
        paper.labelled("Back when", &format!("{check} is green"), Role::Text);
    }
    let Some(flip) = &report.flip else { return };
    paper.head("Open flip");
    paper.labelled("Flipped", &format!("{} -> {} on {} by {}", flip.from, flip.to, ink.date(flip.at), flip.operator), Role::Text);
    paper.labelled("Because", flip.reason.shown(), Role::Text);
    paper.labelled("Phase", flags::phase(flip.phase), Role::Warning);
    for probe in &flip.probes {
        let (word, role) = if probe.ok { ("[ok] ", Role::Good) } else { ("[NO] ", Role::Bad) };
        let said = format!(
            "{}: expected {}, got {} at {}",
            probe.title,
            probe.expected.one_line(),
            probe.got.one_line(),
            ink.clock(probe.at)
        );
        paper.cells(&[(word, role), (&said, Role::Text)]);
    }
}

pub fn metric(paper: &mut Paper<'_>, id: &Id<Metric>) {
    let ink = paper.ink;
    let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.metrics.as_slice()).unwrap_or_default();
    let Some(report) = reports.iter().find(|report| report.id == *id) else { return };
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(reading) = &report.look.value {
        let value = reading.value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        paper.labelled("Now", if reading.said.is_empty() { &value } else { &reading.said }, Role::Money);
        if let Some((target, is_met)) = &reading.target {
            paper.labelled("Target", target, if *is_met { Role::Good } else { Role::Warning });
        }
        let room = paper.width.saturating_sub(14);
        paper.labelled("Course", &metrics::spark(&ink, &reading.series, room), Role::Chart);
    }
    if let Some(spec) = pack::find(&ink.model.pack.metrics, id) {
        paper.labelled("Means", &spec.definition, Role::Text);
    }
}

pub fn line(paper: &mut Paper<'_>, sequence: u64) {
    let ink = paper.ink;
    let Some(line) = ink.model.line(sequence) else { return };
    paper.labelled("When", &ink.date(line.at), Role::Text);
    paper.labelled("Who", &line.who, Role::Text);
    paper.labelled("What", &line.word, Ink::severity(line.severity));
    paper.blank();
    paper.text(line.said.shown(), Role::Text);
}

pub fn queue(paper: &mut Paper<'_>, id: &Id<Queue>) {
    let ink = paper.ink;
    let Some(spec) = ink.model.queue_spec(id) else { return };
    let Some(figures) = ink.model.figures.get(id) else { return };
    paper.labelled("Waiting", &format!("{} items", figures.count), Role::Text);
    paper.labelled("Estimate", &queues::estimate(spec.minutes_each * figures.count as f64), Role::Text);
    if let Some(oldest) = figures.oldest {
        paper.labelled("Oldest", &format!("{} since {}", ink.age(oldest), ink.date(oldest)), Role::Text);
    }
    if figures.barred > 0 {
        paper.labelled("Barred", &format!("{} items are barred from an action", figures.barred), Role::Warning);
    }
    for preset in &spec.presets {
        let count = figures.presets.get(&preset.name).copied().unwrap_or(0);
        paper.labelled(&format!(".{}", preset.name), &format!("{count:>4}   {}", preset.filter.source()), Role::Text);
    }
    for action in spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id)) {
        let key = action.key.map_or_else(String::new, String::from);
        paper.labelled(&format!("  {key}"), &action.title, Role::Key);
    }
}
