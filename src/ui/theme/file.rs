//! A theme file: palette and roles in TOML, every mistake with its line and column.

use std::{collections::BTreeMap, fmt, ops::Range, path::PathBuf, str::FromStr};

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use toml::Spanned;

use super::{Background, Role, Theme};

#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error("there is no theme `{name}`; there are {known}, or the path of a file")]
    NoSuchTheme { name: String, known: String },
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}", lines(origin, problems))]
    Wrong { origin: String, problems: Vec<Problem> },
}

/// One mistake in a theme file. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: usize,
    pub column: usize,
    pub said: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.said)
    }
}

fn lines(origin: &str, problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{origin}:{problem}")).collect::<Vec<_>>().join("\n")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    background: Option<Background>,
    /// A built-in theme that speaks where this one is silent.
    #[serde(default)]
    base: Option<Spanned<String>>,
    #[serde(default)]
    palette: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    roles: BTreeMap<Spanned<String>, RawStyle>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStyle {
    fg: Option<Spanned<String>>,
    bg: Option<Spanned<String>>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underline: bool,
    #[serde(default)]
    reverse: bool,
}

pub(super) fn parse(origin: &str, text: &str) -> Result<Theme, ThemeError> {
    let raw: Raw = toml::from_str(text).map_err(|error| ThemeError::Wrong {
        origin: origin.into(),
        problems: vec![problem(text, error.span().unwrap_or(0..0), error.message().into())],
    })?;
    let mut reading = Reading { text, palette: BTreeMap::new(), problems: Vec::new() };
    for (name, value) in &raw.palette {
        if let Some(colour) = reading.colour(value) {
            reading.palette.insert(name.clone(), colour);
        }
    }
    let mut styles = BTreeMap::new();
    if let Some(name) = &raw.base {
        if let Some(base) = Theme::built_in(name.get_ref()) {
            styles = base.styles;
        } else {
            reading.complain(name.span(), format!("there is no built-in theme `{}`", name.get_ref()));
        }
    }
    for (name, value) in &raw.roles {
        let style = reading.style(value);
        if let Some(role) = Role::ALL.into_iter().find(|role| role.name() == name.get_ref()) {
            styles.insert(role, style);
        } else {
            let near = nearest(name.get_ref(), Role::ALL.into_iter().map(Role::name));
            reading.complain(name.span(), format!("there is no role `{}`{near}", name.get_ref()));
        }
    }
    if !reading.problems.is_empty() {
        reading.problems.sort_by_key(|problem| (problem.line, problem.column));
        return Err(ThemeError::Wrong { origin: origin.into(), problems: reading.problems });
    }
    Ok(Theme { title: raw.title.unwrap_or_else(|| origin.into()), background: raw.background, styles })
}

struct Reading<'a> {
    text: &'a str,
    palette: BTreeMap<String, Color>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn complain(&mut self, span: Range<usize>, said: String) {
        self.problems.push(problem(self.text, span, said));
    }

    fn colour(&mut self, value: &Spanned<String>) -> Option<Color> {
        let name = value.get_ref().as_str();
        let found = match name {
            "default" => Some(Color::Reset),
            _ => self.palette.get(name).copied().or_else(|| Color::from_str(name).ok()),
        };
        if found.is_none() {
            let near = nearest(name, self.palette.keys().map(String::as_str));
            let expected =
                "expected a name of the palette, `#rrggbb`, a terminal colour such as `light-red`, 0-255, or `default`";
            self.complain(value.span(), format!("`{name}` is no colour{near}: {expected}"));
        }
        found
    }

    fn style(&mut self, raw: &RawStyle) -> Style {
        let mut style = Style::new();
        style.fg = raw.fg.as_ref().and_then(|value| self.colour(value));
        style.bg = raw.bg.as_ref().and_then(|value| self.colour(value));
        let switches = [
            (raw.bold, Modifier::BOLD),
            (raw.dim, Modifier::DIM),
            (raw.italic, Modifier::ITALIC),
            (raw.underline, Modifier::UNDERLINED),
            (raw.reverse, Modifier::REVERSED),
        ];
        switches.into_iter().filter(|(on, _)| *on).fold(style, |style, (_, modifier)| style.add_modifier(modifier))
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map_or_else(String::new, |(_, candidate)| format!(", did you mean `{candidate}`"))
}

fn problem(text: &str, span: Range<usize>, said: String) -> Problem {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Problem { line, column, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        Theme::parse("mine.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn all_mistakes_come_at_once_with_line_and_column() {
        let text = "[palette]\nsea = \"#00ffgg\"\nsky = \"#88aaff\"\n\n[roles]\nmutde = {}\nred = { fg = \"skyy\" }\n";
        let expected = "expected a name of the palette, `#rrggbb`, a terminal colour such as `light-red`, 0-255, or `default`";
        assert_eq!(
            said(text),
            format!(
                "mine.toml:2:7: `#00ffgg` is no colour: {expected}\n\
                 mine.toml:6:1: there is no role `mutde`, did you mean `muted`\n\
                 mine.toml:7:14: `skyy` is no colour, did you mean `sky`: {expected}"
            )
        );
    }

    #[test]
    fn a_mistake_of_form_is_located() {
        let text = "[roles]\nred = { colour = \"red\" }\n";
        assert!(said(text).starts_with("mine.toml:2:9: unknown field `colour`"), "{}", said(text));
        assert_eq!(said("title = \"x\n"), "mine.toml:1:11: invalid basic string, expected `\"`");
    }

    #[test]
    fn a_base_speaks_where_the_file_is_silent() {
        let theme = Theme::parse("mine.toml", "base = \"dark\"\n[roles]\nred = { fg = \"light-red\" }\n").unwrap();
        let dark = Theme::built_in("dark").unwrap();
        assert_eq!(theme.style(Role::Red), Style::new().fg(Color::LightRed));
        assert_eq!(theme.style(Role::Money), dark.style(Role::Money));
        assert_eq!(said("base = \"drak\"\n"), "mine.toml:1:8: there is no built-in theme `drak`");
    }
}
