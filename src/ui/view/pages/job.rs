//! What the page of a job says: its schedule, its state, what it would do, its runs.

use super::alert::{course_of_severity, handling, history, notes};
use crate::{
    domain::{
        age,
        id::Id,
        pack::{self, Job},
        severity::Severity,
        snapshot::{JobHealth, JobReport, RunOutcome, Subject},
        text::Text,
    },
    ui::{
        theme::Role,
        view::{
            ink::{Ink, span},
            jobs,
            page::{Extent, Paper},
        },
    },
};

pub fn job(paper: &mut Paper<'_>, id: &Id<Job>) {
    let ink = paper.ink;
    let Some(spec) = pack::find(&ink.model.pack.jobs, id) else { return };
    let snapshot = ink.model.snapshot.as_ref();
    let report = snapshot.and_then(|snapshot| snapshot.jobs.iter().find(|job| job.id == *id));
    let Some(report) = report else {
        about(paper, spec);
        return;
    };
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    let Some(health) = &report.look.value else {
        about(paper, spec);
        history(paper, &Subject::Job(id.clone()));
        return;
    };
    state(paper, report, health);
    if let Some(alert) = ink.model.alert(&Subject::Job(id.clone())) {
        handling(paper, alert);
    }
    about(paper, spec);
    paper.labelled("Runs", &jobs::history(health, 60), Role::Chart);
    if paper.extent == Extent::Whole {
        let subject = Subject::Job(id.clone());
        notes(paper, &subject);
        runs(paper, spec, health);
        course_of_severity(paper, &subject);
    }
}

fn state(paper: &mut Paper<'_>, report: &JobReport, health: &JobHealth) {
    let ink = paper.ink;
    let role = Ink::severity(jobs::severity(&ink, report));
    match paper.extent {
        Extent::Whole => paper.labelled("State", &format!("{}: {}", health.state, health.why), role),
        // The row beside it says the state.
        Extent::Aside => paper.labelled("Why", &health.why, role),
    }
    latest_error(paper, health, jobs::severity(&ink, report));
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
    if !health.effect.is_empty() {
        let figures: Vec<String> =
            health.effect.iter().map(|(name, value)| format!("{value} {}", name.replace('_', " "))).collect();
        paper.labelled("There waits", &figures.join(", "), Role::Text);
    }
}

fn runs(paper: &mut Paper<'_>, spec: &Job, health: &JobHealth) {
    let ink = paper.ink;
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
        let error = run.error.as_ref().map_or_else(String::new, Text::one_line);
        let (when, word, took) = (format!("{when:<13}"), format!("{word:<8}"), format!("{took:<8}"));
        paper.cells(&[(&when, Role::Muted), (&word, role), (&took, Role::Muted), (&attempt, Role::Muted), (&error, Role::Text)]);
    }
}

/// The error behind a state that does not tell it already.
fn latest_error(paper: &mut Paper<'_>, health: &JobHealth, severity: Severity) {
    let Some(run) = health.runs.iter().find(|run| run.error.is_some()) else { return };
    let error = run.error.as_ref().map_or_else(String::new, Text::one_line);
    if severity == Severity::Green || health.why.contains(&error) {
        return;
    }
    let when = run.started.or(run.due).map_or_else(String::new, |at| format!("{}: ", paper.ink.when(at)));
    paper.labelled("Last error", &format!("{when}{error}"), Role::Bad);
}

fn about(paper: &mut Paper<'_>, spec: &Job) {
    let zones = if spec.schedule.evaluated_in == spec.schedule.meant_in {
        format!("{} ({})", spec.schedule.cron, spec.schedule.evaluated_in)
    } else {
        format!("{} evaluated in {}, meant in {}", spec.schedule.cron, spec.schedule.evaluated_in, spec.schedule.meant_in)
    };
    paper.labelled("Schedule", &zones, Role::Text);
    if !spec.note.is_empty() {
        paper.labelled("Does", &spec.note, Role::Text);
    }
}
