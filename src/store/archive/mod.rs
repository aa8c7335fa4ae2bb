//! Statements on the shelf: as JSON with every row, as CSV, as a page for a person, and the hashes of the three.
//!
//! Files are their owner's alone, are through to the disk before anybody is told of them, and never take the place of others.

mod again;
mod canonical;
mod held;
mod noted;
mod page;
mod sums;
mod table;
mod verify;

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

pub use held::{Held, Standing};
pub use noted::{Filings, Noted};
pub use verify::{Verdict, verify};

use crate::{
    domain::{
        archive::{Filed, Filing},
        text::Text,
    },
    ports,
};

const JSON: &str = "json";
const CSV: &str = "csv";
const HTML: &str = "html";
/// As `sha256sum -c` reads it.
const HASHES: &str = "sha256";
/// So many statements of one name and moment are more than there can be.
const MOST_ALIKE: u32 = 10_000;

/// The directory of one business's statements.
#[derive(Clone, Debug)]
pub struct Shelf {
    directory: PathBuf,
}

/// A statement on the shelf, as its head tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelved {
    pub name: String,
    pub file: PathBuf,
    /// Why it cannot be read, where it cannot.
    pub head: Result<Head, Text>,
    /// What its list of hashes says, where it is one; the files themselves are not read.
    pub hashes: Option<BTreeMap<String, String>>,
    /// Its files that are not there.
    pub lacks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub reconciliation: Text,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub filed_at: DateTime<Utc>,
    pub filed_by: Text,
    pub signed: bool,
    pub note: Text,
}

impl Shelf {
    /// The directory is made when something is put there.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Every statement there is, the oldest first.
    pub fn list(&self) -> io::Result<Vec<Shelved>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut shelved = Vec::new();
        for entry in entries {
            let file = entry?.path();
            let name = canonical::name_of(&file);
            if file.extension().is_some_and(|ending| ending == JSON) {
                let beside = [CSV, HTML, HASHES].into_iter().filter(|ending| !self.path(&name, ending).exists());
                let lacks = beside.map(|ending| format!("{name}.{ending}")).collect();
                let (head, hashes) = (canonical::head(&file).map_err(Text::new), verify::listed(&self.path(&name, HASHES)));
                shelved.push(Shelved { name, file, head, hashes, lacks });
            }
        }
        let at = |one: &Shelved| one.head.as_ref().map(|head| head.filed_at).unwrap_or_default();
        shelved.sort_by(|a, b| (at(a), &a.name).cmp(&(at(b), &b.name)));
        Ok(shelved)
    }

    /// Takes away a statement's files. The journal must know of it before.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        // The statement itself last: what is left over of a removal that was cut off is still told of.
        for ending in [HASHES, HTML, CSV, JSON] {
            match fs::remove_file(self.path(name, ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.sync()
    }

    fn path(&self, name: &str, ending: &str) -> PathBuf {
        self.directory.join(format!("{name}.{ending}"))
    }

    fn put(&self, filing: &Filing) -> io::Result<Filed> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let (name, json) = self.claim(filing)?;
        let written = self.write(filing, &name, json);
        if written.is_err() {
            // Half a statement would look like one; the failure is what is told.
            let _ = self.remove(&name);
        }
        written
    }

    /// A name that nothing has, and its first file: made so that nobody else can take it any more.
    fn claim(&self, filing: &Filing) -> io::Result<(String, File)> {
        let stem = format!("{}_{}", filing.reconciliation.id, filing.statement.to.format("%Y%m%dT%H%M%SZ"));
        for number in 1..MOST_ALIKE {
            let name = if number == 1 { stem.clone() } else { format!("{stem}-{number}") };
            match create(&self.path(&name, JSON)) {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("there are too many statements of this name"))
    }

    fn write(&self, filing: &Filing, name: &str, json: File) -> io::Result<Filed> {
        let mut hashes = BTreeMap::new();
        let mut keep = |ending: &str, hash: String| hashes.insert(format!("{name}.{ending}"), hash);
        let mut out = Hashing::of(json);
        let statement = canonical::write(&mut out, filing, name)?;
        keep(JSON, out.end()?);
        let mut out = Hashing::of(create(&self.path(name, CSV))?);
        table::write(&mut out, filing)?;
        keep(CSV, out.end()?);
        let mut out = Hashing::of(create(&self.path(name, HTML))?);
        out.write_all(page::page(&page::Leaf::of(filing), name, &statement).as_bytes())?;
        keep(HTML, out.end()?);
        let mut list = create(&self.path(name, HASHES))?;
        for (file, hash) in &hashes {
            writeln!(list, "{hash}  {file}")?;
        }
        list.sync_all()?;
        self.sync()?;
        Ok(Filed { name: name.to_owned(), hashes })
    }

    /// The names themselves.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

impl ports::Archive for Shelf {
    fn file(&self, filing: &Filing) -> Result<Filed, Text> {
        self.put(filing).map_err(|error| Text::new(format!("{}: {error}", self.directory.display())))
    }

    fn discard(&self, filed: &Filed) {
        if let Err(error) = self.remove(&filed.name) {
            tracing::error!(%error, statement.name = filed.name, "a statement that was not signed could not be taken away");
        }
    }
}

/// A new file that only its owner reads.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes through to a file and hashes what passes.
struct Hashing {
    out: BufWriter<File>,
    hash: Sha256,
}

impl Hashing {
    fn of(file: File) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, file), hash: Sha256::new() }
    }

    /// Of all that was written so far.
    fn so_far(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    fn end(self) -> io::Result<String> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(hex::encode(self.hash.finalize()))
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
