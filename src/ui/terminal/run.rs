//! The loop: waits for everything at once, takes all that is there, then draws one frame if anything changed.

use std::{
    io,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Signal, kill_current_process_group},
};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGWINCH};

use super::{
    canvas::Canvas,
    clipboard,
    guard::Guard,
    keys::KeyReader,
    life::{self, Screen},
    mailbox::Mailbox,
    program::{Ended, Input, Program, Reason, Wish},
    signals::Signals,
};
use crate::ui::theme::Depth;

/// How long a lone Escape waits for what would make it another key.
const ESCAPE_WAIT: Duration = Duration::from_millis(25);
/// How long input is gathered before a frame is due anyway.
const LONGEST_ROUND: Duration = Duration::from_millis(12);
/// How long a suspended group has to stop before it turns out that nobody is there to continue it.
const STOP_WAIT: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub depth: Depth,
    /// Ask the terminal for its background, after the first frame.
    pub asks_background: bool,
    pub is_in_tmux: bool,
    /// Listen to the mouse; selecting text is then the terminal's only with Shift.
    pub mouse: bool,
    /// How long a program that must leave may finish what it has begun.
    pub grace: Duration,
}

impl Settings {
    /// Asks nothing and leaves time for one effect to end.
    pub const fn new(depth: Depth) -> Self {
        Self { depth, asks_background: false, is_in_tmux: false, mouse: false, grace: Duration::from_secs(25) }
    }
}

/// Runs a program on the terminal until it wishes to quit or has to.
///
/// # Errors
/// When there is no terminal, or it cannot be set.
pub fn run<P: Program>(program: &mut P, mailbox: &Mailbox<P::Event>, settings: &Settings) -> io::Result<Ended> {
    let signals = Signals::listen()?;
    let screen = Screen::take_over(mailbox.bell(), settings.mouse)?;
    let mut round = Loop::begin(program, mailbox, settings, signals, screen);
    round.show();
    round.program.begun();
    if settings.asks_background {
        round.waiting.extend_from_slice(b"\x1b]11;?\x07");
    }
    // Only now: the first frame waits for nothing.
    let _guard = Guard::watch(round.screen.keyboard().try_clone()?, settings.grace + Duration::from_secs(5))?;
    loop {
        // What the terminal did to the last frame may have ended it.
        let ended = match round.settle()? {
            None => {
                round.show();
                round.turn()?
            }
            over => over,
        };
        if let Some(ended) = ended {
            round.write();
            return Ok(ended);
        }
    }
}

struct Loop<'a, P: Program> {
    program: &'a mut P,
    mailbox: &'a Mailbox<P::Event>,
    settings: &'a Settings,
    signals: Signals,
    screen: Screen,
    canvas: Canvas,
    keys: KeyReader,
    /// What the terminal has not taken yet.
    waiting: Vec<u8>,
    is_frame_waiting: bool,
    undecided_since: Option<Instant>,
    leaving: Option<(Reason, Instant)>,
    is_gone: bool,
    is_changed: bool,
    ended: Option<Ended>,
}

/// What there is to do.
#[derive(Default)]
struct Ready {
    keyboard: bool,
    signals: bool,
    mailbox: bool,
    hung_up: bool,
}

impl Ready {
    const fn is_nothing(&self) -> bool {
        !self.keyboard && !self.signals && !self.mailbox && !self.hung_up
    }
}

impl<'a, P: Program> Loop<'a, P> {
    fn begin(
        program: &'a mut P,
        mailbox: &'a Mailbox<P::Event>,
        settings: &'a Settings,
        signals: Signals,
        screen: Screen,
    ) -> Self {
        let canvas = Canvas::new(screen.size(), settings.depth);
        Self {
            program,
            mailbox,
            settings,
            signals,
            waiting: screen.greeting().into_bytes(),
            is_frame_waiting: false,
            screen,
            canvas,
            keys: KeyReader::default(),
            undecided_since: None,
            leaving: None,
            is_gone: false,
            is_changed: true,
            ended: None,
        }
    }

    /// Waits, takes everything that is there, shows what changed.
    fn turn(&mut self) -> io::Result<Option<Ended>> {
        let mut ready = self.wait(self.deadline())?;
        let began = Instant::now();
        loop {
            self.take(&ready);
            ready = self.wait(Some(Instant::now()))?;
            if ready.is_nothing() || began.elapsed() > LONGEST_ROUND {
                break;
            }
        }
        let ended = self.settle()?;
        if ended.is_none() {
            self.show();
        }
        Ok(ended)
    }

    /// Fulfils what the program wishes and says whether it is over.
    fn settle(&mut self) -> io::Result<Option<Ended>> {
        self.fulfil()?;
        Ok(if life::is_panicked() { Some(Ended::Panicked) } else { self.ended })
    }

    fn deadline(&self) -> Option<Instant> {
        let undecided = self.undecided_since.map(|since| since + ESCAPE_WAIT);
        let leaving = self.leaving.map(|(_, until)| until);
        [self.program.next_wake(), undecided, leaving].into_iter().flatten().min()
    }

    fn wait(&self, until: Option<Instant>) -> io::Result<Ready> {
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|left| Timespec::try_from(left).ok());
        let keyboard = self.screen.keyboard().as_fd();
        let (signals, mailbox) = (self.signals.waker(), self.mailbox.waker());
        let mut watched = vec![PollFd::new(&signals, PollFlags::IN), PollFd::new(&mailbox, PollFlags::IN)];
        if !self.is_gone {
            watched.push(PollFd::new(&keyboard, PollFlags::IN));
            if !self.waiting.is_empty() {
                watched.push(PollFd::new(self.screen.glass(), PollFlags::OUT));
            }
        }
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let seen = |index: usize| watched.get(index).map_or(PollFlags::empty(), PollFd::revents);
        Ok(Ready {
            signals: !seen(0).is_empty(),
            mailbox: !seen(1).is_empty(),
            keyboard: seen(2).contains(PollFlags::IN),
            hung_up: seen(2).intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
        })
    }

    fn take(&mut self, ready: &Ready) {
        if ready.signals {
            for signal in self.signals.take() {
                self.signal(signal);
            }
        }
        if ready.keyboard && !ready.hung_up {
            self.read_keys();
        }
        if ready.hung_up {
            self.hang_up();
        }
        if ready.mailbox {
            self.mailbox.silence();
            while let Some(event) = self.mailbox.take() {
                self.program.event(event);
            }
        }
        self.look_at_the_clock();
    }

    fn signal(&mut self, signal: i32) {
        match signal {
            SIGWINCH => self.resize(),
            SIGCONT => self.come_back(),
            // The terminal may be going; whether it is gone, poll says.
            SIGHUP => self.leave(Reason::HangUp),
            _ => self.leave(Reason::Signal(signal)),
        }
    }

    fn read_keys(&mut self) {
        let mut bytes = [0; 4096];
        match rustix::io::read(self.screen.keyboard(), &mut bytes) {
            Ok(0) => self.hang_up(),
            Ok(count) => {
                let inputs = self.keys.feed(bytes.get(..count).unwrap_or_default());
                self.undecided_since = self.keys.is_undecided().then(Instant::now);
                // A terminal that reports what nobody asked for is not heard.
                for input in inputs.into_iter().filter(|input| self.settings.mouse || !matches!(input, Input::Mouse(_))) {
                    self.program.input(input);
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.hang_up(),
        }
    }

    fn look_at_the_clock(&mut self) {
        let wake = self.program.next_wake();
        let now = Instant::now();
        if self.undecided_since.is_some_and(|since| now >= since + ESCAPE_WAIT) {
            self.undecided_since = None;
            for input in self.keys.decide() {
                self.program.input(input);
            }
        }
        if wake.is_some_and(|wake| now >= wake) {
            self.program.woke(now);
        }
        if let Some((reason, until)) = self.leaving
            && now >= until
        {
            self.ended = Some(Ended::Left(reason));
        }
    }

    fn hang_up(&mut self) {
        if !self.is_gone {
            self.is_gone = true;
            self.waiting.clear();
            self.leave(Reason::HangUp);
        }
    }

    /// Tells the program once; told again by a signal, it is over.
    fn leave(&mut self, reason: Reason) {
        match (self.leaving, reason) {
            (None, _) => {
                self.leaving = Some((reason, Instant::now() + self.settings.grace));
                self.program.input(Input::Leave(reason));
            }
            // A hang-up is told by signal and by poll: that is one and the same.
            (Some(_), Reason::HangUp) => {}
            (Some((first, _)), Reason::Signal(_)) => self.ended = Some(Ended::Left(first)),
        }
    }

    fn fulfil(&mut self) -> io::Result<()> {
        while let Some(wish) = self.program.wish() {
            match wish {
                Wish::Quit => {
                    self.ended = Some(self.leaving.map_or(Ended::Quit, |(reason, _)| Ended::Left(reason)));
                    return Ok(());
                }
                Wish::Suspend => self.suspend()?,
                Wish::Repaint => self.repaint(),
                Wish::Copy(text) => {
                    if let Some(sequence) = clipboard::sequence(&text, self.settings.is_in_tmux) {
                        self.waiting.extend_from_slice(sequence.as_bytes());
                    }
                }
                Wish::Bell => self.waiting.push(7),
            }
        }
        Ok(())
    }

    /// Stops the whole job, as Ctrl-Z does outside raw mode, and comes back when the shell says so.
    fn suspend(&mut self) -> io::Result<()> {
        if self.is_gone || self.leaving.is_some() {
            return Ok(());
        }
        life::lend();
        let _ = kill_current_process_group(Signal::TSTP);
        let stopped = Instant::now() + STOP_WAIT;
        let mut others = Vec::new();
        let is_continued = loop {
            let ready = self.wait_for_signals(stopped)?;
            if !ready {
                break false;
            }
            let seen = self.signals.take();
            others.extend(seen.iter().copied().filter(|signal| ![SIGCONT, SIGWINCH].contains(signal)));
            if seen.contains(&SIGCONT) {
                break true;
            }
        };
        self.come_back();
        if is_continued {
            self.program.input(Input::Resumed);
        }
        for signal in others {
            self.signal(signal);
        }
        Ok(())
    }

    fn wait_for_signals(&self, until: Instant) -> io::Result<bool> {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let signals = self.signals.waker();
        match poll(&mut [PollFd::new(&signals, PollFlags::IN)], Some(&timeout)) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn come_back(&mut self) {
        if self.is_gone {
            return;
        }
        if self.screen.retake().is_err() {
            // A hang-up is told by SIGHUP and SIGCONT together, before poll says it.
            self.lose();
            return;
        }
        self.waiting.clear();
        self.waiting.extend_from_slice(self.screen.greeting().as_bytes());
        self.is_frame_waiting = false;
        self.resize();
        self.repaint();
    }

    /// The terminal refuses us: it is gone, or a panic gave it back and its report is being written.
    fn lose(&mut self) {
        if life::is_given_back() {
            self.waiting.clear();
        } else {
            self.hang_up();
        }
    }

    fn resize(&mut self) {
        let size = self.screen.size();
        self.canvas.resize(size);
        self.is_changed = true;
        self.program.input(Input::Resize { columns: size.width, rows: size.height });
    }

    fn repaint(&mut self) {
        self.canvas.clear();
        self.is_changed = true;
    }

    /// Draws when something changed and the last frame is out, and writes what the terminal takes.
    fn show(&mut self) {
        if !self.is_gone && !self.is_frame_waiting && (self.is_changed || self.program.is_dirty()) {
            self.is_changed = false;
            let program = &mut *self.program;
            if let Some(frame) = self.canvas.frame(|screen| program.draw(screen)) {
                self.waiting.extend_from_slice(frame.as_bytes());
                self.is_frame_waiting = true;
            }
        }
        self.write();
    }

    fn write(&mut self) {
        while !self.is_gone && !self.waiting.is_empty() {
            match self.screen.write(&self.waiting) {
                Ok(0) => return,
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(_) => self.lose(),
            }
        }
        self.is_frame_waiting = false;
    }
}
