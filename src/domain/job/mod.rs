//! Scheduled tasks: when they should have run, when they did, and what that means.

mod clock_change;
mod health;
mod history;
mod schedule;
mod zone;

pub use clock_change::clock_change;
pub use health::health;
pub use schedule::Times;

#[cfg(test)]
mod health_cases;
#[cfg(test)]
mod zone_cases;
