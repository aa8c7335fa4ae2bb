//! What an earlier run left, over the panes: what is certain, what is not, what is asked, how it stands, what is left to do.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{Clear, Widget as _},
};

use super::{
    ink::{Ink, wrapped},
    layout, sheet,
};
use crate::{
    domain::{
        plan::Standing,
        recovery::{self, CutBatch, LeftAct, Recovery},
        text,
    },
    ui::{keymap::Intent, overlay::RecoveryPage, theme::Role},
};

type Line = (String, Role);

/// Each fact stands under its word.
const WORDS: usize = 9;

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, page: RecoveryPage) {
    let Some(recovery) = ink.model.recovery() else { return };
    let layout = layout::arrange(ink.model);
    // The header says whose business it is, the last line what a key was answered: both stay.
    let bottom = if layout.footer.height > 0 { layout.footer.y } else { layout.status.y };
    let area = Rect::new(screen.x, layout.header.bottom(), screen.width, bottom - layout.header.bottom());
    Clear.render(area, buffer);
    let hint = if recovery.ended_at.is_some() { "Esc leaves" } else { "" };
    let title = format!("Recovery: {} of an earlier run", recovery::counted(recovery));
    if area.width < 12 || area.height < 4 {
        return;
    }
    let (x, room) = (area.x + 2, area.width - 4);
    let width = usize::from(room);
    let mut ends = ends(ink, recovery, width);
    if area.height >= 14 {
        ends.insert(0, (String::new(), Role::Text));
    }
    let below = (ends.len() as u16).min((area.height - 2) / 2);
    let height = usize::from(area.height - 2 - below);
    let (lines, selected) = lines(ink, recovery, page.at, width);
    let offset = (offset(&selected, lines.len(), height) + page.scroll).min(lines.len().saturating_sub(height));
    let left = lines.len().saturating_sub(offset + height);
    let more = format!("{left} more lines, {}", ink.model.keymap.key_of(Intent::PageDown));
    sheet::frame(ink, buffer, area, &title, hint, true, Some((more.as_str(), Role::Warning)).filter(|_| left > 0));
    for ((line, role), y) in lines.iter().skip(offset).take(height).zip(area.y + 1..) {
        ink.put(buffer, (x, y), room, line, *role);
    }
    for ((line, role), y) in ends.iter().zip(area.bottom() - 1 - below..area.bottom() - 1) {
        ink.put(buffer, (x, y), room, line, *role);
    }
}

/// The keys of the foot.
pub fn keys(ink: &Ink<'_>) -> Vec<(String, String)> {
    let key = |intent| ink.model.keymap.key_of(intent);
    let Some(recovery) = ink.model.recovery() else { return Vec::new() };
    let mut keys = vec![(key(Intent::Down), "next".to_owned())];
    if recovery.ended_at.is_some() {
        let unlock = if ink.model.is_unlocked() { "lock" } else { "unlock" };
        keys.extend([
            (key(Intent::LookUp), "look again".to_owned()),
            (key(Intent::Decide), "decide".to_owned()),
            (key(Intent::Open), "go on with it".to_owned()),
            (key(Intent::Unlock), unlock.to_owned()),
            (key(Intent::Back), "leave".to_owned()),
        ]);
    } else {
        keys.push((key(Intent::Quit), "quit".to_owned()));
    }
    keys
}

/// So far down that the selected part is in view, and no further than that.
fn offset(selected: &std::ops::Range<usize>, all: usize, height: usize) -> usize {
    let last = all.saturating_sub(height);
    // What is above the first part is read with it.
    if selected.end <= height { 0 } else { (selected.end - height).min(selected.start).min(last) }
}

fn lines(ink: &Ink<'_>, recovery: &Recovery, at: usize, width: usize) -> (Vec<Line>, std::ops::Range<usize>) {
    let mut lines = Vec::new();
    let said = if recovery.ended_at.is_some() {
        "The run before ended before it was done. This is what it left, and how it stands now."
    } else {
        "The run before ended before it was done. What it left is looked for outside before anything else is written."
    };
    push(&mut lines, said, Role::Text, width);
    if let Some(why) = &recovery.left_alone {
        push(&mut lines, &format!("Nothing of it is settled by this cockpit: {}", why.one_line()), Role::Bad, width);
    }
    let mut selected = 0..0;
    let acts = recovery.acts.iter().map(Part::Act);
    for (place, part) in acts.chain(recovery.batches.iter().map(Part::Batch)).enumerate() {
        lines.push((String::new(), Role::Text));
        let from = lines.len();
        let (marker, role) = if place == at { (">", Role::Title) } else { (" ", Role::Text) };
        push(&mut lines, &format!("{marker} {}", part.named(ink)), role, width);
        for (word, said, role) in part.facts(ink) {
            for (number, line) in wrapped(&said, width.saturating_sub(WORDS + 2).max(8)).into_iter().enumerate() {
                let word = if number == 0 { word } else { "" };
                lines.push((format!("  {word:<WORDS$}{line}"), role));
            }
        }
        if place == at {
            selected = from..lines.len();
        }
    }
    (lines, selected)
}

fn push(lines: &mut Vec<Line>, said: &str, role: Role, width: usize) {
    lines.extend(wrapped(said, width).into_iter().map(|line| (line, role)));
}

enum Part<'a> {
    Act(&'a LeftAct),
    Batch(&'a CutBatch),
}

impl Part<'_> {
    fn named(&self, ink: &Ink<'_>) -> String {
        match self {
            Self::Act(act) => act.named(|at| ink.when(at)),
            Self::Batch(batch) => {
                format!("Batch: {} {}   by {}, {}", batch.title, batch.total, batch.operator, ink.when(batch.planned_at))
            }
        }
    }

    fn facts(&self, ink: &Ink<'_>) -> Vec<(&'static str, String, Role)> {
        match self {
            Self::Act(act) => {
                let facts = act.facts(|at| exactly(ink, at));
                facts.into_iter().map(|(word, said)| (word, said, role(word, act))).collect()
            }
            Self::Batch(batch) => {
                let mut facts = vec![("now", batch.said(), if batch.is_through() { Role::Good } else { Role::Warning })];
                if !batch.unsent.is_empty() {
                    let key = ink.model.keymap.key_of(Intent::Open);
                    let amount = batch.unsent_amount.map_or_else(String::new, |amount| format!(", {amount},"));
                    let said = format!(
                        "{key} looks again at the {}{amount} that were not sent, leaves out what changed, and asks before any goes",
                        batch.unsent.len()
                    );
                    facts.push(("left", said, Role::Text));
                }
                facts
            }
        }
    }
}

/// Whoever waits counts seconds.
fn exactly(ink: &Ink<'_>, at: chrono::DateTime<chrono::Utc>) -> String {
    at.with_timezone(&ink.zone()).format("%H:%M:%S").to_string()
}

fn role(word: &str, act: &LeftAct) -> Role {
    match (word, act.receipt.standing) {
        ("now", Standing::Done) => Role::Good,
        ("now", Standing::Unknown | Standing::Rejected) => Role::Bad,
        ("now", Standing::Changed) if act.receipt.has_rest => Role::Bad,
        ("unknown" | "waits" | "now", _) => Role::Warning,
        ("so", _) => Role::Muted,
        _ => Role::Text,
    }
}

/// What is waited for, or what is left for a person.
fn ends(ink: &Ink<'_>, recovery: &Recovery, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if recovery.ended_at.is_none() {
        let said = match recovery.waits_for() {
            Some((whom, since)) => format!(
                "Waiting for {} since {}. Keys that change anything are taken once it has answered, or its time is over.",
                whom.one_line().trim_end_matches(','),
                exactly(ink, *since)
            ),
            None => "Being settled. Keys that change anything are taken once that is over.".to_owned(),
        };
        push(&mut lines, &said, Role::Warning, width);
        return lines;
    }
    let key = |intent| ink.model.keymap.key_of(intent);
    let count = |is_so: &dyn Fn(&LeftAct) -> bool| recovery.acts.iter().filter(|act| is_so(act)).count();
    let unknown = count(&|act| act.receipt.standing == Standing::Unknown);
    let half_done = count(&|act| act.receipt.is_half_done());
    let unproven = count(&|act| act.receipt.standing == Standing::Unproven);
    let (look, decide) = (key(Intent::LookUp), key(Intent::Decide));
    if recovery.left_alone.is_some() {
        let said = format!("Quit, put the key right and start again. {} leaves, :recovery opens this again.", key(Intent::Back));
        push(&mut lines, &said, Role::Warning, width);
        return lines;
    }
    if unknown > 0 {
        let acts = text::counted(unknown, "act");
        push(&mut lines, &format!("{acts} unknown: {look} looks again, {decide} decides."), Role::Bad, width);
    }
    if half_done > 0 {
        let acts = text::counted(half_done, "act");
        let goes_on = recovery.acts.iter().any(|act| act.receipt.is_half_done() && act.receipt.is_resendable);
        let rest = if goes_on { format!("{} or {look} does the rest, ", key(Intent::Open)) } else { String::new() };
        let said = format!("{acts} half done: {rest}{decide} decides.");
        push(&mut lines, &said, Role::Bad, width);
    }
    if unproven > 0 {
        let acts = text::counted(unproven, "act");
        let said = format!("{acts} not proven: {} or {look} looks for the proof again, {decide} decides.", key(Intent::Open));
        push(&mut lines, &said, Role::Warning, width);
    }
    let unsent = recovery.batches.iter().filter(|batch| !batch.unsent.is_empty()).count();
    if unsent > 0 {
        let batches = if unsent == 1 { "1 batch was".to_owned() } else { format!("{unsent} batches were") };
        let said = format!("{batches} cut off: {} on it goes on with what was not sent.", key(Intent::Open));
        push(&mut lines, &said, Role::Warning, width);
    }
    if unknown + half_done + unproven + unsent == 0 {
        let said = format!("Nothing is left to decide. {} leaves, :recovery opens this again.", key(Intent::Back));
        push(&mut lines, &said, Role::Good, width);
    }
    lines
}
