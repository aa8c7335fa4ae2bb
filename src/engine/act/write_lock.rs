//! Writing is locked at the start and unlocked by a key for a while (a quarter of an hour, unless configured otherwise).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WriteLock {
    open_for: TimeDelta,
    until: Option<DateTime<Utc>>,
}

impl WriteLock {
    /// Closed.
    pub(super) fn lasting(open_for: Duration) -> Self {
        Self { open_for: TimeDelta::from_std(open_for).unwrap_or(TimeDelta::zero()), until: None }
    }

    pub(super) fn open_for(self) -> TimeDelta {
        self.open_for
    }

    /// A second unlock begins the time anew.
    pub(super) fn open(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        let until = now + self.open_for;
        self.until = Some(until);
        until
    }

    pub(super) fn close(&mut self) {
        self.until = None;
    }

    /// A clock that was set back does not keep it open for longer than it was opened for.
    pub(super) fn is_open(self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| now < until && until - now <= self.open_for)
    }

    pub(super) fn until(self) -> Option<DateTime<Utc>> {
        self.until
    }

    /// Closes it when its time is over; answers whether it just did.
    pub(super) fn expire(&mut self, now: DateTime<Utc>) -> bool {
        let is_over = self.until.is_some() && !self.is_open(now);
        if is_over {
            self.until = None;
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_open_for_a_quarter_of_an_hour_and_no_longer() {
        let now: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        let open_for = TimeDelta::minutes(15);
        let mut lock = WriteLock::lasting(Duration::from_mins(15));
        assert!(!lock.is_open(now) && !lock.expire(now));
        lock.open(now);
        assert!(lock.is_open(now) && lock.is_open(now + TimeDelta::milliseconds(899_999)));
        assert!(!lock.is_open(now + open_for) && !lock.is_open(now - TimeDelta::seconds(1)));
        assert!(lock.expire(now + open_for) && !lock.expire(now + open_for));
        lock.open(now);
        lock.close();
        assert_eq!(lock.until(), None);
    }
}
