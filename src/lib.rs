//! wheelhouse: a terminal cockpit for a small Stripe-backed business.
//!
//! A *connection* answers *rows*; everything on screen is a reading of rows. Everything the operator does is an
//! *action* on a row, and an action reaches the outside only through the journal.
//!
//! ```text
//! domain   -> nothing of ours          pure: no I/O, no clock, no async
//! pack     -> domain                   TOML in, a validated Pack or located problems out
//! ports    -> domain                   what the engine asks of the outside
//! adapters -> ports, domain            one file or folder per outside system
//! store    -> ports, domain            the cockpit's own database
//! engine   -> ports, domain            when to look, what changed, acting through the journal
//! ui       -> domain, engine::message  model, update, view
//! demo     -> pack, domain             a scratch business and loopback stand-ins
//! cli      -> everything through app   one file per subcommand
//! app      -> everything               the wiring
//! ```

pub mod adapters;
pub mod app;
pub mod cli;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod pack;
pub mod ports;
pub mod store;
pub mod ui;
