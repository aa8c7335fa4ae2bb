//! The terminal's life: taken over once, drawn on in whole frames, given back once, whatever happens.
//!
//! One thread waits for everything (keys, signals, the engine's events, room in the terminal, a hang-up), so that a key
//! is answered without a hand-over between threads and a terminal that nobody reads stops nothing but the drawing.

mod canvas;
mod clipboard;
mod encoder;
mod guard;
mod keys;
mod life;
mod mailbox;
mod pointer;
mod program;
mod run;
mod signals;

pub use self::{
    canvas::Canvas,
    clipboard::LONGEST_COPY,
    encoder::Encoder,
    keys::KeyReader,
    mailbox::{Closed, Mailbox, Sender, mailbox},
    program::{Drawn, Ended, Input, Program, Reason, Wish},
    run::{Settings, run},
};
