//! What the mouse does, and that it never acts.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::ui::view::layout;

/// A press for 0 and 1, the wheel down for 2, up for 3.
pub fn event(column: u16, row: u16, kind: usize) -> MouseEvent {
    let kind = match kind {
        0 | 1 => MouseEventKind::Down(MouseButton::Left),
        2 => MouseEventKind::ScrollDown,
        _ => MouseEventKind::ScrollUp,
    };
    MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
}

/// True for what reads: a page's history, more of the journal.
pub fn only_looks(cmd: &Cmd) -> bool {
    matches!(cmd, Cmd::Ask(Request::History { .. } | Request::Journal { .. }))
}

fn point(model: &mut Model, (column, row): (u16, u16), kind: usize) -> Vec<Cmd> {
    update(model, Msg::Mouse(event(column, row, kind)), later())
}

fn sized(size: (u16, u16)) -> Model {
    let mut model = unlocked();
    update(&mut model, Msg::Resize(size.0, size.1), fixture::now());
    model
}

/// The place on the screen of a row of a pane.
fn spot(model: &Model, pane: Pane, row: u16) -> (u16, u16) {
    let area = layout::arrange(model).panes.into_iter().find(|(shown, _)| *shown == pane).unwrap().1;
    let list = layout::list(model, pane, area);
    (list.x + 5, list.y + row)
}

#[test]
fn a_click_selects_the_pane_and_the_row_and_the_second_one_opens_it() {
    let mut model = sized((120, 40));
    let row = spot(&model, Pane::Reconciliation, 1);
    assert_eq!(point(&mut model, row, 0), []);
    assert_eq!((model.place.pane, model.cursor(Pane::Reconciliation).at), (Pane::Reconciliation, 1));
    assert_eq!(model.place.page, None);
    let cmds = point(&mut model, row, 0);
    assert_eq!(model.place.page, model.things(Pane::Reconciliation).get(1).cloned());
    assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::History { .. })]), "{cmds:?}");
    press(&mut model, "esc");
    let title = (spot(&model, Pane::Alerts, 0).0, 2);
    point(&mut model, title, 0);
    assert_eq!(model.place.pane, Pane::Alerts, "the frame of a pane is the pane");
}

#[test]
fn a_row_that_a_key_selected_is_not_opened_by_one_click() {
    let mut model = sized((80, 24));
    let [first, second] = [0, 1].map(|row| spot(&model, Pane::Alerts, row));
    point(&mut model, first, 0);
    assert_eq!(model.place.page, None, "it was selected from the start");
    press(&mut model, "j k");
    point(&mut model, first, 0);
    assert_eq!(model.place.page, None, "a key came between");
    point(&mut model, second, 0);
    point(&mut model, first, 0);
    assert_eq!(model.place.page, None);
    point(&mut model, first, 0);
    assert!(matches!(model.place.page, Some(Thing::Playbook(_))));
}

#[test]
fn clicks_work_a_queue_and_read_its_rows() {
    let mut model = sized((80, 24));
    let row = spot(&model, Pane::Queues, 0);
    point(&mut model, row, 0);
    point(&mut model, row, 0);
    assert_eq!(model.place.queue, Some(Id::new("reviews")));
    let row = spot(&model, Pane::Queues, 2);
    for _ in 0..2 {
        point(&mut model, row, 0);
    }
    assert_eq!(model.place.page, model.work().and_then(|work| Some(Thing::Item(work.queue.clone(), work.item(2)?.key.clone()))));
}

#[test]
fn the_wheel_moves_where_the_operator_is_and_scrolls_what_is_read() {
    let mut model = sized((120, 40));
    let [alerts, jobs] = [Pane::Alerts, Pane::Jobs].map(|pane| spot(&model, pane, 0));
    point(&mut model, alerts, 2);
    assert_eq!(model.cursor(Pane::Alerts).at, 1);
    point(&mut model, jobs, 2);
    assert_eq!((model.place.pane, model.cursor(Pane::Alerts).at, model.cursor(Pane::Jobs).at), (Pane::Alerts, 1, 0));
    point(&mut model, alerts, 3);
    assert_eq!(model.cursor(Pane::Alerts).at, 0);
    let mut help = sized((80, 24));
    press(&mut help, "?");
    point(&mut help, (1, 1), 2);
    assert!(matches!(help.overlay, Some(Overlay::Help { scroll: 3 })));
}

#[test]
fn nothing_that_acts_is_reached_by_the_mouse() {
    for keys in [
        "",
        "2 enter",
        "2 enter space",
        "2 enter v j",
        "3",
        "4",
        "4 j",
        "5",
        "2 j enter F",
        "2 enter . A a",
        "3 t",
        "5 t",
        "4 O",
        "z",
        "c",
        ":",
        "?",
        "2 enter /",
    ] {
        let open = || {
            let mut model = sized((80, 24));
            let cmds = press(&mut model, keys);
            if let Some(Cmd::Ask(Request::Propose { ask, targets, .. })) = cmds.last() {
                let preview = fixture::preview("approve", "Approve", targets, Confirm::Count);
                tell(&mut model, Event::Preview { ask: *ask, preview: Ok(Box::new(preview)) });
            }
            model
        };
        let kind = |model: &Model| model.overlay.as_ref().map(std::mem::discriminant);
        let marks = |model: &Model| model.works.values().map(|work| work.marks.len()).sum::<usize>();
        let (overlay, marked) = (kind(&open()), marks(&open()));
        for (column, row) in (0..80).step_by(7).flat_map(|column| (0..24).map(move |row| (column, row))) {
            let mut model = open();
            let cmds: Vec<Cmd> = [0, 0, 0, 2, 3].into_iter().flat_map(|kind| point(&mut model, (column, row), kind)).collect();
            assert!(cmds.iter().all(only_looks), "{keys}: {column} {row} {cmds:?}");
            assert_eq!(kind(&model), overlay, "{keys}: {column} {row}");
            assert_eq!(marks(&model), marked, "{keys}: {column} {row}");
        }
    }
}
