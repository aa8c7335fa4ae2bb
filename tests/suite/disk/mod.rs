//! What befalls the files: each case sends nothing, or nothing further, says which file and what to do, and goes on without
//! loss when it is over.
//!
//! The long form runs every case over and over: `PROOF_ROUNDS=100 cargo nextest run --no-capture disk::`.

mod business;
mod clock;
mod fault;
mod record;
mod targets;

/// Cases of all the modules here; each counts its own.
const AT_LEAST: usize = 40;

fn rounds() -> usize {
    std::env::var("PROOF_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// A message for an operator: it names what it is about, and what to do next.
fn is_clear(said: &str, names: &[&str]) -> bool {
    const STEPS: [&str; 20] = [
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
