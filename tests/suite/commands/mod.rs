//! Programs as a business runs them: a backup, an export, an admin's tool, from the command line and from the cockpit,
//! also where the cockpit is killed meanwhile.

mod backups;
mod deaths;
mod screens;
mod stops;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::cli::{Ran, wheelhouse};

/// Longer than anything here needs, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(90);
pub const SECRET: &str = "canary-51b0e8-secret";

const HEAD: &str = "[pack]\ntitle = \"Depot\"\ntimezone = \"UTC\"\ncurrency = \"EUR\"\n";

/// A business on files and programs alone, in a home of its own.
struct Depot(TempDir);

impl Depot {
    /// `parts` is the rest of the pack; `HOME` in it is the home.
    fn of(parts: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let parts = parts.replace("HOME", home.path().to_str().unwrap());
        fs::write(home.path().join("pack.toml"), format!("{HEAD}{parts}")).unwrap();
        Self(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A stand-in for a program, in `bin`.
    fn with_program(self, name: &str, script: &str) -> Self {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn command(&self, words: &[&str]) -> assert_cmd::Command {
        let mut command = wheelhouse(self.0.path());
        command.env("DEPOT_TOKEN", SECRET).args(["--pack", "pack.toml", "--state-dir", "state"]).args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words).output())
    }

    /// Started, and left running.
    fn start(&self, words: &[&str]) -> Child {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
        command.env_clear().env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin").env("USER", "op").env("DEPOT_TOKEN", SECRET);
        command.current_dir(self.0.path()).args(["--pack", "pack.toml", "--state-dir", "state"]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until a file has a whole line.
    fn written(&self, name: &str) -> String {
        until(&format!("{name} is written"), || self.text(name).ends_with('\n'));
        self.text(name).trim().to_owned()
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// False once it is gone, or is only waited for.
fn is_alive(number: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
}

/// Every file of a directory, as bytes.
fn holds_secret(directory: &Path) -> bool {
    fs::read_dir(directory).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        let bytes = fs::read(&path).unwrap_or_default();
        path.is_dir() && holds_secret(&path) || bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
    })
}

/// Sites that are exported one by one, each by one run of a line of shell that is the pack's own.
fn sites(line: &str, more: &str) -> Depot {
    let depot = Depot::of(&format!(
        r#"
[connections]
list.command = {{ program = "cat", directory = "HOME" }}
find.command = {{ program = "find", directory = "HOME" }}
tool.command = {{ program = "sh", directory = "HOME", timeout = "10m", environment = {{ TOKEN_env = "DEPOT_TOKEN" }} }}

[queues.sites]
title = "Sites"
read.command = {{ on = "list", args = ["sites.csv"], format = "csv" }}
id = "id"
minutes_each = 1
actions = ["export"]
columns = [ {{ column = "id", title = "Site" }}, {{ column = "pages", title = "Pages" }} ]

[actions.export]
title = "Export"
key = "e"
hold = "0s"
label = "{{{{ id }}}}"
do = {{ command = {{ on = "tool", args = ["-c", '''{line}''', "export", "{{{{ id }}}}"]{more} }}, says = "export {{{{ id }}}}" }}
"#
    ));
    fs::write(depot.path("sites.csv"), "id,pages\nnorth,12\nsouth,7\n").unwrap();
    depot
}

#[test]
fn a_command_is_run_once_for_each_confirmation_and_what_it_said_is_on_record() {
    let depot = sites("echo \"exporting $1\"; echo \"token $TOKEN\"; echo \"$1\" >>ran", "");
    let told = depot.run(&["do", "export", "north", "--dry-run", "--json"]).ends(0).json();
    assert!(told.to_string().contains("export north"), "{told}");
    assert_eq!(depot.text("ran"), "");
    let ran = depot.run(&["do", "export", "north"]).ends(0).says(&["done", "tool: sh ended with 0 after", ", 2 lines"]);
    // What it printed is a diagnostic here; on record it is for good.
    let ran = ran.complains(&["exporting north", "token ***"]);
    assert!(!ran.out.contains(SECRET) && !ran.errors.contains(SECRET), "{ran:?}");
    depot.run(&["do", "export", "north", "south", "--confirm", "2"]).ends(0);
    assert_eq!(depot.text("ran"), "north\nnorth\nsouth\n");
    depot.run(&["journal", "export"]).ends(0).says(&[r"exporting north\\ntoken ***"]);
    depot.run(&["journal", "verify"]).ends(0);
    assert!(!holds_secret(&depot.path("state")));
}

#[test]
fn what_a_program_refuses_is_told_in_its_own_last_words() {
    let depot = sites("echo \"quota exceeded for $1\" >&2; exit 9", "");
    let ran = depot.run(&["do", "export", "north"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    ran.says(&["rejected", "tool: sh ended with 9 after", "quota exceeded for north"]);
    depot.run(&["do", "export", "east"]).complains(&[]);
}

#[test]
fn a_row_cannot_become_an_option_and_refuses_only_itself() {
    let depot = sites("echo \"$1\" >>ran", "");
    fs::write(depot.path("sites.csv"), "id,pages\n-rf,12\nsouth,7\n").unwrap();
    let ran = depot.run(&["do", "export", "south", "--", "-rf"]);
    assert!(ran.out.contains("would be taken for an option"), "{ran:?}");
    assert_eq!(depot.text("ran").replace("south\n", ""), "");
}

#[test]
fn connect_check_names_the_programs_that_are_there_and_says_which_is_not() {
    let depot = Depot::of(
        "[connections]\ntar.command = { program = \"tar\", version = [\"--version\"], directory = \"/\" }\n\
         admin.command = { program = \"no-such-admin-tool\" }\n",
    );
    let ran = depot.run(&["connect", "check"]).ends(2);
    ran.says(&[
        "tar ",
        "program /usr/bin/tar",
        "version tar (GNU tar)",
        "admin ",
        "FAILED",
        "there is no program `no-such-admin-tool` in PATH",
    ]);
}
