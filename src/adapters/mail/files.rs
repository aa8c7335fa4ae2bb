//! Mail as files: one per act, named by it, so that writing again replaces and never adds.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::fs;

use crate::ports::Mark;

fn file(directory: &Path, mark: &Mark) -> PathBuf {
    let name: String = mark.key().chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    directory.join(name)
}

pub(super) async fn write(directory: &Path, mark: &Mark, mail: &[u8]) -> io::Result<()> {
    // A directory that is gone is not made again: whoever collects the mail would not find it.
    let file = file(directory, mark);
    let begun = file.with_extension("part");
    fs::write(&begun, mail).await?;
    // Whole or not at all: a reader never sees half a mail.
    fs::rename(&begun, file.with_extension("eml")).await
}

pub(super) async fn exists(directory: &Path, mark: &Mark) -> io::Result<bool> {
    fs::try_exists(file(directory, mark).with_extension("eml")).await
}
