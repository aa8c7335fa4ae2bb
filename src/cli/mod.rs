//! One file per subcommand: parse and print, nothing else.

pub mod act;
pub mod arguments;
pub mod check;
pub mod connect;
pub mod ddl;
pub mod journal;
pub mod keys;
pub mod manual;
pub mod output;
pub mod pack;
pub mod reconcile;
pub mod shelf;
