//! How fast Stripe is asked: well below its own limit, and slower for a while where it says that it is busy.
//!
//! One account's limit is shared by everything that uses it, the shop's own checkout first: the cockpit stands back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Twenty a second; Stripe takes 25 in test mode and 100 in live mode.
const GAP: Duration = Duration::from_millis(50);
/// So many may go at once after a rest.
const BURST: u32 = 10;
const SLOWEST: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Pace(Mutex<Budget>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Budget { even: Instant::now(), gap: GAP }))
    }

    /// Returns when the next request may go.
    pub(super) async fn turn(&self) {
        let at = self.budget().turn(Instant::now());
        sleep_until(at).await;
    }

    /// Stripe is busy: nothing goes before `wait` is over, and then half as much as before.
    pub(super) fn back_off(&self, wait: Duration) {
        self.budget().back_off(Instant::now() + wait);
    }

    /// It answered: a little faster again.
    pub(super) fn goes_well(&self) {
        self.budget().goes_well();
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Budget {
    /// When the next one goes where nothing is saved up.
    even: Instant,
    gap: Duration,
}

impl Budget {
    fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.even.checked_sub(self.gap * BURST).map_or(now, |turn| turn.max(now));
        self.even = self.even.max(now) + self.gap;
        turn
    }

    fn back_off(&mut self, until: Instant) {
        self.gap = (self.gap * 2).min(SLOWEST);
        self.even = self.even.max(until + self.gap * BURST);
    }

    fn goes_well(&mut self) {
        self.gap = self.gap.mul_f64(0.9).max(GAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds after which each of so many that come together gets its turn.
    fn turns(budget: &mut Budget, now: Instant, count: usize) -> Vec<u128> {
        (0..count).map(|_| (budget.turn(now) - now).as_millis()).collect()
    }

    #[test]
    fn a_few_go_at_once_and_then_twenty_a_second() {
        let now = Instant::now();
        let mut budget = Budget { even: now, gap: GAP };
        let first = turns(&mut budget, now, 51);
        assert_eq!(first.iter().filter(|at| **at == 0).count(), BURST as usize + 1);
        assert_eq!(first.last(), Some(&2_000));
        let rested = now + Duration::from_mins(1);
        assert_eq!(turns(&mut budget, rested, 11), [0; 11]);
    }

    #[test]
    fn a_busy_stripe_is_left_alone_and_then_asked_half_as_often_until_it_answers() {
        let now = Instant::now();
        let mut budget = Budget { even: now, gap: GAP };
        budget.back_off(now + Duration::from_secs(3));
        assert_eq!(turns(&mut budget, now, 3), [3_000, 3_100, 3_200]);
        for _ in 0..20 {
            budget.goes_well();
        }
        assert_eq!(budget.gap, GAP);
        for _ in 0..20 {
            budget.back_off(now);
        }
        assert_eq!(budget.gap, SLOWEST);
    }
}
