//! Colours by meaning: a screen asks for a role and never names a colour.
//!
//! Meaning never rests on colour alone: a severity is a letter first, a selection a marker first.

pub mod background;
mod choice;
pub mod depth;
mod file;

use std::{collections::BTreeMap, path::Path};

use ratatui::style::{Modifier, Style};
use serde::Deserialize;

pub use self::{
    background::Background,
    choice::Choice,
    depth::Depth,
    file::{Problem, ThemeError},
};

/// What a stretch of the screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Text,
    Muted,
    Title,
    Border,
    BorderFocused,
    Red,
    Yellow,
    Green,
    Unknown,
    Selected,
    Marked,
    Key,
    Good,
    Bad,
    Money,
    Live,
    Demo,
    Test,
    Chart,
    Input,
    Warning,
}

impl Role {
    pub const ALL: [Self; 21] = [
        Self::Text,
        Self::Muted,
        Self::Title,
        Self::Border,
        Self::BorderFocused,
        Self::Red,
        Self::Yellow,
        Self::Green,
        Self::Unknown,
        Self::Selected,
        Self::Marked,
        Self::Key,
        Self::Good,
        Self::Bad,
        Self::Money,
        Self::Live,
        Self::Demo,
        Self::Test,
        Self::Chart,
        Self::Input,
        Self::Warning,
    ];

    /// Names the role as a theme file does.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Title => "title",
            Self::Border => "border",
            Self::BorderFocused => "border-focused",
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Unknown => "unknown",
            Self::Selected => "selected",
            Self::Marked => "marked",
            Self::Key => "key",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Money => "money",
            Self::Live => "live",
            Self::Demo => "demo",
            Self::Test => "test",
            Self::Chart => "chart",
            Self::Input => "input",
            Self::Warning => "warning",
        }
    }
}

/// The themes that come with the program: the name on the command line, and the file.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("sixteen", include_str!("../../../themes/sixteen.toml")),
];

/// One style for each role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub title: String,
    /// The background it was made for; none where it is right on both.
    pub background: Option<Background>,
    styles: BTreeMap<Role, Style>,
}

impl Theme {
    /// Needs no colour at all, only bold, underlined and reversed text.
    pub fn plain() -> Self {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        let underlined = Style::new().add_modifier(Modifier::UNDERLINED);
        let styles = Role::ALL
            .into_iter()
            .map(|role| {
                let style = match role {
                    Role::Text
                    | Role::Border
                    | Role::Green
                    | Role::Unknown
                    | Role::Good
                    | Role::Money
                    | Role::Demo
                    | Role::Chart => Style::new(),
                    Role::Muted => Style::new().add_modifier(Modifier::DIM),
                    Role::Title
                    | Role::BorderFocused
                    | Role::Yellow
                    | Role::Selected
                    | Role::Marked
                    | Role::Key
                    | Role::Bad
                    | Role::Test
                    | Role::Warning => bold,
                    Role::Red | Role::Live => reversed.patch(bold),
                    Role::Input => underlined,
                };
                (role, style)
            })
            .collect();
        Self { title: "Plain".into(), background: None, styles }
    }

    /// A theme of [`BUILT_IN`]; none when the name is not there.
    pub fn built_in(name: &str) -> Option<Self> {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Self::parse(name, text).ok()
    }

    /// The theme that suits a background when the operator has not chosen one.
    pub fn for_background(background: Background) -> Self {
        let name = match background {
            Background::Dark => "dark",
            Background::Light => "light",
        };
        Self::built_in(name).unwrap_or_else(Self::plain)
    }

    /// Reads a theme by name, or from a file where the name is a path (`./mine.toml`).
    ///
    /// # Errors
    /// Says which names exist, why a file cannot be read, or where in it the mistakes are.
    pub fn open(name: &str) -> Result<Self, ThemeError> {
        let path = Path::new(name);
        let is_file = path.components().count() > 1 || path.extension().is_some_and(|extension| extension == "toml");
        if is_file {
            let text =
                std::fs::read_to_string(path).map_err(|source| ThemeError::Unreadable { path: path.to_path_buf(), source })?;
            return Self::parse(name, &text);
        }
        if name == "plain" {
            return Ok(Self::plain());
        }
        let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).chain(["plain"]).collect();
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            return Err(ThemeError::NoSuchTheme { name: name.into(), known: names.join(", ") });
        };
        Self::parse(name, text)
    }

    /// Reads a theme from TOML; `origin` is named in the problems.
    ///
    /// # Errors
    /// All mistakes at once, each with its line and column.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ThemeError> {
        file::parse(origin, text)
    }

    /// What the role looks like; text that means nothing in particular where the theme is silent.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
        let part = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_built_in_theme_reads_and_styles_every_role() {
        for (name, text) in BUILT_IN {
            let theme = Theme::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
            for role in Role::ALL {
                assert!(theme.styles.contains_key(&role), "{name} is silent about {}", role.name());
            }
        }
    }

    #[test]
    fn a_role_is_named_in_files_as_it_names_itself() {
        for role in Role::ALL {
            let style = format!("[roles]\n{} = {{ bold = true }}\n", role.name());
            let theme = Theme::parse("t", &style).unwrap();
            assert_eq!(theme.style(role), Style::new().add_modifier(Modifier::BOLD));
        }
    }

    #[test]
    fn text_can_be_read_on_the_backgrounds_that_people_have() {
        let dark = [(0, 0, 0), (0x1e, 0x1e, 0x1e), (0x28, 0x2c, 0x34)];
        let light = [(255, 255, 255), (0xfd, 0xf6, 0xe3), (0xf5, 0xf5, 0xf5)];
        for (name, text) in BUILT_IN {
            let theme = Theme::parse(name, text).unwrap();
            let backgrounds = match theme.background {
                Some(Background::Dark) => &dark,
                Some(Background::Light) => &light,
                None => continue,
            };
            for role in Role::ALL {
                let style = theme.style(role);
                let needed = if matches!(role, Role::Border | Role::Muted | Role::Chart) { 3.0 } else { 4.5 };
                let Some(Color::Rgb(r, g, b)) = style.fg else { continue };
                let behind: Vec<_> = match style.bg {
                    Some(Color::Rgb(r, g, b)) => vec![(r, g, b)],
                    _ => backgrounds.to_vec(),
                };
                for background in behind {
                    let found = contrast((r, g, b), background);
                    assert!(found >= needed, "{name}: {} on {background:?} is {found:.2}, needs {needed}", role.name());
                }
            }
        }
    }

    #[test]
    fn the_four_severities_differ_and_live_stands_apart_in_every_theme() {
        let themes = BUILT_IN.iter().map(|(name, text)| Theme::parse(name, text).unwrap()).chain([Theme::plain()]);
        for theme in themes {
            let red = theme.style(Role::Red);
            assert_ne!(red, theme.style(Role::Yellow), "{}", theme.title);
            assert_ne!(red, theme.style(Role::Green), "{}", theme.title);
            assert_ne!(theme.style(Role::Yellow), theme.style(Role::Green), "{}", theme.title);
            assert_ne!(theme.style(Role::Live), theme.style(Role::Demo), "{}", theme.title);
            assert_ne!(theme.style(Role::Live), theme.style(Role::Test), "{}", theme.title);
        }
    }

    #[test]
    fn an_unknown_theme_says_which_there_are() {
        let said = Theme::open("drak").unwrap_err().to_string();
        assert_eq!(
            said,
            "there is no theme `drak`; there are dark, light, high-contrast, colour-blind, sixteen, plain, or the path of a file"
        );
    }
}
