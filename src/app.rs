//! The wiring: pack, adapters, engine and terminal.
