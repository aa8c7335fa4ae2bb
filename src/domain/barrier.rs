//! What keeps the cockpit from writing anything, for as long as it is so. Never stored: the next start may be free of it.

use super::text::Text;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The payment key is another account's than the pack pins.
    WrongAccount(Text),
    /// The payment key is of the other mode: test or live.
    WrongMode(Text),
    /// The audit chain does not hold.
    ChainBroken(Text),
    /// The record could not be written.
    Unwritable(Text),
    /// Another cockpit writes the record.
    HeldElsewhere(Text),
    /// It was opened to look only.
    ReadOnly(Text),
}

impl Barrier {
    /// What stands in the header for as long as it is so.
    pub fn word(&self) -> &'static str {
        match self {
            Self::WrongAccount(_) => "WRONG ACCOUNT",
            Self::WrongMode(_) => "WRONG MODE",
            Self::ChainBroken(_) => "CHAIN BROKEN",
            Self::Unwritable(_) => "JOURNAL FAILS",
            Self::HeldElsewhere(_) => "HELD ELSEWHERE",
            Self::ReadOnly(_) => "READ-ONLY",
        }
    }

    pub fn why(&self) -> &Text {
        match self {
            Self::WrongAccount(why)
            | Self::WrongMode(why)
            | Self::ChainBroken(why)
            | Self::Unwritable(why)
            | Self::HeldElsewhere(why)
            | Self::ReadOnly(why) => why,
        }
    }

    /// What the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::WrongAccount(_) => {
                "What is shown may be another business's. Quit, put the key or the pack right, and start again"
            }
            Self::WrongMode(_) => {
                "Test data is no business's, and real money is no test. Quit, put the key or `livemode` in the pack right, and start again"
            }
            Self::ChainBroken(_) => "Quit, let `wheelhouse journal verify` say where it is broken, and restore the record",
            Self::Unwritable(_) => "Make room, or let go of the file; unlocking tries again and settles what was under way",
            Self::HeldElsewhere(_) => "Quit the other cockpit, then start this one again",
            Self::ReadOnly(_) => "Start without `--read-only` to write",
        }
    }

    /// True where not even a note could be kept.
    pub fn keeps_no_record(&self) -> bool {
        match self {
            Self::ChainBroken(_) | Self::HeldElsewhere(_) | Self::ReadOnly(_) => true,
            Self::WrongAccount(_) | Self::WrongMode(_) | Self::Unwritable(_) => false,
        }
    }

    /// False where the operator wanted it so, or another cockpit does the writing.
    pub fn is_alarm(&self) -> bool {
        match self {
            Self::WrongAccount(_) | Self::WrongMode(_) | Self::ChainBroken(_) | Self::Unwritable(_) => true,
            Self::HeldElsewhere(_) | Self::ReadOnly(_) => false,
        }
    }
}
