//! Rows, marks and cursors while the data changes under them.

use super::*;

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
fn a_key_that_was_meant_for_a_row_that_has_just_gone_does_nothing_to_the_next() {
    let without = |at: usize| {
        let mut fewer = fixture::reviews(fixture::now());
        fewer.items.remove(at);
        Event::Snapshot(Arc::new(with_reviews(fewer, 2)))
    };
    let mut model = unlocked();
    press(&mut model, "2 enter");
    tell(&mut model, without(0));
    assert_eq!(press(&mut model, "a"), []);
    assert_eq!(said(&model), "rv_901 has just gone from the list: nothing was done; this row is another");
    let again = press_at(&mut model, "a", later());
    let [Cmd::Ask(Request::Propose { targets, .. })] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!(targets.first().map(|target| target.key.as_str()), Some("rv_902"), "read, and pressed again");

    let mut model = unlocked();
    press(&mut model, "2 enter");
    tell(&mut model, without(0));
    assert_eq!(press_at(&mut model, "a", later()).len(), 1, "there was time to see it");

    let mut model = unlocked();
    press(&mut model, "2 enter");
    tell(&mut model, without(1));
    assert_eq!(press(&mut model, "a").len(), 1, "another row went");

    let mut model = unlocked();
    press(&mut model, "2 enter");
    tell(&mut model, Event::Receipt(fixture::receipt(&fixture::target("reviews", "rv_901"), Standing::Done)));
    tell(&mut model, without(0));
    assert_eq!(press(&mut model, "a").len(), 1, "it went by the operator's own act");
}

#[test]
fn on_its_page_the_item_itself_is_marked_and_no_neighbour() {
    let mut model = unlocked();
    press(&mut model, "2 enter enter space");
    assert_eq!(said(&model), "rv_901 is marked");
    press(&mut model, "space");
    assert!(model.work().unwrap().marks.is_empty());
    press(&mut model, "space esc");
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

#[test]
fn what_is_put_away_sinks_and_the_operator_stays_with_what_comes_next() {
    let selected = |model: &Model| model.cursor(Pane::Alerts).thing;
    for keys in ["z 2", "Z"] {
        let mut model = fixture::model();
        let [first, second] = [0, 1].map(|at| model.things(Pane::Alerts).get(at).cloned());
        let cmds = press_at(&mut model, keys, later());
        assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::Handle { .. })]), "{keys}");
        assert_eq!(selected(&model), second, "{keys}");
        let mut sorted = fixture::snapshot();
        let put_away = sorted.alerts.remove(0);
        sorted.alerts.insert(3, put_away);
        tell(&mut model, Event::Snapshot(Arc::new(Snapshot { sequence: 9, ..sorted })));
        assert_eq!((selected(&model), model.cursor(Pane::Alerts).at), (second, 0), "{keys}");
        press(&mut model, "j j j");
        assert_eq!(selected(&model), first, "it is still there");
    }
    let mut last = fixture::model();
    press(&mut last, "j j j");
    let third = last.things(Pane::Alerts).get(2).cloned();
    press_at(&mut last, "Z", later());
    assert_eq!(selected(&last), third, "what is well comes after the last one");
    let mut noted = fixture::model();
    let first = selected(&noted);
    press_at(&mut noted, "a", later());
    assert_eq!(selected(&noted), first, "what is only seen stays");
}
