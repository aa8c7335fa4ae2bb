//! What time and late answers change.

use super::*;

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
    assert_eq!(model.next_tick(), now + TimeDelta::seconds(50), "also when seconds have passed since");
    update(&mut model, Msg::Tick, now + TimeDelta::seconds(50));
    assert!(model.is_dirty(), "10:46");
    assert_eq!(model.next_tick(), now + TimeDelta::seconds(110));
    let mut batch = fixture::snapshot();
    batch.batch = Some(BatchReport {
        id: BatchId("b".to_owned()),
        title: "Approve".to_owned(),
        total: 40,
        ends: Ends { done: 3, ..Ends::default() },
        paused: false,
        started_at: now,
        ended_at: None,
    });
    tell(&mut model, Event::Snapshot(Arc::new(batch)));
    assert_eq!(model.next_tick(), fixture::now() + TimeDelta::seconds(1));
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
fn the_text_about_the_selection_follows_when_the_keys_rest() {
    let mut model = fixture::model();
    let now = fixture::now();
    update(&mut model, Msg::Resize(120, 40), now);
    let [first, second, third] = [0, 1, 2].map(|at| model.things(Pane::Alerts).get(at).cloned());
    press_at(&mut model, "j", now);
    let rest = model.next_tick();
    assert_eq!(model.cursor(Pane::Alerts).thing, second);
    assert_eq!(model.told(Pane::Alerts), first, "on the way");
    press_at(&mut model, "j", rest - TimeDelta::milliseconds(1));
    update(&mut model, Msg::Tick, rest);
    assert_eq!(model.told(Pane::Alerts), first, "a key in time is no rest");
    model.drawn();
    let rest = model.next_tick();
    update(&mut model, Msg::Tick, rest);
    assert_eq!(model.told(Pane::Alerts), third);
    assert!(model.is_dirty());
    model.drawn();
    press(&mut model, "2");
    assert_eq!(model.told(Pane::Queues), model.cursor(Pane::Queues).thing, "another pane tells of its own at once");
}

#[test]
fn the_text_about_the_selection_comes_along_where_the_operator_goes() {
    let mut model = fixture::model();
    update(&mut model, Msg::Resize(120, 40), fixture::now());
    press(&mut model, "2 j enter");
    assert_eq!(model.told(Pane::Queues), model.cursor(Pane::Queues).thing, "no queue is told of among another one's items");
    assert!(matches!(model.told(Pane::Queues), Some(Thing::Item(..))));
}
