//! The business in plain values: no I/O, no clock, no async; `now` is always an argument.

pub mod age;
pub mod alert;
pub mod check;
pub mod claim;
pub mod expression;
pub mod figure;
pub mod guard;
pub mod id;
pub mod item;
pub mod job;
pub mod journal;
pub mod metric;
pub mod money;
pub mod pack;
pub mod plan;
pub mod planning;
pub mod policy;
pub mod reconcile;
pub mod rows;
pub mod severity;
pub mod snapshot;
pub mod template;
pub mod tenure;
pub mod text;
pub mod value;
