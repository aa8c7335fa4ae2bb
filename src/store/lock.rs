//! The file lock that makes one cockpit the writer; every other reads and says who writes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who has the journal open for writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub operator: String,
    pub host: String,
    pub pid: u32,
    pub since: DateTime<Utc>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { operator, host, pid, since } = self;
        write!(f, "{operator} on {host} (process {pid}, since {})", since.format("%Y-%m-%d %H:%M UTC"))
    }
}

pub(super) enum Locked {
    /// Ours until the file is closed.
    Ours(File),
    Theirs(Option<Holder>),
}

/// Never waits. The lock ends with the process, however it ends; the file stays.
pub(super) fn acquire(path: &Path, operator: &str, now: DateTime<Utc>) -> io::Result<Locked> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            let holder = Holder { operator: operator.to_owned(), host: host(), pid: std::process::id(), since: now };
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&serde_json::to_vec(&holder)?)?;
            Ok(Locked::Ours(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut said = String::new();
            file.take(4096).read_to_string(&mut said)?;
            Ok(Locked::Theirs(serde_json::from_str(&said).ok()))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}
