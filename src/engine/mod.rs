//! When to look, what changed, and acting through the journal.

pub mod act;
pub mod board;
pub mod digest;
pub mod flips;
pub mod handling;
pub mod ledgers;
pub mod look;
pub mod message;
pub mod observe;
mod paging;
mod passing;
pub mod pulse;
pub mod reader;
pub mod reading;
pub mod runs;
pub mod schedule;
#[cfg(test)]
mod stage;
pub mod watch;
pub mod watcher;
