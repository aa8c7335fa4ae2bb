//! Writing is locked at the start and unlocked by a key for a quarter of an hour.

use chrono::{DateTime, TimeDelta, Utc};

const OPEN_FOR: TimeDelta = TimeDelta::minutes(15);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WriteLock {
    until: Option<DateTime<Utc>>,
}

impl WriteLock {
    /// A second unlock begins the quarter of an hour anew.
    pub(super) fn open(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        let until = now + OPEN_FOR;
        self.until = Some(until);
        until
    }

    pub(super) fn close(&mut self) {
        self.until = None;
    }

    /// A clock that was set back does not keep it open for longer than it was opened for.
    pub(super) fn is_open(self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| now < until && until - now <= OPEN_FOR)
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
        let mut lock = WriteLock::default();
        assert!(!lock.is_open(now) && !lock.expire(now));
        lock.open(now);
        assert!(lock.is_open(now) && lock.is_open(now + TimeDelta::milliseconds(899_999)));
        assert!(!lock.is_open(now + OPEN_FOR) && !lock.is_open(now - TimeDelta::seconds(1)));
        assert!(lock.expire(now + OPEN_FOR) && !lock.expire(now + OPEN_FOR));
        lock.open(now);
        lock.close();
        assert_eq!(lock.until(), None);
    }
}
