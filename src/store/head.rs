//! The head of the audit chain, kept outside the database so that a chain whose tail was cut is noticed.
//!
//! It is written after each commit: a crash between the two leaves it behind the database, never ahead.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

const LONGEST: u64 = 256;

/// The place of the last event and its hash; sequence 0 is the empty chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub sequence: u64,
    pub hash: String,
}

impl Head {
    pub(super) fn empty() -> Self {
        Self { sequence: 0, hash: "0".repeat(64) }
    }

    /// Of fixed length, so that it is overwritten in one small write.
    fn line(&self) -> String {
        format!("{:020} {}\n", self.sequence, self.hash)
    }
}

#[derive(Clone, Debug)]
pub(super) struct HeadFile(Arc<File>);

impl HeadFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map(Arc::new).map(Self)
    }

    pub(super) fn write(&self, head: &Head) -> io::Result<()> {
        self.0.write_all_at(head.line().as_bytes(), 0)?;
        self.0.sync_data()
    }
}

/// `None` where there is no such file; an error where it is not a head.
pub(super) fn read(path: &Path) -> io::Result<Option<Head>> {
    let mut said = String::new();
    match File::open(path) {
        // Whatever stands in its place, a device without an end perhaps: a head is a line.
        Ok(file) => file.take(LONGEST).read_to_string(&mut said)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if said.is_empty() {
        return Ok(None);
    }
    let head = said.strip_suffix('\n').and_then(|line| line.split_once(' ')).and_then(|(sequence, hash)| {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Head { sequence: sequence.parse().ok().filter(|_| is_hash)?, hash: hash.to_owned() })
    });
    head.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not a line of a number and a hash"))
}
