//! What the page of a flag says: where it stands, how a flip came through, how the loop is closed.

use crate::{
    domain::{
        id::Id,
        pack::{self, Flag},
        snapshot::{FlagFlip, FlagPhase, Subject},
    },
    ui::{
        theme::Role,
        view::{
            ink::Ink,
            page::{Extent, Paper},
        },
    },
};

pub fn flag(paper: &mut Paper<'_>, id: &Id<Flag>) {
    let ink = paper.ink;
    let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.flags.as_slice()).unwrap_or_default();
    let Some(report) = reports.iter().find(|report| report.id == *id) else { return };
    let value = report.look.value.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    let is_normal = value == report.normal;
    let values: Vec<&str> = report.values.iter().map(String::as_str).filter(|other| *other != report.normal).collect();
    if paper.extent == Extent::Aside && is_normal {
        paper.labelled("Values", &format!("{} (normal), {}", report.normal, values.join(", ")), Role::Text);
    } else {
        let now = format!("{value}   (normal {}, else {})", report.normal, values.join(", "));
        paper.labelled("Now", &now, if is_normal { Role::Good } else { Role::Warning });
    }
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(flip) = &report.flip {
        open(paper, flip);
    } else if !is_normal {
        paper.labelled("Flipped", "outside of this cockpit: who and why is not known here", Role::Warning);
    }
    let Some(spec) = pack::find(&ink.model.pack.flags, id) else { return };
    if let Some(check) = &spec.back_when {
        let alert = ink.model.alert(&Subject::Check(check.clone()));
        let (title, word) = alert.map_or_else(
            || (check.to_string(), "not looked at yet"),
            |alert| (alert.title.clone(), ink.model.severity(alert).word()),
        );
        let role = alert.map_or(Role::Muted, |alert| Ink::severity(ink.model.severity(alert)));
        paper.labelled("Back when", &format!("{title} is green; it is {word}"), role);
    }
    if !is_normal || report.flip.is_some() {
        paper.labelled("Put back", &format!("t flips it to {} (asks first)", report.normal), Role::Key);
    }
    if !spec.probes.is_empty() && report.flip.is_none() {
        let titles: Vec<&str> = spec.probes.iter().map(|probe| probe.title.as_str()).collect();
        paper.labelled("A flip is", &format!("observed by {}", titles.join(", ")), Role::Muted);
    }
}

fn open(paper: &mut Paper<'_>, flip: &FlagFlip) {
    let ink = paper.ink;
    let since = format!("{} -> {} on {} ({}) by {}", flip.from, flip.to, ink.date(flip.at), ink.age(flip.at), flip.operator);
    paper.labelled("Flipped", &since, Role::Text);
    if !flip.reason.shown().is_empty() {
        paper.labelled("Because", flip.reason.shown(), Role::Text);
    }
    let (deployed, observed) = match flip.phase {
        FlagPhase::Written => ("[ ] deployed", "[ ] observed"),
        FlagPhase::Deployed => ("[x] deployed", "[ ] observed"),
        FlagPhase::Observed => ("[x] deployed", "[x] observed"),
        FlagPhase::Unobserved => ("[?] deployed", "[NO] observed: the probes did not see it in time"),
    };
    let role = match flip.phase {
        FlagPhase::Written | FlagPhase::Deployed => Role::Warning,
        FlagPhase::Observed => Role::Good,
        FlagPhase::Unobserved => Role::Bad,
    };
    paper.labelled("Stages", &format!("[x] written  {deployed}  {observed}"), role);
    for probe in &flip.probes {
        let (word, role) = if probe.ok { ("[ok]", Role::Good) } else { ("[NO]", Role::Bad) };
        let said = format!(
            "{word} {}: expected {}, got {} at {}",
            probe.title,
            probe.expected.one_line(),
            probe.got.one_line(),
            ink.when(probe.at)
        );
        paper.labelled("", &said, role);
    }
}
