//! A command is stopped by a key: asked about once more, ended with all that it started, and on record with who did it.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{
    Depot, PATIENCE,
    screens::{exporting, exporting_by},
    sites,
};
use crate::pty::Terminal;

/// It has so long to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// Says who it is and whom it started, and would go on for ever.
const LONG: &str = "echo \"$1\" >>ran; sleep 1000 & echo $! >child; echo begun; echo $$ >number; wait";
/// The same, and does not hear that it is asked to end; nor does its child.
const DEAF: &str =
    "echo \"$1\" >>ran; trap '' TERM; sleep 1000 & echo $! >child; echo begun; echo $$ >number; while :; do wait; done";

/// Waits for the end of a process, whoever started it: the kernel tells it.
fn gone(number: &str) {
    let process = number.parse().ok().and_then(Pid::from_raw).unwrap();
    let Ok(handle) = pidfd_open(process, PidfdFlags::empty()) else { return };
    let limit = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&limit)).unwrap(), 1, "{number} is still there");
}

/// Stopped from its page; answers how long that took.
fn stop(terminal: &mut Terminal) -> Duration {
    terminal.until_now("it is heard", |screen| screen.contains("runs for") && screen.contains("begun"));
    terminal.keys("Ctrl-o");
    terminal.until_now("its page", |screen| screen.contains("begun") && screen.contains("x stops it"));
    terminal.keys("x");
    terminal.until_now("the question", |screen| screen.contains("Stop it?") && screen.contains("Export north runs for"));
    // No key does it alone, nor the wrong one.
    terminal.keys("n");
    terminal.until_now("it goes on", |screen| !screen.contains("Stop it?") && screen.contains("under way for"));
    terminal.keys("x");
    terminal.until_now("the question again", |screen| screen.contains("Stop it?"));
    let began = Instant::now();
    // A question takes no key that was meant for what was there before it.
    super::until("it is confirmed", || {
        terminal.try_send(b"y");
        !terminal.text().contains("Stop it?")
    });
    terminal.until_now("how it stands", |screen| screen.contains("was stopped by op"));
    began.elapsed()
}

fn leave(terminal: &mut Terminal) {
    terminal.keys("Esc,1,q");
    assert!(terminal.ended().success());
}

/// It ran once, its page and the journal say who stopped it, and nothing runs it again.
fn is_on_record(depot: &Depot) {
    depot.run(&["journal", "export"]).ends(0).says(&["\"STOP\"", "Export north: asked to end after", "was stopped by op after"]);
    depot.run(&["journal", "verify"]).ends(0);
    let ran = depot.run(&["journal", "recover"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    assert_eq!(depot.text("ran"), "north\n", "it is not run again");
}

#[test]
fn a_command_that_is_stopped_is_gone_within_its_grace_and_stands_unknown_under_who_did_it() {
    for (line, (columns, rows)) in [(LONG, (120, 40)), (DEAF, (80, 24))] {
        let depot = sites(line, "");
        let mut terminal = exporting(&depot, columns, rows);
        let took = stop(&mut terminal);
        assert!(took < GRACE + Duration::from_secs(20), "{took:?}");
        for name in ["number", "child"] {
            gone(depot.text(name).trim());
        }
        terminal.until_now("nothing runs", |screen| !screen.contains("runs for") && screen.contains("1 act unknown"));
        leave(&mut terminal);
        is_on_record(&depot);
    }
}

#[test]
fn what_it_left_is_looked_for_where_the_pack_says_how() {
    let trace = r#", found_by = { command = { on = "find", args = [".", "-name", "made-{{ id }}"], format = "lines" } }"#;
    let depot = sites(&LONG.replace("echo begun", "echo x >\"made-$1\"; echo begun"), trace);
    let mut terminal = exporting(&depot, 120, 40);
    stop(&mut terminal);
    terminal.until_now("its trace", |screen| screen.contains("find has a trace of it"));
    leave(&mut terminal);
    depot.run(&["journal", "export"]).ends(0).says(&["was stopped by op after", "find has a trace of it"]);
    depot.run(&["journal", "recover"]).ends(0);
    assert_eq!(depot.text("ran"), "north\n");
}

#[test]
fn a_code_that_the_pack_names_says_that_nothing_was_done() {
    let depot = sites(&format!("trap 'exit 3' TERM; {LONG}"), ", refused = [3]");
    let mut terminal = exporting(&depot, 120, 40);
    stop(&mut terminal);
    terminal.until_now("refused", |screen| screen.contains("rejected") && screen.contains("and ended with 3"));
    leave(&mut terminal);
    depot.run(&["journal", "recover"]).ends(0);
    assert_eq!(depot.text("ran"), "north\n");
}

#[test]
fn the_palette_stops_it_from_anywhere() {
    let depot = sites(LONG, "");
    let mut terminal = exporting(&depot, 120, 40);
    terminal.until_now("it is heard", |screen| screen.contains("runs for") && screen.contains("begun"));
    terminal.keys("1,:,s,t,o,p,Enter");
    terminal.until_now("the question", |screen| screen.contains("Stop it?") && screen.contains("Export north runs for"));
    super::until("it is confirmed", || {
        terminal.try_send(b"y");
        !terminal.text().contains("Stop it?")
    });
    terminal.until_now("it is told where one is", |screen| screen.contains("unknown whether it happened: tool: sh was"));
    terminal.keys("Ctrl-o");
    terminal.until_now("who did it", |screen| screen.contains("was stopped by op after"));
    terminal.keys("x");
    terminal.until_now("nothing to stop", |screen| screen.contains("it has ended: there is nothing to stop"));
    leave(&mut terminal);
    is_on_record(&depot);
}

#[test]
fn the_rest_of_its_batch_is_paused_and_nothing_begins_in_its_place() {
    let depot = sites(LONG, "");
    let mut terminal = exporting_by("A,e", &depot, 120, 40);
    stop(&mut terminal);
    terminal.until_now("the batch waits", |screen| screen.contains("PAUSED at 0 of 2"));
    terminal.keys("Esc,1,q");
    terminal.until_now("the question", |screen| screen.contains("Quit?"));
    super::until("it is confirmed", || {
        terminal.try_send(b"y");
        !terminal.text().contains("Quit?")
    });
    terminal.ended();
    is_on_record(&depot);
    depot.run(&["journal", "export"]).ends(0).says(&["\"PAUSE\""]);
}
