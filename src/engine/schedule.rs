//! When to look next: at each thing's own interval, spread out, and ever less often while it fails.

use std::time::Duration;

/// A failing source is asked at most this many times less often.
const SLOWEST: u32 = 8;

/// How far from its interval a look may come, as a part of it.
pub const SPREAD: f64 = 0.1;

/// The wait before the next look. `failures` is the number of looks in a row that failed, `spread` is in `[0, 1)`.
///
/// A look that went well comes again after its interval, give or take a tenth, so that many cockpits do not ask
/// one database in the same second. A failing one doubles its wait up to eight intervals, but never beyond five minutes: an operator
/// who has just mended something should not wait longer for the cockpit to notice.
pub fn wait(every: Duration, failures: u32, spread: f64) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1)).min(SLOWEST);
    let patience = Duration::from_mins(5).max(every);
    let base = if failures == 0 { every } else { every.saturating_mul(factor).min(patience) };
    base.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * spread.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_healthy_source_is_asked_at_its_interval_give_or_take_a_tenth() {
        assert_eq!(wait(MINUTE, 0, 0.0), Duration::from_secs(54));
        assert_eq!(wait(MINUTE, 0, 0.5), MINUTE);
        assert_eq!(wait(MINUTE, 0, 1.0), Duration::from_secs(66));
    }

    #[test]
    fn the_first_failure_is_asked_again_at_the_same_interval_and_later_ones_ever_less_often() {
        let waits: Vec<u64> = (1..8).map(|failures| wait(Duration::from_secs(30), failures, 0.5).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 240, 240, 240]);
    }

    #[test]
    fn nobody_waits_more_than_five_minutes_to_see_a_mended_source() {
        assert_eq!(wait(MINUTE, 30, 0.5), Duration::from_mins(5));
        assert_eq!(wait(Duration::from_hours(1), 30, 0.5), Duration::from_hours(1));
    }
}
