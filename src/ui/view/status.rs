//! The two lines at the foot: the keys that work here; what just happened, what is held, how a batch goes.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::{header, ink::Ink, layout};
use crate::{
    domain::{
        age,
        pack::{self, Confirm},
        plan::Standing,
        severity::Severity,
        snapshot::BatchReport,
        text,
    },
    ui::{
        chord::Chord,
        dialog::{Dialog, Focus},
        keymap::{Binding, Context, Intent},
        notice::Tone,
        overlay::Overlay,
        place::{Pane, Thing},
        theme::Role,
    },
};

/// As many keys as fit, those of this place first.
pub fn footer(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    if let Some(Overlay::Dialog(dialog)) = &ink.model.overlay {
        keys(ink, buffer, area, &in_dialog(dialog));
        return;
    }
    if matches!(ink.model.overlay, Some(Overlay::Recovery(_))) {
        keys(ink, buffer, area, &super::recovery::keys(ink));
        return;
    }
    let context = Context::of(&ink.model.place);
    let mut words: Vec<(String, String)> = vec![];
    if context == Context::Items
        && let Some(spec) = ink.model.place.queue.as_ref().and_then(|id| ink.model.queue_spec(id))
    {
        let actions = spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id));
        words.extend(actions.filter_map(|action| Some((action.key?.to_string(), action.title.to_lowercase()))));
    }
    let runs = matches!(&ink.model.place.page, Some(Thing::Run(plan)) if ink.model.running().any(|output| output.plan == *plan));
    let named = |(binding, chords): &&(Binding, Vec<Chord>)| {
        !binding.short.is_empty() && !chords.is_empty() && (runs || binding.intent != Intent::StopRun)
    };
    let said = |(binding, chords): &(Binding, Vec<Chord>)| Some((chords.first()?.to_string(), word(ink, binding)));
    let (own, general): (Vec<_>, Vec<_>) =
        ink.model.keymap.working_in(context).filter(named).partition(|(binding, _)| binding.contexts.contains(&context));
    words.extend(own.into_iter().filter_map(said));
    let ends = [Pane::Alerts, Pane::Journal].map(|pane| ink.model.keymap.key_of(Intent::Focus(pane)));
    if context != Context::Items && ink.model.place.page.is_none() {
        words.push((ends.join("-"), "panes".to_owned()));
    }
    words.extend(general.into_iter().filter_map(said));
    keys(ink, buffer, area, &words);
}

/// The keys of the dialog that is open.
fn in_dialog(dialog: &Dialog) -> Vec<(String, String)> {
    let mut words = vec![("Tab", "next field")];
    if dialog.choosing().is_some() {
        words.push(("1-9", "choose"));
    }
    if let Some(confirm) = dialog.confirm().filter(|_| dialog.stops().contains(&Focus::Confirm)) {
        words.push(if confirm == Confirm::Typed { ("Enter", "send, once it is typed") } else { ("y", "confirm") });
    }
    words.extend([("PgDn", "more"), ("Esc", "cancel")]);
    words.into_iter().map(|(key, said)| (key.to_owned(), said.to_owned())).collect()
}

fn keys(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, words: &[(String, String)]) {
    let mut x = area.x + 1;
    for (key, said) in words {
        let width = (key.width() + said.width() + 1) as u16;
        if x + width > area.right() {
            continue;
        }
        x += ink.put(buffer, (x, area.y), area.right() - x, key, Role::Key) + 1;
        x += ink.put(buffer, (x, area.y), area.right() - x, said, Role::Muted) + 2;
    }
}

fn word(ink: &Ink<'_>, binding: &Binding) -> String {
    if binding.intent == Intent::Unlock && ink.model.is_unlocked() { "lock".to_owned() } else { binding.short.to_owned() }
}

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    let mut right = format!("{} help", ink.model.keymap.key_of(Intent::Help));
    let errors = troubles(ink);
    if errors > 0 {
        right = format!(
            "{} {errors} {}   {right}",
            ink.model.keymap.key_of(Intent::Errors),
            if errors == 1 { "error" } else { "errors" }
        );
    }
    let right_width = right.width() as u16 + 1;
    let room = if area.width > right_width + 20 { area.width - right_width - 1 } else { area.width };
    if room < area.width {
        let role = if errors > 0 { Role::Warning } else { Role::Muted };
        ink.put(buffer, (area.right() - right_width, area.y), right_width, &right, role);
    }
    if let Some((field, _)) = &ink.model.typing {
        typing(ink, buffer, Rect { width: room, ..area }, field);
        return;
    }
    let mut x = area.x + 1;
    if layout::arrange(ink.model).header.height == 0
        && let Some(barrier) = ink.model.barrier().filter(|barrier| barrier.is_alarm())
    {
        // Without a header there is no other place that always says it.
        x += ink.put(buffer, (x, area.y), room, &format!("[{}]", barrier.word()), Role::Bad) + 1;
    }
    for (text, role) in parts(ink) {
        if x >= area.x + room {
            return;
        }
        x += ink.put(buffer, (x, area.y), area.x + room - x, &text, role) + 3;
    }
}

/// Sources that fail now, and what went wrong since the start.
fn troubles(ink: &Ink<'_>) -> usize {
    let sources = ink.model.snapshot.as_ref().map(|snapshot| snapshot.sources.as_slice()).unwrap_or_default();
    let barriers = ink.model.barrier().filter(|barrier| barrier.is_alarm()).iter().count();
    barriers + sources.iter().filter(|source| source.failure.is_some()).count() + ink.model.notices.errors.len()
}

fn typing(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect, field: &crate::ui::field::Field) {
    let mut x = area.x + 1;
    x += ink.put(buffer, (x, area.y), area.width.saturating_sub(1), "/", Role::Key);
    let (before, after) = field.halves();
    x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), before, Role::Text);
    x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), "_", Role::Input);
    x += ink.put(buffer, (x, area.y), area.right().saturating_sub(x), after, Role::Text) + 2;
    let problem = ink.model.work().and_then(|work| work.filter.problem());
    let hint = match (problem, ink.model.work()) {
        (Some(problem), _) => (problem.to_owned(), Role::Warning),
        (None, Some(work)) => (format!("{} of {}   words, column>value, age>3d", work.len(), work.total()), Role::Muted),
        (None, None) => ("Enter keeps it, Esc drops it".to_owned(), Role::Muted),
    };
    ink.put(buffer, (x, area.y), area.right().saturating_sub(x), &hint.0, hint.1);
}

/// What counts down comes first, then what was said, then what is to be done.
fn parts(ink: &Ink<'_>) -> Vec<(String, Role)> {
    let model = ink.model;
    let mut parts = Vec::new();
    let held = model.receipts.held(ink.now);
    if let Some(first) = held.first() {
        let seconds = first.held_until.map_or(0, |until| (until - ink.now).num_seconds().max(0));
        let more = if held.len() > 1 { format!(" (+{} held)", held.len() - 1) } else { String::new() };
        let key = model.keymap.key_of(Intent::TakeBack);
        let it = if model.receipts.held_together(ink.now) { "all of them" } else { "it" };
        parts.push((
            format!("{} {} held, sends in {seconds}s{more}: {key} takes {it} back", first.title, first.label.one_line()),
            Role::Warning,
        ));
    }
    let batch = model.snapshot.as_ref().and_then(|snapshot| snapshot.batch.as_ref());
    parts.extend(batch.filter(|batch| batch.ended_at.is_none()).map(|batch| progress(ink, batch)));
    parts.extend(running(ink));
    let unknown = model.receipts.count(Standing::Unknown);
    if unknown > 0 {
        let key = model.keymap.key_of(Intent::LookUp);
        let acts = if unknown == 1 { "1 act".to_owned() } else { format!("{unknown} acts") };
        let (it, decide) = (if unknown == 1 { "it" } else { "them" }, model.keymap.key_of(Intent::Decide));
        parts.push((format!("{acts} unknown: {key} looks {it} up, {decide} tells and decides"), Role::Bad));
    }
    let unproven = model.receipts.count(Standing::Unproven);
    if unproven > 0 {
        let (acts, key) = (text::counted(unproven, "act"), model.keymap.key_of(Intent::LookUp));
        let decide = model.keymap.key_of(Intent::Decide);
        parts.push((format!("{acts} not proven: {key} looks for the proof again, {decide} tells and decides"), Role::Warning));
    }
    let half_done = model.receipts.half_done().count();
    if half_done > 0 {
        let acts = text::counted(half_done, "act");
        // What outlived its key is a person's alone.
        let goes_on = model.receipts.half_done().any(|receipt| receipt.is_resendable);
        let rest = if goes_on { format!("{} does the rest, ", model.keymap.key_of(Intent::LookUp)) } else { String::new() };
        parts.push((format!("{acts} half done: {rest}{} tells and decides", model.keymap.key_of(Intent::Decide)), Role::Bad));
    }
    if let Some(notice) = &model.notices.latest {
        let role = match notice.tone {
            Tone::Plain => Role::Text,
            Tone::Good => Role::Good,
            Tone::Bad => Role::Bad,
            Tone::Warning => Role::Warning,
        };
        parts.push((notice.said.clone(), role));
    }
    // What has ended gives way to what was said since.
    let is_recent = |batch: &&BatchReport| batch.ended_at.is_some_and(|at| ink.calm - at < chrono::TimeDelta::minutes(1));
    parts.extend(batch.filter(is_recent).map(|batch| progress(ink, batch)));
    if parts.is_empty() {
        parts.extend(marked(ink));
    }
    if parts.is_empty() && matches!(model.overlay, Some(Overlay::Dialog(_))) {
        parts.push(("nothing has been sent".to_owned(), Role::Muted));
    }
    if parts.is_empty() {
        parts.push(idle(ink));
    }
    parts.extend(open_loop(ink));
    parts
}

/// The command that runs, for how long, and what it said last.
fn running(ink: &Ink<'_>) -> Option<(String, Role)> {
    let mut running = ink.model.running();
    let output = running.next()?;
    let receipt = ink.model.receipts.find(&output.plan)?;
    let more = match running.count() {
        0 => String::new(),
        more => format!(" (+{more})"),
    };
    let key = ink.model.keymap.key_of(Intent::Output);
    let said = output.printed.last_line();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let on_page = matches!(&ink.model.place.page, Some(Thing::Run(plan)) if *plan == output.plan);
    let stop = ink.model.keymap.key_of(Intent::StopRun);
    let hint = if on_page { format!(", {stop} stops it") } else { format!(", {key} shows it") };
    let running = age::span(ink.now - output.began);
    Some((format!("{} {} runs for {running}{more}{hint}{said}", receipt.title, receipt.label.one_line()), Role::Text))
}

/// What the keys would act on, where something is marked.
fn marked(ink: &Ink<'_>) -> Option<(String, Role)> {
    let work = ink.model.work().filter(|work| !work.marks.is_empty())?;
    let spec = ink.model.queue_spec(&work.queue)?;
    if !ink.model.is_unlocked() && ink.model.barred().is_none() {
        let key = ink.model.keymap.key_of(Intent::Unlock);
        return Some((format!("{} marked; writing is locked: {key} unlocks it", work.marks.len()), Role::Warning));
    }
    let actions = spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id));
    let keys: Vec<String> =
        actions.filter_map(|action| Some(format!("{} {}", action.key?, action.title.to_lowercase()))).collect();
    let it = if work.marks.len() == 1 { "it" } else { "them" };
    Some((format!("{} marked: {} {it}, Esc unmarks", work.marks.len(), keys.join(", ")), Role::Marked))
}

/// A flag that stands away from its normal value, until it is back.
fn open_loop(ink: &Ink<'_>) -> Option<(String, Role)> {
    let model = ink.model;
    let reports = model.snapshot.as_ref().map(|snapshot| snapshot.flags.as_slice()).unwrap_or_default();
    let away = |report: &&std::sync::Arc<crate::domain::snapshot::FlagReport>| {
        report.flip.as_ref().is_some_and(|flip| flip.to != report.normal)
            || report.look.value.as_ref().is_some_and(|value| value.original() != report.normal)
    };
    let mut open = reports.iter().filter(away);
    let report = open.next()?;
    let more = match open.count() {
        0 => String::new(),
        more => format!(" (+{more})"),
    };
    let value = report.look.value.as_ref().map_or_else(|| "?".to_owned(), |value| value.original());
    let since = report.flip.as_ref().map_or_else(String::new, |flip| format!(" since {}", ink.when(flip.at)));
    let back = if model.place.pane == Pane::Flags {
        "t puts it back".to_owned()
    } else {
        format!("put back with {} then t", model.keymap.key_of(Intent::Focus(Pane::Flags)))
    };
    Some((format!("{} is {value}{since}: {back}{more}", report.title), Role::Warning))
}

fn progress(ink: &Ink<'_>, batch: &BatchReport) -> (String, Role) {
    let through = batch.ends.through();
    let otherwise = batch.ends.otherwise();
    let role = if batch.ends.failed > 0 { Role::Bad } else { Role::Text };
    if batch.ended_at.is_some() {
        let end = if batch.ends.all_done() { Role::Good } else { Role::Warning };
        return (format!("{}: ended, {}", batch.title, batch.ends.said(batch.total)), end);
    }
    let key = ink.model.keymap.key_of(Intent::PauseBatch);
    if batch.paused {
        return (format!("{}: PAUSED at {through} of {}{otherwise}; {key} goes on", batch.title, batch.total), Role::Warning);
    }
    let elapsed = (ink.now - batch.started_at).num_milliseconds().max(1) as f64 / 1_000.0;
    let rate = through as f64 / elapsed;
    let left = (batch.total.saturating_sub(through)) as f64 / rate;
    let left = if rate > 0.0 && left < 86_400.0 {
        format!("  {rate:.1}/s  {} left", age::span(chrono::TimeDelta::seconds(left.ceil() as i64)))
    } else {
        String::new()
    };
    let bar = bar(ink, through, batch.total);
    (format!("{} {bar} {through} of {}{otherwise}{left}  {key} pauses", batch.title, batch.total), role)
}

fn bar(ink: &Ink<'_>, done: usize, total: usize) -> String {
    let cells = if ink.model.size.0 >= 110 { 20 } else { 8 };
    let full = (done * cells).checked_div(total).unwrap_or(0).min(cells);
    format!("[{}{}]", "#".repeat(full), ".".repeat(cells - full))
}

/// Nothing happened: the next thing to do.
fn idle(ink: &Ink<'_>) -> (String, Role) {
    let Some(snapshot) = &ink.model.snapshot else { return (String::new(), Role::Muted) };
    if let Some(barrier) = snapshot.barrier.as_ref().filter(|barrier| barrier.is_alarm()) {
        let key = ink.model.keymap.key_of(Intent::Errors);
        return (format!("nothing is written, {key} tells why. {}", barrier.remedy()), Role::Bad);
    }
    if ink.model.place.pane == Pane::Queues || ink.model.place.page.is_some() {
        return here(ink);
    }
    let counts = header::counted(ink.model);
    let count = |wanted: Severity| counts.iter().find(|(severity, _)| *severity == wanted).map_or(0, |(_, count)| *count);
    if count(Severity::Red) > 0 {
        let first = if ink.model.place.pane == Pane::Alerts { "" } else { "1 then " };
        return (format!("{} red: {first}Enter reads the playbook, w says why", count(Severity::Red)), Role::Red);
    }
    if count(Severity::Unknown) > 0 {
        return (format!("{} without data: w says why", count(Severity::Unknown)), Role::Unknown);
    }
    match count(Severity::Yellow) {
        0 => ("nothing is red, nothing is yellow".to_owned(), Role::Good),
        yellow => (format!("nothing is red, {yellow} yellow"), Role::Muted),
    }
}

/// What can be done in this place, where it is not about the alerts.
fn here(ink: &Ink<'_>) -> (String, Role) {
    let model = ink.model;
    let key = |intent| model.keymap.key_of(intent);
    let locked = if let Some((said, _)) = model.barred() {
        said
    } else if model.is_unlocked() {
        String::new()
    } else {
        format!("locked, {} unlocks writing", key(Intent::Unlock))
    };
    let words = match (&model.place.page, model.work()) {
        (Some(_), _) => format!("{} goes back, {} to the next", key(Intent::Back), key(Intent::NextMatch)),
        (None, Some(work)) if work.len() > 0 => {
            format!(
                "{} marks, {} marks all that is shown, {} reads the row",
                key(Intent::Mark),
                key(Intent::MarkAll),
                key(Intent::Open)
            )
        }
        (None, Some(_)) => format!("{} goes back", key(Intent::Back)),
        (None, None) => format!("{} works the selected queue", key(Intent::Open)),
    };
    let words = if locked.is_empty() { words } else { format!("{locked}; {words}") };
    (words, Role::Muted)
}
