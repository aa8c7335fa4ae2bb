//! One file per subcommand: parse and print, nothing else.

pub mod arguments;
pub mod check;
pub mod manual;
pub mod output;
pub mod reconcile;
