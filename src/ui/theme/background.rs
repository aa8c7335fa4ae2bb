//! Whether the terminal is light or dark, as far as it is known without waiting for an answer.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    Dark,
    Light,
}

impl Background {
    /// Reads `COLORFGBG` (`foreground;background`, sometimes with a part between), which some terminals set.
    pub fn from_colorfgbg(value: &str) -> Option<Self> {
        let index: u8 = value.rsplit(';').next()?.trim().parse().ok()?;
        match index {
            7 | 9..=15 => Some(Self::Light),
            0..=6 | 8 => Some(Self::Dark),
            _ => None,
        }
    }

    /// Judges a colour by its perceived lightness.
    pub fn of(red: u8, green: u8, blue: u8) -> Self {
        let weighed = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
        if weighed >= 128_000 { Self::Light } else { Self::Dark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colorfgbg_is_read_where_it_makes_sense() {
        let cases = [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;7", Some(Background::Light)),
            ("12;8", Some(Background::Dark)),
            ("default;default", None),
            ("", None),
            ("0;99", None),
        ];
        for (value, expected) in cases {
            assert_eq!(Background::from_colorfgbg(value), expected, "{value:?}");
        }
    }

    #[test]
    fn solarized_is_told_apart() {
        assert_eq!(Background::of(0xfd, 0xf6, 0xe3), Background::Light);
        assert_eq!(Background::of(0x00, 0x2b, 0x36), Background::Dark);
    }
}
