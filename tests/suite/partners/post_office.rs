//! A mail server (aiosmtpd) that keeps what it takes in a Maildir.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Partner, authority::Authority, target};

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Open,
    StartTls,
    Tls,
}

pub struct PostOffice {
    _partner: Partner,
    port: u16,
    maildir: PathBuf,
}

impl PostOffice {
    /// Keeps its Maildir in `home`. `None` where it is not installed, which is said.
    pub fn open(home: &Path, line: Line, authority: Option<&Authority>, login: Option<(&str, &str)>) -> Option<Self> {
        let Some(python) = python() else {
            super::absent("aiosmtpd", "tests/all partners");
            return None;
        };
        let maildir = home.join("maildir");
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/partners/mail_server.py")).arg(&maildir);
        match (line, authority) {
            (Line::StartTls, Some(authority)) => drop(command.arg("--starttls").args(authority.leaf())),
            (Line::Tls, Some(authority)) => drop(command.arg("--tls").args(authority.leaf())),
            (Line::Open, _) | (_, None) => {}
        }
        if let Some((user, password)) = login {
            command.args(["--login", user, password]);
        }
        let (partner, ready) = Partner::start(&mut command, |line| line.starts_with("ready ")).expect("the mail server starts");
        let port = ready.trim_start_matches("ready ").trim().parse().unwrap();
        Some(Self { _partner: partner, port, maildir })
    }

    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Every mail that it took, as it came.
    pub fn mails(&self) -> Vec<String> {
        let files = fs::read_dir(self.maildir.join("new")).into_iter().flatten().flatten();
        files.map(|file| String::from_utf8(fs::read(file.path()).unwrap()).unwrap()).collect()
    }
}

/// The one that has the package.
pub fn python() -> Option<PathBuf> {
    let known = [target().join("venv/bin/python"), PathBuf::from("python3")];
    let has_it =
        |python: &PathBuf| Command::new(python).args(["-c", "import aiosmtpd"]).output().is_ok_and(|ran| ran.status.success());
    known.into_iter().find(has_it)
}
