//! Eight canaries over every failing answer and every output: none is ever seen again.
//!
//! The long form drives the program's outputs as often as asked: `PROOF_ROUNDS=50 cargo nextest run --no-capture secrets::`.

mod canaries;
mod paths;
mod program;
mod services;
mod shop;
