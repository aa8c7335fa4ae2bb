//! Acts in doubt: looked up again, or decided by a person who has looked outside and types what was seen.

use chrono::TimeDelta;
use crossterm::event::KeyCode;

use super::{
    acting::{self, may_write},
    perform::say,
};
use crate::{
    domain::plan::Standing,
    engine::message::Request,
    ui::{
        chord::Chord,
        message::Cmd,
        model::Model,
        notice::Tone,
        overlay::{Doubt, Overlay, VERDICTS},
    },
};

/// Keys that come sooner were meant for what was on the screen before.
const DEAF: TimeDelta = TimeDelta::milliseconds(300);

pub fn open(model: &mut Model) -> Vec<Cmd> {
    if model.receipts.count(Standing::Unknown) == 0 {
        say(model, Tone::Plain, "no act stands unknown");
    } else {
        model.overlay = Some(Overlay::Doubt(Doubt { opened_at: model.now, ..Doubt::default() }));
    }
    Vec::new()
}

pub fn press(model: &mut Model, mut doubt: Doubt, chord: Chord) -> Vec<Cmd> {
    let is_close = chord.code == KeyCode::Esc || (chord.control && chord.code == KeyCode::Char('c'));
    let count = model.receipts.count(Standing::Unknown);
    if is_close || count == 0 {
        return Vec::new();
    }
    doubt.at = doubt.at.min(count - 1);
    let mut cmds = Vec::new();
    if model.now - doubt.opened_at >= DEAF {
        match chord.code {
            KeyCode::Down | KeyCode::Tab | KeyCode::Up | KeyCode::BackTab => {
                let step = if matches!(chord.code, KeyCode::Down | KeyCode::Tab) { 1 } else { count - 1 };
                // What was typed was about the other one.
                doubt = Doubt { at: (doubt.at + step) % count, opened_at: doubt.opened_at, ..Doubt::default() };
            }
            KeyCode::Char('L') if doubt.typed.is_empty() => cmds = acting::look_up(model),
            KeyCode::Enter => cmds = decide(model, &mut doubt),
            _ => {
                doubt.typed.press(chord);
            }
        }
    }
    model.overlay = Some(Overlay::Doubt(doubt));
    cmds
}

fn decide(model: &mut Model, doubt: &mut Doubt) -> Vec<Cmd> {
    let typed = doubt.typed.text().trim();
    let Some((word, happened)) = VERDICTS.iter().find(|(word, _)| *word == typed) else {
        say(model, Tone::Warning, "look outside first, then type `happened` or `not happened`");
        return Vec::new();
    };
    let plan = model.receipts.in_doubt().nth(doubt.at).map(|receipt| (receipt.plan.clone(), receipt.label.one_line()));
    let Some((plan, label)) = plan.filter(|_| may_write(model)) else { return Vec::new() };
    say(model, Tone::Plain, format!("{label}: {word}, as you say"));
    doubt.typed = crate::ui::field::Field::default();
    vec![Cmd::Ask(Request::Settle { plan, happened: *happened })]
}
