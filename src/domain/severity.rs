//! How bad a reading is. Unknown stands above Green: what could not be read is never shown as well.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Green,
    #[default]
    Unknown,
    Yellow,
    Red,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Red, Self::Yellow, Self::Unknown, Self::Green];

    /// The letter that carries the meaning where colour does not reach.
    pub fn letter(self) -> char {
        match self {
            Self::Green => 'G',
            Self::Unknown => '?',
            Self::Yellow => 'Y',
            Self::Red => 'R',
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Unknown => "unknown",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}
