//! What each page says, thing by thing.

mod alert;
mod flag;
mod item;
mod job;
mod money;
mod run;

pub use alert::{alert, healthy};
pub use flag::flag;
pub use item::{item, line, metric, queue};
pub use job::job;
pub use money::{discrepancy, statement};
pub use run::{run, title as run_title};
