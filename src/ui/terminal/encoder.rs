//! Cells to the fewest bytes that draw them. Never asks the terminal anything, never moves relative to a guess.

use std::fmt::Write;

use ratatui::{
    buffer::Cell,
    style::{Color, Modifier},
};

use crate::ui::theme::Depth;

/// From this many blanks on, erasing them is shorter than writing them.
const BLANKS_WORTH_ERASING: u16 = 10;

/// Up to here, crossing blank ground by blanks is no longer than a jump.
const LONGEST_STRIDE: u16 = 4;

/// What a blank cell still shows.
const SHOWN_ON_BLANKS: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

const SWITCHES: [(Modifier, &str, &str); 8] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::HIDDEN, "8", "28"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pen {
    foreground: Color,
    background: Color,
    modifier: Modifier,
}

impl Pen {
    const DEFAULT: Self = Self { foreground: Color::Reset, background: Color::Reset, modifier: Modifier::empty() };

    fn marks_blanks(self) -> bool {
        self.background != Color::Reset || self.modifier.intersects(SHOWN_ON_BLANKS)
    }
}

/// Collects what is to be written. The pen is back to the default after every call.
#[derive(Debug)]
pub struct Encoder {
    bytes: String,
    depth: Depth,
    pen: Pen,
    /// Where the next character falls; none where a guess would be needed.
    position: Option<(u16, u16)>,
    blanks: Option<(u16, u16, u16)>,
    /// Everything not yet drawn in this frame is blank.
    is_ground_blank: bool,
    /// The last pen asked for, and what the terminal has of it: most neighbours are alike.
    adapted: (Pen, Pen),
}

impl Encoder {
    /// An encoder for a screen that has just been cleared.
    pub const fn new(depth: Depth) -> Self {
        Self {
            bytes: String::new(),
            depth,
            pen: Pen::DEFAULT,
            position: None,
            blanks: None,
            is_ground_blank: true,
            adapted: (Pen::DEFAULT, Pen::DEFAULT),
        }
    }

    /// Blanks the whole screen.
    pub fn clear(&mut self) {
        self.control("\x1b[2J");
        self.is_ground_blank = true;
    }

    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Hands over what was collected.
    pub fn take(&mut self) -> String {
        self.position = None;
        self.is_ground_blank = false;
        std::mem::take(&mut self.bytes)
    }

    /// Adds a control sequence that moves no cursor.
    pub fn control(&mut self, sequence: &str) {
        self.bytes.push_str(sequence);
    }

    pub fn move_to(&mut self, x: u16, y: u16) {
        if self.position == Some((x, y)) {
            return;
        }
        if let Some((from, row)) = self.position
            && self.is_ground_blank
            && !self.pen.marks_blanks()
            && row == y
            && (from..=from.saturating_add(LONGEST_STRIDE)).contains(&x)
        {
            self.bytes.extend(std::iter::repeat_n(' ', usize::from(x - from)));
            self.position = Some((x, y));
            return;
        }
        // Written into a String: there is no error to meet.
        let _ = match (self.position, x) {
            (Some((_, row)), 0) if row == y => self.bytes.write_char('\r'),
            (Some((_, row)), 0) if row + 1 == y => self.bytes.write_str("\r\n"),
            (Some((from, row)), _) if row == y && from < x && digits(x - from) < digits(x + 1) => {
                write!(self.bytes, "\x1b[{}C", x - from)
            }
            (Some((_, row)), _) if row == y => write!(self.bytes, "\x1b[{}G", x + 1),
            (_, 0) => write!(self.bytes, "\x1b[{}H", y + 1),
            _ => write!(self.bytes, "\x1b[{};{}H", y + 1, x + 1),
        };
        self.position = Some((x, y));
    }

    /// Draws cells, each at its place, in reading order.
    pub fn cells<'a>(&mut self, cells: impl Iterator<Item = (u16, u16, &'a Cell)>) {
        for (x, y, cell) in cells {
            let pen = self.adapt(Pen { foreground: cell.fg, background: cell.bg, modifier: cell.modifier });
            if cell.symbol() == " " && !pen.marks_blanks() {
                self.blank(x, y);
            } else {
                self.settle_blanks();
                self.move_to(x, y);
                self.use_pen(pen);
                self.symbol(cell.symbol());
            }
        }
        self.settle_blanks();
        self.use_pen(Pen::DEFAULT);
    }

    /// Adds a line of text for a pipe: no jumps, no blanks at its end, the default pen behind it.
    pub fn line<'a>(&mut self, cells: impl Iterator<Item = &'a Cell>) {
        let mut blanks = 0;
        for cell in cells {
            let pen = self.adapt(Pen { foreground: cell.fg, background: cell.bg, modifier: cell.modifier });
            if cell.symbol() == " " && !pen.marks_blanks() {
                blanks += 1;
                continue;
            }
            if blanks > 0 {
                if self.pen != pen {
                    self.use_pen(Pen::DEFAULT);
                }
                self.bytes.extend(std::iter::repeat_n(' ', std::mem::take(&mut blanks)));
            }
            self.use_pen(pen);
            self.bytes.push_str(cell.symbol());
        }
        self.use_pen(Pen::DEFAULT);
        self.bytes.push('\n');
    }

    fn adapt(&mut self, pen: Pen) -> Pen {
        if self.adapted.0 != pen {
            let (foreground, background) = (self.depth.adapt(pen.foreground), self.depth.adapt(pen.background));
            self.adapted = (pen, Pen { foreground, background, ..pen });
        }
        self.adapted.1
    }

    fn blank(&mut self, x: u16, y: u16) {
        match &mut self.blanks {
            Some((start, row, count)) if *row == y && *start + *count == x => *count += 1,
            _ => {
                self.settle_blanks();
                self.blanks = Some((x, y, 1));
            }
        }
    }

    fn settle_blanks(&mut self) {
        let Some((x, y, count)) = self.blanks.take() else { return };
        self.move_to(x, y);
        if self.pen.marks_blanks() {
            self.use_pen(Pen::DEFAULT);
        }
        if count >= BLANKS_WORTH_ERASING {
            let _ = write!(self.bytes, "\x1b[{count}X");
        } else {
            self.bytes.extend(std::iter::repeat_n(' ', usize::from(count)));
            self.position = Some((x + count, y));
        }
    }

    fn symbol(&mut self, symbol: &str) {
        self.bytes.push_str(symbol);
        // Terminals disagree about wide and joined characters: after one, the next place is said in full.
        self.position = match self.position {
            Some((x, y)) if is_surely_one_column(symbol) => Some((x + 1, y)),
            _ => None,
        };
    }

    fn use_pen(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        let anew = parameters_anew(pen);
        let changed = parameters_changed(self.pen, pen);
        let shorter = if anew.len() < changed.len() { anew } else { changed };
        let _ = write!(self.bytes, "\x1b[{shorter}m");
        self.pen = pen;
    }
}

fn digits(number: u16) -> u32 {
    number.checked_ilog10().unwrap_or_default()
}

fn is_surely_one_column(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else { return false };
    // Latin, Greek, Cyrillic; box drawing, blocks and the geometric shapes.
    matches!(character, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{52f}' | '\u{2500}'..='\u{25ff}')
}

fn parameters_anew(pen: Pen) -> String {
    if pen == Pen::DEFAULT {
        return String::new();
    }
    // An empty parameter is a zero.
    let mut parameters = vec![String::new()];
    parameters
        .extend(SWITCHES.iter().filter(|(modifier, ..)| pen.modifier.contains(*modifier)).map(|(_, on, _)| (*on).to_owned()));
    if pen.foreground != Color::Reset {
        parameters.push(colour(pen.foreground, false));
    }
    if pen.background != Color::Reset {
        parameters.push(colour(pen.background, true));
    }
    parameters.join(";")
}

fn parameters_changed(from: Pen, to: Pen) -> String {
    let mut parameters: Vec<String> = Vec::new();
    let mut held = from.modifier;
    for (modifier, _, off) in SWITCHES {
        if held.contains(modifier) && !to.modifier.contains(modifier) {
            parameters.push(off.to_owned());
            held.remove(modifier);
            if off == "22" {
                held.remove(Modifier::BOLD | Modifier::DIM);
            }
        }
    }
    for (modifier, on, _) in SWITCHES {
        if to.modifier.contains(modifier) && !held.contains(modifier) {
            parameters.push(on.to_owned());
        }
    }
    if from.foreground != to.foreground {
        parameters.push(colour(to.foreground, false));
    }
    if from.background != to.background {
        parameters.push(colour(to.background, true));
    }
    parameters.join(";")
}

fn colour(colour: Color, is_background: bool) -> String {
    let named = |dark: u8| (dark + if is_background { 10 } else { 0 }).to_string();
    let extended = if is_background { 48 } else { 38 };
    match colour {
        Color::Reset => named(39),
        Color::Black => named(30),
        Color::Red => named(31),
        Color::Green => named(32),
        Color::Yellow => named(33),
        Color::Blue => named(34),
        Color::Magenta => named(35),
        Color::Cyan => named(36),
        Color::Gray => named(37),
        Color::DarkGray => named(90),
        Color::LightRed => named(91),
        Color::LightGreen => named(92),
        Color::LightYellow => named(93),
        Color::LightBlue => named(94),
        Color::LightMagenta => named(95),
        Color::LightCyan => named(96),
        Color::White => named(97),
        Color::Indexed(index) => format!("{extended};5;{index}"),
        Color::Rgb(red, green, blue) => format!("{extended};2;{red};{green};{blue}"),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{
        buffer::Buffer,
        layout::Rect,
        style::{Style, Stylize},
        text::Line,
    };

    use super::*;

    fn cell(symbol: &str, style: Style) -> Cell {
        let mut cell = Cell::new(" ");
        cell.set_symbol(symbol).set_style(style);
        cell
    }

    fn encoded(depth: Depth, cells: &[(u16, u16, Cell)]) -> String {
        let mut encoder = Encoder::new(depth);
        encoder.cells(cells.iter().map(|(x, y, cell)| (*x, *y, cell)));
        encoder.take()
    }

    #[test]
    fn a_moved_marker_is_a_few_bytes() {
        let said = encoded(Depth::Full, &[(1, 4, cell(" ", Style::new())), (1, 5, cell(">", Style::new().bold()))]);
        assert_eq!(said, "\x1b[5;2H \x1b[6;2H\x1b[1m>\x1b[m");
        let said = encoded(Depth::Full, &[(99, 4, cell("|", Style::new())), (0, 5, cell("|", Style::new()))]);
        assert_eq!(said, "\x1b[5;100H|\r\n|");
        let said = encoded(Depth::Full, &[(0, 4, cell("|", Style::new())), (99, 4, cell("|", Style::new()))]);
        assert_eq!(said, "\x1b[5H|\x1b[98C|");
    }

    #[test]
    fn blanks_need_no_colour_and_many_are_erased() {
        let cells: Vec<_> = (0..40).map(|x| (x, 0, cell(" ", Style::new().red()))).collect();
        assert_eq!(encoded(Depth::Full, &cells), "\x1b[1H\x1b[40X");
        assert_eq!(encoded(Depth::Full, &cells[..3]), "\x1b[1H   ");
        let barred: Vec<_> = (0..3).map(|x| (x, 0, cell(" ", Style::new().reversed()))).collect();
        assert_eq!(encoded(Depth::Full, &barred), "\x1b[1H\x1b[7m   \x1b[m");
    }

    #[test]
    fn no_colour_keeps_bold_and_reversed() {
        let cells = [(0, 0, cell("x", Style::new().red().on_blue().bold().reversed()))];
        assert_eq!(encoded(Depth::None, &cells), "\x1b[1H\x1b[1;7mx\x1b[m");
    }

    #[test]
    fn after_a_wide_character_the_place_is_said_again() {
        let cells = [(0, 0, cell("\u{72ac}", Style::new())), (2, 0, cell("x", Style::new()))];
        assert_eq!(encoded(Depth::Full, &cells), "\x1b[1H\u{72ac}\x1b[1;3Hx");
    }

    #[test]
    fn what_is_encoded_is_what_a_terminal_shows() {
        let area = Rect::new(0, 0, 30, 4);
        let mut buffer = Buffer::empty(area);
        let lines = [
            Line::from(vec!["R ".red().bold(), "down ".into(), "1h03m".dim().italic(), "  ".on_blue()]),
            Line::from(vec!["                         ".into(), "end".underlined()]),
            Line::from(vec!["a".rapid_blink(), "\u{2500}\u{2500}".cyan(), "犬x".into(), "!".light_red().on_light_yellow()]),
        ];
        for (y, line) in lines.iter().enumerate() {
            buffer.set_line(0, y as u16, line, 30);
        }
        let mut encoder = Encoder::new(Depth::Full);
        encoder.clear();
        encoder.cells(Buffer::empty(area).diff(&buffer).into_iter());
        let mut terminal = vt100::Parser::new(4, 30, 0);
        terminal.process(encoder.take().as_bytes());
        let screen = terminal.screen();
        assert_eq!(screen.contents(), "R down 1h03m  \n                         end\na\u{2500}\u{2500}犬x!");
        let first = screen.cell(0, 0).unwrap();
        assert!(first.bold() && first.fgcolor() == vt100::Color::Idx(1));
        let age = screen.cell(0, 7).unwrap();
        assert!(age.italic() && !age.bold() && age.fgcolor() == vt100::Color::Default);
        assert_eq!(screen.cell(0, 13).unwrap().bgcolor(), vt100::Color::Idx(4));
        assert!(screen.cell(1, 25).unwrap().underline());
        assert_eq!(screen.cell(2, 6).unwrap().fgcolor(), vt100::Color::Idx(9));
        assert_eq!(screen.fgcolor(), vt100::Color::Default);
    }
}
