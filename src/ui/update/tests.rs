//! What the keys do, as tables: no I/O, no async, no clock.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};

use super::update;
use crate::{
    domain::{
        id::Id,
        pack::Confirm,
        plan::{BatchId, Standing},
        snapshot::{Alert, BatchReport, Items, Look, QueueReport, Snapshot, Subject},
        text::Text,
    },
    engine::message::{Ask, Event, Handle, Request, Scope},
    ui::{
        chord::Chord,
        message::{Cmd, Msg},
        model::{Model, fixture},
        overlay::Overlay,
        place::{Pane, Place, Thing},
        theme::Theme,
        view,
    },
};

fn event(key: &str) -> KeyEvent {
    let chord = Chord::parse(key).unwrap();
    KeyEvent::new(chord.code, if chord.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
}

fn press_at(model: &mut Model, keys: &str, now: DateTime<Utc>) -> Vec<Cmd> {
    keys.split_whitespace().flat_map(|key| update(model, Msg::Key(event(key)), now)).collect()
}

fn press(model: &mut Model, keys: &str) -> Vec<Cmd> {
    press_at(model, keys, fixture::now())
}

/// After the time in which a dialog does not listen.
fn later() -> DateTime<Utc> {
    fixture::now() + TimeDelta::seconds(1)
}

fn unlocked() -> Model {
    let mut model = fixture::model();
    tell(&mut model, Event::Lock { until: Some(fixture::now() + TimeDelta::minutes(15)), why: None });
    model
}

fn tell(model: &mut Model, event: Event) -> Vec<Cmd> {
    update(model, Msg::Event(event), fixture::now())
}

fn said(model: &Model) -> &str {
    model.notices.latest.as_ref().map_or("", |notice| notice.said.as_str())
}

fn ask_of(cmds: &[Cmd]) -> Ask {
    match cmds {
        [Cmd::Ask(Request::Propose { ask, .. } | Request::TakeBack { ask, .. } | Request::Commit { ask, .. })] => *ask,
        other => panic!("no question: {other:?}"),
    }
}

#[test]
fn keys_lead_where_they_say() {
    let place = |pane, queue: Option<&str>, page| Place { pane, zoomed: false, queue: queue.map(Id::new), page };
    let item = |key: &str| Thing::Item(Id::new("reviews"), key.to_owned());
    for (keys, wanted) in [
        ("", place(Pane::Alerts, None, None)),
        ("3", place(Pane::Jobs, None, None)),
        ("tab", place(Pane::Queues, None, None)),
        ("tab tab tab tab", place(Pane::Alerts, None, None)),
        ("shift-tab", place(Pane::Journal, None, None)),
        ("2 enter", place(Pane::Queues, Some("reviews"), None)),
        ("2 enter esc", place(Pane::Queues, None, None)),
        ("2 j enter", place(Pane::Queues, Some("refunds"), None)),
        ("2 enter j enter", place(Pane::Queues, Some("reviews"), Some(item("rv_902")))),
        ("2 enter j enter n n", place(Pane::Queues, Some("reviews"), Some(item("rv_904")))),
        ("2 enter G enter", place(Pane::Queues, Some("reviews"), Some(item("rv_906")))),
        ("1 enter", place(Pane::Alerts, None, Some(Thing::Playbook(Id::new("z-ai-down"))))),
        ("1 enter esc", place(Pane::Alerts, None, None)),
        ("1 j enter", place(Pane::Alerts, None, Some(Thing::Alert(Subject::Check(Id::new("webhook")))))),
        (
            "4 j enter",
            place(Pane::Reconciliation, None, Some(Thing::Discrepancy(Id::new("charges"), "missing_here:ch_Kx9:".to_owned()))),
        ),
        ("5 esc", place(Pane::Alerts, None, None)),
        ("2 enter 3 [", place(Pane::Queues, Some("reviews"), None)),
        ("2 enter 3 [ ]", place(Pane::Jobs, None, None)),
        ("@", Place { zoomed: true, ..place(Pane::Journal, None, None) }),
        ("f f", place(Pane::Alerts, None, None)),
    ] {
        let mut model = fixture::model();
        press(&mut model, keys);
        assert_eq!(model.place, wanted, "{keys}");
    }
}

#[test]
fn keys_ask_what_they_mean() {
    let subject = || Subject::Check(Id::new("z_ai"));
    let handle = |how| Cmd::Ask(Request::Handle { subject: subject(), how });
    for (keys, wanted) in [
        ("a", vec![handle(Handle::Acknowledge)]),
        ("x", vec![handle(Handle::Reopen)]),
        ("Z", vec![handle(Handle::Defer)]),
        ("z 2", vec![handle(Handle::Snooze(Duration::from_hours(1)))]),
        ("z 5", vec![handle(Handle::Defer)]),
        ("z esc", vec![]),
        ("c o k enter", vec![handle(Handle::Note("ok".to_owned()))]),
        ("c enter", vec![]),
        ("R", vec![Cmd::Ask(Request::Refresh(Scope::All))]),
        ("r", vec![Cmd::Ask(Request::Refresh(Scope::Alerts))]),
        ("2 enter r", vec![Cmd::Ask(Request::Refresh(Scope::Queue(Id::new("reviews"))))]),
        ("y", vec![Cmd::Copy("check.z_ai".to_owned())]),
        ("W", vec![Cmd::Ask(Request::Unlock)]),
        ("q", vec![Cmd::Quit]),
        ("2 enter q", vec![]),
        ("ctrl-z", vec![Cmd::Suspend]),
        (": ctrl-z", vec![Cmd::Suspend]),
        ("L", vec![]),
        ("w", vec![Cmd::Ask(Request::History { ask: Ask(1), subject: subject() })]),
        (": u n l o c k enter", vec![Cmd::Ask(Request::Unlock)]),
    ] {
        assert_eq!(press(&mut fixture::model(), keys), wanted, "{keys}");
    }
}

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
    broken.journal_broken = Some(Text::new("line 4"));
    tell(&mut model, Event::Snapshot(Arc::new(broken)));
    assert_eq!(press(&mut model, "2 enter a"), []);
    assert_eq!(said(&model), "nothing is sent while the journal is broken: line 4");
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
    assert_eq!(said(&model), "recovery settled 3 of 4 acts: 1 done, 2 not sent, 1 unknown; @ tells each");
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

fn with_reviews(items: Items, sequence: u64) -> Snapshot {
    let mut snapshot = fixture::snapshot();
    let look = Look { value: Some(Arc::new(items)), ..snapshot.queues.first().unwrap().look.clone() };
    snapshot.queues[0] = Arc::new(QueueReport { look, ..snapshot.queues[0].as_ref().clone() });
    snapshot.sequence = sequence;
    snapshot
}

#[test]
fn a_refresh_moves_no_cursor_and_drops_marks_of_what_went_away_in_view_of_all() {
    let mut model = unlocked();
    press(&mut model, "2 enter space space j");
    assert_eq!(model.selected(), Some(Thing::Item(Id::new("reviews"), "rv_904".to_owned())));
    let mut fewer = fixture::reviews(fixture::now());
    fewer.items.remove(1);
    tell(&mut model, Event::Snapshot(Arc::new(with_reviews(fewer, 2))));
    assert_eq!(model.selected(), Some(Thing::Item(Id::new("reviews"), "rv_904".to_owned())));
    assert_eq!(said(&model), "1 marked row went away; its mark is gone");
    let marks: Vec<&String> = model.work().unwrap().marks.iter().collect();
    assert_eq!(marks, ["rv_901"]);
}

#[test]
fn select_all_takes_what_the_filter_shows_and_freezes_it() {
    let mut model = unlocked();
    press(&mut model, "2 enter / s t a r s > 4 enter A esc");
    assert!(model.work().unwrap().marks.is_empty(), "Esc clears the marks first");
    press(&mut model, "A esc");
    press(&mut model, "A");
    press(&mut model, "/ ctrl-u enter");
    assert_eq!(model.work().unwrap().len(), 6);
    assert_eq!(model.work().unwrap().marks.len(), 2, "the filter is gone, the marks are as they were");
}

#[test]
fn a_range_is_marked_from_its_start_to_the_cursor() {
    let mut model = unlocked();
    press(&mut model, "2 enter v j j v");
    assert_eq!(said(&model), "3 marked");
    assert!(model.work().unwrap().range_from.is_none());
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
        done: 2,
        failed: 0,
        skipped: 0,
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
fn quitting_never_abandons_an_act_silently() {
    let mut model = fixture::model();
    let target = fixture::target("refunds", "rr_0312");
    tell(&mut model, Event::Receipt(fixture::receipt(&target, Standing::UnderWay)));
    for key in ["q", "ctrl-c"] {
        assert_eq!(press(&mut model, key), []);
        assert!(matches!(model.overlay, Some(Overlay::Quit { .. })));
        assert_eq!(press(&mut model, "y"), [], "it does not listen yet");
        press_at(&mut model, "n", later());
        assert!(model.overlay.is_none());
    }
    press(&mut model, "q");
    assert_eq!(press_at(&mut model, "y", later()), [Cmd::Ask(Request::Stop)]);
    assert_eq!(press_at(&mut model, "esc q ctrl-c", later()), []);
    assert_eq!(tell(&mut model, Event::Stopped), [Cmd::Quit]);
}

#[test]
fn late_answers_are_dropped() {
    let mut model = unlocked();
    let preview = fixture::preview("approve", "Approve", &[fixture::target("reviews", "rv_901")], Confirm::Key);
    let ask = Ask(99);
    assert_eq!(tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) }), []);
    tell(&mut model, Event::Answer { ask, said: Ok(Text::new("done")) });
    assert!(!said(&model).contains("done"));
    let ask = ask_of(&press(&mut model, "2 j enter F"));
    press_at(&mut model, "esc", later());
    let preview = fixture::preview("refund", "Refund", &[fixture::target("refunds", "rr_0312")], Confirm::Typed);
    tell(&mut model, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    assert!(model.overlay.is_none(), "a closed dialog stays closed");
}

#[test]
fn a_tick_costs_nothing_until_a_shown_text_changes() {
    let mut model = fixture::model();
    let now = fixture::now();
    update(&mut model, Msg::Resize(80, 24), now);
    model.drawn();
    for second in 1..50 {
        update(&mut model, Msg::Tick, now + TimeDelta::seconds(second));
        assert!(!model.is_dirty(), "{second}");
    }
    update(&mut model, Msg::Tick, now + TimeDelta::seconds(50));
    assert!(model.is_dirty(), "10:46");
    assert_eq!(model.next_tick(now), TimeDelta::seconds(50));
    let mut batch = fixture::snapshot();
    batch.batch = Some(BatchReport {
        id: BatchId("b".to_owned()),
        title: "Approve".to_owned(),
        total: 40,
        done: 3,
        failed: 0,
        skipped: 0,
        paused: false,
        started_at: now,
        ended_at: None,
    });
    tell(&mut model, Event::Snapshot(Arc::new(batch)));
    assert_eq!(model.next_tick(now), TimeDelta::seconds(1));
    let paused = press(&mut model, "P");
    assert_eq!(paused, [Cmd::Ask(Request::Pause { batch: BatchId("b".to_owned()), paused: true })]);
}

#[test]
fn the_journal_goes_on_where_the_snapshot_ends() {
    let mut model = fixture::model();
    let cmds = press(&mut model, "@ G j");
    let asked = Request::Journal { ask: Ask(2), before: Some(10), contains: String::new() };
    assert_eq!(cmds.last(), Some(&Cmd::Ask(asked)));
    let line = model.line(10).unwrap().clone();
    let older = crate::domain::snapshot::JournalLine { sequence: 9, ..line };
    tell(&mut model, Event::Journal { ask: Ask(2), lines: vec![older] });
    assert_eq!(model.count(Pane::Journal), 4);
}

#[test]
fn what_cannot_be_read_is_never_counted_as_well() {
    let mut model = fixture::model();
    let green = |model: &Model| {
        let alerts = &model.snapshot.as_ref().unwrap().alerts;
        alerts.iter().filter(|alert: &&Arc<Alert>| model.severity(alert) == crate::domain::severity::Severity::Green).count()
    };
    assert_eq!(green(&model), 3);
    update(&mut model, Msg::Tick, fixture::now() + TimeDelta::minutes(3));
    assert_eq!(green(&model), 0);
    tell(&mut model, Event::Snapshot(Arc::new(fixture::failed())));
    assert_eq!(green(&model), 0);
    tell(&mut model, Event::Snapshot(Arc::new(Snapshot { sequence: 9, ..fixture::empty() })));
    assert_eq!(green(&model), 3);
}

fn buffer(model: &Model, terminal: &mut Terminal<TestBackend>) -> ratatui::buffer::Buffer {
    terminal.draw(|frame| view(model, frame, &Theme::plain(), model.now)).unwrap();
    terminal.backend().buffer().clone()
}

#[test]
fn a_move_of_the_selection_changes_two_cells_in_a_queue_of_any_length() {
    let mut model = fixture::model();
    tell(&mut model, Event::Snapshot(Arc::new(with_reviews(fixture::many_reviews(2_000), 2))));
    update(&mut model, Msg::Resize(120, 40), fixture::now());
    press(&mut model, "2 enter");
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let before = buffer(&model, &mut terminal);
    press(&mut model, "j");
    let after = buffer(&model, &mut terminal);
    assert_eq!(before.diff(&after).len(), 2);
    press(&mut model, "G");
    assert_eq!(model.work().unwrap().cursor.at, 1_999);
}

#[derive(Clone, Debug)]
enum Doing {
    Key(usize),
    Resize(u16, u16),
    Paste,
    Wait(i64),
    Answer,
    Refresh(usize),
}

const KEYS: &str = "j k g G 1 2 3 4 5 6 7 8 tab shift-tab enter enter enter esc q ? : / . n N space v A s S p f a x F t u z c O W \
                    y Y r R [ ] - @ ! w d l P L Z 0 2 2 . y left right up down pgdn pgup ctrl-s ctrl-d backspace home end b";

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        30 => (0..KEYS.split_whitespace().count()).prop_map(Doing::Key),
        2 => (20_u16..220, 5_u16..70).prop_map(|(width, height)| Doing::Resize(width, height)),
        1 => Just(Doing::Paste),
        4 => (0_i64..2_000).prop_map(Doing::Wait),
        6 => Just(Doing::Answer),
        2 => (0_usize..7).prop_map(Doing::Refresh),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is pressed, at whatever size: it draws, and money is sent only by typing what was asked for.
    #[test]
    fn no_keys_break_the_screen_or_send_money_untyped(all in proptest::collection::vec(doing(), 1..120)) {
        let mut model = unlocked();
        let mut now = fixture::now();
        let mut asked: Vec<(Ask, bool, Vec<crate::domain::plan::Target>)> = Vec::new();
        let keys: Vec<&str> = KEYS.split_whitespace().collect();
        for one in all {
            let cmds = match one {
                Doing::Key(at) => update(&mut model, Msg::Key(event(keys[at])), now),
                Doing::Resize(width, height) => update(&mut model, Msg::Resize(width, height), now),
                Doing::Paste => update(&mut model, Msg::Paste("22.00\n".to_owned()), now),
                Doing::Wait(milliseconds) => {
                    now += TimeDelta::milliseconds(milliseconds);
                    update(&mut model, Msg::Tick, now)
                }
                Doing::Answer => match asked.pop() {
                    Some((ask, is_money, targets)) => {
                        let confirm = if is_money { Confirm::Typed } else { Confirm::Count };
                        let preview = fixture::preview("refund", "Refund", &targets, confirm);
                        let cmds = update(&mut model, Msg::Event(Event::Preview { ask, preview: Ok(Box::new(preview)) }), now);
                        asked.push((ask, is_money, targets));
                        cmds
                    }
                    None => Vec::new(),
                },
                Doing::Refresh(count) => {
                    let mut items = fixture::reviews(fixture::now());
                    items.items.truncate(count);
                    update(&mut model, Msg::Event(Event::Snapshot(Arc::new(with_reviews(items, count as u64)))), now)
                }
            };
            for cmd in cmds {
                match cmd {
                    Cmd::Ask(Request::Propose { ask, action, targets, .. }) => {
                        asked.push((ask, action.as_str() == "refund", targets));
                    }
                    Cmd::Ask(Request::Commit { preview, typed, .. }) => {
                        let known = asked.iter().find(|(ask, ..)| *ask == preview);
                        prop_assert!(known.is_some(), "a commit without a preview");
                        if known.is_some_and(|(_, is_money, _)| *is_money) {
                            prop_assert_eq!(typed, "22.00");
                        }
                    }
                    _ => {}
                }
            }
            let (width, height) = model.size;
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            let drawn = buffer(&model, &mut terminal);
            let pane = model.place.pane;
            prop_assert!(model.cursor(pane).at <= model.count(pane));
            prop_assert_eq!(drawn.area.width, width);
        }
    }
}

#[test]
fn no_size_is_too_small_to_draw() {
    for keys in
        ["", "2 enter p", "2 j enter", "4 f", "1 w", "1 enter", "?", ":", "!", "z", "c", "2 j enter F", "4 O", "5 t", "2 enter /"]
    {
        let mut model = unlocked();
        press(&mut model, keys);
        for (width, height) in (1..26).flat_map(|width| (1..14).map(move |height| (width, height))) {
            update(&mut model, Msg::Resize(width, height), fixture::now());
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            assert_eq!(buffer(&model, &mut terminal).area.height, height, "{keys}");
        }
    }
}

#[test]
fn a_key_that_is_let_go_means_nothing() {
    let mut model = fixture::model();
    let mut up = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    up.kind = crossterm::event::KeyEventKind::Release;
    assert_eq!(update(&mut model, Msg::Key(up), fixture::now()), []);
}
