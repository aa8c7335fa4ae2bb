//! What enters the model and what leaves it.

use crossterm::event::{KeyEvent, MouseEvent};

use crate::engine::message::{Event, Request};

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once, from the channel into update; never kept")]
pub enum Msg {
    Key(KeyEvent),
    /// A press or the wheel, where the operator wanted a mouse. It selects, opens and scrolls; it never acts.
    Mouse(MouseEvent),
    /// Text that a terminal marked as pasted. It fills fields; it never confirms.
    Paste(String),
    Resize(u16, u16),
    Event(Event),
    /// Time has passed; only what a clock changes is looked at.
    Tick,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cmd {
    Ask(Request),
    /// Text for the clipboard of the operator's own terminal.
    Copy(String),
    /// A file for the operator: a name without a folder, and what goes into it.
    Export {
        name: String,
        content: String,
    },
    /// Paint everything anew.
    Redraw,
    Suspend,
    Quit,
}
