//! What can befall a file, made and taken away again.

use std::{fs, os::unix::fs::symlink, path::Path, path::PathBuf, process::Command};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another program has it in an exclusive transaction.
    Locked,
    /// No byte is left on its file system.
    Full,
    /// Its file system is mounted read-only.
    ReadOnly,
    /// It was moved away.
    Moved,
    /// It was moved away, and a new one is in its place.
    Replaced,
    /// A directory is in its place.
    Directory,
    /// Every write to it fails as on a full device.
    FullDevice,
    /// Something else altogether is in it.
    Garbage,
    /// Nothing is left in it.
    Emptied,
}

/// A place for files; on a small file system of its own where a case needs one.
pub struct Ground {
    folder: TempDir,
    is_mounted: bool,
}

impl Ground {
    /// `None` where this user cannot mount.
    pub fn for_fault(fault: Fault) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        if !matches!(fault, Fault::Full | Fault::ReadOnly) {
            return Some(Self { folder, is_mounted: false });
        }
        let mounted = mount(&["-t", "tmpfs", "-o", "size=1m", "none"], folder.path());
        mounted.then_some(Self { folder, is_mounted: true })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if self.is_mounted {
            // Lazily: whatever is still open in it ends with the test.
            let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        }
    }
}

fn mount(words: &[&str], at: &Path) -> bool {
    Command::new("mount").args(words).arg(at).output().is_ok_and(|output| output.status.success())
}

/// A fault that stands; it is taken away with `heal`.
pub struct Standing {
    fault: Fault,
    file: PathBuf,
    holder: Option<SqliteConnection>,
}

fn aside(file: &Path) -> PathBuf {
    file.with_extension(format!("{}-aside", file.extension().unwrap_or_default().display()))
}

impl Standing {
    pub async fn strike(fault: Fault, file: &Path) -> Self {
        let folder = file.parent().unwrap();
        let mut standing = Self { fault, file: file.to_owned(), holder: None };
        match fault {
            Fault::Locked => {
                let options = SqliteConnectOptions::new().filename(file).busy_timeout(std::time::Duration::from_secs(20));
                let mut holder = SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query("begin exclusive").execute(&mut holder).await.unwrap();
                standing.holder = Some(holder);
            }
            Fault::Full => {
                // Until not one byte more goes in.
                let _ = fs::write(folder.join("filler"), vec![0; 2 << 20]);
            }
            Fault::ReadOnly => assert!(mount(&["-o", "remount,ro"], folder)),
            Fault::Moved => fs::rename(file, aside(file)).unwrap(),
            Fault::Replaced => {
                fs::rename(file, aside(file)).unwrap();
                fs::copy(aside(file), file).unwrap();
            }
            Fault::Directory => {
                set_aside(file);
                fs::create_dir(file).unwrap();
            }
            Fault::FullDevice => {
                set_aside(file);
                symlink("/dev/full", file).unwrap();
            }
            Fault::Garbage => {
                set_aside(file);
                fs::write(file, "this is not what you are looking for\n".repeat(200)).unwrap();
            }
            Fault::Emptied => {
                set_aside(file);
                fs::write(file, "").unwrap();
            }
        }
        standing
    }

    pub async fn heal(mut self) {
        match self.fault {
            Fault::Locked => self.holder.take().unwrap().close().await.unwrap(),
            Fault::Full => fs::remove_file(self.file.parent().unwrap().join("filler")).unwrap(),
            Fault::ReadOnly => assert!(mount(&["-o", "remount,rw"], self.file.parent().unwrap())),
            Fault::Directory => {
                fs::remove_dir(&self.file).unwrap();
                self.back();
            }
            Fault::Moved | Fault::Replaced | Fault::FullDevice | Fault::Garbage | Fault::Emptied => {
                // There may be nothing in its place.
                let _ = fs::remove_file(&self.file);
                self.back();
            }
        }
    }

    fn back(&self) {
        let aside = aside(&self.file);
        if aside.exists() {
            fs::rename(aside, &self.file).unwrap();
        }
    }
}

fn set_aside(file: &Path) {
    if file.exists() {
        fs::rename(file, aside(file)).unwrap();
    }
}
