//! What lies over the panes: help, palette, notes, questions, errors.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{Clear, Widget as _},
};
use ratatui_textarea::TextArea;
use unicode_width::UnicodeWidthStr as _;

use super::{
    dialog, doubt,
    ink::{Ink, wrapped},
    pages, recovery, sheet,
};
use crate::{
    domain::{age, pack, snapshot::SourceReport, text::Text},
    ui::{
        field::Field,
        keymap::{Context, Intent},
        overlay::{Overlay, SNOOZES, SignOff},
        palette::Palette,
        theme::Role,
    },
};

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect) {
    let Some(overlay) = &ink.model.overlay else { return };
    match overlay {
        Overlay::Dialog(open) => dialog::draw(ink, buffer, screen, open),
        Overlay::Help { scroll } => help(ink, buffer, screen, *scroll),
        Overlay::Errors { scroll } => errors(ink, buffer, screen, *scroll),
        Overlay::Palette(palette) => draw_palette(ink, buffer, screen, palette),
        Overlay::Note { title, area, .. } => note(ink, buffer, screen, title, area),
        Overlay::Snooze { title, .. } => {
            let lines: Vec<(String, Role)> =
                SNOOZES.iter().map(|(key, words, _)| (format!("{key}  {words}"), Role::Text)).collect();
            said(ink, buffer, screen, &format!("Snooze {title}"), "Esc cancels", &Said::still(&lines));
        }
        Overlay::SignOff(sign_off) => draw_sign_off(ink, buffer, screen, sign_off),
        Overlay::Doubt(open) => doubt::draw(ink, buffer, screen, open),
        Overlay::Recovery(page) => recovery::draw(ink, buffer, screen, *page),
        Overlay::Quit { .. } => {
            let (held, commits) = (ink.model.receipts.unfinished(), ink.model.questions.commits());
            let count = held.max(commits);
            let acts = if count == 1 { "1 act is".to_owned() } else { format!("{count} acts are") };
            let mut lines = vec![
                (format!("{acts} held, waiting or under way."), Role::Warning),
                ("What is under way is finished first. What is held or waiting is not sent;".to_owned(), Role::Text),
                ("the next start tells of it and asks.".to_owned(), Role::Text),
            ];
            lines.extend(cut_short(ink));
            said(ink, buffer, screen, "Quit?", "Esc stays", &Said::asking(&lines, &["y  quit", "n  stay"]));
        }
        Overlay::StopRun { plan, .. } => {
            let what = pages::run_title(ink.model, plan);
            let ran = ink.model.outputs.find(plan).map_or_else(String::new, |output| age::span(ink.now - output.began));
            let decide = ink.model.keymap.key_of(Intent::Decide);
            let lines = [
                (format!("{what} runs for {ran}."), Role::Warning),
                ("It is asked to end, with all that it started; after 2 s it is killed.".to_owned(), Role::Text),
                (format!("It stands unknown then, unless a trace or its exit code tells: {decide} decides."), Role::Text),
                ("It is never run again by itself.".to_owned(), Role::Text),
            ];
            said(ink, buffer, screen, "Stop it?", "Esc lets it run", &Said::asking(&lines, &["y  stop it", "n  let it run"]));
        }
        Overlay::Stopping => {
            let mut lines = vec![("Finishing the effect that is under way; no other is begun.".to_owned(), Role::Text)];
            lines.extend(cut_short(ink));
            said(ink, buffer, screen, "Stopping", "", &Said::still(&lines));
        }
    }
}

/// What becomes of a command that runs longer than there is time.
fn cut_short(ink: &Ink<'_>) -> Option<(String, Role)> {
    ink.model.running().next()?;
    Some(("A command has 20 s to end by itself; then it is ended, and stands unknown.".to_owned(), Role::Warning))
}

/// A cleared rectangle in the middle of the screen.
pub fn centered(buffer: &mut Buffer, screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    let area = Rect::new(screen.x + (screen.width - width) / 2, screen.y + (screen.height - height) / 2, width, height);
    Clear.render(area, buffer);
    area
}

/// What a box holds.
struct Said<'a> {
    lines: &'a [(String, Role)],
    /// Where it is scrolled to; none where no key scrolls it.
    scroll: Option<usize>,
    /// The keys that answer a question, each with what it does; in view however small the screen is.
    choices: &'a [&'a str],
}

impl<'a> Said<'a> {
    fn still(lines: &'a [(String, Role)]) -> Self {
        Self { lines, scroll: None, choices: &[] }
    }

    fn scrolled(lines: &'a [(String, Role)], scroll: usize) -> Self {
        Self { lines, scroll: Some(scroll), choices: &[] }
    }

    fn asking(lines: &'a [(String, Role)], choices: &'a [&'a str]) -> Self {
        Self { lines, scroll: None, choices }
    }
}

/// A box with lines in it.
fn said(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, title: &str, hint: &str, what: &Said<'_>) {
    let lines = what.lines;
    let in_a_row = what.choices.join("        ");
    let widest = lines.iter().map(|(text, _)| text.width()).chain([title.width() + hint.width() + 4, in_a_row.width()]).max();
    let width = (widest.unwrap_or(0).min(300) as u16 + 4).min(screen.width);
    let room = usize::from(width.saturating_sub(4));
    let body: Vec<(String, Role)> =
        lines.iter().flat_map(|(text, role)| wrapped(text, room).into_iter().map(|line| (line, *role))).collect();
    let choices = match what.choices {
        [] => Vec::new(),
        _ if in_a_row.width() <= room => vec![in_a_row.as_str()],
        one_each => one_each.to_vec(),
    };
    let gap = usize::from(!choices.is_empty());
    let wanted = body.len() + gap + choices.len();
    let area = centered(buffer, screen, width, (wanted.min(300) as u16).saturating_add(2));
    let inner = usize::from(area.height.saturating_sub(2));
    // Where not all of it has room, the empty line goes first, then the end of what is said.
    let height = if wanted > inner { inner.saturating_sub(choices.len()) } else { body.len() };
    let offset = what.scroll.unwrap_or_default().min(body.len().saturating_sub(height));
    let left = body.len().saturating_sub(offset + height);
    let more = if what.scroll.is_some() { format!("{left} more, j scrolls") } else { format!("{left} more") };
    sheet::frame(ink, buffer, area, title, hint, true, Some((more.as_str(), Role::Muted)).filter(|_| left > 0));
    if area.width < 5 || area.height < 3 {
        return;
    }
    let below = (area.bottom() - 1).saturating_sub(choices.len() as u16).max(area.y + 1);
    let (x, room) = (area.x + 2, area.width - 4);
    for ((text, role), y) in body.iter().skip(offset).take(height).zip(area.y + 1..below) {
        ink.put(buffer, (x, y), room, text, *role);
    }
    for (choice, y) in choices.iter().zip(below..area.bottom() - 1) {
        ink.put(buffer, (x, y), room, choice, Role::Key);
    }
}

fn help(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, scroll: usize) {
    let context = Context::of(&ink.model.place);
    let mut lines: Vec<(String, Role)> = Vec::new();
    if context == Context::Items
        && let Some(spec) = ink.model.place.queue.as_ref().and_then(|id| ink.model.queue_spec(id))
    {
        for action in spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id)) {
            let key = action.key.map_or_else(String::new, String::from);
            let last = if action.is_final() { " (cannot be taken back)" } else { "" };
            lines.push((format!("{key:<14}{}{last}", action.title), Role::Text));
        }
    }
    for (binding, chords) in ink.model.keymap.working_in(context) {
        let keys: Vec<String> = chords.iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { format!(":{}", binding.command) } else { keys.join(" ") };
        let role = if binding.contexts.contains(&context) { Role::Text } else { Role::Muted };
        lines.push((format!("{keys:<14}{}", binding.says), role));
    }
    lines.push((String::new(), Role::Muted));
    lines.push(("A severity is R red, Y yellow, ? no data, G well. What could not be read is never G.".to_owned(), Role::Muted));
    for forbidden in &ink.model.pack.policy.forbidden {
        lines.push((format!("Never done from here: {forbidden}"), Role::Muted));
    }
    said(ink, buffer, screen, &format!("Keys: {}", context.title()), "Esc closes", &Said::scrolled(&lines, scroll));
}

fn errors(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, scroll: usize) {
    let mut lines: Vec<(String, Role)> = Vec::new();
    if let Some(barrier) = ink.model.barrier() {
        let role = if barrier.is_alarm() { Role::Bad } else { Role::Warning };
        lines.push((format!("{}: nothing is written. {}", barrier.word(), barrier.why().one_line()), role));
        lines.push((format!("{}.", barrier.remedy()), Role::Text));
        lines.push((String::new(), Role::Text));
    }
    let said_before = lines.len();
    let sources = ink.model.snapshot.as_ref().map(|snapshot| snapshot.sources.as_slice()).unwrap_or_default();
    for source in sources {
        if let Some(failure) = &source.failure {
            let last = source.last_ok.map_or_else(|| "never answered".to_owned(), |at| format!("last answer {}", ink.when(at)));
            // Most failures begin with the name of their source.
            let said = ink.failed(failure);
            let said = said.strip_prefix(&format!("{}: ", source.id)).unwrap_or(&said);
            lines.push((format!("{}: {said}; {last}", named(source)), Role::Bad));
        }
    }
    if lines.len() == said_before {
        lines.push(("Every source answers.".to_owned(), Role::Good));
    }
    for source in sources {
        let rate = source.budget.as_ref().map(Text::one_line);
        let reading = source.progress.as_ref().map(|said| format!("reading {}", said.one_line()));
        for said in [rate, reading].into_iter().flatten() {
            lines.push((format!("{}: {said}", named(source)), Role::Muted));
        }
    }
    lines.push((String::new(), Role::Text));
    lines.extend(ink.model.notices.errors.iter().map(|(at, said)| (format!("{}  {said}", ink.when(*at)), Role::Text)));
    if ink.model.notices.errors.is_empty() {
        lines.push(("Nothing went wrong since the start.".to_owned(), Role::Muted));
    }
    said(ink, buffer, screen, "Errors", "Esc closes", &Said::scrolled(&lines, scroll));
}

/// A source by its name, with its kind where the name does not say it.
fn named(source: &SourceReport) -> String {
    if source.id.as_str() == source.kind { source.kind.clone() } else { format!("{} ({})", source.id, source.kind) }
}

pub fn field(ink: &Ink<'_>, buffer: &mut Buffer, (x, y): (u16, u16), width: u16, field: &Field, is_focused: bool) {
    let blank = " ".repeat(usize::from(width));
    ink.put(buffer, (x, y), width, &blank, Role::Input);
    let (before, after) = field.halves();
    // A long text shows its end: that is where it is typed.
    let skip = before.width().saturating_sub(usize::from(width.saturating_sub(2)));
    let mut dropped = 0;
    let shown: String = before
        .chars()
        .skip_while(|c| {
            let skips = dropped < skip;
            dropped += c.to_string().width();
            skips
        })
        .collect();
    let mut at = x;
    at += ink.put(buffer, (at, y), width, &shown, Role::Input);
    if is_focused {
        at += ink.put(buffer, (at, y), (x + width).saturating_sub(at), "_", Role::Selected);
    }
    ink.put(buffer, (at, y), (x + width).saturating_sub(at), after, Role::Input);
}

fn draw_palette(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, palette: &Palette) {
    let height = (screen.height * 3 / 5).max(5);
    let area = centered(buffer, screen, 90, height);
    sheet::frame(ink, buffer, area, "Command", "Enter runs, Esc closes", true, None);
    if area.width < 8 || area.height < 4 {
        return;
    }
    ink.put(buffer, (area.x + 2, area.y + 1), 1, ":", Role::Key);
    field(ink, buffer, (area.x + 3, area.y + 1), area.width - 5, &palette.field, true);
    let rows = usize::from(area.height - 3);
    if palette.len() == 0 {
        ink.put(buffer, (area.x + 2, area.y + 2), area.width - 4, "No command is called that.", Role::Muted);
    }
    let offset = (palette.at + 1).saturating_sub(rows);
    for (row, at) in (offset..palette.len()).take(rows).enumerate() {
        let Some(choice) = palette.hit(at) else { return };
        let y = area.y + 2 + row as u16;
        if at == palette.at {
            ink.put(buffer, (area.x + 1, y), 1, ">", Role::Selected);
        }
        let name = 26.min(area.width / 2);
        ink.put(buffer, (area.x + 3, y), name.saturating_sub(1), &choice.name, Role::Text);
        let key_width = choice.key.width() as u16;
        let room = area.width.saturating_sub(name + 6 + key_width);
        ink.put(buffer, (area.x + 3 + name, y), room, &choice.says, Role::Muted);
        ink.put(buffer, (area.right().saturating_sub(2 + key_width), y), key_width, &choice.key, Role::Key);
    }
}

fn note(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, title: &str, text: &TextArea<'static>) {
    let area = centered(buffer, screen, 74, 8);
    sheet::frame(ink, buffer, area, &format!("Note on {title}"), "Enter keeps, Alt-Enter new line, Esc drops", true, None);
    if area.width < 5 || area.height < 3 {
        return;
    }
    let mut text = text.clone();
    text.set_style(ink.style(Role::Text));
    text.set_cursor_line_style(ink.style(Role::Text));
    text.set_cursor_style(ink.style(Role::Text).add_modifier(ratatui::style::Modifier::REVERSED));
    let inner = Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2);
    (&text).render(inner, buffer);
}

fn draw_sign_off(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, sign_off: &SignOff) {
    let area = centered(buffer, screen, 74, 8);
    sheet::frame(ink, buffer, area, &format!("Sign off {}", sign_off.title), "Enter signs, Esc cancels", true, None);
    if area.width < 12 || area.height < 5 {
        return;
    }
    let (x, width) = (area.x + 2, area.width - 4);
    let who = format!("{} signs the statement as it stands, with its differences,", ink.model.shown.operator);
    ink.put(buffer, (x, area.y + 1), width, &who, Role::Text);
    ink.put(buffer, (x, area.y + 2), width, "by its SHA-256. It stays in the record.", Role::Text);
    ink.put(buffer, (x, area.y + 4), 5, "Note", Role::Muted);
    field(ink, buffer, (x + 6, area.y + 4), width - 6, &sign_off.note, true);
}
