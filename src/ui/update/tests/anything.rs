//! Whatever is typed and whatever the size: the screen stands and no money moves untyped.

use super::*;
use crate::ui::{terminal::Canvas, theme::Depth, view::draw};

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

const KEYS: &str = "j k g G 1 2 3 4 5 6 7 8 tab shift-tab enter enter enter esc q ? : / . n N space v A s S p f a x F t u z c O W \
                    y Y r R [ ] - @ ! w d l P L Z 0 2 2 . y left right up down pgdn pgup ctrl-s ctrl-d backspace home end b";

#[derive(Clone, Debug)]
enum Doing {
    Key(usize),
    Resize(u16, u16),
    Paste,
    Wait(i64),
    Answer,
    Refresh(usize),
    Mouse(u16, u16, usize),
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        30 => (0..KEYS.split_whitespace().count()).prop_map(Doing::Key),
        2 => (20_u16..220, 5_u16..70).prop_map(|(width, height)| Doing::Resize(width, height)),
        1 => Just(Doing::Paste),
        4 => (0_i64..2_000).prop_map(Doing::Wait),
        6 => Just(Doing::Answer),
        2 => (0_usize..7).prop_map(Doing::Refresh),
        6 => (0_u16..220, 0_u16..70, 0_usize..4).prop_map(|(column, row, kind)| Doing::Mouse(column, row, kind)),
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
                Doing::Mouse(column, row, kind) => {
                    let cmds = update(&mut model, Msg::Mouse(pointing::event(column, row, kind)), now);
                    prop_assert!(cmds.iter().all(pointing::only_looks), "{cmds:?}");
                    cmds
                }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What a step through a list leaves as it was on the screen would not be drawn otherwise.
    #[test]
    fn the_parts_of_a_frame_leave_nothing_out(
        all in proptest::collection::vec((0..KEYS.split_whitespace().count(), 0_usize..4, 0_i64..300), 1..80),
        size in prop_oneof![Just((80, 24)), Just((120, 40)), Just((200, 60)), (20_u16..220, 5_u16..70)],
    ) {
        let mut model = unlocked();
        let mut now = fixture::now();
        update(&mut model, Msg::Resize(size.0, size.1), now);
        let mut canvas = Canvas::new(size.into(), Depth::Full);
        let keys: Vec<&str> = KEYS.split_whitespace().collect();
        let steps = ["j", "k", "pgdn", "G"].into_iter().cycle();
        for ((key, ticks, milliseconds), step) in all.into_iter().zip(steps) {
            for key in [keys[key], step] {
                update(&mut model, Msg::Key(event(key)), now);
                if ticks == 0 {
                    now += TimeDelta::milliseconds(milliseconds);
                    update(&mut model, Msg::Tick, now);
                }
                canvas.frame(|screen| draw(&model, screen, &Theme::plain(), now));
                model.touch();
                let left_out = canvas.frame(|screen| draw(&model, screen, &Theme::plain(), now));
                model.drawn();
                prop_assert_eq!(left_out, None, "after {}", key);
            }
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
