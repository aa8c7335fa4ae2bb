//! Acts in doubt: looked up again, or decided by a person who has looked outside and types what was seen.

use crossterm::event::KeyCode;

use super::{
    acting::{self, may_write},
    perform::say,
};
use crate::{
    engine::message::Request,
    ui::{
        chord::Chord,
        dialog::LEAST_WIDTH,
        field::Field,
        message::Cmd,
        model::Model,
        notice::Tone,
        overlay::{Doubt, Overlay, RecoveryPage, VERDICTS},
    },
};

/// Which act it is, and what is in doubt about it, is read beside what is typed.
const LEAST_HEIGHT: u16 = 12;

pub fn open(model: &mut Model) -> Vec<Cmd> {
    if model.receipts.to_decide().next().is_none() {
        say(model, Tone::Plain, "no act stands unknown, half done or not proven");
    } else {
        model.overlay = Some(Overlay::Doubt(Doubt { opened_at: model.now, ..Doubt::default() }));
    }
    Vec::new()
}

pub fn press(model: &mut Model, mut doubt: Doubt, chord: Chord) -> Vec<Cmd> {
    let is_close = chord.code == KeyCode::Esc || (chord.control && chord.code == KeyCode::Char('c'));
    let count = model.receipts.to_decide().count();
    if is_close || count == 0 {
        model.overlay =
            doubt.returns.map(|at| Overlay::Recovery(RecoveryPage { at, opened_at: model.now, ..RecoveryPage::default() }));
        return Vec::new();
    }
    doubt.at = doubt.at.min(count - 1);
    let mut cmds = Vec::new();
    if model.listens(doubt.opened_at) {
        match chord.code {
            KeyCode::Down | KeyCode::Tab | KeyCode::Up | KeyCode::BackTab => {
                let step = if matches!(chord.code, KeyCode::Down | KeyCode::Tab) { 1 } else { count - 1 };
                // What was typed was about the other one.
                doubt = Doubt { at: (doubt.at + step) % count, typed: Field::default(), ..doubt };
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
    let plan = model.receipts.to_decide().nth(doubt.at).map(|receipt| (receipt.plan.clone(), receipt.label.one_line()));
    if model.size.0 < LEAST_WIDTH || model.size.1 < LEAST_HEIGHT {
        say(model, Tone::Warning, format!("the window is too small to decide: make it {LEAST_WIDTH}x{LEAST_HEIGHT} or larger"));
        return Vec::new();
    }
    let Some((plan, label)) = plan.filter(|_| may_write(model)) else { return Vec::new() };
    say(model, Tone::Plain, format!("{label}: {word}, as you say"));
    doubt.typed = Field::default();
    vec![Cmd::Ask(Request::Settle { plan, happened: *happened })]
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::{
        domain::plan::Standing,
        engine::message::Event,
        ui::{Msg, model::fixture, update},
    };

    fn in_doubt() -> Model {
        let mut model = fixture::model();
        let now = fixture::now();
        update(&mut model, Msg::Event(Event::Lock { until: Some(now + TimeDelta::minutes(15)), why: None }), now);
        let receipt = fixture::receipt(&fixture::target("refunds", "rr_0312"), Standing::Unknown);
        update(&mut model, Msg::Event(Event::Recovered(vec![receipt])), now);
        open(&mut model);
        model
    }

    fn type_in(model: &mut Model, text: &str, milliseconds: i64) -> Vec<Cmd> {
        let now = fixture::now() + TimeDelta::milliseconds(milliseconds);
        let mut cmds = Vec::new();
        for letter in text.chars() {
            let code = if letter == '\n' { KeyCode::Enter } else { KeyCode::Char(letter) };
            cmds.extend(update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)), now));
        }
        cmds
    }

    #[test]
    fn only_a_typed_verdict_decides() {
        for (typed, after, verdict) in [
            ("happened\n", 400, Some(true)),
            ("not happened\n", 400, Some(false)),
            ("\n", 400, None),
            ("perhaps\n", 400, None),
            ("happened\n", 100, None),
        ] {
            let mut model = in_doubt();
            let settled = type_in(&mut model, typed, after).into_iter().find_map(|cmd| match cmd {
                Cmd::Ask(Request::Settle { plan, happened }) => Some((plan.0, happened)),
                _ => None,
            });
            assert_eq!(settled, verdict.map(|happened| ("id-rr_0312".to_owned(), happened)), "{typed:?} after {after} ms");
        }
        let mut pasted = in_doubt();
        update(&mut pasted, Msg::Paste("happened\n".to_owned()), fixture::now() + TimeDelta::seconds(1));
        assert_eq!(type_in(&mut pasted, "\n", 2_000), []);
    }

    #[test]
    fn nothing_is_decided_while_writing_is_locked() {
        let mut model = in_doubt();
        update(&mut model, Msg::Event(Event::Lock { until: None, why: None }), fixture::now());
        assert_eq!(type_in(&mut model, "happened\n", 400), []);
    }

    #[test]
    fn the_outside_is_asked_again_from_here() {
        let cmds = type_in(&mut in_doubt(), "L", 400);
        assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::LookUp { plan })] if plan.0 == "id-rr_0312"), "{cmds:?}");
    }
}
