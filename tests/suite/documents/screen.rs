//! The board on the screen: from keys to documents, and back.

use std::time::{Duration, Instant};

use super::{Cockpit, Server, words};
use crate::pty::{PATIENCE, Terminal};

/// A dialog takes no key in the first 300 ms after its answer came.
const READING: Duration = Duration::from_millis(330);

struct Sitting<'a> {
    terminal: Terminal,
    server: &'a Server,
}

impl Sitting<'_> {
    /// Types, and waits until all of this stands on one frame.
    fn step(&mut self, keys: &str, see: &[&str]) {
        self.terminal.look_up();
        self.terminal.keys(keys);
        self.see(keys, see);
    }

    fn see(&self, at: &str, see: &[&str]) {
        self.terminal.until(at, |frame| see.iter().filter(|text| !frame.contains(**text)).map(ToString::to_string).collect());
    }

    /// A dialog that is ready, read as long as a person must.
    fn reads(&self) {
        let is_ready = |screen: &str| {
            screen.contains("Cancel") && !screen.contains("checking what this would do") && !screen.contains("An input changed")
        };
        self.terminal.until_now("a dialog that is ready", is_ready);
        let until = Instant::now() + READING;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            // It may return sooner.
            std::thread::park_timeout(left);
        }
        self.terminal.until_now("a dialog that is ready", is_ready);
    }

    fn holds(&self, document: &str, field: &str, expected: &str) {
        let end = Instant::now() + PATIENCE;
        while self.server.text(document, field) != expected {
            assert!(Instant::now() < end, "{document} {field} never became {expected}; the screen:\n{}", self.terminal.text());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

#[test]
fn jobs_are_reopened_from_the_keyboard_and_a_switch_is_observed() {
    let Some(server) = Server::with_board() else { return };
    let cockpit = Cockpit::at(&server.address);
    let terminal = Terminal::start_with(&Cockpit::arguments(), &cockpit.environment(), cockpit.home.path(), 120, 40);
    let mut board = Sitting { terminal, server: &server };
    board.see("the start", &[" TEST  The Job Board", "2 Queues", "Stuck jobs", "Jobs without a change for a week"]);
    board.step("W", &["writing is unlocked"]);
    board.step("2,Enter", &["Gutter in Ferny Grove", "A$450.00", "inst_7"]);
    board.step("o", &["done"]);
    board.holds("jobs/j1", "status", "open");
    board.step("u", &["Not reopened after all"]);
    board.reads();
    board.step("y", &[]);
    board.holds("jobs/j1", "status", "funded");
    board.holds("jobs/j1", "installerId", "inst_7");

    // Somebody else was faster.
    server.change("jobs/j2", "status", &words("done"));
    board.step("j,o", &["status"]);
    assert_eq!(server.text("jobs/j2", "status"), "done");
    board.step("Esc,Esc,Esc", &["5 Flags"]);

    board.step("5,Enter", &["Now             true   (normal true, else false)"]);
    board.step("Esc", &["5 Flags"]);
    board.step("5,t", &["Set ENABLE_PAYMENTS", "Type enable_payments to confirm:"]);
    board.reads();
    board.step("text:card fraud,Tab", &["Reason    card fraud"]);
    board.reads();
    board.step("text:enable_payments,Enter", &["5 Flags   1 open"]);
    board.holds("feature_flags/ENABLE_PAYMENTS", "enabled", "false");
    board.see("the flag", &["ENABLE_PAYMENTS observed as false: 1 of 1 prob"]);
}
