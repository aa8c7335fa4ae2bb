//! Diagnostics go to a file, never to the screen: `wheelhouse.log` beside the record.

use std::{
    io::{self, Write},
    path::Path,
};

use tracing::{Level, level_filters::LevelFilter};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::domain::text::Text;

/// How many old log files are kept.
const KEPT: usize = 4;

/// Starts logging into `directory`; a directory that cannot be written leaves the cockpit without a log, not without
/// itself. `WHEELHOUSE_LOG` chooses the level (`info`, `debug`, `wheelhouse::engine=trace`).
pub fn start(directory: &Path) -> bool {
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::WEEKLY)
        .filename_prefix("wheelhouse")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(directory);
    let Ok(appender) = appender else { return false };
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::sync::Mutex::new(Safe(appender))).with_ansi(false).with_target(true);
    tracing_subscriber::registry().with(levels(std::env::var("WHEELHOUSE_LOG").ok().as_deref())).with(lines).try_init().is_ok()
}

fn levels(told: Option<&str>) -> Targets {
    let usual = || Targets::new().with_default(Level::WARN).with_target("wheelhouse", Level::INFO);
    let levels = told.and_then(|levels| levels.parse().ok()).unwrap_or_else(usual);
    // It writes whole answers of those whom it asks for tokens; what fails is told where it is handled.
    levels.with_target("gcp_auth", LevelFilter::OFF)
}

/// Whatever library wrote the words: nothing goes into the log that a terminal which shows it could act on.
struct Safe<W>(W);

impl<W: Write> Write for Safe<W> {
    /// Takes a whole line at a time, as the formatter hands them over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let words = String::from_utf8_lossy(line);
        self.0.write_all(Text::new(words.as_ref()).shown().as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_makes_the_log_repeat_what_is_said_about_tokens() {
        for told in [None, Some("trace"), Some("wheelhouse=debug"), Some("gcp_auth=trace")] {
            assert!(!levels(told).would_enable("gcp_auth::types", &Level::WARN), "{told:?}");
        }
        assert!(levels(None).would_enable("wheelhouse::app", &Level::INFO));
        assert!(levels(Some("debug")).would_enable("reqwest", &Level::DEBUG));
    }

    #[test]
    fn a_line_of_the_log_is_safe_to_show() {
        let mut log = Safe(Vec::new());
        let line = "WARN wheelhouse: a look failed error=\u{1b}]0;x\u{7}\u{202e}naïve\n";
        assert_eq!(log.write(line.as_bytes()).unwrap(), line.len());
        log.write_all(b"\xff\x9b2J\n").unwrap();
        let said = String::from_utf8(log.0).unwrap();
        assert_eq!(said, "WARN wheelhouse: a look failed error=<001B>]0;x<0007><202E>naïve\n\u{fffd}\u{fffd}2J\n");
    }
}
