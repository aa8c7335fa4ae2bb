//! What answers at the other end of a connection, and as whom we are known there.

use chrono::{DateTime, TimeDelta, Utc};

use super::text::Text;

/// Clocks that differ by less are as good as equal.
const TOLERATED: TimeDelta = TimeDelta::seconds(2);

/// What a connection was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What answers (`PostgreSQL 15.6`, `SQLite 3.46.1`, `Stripe 2026-02-25`).
    pub system: Text,
    /// As whom and where we are there, as label and words (`role`, `database`, `account`, `answers`).
    pub facts: Vec<(&'static str, Text)>,
    pub clock: Option<ToldTime>,
}

/// Its clock at the moment of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldTime {
    pub now: DateTime<Utc>,
    /// A clock that tells full seconds may be so much further.
    pub unit: TimeDelta,
}

impl ToldTime {
    /// How far it is ahead of this machine's clock, between whose readings it answered; negative where it is behind,
    /// zero where the answer's own time explains the difference.
    pub fn ahead(self, asked: DateTime<Utc>, answered: DateTime<Utc>) -> TimeDelta {
        if self.now > answered {
            self.now - answered
        } else if self.now + self.unit < asked {
            self.now + self.unit - asked
        } else {
            TimeDelta::zero()
        }
    }
}

/// True where a clock is so far off that what is judged by it goes wrong.
pub fn is_off(ahead: TimeDelta) -> bool {
    ahead.abs() > TOLERATED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_what_neither_the_answers_time_nor_its_unit_explain() {
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let ahead = |now, unit| ToldTime { now: at(now), unit: TimeDelta::seconds(unit) }.ahead(at(100), at(110)).num_seconds();
        assert_eq!([ahead(105, 0), ahead(112, 0), ahead(113, 0), ahead(40, 0)], [0, 2, 3, -60]);
        assert_eq!([ahead(99, 1), ahead(98, 1)], [0, -1], "what was cut off its seconds is not behind");
        assert!(!is_off(TimeDelta::seconds(-2)) && is_off(TimeDelta::seconds(3)) && is_off(TimeDelta::seconds(-60)));
    }
}
