//! What the terminal shows: takes the parts of a frame, gives the fewest bytes that bring them there, a large frame wrapped
//! as a synchronized update, and nothing when nothing changed.

use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
};

use super::{encoder::Encoder, program::Drawn};
use crate::ui::theme::Depth;

// Terminals that do not know synchronized updates ignore them, tmux among them, so nobody is asked.
const BEGIN_UPDATE: &str = "\x1b[?2026h";
pub(super) const END_UPDATE: &str = "\x1b[?2026l";

/// A frame of so many bytes arrives as a whole: it needs no marks, which would be as long as a moved selection itself.
const AT_ONCE: usize = 128;

#[derive(Debug)]
pub struct Canvas {
    encoder: Encoder,
    shown: Buffer,
    /// The same size, to draw on.
    blank: Buffer,
    /// The terminal is blank, or will be with the next frame, whatever was shown.
    is_cleared: bool,
}

impl Canvas {
    /// A canvas for a terminal that has just been cleared, its cursor hidden.
    pub fn new(size: Size, depth: Depth) -> Self {
        let blank = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        Self { encoder: Encoder::new(depth), shown: blank.clone(), blank, is_cleared: false }
    }

    /// The terminal has this size now; where that is new, the next frame must be a whole one.
    pub fn resize(&mut self, size: Size) {
        if size != self.shown.area.as_size() {
            self.blank = Buffer::empty(Rect::new(0, 0, size.width, size.height));
            self.shown = self.blank.clone();
            self.clear();
        }
    }

    /// The next frame is painted on cleared ground: what stands there is not ours, or longer to change than to write.
    pub fn clear(&mut self) {
        if !std::mem::replace(&mut self.is_cleared, true) {
            self.encoder.clear();
        }
    }

    /// The bytes of one write that show what is drawn; none where nothing differs.
    pub fn frame(&mut self, draw: impl FnOnce(&mut Buffer) -> Drawn) -> Option<String> {
        let is_cleared = std::mem::take(&mut self.is_cleared);
        self.blank.reset();
        match draw(&mut self.blank) {
            Drawn::Whole => {
                std::mem::swap(&mut self.shown, &mut self.blank);
                if !is_cleared {
                    self.encoder.cells(self.blank.diff_iter(&self.shown));
                }
            }
            Drawn::Parts(parts) => parts.iter().for_each(|part| self.place(part, is_cleared)),
        }
        if is_cleared {
            self.blank.reset();
            self.encoder.cells(self.blank.diff_iter(&self.shown));
        }
        if self.encoder.is_empty() {
            return None;
        }
        let frame = self.encoder.take();
        Some(if frame.len() <= AT_ONCE { frame } else { format!("{BEGIN_UPDATE}{frame}{END_UPDATE}") })
    }

    /// Puts a part of the screen where it belongs; what lies outside is nobody's.
    fn place(&mut self, part: &Buffer, is_cleared: bool) {
        if part.area.is_empty() || part.area.union(self.shown.area) != self.shown.area {
            return;
        }
        let (mut before, width) = (part.clone(), usize::from(part.area.width));
        for (y, row) in (part.area.y..).zip(before.content.chunks_exact_mut(width)) {
            let start = self.shown.index_of(part.area.x, y);
            if let Some(shown) = self.shown.content.get_mut(start..start + width) {
                shown.swap_with_slice(row);
            }
        }
        if !is_cleared {
            self.encoder.cells(before.diff_iter(part));
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Style};

    use super::*;

    fn canvas() -> Canvas {
        Canvas::new(Size::new(20, 3), Depth::Full)
    }

    fn text(area: Rect, text: &str) -> Buffer {
        let mut buffer = Buffer::empty(area);
        buffer.set_string(area.x, area.y, text, Style::new());
        buffer
    }

    fn frame(canvas: &mut Canvas, said: &str) -> Option<String> {
        canvas.frame(|screen| {
            screen.set_string(0, 0, said, Style::new());
            Drawn::Whole
        })
    }

    fn parts<const N: usize>(canvas: &mut Canvas, parts: [Buffer; N]) -> Option<String> {
        canvas.frame(|_| Drawn::Parts(parts.into()))
    }

    #[test]
    fn an_unchanged_frame_is_no_bytes_at_all() {
        let mut canvas = canvas();
        assert_eq!(frame(&mut canvas, "hello").unwrap(), "\x1b[1Hhello");
        assert_eq!(frame(&mut canvas, "hello"), None);
        assert_eq!(parts(&mut canvas, []), None);
        assert_eq!(frame(&mut canvas, "hallo").unwrap(), "\x1b[1;2Ha");
    }

    #[test]
    fn a_large_frame_is_shown_all_at_once() {
        let mut canvas = Canvas::new(Size::new(200, 3), Depth::Full);
        for (letters, is_marked) in [("ab".repeat(90), true), (format!("{}x", "ab".repeat(89)), false)] {
            let frame = frame(&mut canvas, &letters).unwrap();
            assert_eq!((frame.starts_with(BEGIN_UPDATE), frame.ends_with(END_UPDATE)), (is_marked, is_marked), "{frame:?}");
        }
    }

    #[test]
    fn a_part_stands_in_place_of_what_was_there_and_of_nothing_else() {
        let mut canvas = canvas();
        frame(&mut canvas, "one two three");
        let middle = Rect::new(4, 0, 3, 1);
        assert_eq!(
            parts(&mut canvas, [text(middle, "2"), text(Rect::new(0, 2, 20, 1), "end")]).unwrap(),
            "\x1b[1;5H2  \x1b[3Hend"
        );
        assert_eq!(parts(&mut canvas, [text(middle, "2")]), None);
        assert_eq!(frame(&mut canvas, "one 2   three").unwrap(), "\x1b[3H   ");
        let mut marked = text(middle, "2");
        marked.set_style(Rect::new(4, 0, 1, 1), Style::new().fg(Color::Indexed(1)));
        assert_eq!(parts(&mut canvas, [marked]).unwrap(), "\x1b[1;5H\x1b[38;5;1m2\x1b[m");
        for outside in [Rect::new(18, 0, 3, 1), Rect::new(0, 3, 3, 1), Rect::ZERO] {
            assert_eq!(parts(&mut canvas, [text_or_nothing(outside)]), None, "{outside}");
        }
    }

    fn text_or_nothing(area: Rect) -> Buffer {
        if area.is_empty() { Buffer::empty(area) } else { text(area, "x") }
    }

    #[test]
    fn painting_anew_asks_the_terminal_nothing_and_needs_no_whole_frame() {
        let mut canvas = canvas();
        frame(&mut canvas, "x");
        canvas.clear();
        assert_eq!(frame(&mut canvas, "x").unwrap(), "\x1b[2J\x1b[1Hx");
        canvas.clear();
        assert_eq!(parts(&mut canvas, [text(Rect::new(2, 0, 1, 1), "y")]).unwrap(), "\x1b[2J\x1b[1Hx y");
    }

    #[test]
    fn another_size_is_painted_anew_and_the_same_size_is_not() {
        let mut canvas = canvas();
        frame(&mut canvas, "x");
        canvas.resize(Size::new(20, 3));
        assert_eq!(frame(&mut canvas, "x"), None);
        canvas.resize(Size::new(10, 3));
        assert_eq!(frame(&mut canvas, "x").unwrap(), "\x1b[2J\x1b[1Hx");
    }
}
