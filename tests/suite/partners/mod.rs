//! Servers written by others, each started for a test and gone when it is dropped. Where one is not installed, that is
//! said, and its tests do not run; `tests/all` installs them.

pub mod authority;
pub mod emulate;
pub mod post_office;
pub mod prism;
pub mod stripe;
pub mod town;

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

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
        println!("{} is not installed (tests/all partners): its tests did not run", program.display());
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
