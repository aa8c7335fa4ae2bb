//! Deciding: what asks first, what is refused, what is taken back.

use super::*;
use crate::domain::reconcile::Gist;

#[test]
fn nothing_is_changed_while_writing_is_locked_or_the_cockpit_only_reads() {
    for keys in ["2 enter a", "2 enter x", "2 j enter F", "3 t", "5 t", "4 j a", "4 O", "u"] {
        let mut model = fixture::model();
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert_eq!(said(&model), "press W to unlock writing", "{keys}");
        assert!(model.overlay.is_none());
        model.shown.read_only = true;
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert_eq!(said(&model), "this cockpit is read-only", "{keys}");
    }
    let mut model = unlocked();
    let mut broken = fixture::snapshot();
    broken.barrier = Some(Barrier::ChainBroken(Text::new("line 4 does not hold")));
    tell(&mut model, Event::Snapshot(Arc::new(broken)));
    assert_eq!(press(&mut model, "2 enter a"), []);
    assert_eq!(said(&model), "nothing is written: line 4 does not hold");
    assert_eq!(press(&mut model, "1 W"), [], "nor is anything unlocked");
}

#[test]
fn a_key_that_comes_before_writing_is_unlocked_is_taken_once_it_is() {
    let until = Some(fixture::now() + TimeDelta::minutes(15));
    let opened = Event::Lock { until, why: None };
    let mut model = fixture::model();
    assert_eq!(press(&mut model, "2 enter W"), [Cmd::Ask(Request::Unlock)]);
    assert_eq!(press(&mut model, "x"), []);
    assert_eq!(said(&model), "writing is being unlocked: one moment");
    assert_eq!(press(&mut model, "a"), [], "the last one counts");
    let cmds = tell(&mut model, opened.clone());
    let [Cmd::Ask(Request::Propose { action, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!(action.as_str(), "approve");
    assert_eq!(tell(&mut model, opened.clone()), [], "once");

    let refused = Event::Notice { said: Text::new("opened with --read-only"), is_error: true };
    for meanwhile in ["j", "1", "?"] {
        let mut moved = fixture::model();
        press(&mut moved, "2 enter W a");
        press(&mut moved, meanwhile);
        assert_eq!(tell(&mut moved, opened.clone()), [], "it was meant for another row: {meanwhile}");
    }
    let mut other = fixture::model();
    press(&mut other, "2 enter W a");
    tell(&mut other, refused);
    assert_eq!(tell(&mut other, opened.clone()), []);
    let mut late = fixture::model();
    press(&mut late, "2 enter W a");
    assert_eq!(update(&mut late, Msg::Event(opened), fixture::now() + TimeDelta::seconds(4)), []);
}

#[test]
fn a_record_that_could_not_be_written_is_tried_again_by_unlocking() {
    let mut model = fixture::model();
    let barrier = Some(Barrier::Unwritable(Text::new("disk full")));
    tell(&mut model, Event::Snapshot(Arc::new(Snapshot { sequence: 9, barrier, ..fixture::snapshot() })));
    assert_eq!(press(&mut model, "2 enter a"), []);
    assert_eq!(press(&mut model, "W"), [Cmd::Ask(Request::Unlock)]);
}

#[test]
fn one_light_act_needs_only_its_key() {
    let mut model = unlocked();
    let target = fixture::target("reviews", "rv_901");
    let cmds = press(&mut model, "2 enter a");
    let ask = ask_of(&cmds);
    assert!(model.overlay.is_none(), "no dialog stands in the way");
    let preview = fixture::preview("approve", "Approve", std::slice::from_ref(&target), Confirm::Key);
    let cmds = tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    let [Cmd::Ask(Request::Commit { preview, typed, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!((*preview, typed.as_str()), (ask, ""));
    let answer = Event::Answer { ask: ask_of(&cmds), said: Ok(Text::new("done")) };
    tell(&mut model, answer);
    assert_eq!(said(&model), "Approve Happy Paws rv_901: done");
}

#[test]
fn a_light_act_with_a_surprise_asks_after_all() {
    let target = fixture::target("reviews", "rv_901");
    let plain = || fixture::preview("approve", "Approve", std::slice::from_ref(&target), Confirm::Key);
    let mut changed = plain();
    changed.changed = vec![Text::new("stars 5 -> 1")];
    let mut heavier = plain();
    heavier.confirm = Confirm::Count;
    let mut last = plain();
    last.is_final = true;
    for preview in [changed, heavier, last] {
        let mut model = unlocked();
        let ask = ask_of(&press(&mut model, "2 enter a"));
        assert_eq!(tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) }), []);
        assert!(matches!(model.overlay, Some(Overlay::Dialog(_))));
    }
    let mut model = unlocked();
    let ask = ask_of(&press(&mut model, "2 enter a"));
    let mut refused = plain();
    refused.plans.clear();
    refused.refused = vec![(target.clone(), Text::new("decided by kim"))];
    assert_eq!(tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(refused)) }), []);
    assert_eq!(said(&model), "Approve refused. rv_901: decided by kim");
    assert!(model.overlay.is_none());
}

/// A refund's dialog, its preview there, listening.
fn refund() -> Model {
    let mut model = unlocked();
    let ask = ask_of(&press(&mut model, "2 j enter F"));
    let preview = fixture::preview("refund", "Refund", &[fixture::target("refunds", "rr_0312")], Confirm::Typed);
    tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    model
}

#[test]
fn money_moves_only_when_the_amount_is_typed() {
    for (keys, sends) in [
        ("enter", false),
        ("y", false),
        ("F", false),
        ("enter enter enter", false),
        ("tab enter", false),
        ("right enter", false),
        ("shift-tab enter", false),
        ("tab 2 2 . 0 1 enter", false),
        ("tab 2 2 . 0 0 esc", false),
        // Typed where the dialog stands, it goes where it is wanted.
        ("2 2 . 0 1 enter", false),
        ("2 2 . 0 0 enter", true),
        ("tab 2 2 . 0 0 enter", true),
        ("tab 2 2 . 0 0 tab enter", true),
        ("tab 2 2 . 0 0 tab tab enter", false),
    ] {
        let mut model = refund();
        let cmds = press_at(&mut model, keys, later());
        let sent = cmds.iter().any(|cmd| matches!(cmd, Cmd::Ask(Request::Commit { typed, .. }) if typed == "22.00"));
        assert_eq!(sent, sends, "{keys}: {cmds:?}");
        assert_eq!(cmds.len(), usize::from(sends), "{keys}: {cmds:?}");
    }
}

#[test]
fn pasted_text_and_keys_typed_ahead_confirm_nothing() {
    let mut model = refund();
    press_at(&mut model, "tab", later());
    update(&mut model, Msg::Paste("22.00\n".to_owned()), later());
    assert_eq!(said(&model), "a paste confirms nothing here; type it");
    assert_eq!(press_at(&mut model, "enter", later()), []);
    let mut model = refund();
    assert_eq!(press_at(&mut model, "tab 2 2 . 0 0 enter", fixture::now() + TimeDelta::milliseconds(299)), []);
    let Some(Overlay::Dialog(dialog)) = &model.overlay else { panic!("closed") };
    assert!(dialog.typed.is_empty());
}

/// Opens a question.
type Opens<'a> = &'a dyn Fn(&mut Model);

#[test]
fn questions_listen_when_the_operator_said_and_no_sooner() {
    let batch = |model: &mut Model| {
        let cmds = press(model, "2 enter . A a");
        let [Cmd::Ask(Request::Propose { ask, targets, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
        let preview = fixture::preview("approve", "Approve", targets, Confirm::Count);
        tell(model, Event::Preview { ask: *ask, preview: Ok(Box::new(preview)) });
    };
    let quit = |model: &mut Model| {
        let receipt = fixture::receipt(&fixture::target("refunds", "rr_0312"), Standing::UnderWay);
        tell(model, Event::Receipt(receipt));
        press(model, "q");
    };
    let doubt = |model: &mut Model| {
        tell(model, Event::Recovered(vec![fixture::receipt(&fixture::target("refunds", "rr_0312"), Standing::Unknown)]));
        press(model, "D");
    };
    let sign_off = |model: &mut Model| drop(press(model, "4 O"));
    let cases: [(&str, Opens<'_>, &str); 4] =
        [("a dialog", &batch, "y"), ("quit", &quit, "y"), ("a doubt", &doubt, "L"), ("a sign-off", &sign_off, "enter")];
    for (what, open, key) in cases {
        for (after, listens_after) in [(300, 300), (2_000, 2_000), (1_999, 2_000), (301, 2_000)] {
            let mut model = unlocked();
            model.shown.listens_after = TimeDelta::milliseconds(listens_after);
            open(&mut model);
            let cmds = press_at(&mut model, key, fixture::now() + TimeDelta::milliseconds(after));
            assert_eq!(cmds.len(), usize::from(after >= listens_after), "{what} after {after} of {listens_after} ms");
        }
    }
}

#[test]
fn nothing_is_confirmed_that_there_is_no_room_to_read() {
    for (size, sends) in [((20, 5), false), ((39, 40), false), ((120, 8), false), ((40, 9), true), ((80, 24), true)] {
        let mut model = unlocked();
        let ask = ask_of(&press(&mut model, "2 j enter F"));
        let preview = fixture::preview("refund", "Refund", &[fixture::target("refunds", "rr_0312")], Confirm::Typed);
        tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) });
        update(&mut model, Msg::Resize(size.0, size.1), later());
        let cmds = press_at(&mut model, "tab 2 2 . 0 0 enter", later());
        assert_eq!(cmds.len(), usize::from(sends), "{size:?}: {}", said(&model));
        assert_eq!(said(&model).contains("too small to confirm: make it 40x9"), !sends, "{size:?}: {}", said(&model));
        assert_eq!(model.overlay.is_some(), !sends, "{size:?}");
        // What was typed is there when there is room for it.
        update(&mut model, Msg::Resize(80, 24), later());
        let cmds = if sends { cmds } else { press_at(&mut model, "enter", later()) };
        assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::Commit { .. })]), "{size:?}: {cmds:?}");
    }
}

#[test]
fn a_batch_is_confirmed_on_its_count_and_never_by_the_first_enter() {
    let open = || {
        let mut model = unlocked();
        let cmds = press(&mut model, "2 enter . A a");
        let [Cmd::Ask(Request::Propose { ask, targets, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
        assert_eq!(targets.iter().map(|target| target.key.as_str()).collect::<Vec<_>>(), ["rv_901", "rv_902", "rv_904"]);
        let preview = fixture::preview("approve", "Approve", targets, Confirm::Count);
        tell(&mut model, Event::Preview { ask: *ask, preview: Ok(Box::new(preview)) });
        model
    };
    for (keys, sends) in [("enter", false), ("a", false), ("n", false), ("y", true), ("tab enter", true), ("right enter", true)] {
        let mut model = open();
        let cmds = press_at(&mut model, keys, later());
        assert_eq!(cmds.len(), usize::from(sends), "{keys}");
        let marks = model.works[&Id::new("reviews")].marks.len();
        assert_eq!(marks, if sends { 0 } else { 3 }, "{keys}");
    }
}

#[test]
fn a_required_reason_is_chosen_and_asked_about_before_it_can_be_sent() {
    let mut model = unlocked();
    let first = ask_of(&press(&mut model, "2 enter x"));
    let mut preview = fixture::preview("reject", "Reject", &[fixture::target("reviews", "rv_901")], Confirm::Key);
    preview.missing = vec!["reason".to_owned()];
    tell(&mut model, Event::Preview { ask: first, preview: Ok(Box::new(preview.clone())) });
    assert_eq!(press_at(&mut model, "y", later()), []);
    assert_eq!(said(&model), "Reason is still missing");
    let cmds = press_at(&mut model, "2", later());
    let [Cmd::Ask(Request::Propose { ask, inputs, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!(inputs.get("reason").map(ToString::to_string).as_deref(), Some("profanity"));
    assert_eq!(press_at(&mut model, "y", later()), [], "nothing is confirmed that was not previewed");
    tell(&mut model, Event::Preview { ask: first, preview: Ok(Box::new(preview.clone())) });
    assert_eq!(press_at(&mut model, "y", later()), [], "an answer to the older question changes nothing");
    preview.missing.clear();
    tell(&mut model, Event::Preview { ask: *ask, preview: Ok(Box::new(preview)) });
    assert_eq!(press_at(&mut model, "y", later() + TimeDelta::seconds(1)).len(), 1);
}

#[test]
fn prose_typed_on_the_buttons_goes_into_the_note_and_never_to_the_page_behind() {
    let mut model = unlocked();
    let ask = ask_of(&press(&mut model, "2 enter x"));
    let preview = fixture::preview("reject", "Reject", &[fixture::target("reviews", "rv_901")], Confirm::Key);
    tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    assert_eq!(press_at(&mut model, "q u i t e space n o", later()), []);
    let Some(Overlay::Dialog(dialog)) = &model.overlay else { panic!("closed") };
    let note = dialog.entries.iter().find(|entry| entry.choices.is_empty()).unwrap();
    assert_eq!(note.field.text(), "quite no");
}

#[test]
fn a_flag_is_offered_its_other_value() {
    let mut model = unlocked();
    let cmds = press(&mut model, "5 t");
    let [Cmd::Ask(Request::Propose { action, targets, inputs, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!(action.as_str(), "flag.ai_mode");
    assert_eq!(targets.first().map(|target| target.key.as_str()), Some("ai_mode"));
    assert_eq!(inputs.get("value").map(ToString::to_string).as_deref(), Some("deterministic"));
}

#[test]
fn a_flag_that_is_not_as_usual_is_offered_its_usual_value() {
    let flip = FlagFlip {
        from: "z_ai".to_owned(),
        to: "deterministic".to_owned(),
        at: fixture::now(),
        operator: "kim".to_owned(),
        reason: Text::new("the model is down"),
        phase: FlagPhase::Unobserved,
        probes: Vec::new(),
    };
    let values = ["z_ai", "deterministic", "off"];
    // As usual again but not seen to be; flipped elsewhere; one of three.
    for (value, flip, values) in
        [("z_ai", Some(flip), &values[..2]), ("deterministic", None, &values[..2]), ("off", None, &values)]
    {
        let mut snapshot = Snapshot { sequence: 9, ..fixture::snapshot() };
        let flag = Arc::make_mut(&mut snapshot.flags[0]);
        (flag.look.value, flag.flip) = (Some(Arc::new(Value::text(value))), flip);
        let mut model = unlocked();
        Arc::make_mut(&mut model.pack).flags[0].values = values.iter().map(|value| (*value).to_owned()).collect();
        tell(&mut model, Event::Snapshot(Arc::new(snapshot)));
        let cmds = press(&mut model, "5 t");
        let [Cmd::Ask(Request::Propose { inputs, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
        assert_eq!(inputs.get("value").map(ToString::to_string).as_deref(), Some("z_ai"), "of {values:?} it is {value}");
    }
}

#[test]
fn what_recovery_found_is_told_by_how_it_stands() {
    let mut model = fixture::model();
    let stands = |key: &str, standing| fixture::receipt(&fixture::target("reviews", key), standing);
    let receipts = vec![
        stands("rv_901", Standing::Done),
        stands("rv_902", Standing::NotSent),
        stands("rv_903", Standing::NotSent),
        stands("rv_904", Standing::Unknown),
    ];
    tell(&mut model, Event::Recovered(receipts));
    assert_eq!(said(&model), "recovery settled 3 of 4 acts: 1 done, 2 not sent, 1 unknown; :recovery tells each");
}

#[test]
fn a_row_that_a_guard_bars_is_neither_marked_nor_acted_on() {
    let mut model = unlocked();
    press(&mut model, "2 j enter j space");
    assert_eq!(said(&model), "rr_0313 cannot be marked: within 3 days: over by 1d 1h");
    assert_eq!(press(&mut model, "F"), []);
    assert_eq!(said(&model), "Refund rr_0313: within 3 days: over by 1d 1h. Offered: Deny");
    press(&mut model, "A");
    assert_eq!(said(&model), "2 marked, 1 cannot be: their rows say why");
    assert_eq!(model.work().unwrap().marked_money.iter().map(ToString::to_string).collect::<Vec<_>>(), ["A$44.00"]);
}

#[test]
fn what_is_held_is_taken_back_first() {
    let mut model = fixture::model();
    let target = fixture::target("refunds", "rr_0312");
    tell(&mut model, Event::Receipt(fixture::receipt(&target, Standing::Held)));
    assert!(model.counts_seconds(fixture::now()));
    let cmds = press(&mut model, "u");
    let [Cmd::Ask(Request::TakeBack { plan: Some(plan), .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!(plan.0, "id-rr_0312");
    let mut over = fixture::receipt(&target, Standing::TakenBack);
    over.at += TimeDelta::seconds(2);
    tell(&mut model, Event::Receipt(over));
    assert!(!model.counts_seconds(fixture::now()));
    assert_eq!(said(&model), "Refund rr_0312 A$22.00: taken back");
}

#[test]
fn what_was_confirmed_together_is_taken_back_together_unless_one_row_is_chosen() {
    let mut model = fixture::model();
    for key in ["rr_0312", "rr_0314"] {
        let mut receipt = fixture::receipt(&fixture::target("refunds", key), Standing::Held);
        receipt.batch = Some(BatchId("b".to_owned()));
        tell(&mut model, Event::Receipt(receipt));
    }
    let plan_of = |cmds: &[Cmd]| match cmds {
        [Cmd::Ask(Request::TakeBack { plan, .. })] => plan.as_ref().map(|plan| plan.0.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(plan_of(&press(&mut model, "u")), None);
    press(&mut model, "2 j enter G");
    assert_eq!(plan_of(&press(&mut model, "u")).as_deref(), Some("id-rr_0314"));
}

#[test]
fn what_a_batch_has_done_leaves_the_list_when_the_batch_ends() {
    let now = fixture::now();
    let batch = |ended_at| BatchReport {
        id: BatchId("b".to_owned()),
        title: "Approve".to_owned(),
        total: 2,
        ends: Ends { done: 2, ..Ends::default() },
        paused: false,
        started_at: now,
        ended_at,
    };
    let mut model = fixture::model();
    press(&mut model, "2 enter");
    let with = |sequence, ended_at| {
        Event::Snapshot(Arc::new(Snapshot { sequence, batch: Some(batch(ended_at)), ..fixture::snapshot() }))
    };
    assert_eq!(tell(&mut model, with(2, None)), []);
    assert_eq!(tell(&mut model, with(3, Some(now))), [Cmd::Ask(Request::Refresh(Scope::Queue(Id::new("reviews"))))]);
    assert_eq!(tell(&mut model, with(4, Some(now))), [], "once");
}

#[test]
fn a_statement_that_comes_while_the_note_is_typed_is_not_the_one_that_is_signed() {
    let read = |snapshot: &Snapshot| Gist::of(snapshot.reconciliations[0].look.value.as_ref().unwrap());
    let mut model = unlocked();
    press(&mut model, "4 O o k");
    let mut newer = fixture::snapshot();
    newer.sequence += 1;
    let report = Arc::make_mut(&mut newer.reconciliations[0]);
    Arc::make_mut(report.look.value.as_mut().unwrap()).matched += 1;
    let unread = read(&newer);
    tell(&mut model, Event::Snapshot(Arc::new(newer)));
    let cmds = press_at(&mut model, "enter", later());
    let [Cmd::Ask(Request::SignOff { seen, note, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!((seen, note.as_str()), (&read(&fixture::snapshot()), "ok"));
    assert_ne!(*seen, unread);
    // It is refused, and nobody has to type the note again.
    let [Cmd::Ask(Request::SignOff { ask, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    tell(&mut model, Event::Answer { ask: *ask, said: Err(Text::new("it changed while you read it")) });
    press_at(&mut model, "O", later());
    let cmds = press_at(&mut model, "enter", later() + TimeDelta::seconds(1));
    let [Cmd::Ask(Request::SignOff { ask, seen, note, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!((seen, note.as_str()), (&unread, "ok"));
    tell(&mut model, Event::Answer { ask: *ask, said: Ok(Text::new("signed")) });
    press_at(&mut model, "O", later() + TimeDelta::seconds(2));
    assert!(matches!(&model.overlay, Some(Overlay::SignOff(sign_off)) if sign_off.note.is_empty()), "it is signed");
}
