//! Where keys lead and what they ask.

use super::*;

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
    let subject = || fixture::snapshot().alerts[0].subject.clone();
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
        ("y", vec![Cmd::Copy(subject().name())]),
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
fn a_cockpit_that_could_not_be_opened_is_left_at_once() {
    let unopened = || Event::Unopened(Text::new("the record is locked"));
    let target = fixture::target("refunds", "rr_0312");
    // What the last picture had under way is nobody's to wait for.
    let mut model = fixture::model();
    tell(&mut model, Event::Receipt(fixture::receipt(&target, Standing::UnderWay)));
    tell(&mut model, unopened());
    assert_eq!(press(&mut model, "q"), [Cmd::Quit]);
    for keys in ["q", "2 enter"] {
        let mut model = fixture::model();
        tell(&mut model, Event::Receipt(fixture::receipt(&target, Standing::UnderWay)));
        press(&mut model, keys);
        tell(&mut model, unopened());
        assert!(model.overlay.is_none(), "{keys}");
        assert_eq!(press(&mut model, "q"), [Cmd::Quit], "{keys}");
    }
    let mut model = fixture::model();
    tell(&mut model, Event::Receipt(fixture::receipt(&target, Standing::UnderWay)));
    press(&mut model, "q");
    press_at(&mut model, "y", later());
    assert_eq!(tell(&mut model, unopened()), [Cmd::Quit], "nobody else would answer");
}

#[test]
fn a_key_that_is_let_go_means_nothing() {
    let mut model = fixture::model();
    let mut up = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    up.kind = crossterm::event::KeyEventKind::Release;
    assert_eq!(update(&mut model, Msg::Key(up), fixture::now()), []);
}
