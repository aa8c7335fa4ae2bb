//! `wheelhouse snapshot`: one screen, drawn to standard output.

use std::{str::FromStr as _, sync::Arc};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend};

use super::{business::Opening, complaint::Complaint, errands, screen::Look};
use crate::{
    cli::{arguments::Format, output},
    engine::message::Event,
    ui::{
        Cmd, Model, Msg,
        paint::{self, Paper},
        theme::{Background, Depth},
    },
};

pub fn print(opening: Opening, look: &Look, screen: &str, size: &str, format: Format, keys: &str) -> Result<u8, Complaint> {
    let (columns, rows) = parse_size(size)?;
    let mut model = look.model(&opening, None);
    let (snapshot, now) = errands::look_at_everything(opening)?;
    crate::ui::update(&mut model, Msg::Resize(columns, rows), now);
    crate::ui::update(&mut model, Msg::Event(Event::Snapshot(Arc::clone(&snapshot))), now);
    model.go_to(screen).map_err(Complaint::said)?;
    for key in keys.split(',').filter(|key| !key.is_empty()) {
        press(&mut model, key, now)?;
    }
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).map_err(|error| Complaint::said(error.to_string()))?;
    terminal
        .draw(|frame| crate::ui::view(&model, frame, &look.theme, now))
        .map_err(|error| Complaint::said(error.to_string()))?;
    let buffer = terminal.backend().buffer();
    let drawn = match format {
        Format::Text => paint::text(buffer),
        Format::Ansi => paint::ansi(buffer, Depth::Full),
        Format::Svg => {
            let title = format!("The {screen} of wheelhouse");
            paint::svg(buffer, &Paper { background: look.theme.background.unwrap_or(Background::Dark), title })
        }
    };
    output::print(&drawn)?;
    Ok(0)
}

fn parse_size(size: &str) -> Result<(u16, u16), Complaint> {
    let wrong = || Complaint::said(format!("--size {size}: write COLUMNSxROWS, such as 120x40 (20x5 to 500x200)"));
    let (columns, rows) = size.split_once('x').ok_or_else(wrong)?;
    let columns = u16::from_str(columns).ok().filter(|columns| (20..=500).contains(columns));
    let rows = u16::from_str(rows).ok().filter(|rows| (5..=200).contains(rows));
    columns.zip(rows).ok_or_else(wrong)
}

fn press(model: &mut Model, key: &str, now: chrono::DateTime<chrono::Utc>) -> Result<(), Complaint> {
    if let Some(text) = key.strip_prefix("text:") {
        for letter in text.chars() {
            crate::ui::update(model, Msg::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)), now);
        }
        return Ok(());
    }
    let event = key_event(key)
        .ok_or_else(|| Complaint::said(format!("--keys: `{key}` is no key (Enter, Esc, Tab, Ctrl-x, text:words)")))?;
    let cmds: Vec<Cmd> = crate::ui::update(model, Msg::Key(event), now);
    // A picture asks nothing of the engine: what would need an answer shows as asked.
    drop(cmds);
    Ok(())
}

fn key_event(key: &str) -> Option<KeyEvent> {
    let plain = |code| Some(KeyEvent::new(code, KeyModifiers::NONE));
    match key {
        "Enter" => plain(KeyCode::Enter),
        "Esc" => plain(KeyCode::Esc),
        "Tab" => plain(KeyCode::Tab),
        "BackTab" => plain(KeyCode::BackTab),
        "Space" => plain(KeyCode::Char(' ')),
        "Backspace" => plain(KeyCode::Backspace),
        "Up" => plain(KeyCode::Up),
        "Down" => plain(KeyCode::Down),
        "Left" => plain(KeyCode::Left),
        "Right" => plain(KeyCode::Right),
        "Home" => plain(KeyCode::Home),
        "End" => plain(KeyCode::End),
        "PgUp" => plain(KeyCode::PageUp),
        "PgDn" => plain(KeyCode::PageDown),
        "Comma" => plain(KeyCode::Char(',')),
        _ => {
            let (modifiers, letter) = match key.strip_prefix("Ctrl-") {
                Some(letter) => (KeyModifiers::CONTROL, letter),
                None => (KeyModifiers::NONE, key),
            };
            let mut letters = letter.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Some(KeyEvent::new(KeyCode::Char(letter), modifiers)),
                _ => None,
            }
        }
    }
}
