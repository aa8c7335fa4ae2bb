//! How fast Stripe is asked: well below its own limit, and slower for a while where it says that it is busy.
//!
//! One account's limit is shared by everything that uses it, the shop's own checkout first: the cockpit stands back.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::time::{Instant, sleep_until};

/// Twenty a second; Stripe takes 25 in test mode and 100 in live mode.
const GAP: Duration = Duration::from_millis(50);
/// So many may go at once after a rest.
const BURST: u32 = 10;
const SLOWEST: Duration = Duration::from_secs(2);

/// What was used is told over so long.
const LOOKED_BACK: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Pace(Mutex<Budget>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Budget::new(Instant::now())))
    }

    /// Returns when the next request may go; at once with how long that is, where it is longer than `patience`.
    pub(super) async fn turn(&self, patience: Duration) -> Result<(), TimeDelta> {
        let at = self.budget().turn_within(Instant::now(), patience)?;
        sleep_until(at).await;
        Ok(())
    }

    /// What is asked of Stripe and how much of that is used, in words.
    pub(super) fn said(&self) -> String {
        self.budget().said(Instant::now())
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
    /// When each of the latest went, or is to go.
    turns: VecDeque<Instant>,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self { even: now, gap: GAP, turns: VecDeque::new() }
    }

    fn said(&self, now: Instant) -> String {
        let used = self.turns.iter().filter(|at| **at <= now && now - **at < LOOKED_BACK).count();
        let waiting = self.turns.iter().filter(|at| **at > now).count();
        let seconds = LOOKED_BACK.as_secs();
        let per_second = 1.0 / self.gap.as_secs_f64();
        let slowed =
            if self.gap > GAP { format!(", slowed to {per_second:.1} a second because Stripe is busy") } else { String::new() };
        let queued = if waiting > 0 { format!(", {waiting} wait for their turn") } else { String::new() };
        format!("{used} requests in the last {seconds} s, {:.0} at most{slowed}{queued}", LOOKED_BACK.as_secs_f64() * per_second)
    }

    /// Whoever does not wait takes no turn.
    fn turn_within(&mut self, now: Instant, patience: Duration) -> Result<Instant, TimeDelta> {
        let wait = self.next(now) - now;
        if wait > patience {
            return Err(TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX));
        }
        Ok(self.turn(now))
    }

    fn next(&self, now: Instant) -> Instant {
        self.even.checked_sub(self.gap * BURST).map_or(now, |turn| turn.max(now))
    }

    fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.next(now);
        self.even = self.even.max(now) + self.gap;
        self.turns.retain(|at| *at + LOOKED_BACK > now);
        self.turns.push_back(turn);
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
        let mut budget = Budget::new(now);
        let first = turns(&mut budget, now, 51);
        assert_eq!(first.iter().filter(|at| **at == 0).count(), BURST as usize + 1);
        assert_eq!(first.last(), Some(&2_000));
        let rested = now + Duration::from_mins(1);
        assert_eq!(turns(&mut budget, rested, 11), [0; 11]);
    }

    #[test]
    fn a_busy_stripe_is_left_alone_and_then_asked_half_as_often_until_it_answers() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
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

    #[test]
    fn who_would_wait_for_too_long_is_told_how_long_and_takes_no_turn() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        budget.back_off(now + Duration::from_mins(5));
        for _ in 0..3 {
            assert_eq!(budget.turn_within(now, Duration::from_secs(8)), Err(TimeDelta::minutes(5)));
        }
        let later = now + Duration::from_secs(295);
        assert_eq!(budget.turn_within(later, Duration::from_secs(8)), Ok(now + Duration::from_mins(5)));
    }

    #[test]
    fn what_is_used_waits_and_was_slowed_is_told() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        turns(&mut budget, now, 13);
        assert_eq!(budget.said(now), "11 requests in the last 10 s, 200 at most, 2 wait for their turn");
        let later = now + Duration::from_secs(5);
        assert_eq!(budget.said(later), "13 requests in the last 10 s, 200 at most");
        budget.back_off(later);
        assert_eq!(
            budget.said(later),
            "13 requests in the last 10 s, 100 at most, slowed to 10.0 a second because Stripe is busy"
        );
        assert_eq!(budget.said(now + Duration::from_mins(1)).split(' ').next(), Some("0"));
    }
}
