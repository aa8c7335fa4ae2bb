//! One integration-test binary: it links once. Each module is a subject.

// `cfg(test)` is always true here; it tells clippy that helpers outside `#[test]` functions may unwrap as well.
#[cfg(test)]
mod acting;
#[cfg(test)]
mod amending;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod events;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod initial;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod ledgers;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod partners;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod pty;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod services;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod town;
