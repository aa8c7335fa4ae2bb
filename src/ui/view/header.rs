//! The two lines at the top: whose business, live or not, locked or not, how old the data is; then what is wrong.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::ink::{Ink, minute, span};
use crate::{
    domain::{barrier::Barrier, plan::Standing, severity::Severity},
    ui::{
        freshness::Freshness,
        keymap::Intent,
        model::{Mode, Model},
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    identity(ink, buffer, Rect { height: 1, ..area });
    if area.height > 1 {
        counts(ink, buffer, Rect { y: area.y + 1, height: 1, ..area });
    }
}

/// The account, short enough for every screen and still told from another one.
fn short(account: &str) -> String {
    let (head, tail) = account.split_once('_').unwrap_or(("", account));
    let count = tail.chars().count();
    if count <= 6 || head.is_empty() {
        return account.to_owned();
    }
    let end: String = tail.chars().skip(count - 4).collect();
    format!("{head}..{end}")
}

fn identity(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let model = ink.model;
    let (mode, role) = match model.shown.mode {
        Mode::Live => (Mode::Live.word(), Role::Live),
        Mode::Test => (Mode::Test.word(), Role::Test),
        Mode::Demo => (Mode::Demo.word(), Role::Demo),
    };
    let mut left = vec![(format!(" {mode} "), role)];
    if let Some(account) = &model.shown.account {
        left.push((short(account), Role::Muted));
    }
    left.push((model.pack.title.clone(), Role::Title));
    left.push(lock(ink));
    if let Some(host) = &model.shown.ssh {
        left.push((format!("ssh {host}"), Role::Muted));
    }
    let mut right = clocks(ink);
    let width = |words: &[(String, Role)]| words.iter().map(|(text, _)| text.width() + 1).sum::<usize>();
    // Clocks give way first, then the host and the account; the age of the data is the last to go.
    let available = usize::from(area.width);
    let is_too_wide = |left: &[(String, Role)], right: &[(String, Role)]| width(left) + width(right) > available;
    while right.len() > 1 && is_too_wide(&left, &right) {
        right.pop();
    }
    if is_too_wide(&left, &right) && model.shown.ssh.is_some() {
        left.pop();
    }
    if is_too_wide(&left, &right) && model.shown.account.is_some() {
        let account = left.remove(1);
        if is_too_wide(&left, &right) {
            left.insert(1, account);
        }
    }
    if is_too_wide(&left, &right) {
        let over = (width(&left) + width(&right)).saturating_sub(available);
        cut_title(ink, &mut left, over);
    }
    if is_too_wide(&left, &right) {
        right.clear();
    }
    if is_too_wide(&left, &right) && model.shown.account.is_some() {
        left.remove(1);
    }
    if is_too_wide(&left, &right) {
        let over = width(&left).saturating_sub(available);
        cut_title(ink, &mut left, over);
    }
    // What keeps everything from being written is the last to go, after the name and the mode.
    let is_alarm = model.barrier().is_some_and(Barrier::is_alarm);
    for shorter in [Role::Title, role] {
        if is_alarm && is_too_wide(&left, &right) {
            left.retain(|(_, role)| *role != shorter);
        }
    }
    let mut x = area.x + 1;
    for (text, role) in &left {
        x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), text, *role) + 1;
    }
    let mut x = area.right().saturating_sub(width(&right) as u16).max(x);
    for (text, role) in &right {
        x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), text, *role) + 1;
    }
}

/// A business is known by less than its name; locked or not, and how old, must not be cut.
const LEAST_TITLE: usize = 8;

fn cut_title(ink: &Ink<'_>, left: &mut [(String, Role)], over: usize) {
    let Some((title, _)) = left.iter_mut().find(|(_, role)| *role == Role::Title) else { return };
    let room = title.width().saturating_sub(over);
    if room >= LEAST_TITLE {
        *title = ink.cut(title, room);
    }
}

fn lock(ink: &Ink<'_>) -> (String, Role) {
    let model = ink.model;
    match model.unlocked_until {
        _ if let Some(barrier) = model.barrier() => (format!("[{}]", barrier.word()), alarm(barrier)),
        _ if model.shown.read_only => ("[READ-ONLY]".to_owned(), Role::Muted),
        Some(until) if until > ink.now => (format!("[WRITE {}]", span(minute(until) - ink.calm)), Role::Warning),
        _ => ("[LOCKED]".to_owned(), Role::Muted),
    }
}

fn alarm(barrier: &Barrier) -> Role {
    match barrier {
        Barrier::ReadOnly(_) => Role::Muted,
        Barrier::HeldElsewhere(_) => Role::Warning,
        Barrier::WrongAccount(_) | Barrier::WrongMode(_) | Barrier::ChainBroken(_) | Barrier::Unwritable(_) => Role::Bad,
    }
}

/// The age of the data, the next look, the time; what is most needed first.
fn clocks(ink: &Ink<'_>) -> Vec<(String, Role)> {
    let model = ink.model;
    if model.unopened.is_some() {
        return vec![("nothing is read".to_owned(), Role::Bad)];
    }
    let mut clocks = vec![match model.freshness() {
        Freshness::Current(at) => (format!("as of {}", ink.when(at)), Role::Muted),
        Freshness::InPart(at) => (format!("in part as of {}", ink.when(at)), Role::Warning),
        Freshness::Nothing(Some(at)) => (format!("nothing read since {}", ink.when(at)), Role::Bad),
        Freshness::Nothing(None) => ("nothing could be read".to_owned(), Role::Bad),
        Freshness::Looking => ("looking for the first time".to_owned(), Role::Warning),
    }];
    let Some(snapshot) = &model.snapshot else { return clocks };
    for source in &snapshot.sources {
        clocks.extend(source.progress.as_ref().map(|said| (format!("{} {}", source.id, said.one_line()), Role::Warning)));
    }
    if let Some(next) = snapshot.next_look {
        // As wide as `<1m`: what stands beside it must not move when a minute begins.
        clocks.push((format!("next {:<3}", span(next - ink.calm)), Role::Muted));
    }
    let zoned = ink.calm.with_timezone(&ink.zone());
    clocks.push((zoned.format("%H:%M %Z").to_string(), Role::Text));
    if model.size.0 >= 150 {
        let fresh = snapshot.sources.iter().filter(|source| source.failure.is_none()).count();
        let role = if fresh == snapshot.sources.len() { Role::Muted } else { Role::Warning };
        clocks.push((format!("sources {fresh}/{}", snapshot.sources.len()), role));
    }
    clocks
}

/// How many alerts stand at each severity, the severest first.
pub fn counted(model: &Model) -> [(Severity, usize); 4] {
    let alerts = model.snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default();
    Severity::ALL.map(|severity| (severity, alerts.iter().filter(|alert| model.severity(alert) == severity).count()))
}

fn counts(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let mut x = area.x + 1;
    // Nothing is known yet, and it is said once, in the middle.
    let Some(snapshot) = &ink.model.snapshot else { return };
    for (severity, count) in counted(ink.model) {
        let word = match severity {
            Severity::Red => "red",
            Severity::Yellow => "yellow",
            Severity::Unknown => "no data",
            Severity::Green => "ok",
        };
        let role = if count == 0 { Role::Muted } else { Ink::severity(severity) };
        let text = format!("{} {count} {word}", severity.letter());
        x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &text, role) + 2;
    }
    let unknown = ink.model.receipts.count(Standing::Unknown);
    if unknown > 0 {
        let acts = if unknown == 1 { "1 ACT UNKNOWN".to_owned() } else { format!("{unknown} ACTS UNKNOWN") };
        let key = ink.model.keymap.key_of(Intent::Decide);
        x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &format!("| {acts}, {key} tells"), Role::Bad) + 2;
    }
    // Why nothing can be written goes before what changed since the last visit: it is so now, and lasts.
    if let Some(barrier) = ink.model.barrier().filter(|barrier| !matches!(barrier, Barrier::ReadOnly(_))) {
        let key = ink.model.keymap.key_of(Intent::Errors);
        let text = format!("| nothing is written, {key} tells: {}", barrier.why().one_line());
        ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &text, alarm(barrier));
        return;
    }
    let Some(digest) = &snapshot.since_last_visit else { return };
    let changed = digest.lines.join(", ");
    let text = match digest.last_visit.map(|at| ink.when(at)) {
        Some(since) if changed.is_empty() => format!("| since {since}: no change"),
        Some(since) => format!("| since {since}: {changed}"),
        // A first visit has nothing to compare with.
        None if changed.is_empty() => return,
        None => format!("| {changed}"),
    };
    ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &text, Role::Text);
}
