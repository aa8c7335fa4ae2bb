//! The wiring: pack, adapters, engine and terminal. The one place that knows everybody.

mod business;
mod choice;
mod clock;
mod complaint;
mod log;
mod paths;
mod prepare;
