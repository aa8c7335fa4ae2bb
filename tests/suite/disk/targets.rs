//! Where data goes that was asked for: a full device, a file size that may not grow, a directory that is gone.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::{probe, pty::Terminal};

pub const CASES: usize = 7;

fn sh(home: &Path, script: &str) -> (i32, String) {
    let script = script.replace("$W", &format!("'{}' --demo --demo-dir town", env!("CARGO_BIN_EXE_wheelhouse")));
    let mut command = Command::new("bash");
    command.env_clear().env("HOME", home).env("TMPDIR", home).env("PATH", "/usr/bin:/bin").env("USER", "op").current_dir(home);
    let output = command.args(["--norc", "-c", &script]).output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_target_that_takes_nothing_is_said_and_is_no_success() {
    let home = TempDir::new().unwrap();
    assert_eq!(sh(home.path(), "$W check > /dev/null").0, 2);
    for words in ["check --all", "check --json", "reconcile --csv", "journal export --format csv", "snapshot"] {
        let (status, said) = sh(home.path(), &format!("$W {words} > /dev/full"));
        assert!(status == 3 && said.contains("No space left"), "{words}: {status} {said}");
    }
}

/// A limit on the size of files: every write beyond it fails, as on a disk that fails.
#[test]
fn a_record_that_may_not_grow_sends_nothing_and_says_so() {
    let home = TempDir::new().unwrap();
    assert_eq!(sh(home.path(), "$W check > /dev/null").0, 2);
    let town = home.path().join("town");
    let count = || probe::first_column(&town, "select count(*) from review_moderation_log");
    let before = count();
    let (status, said) = sh(home.path(), "trap '' XFSZ; ulimit -S -f 8; $W do approve_review rv_901 > /dev/null");
    assert!(status == 3 || status == 1, "{status}: {said}");
    assert!(said.contains("cockpit.db") || said.contains("business.db") || said.contains("town"), "{said}");
    assert_eq!(count(), before, "{said}");
    let (status, said) = sh(home.path(), "$W do approve_review rv_901 > /dev/null");
    assert_eq!(status, 0, "it goes on when it is over: {said}");
}

#[test]
fn an_export_whose_directory_is_gone_is_said() {
    let home = TempDir::new().unwrap();
    let mut terminal = Terminal::start(&["demo", "--demo-dir", home.path().join("town").to_str().unwrap()], home.path(), 120, 40);
    terminal.until_now("the business is there", |screen| screen.contains("3 red"));
    let aside = home.path().with_extension("aside");
    fs::rename(home.path(), &aside).unwrap();
    fs::create_dir(home.path()).unwrap();
    fs::remove_dir(aside.join("nothing")).unwrap_err();
    terminal.keys("2,Enter,Ctrl-s");
    terminal.until_now("where it was written, or why not", |screen| {
        screen.contains("written to") || screen.contains("could not be written")
    });
    terminal.kill();
    fs::remove_dir_all(home.path()).unwrap();
    fs::rename(aside, home.path()).unwrap();
}
