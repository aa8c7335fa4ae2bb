//! The screen: a pure model, one writer (`update`), one reader (`view`), one table of keys.
//!
//! Nothing here is async and nothing shares a lock with the engine; what leaves is a [`Cmd`], what enters is a [`Msg`].

mod chord;
mod csv_export;
mod cursor;
mod dialog;
mod field;
mod figures;
mod filter;
mod freshness;
pub mod keymap;
mod listing;
mod message;
mod model;
mod notice;
mod outputs;
mod overlay;
pub mod paint;
mod palette;
mod period;
mod place;
mod receipts;
mod screens;
pub mod terminal;
pub mod theme;
mod update;
mod view;
mod waiting;
mod work;

pub use chord::Chord;
pub use dialog::{Dialog, Stage};
pub use message::{Cmd, Msg};
#[cfg(test)]
pub(crate) use model::fixture;
pub use model::{Mode, Model, Shown};
pub use overlay::Overlay;
pub use place::{Pane, Place, Thing};
pub use update::update;
pub use view::{draw, view};
