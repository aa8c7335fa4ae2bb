//! The screen: model, update, view, keys, themes and the terminal's life.

pub mod paint;
pub mod terminal;
pub mod theme;
