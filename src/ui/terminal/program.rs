//! What the terminal runs: input and events go in, frames and wishes come out.

use std::time::Instant;

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::buffer::Buffer;

use crate::ui::theme::Background;

/// What the operator, or the world around the terminal, did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(KeyEvent),
    /// A press or the wheel; only where [`Settings::mouse`](super::Settings) asked for it.
    Mouse(MouseEvent),
    /// Text that the terminal marked as pasted, lines ended by `\n`.
    Paste(String),
    Resize {
        columns: u16,
        rows: u16,
    },
    /// The program is told to end. It may finish what it must and then wishes [`Wish::Quit`]; it is ended
    /// anyway when the grace of [`Settings`](super::Settings) is over, or when it is told again.
    Leave(Reason),
    /// Back from a suspension; clocks have moved on.
    Resumed,
    /// The terminal's answer about its background, if it was asked.
    Background(Background),
}

/// Why the program must leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// SIGTERM, SIGINT or another signal that asks for an end.
    Signal(i32),
    /// The terminal is gone. Nothing is drawn from here on.
    HangUp,
}

/// What a program wants of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Quit,
    /// Back to the shell, until the shell brings the program forward again.
    Suspend,
    /// Text for the operator's own clipboard, by way of the terminal.
    Copy(String),
    /// Paint every cell anew.
    Repaint,
    Bell,
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Quit,
    Left(Reason),
    /// A thread panicked. The report stands on the restored screen.
    Panicked,
}

impl Ended {
    /// The exit code that shells and supervisors expect.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Left(Reason::HangUp) => 129,
            Self::Left(Reason::Signal(number)) => 128u8.wrapping_add(number as u8),
            Self::Panicked => 101,
        }
    }
}

/// What a frame shows otherwise than the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// The whole screen was drawn.
    Whole,
    /// Each stands in place of what was there.
    Parts(Vec<Buffer>),
}

/// A full-screen program. No method may wait for anything.
pub trait Program {
    /// What others tell the program by way of its [`Sender`](super::Sender).
    type Event: Send + 'static;

    fn input(&mut self, input: Input);

    fn event(&mut self, event: Self::Event);

    /// The moment of [`Program::next_wake`] has come.
    fn woke(&mut self, _now: Instant) {}

    /// Draws on a blank screen, or hands over the parts that differ from the last frame; after [`Input::Resize`] it must
    /// be all of it.
    fn draw(&mut self, screen: &mut Buffer) -> Drawn;

    /// Whether a frame drawn now would differ from the last one.
    fn is_dirty(&self) -> bool;

    /// The next moment at which time alone changes something that is shown; none means that nothing does.
    fn next_wake(&self) -> Option<Instant>;

    /// Taken one by one after every round until there is none.
    fn wish(&mut self) -> Option<Wish>;

    /// The first frame is on its way to the glass: what is slow may start now.
    fn begun(&mut self) {}
}
