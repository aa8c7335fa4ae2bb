//! The state machine of one act, pure: (state, event) -> (state, commands).
//!
//! Its promises: nothing is sent before the attempt is on disk, every attempt of a step carries the same key, a key
//! that the outside may have forgotten is never sent again, and an act is done only when each of its steps is confirmed.

mod afterwards;
mod entry;
mod outcome;
mod state;
mod step;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod properties;

pub use entry::{Entry, SYSTEM};
pub use outcome::{Answer, Followed, Found, Mark, Outcome};
pub use state::{Act, ActState, Denial, Phase};
pub use step::{Command, Event, KEY_LIFE, TRIES, key_is_good, step};
