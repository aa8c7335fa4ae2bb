//! A person at a terminal: runs the program in a pseudo-terminal, types keys, reads the screen.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The longest that anything may take before a test says what it saw instead.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A letter right behind Esc is Alt with that letter: hands are slower than that, and so are these keys.
const AFTER_ESCAPE: Duration = Duration::from_millis(100);

struct Screen {
    parser: vt100::Parser,
    closed: bool,
}

/// The program under test and its screen.
pub struct Terminal {
    screen: Arc<(Mutex<Screen>, Condvar)>,
    writer: Box<dyn std::io::Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Starts the program with a clean environment: a home of its own, nothing of the machine's configuration.
    pub fn start(arguments: &[&str], home: &Path, columns: u16, rows: u16) -> Self {
        Self::start_with(arguments, home, columns, rows, &[])
    }

    pub fn start_with(arguments: &[&str], home: &Path, columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("PATH", "/usr/bin:/bin"), ("USER", "op")] {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.env("TMPDIR", home);
        for (name, value) in variables {
            command.env(name, value);
        }
        command.cwd(home);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let screen =
            Arc::new((Mutex::new(Screen { parser: vt100::Parser::new(rows, columns, 0), closed: false }), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            loop {
                let count = reader.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*shared;
                let mut screen = lock.lock().expect("no reader panicked");
                if count == 0 {
                    screen.closed = true;
                } else {
                    screen.parser.process(&buffer[..count]);
                }
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self { screen, writer, master: pair.master, child }
    }

    pub fn text(&self) -> String {
        self.screen.0.lock().expect("no reader panicked").parser.screen().contents()
    }

    /// Waits until the screen fulfils `wanted`; fails with the screen as it is.
    pub fn until(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        let (lock, changed) = &*self.screen;
        let mut screen = lock.lock().expect("no reader panicked");
        while !wanted(screen.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !screen.closed,
                "never came: {what}\n--- the screen{}:\n{}",
                if screen.closed { " (the program has ended)" } else { "" },
                screen.parser.screen().contents()
            );
            screen = changed.wait_timeout(screen, left).expect("no reader panicked").0;
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// Types keys separated by commas: single characters, `Enter`, `Ctrl-x`, `text:words`.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split(',').filter(|key| !key.is_empty()) {
            self.send(&bytes_of(key));
            if key == "Esc" {
                std::thread::park_timeout(AFTER_ESCAPE);
            }
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.0.lock().expect("no reader panicked").parser.screen_mut().set_size(rows, columns);
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).expect("a resize");
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process id")
    }

    /// Waits for the program to end by itself; its exit status.
    pub fn ended(&mut self) -> portable_pty::ExitStatus {
        let end = Instant::now() + PATIENCE;
        let (lock, changed) = &*self.screen;
        let mut screen = lock.lock().expect("no reader panicked");
        while !screen.closed {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it did not end; the screen:\n{}", screen.parser.screen().contents());
            screen = changed.wait_timeout(screen, left).expect("no reader panicked").0;
        }
        drop(screen);
        self.child.wait().expect("an exit status")
    }

    /// Kill -9. The library's own `kill` hangs up first, and gives time to end well.
    pub fn kill(&mut self) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("a kill");
        self.child.wait().expect("an exit status");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bytes_of(key: &str) -> Vec<u8> {
    match key {
        "Enter" => b"\r".to_vec(),
        "Esc" => b"\x1b".to_vec(),
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
        _ => match (key.strip_prefix("text:"), key.strip_prefix("Ctrl-")) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (_, Some(letter)) if letter.len() == 1 => vec![letter.to_ascii_uppercase().as_bytes()[0] & 0x1f],
            _ => key.as_bytes().to_vec(),
        },
    }
}
