//! Diagnostics go to a file, never to the screen: `wheelhouse.log` beside the record.

use std::path::Path;

use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// How many old log files are kept.
const KEPT: usize = 4;

/// Starts logging into `directory`; a directory that cannot be written leaves the cockpit without a log, not without
/// itself. `WHEELHOUSE_LOG` chooses the level (`info`, `debug`, `wheelhouse::engine=trace`).
pub fn start(directory: &Path) -> bool {
    let filter = EnvFilter::try_from_env("WHEELHOUSE_LOG").unwrap_or_else(|_| EnvFilter::new("warn,wheelhouse=info"));
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::WEEKLY)
        .filename_prefix("wheelhouse")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(directory);
    let Ok(appender) = appender else { return false };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::sync::Mutex::new(appender))
        .with_ansi(false)
        .with_target(true)
        .try_init()
        .is_ok()
}
