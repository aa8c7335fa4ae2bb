//! Screens as an operator sees them, in every state, beside the files that say how they must look.
//!
//! A screen that differs is written to `tests/screens/*.new`; with `UPDATE_SCREENS=1` it replaces the file.

use std::{fs, path::PathBuf, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyEvent;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use wheelhouse::{
    domain::{
        self,
        barrier::Barrier,
        ends::Ends,
        money::Money,
        pack::{Class, Confirm},
        plan::{BatchId, Standing},
        rows::{Params, Row},
        severity::Severity,
        snapshot::{
            BatchReport, Discrepancy, Entry, Items, JobHealth, Look, ReadSoFar, ReconciliationReport, Snapshot, Statement,
        },
        text::Text,
        value::Value,
    },
    engine::{
        self,
        message::{Ask, Event, Request},
    },
    ui::{
        self, Chord, Cmd, Model, Msg,
        theme::{BUILT_IN, Role, Theme},
    },
};

mod workbench;

#[path = "../screens/fixture.rs"]
pub mod fixture;

fn open(snapshot: Option<domain::snapshot::Snapshot>) -> Model {
    Model::new(Arc::new(fixture::pack()), fixture::shown(), snapshot.map(Arc::new))
}

fn press(model: &mut Model, keys: &str, now: DateTime<Utc>) -> Vec<Cmd> {
    let mut cmds = Vec::new();
    for key in keys.split_whitespace() {
        let chord = Chord::parse(key).unwrap();
        let modifiers =
            if chord.control { crossterm::event::KeyModifiers::CONTROL } else { crossterm::event::KeyModifiers::NONE };
        cmds.extend(ui::update(model, Msg::Key(KeyEvent::new(chord.code, modifiers)), now));
    }
    cmds
}

fn drawn(model: &mut Model, size: (u16, u16), now: DateTime<Utc>) -> Buffer {
    drawn_in(&Theme::plain(), model, size, now)
}

fn drawn_in(theme: &Theme, model: &mut Model, (width, height): (u16, u16), now: DateTime<Utc>) -> Buffer {
    ui::update(model, Msg::Resize(width, height), now);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| ui::view(model, frame, theme, now)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut text = String::new();
    for row in buffer.content.chunks(width) {
        let mut skip = 0;
        let mut line = String::new();
        for cell in row {
            if skip == 0 {
                line.push_str(cell.symbol());
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            } else {
                skip -= 1;
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn compare(name: &str, model: &mut Model, sizes: &[(u16, u16)], now: DateTime<Utc>, wrong: &mut Vec<String>) {
    for size in sizes {
        let seen = text(&drawn(model, *size, now));
        let file = format!("{name}.{}x{}.txt", size.0, size.1);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(&file);
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        if seen == wanted {
            continue;
        }
        if std::env::var_os("UPDATE_SCREENS").is_some() {
            fs::write(&path, &seen).unwrap();
        } else {
            fs::write(path.with_extension("new"), &seen).unwrap();
            wrong.push(format!("{file} differs:\n{seen}"));
        }
    }
}

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

#[test]
fn the_header_stays_where_it_is_when_the_last_minute_before_a_look_begins() {
    let now = fixture::now();
    let header = |size, seconds| {
        let next_look = Some(now + TimeDelta::seconds(seconds));
        let mut model = open(Some(Snapshot { next_look, ..fixture::snapshot() }));
        text(&drawn(&mut model, size, now)).lines().next().unwrap().to_owned()
    };
    for size in SIZES {
        let (before, after) = (header(size, 61), header(size, 48));
        assert!(after.contains("next <1m 10:45"), "{after}");
        assert_eq!(before, after.replace("next <1m", "next 1m "), "{size:?}");
    }
}

#[test]
fn screens_look_as_they_were_approved() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let all = [(80, 24), (120, 40), (200, 60), (40, 12), (20, 5)];
    compare("home", &mut open(Some(fixture::snapshot())), &all, now, &mut wrong);
    compare("loading", &mut open(None), &SIZES, now, &mut wrong);
    compare("empty", &mut open(Some(fixture::empty())), &SIZES, now, &mut wrong);
    let mut unopened = open(Some(fixture::snapshot()));
    let why =
        "state: the record /var/lib/wheelhouse/shop.db could not be opened: permission denied; give --state-dir another folder";
    ui::update(&mut unopened, Msg::Event(Event::Unopened(Text::new(why))), now);
    compare("unopened", &mut unopened, &all, now, &mut wrong);
    compare("failed", &mut open(Some(fixture::failed())), &SIZES, now, &mut wrong);
    compare("stale", &mut open(Some(fixture::snapshot())), &SIZES, now + TimeDelta::minutes(14), &mut wrong);
    for (name, keys) in [
        ("reviews", "2 enter space space p"),
        ("refunds", "2 j enter space space"),
        ("why", "1 j j w"),
        ("playbook", "1 enter"),
        ("job", "3 enter"),
        ("item", "2 enter j j enter"),
        ("reconciliation", "4 f"),
        ("discrepancy", "4 j enter"),
        ("help", "1 ?"),
        ("palette", ": r e f"),
        ("filter", "2 enter / a i > 0 . 9"),
        ("errors", "!"),
        ("flags", "5"),
        ("metrics", "7 f"),
    ] {
        let mut model = open(Some(fixture::snapshot()));
        drawn(&mut model, (80, 24), now);
        press(&mut model, keys, now);
        compare(name, &mut model, &SIZES, now, &mut wrong);
    }
    let with = |snapshot: domain::snapshot::Snapshot, keys: &str| {
        let mut model = open(Some(snapshot));
        drawn(&mut model, (80, 24), now);
        press(&mut model, keys, now);
        model
    };
    compare("ambiguous", &mut with(ambiguous(), "4 f j"), &SIZES, now + TimeDelta::seconds(1), &mut wrong);
    compare("ambiguous-row", &mut with(ambiguous(), "4 j j enter"), &SIZES, now, &mut wrong);
    compare("reading", &mut with(reading(true), "4 f"), &SIZES, now, &mut wrong);
    compare("reading-again", &mut with(reading(false), "4 enter"), &SIZES, now, &mut wrong);
    let tiny = [(20, 5), (30, 8), (40, 10), (60, 15)];
    for (name, keys) in [("home", ""), ("refunds", "2 j enter j"), ("reconciliation", "4"), ("metrics", "7"), ("why", "1 j j w")]
    {
        let mut model = open(Some(fixture::snapshot()));
        drawn(&mut model, (80, 24), now);
        press(&mut model, keys, now);
        compare(name, &mut model, &tiny, now, &mut wrong);
    }
    let mut ascii = open(Some(fixture::snapshot()));
    ascii.shown.ascii = true;
    compare("ascii", &mut ascii, &SIZES, now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything was read a moment ago, and the look after that failed.
fn just_failed(mut snapshot: Snapshot) -> Snapshot {
    fn fail<T>(look: &mut Look<T>) {
        look.failure = Some(fixture::failure());
    }
    snapshot.queues.iter_mut().for_each(|report| fail(&mut Arc::make_mut(report).look));
    snapshot.jobs.iter_mut().for_each(|report| fail(&mut Arc::make_mut(report).look));
    snapshot.reconciliations.iter_mut().for_each(|report| fail(&mut Arc::make_mut(report).look));
    snapshot.flags.iter_mut().for_each(|report| fail(&mut Arc::make_mut(report).look));
    snapshot.metrics.iter_mut().for_each(|report| fail(&mut Arc::make_mut(report).look));
    snapshot
}

#[test]
fn what_was_read_before_a_look_failed_is_not_shown_as_of_now() {
    let now = fixture::now();
    let mut even = fixture::snapshot();
    let empty = Arc::new(Items::default());
    for report in &mut even.queues {
        Arc::make_mut(report).look.value = Some(Arc::clone(&empty));
    }
    for report in &mut even.jobs {
        let look = &mut Arc::make_mut(report).look;
        let health = look.value.as_deref().unwrap().clone();
        look.value = Some(Arc::new(JobHealth { severity: Severity::Green, state: "ok".to_owned(), ..health }));
    }
    for report in &mut even.reconciliations {
        let look = &mut Arc::make_mut(report).look;
        let statement = look.value.as_deref().unwrap().clone();
        look.value = Some(Arc::new(Statement { totals: Vec::new(), discrepancies: Vec::new(), ..statement }));
    }
    let of = |snapshot: &Snapshot, keys: &str| {
        let mut model = open(Some(snapshot.clone()));
        drawn(&mut model, (120, 40), now);
        press(&mut model, keys, now);
        text(&drawn(&mut model, (120, 40), now))
    };
    let failed = just_failed(even.clone());
    for (keys, calm) in [
        ("2 f", "No reviews wait"),
        ("2 enter", "No reviews wait"),
        ("3 f", "G feature-promote"),
        ("4 f", "no rows on either side"),
        ("5 f", "G AI_MODE"),
    ] {
        let (before, after) = (of(&even, keys), of(&failed, keys));
        assert!(before.contains(calm), "{keys}\n{before}");
        assert!(!after.contains(calm), "{keys}\n{after}");
        let inside = after.lines().filter(|line| line.contains("connection refused") && !line.contains("\u{2514}")).count();
        assert!(inside > 0, "{keys}: why, where the eye is\n{after}");
    }
    for (pane, word) in [("3", "unknown"), ("5", "unknown now"), ("7", "unknown now"), ("2", "unknown now")] {
        let mut model = open(Some(failed.clone()));
        drawn(&mut model, (120, 40), now);
        let cmds = press(&mut model, &format!("{pane} ctrl-s"), now);
        let [Cmd::Export { content, .. }] = cmds.as_slice() else { panic!("{cmds:?}") };
        assert!(content.contains(word) && content.contains("connection refused"), "{pane}: {content}");
    }
}

/// The charges, with another statement and another look at how far they are read.
fn charges(change: impl FnOnce(&mut ReconciliationReport)) -> Snapshot {
    let snapshot = fixture::snapshot();
    let mut report = ReconciliationReport::clone(&snapshot.reconciliations[0]);
    change(&mut report);
    Snapshot { reconciliations: vec![Arc::new(report)], ..snapshot }
}

/// One payment of theirs that could be either of two of ours, and one of ours that could be any of many.
fn ambiguous() -> Snapshot {
    charges(|report| {
        let statement = report.look.value.as_deref().unwrap();
        let known = &statement.discrepancies[0];
        let entry = |key: &str, minutes: i64| Entry {
            key: key.to_owned(),
            at: fixture::now() - TimeDelta::minutes(minutes),
            row: Row::from(&Params::from([("id".to_owned(), Value::text(key))])),
            ..known.theirs.clone().unwrap()
        };
        let difference = |is_theirs: bool| {
            let sign = if is_theirs { 1 } else { -1 };
            known.difference.iter().map(|money| Money::new(sign * money.minor, money.currency)).collect()
        };
        let one = |key: &str, theirs: Option<Entry>, ours, candidates, more, said: &str| Discrepancy {
            key: format!("ambiguous:{key}"),
            class: Class::Ambiguous,
            difference: difference(theirs.is_some()),
            theirs,
            ours,
            said: Text::new(said),
            proposal: None,
            candidates,
            more_candidates: more,
        };
        let two = vec![entry("ord_31", 3_998), entry("ord_32", 4_003)];
        let many = (1..=12).map(|number| entry(&format!("ch_Amb{number}"), 4_000 + number)).collect();
        let discrepancies = vec![
            one("ch_Amb1", Some(entry("ch_Amb1", 4_000)), None, two, 0, "A$22.00 in stripe could be any of 2 rows of db"),
            one("ord_31", None, Some(entry("ord_31", 3_998)), many, 29, "A$22.00 in db could be any of 41 rows of stripe"),
        ];
        report.look.value = Some(Arc::new(Statement { discrepancies, ..statement.clone() }));
    })
}

/// Over a million rows that are being read, for the first time or once more.
fn reading(is_first: bool) -> Snapshot {
    charges(|report| {
        if is_first {
            report.look = Look::never(report.look.every);
        }
        let since = fixture::now() - TimeDelta::seconds(48);
        report.reading = Some(ReadSoFar { since, theirs: 412_300, ours: 1_000_000 });
    })
}

fn tell(model: &mut Model, event: Event) -> Vec<Cmd> {
    ui::update(model, Msg::Event(event), fixture::now())
}

#[test]
fn what_keeps_it_from_writing_stands_in_the_header_for_as_long_as_it_is_so() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let why = domain::text::Text::new("stripe: the key belongs to acct_2, and the pack is for acct_1");
    let barred = |barrier: Barrier| {
        let snapshot = domain::snapshot::Snapshot { barrier: Some(barrier), ..fixture::snapshot() };
        let mut model = open(Some(snapshot));
        drawn(&mut model, (80, 24), now);
        model
    };
    let all = [(120, 40), (80, 24), (40, 12), (20, 8), (20, 5)];
    compare("wrong-account", &mut barred(Barrier::WrongAccount(why.clone())), &all, now, &mut wrong);
    let mut told = barred(Barrier::WrongAccount(why.clone()));
    press(&mut told, "!", now);
    compare("wrong-account-errors", &mut told, &[(80, 24)], now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (barrier, word) in [
        (Barrier::WrongAccount(why.clone()), "[WRONG ACCOUNT]"),
        (Barrier::WrongMode(why.clone()), "[WRONG MODE]"),
        (Barrier::ChainBroken(why.clone()), "[CHAIN BROKEN]"),
        (Barrier::Unwritable(why.clone()), "[JOURNAL FAILS]"),
    ] {
        let mut model = barred(barrier);
        for size in [(20, 5), (20, 7), (25, 7), (30, 8), (40, 12), (60, 15), (80, 24), (120, 40), (200, 60)] {
            let buffer = drawn_in(&Theme::built_in("dark").unwrap(), &mut model, size, now);
            assert!(text(&buffer).contains(word), "{size:?}\n{}", text(&buffer));
            assert_eq!(style_of(&buffer, word).fg, Theme::built_in("dark").unwrap().style(Role::Bad).fg);
        }
        press(&mut model, "j W", now);
        assert!(text(&drawn(&mut model, (80, 24), now)).contains(word), "a key does not wipe it");
    }
    let mut held = barred(Barrier::HeldElsewhere(why.clone()));
    assert!(text(&drawn(&mut held, (80, 24), now)).contains("[HELD ELSEWHERE]"));
    let mut looks = barred(Barrier::ReadOnly(why));
    assert!(text(&drawn(&mut looks, (80, 24), now)).contains("[READ-ONLY]"));
}

#[test]
fn what_an_earlier_run_left_is_told_before_anything_else() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let told = |recovery: domain::recovery::Recovery| {
        let mut model = open(Some(fixture::snapshot()));
        for act in &recovery.acts {
            tell(&mut model, Event::Receipt(act.receipt.clone()));
        }
        let snapshot = domain::snapshot::Snapshot { sequence: 9, recovery: Some(Arc::new(recovery)), ..fixture::snapshot() };
        tell(&mut model, Event::Snapshot(Arc::new(snapshot)));
        model
    };
    let found = |is_over: bool| told(fixture::recovery(is_over));
    let all = [(120, 40), (80, 24), (40, 12), (20, 5)];
    compare("recovery", &mut found(true), &all, now, &mut wrong);
    compare("recovery-waiting", &mut found(false), &SIZES, now, &mut wrong);
    let mut last = found(true);
    press(&mut last, "G", now + TimeDelta::seconds(1));
    compare("recovery-last", &mut last, &[(80, 24), (40, 12)], now, &mut wrong);
    press(&mut last, "g j j D", now + TimeDelta::seconds(2));
    compare("half-done", &mut last, &SIZES, now, &mut wrong);
    let why = domain::text::Text::new("stripe: the key belongs to acct_2, and the pack is for acct_1");
    let mut alone = told(domain::recovery::Recovery { left_alone: Some(why), ..fixture::recovery(true) });
    compare("recovery-left-alone", &mut alone, &[(80, 24), (40, 12)], now, &mut wrong);
    let mut old = fixture::recovery(true);
    old.acts[2].receipt.is_resendable = false;
    let mut old = told(old);
    press(&mut old, "g j j D", now + TimeDelta::seconds(2));
    compare("half-done-old", &mut old, &[(80, 24), (40, 12)], now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An unlocked cockpit in which these keys asked for a preview, and that question.
fn asked(keys: &str) -> (Model, Ask) {
    let mut model = fixture::model();
    tell(&mut model, Event::Lock { until: Some(fixture::now() + TimeDelta::minutes(15)), why: None });
    let cmds = press(&mut model, keys, fixture::now());
    let Some(Cmd::Ask(Request::Propose { ask, .. })) = cmds.last() else { panic!("{keys} asks nothing") };
    (model, *ask)
}

#[test]
fn rows_are_known_by_their_severity_or_their_id_at_every_size() {
    let now = fixture::now();
    for size in [(20, 5), (25, 7), (30, 8), (40, 10), (60, 15), (80, 24)] {
        for (keys, known) in
            [("", "R Z.AI down"), ("2 j enter", "[ ]  rr_0312"), ("3", "R feat"), ("4", "Y "), ("5", "G AI_MODE")]
        {
            let mut model = open(Some(fixture::snapshot()));
            drawn(&mut model, size, now);
            press(&mut model, keys, now);
            let seen = text(&drawn(&mut model, size, now));
            assert!(seen.contains(&format!(">{known}")), "{size:?} {keys}\n{seen}");
        }
    }
}

#[test]
fn a_job_tells_why_and_what_was_noted_before_its_runs() {
    let mut model = open(Some(fixture::snapshot()));
    let now = fixture::now();
    let cmds = press(&mut model, "3 enter", now);
    let Some(Cmd::Ask(Request::History { ask, .. })) = cmds.last() else { panic!("{cmds:?}") };
    let line = fixture::snapshot().journal.first().unwrap().clone();
    let line = domain::snapshot::JournalLine { word: "NOTE".to_owned(), said: domain::text::Text::new("asked the host"), ..line };
    tell(&mut model, Event::History { ask: *ask, flips: Vec::new(), lines: vec![line] });
    let seen = text(&drawn(&mut model, (80, 24), now));
    let places: Vec<_> = ["State", "asked the host", "Runs, newest first"].iter().map(|part| seen.find(part)).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}\n{seen}");
}

#[test]
fn dialogs_say_all_that_would_happen() {
    let (now, later) = (fixture::now(), fixture::now() + TimeDelta::seconds(1));
    let all = [(80, 24), (120, 40), (60, 15), (40, 12), (40, 10), (30, 8), (20, 5)];
    let mut wrong = Vec::new();
    let (mut checking, _) = asked("2 j enter F");
    compare("dialog-checking", &mut checking, &SIZES, now, &mut wrong);

    let (mut refund, ask) = asked("2 j enter F");
    let mut preview = fixture::preview("refund", "Refund", &[fixture::target("refunds", "rr_0312")], Confirm::Typed);
    tell(&mut refund, Event::Preview { ask, preview: Ok(Box::new(preview.clone())) });
    compare("dialog-refund", &mut refund, &all, now, &mut wrong);
    press(&mut refund, "tab 2 2 . 0", later);
    compare("dialog-refund-typing", &mut refund, &SIZES, later, &mut wrong);

    let (mut refused, ask) = asked("2 j enter F");
    preview.refused = vec![(fixture::target("refunds", "rr_0313"), domain::text::Text::new("within 3 days: over by 1d 1h"))];
    preview.plans.clear();
    tell(&mut refused, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    compare("dialog-refused", &mut refused, &SIZES, now, &mut wrong);

    let (mut batch, ask) = asked("2 enter . A a");
    let targets: Vec<_> = ["rv_901", "rv_902", "rv_904"].map(|key| fixture::target("reviews", key)).into();
    let preview = fixture::preview("approve", "Approve", &targets, Confirm::Count);
    tell(&mut batch, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    compare("dialog-batch", &mut batch, &[(80, 24), (120, 40), (40, 10), (20, 5)], now, &mut wrong);

    let (mut reject, ask) = asked("2 enter x");
    let mut preview = fixture::preview("reject", "Reject", &[fixture::target("reviews", "rv_901")], Confirm::Key);
    preview.missing = vec!["reason".to_owned()];
    tell(&mut reject, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    compare("dialog-reject", &mut reject, &SIZES, now, &mut wrong);

    let (mut flip, _) = asked("5 t");
    compare("dialog-flip", &mut flip, &SIZES, now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_held_and_how_a_batch_goes_is_on_the_status_line() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let mut held = fixture::model();
    let target = fixture::target("refunds", "rr_0312");
    tell(&mut held, Event::Receipt(fixture::receipt(&target, Standing::Held)));
    press(&mut held, "2 j enter", now);
    compare("held", &mut held, &SIZES, now + TimeDelta::seconds(3), &mut wrong);

    let mut batch = fixture::snapshot();
    batch.sequence = 2;
    batch.batch = Some(BatchReport {
        id: BatchId("b".to_owned()),
        title: "Approve".to_owned(),
        total: 200,
        ends: Ends { done: 116, skipped: 1, ..Ends::default() },
        paused: false,
        started_at: now - TimeDelta::seconds(10),
        ended_at: None,
    });
    let mut running = open(Some(batch));
    compare("batch", &mut running, &SIZES, now, &mut wrong);

    let mut snapshot = fixture::snapshot();
    let report = std::sync::Arc::make_mut(&mut snapshot.queues[0]);
    report.look.value = Some(Arc::new(fixture::many_reviews(100_000)));
    let mut long = open(Some(snapshot));
    press(&mut long, "2 enter G", now);
    compare("long-queue", &mut long, &SIZES, now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_runs_is_on_the_status_line_and_on_a_page_of_its_own() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let mut model = fixture::model();
    let mut receipt = fixture::receipt(&domain::plan::Target { queue: None, key: "dump".to_owned() }, Standing::UnderWay);
    receipt.title = "Run database-backup".to_owned();
    receipt.label = domain::text::Text::new("by hand");
    let (plan, lines): (_, Vec<String>) =
        (receipt.plan.clone(), (1..=40).map(|table| format!("pg_dump: dumping contents of table {table}")).collect());
    let printed = |lines: &[String]| domain::command::Printed {
        tail: domain::text::Text::new(lines.join("\n")),
        lines: lines.len() as u64 + 1_200,
        bytes: 61_440,
    };
    tell(&mut model, Event::Receipt(receipt.clone()));
    tell(&mut model, Event::Printed { plan: plan.clone(), printed: printed(&lines[..30]) });
    let later = now + TimeDelta::seconds(12);
    compare("running", &mut model, &SIZES, later, &mut wrong);
    press(&mut model, "ctrl-o", later);
    let all = [(120, 40), (80, 24), (40, 12), (20, 5)];
    compare("output", &mut model, &all, later, &mut wrong);
    press(&mut model, "x", later);
    compare("output-stop", &mut model, &all, later, &mut wrong);
    press(&mut model, "n", later);
    // It goes along with what is printed, and stands still where one has gone back.
    tell(&mut model, Event::Printed { plan: plan.clone(), printed: printed(&lines) });
    assert!(text(&drawn(&mut model, (80, 24), later)).contains("table 40"));
    press(&mut model, "g", later);
    assert!(text(&drawn(&mut model, (80, 24), later)).contains("under way for 12s"));
    press(&mut model, "esc q", later);
    compare("quit-running", &mut model, &all, later, &mut wrong);
    press(&mut model, "n", later);
    receipt.standing = Standing::Done;
    receipt.said = domain::text::Text::new("dump: pg_dump ended with 0 after 12s, 1240 lines");
    receipt.at = later;
    tell(&mut model, Event::Receipt(receipt));
    press(&mut model, "ctrl-o", later);
    compare("output-done", &mut model, &SIZES, later, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The style of the first cell of a text on the screen.
fn style_of(buffer: &Buffer, wanted: &str) -> ratatui::style::Style {
    let width = usize::from(buffer.area.width);
    for row in buffer.content.chunks(width) {
        let line: String = row.iter().map(|cell| cell.symbol().chars().next().unwrap_or(' ')).collect();
        if let Some(at) = line.find(wanted) {
            let column = line.get(..at).unwrap().chars().count();
            return row[column].style();
        }
    }
    panic!("`{wanted}` is not on the screen:\n{}", text(buffer));
}

#[test]
fn severities_wear_their_colours_and_old_readings_do_not() {
    for (name, _) in BUILT_IN {
        let theme = Theme::built_in(name).unwrap();
        let mut model = open(Some(fixture::snapshot()));
        let buffer = drawn_in(&theme, &mut model, (120, 40), fixture::now());
        let colour = |role| theme.style(role).fg;
        assert_ne!(colour(Role::Red), colour(Role::Green), "{name}");
        assert_eq!(style_of(&buffer, "R Z.AI").fg, colour(Role::Red), "{name}");
        assert_eq!(style_of(&buffer, "Y Refund").fg, colour(Role::Yellow), "{name}");
        assert_eq!(style_of(&buffer, "? Sentry").fg, colour(Role::Unknown), "{name}");
        let later = drawn_in(&theme, &mut model, (120, 40), fixture::now() + TimeDelta::minutes(14));
        assert_eq!(style_of(&later, "? Z.AI").fg, colour(Role::Unknown), "{name}");
        assert!(!text(&later).contains("│  G "), "nothing is green when nothing is fresh");
    }
}
