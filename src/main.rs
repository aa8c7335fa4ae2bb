//! The `wheelhouse` program.

fn main() {}
