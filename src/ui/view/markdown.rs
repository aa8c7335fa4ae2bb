//! Markdown as lines of the screen, and where its paragraphs, items and tables begin.

use ratatui::{
    style::Style,
    text::{Line, Span},
};
use unicode_width::UnicodeWidthStr as _;

use super::ink::Ink;
use crate::ui::theme::Role;

#[derive(Clone)]
struct Sheets {
    heading: Style,
    code: Style,
    muted: Style,
    key: Style,
}

impl tui_markdown::StyleSheet for Sheets {
    fn heading(&self, _level: u8) -> Style {
        self.heading
    }

    fn heading_marker(&self, _level: u8) -> &'static str {
        ""
    }

    fn code(&self) -> Style {
        self.code
    }

    fn link(&self) -> Style {
        self.key
    }

    fn blockquote(&self) -> Style {
        self.muted
    }

    fn heading_meta(&self) -> Style {
        self.muted
    }

    fn metadata_block(&self) -> Style {
        self.muted
    }

    fn code_block_fence(&self) -> &'static str {
        ""
    }
}

/// What begins with a line of Markdown.
pub enum Starts {
    Heading,
    Block,
    Nothing,
}

/// Markdown as lines of a width, and what each of its own lines begins; a line's style survives its breaking.
pub fn lines(ink: &Ink<'_>, text: &str, width: usize) -> Vec<(Starts, Vec<Line<'static>>)> {
    let sheets = Sheets {
        heading: ink.style(Role::Title),
        code: ink.style(Role::Key),
        muted: ink.style(Role::Muted),
        key: ink.style(Role::Key),
    };
    let heading = sheets.heading;
    let options = tui_markdown::Options::new(sheets).table_width(width.min(500) as u16);
    let mut lines = Vec::new();
    let mut is_after_blank = true;
    for line in tui_markdown::from_str_with_options(text, &options).lines {
        let style = line.style;
        let spans: Vec<Span<'static>> =
            line.spans.into_iter().map(|span| Span::styled(span.content.into_owned(), style.patch(span.style))).collect();
        let whole: String = spans.iter().map(|span| span.content.as_ref()).collect();
        let is_blank = whole.trim().is_empty();
        let starts = if is_blank || !(is_after_blank || is_list_item(&whole)) {
            Starts::Nothing
        } else if spans.iter().all(|span| span.style == heading) {
            Starts::Heading
        } else {
            Starts::Block
        };
        is_after_blank = is_blank;
        lines.push((starts, broken(spans, width)));
    }
    lines
}

fn is_list_item(line: &str) -> bool {
    line.starts_with("- ") || line.trim_start_matches(|letter: char| letter.is_ascii_digit()).starts_with(". ")
}

/// A text without the heading that repeats its title.
pub fn body(markdown: &str) -> &str {
    let text = markdown.trim_start();
    if text.starts_with("# ") { text.split_once('\n').map_or("", |(_, rest)| rest.trim_start()) } else { text }
}

/// Breaks a styled line at blanks, keeping the indent of a list's item.
fn broken(spans: Vec<Span<'static>>, width: usize) -> Vec<Line<'static>> {
    let whole: String = spans.iter().map(|span| span.content.as_ref()).collect();
    if whole.width() <= width {
        return vec![Line::from(spans)];
    }
    let indent =
        whole.len() - whole.trim_start_matches([' ', '-', '*', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).len();
    let indent = indent.min(width / 2);
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for span in spans {
        for word in span.content.split_inclusive(' ') {
            if used > indent && used + word.trim_end().width() > width {
                lines.push(vec![Span::raw(" ".repeat(indent))]);
                used = indent;
            }
            used += word.width();
            if let Some(line) = lines.last_mut() {
                line.push(Span::styled(word.to_owned(), span.style));
            }
        }
    }
    lines.into_iter().map(Line::from).collect()
}
