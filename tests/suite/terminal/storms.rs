//! Storms: hang-ups, stalls, suspensions, panics, and floods of keys and pastes, at random moments. The program ends in
//! time, burns nothing afterwards, gives the terminal back, and does nothing that was not confirmed.

use std::{path::Path, thread, time::Duration};

use fastrand::Rng;
use rustix::process::Signal;
use tempfile::TempDir;

use super::glass::Glass;
use crate::{probe, pty::Terminal};

/// Processor time that an ending may take, in seconds.
const ENDING: f64 = 0.2;
/// What stands on the screen once the town is there.
const OPEN: &str = "2 Queues   59 items";
const LONG: Duration = Duration::from_millis(350);

/// Keys that move about and open things, a few of them unfinished.
const RESTLESS: [&str; 12] = ["j", "k", "2", "\r", "\x1b[27u", "\t", "1", "g", "G", "/", "\x1b[6~", "4"];

fn restless(glass: &mut Glass, random: &mut Rng) {
    for _ in 0..random.usize(0..30) {
        glass.press(RESTLESS[random.usize(..RESTLESS.len())]);
    }
    thread::park_timeout(Duration::from_millis(random.u64(..120)));
}

/// Follows the program to its end; the processor time that it took from here on.
fn last_breath(glass: &Glass) -> f64 {
    let began = glass.processor_time().unwrap_or_default();
    let mut last = began;
    while let Some(now) = glass.processor_time() {
        last = now;
        thread::park_timeout(Duration::from_millis(5));
    }
    last - began
}

fn hang_ups(times: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let folder = TempDir::new().unwrap();
    for round in 0..times {
        let mut glass = Glass::start_demo(&folder.path().join("town"));
        glass.see("2 Queues");
        restless(&mut glass, &mut random);
        glass.close();
        let took = last_breath(&glass);
        assert_eq!(glass.end_unread(), 129, "round {round} of seed {seed}");
        assert!(took <= ENDING, "round {round} of seed {seed}: {took} s of processor time after the hang-up");
        tell("hang-ups", round, times);
    }
}

fn stalls(times: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let folder = TempDir::new().unwrap();
    for round in 0..times {
        let mut glass = Glass::start_demo(&folder.path().join("town"));
        glass.see("2 Queues");
        // From here on nobody reads: what is drawn fills the terminal's buffer, and then the program cannot write.
        for size in [(200, 60), (120, 40), (200, 60), (90, 30)] {
            glass.resize(size.0, size.1);
            restless(&mut glass, &mut random);
        }
        let before = glass.processor_time().unwrap();
        glass.signal(if random.bool() { Signal::TERM } else { Signal::HUP });
        let took = last_breath(&glass);
        assert!([143, 129].contains(&glass.end_unread()), "round {round} of seed {seed}");
        assert!(took <= ENDING, "round {round} of seed {seed}: {took} s of processor time, {before} s before");
        tell("stalls", round, times);
    }
}

fn suspensions(times: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let folder = TempDir::new().unwrap();
    let town = folder.path().join("town");
    // Not in a loop of the shell's: a job that stops ends it.
    let stops: Vec<String> = (0..times).map(|round| format!("echo stopped {round}.; read line; fg >/dev/null; ")).collect();
    let script = format!("$P; {}echo ended; read line", stops.concat());
    let mut glass = Glass::start_demo_in_shell(&script, &town);
    glass.see("2 Queues");
    for round in 0..times {
        restless(&mut glass, &mut random);
        glass.press("\x1a");
        glass.see_that("the shell", |screen| {
            !screen.alternate_screen() && screen.contents().contains(&format!("stopped {round}."))
        });
        glass.is_given_back();
        glass.press("\r");
        glass.see_that("the cockpit", |screen| screen.alternate_screen() && screen.contents().contains("DEMO"));
        tell("suspensions", round, times);
    }
    glass.press(&"\x1b[27u".repeat(5));
    glass.press("q");
    glass.see_that("the shell", |screen| !screen.alternate_screen() && screen.contents().contains("ended"));
    glass.is_given_back();
    glass.press("\r");
    glass.end();
}

/// On the program of the tests, which panics where it is told to: in the loop, or in a thread beside it.
fn panics(times: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    for round in 0..times {
        let mut glass = Glass::start();
        glass.see("ready");
        for _ in 0..random.usize(0..40) {
            glass.press(["j", "k", "\x1b[200~text\x1b[201~", "\x1b[A"][random.usize(..4)]);
        }
        glass.press(if random.bool() { "p" } else { "t" });
        assert_eq!(glass.end(), 101, "round {round} of seed {seed}");
        glass.is_given_back();
        tell("panics", round, times);
    }
}

fn tell(what: &str, round: usize, of: usize) {
    let done = round + 1;
    if of >= 50 && done.is_multiple_of(of / 10) {
        println!("{what}: {done} of {of}");
    }
}

/// One burst, typed ahead or pasted as a whole: it begins by leaving whatever is open, and so every dialog that it
/// meets was opened within it.
fn burst(random: &mut Rng) -> Vec<u8> {
    const LEAVES: &str = "\x1b[27u\x1b[27u\x1b[27u\x1b[27u\x1b[27u";
    const ACTS: [&str; 13] = ["F", "a", "x", "t", "O", "W", "A", " ", "u", "L", "D", "y", "1"];
    const WORDS: [&str; 10] =
        ["22.00", "44.00", "66.00", "40", "2 44.00", "yes", "AI_MODE", "feature-promote", "rr_0312", "Send"];
    const OTHERS: [&str; 12] =
        ["\r", "\r", "\t", "\x1b[A", "\x1b[B", "\x1b[C", "\x7f", "\x1b[H", "\x1b[F", "\x1b[5~", "\x10", "\x04"];
    let mut keys = LEAVES.to_owned();
    for _ in 0..random.usize(3..40) {
        match random.u32(..12) {
            0..=4 => keys.push_str(ACTS[random.usize(..ACTS.len())]),
            5 => keys.push_str(WORDS[random.usize(..WORDS.len())]),
            6 => {
                let words = WORDS[random.usize(..WORDS.len())];
                keys.extend(["\x1b[200~", words, "\r\n", words, "\r\x1b[201~"]);
            }
            7..=9 => keys.push_str(OTHERS[random.usize(..OTHERS.len())]),
            // Anything printable but the key that leaves.
            _ => keys.push(random.char('!'..='p')),
        }
    }
    keys.into_bytes()
}

/// Nothing but the journal makes an effect: without an act in it, and with the outside as it was, there was none.
fn assert_nothing_happened(town: &Path, when: &str) {
    for (query, expected) in [
        ("select count(*) from plans", "0"),
        ("select count(*) from stand_ins.refunds", "2"),
        ("select count(*) from reviews where moderation_status = 'pending'", "51"),
        ("select count(*) from refund_requests where status = 'pending'", "3"),
    ] {
        assert_eq!(probe::first_column(town, query), expected, "{query} {when}");
    }
    assert_eq!(probe::texts_under(&town.join("mail")), "", "{when}");
}

fn floods(times: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let home = TempDir::new().unwrap();
    let town = home.path().join("town");
    let start = || {
        let mut terminal = Terminal::start(&["demo", "--demo-dir", "town"], home.path(), 120, 40);
        terminal.until_now("the town", |frame| frame.contains(OPEN));
        terminal.keys("2,j,Enter,W");
        terminal.until_now("it is unlocked", |frame| frame.contains("[WRITE"));
        terminal
    };
    let mut terminal = start();
    for round in 0..times {
        let keys = burst(&mut random);
        if !terminal.try_send(&keys) {
            assert!(terminal.ended().success(), "round {round} of seed {seed}: {}", keys.escape_ascii());
            terminal = start();
            continue;
        }
        // Now and then long enough for what the burst left open to listen to the next.
        thread::park_timeout(if round % 10 == 0 { LONG } else { Duration::from_millis(random.u64(..30)) });
        if round % 500 == 499 {
            assert_nothing_happened(&town, &format!("after {round} bursts of seed {seed}"));
        }
        tell("bursts", round, times);
    }
    assert_nothing_happened(&town, &format!("after {times} bursts of seed {seed}"));
    // What is read first and then confirmed is done: the storm met a cockpit that listens.
    terminal.signal(Signal::TERM);
    terminal.ended();
    terminal = start();
    terminal.keys("j,F");
    terminal.until_now("what is to be typed", |frame| frame.contains("Type 22.00 to confirm:"));
    thread::park_timeout(LONG);
    terminal.keys("text:22.00,Enter");
    terminal.until_now("the hold", |frame| frame.contains("u takes it back"));
    assert_eq!(probe::first_column(&town, "select count(*) from plans"), "1");
}

#[test]
fn storms_end_it_in_time_and_nothing_is_burnt_afterwards() {
    hang_ups(4, 7);
    stalls(2, 7);
}

#[test]
fn storms_of_suspensions_and_panics_give_the_terminal_back() {
    suspensions(3, 7);
    panics(4, 7);
}

#[test]
fn floods_of_keys_and_pastes_confirm_nothing() {
    floods(60, 7);
}

#[test]
#[ignore = "the long form of F7: tests/proofs F7"]
fn long_f7_hang_ups_stalls_suspensions_and_panics() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    hang_ups(200, seed);
    stalls(50, seed);
    suspensions(50, seed);
    panics(50, seed);
}

#[test]
#[ignore = "the long form of F7: tests/proofs F7"]
fn long_f7_ten_thousand_bursts() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    floods(10_000, seed);
}
