//! Spans of time as a person says them.

use chrono::{DateTime, TimeDelta, Utc};

/// The clock of the machine and that of an outside system may differ by so much before a time is called impossible.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// `45s`, `22m`, `1h03m`, `2d 21h`, `12d`: two units at most, never negative.
pub fn span(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m"),
        3_600..86_400 => format!("{hours}h{minutes:02}m"),
        86_400..604_800 if hours > 0 => format!("{days}d {hours}h"),
        _ => format!("{days}d"),
    }
}

/// The age of something at `now`; something from the future (a clock that is ahead) has age 0.
pub fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> String {
    span(now - since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_a_person_says_them() {
        for (seconds, said) in [
            (-5, "0s"),
            (45, "45s"),
            (60, "1m"),
            (3_599, "59m"),
            (3_780, "1h03m"),
            (86_400, "1d"),
            (248_400, "2d 21h"),
            (1_036_800, "12d"),
        ] {
            assert_eq!(span(TimeDelta::seconds(seconds)), said);
        }
    }
}
