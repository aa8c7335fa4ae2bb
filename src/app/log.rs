//! Diagnostics go to a file, never to the screen: `wheelhouse.log` beside the record.

use std::path::Path;

use tracing::Level;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How many old log files are kept.
const KEPT: usize = 4;

/// Starts logging into `directory`; a directory that cannot be written leaves the cockpit without a log, not without
/// itself. `WHEELHOUSE_LOG` chooses the level (`info`, `debug`, `wheelhouse::engine=trace`).
pub fn start(directory: &Path) -> bool {
    let usual = || Targets::new().with_default(Level::WARN).with_target("wheelhouse", Level::INFO);
    let chosen = std::env::var("WHEELHOUSE_LOG").ok().and_then(|levels| levels.parse::<Targets>().ok());
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::WEEKLY)
        .filename_prefix("wheelhouse")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(directory);
    let Ok(appender) = appender else { return false };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::sync::Mutex::new(appender)).with_ansi(false).with_target(true);
    tracing_subscriber::registry().with(chosen.unwrap_or_else(usual)).with(lines).try_init().is_ok()
}
