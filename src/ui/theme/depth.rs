//! How many colours the terminal shows, and what a colour becomes on fewer.

use std::io::IsTerminal;

use ratatui::style::Color;
use termprofile::{DetectorSettings, TermProfile};

/// Ordered from none to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Bold, underlined and reversed text only (`NO_COLOR`).
    None,
    Sixteen,
    Indexed,
    Full,
}

impl Depth {
    /// Judges by the environment alone; asks the terminal nothing and starts no other program.
    pub fn of(output: &impl IsTerminal) -> Self {
        let settings = DetectorSettings::new().enable_tmux_info(false);
        Self::from_profile(TermProfile::detect(output, settings))
    }

    fn from_profile(profile: TermProfile) -> Self {
        match profile {
            TermProfile::NoTty | TermProfile::NoColor => Self::None,
            TermProfile::Ansi16 => Self::Sixteen,
            TermProfile::Ansi256 => Self::Indexed,
            TermProfile::TrueColor => Self::Full,
        }
    }

    /// The nearest colour that the terminal has.
    pub fn adapt(self, colour: Color) -> Color {
        let profile = match self {
            Self::None => return Color::Reset,
            Self::Full => return colour,
            Self::Sixteen => TermProfile::Ansi16,
            Self::Indexed => TermProfile::Ansi256,
        };
        match colour {
            Color::Rgb(..) | Color::Indexed(_) => profile.adapt_color(colour).unwrap_or(Color::Reset),
            named => named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_colours_keep_the_meaning_and_none_keeps_none() {
        let red = Color::Rgb(0xff, 0x40, 0x40);
        assert_eq!(Depth::Full.adapt(red), red);
        assert!(matches!(Depth::Indexed.adapt(red), Color::Indexed(_)));
        assert!(matches!(Depth::Sixteen.adapt(red), Color::Red | Color::LightRed), "{:?}", Depth::Sixteen.adapt(red));
        assert_eq!(Depth::None.adapt(red), Color::Reset);
        assert_eq!(Depth::None.adapt(Color::Red), Color::Reset);
        assert_eq!(Depth::Sixteen.adapt(Color::Cyan), Color::Cyan);
    }
}
