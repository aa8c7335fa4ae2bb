//! The business in plain values: no I/O, no clock, no async; `now` is always an argument.

pub mod age;
pub mod check;
pub mod expression;
pub mod id;
pub mod journal;
pub mod money;
pub mod pack;
pub mod plan;
pub mod policy;
pub mod rows;
pub mod severity;
pub mod snapshot;
pub mod template;
pub mod text;
pub mod value;
