//! A program and all that it starts, in a session of its own: ended together, and never left behind by a cockpit that dies.
//!
//! Without a session of its own a program could ask at the terminal, over the screen. A small watcher holds the other end
//! of a pipe: where the cockpit is killed, the pipe breaks, and the watcher ends the program.

use std::{
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process_group};

/// Reads the group, then waits for a word; where the pipe breaks instead, nobody is there to end it any more.
const WATCH: &str = r#"trap '' HUP INT TERM QUIT
read -r group || exit 0
read -r over && exit 0
kill -s TERM -- "-$group"
sleep 2
kill -s KILL -- "-$group""#;

/// Ends the group when the cockpit is gone.
#[derive(Debug)]
pub(super) struct Watcher {
    child: Child,
    line: ChildStdin,
}

impl Watcher {
    /// Started before the program, so that there is no moment in which nobody watches it.
    pub(super) fn start(path: &str) -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", WATCH, "wheelhouse-watch"])
            .env_clear()
            .env("PATH", path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let line = child.stdin.take().ok_or_else(|| io::Error::other("it has no input"))?;
        Ok(Self { child, line })
    }

    fn told(&mut self, word: &str) -> io::Result<()> {
        writeln!(self.line, "{word}")
    }

    /// Its work is done.
    fn dismiss(mut self) {
        let is_told = self.told("over").is_ok();
        drop(self.line);
        // It reads and goes; waiting for that is not the caller's time.
        let mut child = self.child;
        if !is_told {
            let _ = child.kill();
        }
        let _ = thread::Builder::new().name("watcher".to_owned()).spawn(move || child.wait());
    }
}

/// The processes of one run.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    watcher: Option<Watcher>,
    /// Whatever is left of it may go on.
    is_detached: bool,
    is_over: bool,
}

impl Group {
    /// The group of a child that was started by `command`.
    pub(super) fn of(child: &Child, mut watcher: Option<Watcher>) -> io::Result<Self> {
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("it has no number"))?;
        if let Some(watcher) = &mut watcher {
            watcher.told(&id.as_raw_nonzero().to_string())?;
        }
        Ok(Self { id, is_detached: watcher.is_none(), watcher, is_over: false })
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Gone already is as good as ended.
        let _ = kill_process_group(self.id, signal);
    }

    pub(super) fn number(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }

    /// The program has ended: what it left running goes as well, unless it may stay.
    pub(super) fn end(mut self) {
        self.is_over = true;
        if !self.is_detached {
            self.signal(Signal::KILL);
        }
        if let Some(watcher) = self.watcher.take() {
            watcher.dismiss();
        }
    }
}

impl Drop for Group {
    /// Whoever waited for it is gone: the watcher sees its pipe break and ends it; what is detached goes on.
    fn drop(&mut self) {
        if !self.is_over && !self.is_detached {
            self.signal(Signal::TERM);
        }
    }
}

/// The program in a session of its own, where that can be had; else in a group of its own.
pub(super) fn command(program: &Path, arguments: &[String], setsid: Option<&Path>) -> Command {
    if let Some(setsid) = setsid {
        let mut command = Command::new(setsid);
        command.arg(program).args(arguments);
        return command;
    }
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    command
}
