//! The terminal's life, in a real terminal: starts, resizes, suspends, ends, and gives back what it took.

mod glass;
mod stage;
mod storms;

use glass::Glass;
use rustix::process::Signal;

const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

#[test]
fn the_first_frame_comes_with_the_screen_and_after_no_question() {
    let mut glass = Glass::start();
    glass.see("ready");
    assert_eq!(glass.count("\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h\x1b[1Htyped 0 draws 1"), 1);
    for question in ["\x1b[6n", "\x1b[c", "\x1b[0c", "\x1b[>", "\x1b]11;?", "\x1b[?u", "$p"] {
        assert_eq!(glass.count(question), 0, "asked {question:?}");
    }
    glass.press("q");
    assert_eq!(glass.end(), 0);
    glass.is_given_back();
}

#[test]
fn keys_pastes_and_a_lone_escape_arrive() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press("\x1b");
    glass.see("escape");
    glass.press("\x1b[200~q and p\x1b[201~");
    glass.see("pasted q and p");
    glass.press("c");
    glass.see("typed 2");
    glass.press("q");
    assert_eq!(glass.end(), 0);
    assert_eq!(glass.count("\x1b]52;c;Y29waWVk\x1b\\"), 1);
}

#[test]
fn fifty_keys_at_once_are_one_frame() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press(&"j".repeat(50));
    glass.see("typed 50 draws 2");
    glass.press("q");
    assert_eq!(glass.end(), 0);
}

#[test]
fn what_time_changes_is_drawn_without_a_key() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press("w");
    glass.see("woke");
    glass.press("q");
    assert_eq!(glass.end(), 0);
}

#[test]
fn a_resize_is_drawn_at_the_new_size_also_when_absurd() {
    let mut glass = Glass::start();
    glass.see("ready");
    for (columns, rows) in [(100, 30), (20, 5), (120, 40)] {
        glass.resize(columns, rows);
        glass.see(&format!("size {columns}x{rows}"));
    }
    glass.resize(1, 1);
    glass.resize(80, 24);
    glass.see("size 80x24");
    glass.press("q");
    assert_eq!(glass.end(), 0);
    glass.is_given_back();
}

#[test]
fn a_business_that_cannot_be_opened_says_why_on_the_screen_and_after_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut glass = Glass::start_demo_in_shell("$P --fault database=500; echo ended $?", &folder.path().join("town"));
    glass.see("The business could not be opened");
    glass.see("the database knows `timeout` only");
    glass.press("q");
    glass.see("ended 3");
    let after = glass.contents();
    assert!(after.contains("wheelhouse: `database=500` is no fault"), "{after}");
    glass.end();
}

#[test]
fn signals_end_it_and_the_terminal_is_given_back() {
    let cases = [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)];
    for (signal, code) in cases {
        let mut glass = Glass::start();
        glass.see("ready");
        glass.signal(signal);
        assert_eq!(glass.end(), code, "{signal:?}");
        glass.is_given_back();
    }
}

#[test]
fn a_panic_is_reported_on_the_restored_screen() {
    for (key, said) in [("p", "planned in the loop"), ("t", "planned in a thread")] {
        let mut glass = Glass::start();
        glass.see("ready");
        glass.press(key);
        assert_eq!(glass.end(), 101);
        glass.is_given_back();
        assert!(glass.contents().contains(said), "{}", glass.contents());
        assert_eq!(glass.count(LEAVE), 1);
    }
}

#[test]
fn an_effect_in_flight_ends_before_the_program_does() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press("e");
    let effect = glass.connection();
    glass.see("in flight");
    glass.signal(Signal::TERM);
    glass.see("finishing");
    drop(effect);
    assert_eq!(glass.end(), 143);
    glass.is_given_back();
}

#[test]
fn told_twice_it_ends_without_waiting() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press("e");
    let effect = glass.connection();
    glass.see("in flight");
    glass.signal(Signal::TERM);
    glass.see("finishing");
    glass.signal(Signal::TERM);
    assert_eq!(glass.end(), 143);
    glass.is_given_back();
    drop(effect);
}

#[test]
fn control_z_stops_the_job_and_fg_brings_it_back() {
    let mut glass = Glass::start_in_shell("$P; echo stopped $?; read line; fg; echo ended $?; read line");
    glass.see("ready");
    glass.press("\x1a");
    glass.see("stopped 148");
    glass.is_given_back();
    glass.press("\n");
    glass.see_that("the program again", vt100::Screen::alternate_screen);
    glass.see("resumed");
    glass.press("jj");
    glass.see("typed 3");
    glass.press("q");
    glass.see("ended 0");
    glass.press("\n");
    glass.end();
    glass.is_given_back();
}

#[test]
fn control_z_with_nobody_to_continue_it_comes_back_by_itself() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press("\x1a");
    glass.see("typed 1");
    glass.press("j");
    glass.see("typed 2");
    assert_eq!((glass.count(ENTER), glass.count(LEAVE)), (2, 1));
    glass.press("q");
    assert_eq!(glass.end(), 0);
    glass.is_given_back();
}

#[test]
fn the_mouse_is_listened_to_only_where_it_is_wanted_and_given_back_at_every_end() {
    let report = "\x1b[<0;12;5M";
    let mut deaf = Glass::start();
    deaf.see("ready");
    assert_eq!(deaf.count("\x1b[?1000h"), 0);
    deaf.press(&format!("{report}j"));
    deaf.see("typed 1");
    assert!(!deaf.contents().contains("Down(Left)"), "nobody asked for it");
    deaf.press("q");
    deaf.end();
    for (ends, code) in [("q", 0), ("p", 101), ("t", 101), ("", 143)] {
        let mut glass = Glass::start_with_mouse();
        glass.see("ready");
        assert_eq!(glass.terminal.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::PressRelease);
        assert_eq!(glass.terminal.screen().mouse_protocol_encoding(), vt100::MouseProtocolEncoding::Sgr);
        glass.press(&format!("{report}\x1b[<0;12;5m\x1b[<65;3;4M"));
        glass.see("Down(Left) 11 4");
        glass.see("ScrollDown 2 3");
        if ends.is_empty() {
            glass.signal(Signal::TERM);
        } else {
            glass.press(ends);
        }
        assert_eq!(glass.end(), code, "{ends:?}");
        glass.is_given_back();
    }
    let mut suspended = Glass::start_with_mouse();
    suspended.see("ready");
    suspended.press("\x1a");
    suspended.see("typed 1");
    suspended.press(report);
    suspended.see("Down(Left) 11 4");
    assert_eq!((suspended.count("\x1b[?1000h"), suspended.count("\x1b[?1000l")), (2, 1));
    suspended.press("q");
    suspended.end();
    suspended.is_given_back();
}

#[test]
fn a_closed_terminal_ends_it() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.close();
    assert_eq!(glass.end_unread(), 129);
}

#[test]
fn a_closed_terminal_ends_it_also_when_nobody_passes_the_hang_up_on() {
    let mut glass = Glass::start_in_shell("trap '' HUP; $P; exit $?");
    glass.see("ready");
    glass.close();
    assert_eq!(glass.end_unread(), 129);
}

#[test]
fn a_terminal_that_nobody_reads_stops_only_the_drawing() {
    let mut glass = Glass::start();
    glass.see("ready");
    glass.press("f");
    // The program calls when a thousand rounds passed without a frame.
    drop(glass.connection());
    glass.signal(Signal::TERM);
    assert_eq!(glass.end_unread(), 143);
}
