//! Which theme to begin with: what the operator said, else what the environment tells, else one that is right anywhere.

use super::{Background, Theme, ThemeError};

/// The theme of the first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub theme: Theme,
    /// Whether the terminal is to be asked for its background, after the first frame; its answer picks the theme then.
    pub asks_background: bool,
}

impl Choice {
    /// Chooses by name; `auto` lets the background decide. `colorfgbg` is the variable of that name.
    ///
    /// Unasked, the terminal is not asked either: an answer costs a round trip, and the terminal's own sixteen colours
    /// are right on light and dark.
    ///
    /// # Errors
    /// Those of [`Theme::open`].
    pub fn of(name: Option<&str>, colorfgbg: Option<&str>) -> Result<Self, ThemeError> {
        let known = colorfgbg.and_then(Background::from_colorfgbg);
        let theme = match (name, known) {
            (Some(name), _) if name != "auto" => return Ok(Self { theme: Theme::open(name)?, asks_background: false }),
            (_, Some(background)) => Theme::for_background(background),
            (_, None) => Theme::open("sixteen")?,
        };
        Ok(Self { theme, asks_background: name.is_some() && known.is_none() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_wins_and_a_question_is_asked_only_when_told() {
        let cases = [
            (None, None, "Sixteen colours", false),
            (None, Some("15;0"), "Dark", false),
            (None, Some("0;15"), "Light", false),
            (Some("auto"), None, "Sixteen colours", true),
            (Some("auto"), Some("0;15"), "Light", false),
            (Some("colour-blind"), Some("0;15"), "Colour-blind safe", false),
            (Some("plain"), None, "Plain", false),
        ];
        for (name, colorfgbg, title, asks) in cases {
            let choice = Choice::of(name, colorfgbg).unwrap();
            assert_eq!((choice.theme.title.as_str(), choice.asks_background), (title, asks), "{name:?} {colorfgbg:?}");
        }
        assert!(Choice::of(Some("drak"), None).is_err());
    }
}
