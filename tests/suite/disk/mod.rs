//! What befalls the files: each case sends nothing, or nothing further, says which file and what to do, and goes on without
//! loss when it is over.
//!
//! The long form is every case over and over: `tests/proofs F9`.

mod business;
mod clock;
mod fault;
mod record;
mod targets;

/// Cases of all the modules here; each counts its own.
const AT_LEAST: usize = 40;

/// A message for an operator: it names what it is about, and what to do next.
fn is_clear(said: &str, names: &[&str]) -> bool {
    const STEPS: [&str; 21] = [
        "free some",
        "end that program",
        "make it writable",
        "see that",
        "see to",
        "put it back",
        "put a backup",
        "start again",
        "try again",
        "look again",
        "must be a",
        "W unlocks",
        "holds the journal",
        "cannot be read",
        "is gone",
        "the tail is cut",
        "over by",
        "in the future",
        "planned anew",
        "newer version",
        "tried again",
    ];
    names.iter().any(|name| said.contains(name)) && STEPS.iter().any(|step| said.contains(step))
}

#[test]
fn there_are_as_many_cases_as_were_promised() {
    let count = record::START.len()
        + record::UNDER_WAY.len() * record::MOMENTS.len()
        + clock::CASES
        + business::CASES.len()
        + targets::CASES;
    assert!(count >= AT_LEAST, "{count}");
}

#[test]
#[ignore = "the long form of F9: tests/proofs F9"]
fn long_f9_every_case_over_and_over() {
    const ROUNDS: usize = 50;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 1..=ROUNDS {
        runtime.block_on(async {
            record::before_a_start().await;
            record::during_an_act().await;
            business::befalls_everywhere().await;
        });
        println!("round {round} of {ROUNDS}");
    }
}
