//! When to look, what changed, and acting through the journal.

pub mod act;
pub mod message;
