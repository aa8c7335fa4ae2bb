//! `wheelhouse journal verify`: whether the chain holds.

use std::io;

use super::output;
use crate::{
    domain::text,
    store::{Broken, Verified},
};

/// 0 where it holds, 2 where it is broken.
pub fn print_verified(verified: &Result<Verified, Broken>) -> io::Result<u8> {
    match verified {
        Ok(Verified { events, head }) => {
            output::print(&format!("the chain holds: {}, head {}\n", text::counted(*events, "event"), head.hash))?;
            Ok(0)
        }
        Err(broken) => {
            output::print(&format!("the chain is BROKEN at {broken}\n"))?;
            Ok(2)
        }
    }
}
