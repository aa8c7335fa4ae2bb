//! Keys on the screen of what an earlier run left. Nothing that changes anything is taken before that is settled.

use super::{
    acting::{self, may_write},
    perform::say,
};
use crate::{
    domain::{
        plan::{ActionId, Standing},
        recovery::Recovery,
    },
    engine::message::Request,
    ui::{
        chord::Chord,
        keymap::{Context, Intent},
        message::Cmd,
        model::Model,
        notice::Tone,
        overlay::{Doubt, Overlay, RecoveryPage},
    },
};

/// Opens by itself, once for each recovery that found anything.
pub fn arrived(model: &mut Model) {
    let began_at = model.recovery().map(|recovery| recovery.began_at);
    if began_at.is_some() && began_at != model.recovery_shown && model.overlay.is_none() && model.typing.is_none() {
        open(model);
    }
}

pub fn open(model: &mut Model) {
    let Some(began_at) = model.recovery().map(|recovery| recovery.began_at) else {
        return say(model, Tone::Plain, "an earlier run left nothing unfinished");
    };
    model.recovery_shown = Some(began_at);
    model.overlay = Some(Overlay::Recovery(RecoveryPage { opened_at: model.now, ..RecoveryPage::default() }));
}

pub fn press(model: &mut Model, mut page: RecoveryPage, chord: Chord) -> Vec<Cmd> {
    let Some(recovery) = model.recovery() else { return Vec::new() };
    let last = (recovery.acts.len() + recovery.batches.len()).saturating_sub(1);
    let intent = model.keymap.find(Context::Anywhere, chord);
    // It opens by itself: what was typed for the screen before must not wipe it unread.
    if !model.listens(page.opened_at) && intent != Some(Intent::Quit) {
        model.overlay = Some(Overlay::Recovery(page));
        return Vec::new();
    }
    match intent {
        Some(Intent::Down | Intent::NextPane) => page.select((page.at + 1).min(last)),
        Some(Intent::Up | Intent::PreviousPane) => page.select(page.at.saturating_sub(1)),
        Some(Intent::Top) => page.select(0),
        Some(Intent::Bottom) => page.select(last),
        Some(Intent::PageDown) => page.scroll = page.scroll.saturating_add(4),
        Some(Intent::PageUp) => page.scroll = page.scroll.saturating_sub(4),
        Some(intent @ (Intent::Back | Intent::Quit)) => return leave(model, page, intent),
        Some(Intent::Decide) => return decide(model, page, None),
        Some(Intent::Open) => return go_on(model, page),
        Some(Intent::LookUp) => {
            model.overlay = Some(Overlay::Recovery(page));
            return acting::look_up(model);
        }
        Some(Intent::Unlock) => {
            model.overlay = Some(Overlay::Recovery(page));
            return acting::unlock(model);
        }
        Some(_) | None => {}
    }
    model.overlay = Some(Overlay::Recovery(page));
    Vec::new()
}

/// Away from it once it is over; out of the cockpit at any time.
fn leave(model: &mut Model, page: RecoveryPage, intent: Intent) -> Vec<Cmd> {
    if !model.is_recovering() {
        return Vec::new();
    }
    if intent == Intent::Quit {
        model.overlay = Some(Overlay::Stopping);
        return vec![Cmd::Ask(Request::Stop)];
    }
    model.overlay = Some(Overlay::Recovery(page));
    acting::is_recovering(model);
    Vec::new()
}

/// The acts that a person decides, the selected one first.
fn decide(model: &mut Model, page: RecoveryPage, plan: Option<&ActionId>) -> Vec<Cmd> {
    let selected = selected(model.recovery(), page.at);
    let wanted = plan.or(selected.as_ref());
    let act = model.receipts.to_decide().find(|act| Some(&act.plan) == wanted).or_else(|| model.receipts.to_decide().next());
    let doubt = act.map(|act| Doubt { returns: Some(page.at), ..Doubt::about(act, model.now) });
    if let Some(doubt) = doubt {
        model.overlay = Some(Overlay::Doubt(doubt));
    } else {
        model.overlay = Some(Overlay::Recovery(page));
        say(model, Tone::Plain, "no act stands unknown, half done or not proven");
    }
    Vec::new()
}

fn selected(recovery: Option<&Recovery>, at: usize) -> Option<ActionId> {
    recovery?.acts.get(at).map(|act| act.receipt.plan.clone())
}

/// Goes on with what is left of the selected one.
fn go_on(model: &mut Model, page: RecoveryPage) -> Vec<Cmd> {
    let batch = model.recovery().and_then(|recovery| recovery.batches.get(page.at.checked_sub(recovery.acts.len())?)).cloned();
    if let Some(batch) = batch {
        model.overlay = Some(Overlay::Recovery(page));
        if batch.unsent.is_empty() {
            say(model, Tone::Plain, "nothing of it is left to send");
        } else if may_write(model) {
            return acting::resume(model, &batch);
        }
        return Vec::new();
    }
    let act = model.recovery().and_then(|recovery| recovery.acts.get(page.at));
    let state = act.map(|act| (act.receipt.plan.clone(), act.receipt.standing, act.receipt.has_rest));
    model.overlay = Some(Overlay::Recovery(page));
    match state {
        Some((plan, _, true)) if may_write(model) => vec![Cmd::Ask(Request::LookUp { plan })],
        Some((plan, Standing::Unknown, _)) if !acting::is_recovering(model) => decide(model, page, Some(&plan)),
        Some((_, standing, false)) if standing.is_over() => {
            say(model, Tone::Plain, "nothing of it is left to do");
            Vec::new()
        }
        Some(_) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;
    use crossterm::event::{KeyEvent, KeyModifiers};

    use super::*;
    use crate::{
        domain::snapshot::Snapshot,
        engine::message::Event,
        ui::{Msg, model::fixture, update},
    };

    fn told(model: &mut Model, recovery: Recovery, sequence: u64) {
        let recovery = Some(Arc::new(recovery));
        let snapshot = Snapshot { sequence, recovery, ..fixture::snapshot() };
        update(model, Msg::Event(Event::Snapshot(Arc::new(snapshot))), fixture::now());
    }

    /// Unlocked, and found so.
    fn found(recovery: Recovery) -> Model {
        let mut model = fixture::model();
        let until = Some(fixture::now() + TimeDelta::minutes(15));
        update(&mut model, Msg::Event(Event::Lock { until, why: None }), fixture::now());
        for act in &recovery.acts {
            model.receipts.take(act.receipt.clone());
        }
        told(&mut model, recovery, 9);
        model
    }

    fn press(model: &mut Model, keys: &str, milliseconds: i64) -> Vec<Cmd> {
        let now = fixture::now() + TimeDelta::milliseconds(milliseconds);
        let event = |key: &str| {
            let chord = Chord::parse(key).unwrap();
            KeyEvent::new(chord.code, if chord.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
        };
        keys.split_whitespace().flat_map(|key| update(model, Msg::Key(event(key)), now)).collect()
    }

    fn is_open(model: &Model) -> bool {
        matches!(model.overlay, Some(Overlay::Recovery(_)))
    }

    fn said(model: &Model) -> &str {
        model.notices.latest.as_ref().map_or("", |notice| notice.said.as_str())
    }

    #[test]
    fn it_opens_once_by_itself_and_never_where_nothing_was_found() {
        let mut model = found(fixture::recovery(true));
        assert!(is_open(&model));
        press(&mut model, "esc", 100);
        assert!(is_open(&model), "a key typed ahead does not wipe it");
        press(&mut model, "esc", 400);
        assert!(!is_open(&model));
        told(&mut model, fixture::recovery(true), 10);
        assert!(!is_open(&model));
        open(&mut model);
        assert!(is_open(&model), "and again when it is asked for");
        let mut nothing = fixture::model();
        open(&mut nothing);
        assert!(!is_open(&nothing) && said(&nothing) == "an earlier run left nothing unfinished");
    }

    #[test]
    fn no_key_that_changes_anything_is_taken_before_it_is_over() {
        let mut model = found(fixture::recovery(false));
        for keys in ["L", "D", "enter", "W", "esc"] {
            let cmds = press(&mut model, keys, 400);
            assert_eq!(cmds, [], "{keys}");
            if keys == "D" {
                press(&mut model, "esc", 800);
            }
            assert!(is_open(&model), "{keys}");
        }
        assert!(said(&model).starts_with("what an earlier run left is settled first"), "{}", said(&model));
        model.overlay = None;
        for keys in ["2 enter a", "2 enter x", "2 j enter F", "3 t", "5 t", "4 j a", "4 O", "W", "u", "L"] {
            assert_eq!(press(&mut model, keys, 3_000), [], "{keys}");
            assert!(model.overlay.is_none(), "{keys}");
        }
        assert_eq!(press(&mut found(fixture::recovery(false)), "q", 400), [Cmd::Ask(Request::Stop)], "but it can be left");
    }

    #[test]
    fn what_is_left_is_gone_on_with_looked_up_and_decided_from_here() {
        let mut model = found(fixture::recovery(true));
        let asked = |cmds: Vec<Cmd>| -> Vec<String> {
            let plan = |cmd| match cmd {
                Cmd::Ask(Request::LookUp { plan }) => Some(plan.0),
                _ => None,
            };
            cmds.into_iter().filter_map(plan).collect()
        };
        let all = asked(press(&mut model, "L", 400));
        assert_eq!(all, ["id-rr_0314", "id-rr_0313"]);
        assert_eq!(press(&mut model, "enter", 3_000), [], "the first is done");
        assert_eq!(said(&model), "nothing of it is left to do");
        assert_eq!(asked(press(&mut model, "j j enter", 6_000)), ["id-rr_0314"], "the rest of the one half done");
        press(&mut model, "k D", 9_000);
        let Some(Overlay::Doubt(doubt)) = &model.overlay else { panic!("{:?}", model.overlay) };
        assert_eq!((doubt.plan.0.as_str(), doubt.returns), ("id-rr_0313", Some(1)));
        press(&mut model, "esc", 9_500);
        assert!(is_open(&model), "and back");
    }

    #[test]
    fn the_rest_of_a_batch_that_was_cut_off_is_asked_about_as_any_other() {
        let mut model = found(fixture::recovery(true));
        let cmds = press(&mut model, "G enter", 400);
        let [Cmd::Ask(Request::Resume { ask, batch, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
        assert_eq!(batch.0, "b");
        let targets = ["rv_902", "rv_903"].map(|key| fixture::target("reviews", key));
        let preview = fixture::preview("approve", "Approve", &targets, crate::domain::pack::Confirm::Count);
        update(&mut model, Msg::Event(Event::Preview { ask: *ask, preview: Ok(Box::new(preview)) }), fixture::now());
        assert_eq!(press(&mut model, "enter", 100), [], "nothing goes by the key that opened it");
        let cmds = press(&mut model, "y", 1_000);
        assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::Commit { preview, .. })] if preview == ask), "{cmds:?}");
        let mut locked = found(fixture::recovery(true));
        update(&mut locked, Msg::Event(Event::Lock { until: None, why: None }), fixture::now());
        assert_eq!(press(&mut locked, "G enter", 400), []);
        assert_eq!(said(&locked), "press W to unlock writing");
    }
}
