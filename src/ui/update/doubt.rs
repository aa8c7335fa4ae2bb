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
    let doubt = model.receipts.to_decide().next().map(|act| Doubt::about(act, model.now));
    match doubt {
        Some(doubt) => model.overlay = Some(Overlay::Doubt(doubt)),
        None => say(model, Tone::Plain, "no act stands unknown, half done or not proven"),
    }
    Vec::new()
}

/// What is told meanwhile puts no other act, and no other question, under what is being typed.
pub fn keep_up(model: &mut Model) {
    let Some(Overlay::Doubt(doubt)) = &mut model.overlay else { return };
    let act = model.receipts.to_decide().find(|act| act.plan == doubt.plan);
    let seen = act.map(|act| (act.standing, act.steps_done));
    if seen == Some(doubt.seen) {
        return;
    }
    let was_typed = !doubt.typed.is_empty();
    doubt.typed = Field::default();
    if let Some(seen) = seen {
        (doubt.seen, doubt.opened_at) = (seen, model.now);
    }
    if was_typed {
        say(model, Tone::Warning, "that act has moved on: what you typed is dropped, and nothing is decided by it");
    }
}

pub fn press(model: &mut Model, mut doubt: Doubt, chord: Chord) -> Vec<Cmd> {
    let is_close = chord.code == KeyCode::Esc || (chord.control && chord.code == KeyCode::Char('c'));
    let count = model.receipts.to_decide().count();
    if is_close || count == 0 {
        model.overlay =
            doubt.returns.map(|at| Overlay::Recovery(RecoveryPage { at, opened_at: model.now, ..RecoveryPage::default() }));
        return Vec::new();
    }
    let at = model.receipts.to_decide().position(|act| act.plan == doubt.plan);
    let mut cmds = Vec::new();
    if model.listens(doubt.opened_at) {
        match chord.code {
            KeyCode::Down | KeyCode::Tab | KeyCode::Up | KeyCode::BackTab => {
                let is_down = matches!(chord.code, KeyCode::Down | KeyCode::Tab);
                let to = match at {
                    Some(at) => (at + if is_down { 1 } else { count - 1 }) % count,
                    // The one that stood here is settled.
                    None => 0,
                };
                if let Some(act) = model.receipts.to_decide().nth(to) {
                    // What was typed was about the other one.
                    doubt = Doubt { opened_at: doubt.opened_at, returns: doubt.returns, ..Doubt::about(act, model.now) };
                }
            }
            KeyCode::Char('L') if doubt.typed.is_empty() => cmds = acting::look_up(model),
            _ if at.is_none() => {}
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
    let label = model.receipts.to_decide().find(|act| act.plan == doubt.plan).map(|act| act.label.one_line());
    if model.size.0 < LEAST_WIDTH || model.size.1 < LEAST_HEIGHT {
        say(model, Tone::Warning, format!("the window is too small to decide: make it {LEAST_WIDTH}x{LEAST_HEIGHT} or larger"));
        return Vec::new();
    }
    let Some(label) = label.filter(|_| may_write(model)) else { return Vec::new() };
    say(model, Tone::Plain, format!("{label}: {word}, as you say"));
    doubt.typed = Field::default();
    vec![Cmd::Ask(Request::Settle { plan: doubt.plan.clone(), happened: *happened })]
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::{
        domain::plan::{Receipt, Standing},
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
    fn what_is_told_meanwhile_puts_no_other_act_under_a_verdict() {
        let heard = |standing, key: &str, seconds| {
            let at = fixture::now() + TimeDelta::seconds(seconds);
            let receipt = fixture::receipt(&fixture::target("refunds", key), standing);
            Msg::Event(Event::Receipt(Receipt { at, ..receipt }))
        };
        let settled = |cmds: Vec<Cmd>| -> Vec<String> {
            let plan = |cmd| match cmd {
                Cmd::Ask(Request::Settle { plan, .. }) => Some(plan.0),
                _ => None,
            };
            cmds.into_iter().filter_map(plan).collect()
        };
        let now = fixture::now();
        let two = || {
            let mut model = in_doubt();
            update(&mut model, heard(Standing::Unknown, "rr_0311", -60), now);
            model
        };
        // A look outside that tells nothing new makes its act the newest.
        let mut model = two();
        type_in(&mut model, "not happened", 400);
        update(&mut model, heard(Standing::Unknown, "rr_0311", 2), now + TimeDelta::milliseconds(600));
        assert_eq!(settled(type_in(&mut model, "\n", 1_000)), ["id-rr_0312"], "the one that was read");

        // The one that was read is settled by its own look.
        let mut model = two();
        type_in(&mut model, "not happened", 400);
        update(&mut model, heard(Standing::Done, "rr_0312", 2), now + TimeDelta::milliseconds(600));
        assert_eq!(settled(type_in(&mut model, "\nnot happened\n", 1_000)), [""; 0], "no other takes its place by itself");
        update(&mut model, Msg::Key(KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)), now + TimeDelta::seconds(2));
        assert_eq!(settled(type_in(&mut model, "not happened\n", 3_000)), ["id-rr_0311"]);

        // Of the one that was read a step has gone through: the same words would say something else.
        let mut model = two();
        type_in(&mut model, "happened", 400);
        let receipt = fixture::receipt(&fixture::target("refunds", "rr_0312"), Standing::Unknown);
        let further = Receipt { steps_done: receipt.steps_done + 1, ..receipt };
        update(&mut model, Msg::Event(Event::Receipt(further)), now + TimeDelta::milliseconds(600));
        assert_eq!(settled(type_in(&mut model, "\n", 1_000)), [""; 0]);
        assert_eq!(settled(type_in(&mut model, "happened\n", 2_000)), ["id-rr_0312"]);
    }

    #[test]
    fn the_outside_is_asked_again_from_here() {
        let cmds = type_in(&mut in_doubt(), "L", 400);
        assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::LookUp { plan })] if plan.0 == "id-rr_0312"), "{cmds:?}");
    }
}
