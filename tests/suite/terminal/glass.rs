//! A terminal for a program under test: keys in, a screen out, waiting for what is seen and never for time.

use std::{
    env,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::stage;

/// After this long without what is waited for, the test has failed.
const LIMIT: Duration = Duration::from_secs(20);
const DEMO: &str = env!("CARGO_BIN_EXE_wheelhouse");
const TEST: &str = "terminal::stage::the_program_says_what_it_was_told";

pub struct Glass {
    pub terminal: vt100::Parser,
    pub bytes: Vec<u8>,
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    output: Receiver<Vec<u8>>,
    end: Receiver<u32>,
    pid: Pid,
    settings_before: String,
    /// Gone once the program may end: it stays until all that it wrote is read.
    listener: Option<UnixListener>,
    _directory: TempDir,
}

impl Glass {
    /// The program alone in its terminal, as `ssh -t host wheelhouse` starts it.
    pub fn start() -> Self {
        let program = env::current_exe().unwrap();
        Self::spawn(program.to_str().unwrap(), &["--exact", TEST, "--nocapture", "--test-threads=1"], &[(stage::LEADS, "1")])
    }

    /// The same, listening to the mouse.
    pub fn start_with_mouse() -> Self {
        let program = env::current_exe().unwrap();
        let arguments = ["--exact", TEST, "--nocapture", "--test-threads=1"];
        Self::spawn(program.to_str().unwrap(), &arguments, &[(stage::LEADS, "1"), (stage::MOUSE, "1")])
    }

    /// Started by a shell with job control; `$P` is the program.
    pub fn start_in_shell(script: &str) -> Self {
        let program = env::current_exe().unwrap();
        let script = script.replace("$P", &format!("'{}' --exact {TEST} --nocapture --test-threads=1", program.display()));
        Self::spawn("bash", &["--norc", "-mc", &script], &[])
    }

    /// The cockpit itself on its demo; `town` is made where it is not there yet.
    pub fn start_demo(town: &Path) -> Self {
        Self::spawn(DEMO, &["demo", "--demo-dir", town.to_str().unwrap()], &[("HOME", home(town))])
    }

    /// The same from a shell with job control; `$P` is the cockpit on its demo.
    pub fn start_demo_in_shell(script: &str, town: &Path) -> Self {
        let script = script.replace("$P", &format!("'{DEMO}' demo --demo-dir '{}'", town.display()));
        Self::spawn("bash", &["--norc", "-mc", &script], &[("HOME", home(town))])
    }

    fn spawn(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let socket = directory.path().join("stage");
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let settings_before = format!("{:?}", pair.master.get_termios());
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env(stage::SOCKET, &socket);
        for (name, value) in variables {
            command.env(name, value);
        }
        command.env("RUST_BACKTRACE", "0");
        command.env("TERM", "xterm-256color");
        let listener = UnixListener::bind(&socket).unwrap();
        let mut child = pair.slave.spawn_command(command).unwrap();
        let slave = pair.slave;
        let pid = Pid::from_raw(i32::try_from(child.process_id().unwrap()).unwrap()).unwrap();
        // A hand-over without room: while the test does not look, nobody reads the terminal.
        let (output, seen) = sync_channel(0);
        let mut reader = pair.master.try_clone_reader().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if output.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let (ended, end) = sync_channel(1);
        thread::spawn(move || {
            let status = child.wait().unwrap();
            // Held until now: a reader must not learn of the last close before it has the last bytes.
            drop(slave);
            ended.send(status.exit_code())
        });
        Self {
            terminal: vt100::Parser::new(24, 80, 0),
            bytes: Vec::new(),
            keyboard: Some(pair.master.take_writer().unwrap()),
            master: Some(pair.master),
            output: seen,
            end,
            pid,
            settings_before,
            listener: Some(listener),
            _directory: directory,
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal.screen_mut().set_size(rows, columns);
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    /// Seconds of processor time so far; `None` once it has ended.
    pub fn processor_time(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.pid.as_raw_nonzero())).ok()?;
        // Behind the name, which may hold anything, user and system time are the twelfth and thirteenth.
        let ticks = status.rsplit_once(')')?.1.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        // A hundred ticks a second, on every Linux.
        ticks.sum::<Result<f64, _>>().ok().map(|ticks| ticks / 100.0)
    }

    /// Looks on until the screen shows the text.
    pub fn see(&mut self, text: &str) {
        self.see_that(text, |screen| screen.contents().contains(text));
    }

    pub fn see_that(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        while !holds(self.terminal.screen()) {
            match self.output.recv_timeout(LIMIT) {
                Ok(bytes) => self.take(&bytes),
                Err(why) => panic!("{why:?} while waiting for {what:?} on\n{}", self.terminal.screen().contents()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.terminal.process(bytes);
    }

    /// Waits for the program to call the test.
    pub fn connection(&self) -> UnixStream {
        self.listener.as_ref().unwrap().accept().unwrap().0
    }

    /// Closes the terminal, as a dropped connection does.
    pub fn close(&mut self) {
        // Something to read, so that the reader wakes and lets go of its own copy.
        self.press("j");
        self.keyboard = None;
        self.master = None;
        let (_, nothing) = sync_channel(0);
        self.output = nothing;
    }

    /// Waits for the end without reading what is written meanwhile.
    pub fn end_unread(&mut self) -> u32 {
        self.listener = None;
        self.end.recv_timeout(LIMIT).expect("the program does not end")
    }

    /// Reads to the end and tells the exit code.
    pub fn end(&mut self) -> u32 {
        while self.count(stage::OVER) == 0 {
            match self.output.recv_timeout(LIMIT) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program does not end:\n{}", self.terminal.screen().contents()),
            }
        }
        self.end_unread()
    }

    pub fn contents(&self) -> String {
        self.terminal.screen().contents()
    }

    pub fn count(&self, sequence: &str) -> usize {
        self.bytes.windows(sequence.len()).filter(|window| *window == sequence.as_bytes()).count()
    }

    /// Asserts that the terminal is as it was before the program.
    pub fn is_given_back(&self) {
        let screen = self.terminal.screen();
        let last = self.bytes.get(self.bytes.len().saturating_sub(200)..).unwrap_or_default().escape_ascii();
        assert!(!screen.alternate_screen(), "still on the alternate screen after {last}");
        assert!(!screen.hide_cursor(), "no cursor");
        assert!(!screen.bracketed_paste(), "pastes still marked");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse still taken");
        assert_eq!(screen.mouse_protocol_encoding(), vt100::MouseProtocolEncoding::Default);
        let settings = self.master.as_ref().map(|master| format!("{:?}", master.get_termios()));
        assert_eq!(settings.as_ref(), Some(&self.settings_before));
        assert_eq!(self.count("\x1b[?2026h"), self.count("\x1b[?2026l"), "an update left open");
    }
}

/// The folder that a town stands in.
fn home(town: &Path) -> &str {
    town.parent().and_then(Path::to_str).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
