//! One integration-test binary: it links once. Each module is a subject.

// `cfg(test)` is always true here; it tells clippy that helpers outside `#[test]` functions may unwrap as well.
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod terminal;
