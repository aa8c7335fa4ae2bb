//! Colours by meaning, never by widget.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A style for every role.
#[derive(Clone, Debug, Default)]
pub struct Theme {
    colours: bool,
}

impl Theme {
    /// The terminal's own sixteen colours.
    pub fn plain() -> Self {
        Self { colours: true }
    }

    pub fn style(&self, role: Role) -> Style {
        let style = Style::new();
        if !self.colours {
            return style;
        }
        match role {
            Role::Text => style,
            Role::Muted | Role::Border => style.fg(Color::DarkGray),
            Role::Title | Role::Money => style.add_modifier(Modifier::BOLD),
            Role::BorderFocused | Role::Key | Role::Chart => style.fg(Color::Cyan),
            Role::Red | Role::Bad => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            Role::Yellow | Role::Warning => style.fg(Color::Yellow),
            Role::Green | Role::Good => style.fg(Color::Green),
            Role::Unknown => style.fg(Color::Magenta),
            Role::Selected => style.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            Role::Marked => style.fg(Color::Blue).add_modifier(Modifier::BOLD),
            Role::Live => style.fg(Color::Red).add_modifier(Modifier::REVERSED),
            Role::Demo => style.fg(Color::Green).add_modifier(Modifier::REVERSED),
            Role::Test => style.fg(Color::Yellow).add_modifier(Modifier::REVERSED),
            Role::Input => style.add_modifier(Modifier::UNDERLINED),
        }
    }
}
