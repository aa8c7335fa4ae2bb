//! Canaries over every failing answer and every output: none is ever seen again.
//!
//! The long form drives all of it over and over, with other moments for every timeout: `tests/proofs F11`.

mod canaries;
mod outsiders;
mod paths;
mod program;
mod services;
mod shop;

#[test]
#[ignore = "the long form of F11: tests/proofs F11"]
fn long_f11_every_path_and_every_output_over_and_over() {
    const ROUNDS: usize = 25;
    for round in 1..=ROUNDS {
        paths::every_path();
        program::every_output();
        println!("round {round} of {ROUNDS}");
    }
}
