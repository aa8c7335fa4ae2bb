//! The wiring: pack, adapters, engine and terminal. The one place that knows everybody.

mod log;
mod paths;
