//! Printing: data to standard output, diagnostics to standard error, a closed pipe is no error.

use std::io::{self, Write as _};

use serde::Serialize;

/// Writes data. A reader that went away (`wheelhouse check | head`) ends it quietly.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    print(&format!("{text}\n"))
}

/// Writes a diagnostic; nobody listening is no error.
pub fn complain(text: &str) {
    let mut stderr = io::stderr().lock();
    // There is nowhere left to tell of it.
    let _ = writeln!(stderr, "{text}");
}
