//! A cockpit that ends while a command runs: the command ends with it, stands unknown, and is not run again by itself.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::{is_alive, sites, until};

/// Says that it has begun, and then takes its time, whatever it is asked.
const SLOW: &str = "echo \"$1\" >>ran; trap '' TERM; echo begun; echo $$ >number; while :; do sleep 1; done";

fn killed(depot: &super::Depot) {
    let mut cockpit = depot.start(&["do", "export", "north"]);
    let number = depot.written("number");
    kill_process(Pid::from_child(&cockpit), Signal::KILL).unwrap();
    cockpit.wait().unwrap();
    until("the command ends with its cockpit", || !is_alive(&number));
    fs::remove_file(depot.path("number")).unwrap();
}

#[test]
fn killed_while_it_runs_it_stands_unknown_and_a_person_decides() {
    let depot = sites(SLOW, "");
    killed(&depot);
    let ran = depot.run(&["journal", "recover"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    ran.says(&["nothing tells how far tool came, and it is not run again by itself: a person looks and decides"]);
    let ran = depot.run(&["do", "export", "north"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    assert_eq!(depot.text("ran"), "north\n", "it ran once");
}

#[test]
fn killed_while_it_runs_a_trace_of_it_settles_it() {
    let trace = r#", found_by = { command = { on = "find", args = [".", "-name", "made-{{ id }}"], format = "lines" } }"#;
    let depot = sites(&SLOW.replace("echo begun", "echo \"$TOKEN\" >\"made-$1\""), trace);
    killed(&depot);
    depot.run(&["journal", "recover"]).ends(0).says(&["a trace of it is looked for, as the pack says", "find has a trace of it"]);
    assert_eq!(depot.text("ran"), "north\n");

    let depot = sites(SLOW, trace);
    killed(&depot);
    let ran = depot.run(&["journal", "recover"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    ran.says(&["not found, and a command is not run again by itself: a second look follows"]);
    assert_eq!(depot.text("ran"), "north\n");
}
