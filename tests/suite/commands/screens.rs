//! A command on the screen: what it prints while it runs, from wherever one looks; its end; the end of the cockpit.

use std::fs;

use rustix::process::Signal;

use super::{Depot, is_alive, sites, until};
use crate::pty::Terminal;

/// Prints, waits for the file `go`, and ends well.
const WAITS: &str = "echo $$ >number; for part in one two three; do echo \"part $part of $1\"; done; until [ -e go ]; do sleep 0.1; done; echo through";

/// The cockpit at its queue, with the export of the first site under way.
pub(super) fn exporting(depot: &Depot, columns: u16, rows: u16) -> Terminal {
    exporting_by("e", depot, columns, rows)
}

/// The same, by these keys.
pub(super) fn exporting_by(keys: &str, depot: &Depot, columns: u16, rows: u16) -> Terminal {
    let arguments = ["--pack", "pack.toml", "--state-dir", "state"];
    let environment = [("DEPOT_TOKEN".to_owned(), super::SECRET.to_owned())];
    let mut terminal = Terminal::start_with(&arguments, &environment, depot.path(".").as_path(), columns, rows);
    terminal.until_now("the queue", |screen| screen.contains("Sites"));
    terminal.keys("2,Enter");
    terminal.until_now("its rows", |screen| screen.contains("north"));
    terminal.keys("W");
    terminal.until_now("unlocked", |screen| screen.contains("writing is unlocked"));
    terminal.keys(keys);
    terminal.until_now("the question", |screen| screen.contains("export north") && screen.contains("confirm"));
    // A dialog takes no key that was meant for what was there before it.
    until("it is confirmed", || {
        terminal.keys("y");
        !depot.text("number").is_empty()
    });
    terminal
}

#[test]
fn what_a_command_prints_is_there_while_it_runs_and_its_end_is_told() {
    for (columns, rows) in [(120, 40), (80, 24)] {
        let depot = sites(WAITS, "");
        let mut terminal = exporting(&depot, columns, rows);
        terminal.until_now("what runs", |screen| screen.contains("Export north runs for") && screen.contains("Ctrl-o shows it"));
        terminal.until_now("what it said last", |screen| screen.contains("part three of north"));
        terminal.keys("Ctrl-o");
        terminal.until_now("its page", |screen| {
            ["under way for", "3 lines", "part one of north", "part three of north"].iter().all(|text| screen.contains(text))
        });
        // It goes on while one looks elsewhere.
        terminal.keys("1");
        terminal.until_now("elsewhere", |screen| !screen.contains("part one of north") && screen.contains("runs for"));
        fs::write(depot.path("go"), "").unwrap();
        terminal.until_now("its end", |screen| screen.contains("Export north: done"));
        terminal.keys("Ctrl-o");
        terminal.until_now("how it ended", |screen| screen.contains("4 lines") && screen.contains("through"));
        terminal.keys("Esc,q");
        assert!(terminal.ended().success());
        depot.run(&["journal", "export"]).ends(0).says(&[r"part three of north\\nthrough"]);
    }
}

#[test]
fn on_a_hang_up_a_command_that_ends_in_time_is_done() {
    let depot = sites(WAITS, "");
    let mut terminal = exporting(&depot, 80, 24);
    terminal.signal(Signal::HUP);
    fs::write(depot.path("go"), "").unwrap();
    terminal.ended();
    depot.run(&["journal", "export"]).ends(0).says(&["done", r"part three of north\\nthrough"]);
    depot.run(&["journal", "recover"]).ends(0);
}

#[test]
fn at_the_end_of_the_cockpit_a_command_that_does_not_end_is_ended_and_stands_unknown() {
    let depot = sites(&WAITS.replace("echo $$", "trap '' TERM; echo $$"), "");
    let mut terminal = exporting(&depot, 120, 40);
    let number = depot.written("number");
    terminal.keys("Esc,q");
    terminal.until_now("the question", |screen| screen.contains("A command has 20 s to end by itself"));
    until("it is confirmed", || {
        terminal.try_send(b"y");
        terminal.text().contains("Stopping")
    });
    terminal.ended();
    until("it is ended", || !is_alive(&number));
    depot.run(&["journal", "export"]).ends(0).says(&["tool: sh was ended with the cockpit, after 2"]);
    let ran = depot.run(&["journal", "recover"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    assert_eq!(depot.text("number").trim(), number, "it is not run again");
}
