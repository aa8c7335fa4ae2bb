//! A drawn screen as text, as ANSI and as SVG: what the operator sees, for pipes, bug reports and the README.

mod boxes;
mod svg;

use ratatui::buffer::{Buffer, Cell};
use unicode_width::UnicodeWidthStr;

pub use self::svg::{Paper, svg};
use crate::ui::{terminal::Encoder, theme::Depth};

/// The characters alone, one line per row, without blanks at the ends.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let line: String = row.map(|(_, cell)| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// With colours, one line per row, each complete in itself, so that `less -R` and `grep` may cut anywhere.
pub fn ansi(buffer: &Buffer, depth: Depth) -> String {
    let mut encoder = Encoder::new(depth);
    for row in rows(buffer) {
        encoder.line(row.map(|(_, cell)| cell));
    }
    encoder.take()
}

/// The cells of each row with their columns, without those that a wide character to their left covers.
fn rows(buffer: &Buffer) -> impl Iterator<Item = impl Iterator<Item = (u16, &Cell)>> {
    let area = buffer.area;
    (area.top()..area.bottom()).map(move |y| {
        let mut covered_up_to = area.left();
        (area.left()..area.right()).filter_map(move |x| {
            if x < covered_up_to {
                return None;
            }
            let cell = buffer.cell((x, y))?;
            covered_up_to = x + columns(cell);
            Some((x - area.left(), cell))
        })
    })
}

fn columns(cell: &Cell) -> u16 {
    u16::try_from(cell.symbol().width()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, style::Stylize, text::Line};

    use super::*;

    pub(super) fn screen() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 16, 3));
        buffer.set_line(0, 0, &Line::from(vec!["R ".red().bold(), "犬 down".into()]), 16);
        buffer.set_line(0, 1, &Line::from(vec!["a <b> & \"c\"".into(), "  ".on_blue()]), 16);
        buffer
    }

    #[test]
    fn text_is_what_is_read() {
        assert_eq!(text(&screen()), "R 犬 down\na <b> & \"c\"\n\n");
    }

    #[test]
    fn each_ansi_line_stands_alone() {
        assert_eq!(ansi(&screen(), Depth::Full), "\x1b[1;31mR\x1b[m 犬 down\na <b> & \"c\"\x1b[44m  \x1b[m\n\n");
        assert_eq!(ansi(&screen(), Depth::None), "\x1b[1mR\x1b[m 犬 down\na <b> & \"c\"\n\n");
    }
}
