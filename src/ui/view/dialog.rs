//! The dialog before an act: which guards hold, what it will do in order, how it is confirmed.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::{
    ink::{Ink, wrapped},
    overlay, sheet,
};
use crate::{
    domain::{age, pack::Confirm},
    engine::message::{PlanPreview, Preview},
    ui::{
        dialog::{Dialog, Entry, Focus, Stage},
        theme::Role,
    },
};

/// A screen of this height shows the whole of most dialogs.
const ROOMY: u16 = 20;

/// Plans named one by one; more are counted.
const NAMED: usize = 12;
/// Rows named of those that are refused for one reason.
const NAMED_OF_ONE_REASON: usize = 4;

struct Text {
    width: usize,
    /// What it is about has been said already.
    is_short: bool,
    lines: Vec<(String, Role)>,
}

impl Text {
    fn push(&mut self, text: &str, role: Role) {
        self.lines.extend(wrapped(text, self.width).into_iter().map(|line| (line, role)));
    }

    /// `label    text`, what is longer going on under the text.
    fn labelled(&mut self, label: &str, text: &str, role: Role) {
        let room = self.width.saturating_sub(9).max(8);
        for (at, line) in wrapped(text, room).into_iter().enumerate() {
            let head = if at == 0 { label } else { "" };
            self.lines.push((format!("{head:<9}{line}"), role));
        }
    }
}

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, dialog: &Dialog) {
    if !dialog.fits(ink.model.size) {
        return too_small(ink, buffer, screen, dialog);
    }
    let width = screen.width.min(96);
    let is_short = screen.height < ROOMY;
    let mut text = Text { width: usize::from(width.saturating_sub(4)), is_short, lines: Vec::new() };
    if let Some(preview) = dialog.preview().filter(|_| is_short) {
        in_short(&mut text, preview);
    }
    about(&mut text, dialog);
    if dialog.preview().is_some() && dialog.stops().len() > 2 {
        text.push("", Role::Text);
    }
    let typed = u16::from(dialog.stops().contains(&Focus::Typed));
    let below = dialog.below();
    let wanted = (text.lines.len().min(200) as u16).saturating_add(below + 2);
    let area = overlay::centered(buffer, screen, width, wanted.max(8));
    let about_height = area.height.saturating_sub(2 + below);
    let offset = dialog.scroll.min(text.lines.len().saturating_sub(usize::from(about_height)));
    let left = text.lines.len().saturating_sub(offset + usize::from(about_height));
    let more = format!("{left} more lines, PgDn");
    let foot = Some((more.as_str(), Role::Warning)).filter(|_| left > 0);
    sheet::frame(ink, buffer, area, &dialog.title, "Esc cancels", true, foot);
    if area.width < 8 || area.height < 3 {
        return;
    }
    let (x, room) = (area.x + 2, area.width - 4);
    for ((line, role), y) in text.lines.iter().skip(offset).zip(area.y + 1..(area.y + 1 + about_height).min(area.bottom() - 1)) {
        ink.put(buffer, (x, y), room, line, *role);
    }
    let mut y = area.y + 1 + about_height;
    let last = area.bottom() - 1;
    for (at, entry) in dialog.entries.iter().enumerate() {
        if y < last {
            input(ink, buffer, Rect::new(x, y, room, 1), entry, dialog.focus == Focus::Input(at));
        }
        y += 1;
    }
    if typed > 0 {
        if y < last {
            type_it(ink, buffer, Rect::new(x, y, room, 1), dialog);
        }
        y += 1;
    }
    // However small the screen is, the two choices stay in view.
    let y = (y + 1).min(last.saturating_sub(1)).max(area.y + 1);
    choices(ink, buffer, Rect::new(x, y, room, 1), dialog);
}

/// Nothing that could not be read is confirmed; what was typed stays for when there is room.
fn too_small(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, dialog: &Dialog) {
    let area = overlay::centered(buffer, screen, screen.width, screen.height);
    sheet::frame(ink, buffer, area, &dialog.title, "Esc cancels", true, None);
    let (width, height) = dialog.least();
    let what = match dialog.preview().map(|preview| (preview.plans.as_slice(), preview.total)) {
        Some(([plan], _)) => format!(" {}.", named(plan)),
        Some((plans @ [_, ..], Some(total))) => format!(" {} items, {total}.", plans.len()),
        Some((plans @ [_, ..], None)) => format!(" {} items.", plans.len()),
        Some(([], _)) | None => String::new(),
    };
    let said = format!("Too small to confirm: make it {width}x{height}.{what} Nothing has been sent, Esc cancels.");
    let room = area.width.saturating_sub(4);
    for (line, y) in wrapped(&said, usize::from(room)).iter().zip(area.y + 1..area.bottom().saturating_sub(1)) {
        ink.put(buffer, (area.x + 2, y), room, line, Role::Warning);
    }
}

/// The one thing that must be in view where not all of it is: what, how much, and whether it can be taken back.
fn in_short(text: &mut Text, preview: &Preview) {
    let plans = preview.plans.as_slice();
    let what = match (plans, preview.total) {
        ([], _) => return,
        ([plan], _) => named(plan),
        (plans, Some(total)) => format!("{} items, {total} in all", plans.len()),
        (plans, None) => format!("{} items", plans.len()),
    };
    let steps = plans.iter().map(|plan| plan.steps.len()).max().unwrap_or(0);
    let back = if preview.is_final { "cannot be taken back" } else { "can be taken back" };
    let steps = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
    let left_out = if preview.refused.is_empty() { String::new() } else { format!("; {} left out", preview.refused.len()) };
    text.labelled("About", &what, Role::Title);
    text.labelled("", &format!("{steps}, {back}{left_out}"), if preview.is_final { Role::Warning } else { Role::Text });
}

fn about(text: &mut Text, dialog: &Dialog) {
    let preview = match &dialog.stage {
        Stage::Checking => {
            let who = if dialog.targets.len() == 1 {
                dialog.targets.first().map_or("", |target| target.key.as_str()).to_owned()
            } else {
                format!("{} items", dialog.targets.len())
            };
            text.push(&format!("{who}: checking what this would do..."), Role::Muted);
            return;
        }
        Stage::Failed(why) => {
            text.push("It cannot be said what this would do, so it cannot be done:", Role::Bad);
            text.push(why.shown(), Role::Bad);
            return;
        }
        Stage::Ready(preview) => preview,
    };
    if dialog.missing_marks > 0 {
        text.push(&format!("{} marked rows went away meanwhile and are not part of this.", dialog.missing_marks), Role::Warning);
    }
    match preview.plans.as_slice() {
        [] => text.push("Nothing of this can be done.", Role::Warning),
        [plan] => one(text, plan),
        plans => many(text, plans, preview),
    }
    refused(text, preview);
    for changed in &preview.changed {
        text.labelled("Changed", &changed.one_line(), Role::Warning);
    }
    if !preview.caps.is_empty() {
        text.push("", Role::Text);
    }
    for (said, holds) in &preview.caps {
        text.labelled(if *holds { "[ok] cap" } else { "[NO] cap" }, said, if *holds { Role::Good } else { Role::Bad });
    }
    if !preview.plans.is_empty() {
        text.push("", Role::Text);
        if let Some(why) = &preview.unclaimed {
            text.labelled("Claim", &why.one_line(), Role::Warning);
        }
        text.labelled("After", &afterwards(preview), if preview.is_final { Role::Warning } else { Role::Text });
        letters(text, &preview.plans);
    }
    if dialog.is_behind {
        text.push("An input changed: Tab checks again.", Role::Muted);
    }
}

/// What a plan is about: its id, its label, its amount, each of them once.
fn named(plan: &PlanPreview) -> String {
    let label = plan.label.one_line();
    let key = if label.contains(&plan.target.key) { String::new() } else { format!("{}   ", plan.target.key) };
    let amount = plan.amount.map(|amount| amount.to_string()).filter(|amount| !label.contains(amount.as_str()));
    let amount = amount.map_or_else(String::new, |amount| format!("   {amount}"));
    format!("{key}{label}{amount}")
}

fn one(text: &mut Text, plan: &PlanPreview) {
    if !text.is_short {
        text.labelled("About", &named(plan), Role::Title);
    }
    if !plan.guards.is_empty() {
        text.push("", Role::Text);
    }
    for guard in &plan.guards {
        let (word, role) = if guard.holds { ("[ok]", Role::Good) } else { ("[NO]", Role::Bad) };
        text.labelled(word, &format!("{:<22} {}", guard.title, guard.said.one_line()), role);
    }
    text.push("", Role::Text);
    for (at, step) in plan.steps.iter().enumerate() {
        let head = if at == 0 { "Will do" } else { "" };
        text.labelled(head, &format!("{} {}", at + 1, step.one_line()), Role::Text);
    }
}

fn many(text: &mut Text, plans: &[PlanPreview], preview: &Preview) {
    let total = preview.total.map_or_else(String::new, |total| format!("   {total} in all"));
    if !text.is_short {
        text.labelled("About", &format!("{} items{total}", plans.len()), Role::Title);
    }
    if let Some(plan) = plans.first() {
        // What differs from row to row is shown on the first one, and said to be its.
        if plans.iter().any(|other| other.steps != plan.steps) {
            text.labelled("Each", &format!("as for {}, with its own values:", plan.target.key), Role::Muted);
        }
        let is_same = plans.iter().all(|other| other.steps == plan.steps);
        for (at, step) in plan.steps.iter().enumerate() {
            let head = if at == 0 && is_same { "Each" } else { "" };
            text.labelled(head, &format!("{} {}", at + 1, step.one_line()), Role::Text);
        }
    }
    text.push("", Role::Text);
    for plan in plans.iter().take(NAMED) {
        text.push(&format!("  {}", named(plan)), Role::Muted);
    }
    if plans.len() > NAMED {
        text.push(&format!("  and {} more", plans.len() - NAMED), Role::Muted);
    }
}

/// What others will read, below what must be in view: of several it is the first one's.
fn letters(text: &mut Text, plans: &[PlanPreview]) {
    let Some(plan) = plans.first() else { return };
    for letter in &plan.letters {
        text.push("", Role::Text);
        let whose = if plans.len() > 1 { format!(" ({}, as the first)", plan.target.key) } else { String::new() };
        let head = match &letter.subject {
            Some(subject) => format!("{}: {}", letter.to.one_line(), subject.one_line()),
            None => letter.to.one_line(),
        };
        let label = if letter.subject.is_some() { "Mail" } else { "Message" };
        text.labelled(label, &format!("{head}{whose}"), Role::Title);
        for line in letter.text.shown().trim_end().lines() {
            text.labelled("", line, Role::Muted);
        }
    }
}

fn refused(text: &mut Text, preview: &Preview) {
    if preview.refused.is_empty() {
        return;
    }
    text.push("", Role::Text);
    let count = preview.refused.len();
    text.push(&format!("Refused, and left out: {count}"), Role::Warning);
    // What bars a hundred for one reason says it once.
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (target, why) in &preview.refused {
        let why = why.one_line();
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, keys)) => keys.push(&target.key),
            None => reasons.push((why, vec![&target.key])),
        }
    }
    for (why, keys) in reasons.iter().take(NAMED) {
        let more = keys.len().saturating_sub(NAMED_OF_ONE_REASON);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let keys = keys.iter().take(NAMED_OF_ONE_REASON).copied().collect::<Vec<_>>().join(", ");
        text.push(&format!("  [NO] {keys}{more}: {why}"), Role::Warning);
    }
    let left: usize = reasons.iter().skip(NAMED).map(|(_, keys)| keys.len()).sum();
    if left > 0 {
        text.push(&format!("  and {left} more"), Role::Warning);
    }
}

fn afterwards(preview: &Preview) -> String {
    let hold = if preview.hold.is_zero() {
        String::new()
    } else {
        let span = age::span(chrono::TimeDelta::from_std(preview.hold).unwrap_or_default());
        format!("It is held for {span} first; u stops it until then. ")
    };
    let last = if preview.is_final { "Once sent it cannot be taken back." } else { "It can be taken back (u)." };
    format!("{hold}{last}")
}

fn input(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, entry: &Entry, is_focused: bool) {
    let marker = if is_focused { ">" } else { " " };
    ink.put(buffer, (area.x.saturating_sub(1), area.y), 1, marker, Role::Selected);
    let star = if entry.required && entry.field.is_empty() { "*" } else { "" };
    let label = format!("{}{star}", entry.title);
    let took =
        ink.put(buffer, (area.x, area.y), 12.min(area.width), &label, if star.is_empty() { Role::Muted } else { Role::Warning });
    let mut x = area.x + took.max(9) + 1;
    if entry.choices.is_empty() {
        let width = area.right().saturating_sub(x);
        overlay::field(ink, buffer, (x, area.y), width, &entry.field, is_focused);
        return;
    }
    for (at, choice) in entry.choices.iter().enumerate() {
        let is_chosen = entry.field.text() == choice;
        let text = if is_chosen { format!("[{}] {choice} <", at + 1) } else { format!("[{}] {choice}", at + 1) };
        let role = if is_chosen { Role::Selected } else { Role::Text };
        x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &text, role) + 2;
    }
}

fn type_it(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, dialog: &Dialog) {
    let is_focused = dialog.focus == Focus::Typed;
    let expected = dialog.preview().map_or("", |preview| preview.expected.as_str());
    ink.put(buffer, (area.x.saturating_sub(1), area.y), 1, if is_focused { ">" } else { " " }, Role::Selected);
    let label = format!("Type {expected} to confirm:");
    let took = ink.put(buffer, (area.x, area.y), area.width, &label, Role::Warning);
    let x = area.x + took + 1;
    let width = (expected.width() as u16 + 6).max(12).min(area.right().saturating_sub(x));
    overlay::field(ink, buffer, (x, area.y), width, &dialog.typed, is_focused);
    let x = x + width + 2;
    ink.put(buffer, (x, area.y), area.right().saturating_sub(x), "(Enter alone does nothing)", Role::Muted);
}

fn choices(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, dialog: &Dialog) {
    let confirm = match dialog.preview() {
        Some(preview) if !preview.plans.is_empty() => {
            let count = preview.plans.len();
            let what = if count == 1 { dialog.title.clone() } else { format!("{} {count}", dialog.title) };
            let key = if preview.confirm == Confirm::Typed { "" } else { " (y)" };
            Some(format!("{what}{key}"))
        }
        Some(_) | None => None,
    };
    let boxed = |text: &str, is_focused: bool| if is_focused { format!("> {text} <") } else { format!("  {text}  ") };
    let cancel = boxed("Cancel", dialog.focus == Focus::Cancel);
    let confirm = confirm.map(|text| boxed(&text, dialog.focus == Focus::Confirm));
    let width = cancel.width() + confirm.as_ref().map_or(0, |text| text.width() + 4);
    let mut x = area.right().saturating_sub((width as u16).min(area.width));
    let role = |is_focused| if is_focused { Role::Selected } else { Role::Text };
    x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &cancel, role(dialog.focus == Focus::Cancel)) + 4;
    if let Some(confirm) = confirm {
        ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &confirm, role(dialog.focus == Focus::Confirm));
    }
}
