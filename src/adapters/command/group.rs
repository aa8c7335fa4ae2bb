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

use super::run::USUAL_PATH;

/// Reads the group, then waits for a word; where the pipe breaks instead, nobody is there to end it any more.
const WATCH: &str = r#"trap '' HUP INT TERM QUIT
read -r group || exit 0
read -r over && exit 0
kill -s TERM -- "-$group"
sleep 2
kill -s KILL -- "-$group""#;

/// Ends the group when the cockpit is gone, or when it is dropped without a word.
#[derive(Debug)]
pub(super) struct Watcher {
    child: Option<Child>,
    line: Option<ChildStdin>,
}

impl Watcher {
    /// Started before the program, so that there is no moment in which nobody watches it.
    pub(super) fn start() -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", WATCH, "wheelhouse-watch"])
            .env_clear()
            .env("PATH", USUAL_PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let line = child.stdin.take();
        Ok(Self { child: Some(child), line })
    }

    fn told(&mut self, word: &str) -> io::Result<()> {
        self.line.as_mut().map_or(Ok(()), |line| writeln!(line, "{word}"))
    }

    /// Its work is done.
    fn dismiss(mut self) {
        // One that is gone has nothing to do either.
        let _ = self.told("over");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.line.take());
        // It goes by itself, sooner or later; waiting for that is not the caller's time.
        if let Some(mut child) = self.child.take() {
            let _ = thread::Builder::new().name("watcher".to_owned()).spawn(move || child.wait());
        }
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
    pub(super) fn of(child: &Child, mut watcher: Option<Watcher>) -> Self {
        let id = Pid::from_child(child);
        let is_watched = watcher.as_mut().is_none_or(|watcher| watcher.told(&id.as_raw_nonzero().to_string()).is_ok());
        let group = Self { id, is_detached: watcher.is_none(), watcher, is_over: false };
        if !is_watched {
            // Whoever is to watch it is gone: unwatched it does not run.
            group.signal(Signal::KILL);
        }
        group
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Gone already is as good as ended.
        let _ = kill_process_group(self.id, signal);
    }

    /// Nothing of it may go on any more.
    pub(super) fn take_back(&mut self) {
        self.is_detached = false;
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
