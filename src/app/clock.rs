//! The cockpit's clock: the machine's, moved once a demo town has said at which moment it stands.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::Clock;

#[derive(Debug, Default)]
pub struct CockpitClock {
    ahead_ms: AtomicI64,
}

impl CockpitClock {
    pub fn move_ahead(&self, ahead: TimeDelta) {
        self.ahead_ms.store(ahead.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for CockpitClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead()
    }

    fn ahead(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed))
    }
}
