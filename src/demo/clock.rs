//! The town's clock: the machine's, moved so that a demo can stand at a chosen moment.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TownClock {
    ahead: TimeDelta,
}

impl TownClock {
    pub fn ahead_by(ahead: TimeDelta) -> Self {
        Self { ahead }
    }

    /// A clock that shows `at` at this moment.
    pub fn standing_at(at: DateTime<Utc>) -> Self {
        Self { ahead: at - Utc::now() }
    }

    pub fn ahead(self) -> TimeDelta {
        self.ahead
    }

    pub fn now(self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    /// As the demo databases hold times: UTC, to the second, so that text compares as time does.
    pub fn stamp(self) -> String {
        stamp(self.now())
    }
}

pub fn stamp(at: DateTime<Utc>) -> String {
    at.round_subsecs(0).format("%Y-%m-%d %H:%M:%S").to_string()
}
