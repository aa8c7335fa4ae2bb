//! A person at a terminal: runs the program in a pseudo-terminal, types keys, looks at every frame that it draws.
//!
//! Nothing is missed and nothing half drawn is seen: each whole frame is kept until the next keys are typed, however
//! busy the machine is and however short it stood.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, mpsc},
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// The longest that anything may take before a test says what it saw instead: a busy machine is no failure.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The frames since the last keys, the one that stood then first.
#[derive(Default)]
struct Film {
    frames: Vec<String>,
    is_drawing: bool,
}

impl Film {
    fn keep(&mut self, frame: String) {
        if self.frames.last() != Some(&frame) {
            self.frames.push(frame);
        }
    }
}

impl vt100::Callbacks for Film {
    /// A frame stands between these two: what the screen shows meanwhile nobody sees.
    fn unhandled_csi(&mut self, screen: &mut vt100::Screen, first: Option<u8>, _: Option<u8>, words: &[&[u16]], last: char) {
        if first == Some(b'?') && words == [&[2026]] {
            self.is_drawing = last == 'h';
            if !self.is_drawing {
                self.keep(screen.contents());
            }
        }
    }
}

struct Screen {
    parser: vt100::Parser<Film>,
    /// All that was written since the last keys.
    bytes: Vec<u8>,
    is_closed: bool,
}

impl Screen {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Small frames have no marks: what stood before each sequence may have been the whole of one.
        let mut rest = bytes;
        while !rest.is_empty() {
            self.keep();
            let next = rest.iter().skip(1).position(|byte| *byte == 0x1b).map_or(rest.len(), |at| at + 1);
            let (sequence, behind) = rest.split_at(next);
            self.parser.process(sequence);
            rest = behind;
        }
        self.keep();
    }

    fn keep(&mut self) {
        if !self.parser.callbacks().is_drawing {
            let frame = self.parser.screen().contents();
            self.parser.callbacks_mut().keep(frame);
        }
    }

    fn frames(&self) -> &[String] {
        &self.parser.callbacks().frames
    }

    fn latest(&self) -> &str {
        self.frames().last().map_or("", String::as_str)
    }
}

/// The program under test and its screen.
pub struct Terminal {
    screen: Arc<(Mutex<Screen>, Condvar)>,
    writer: Box<dyn std::io::Write + Send>,
    master: Box<dyn MasterPty + Send>,
    pid: Pid,
    end: mpsc::Receiver<ExitStatus>,
    has_ended: bool,
}

impl Terminal {
    /// Starts the program with a clean environment: a home of its own, nothing of the machine's configuration.
    pub fn start(arguments: &[&str], home: &Path, columns: u16, rows: u16) -> Self {
        Self::start_with(arguments, &[], home, columns, rows)
    }

    /// The same, with some variables set.
    pub fn start_with(arguments: &[&str], environment: &[(String, String)], home: &Path, columns: u16, rows: u16) -> Self {
        Self::run(env!("CARGO_BIN_EXE_wheelhouse"), arguments, environment, home, columns, rows)
    }

    /// Starts it from a shell with job control; `$P` is the program.
    pub fn start_in_shell(script: &str, home: &Path, columns: u16, rows: u16) -> Self {
        let script = script.replace("$P", &format!("'{}'", env!("CARGO_BIN_EXE_wheelhouse")));
        Self::run("bash", &["--norc", "-mc", &script], &[], home, columns, rows)
    }

    fn run(program: &str, arguments: &[&str], environment: &[(String, String)], home: &Path, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("PATH", "/usr/bin:/bin"), ("USER", "op")] {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.env("TMPDIR", home);
        command.cwd(home);
        let mut child = pair.slave.spawn_command(command).expect("the program starts");
        let pid = i32::try_from(child.process_id().expect("a process id")).ok().and_then(Pid::from_raw).expect("a process id");
        let parser = vt100::Parser::new_with_callbacks(rows, columns, 0, Film::default());
        let screen = Arc::new((Mutex::new(Screen { parser, bytes: Vec::new(), is_closed: false }), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            loop {
                let count = reader.read(&mut buffer).unwrap_or(0);
                let mut screen = shared.0.lock().expect("no reader panicked");
                screen.is_closed = count == 0;
                screen.take(&buffer[..count]);
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let slave = pair.slave;
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let status = child.wait().expect("an exit status");
            // Held until now: a reader must not learn of the last close before it has the last bytes.
            drop(slave);
            // A test that is over waits for no status.
            let _ = ended.send(status);
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self { screen, writer, master: pair.master, pid, end, has_ended: false }
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.0.lock().expect("no reader panicked")
    }

    /// The last whole frame.
    pub fn text(&self) -> String {
        self.screen().latest().to_owned()
    }

    /// What was written to the terminal since the last keys.
    pub fn bytes(&self) -> Vec<u8> {
        self.screen().bytes.clone()
    }

    /// From here on only what is drawn now, and after, counts.
    pub fn look_up(&self) {
        let mut screen = self.screen();
        screen.bytes.clear();
        let frames = &mut screen.parser.callbacks_mut().frames;
        frames.drain(..frames.len().saturating_sub(1));
    }

    /// Waits until one frame since then lacks nothing; fails with what the last one lacks.
    pub fn until(&self, at: &str, lacks: impl Fn(&str) -> Vec<String>) {
        let mut seen = 0;
        self.wait(|screen| {
            let missing = screen
                .frames()
                .iter()
                .skip(seen)
                .map(|frame| lacks(frame))
                .reduce(|known, new| if known.is_empty() { known } else { new });
            seen = screen.frames().len();
            match missing {
                None => Err(String::new()),
                Some(missing) if missing.is_empty() => Ok(()),
                Some(missing) => Err(missing.join("\n    and ")),
            }
        })
        .unwrap_or_else(|why| panic!("never came: {}\n--- {at}\n--- {why}", lacks(&self.text()).join("\n    and ")));
    }

    /// Waits until the screen as it is now is so.
    pub fn until_now(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        self.wait(|screen| if is_so(screen.latest()) { Ok(()) } else { Err(String::new()) })
            .unwrap_or_else(|why| panic!("never came: {what}\n--- {why}"));
    }

    fn wait(&self, mut look: impl FnMut(&Screen) -> Result<(), String>) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let mut screen = self.screen();
        while look(&screen).is_err() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || screen.is_closed {
                let ended = if screen.is_closed { " (the program has ended)" } else { "" };
                return Err(format!("the screen{ended}:\n{}", screen.latest()));
            }
            screen = self.screen.1.wait_timeout(screen, left).expect("no reader panicked").0;
        }
        Ok(())
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// The same, to a program that may have ended.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        !self.screen().is_closed && self.writer.write_all(bytes).and_then(|()| self.writer.flush()).is_ok()
    }

    /// Types keys separated by commas: single characters, `Enter`, `Ctrl-x`, `text:words`, `paste:words`.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split(',').filter(|key| !key.is_empty()) {
            self.send(&bytes_of(key));
        }
    }

    /// What stood before the resize counts no more.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        {
            let mut screen = self.screen();
            screen.parser.screen_mut().set_size(rows, columns);
            screen.parser.callbacks_mut().frames.clear();
        }
        self.master.resize(size(columns, rows)).expect("a resize");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("a signal");
    }

    /// Waits for the program to end by itself; its exit status, once all that it wrote is here.
    pub fn ended(&mut self) -> ExitStatus {
        let status = self.end.recv_timeout(PATIENCE);
        let status = status.unwrap_or_else(|why| panic!("it did not end ({why}); the screen:\n{}", self.text()));
        self.has_ended = true;
        let end = Instant::now() + PATIENCE;
        let mut screen = self.screen();
        while !screen.is_closed {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "its terminal stays open; the screen:\n{}", screen.latest());
            screen = self.screen.1.wait_timeout(screen, left).expect("no reader panicked").0;
        }
        drop(screen);
        status
    }

    /// Kill -9. The library's own `kill` hangs up first, and gives time to end well.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.has_ended {
            // Already gone is fine.
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.end.recv_timeout(PATIENCE);
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn bytes_of(key: &str) -> Vec<u8> {
    match key {
        "Enter" => b"\r".to_vec(),
        // As terminals with the newer protocol tell it. A lone escape is one only when nothing follows for a while, and
        // on a busy machine the next key always follows; tests/suite/terminal types the lone one.
        "Esc" => b"\x1b[27u".to_vec(),
        "Tab" => b"\t".to_vec(),
        "BackTab" => b"\x1b[Z".to_vec(),
        "Space" => b" ".to_vec(),
        "Backspace" => b"\x7f".to_vec(),
        "Up" => b"\x1b[A".to_vec(),
        "Down" => b"\x1b[B".to_vec(),
        "Right" => b"\x1b[C".to_vec(),
        "Left" => b"\x1b[D".to_vec(),
        "Home" => b"\x1b[H".to_vec(),
        "End" => b"\x1b[F".to_vec(),
        "PgUp" => b"\x1b[5~".to_vec(),
        "PgDn" => b"\x1b[6~".to_vec(),
        "Comma" => b",".to_vec(),
        _ => match (key.strip_prefix("text:"), key.strip_prefix("paste:"), key.strip_prefix("Ctrl-")) {
            (Some(text), ..) => text.as_bytes().to_vec(),
            (_, Some(text), _) => format!("\x1b[200~{text}\x1b[201~").into_bytes(),
            (_, _, Some(letter)) if letter.len() == 1 => vec![letter.to_ascii_uppercase().as_bytes()[0] & 0x1f],
            _ => key.as_bytes().to_vec(),
        },
    }
}
