//! Where ratatui draws: collects a frame in memory, a large one wrapped as a synchronized update, and nothing when
//! nothing changed.

use std::io;

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};

use super::encoder::Encoder;
use crate::ui::theme::Depth;

// Terminals that do not know synchronized updates ignore them, tmux among them, so nobody is asked.
pub(super) const BEGIN_UPDATE: &str = "\x1b[?2026h";
pub(super) const END_UPDATE: &str = "\x1b[?2026l";

/// A frame of so many bytes arrives as a whole: it needs no marks, which would be as long as a moved selection itself.
const AT_ONCE: usize = 128;

pub(super) const HIDE_CURSOR: &str = "\x1b[?25l";
pub(super) const SHOW_CURSOR: &str = "\x1b[?25h";

#[derive(Debug)]
pub struct Canvas {
    encoder: Encoder,
    size: Size,
    /// Where the frame wants the cursor, and where the terminal has it.
    wanted: Option<Position>,
    shown: Option<Position>,
}

impl Canvas {
    /// A canvas for a terminal that has just been cleared, its cursor hidden.
    pub const fn new(size: Size, depth: Depth) -> Self {
        Self { encoder: Encoder::new(depth), size, wanted: None, shown: None }
    }

    pub const fn resize(&mut self, size: Size) {
        self.size = size;
    }

    /// Forgets what the terminal shows: it was given away and taken back.
    pub const fn forget(&mut self) {
        self.shown = None;
    }

    /// Hands over the frame as the bytes of one write; none when it equals the last one.
    pub fn take_frame(&mut self) -> Option<String> {
        let is_same = self.encoder.is_empty();
        if is_same && self.wanted == self.shown {
            return None;
        }
        match self.wanted {
            Some(position) => {
                self.encoder.move_to(position.x, position.y);
                if self.shown.is_none() {
                    self.encoder.control(SHOW_CURSOR);
                }
            }
            None if self.shown.is_some() => self.encoder.control(HIDE_CURSOR),
            None => {}
        }
        self.shown = self.wanted;
        let frame = self.encoder.take();
        Some(if frame.len() <= AT_ONCE { frame } else { format!("{BEGIN_UPDATE}{frame}{END_UPDATE}") })
    }
}

impl Backend for Canvas {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.encoder.cells(content);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.wanted = None;
        Ok(())
    }

    /// Nothing by itself: a place always follows.
    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.wanted.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.wanted = Some(position.into());
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        match clear_type {
            ClearType::All => self.encoder.clear(),
            ClearType::AfterCursor => self.encoder.control("\x1b[J"),
            ClearType::BeforeCursor => self.encoder.control("\x1b[1J"),
            ClearType::CurrentLine => self.encoder.control("\x1b[2K"),
            ClearType::UntilNewLine => self.encoder.control("\x1b[K"),
        }
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, layout::Rect};

    use super::*;

    fn terminal() -> Terminal<Canvas> {
        Terminal::new(Canvas::new(Size::new(20, 3), Depth::Full)).unwrap()
    }

    #[test]
    fn an_unchanged_frame_is_no_bytes_at_all() {
        let mut terminal = terminal();
        let mut draw = |text: &str| {
            terminal.draw(|frame| frame.render_widget(text, frame.area())).unwrap();
            terminal.backend_mut().take_frame()
        };
        assert_eq!(draw("hello").unwrap(), "\x1b[1Hhello");
        assert_eq!(draw("hello"), None);
        assert_eq!(draw("hallo").unwrap(), "\x1b[1;2Ha");
    }

    #[test]
    fn a_large_frame_is_shown_all_at_once() {
        let mut terminal = Terminal::new(Canvas::new(Size::new(200, 3), Depth::Full)).unwrap();
        for (letters, is_marked) in [("ab".repeat(90), true), (format!("{}x", "ab".repeat(89)), false)] {
            terminal.draw(|frame| frame.render_widget(letters.as_str(), frame.area())).unwrap();
            let frame = terminal.backend_mut().take_frame().unwrap();
            assert_eq!((frame.starts_with(BEGIN_UPDATE), frame.ends_with(END_UPDATE)), (is_marked, is_marked), "{frame:?}");
        }
    }

    #[test]
    fn the_cursor_is_shown_moved_and_hidden_inside_the_frame() {
        let mut terminal = terminal();
        let mut draw = |x: Option<u16>| {
            terminal
                .draw(|frame| {
                    if let Some(x) = x {
                        frame.set_cursor_position((x, 1));
                    }
                })
                .unwrap();
            terminal.backend_mut().take_frame()
        };
        assert_eq!(draw(None), None);
        assert_eq!(draw(Some(4)).unwrap(), "\x1b[2;5H\x1b[?25h");
        assert_eq!(draw(Some(4)), None);
        assert_eq!(draw(Some(5)).unwrap(), "\x1b[2;6H");
        assert_eq!(draw(None).unwrap(), "\x1b[?25l");
    }

    #[test]
    fn painting_anew_asks_the_terminal_nothing() {
        let mut terminal = terminal();
        let text = |terminal: &mut Terminal<Canvas>| {
            terminal.draw(|frame| frame.render_widget("x", frame.area())).unwrap();
            terminal.backend_mut().take_frame()
        };
        text(&mut terminal);
        terminal.resize(Rect::new(0, 0, 20, 3)).unwrap();
        assert_eq!(text(&mut terminal).unwrap(), "\x1b[2J\x1b[1Hx");
    }
}
