//! The demo town: a scratch business and loopback stand-ins for what it talks to; nothing leaves the machine.
//!
//! Nothing here knows a business: tables, seed, Stripe's objects, the site's endpoints and their answers are declared
//! beside each pack (`demo.toml`).

pub mod built_in;
mod clock;
mod control;
mod declaration;
mod door;
mod error;
mod fault;
mod fill;
mod form;
mod line;
mod programs;
mod script;
mod site;
mod stand_in;
mod stripe;
mod switchboard;
mod town;
mod vercel;
mod webhook;

pub use clock::TownClock;
pub use error::Error;
pub use fault::{Fault, FaultKind, Target};
pub use town::{Options, Town};
