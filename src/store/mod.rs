//! The cockpit's own database: acts, audit chain and memory in one SQLite file, written by one cockpit at a time.
//!
//! Never answers a write before it is through to the disk, and never writes a change without its audit entry.

mod archive;
mod audit;
mod export;
mod head;
mod journal;
mod lock;
mod memory;
mod picture;
mod schema;

#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

pub use archive::{Filings, Head as StatementHead, Held, Noted, Shelf, Shelved, Standing, Verdict, verify as verify_statement};
pub use audit::{Broken, Record, Verified};
pub use export::Format;
pub use head::Head;
pub use lock::Holder;

use crate::{domain::text::Text, ports::StoreError};

use head::HeadFile;
use lock::Locked;

/// Nobody else writes, so only a backup or a hand can keep the database locked, and the operator waits for neither.
const BUSY: Duration = Duration::from_secs(2);

/// KiB of pages, as SQLite counts them: what is read again lies in the machine's memory anyhow.
const CACHE: &str = "-128";

/// What this cockpit may do with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Write,
    /// Another cockpit writes; `None` where it did not leave its name, or where nobody asked to write.
    ReadOnly {
        holder: Option<Holder>,
    },
}

impl Access {
    /// Why nothing can be written, where nothing can.
    pub fn refusal(&self) -> Option<StoreError> {
        match self {
            Self::Write => None,
            Self::ReadOnly { holder } => {
                let holder = holder.as_ref().map_or_else(|| "another cockpit".to_owned(), ToString::to_string);
                Some(StoreError::ReadOnly(Text::new(holder)))
            }
        }
    }
}

pub struct Store {
    path: PathBuf,
    /// The database and its write-ahead log, as they were found when it was opened.
    opened: Vec<(PathBuf, Option<Identity>)>,
    access: Access,
    /// Where the chain was found broken when it was opened.
    broken: Option<Broken>,
    inner: Mutex<Inner>,
    /// A write has failed, and the driver may still believe that its transaction is open.
    is_suspect: AtomicBool,
    /// Held for as long as the store lives.
    _lock: Option<File>,
}

/// The one connection, and the chain's head as it last committed.
struct Inner {
    connection: SqliteConnection,
    head: Head,
    head_file: Option<HeadFile>,
}

impl Store {
    /// Opens or creates the record, for writing where nobody else writes.
    pub async fn open(path: &Path, operator: &str, now: DateTime<Utc>) -> Result<(Self, Access), StoreError> {
        let files = prepare(path, operator, now).map_err(|error| {
            cannot_open(path, &format!("{error}; see that its directory is there, has room, and is yours to write"))
        })?;
        match files {
            Locked::Ours(lock) => Self::open_as(path, Access::Write, Some(lock)).await,
            Locked::Theirs(holder) => Self::open_as(path, Access::ReadOnly { holder }, None).await,
        }
    }

    /// Opens an existing record without a claim to write it.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Access::ReadOnly { holder: None }, None).await.map(|(store, _)| store)
    }

    async fn open_as(path: &Path, access: Access, lock: Option<File>) -> Result<(Self, Access), StoreError> {
        let is_writer = access == Access::Write;
        let failed = |error: sqlx::Error| cannot_open(path, &in_words(&error));
        let mut connection = connect(path, is_writer).await.map_err(failed)?;
        if is_writer {
            insist_on_durability(&mut connection).await?;
            schema::migrate(&mut connection).await.map_err(failed)?;
        }
        let mut store = Self {
            path: path.to_owned(),
            opened: Vec::new(),
            access: access.clone(),
            broken: None,
            inner: Mutex::new(Inner { connection, head: Head::empty(), head_file: None }),
            is_suspect: AtomicBool::new(false),
            _lock: lock,
        };
        if is_writer {
            store.find_head().await.map_err(|error| store_at(path, error))?;
            // The first reading has made the log.
            store.opened = [path.to_owned(), beside(path, "-wal")].map(|file| (file.clone(), identity(&file))).into();
        }
        Ok((store, access))
    }

    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Why nothing may be sent, where the chain was found broken when it was opened.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// The chain's last event, for the session's closing note.
    pub async fn head(&self) -> Head {
        self.inner.lock().await.head.clone()
    }

    /// Walks the whole audit chain and holds it against the head kept outside the database.
    pub async fn verify(&self) -> Result<Result<Verified, Broken>, StoreError> {
        self.verify_against(None).await
    }

    /// The same, and a head that was noted where whoever can change both files beside each other cannot reach it must be in
    /// the chain: `noted` is its hash in hex.
    pub async fn verify_against(&self, noted: Option<&str>) -> Result<Result<Verified, Broken>, StoreError> {
        // The head first: a writer that goes on meanwhile only makes the database longer than it.
        let outside = match head::read(&beside(&self.path, ".head")) {
            Ok(head) => head,
            Err(error) => return Ok(Err(Broken { sequence: 0, why: format!("the head kept outside cannot be read: {error}") })),
        };
        let mut inner = self.inner.lock().await;
        audit::verify(&mut inner.connection, outside.as_ref(), noted).await.map_err(unreadable)
    }

    /// Compares the last event with the head kept outside; the whole chain is `verify`'s task.
    async fn find_head(&mut self) -> Result<(), StoreError> {
        let path = beside(&self.path, ".head");
        let outside = head::read(&path);
        let inner = self.inner.get_mut();
        let last = audit::last(&mut inner.connection).await.map_err(unreadable)?;
        if let Some(last) = &last {
            inner.head = Head { sequence: last.sequence, hash: last.hash.clone() };
        }
        let broken = |sequence, why: &str| Some(Broken { sequence, why: why.to_owned() });
        self.broken = match (&outside, &last) {
            (Err(error), _) => {
                broken(inner.head.sequence, &format!("the head kept outside, {}, cannot be read: {error}", path.display()))
            }
            (_, Some(last)) if last.digest() != last.hash => broken(last.sequence, "its words and its hash do not agree"),
            (Ok(None), Some(last)) => {
                broken(last.sequence, &format!("the head kept outside the database, {}, is gone", path.display()))
            }
            (Ok(Some(head)), _) if head.sequence > inner.head.sequence => {
                broken(inner.head.sequence + 1, &format!("the tail is cut: the head kept outside stands at {}", head.sequence))
            }
            (Ok(Some(head)), _) if head.sequence > 0 => {
                let there = audit::at(&mut inner.connection, head.sequence).await.map_err(unreadable)?;
                if there.is_some_and(|record| record.hash == head.hash) {
                    None
                } else {
                    broken(head.sequence, "its hash is not the one kept outside")
                }
            }
            (Ok(_), _) => None,
        };
        if self.broken.is_none() {
            let head_file = HeadFile::open(&path).map_err(|error| unwritable(&head_failed(&path, &error)))?;
            head_file.write(&inner.head).map_err(|error| unwritable(&head_failed(&path, &error)))?;
            inner.head_file = Some(head_file);
        }
        Ok(())
    }

    /// Says where, and what to do.
    fn located(&self, error: StoreError) -> StoreError {
        store_at(&self.path, error)
    }

    fn not_written(&self, error: sqlx::Error) -> StoreError {
        self.is_suspect.store(true, Ordering::Relaxed);
        self.located(not_written(error))
    }

    fn unreadable(&self, error: sqlx::Error) -> StoreError {
        self.located(unreadable(error))
    }

    /// What is written into a file that was moved away is lost with the next start.
    fn is_in_place(&self) -> Result<(), StoreError> {
        match self.opened.iter().find(|(file, opened)| opened.is_some() && identity(file) != *opened) {
            None => Ok(()),
            Some((file, _)) => Err(unwritable(&format!(
                "{} was moved or deleted while this cockpit had it open: put it back, or quit and start again",
                file.display()
            ))),
        }
    }

    /// The connection, for a change; refuses where another cockpit writes or the chain is broken.
    async fn writer(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        if let Some(refusal) = self.access.refusal() {
            return Err(refusal);
        }
        if let Some(broken) = &self.broken {
            return Err(StoreError::Broken(Text::new(format!("{}: {broken}", self.path.display()))));
        }
        self.is_in_place().map_err(|error| self.located(error))?;
        let mut inner = self.inner.lock().await;
        if self.is_suspect.load(Ordering::Relaxed) {
            // Opened before the old one is let go, so that the log stays where it is.
            let mut connection = connect(&self.path, true).await.map_err(|error| self.not_written(error))?;
            insist_on_durability(&mut connection).await.map_err(|error| self.located(error))?;
            inner.connection = connection;
            self.is_suspect.store(false, Ordering::Relaxed);
        }
        Ok(inner)
    }
}

impl Inner {
    /// Takes the chain's new head after its commit, and writes it outside the database.
    async fn advance(&mut self, head: Head) -> Result<(), StoreError> {
        self.head = head;
        let Some(file) = self.head_file.clone() else {
            return Err(unwritable("the head cannot be kept outside the database"));
        };
        let head = self.head.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&head)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(unwritable(&format!("the head of its chain, kept in the file .head beside it: {error}"))),
            Err(error) => Err(unwritable(&error.to_string())),
        }
    }
}

/// Device and inode of a file that is there.
type Identity = (u64, u64);

fn identity(file: &Path) -> Option<Identity> {
    fs::metadata(file).ok().map(|facts| (facts.dev(), facts.ino()))
}

/// The same failure with the file that it is about, once.
fn store_at(path: &Path, error: StoreError) -> StoreError {
    let path = path.display().to_string();
    let said = |why: &Text| {
        if why.original().contains(&path) { why.clone() } else { Text::new(format!("{path}: {}", why.original())) }
    };
    match &error {
        StoreError::Unwritable(why) => StoreError::Unwritable(said(why)),
        StoreError::Unreadable(why) => StoreError::Unreadable(said(why)),
        StoreError::ReadOnly(_) | StoreError::Broken(_) => error,
    }
}

/// The database's path with an ending of its own.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn prepare(path: &Path, operator: &str, now: DateTime<Utc>) -> io::Result<Locked> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let locked = lock::acquire(&beside(path, ".lock"), operator, now)?;
    if matches!(locked, Locked::Ours(_)) {
        // Made here so that it is the operator's alone; SQLite gives its companions the same mode.
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    }
    Ok(locked)
}

async fn connect(path: &Path, is_writer: bool) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).foreign_keys(true).pragma("cache_size", CACHE);
    let options = if is_writer {
        options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
    } else {
        options.pragma("query_only", "ON")
    };
    options.disable_statement_logging().connect().await
}

/// The promises rest on these two settings, so they are read back, not believed.
async fn insist_on_durability(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(unreadable)?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(connection).await.map_err(unreadable)?;
    if mode != "wal" || synchronous != 2 {
        return Err(unwritable(&format!("it does not keep what it is given: journal mode {mode}, synchronous {synchronous}")));
    }
    Ok(())
}

fn head_failed(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}; it keeps the head of the chain and must be a file that you may write", path.display())
}

fn cannot_open(path: &Path, why: &str) -> StoreError {
    StoreError::Unreadable(Text::new(format!("{}: {why}", path.display())))
}

fn unwritable(why: &str) -> StoreError {
    StoreError::Unwritable(Text::new(why))
}

/// A change that failed, in the words of the operator.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn not_written(error: sqlx::Error) -> StoreError {
    unwritable(&in_words(&error))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn unreadable(error: sqlx::Error) -> StoreError {
    StoreError::Unreadable(Text::new(in_words(&error)))
}

fn in_words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some("13") => "disk full: free some space".to_owned(),
            Some("5" | "6") => "another program keeps it locked: end that program".to_owned(),
            Some("8") => "it is read-only: make it writable, or start with --read-only".to_owned(),
            Some("10") => format!("the disk failed ({}): see to the disk and its space", database.message()),
            Some("11" | "26") => {
                format!("{}: the file is damaged; keep a copy, and put a backup in its place", database.message())
            }
            Some("14") => format!("{}: see that the file and its directory are there and yours to write", database.message()),
            _ => database.message().to_owned(),
        },
        other => other.to_string(),
    }
}

/// A stored JSON text that this program wrote; anything else is damage and said so.
fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(Text::new(format!("{what}: {error}"))))
}

fn json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unwritable(&format!("{what}: {error}")))
}
