//! `wheelhouse keys`: the key table, as the help shows it.

use std::{fmt::Write as _, io};

use super::output;
use crate::ui::keymap::{Binding, TABLE};

pub fn print(markdown: bool) -> io::Result<()> {
    output::print(&if markdown { as_markdown() } else { as_text() })
}

fn keys_of(binding: &Binding) -> String {
    binding.keys.join(" ")
}

fn as_text() -> String {
    let mut text = String::new();
    for binding in TABLE {
        let place = binding.contexts.iter().map(|context| context.title()).collect::<Vec<_>>().join(", ");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<12} :{:<15} {:<24} {}", keys_of(binding), binding.command, place, binding.says);
    }
    text
}

/// For the README.
pub fn as_markdown() -> String {
    let mut text = String::from("| key | command | where | what it does |\n|---|---|---|---|\n");
    for binding in TABLE {
        let place = binding.contexts.iter().map(|context| context.title()).collect::<Vec<_>>().join(", ");
        let keys = binding.keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "| {keys} | `:{}` | {place} | {} |", binding.command, binding.says);
    }
    text
}
