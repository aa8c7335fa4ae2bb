//! How long readings have been on one side of a limit. Only time between two readings in sight of each other counts:
//! what happened while it could not look, nobody knows.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SideClock {
    /// The side of the limit that the last reading was on.
    pub beyond: bool,
    /// The first reading on this side.
    pub since: DateTime<Utc>,
    held_ms: i64,
}

impl SideClock {
    /// The clock after a reading at `at`; `seen_for` is the time since the reading before it, zero where it was blind
    /// between the two.
    #[must_use]
    pub fn read(previous: Option<&Self>, beyond: bool, at: DateTime<Utc>, seen_for: TimeDelta) -> Self {
        match previous {
            Some(clock) if clock.beyond == beyond => {
                Self { held_ms: clock.held_ms.saturating_add(seen_for.num_milliseconds().max(0)), ..clock.clone() }
            }
            Some(_) | None => Self { beyond, since: at, held_ms: 0 },
        }
    }

    pub fn held(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.held_ms)
    }

    pub fn has_been(&self, beyond: bool, span: TimeDelta) -> bool {
        self.beyond == beyond && self.held() >= span
    }
}
