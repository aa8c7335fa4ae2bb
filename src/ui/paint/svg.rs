//! A screen as SVG: no font is embedded, every run is held to its columns, lines are geometry.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use super::{
    boxes::{Shape, shape},
    columns, rows,
};
use crate::ui::theme::Background;

/// A cell in pixels, chosen so that the middle of a stroke falls on a whole half pixel.
const WIDTH: f32 = 9.0;
const HEIGHT: f32 = 19.0;
const BASELINE: f32 = 14.5;
const UNDERLINE: f32 = 16.0;
const STRIKE: f32 = 10.0;
const FONT_SIZE: f32 = 15.0;
const MARGIN: f32 = 12.0;

/// What the screen is painted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    pub background: Background,
    /// Read aloud in place of the picture.
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    ink: String,
    modifier: Modifier,
}

struct Run {
    column: u16,
    columns: u16,
    text: String,
    look: Look,
}

impl Run {
    /// Whether a cell may join it: stretching to a length is right only where every character is one column wide.
    fn goes_on(&self, column: u16, look: &Look) -> bool {
        self.look == *look && self.column + self.columns == column && self.text.chars().count() == usize::from(self.columns)
    }
}

/// Paints the screen.
pub fn svg(buffer: &Buffer, paper: &Paper) -> String {
    let mut painting =
        Painting { paper, behind: String::new(), blocks: String::new(), letters: String::new(), strokes: BTreeMap::new() };
    for (row, cells) in rows(buffer).enumerate() {
        painting.row(row, cells);
    }
    painting.finish(buffer.area.width, buffer.area.height)
}

struct Painting<'a> {
    paper: &'a Paper,
    behind: String,
    blocks: String,
    letters: String,
    /// By ink and weight: the strokes between half cells, lying and standing.
    strokes: BTreeMap<(String, bool), Strokes>,
}

#[derive(Default)]
struct Strokes {
    lying: BTreeSet<(u32, u32)>,
    standing: BTreeSet<(u32, u32)>,
}

impl Painting<'_> {
    fn row<'b>(&mut self, row: usize, cells: impl Iterator<Item = (u16, &'b Cell)>) {
        let mut run: Option<Run> = None;
        let mut ground: Option<(u16, u16, String)> = None;
        for (column, cell) in cells {
            let (look, fill) = self.look(cell);
            let width = columns(cell);
            match (&mut ground, fill) {
                (Some((_, to, held)), Some(fill)) if *held == fill && *to == column => *to += width,
                (held, fill) => {
                    let before = held.take();
                    *held = fill.map(|fill| (column, column + width, fill));
                    self.ground(row, before);
                }
            }
            if let Some(shape) = shape(cell.symbol()) {
                self.letters(row, run.take());
                self.shape(row, column, shape, &look);
                continue;
            }
            match &mut run {
                Some(run) if width == 1 && run.goes_on(column, &look) => {
                    run.text.push_str(cell.symbol());
                    run.columns += width;
                }
                _ => {
                    self.letters(row, run.take());
                    run = Some(Run { column, columns: width, text: cell.symbol().to_owned(), look });
                }
            }
        }
        self.ground(row, ground);
        self.letters(row, run);
    }

    /// The ink, and what lies behind it where that is not the paper.
    fn look(&self, cell: &Cell) -> (Look, Option<String>) {
        let ink = colour(cell.fg, self.paper.background);
        let fill = colour(cell.bg, self.paper.background);
        let modifier = cell.modifier & !(Modifier::REVERSED | Modifier::SLOW_BLINK | Modifier::RAPID_BLINK);
        let (paper, default) = paper_and_ink(self.paper.background);
        if cell.modifier.contains(Modifier::REVERSED) {
            let ink = ink.unwrap_or_else(|| default.to_owned());
            return (Look { ink: fill.unwrap_or_else(|| paper.to_owned()), modifier }, Some(ink));
        }
        (Look { ink: ink.unwrap_or_else(|| default.to_owned()), modifier }, fill)
    }

    fn ground(&mut self, row: usize, ground: Option<(u16, u16, String)>) {
        if let Some((from, to, fill)) = ground {
            let (x, y) = place(from, row);
            let width = f32::from(to - from) * WIDTH;
            let _ = writeln!(self.behind, r#"<rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" fill="{fill}"/>"#);
        }
    }

    fn letters(&mut self, row: usize, run: Option<Run>) {
        let Some(run) = run else { return };
        self.rules(row, &run);
        let text = run.text.trim_end_matches(' ');
        let columns = run.columns - (run.text.len() - text.len()) as u16;
        let shown = text.trim_start_matches(' ');
        let skipped = (text.len() - shown.len()) as u16;
        let is_blank = shown.is_empty() || run.look.modifier.contains(Modifier::HIDDEN);
        if is_blank {
            return;
        }
        let (x, y) = place(run.column + skipped, row);
        let length = f32::from(columns - skipped) * WIDTH;
        let _ = writeln!(
            self.letters,
            r#"<text x="{x}" y="{}" textLength="{length}" fill="{}"{}>{}</text>"#,
            y + BASELINE,
            run.look.ink,
            attributes(run.look.modifier),
            escaped(shown)
        );
    }

    /// Underlines and strikes, under blanks as well: an empty field is seen by them.
    fn rules(&mut self, row: usize, run: &Run) {
        let (x, y) = place(run.column, row);
        let width = f32::from(run.columns) * WIDTH;
        for (modifier, below) in [(Modifier::UNDERLINED, UNDERLINE), (Modifier::CROSSED_OUT, STRIKE)] {
            if run.look.modifier.contains(modifier) {
                let (y, ink) = (y + below, &run.look.ink);
                let _ = writeln!(self.blocks, r#"<rect x="{x}" y="{y}" width="{width}" height="1" fill="{ink}"/>"#);
            }
        }
    }

    fn shape(&mut self, row: usize, column: u16, shape: Shape, look: &Look) {
        match shape {
            Shape::Block { x, y, width, height, opacity } => {
                let (left, top) = place(column, row);
                let opacity = if opacity < 1.0 { format!(r#" fill-opacity="{opacity}""#) } else { String::new() };
                let _ = writeln!(
                    self.blocks,
                    r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{}"{opacity}/>"#,
                    left + x * WIDTH,
                    top + y * HEIGHT,
                    width * WIDTH,
                    height * HEIGHT,
                    look.ink
                );
            }
            Shape::Lines { up, right, down, left, is_heavy } => {
                // Counted in half cells, so that neighbours join into one stroke.
                let (x, y) = (u32::from(column) * 2, row as u32 * 2);
                let strokes = self.strokes.entry((look.ink.clone(), is_heavy)).or_default();
                let lying = [(left, x), (right, x + 1)];
                let standing = [(up, y), (down, y + 1)];
                strokes.lying.extend(lying.into_iter().filter(|(is, _)| *is).map(|(_, x)| (y + 1, x)));
                strokes.standing.extend(standing.into_iter().filter(|(is, _)| *is).map(|(_, y)| (x + 1, y)));
            }
        }
    }

    fn finish(self, columns: u16, rows: u16) -> String {
        let width = f32::from(columns) * WIDTH + 2.0 * MARGIN;
        let height = f32::from(rows) * HEIGHT + 2.0 * MARGIN;
        let (paper, _) = paper_and_ink(self.paper.background);
        let edge = match self.paper.background {
            Background::Dark => "#30363d",
            Background::Light => "#d1d9e0",
        };
        let title = escaped(&self.paper.title);
        let mut strokes = String::new();
        for ((ink, is_heavy), found) in &self.strokes {
            let weight = if *is_heavy { 3 } else { 1 };
            let path = path(found);
            let _ = writeln!(strokes, r#"<path d="{path}" fill="none" stroke="{ink}" stroke-width="{weight}"/>"#);
        }
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>{title}</title>
<rect x="0.5" y="0.5" width="{}" height="{}" rx="8" fill="{paper}" stroke="{edge}"/>
<g transform="translate({MARGIN} {MARGIN})">
<g shape-rendering="crispEdges">
{}{}{strokes}</g>
<g font-family="ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', 'Liberation Mono', Consolas, monospace" font-size="{FONT_SIZE}" xml:space="preserve">
{}</g>
</g>
</svg>
"#,
            width - 1.0,
            height - 1.0,
            self.behind,
            self.blocks,
            self.letters
        )
    }
}

/// Joins half cells that touch into long strokes.
fn path(strokes: &Strokes) -> String {
    let mut path = String::new();
    for (across, from, to) in joined(&strokes.lying) {
        let (y, from, to) = (half(across, HEIGHT), half(from, WIDTH), half(to, WIDTH));
        let _ = write!(path, "M{from} {y}H{to}");
    }
    for (across, from, to) in joined(&strokes.standing) {
        let (x, from, to) = (half(across, WIDTH), half(from, HEIGHT), half(to, HEIGHT));
        let _ = write!(path, "M{x} {from}V{to}");
    }
    path
}

fn joined(halves: &BTreeSet<(u32, u32)>) -> Vec<(u32, u32, u32)> {
    let mut strokes: Vec<(u32, u32, u32)> = Vec::new();
    for (across, along) in halves {
        match strokes.last_mut() {
            Some((line, _, to)) if line == across && to == along => *to += 1,
            _ => strokes.push((*across, *along, along + 1)),
        }
    }
    strokes
}

fn half(count: u32, of: f32) -> f32 {
    count as f32 * of / 2.0
}

fn place(column: u16, row: usize) -> (f32, f32) {
    (f32::from(column) * WIDTH, row as f32 * HEIGHT)
}

fn attributes(modifier: Modifier) -> String {
    let mut attributes = String::new();
    let pairs = [
        (Modifier::BOLD, r#" font-weight="700""#),
        (Modifier::DIM, r#" fill-opacity="0.65""#),
        (Modifier::ITALIC, r#" font-style="italic""#),
    ];
    for (_, attribute) in pairs.into_iter().filter(|(held, _)| modifier.contains(*held)) {
        attributes.push_str(attribute);
    }
    attributes
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

fn paper_and_ink(background: Background) -> (&'static str, &'static str) {
    match background {
        Background::Dark => ("#0d1117", "#e6edf3"),
        Background::Light => ("#ffffff", "#1f2328"),
    }
}

/// A colour as CSS writes it; none for the default.
fn colour(colour: Color, background: Background) -> Option<String> {
    let named = |index: u8| Some(sixteen(index, background).to_owned());
    match colour {
        Color::Reset => None,
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(index @ 0..=15) => named(index),
        Color::Indexed(index @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let cube = index - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6)))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
    }
}

/// The terminal's own colours, as a calm terminal would have them.
fn sixteen(index: u8, background: Background) -> &'static str {
    const DARK: [&str; 16] = [
        "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#6e7681", "#ffa198", "#56d364",
        "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
    ];
    const LIGHT: [&str; 16] = [
        "#24292f", "#cf222e", "#116329", "#7d4e00", "#0969da", "#8250df", "#1b7c83", "#6e7781", "#57606a", "#a40e26", "#1a7f37",
        "#633c01", "#218bff", "#a475f9", "#3192aa", "#8c959f",
    ];
    let palette = match background {
        Background::Dark => DARK,
        Background::Light => LIGHT,
    };
    palette.get(usize::from(index)).copied().unwrap_or(paper_and_ink(background).1)
}

#[cfg(test)]
mod tests {
    use ratatui::{
        layout::Rect,
        style::{Style, Stylize},
        text::Line,
        widgets::{Block, Widget},
    };

    use super::*;

    fn painted(buffer: &Buffer) -> String {
        svg(buffer, &Paper { background: Background::Dark, title: "R & D".into() })
    }

    #[test]
    fn runs_are_held_to_their_columns_and_escaped() {
        let drawn = painted(&super::super::tests::screen());
        assert!(drawn.contains(r##"<text x="0" y="14.5" textLength="9" fill="#ff7b72" font-weight="700">R</text>"##), "{drawn}");
        assert!(drawn.contains(r##"<text x="18" y="14.5" textLength="18" fill="#e6edf3">犬</text>"##), "{drawn}");
        assert!(drawn.contains(">a &lt;b&gt; &amp; &quot;c&quot;</text>"), "{drawn}");
        assert!(drawn.contains(r##"<rect x="99" y="19" width="18" height="19" fill="#58a6ff"/>"##), "{drawn}");
        assert!(drawn.contains("<title>R &amp; D</title>"), "{drawn}");
    }

    #[test]
    fn a_border_is_four_strokes() {
        let area = Rect::new(0, 0, 10, 4);
        let mut buffer = Buffer::empty(area);
        Block::bordered().border_style(Style::new().cyan()).render(area, &mut buffer);
        let drawn = painted(&buffer);
        let path = r#"<path d="M4.5 9.5H85.5M4.5 66.5H85.5M4.5 9.5V66.5M85.5 9.5V66.5" fill="none""#;
        assert!(drawn.contains(path), "{drawn}");
        assert!(!drawn.contains("<text"), "{drawn}");
    }

    #[test]
    fn reversed_text_swaps_ink_and_paper() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer.set_line(0, 0, &Line::from("LIVE".reversed()), 4);
        let drawn = painted(&buffer);
        assert!(drawn.contains(r##"<rect x="0" y="0" width="36" height="19" fill="#e6edf3"/>"##), "{drawn}");
        assert!(drawn.contains(r##"fill="#0d1117">LIVE</text>"##), "{drawn}");
    }

    #[test]
    fn an_empty_field_is_seen_by_its_line() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer.set_line(0, 0, &Line::from("   ".cyan().underlined()), 4);
        let drawn = painted(&buffer);
        assert!(drawn.contains(r##"<rect x="0" y="16" width="27" height="1" fill="#39c5cf"/>"##), "{drawn}");
        assert!(!drawn.contains("<text"), "{drawn}");
    }

    #[test]
    fn indexed_colours_are_those_of_xterm() {
        assert_eq!(colour(Color::Indexed(196), Background::Dark).unwrap(), "#ff0000");
        assert_eq!(colour(Color::Indexed(110), Background::Dark).unwrap(), "#87afd7");
        assert_eq!(colour(Color::Indexed(244), Background::Dark).unwrap(), "#808080");
    }
}
