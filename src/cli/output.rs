//! Printing: data to standard output, diagnostics to standard error, a closed pipe is no error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::domain::text::{self, Text};

/// Writes data. A reader that went away (`wheelhouse check | head`) ends it quietly.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes sentences, made safe to show.
pub fn print_words(words: &str) -> io::Result<()> {
    print(Text::new(words).shown())
}

pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    print(&format!("{}\n", text::safe_json(&text)))
}

/// Writes what has been made safe, and given colours, already.
pub fn complain_in_colour(text: &str) {
    let mut stderr = io::stderr().lock();
    // There is nowhere left to tell of it.
    let _ = writeln!(stderr, "{text}");
}

/// Writes a diagnostic, made safe to show; nobody listening is no error.
pub fn complain(text: &str) {
    let mut stderr = io::stderr().lock();
    // There is nowhere left to tell of it.
    let _ = writeln!(stderr, "{}", Text::new(text).shown());
}
