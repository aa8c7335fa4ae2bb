//! A small program on the real terminal loop: the suite starts itself again with it, in a terminal of its own.

use std::{
    env,
    io::{self, Read, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{buffer::Buffer, style::Style, text::Line};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wheelhouse::ui::{
    terminal::{Drawn, Input, Program, Sender, Settings, Wish, mailbox, run},
    theme::Depth,
};

/// Set for the process that is the program; its value is a socket that the test listens on.
pub const SOCKET: &str = "WHEELHOUSE_STAGE_SOCKET";
/// Set where the program is to listen to the mouse.
pub const MOUSE: &str = "WHEELHOUSE_STAGE_MOUSE";

/// Set where the program is its session's leader.
pub const LEADS: &str = "WHEELHOUSE_STAGE_LEADS";
/// The last that such a program writes; a terminal shows nothing of it.
pub const OVER: &str = "\x1b]777;over\x07";

enum Told {
    EffectEnded,
}

struct Stage {
    said: Vec<String>,
    typed: usize,
    draws: usize,
    wishes: Vec<Wish>,
    is_dirty: bool,
    is_in_flight: bool,
    is_leaving: bool,
    floods: Option<Flood>,
    wakes_at: Option<Instant>,
    sender: Option<Sender<Told>>,
}

/// Writes as fast as the terminal takes it.
struct Flood {
    since: Instant,
    since_draw: usize,
    has_told: bool,
}

impl Stage {
    fn new(sender: Option<Sender<Told>>) -> Self {
        Self {
            said: vec!["ready".into()],
            typed: 0,
            draws: 0,
            wishes: Vec::new(),
            is_dirty: true,
            is_in_flight: false,
            is_leaving: false,
            floods: None,
            wakes_at: None,
            sender,
        }
    }

    fn say(&mut self, said: String) {
        self.said.push(said);
        self.is_dirty = true;
    }

    fn key(&mut self, event: KeyEvent) {
        self.typed += 1;
        self.is_dirty = true;
        match (event.code, event.modifiers) {
            (KeyCode::Char('z'), KeyModifiers::CONTROL) => self.wishes.push(Wish::Suspend),
            (KeyCode::Char('q'), _) => self.wishes.push(Wish::Quit),
            (KeyCode::Char('c'), _) => self.wishes.push(Wish::Copy("copied".into())),
            (KeyCode::Char('p'), _) => panic!("planned in the loop"),
            (KeyCode::Char('t'), _) => {
                thread::spawn(|| panic!("planned in a thread"));
            }
            (KeyCode::Char('e'), _) => self.begin_effect(),
            (KeyCode::Char('f'), _) => self.floods = Some(Flood { since: Instant::now(), since_draw: 0, has_told: false }),
            (KeyCode::Char('w'), _) => self.wakes_at = Some(Instant::now() + Duration::from_millis(30)),
            (KeyCode::Esc, _) => self.say("escape".into()),
            _ => {}
        }
    }

    /// Lasts until the test closes the connection.
    fn begin_effect(&mut self) {
        let mut connection = connect();
        let sender = self.sender.clone().unwrap();
        self.is_in_flight = true;
        self.say("in flight".into());
        thread::spawn(move || {
            let _ = connection.read(&mut [0]);
            let _ = sender.send(Told::EffectEnded);
        });
    }
}

/// With its leader a session ends, and the kernel throws away what it wrote and nobody has read yet.
fn stay_until_read() {
    let mut screen = io::stdout();
    let has_room = matches!(poll(&mut [PollFd::new(&screen.as_fd(), PollFlags::OUT)], Some(&Timespec::default())), Ok(1..));
    if env::var_os(LEADS).is_some()
        && has_room
        && screen.write_all(OVER.as_bytes()).and_then(|()| screen.flush()).is_ok()
        && let Ok(mut test) = UnixStream::connect(env::var(SOCKET).unwrap())
    {
        let _ = test.read(&mut [0]);
    }
}

fn connect() -> UnixStream {
    UnixStream::connect(env::var(SOCKET).unwrap()).unwrap()
}

impl Program for Stage {
    type Event = Told;

    fn input(&mut self, input: Input) {
        match input {
            Input::Key(event) => self.key(event),
            Input::Mouse(event) => self.say(format!("{:?} {} {}", event.kind, event.column, event.row)),
            Input::Paste(text) => self.say(format!("pasted {text}")),
            Input::Resize { columns, rows } => self.say(format!("size {columns}x{rows}")),
            Input::Resumed => self.say("resumed".into()),
            Input::Background(background) => self.say(format!("{background:?}")),
            Input::Leave(_) => {
                self.is_leaving = true;
                if self.is_in_flight {
                    self.say("finishing".into());
                } else {
                    self.wishes.push(Wish::Quit);
                }
            }
        }
    }

    fn event(&mut self, event: Told) {
        match event {
            Told::EffectEnded => {
                self.is_in_flight = false;
                self.say("effect ended".into());
                if self.is_leaving {
                    self.wishes.push(Wish::Quit);
                }
            }
        }
    }

    fn woke(&mut self, now: Instant) {
        if self.wakes_at.take_if(|at| *at <= now).is_some() {
            self.say("woke".into());
        }
        if let Some(flood) = &mut self.floods {
            self.is_dirty = true;
            flood.since_draw += 1;
            if flood.since_draw > 1000 && !flood.has_told {
                flood.has_told = true;
                drop(connect());
            }
        }
    }

    fn draw(&mut self, screen: &mut Buffer) -> Drawn {
        self.is_dirty = false;
        self.draws += 1;
        let area = screen.area;
        let lines = [format!("typed {} draws {}", self.typed, self.draws)];
        let said = self.said.iter().rev().take(6).cloned();
        for (y, line) in (0..area.height).zip(lines.into_iter().chain(said)) {
            screen.set_line(0, y, &Line::from(line), area.width);
        }
        if let Some(flood) = &mut self.floods {
            flood.since_draw = 0;
            let letter = if self.draws.is_multiple_of(2) { "#" } else { "%" };
            for y in 8..area.height {
                screen.set_string(0, y, letter.repeat(usize::from(area.width)), Style::new());
            }
        }
        Drawn::Whole
    }

    fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    fn next_wake(&self) -> Option<Instant> {
        // Never in the past, as whoever reckons by another clock than this says it.
        self.floods.as_ref().map(|flood| flood.since).or(self.wakes_at.map(|at| at.max(Instant::now())))
    }

    fn wish(&mut self) -> Option<Wish> {
        (!self.wishes.is_empty()).then(|| self.wishes.remove(0))
    }
}

#[test]
#[expect(clippy::exit, reason = "as the program does at its end, and the harness must not report on our screen")]
fn the_program_says_what_it_was_told() {
    if env::var_os(SOCKET).is_some() {
        let (sender, mailbox) = mailbox(16).unwrap();
        let mouse = env::var_os(MOUSE).is_some();
        let settings = Settings { grace: Duration::from_secs(20), mouse, ..Settings::new(Depth::Full) };
        let ended = run(&mut Stage::new(Some(sender)), &mailbox, &settings).unwrap();
        stay_until_read();
        std::process::exit(i32::from(ended.exit_code()));
    }
    let mut stage = Stage::new(None);
    stage.input(Input::Paste("text".into()));
    let lines = Buffer::with_lines(["typed 0 draws 1     ", "pasted text         ", "ready               "]);
    let mut screen = Buffer::empty(lines.area);
    assert_eq!((stage.draw(&mut screen), screen), (Drawn::Whole, lines));
}
