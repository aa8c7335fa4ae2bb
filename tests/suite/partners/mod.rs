//! Servers written by others, each started for a test and gone when it is dropped. Where one is not installed, that is
//! said, and its tests do not run; `tests/all` installs them, and then a missing one is a failure.

#[path = "../../partners/absent.rs"]
mod absence;
pub mod authority;
pub mod emulate;
pub mod post_office;
pub mod prism;
pub mod stripe;
pub mod town;

pub use absence::absent;

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{amending, claims::server, documents};

/// A program that runs until it is dropped.
pub struct Partner(Child);

impl Partner {
    /// Runs until the line that says it is ready, which is given back; `None` where it ends without one.
    pub fn start(command: &mut Command, is_ready: impl Fn(&str) -> bool) -> Option<(Self, String)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut partner = Self(command.spawn().unwrap());
        let mut lines = BufReader::new(partner.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.by_ref().find(|line| is_ready(line))?;
        // Read on, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Some((partner, ready))
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where `tests/all` puts what it installs.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_wheelhouse")).ancestors().nth(2).unwrap().to_path_buf()
}

/// The npm packages there.
pub fn modules() -> PathBuf {
    target().join("npm/node_modules")
}

/// Node and a program of an npm package; `None` where one is missing, which is said.
pub fn node(program: &str) -> Option<Command> {
    let modules = modules();
    let (node, program) = (modules.join("node/bin/node"), modules.join(program));
    if !node.exists() || !program.exists() {
        absent(&program.display().to_string(), "tests/all partners");
        return None;
    }
    let mut command = Command::new(node);
    command.arg(program);
    Some(command)
}

/// The first of so many ports in a row that are free now; somebody else may take them before they are used.
fn free_ports(count: u16) -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if (1..count).all(|more| port.checked_add(more).is_some_and(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())) {
            return port;
        }
    }
}

/// Each partner that is not here, and how it is got.
fn missing() -> Vec<String> {
    let answers = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let node = |program: &str| modules().join("node/bin/node").exists() && modules().join(program).exists();
    let all = [
        ("PostgreSQL", "apt-get install postgresql", server::programs().is_some()),
        ("pgbouncer", "apt-get install pgbouncer", Path::new(server::POOLER).exists()),
        ("openssl", "apt-get install openssl", answers("openssl")),
        ("Python", "apt-get install python3", answers("python3")),
        ("hidane", "tests/all partners", documents::server::program().is_some()),
        ("aiosmtpd", "tests/all partners", post_office::python().is_some()),
        ("Stripe's library for Python", "tests/all partners", amending::sdk::client().is_some()),
        ("emulate", "tests/all partners", node("emulate")),
        ("prism", "tests/all partners", node("@stoplight/prism-cli")),
        ("stripe-stateful-mock", "tests/all partners", node("stripe-stateful-mock")),
    ];
    all.iter().filter(|(.., is_here)| !is_here).map(|(what, how, _)| format!("{what} ({how})")).collect()
}

/// What a passing test prints is hidden, and a test that was left out passes: this one says it past the runner. With
/// cargo-nextest `.config/nextest.toml` shows it at the end.
#[test]
fn partners_that_are_not_there_are_told() {
    let missing = missing();
    if missing.is_empty() {
        return;
    }
    let said = format!("TESTS LEFT OUT for want of {}", missing.join(", "));
    assert!(!absence::must_be_there(), "{said}");
    // Nobody listening is no failure.
    if let Ok(mut stderr) = OpenOptions::new().append(true).open("/dev/stderr") {
        let _ = writeln!(stderr, "{said}");
    }
}

#[test]
fn a_missing_partner_is_told_past_the_runner_and_fails_where_all_must_be_there() {
    let run = |wanted: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "partners::partners_that_are_not_there_are_told"]);
        // Nothing is found by its name there.
        let ran = command.env("PATH", "/nowhere").env("WHEELHOUSE_PARTNERS", wanted).output().unwrap();
        let said = [ran.stdout, ran.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        (ran.status.success(), said)
    };
    let (passes, [_, errors]) = run("");
    assert!(passes && errors.contains("TESTS LEFT OUT for want of "), "{errors}");
    assert!(errors.contains("openssl (apt-get install openssl)"), "{errors}");
    let (passes, said) = run("all");
    assert!(!passes && said.concat().contains("TESTS LEFT OUT for want of "), "{said:?}");
}
