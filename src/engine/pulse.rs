//! The beat of one watched thing: when it is due, whether it is being looked at, how often it failed.

use std::time::Duration;

use tokio::time::Instant;

use super::schedule;

#[derive(Debug)]
pub struct Pulse {
    pub every: Duration,
    due: Instant,
    failures: u32,
    in_flight: bool,
    /// Asked for while a look was in flight: that look may have begun before what the operator did.
    wanted: bool,
}

impl Pulse {
    pub fn new(every: Duration, now: Instant) -> Self {
        Self { every, due: now, failures: 0, in_flight: false, wanted: false }
    }

    /// The moment at which it wants to be looked at; none while it is.
    pub fn due(&self) -> Option<Instant> {
        (!self.in_flight).then_some(self.due)
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Whether it is due, or so nearly that it is looked at with the others: a cockpit at rest wakes a few times a
    /// minute and not forty.
    pub fn goes_along(&self, now: Instant) -> bool {
        let early = if self.failures == 0 { self.every.mul_f64(schedule::SPREAD) } else { Duration::ZERO };
        self.due().is_some_and(|due| due <= now + early)
    }

    pub fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    pub fn started(&mut self) {
        self.in_flight = true;
        self.wanted = false;
    }

    /// A look has ended; the wait until the next.
    pub fn ended(&mut self, failed: bool, spread: f64, now: Instant) -> Duration {
        self.in_flight = false;
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        let wait = if self.wanted { Duration::ZERO } else { schedule::wait(self.every, self.failures, spread) };
        self.due = now + wait;
        wait
    }

    /// The operator wants to know now.
    pub fn want(&mut self, now: Instant) {
        if self.in_flight {
            self.wanted = true;
        } else {
            self.due = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn one_look_is_in_flight_and_one_waits() {
        let start = Instant::now();
        let mut pulse = Pulse::new(MINUTE, start);
        assert_eq!(pulse.due(), Some(start));
        pulse.started();
        assert_eq!(pulse.due(), None);
        pulse.want(start);
        pulse.want(start);
        pulse.ended(false, 0.5, start);
        assert_eq!(pulse.due(), Some(start), "what was asked for meanwhile is looked at at once");
        pulse.started();
        pulse.ended(false, 0.5, start);
        assert_eq!(pulse.due(), Some(start + MINUTE), "and only once");
    }

    #[test]
    fn what_is_due_within_a_tenth_goes_along_unless_it_fails() {
        let start = Instant::now();
        let mut pulse = Pulse::new(MINUTE, start);
        for (failed, early_seconds) in [(false, 6), (true, 0)] {
            pulse.started();
            assert!(!pulse.goes_along(start + MINUTE), "it is being looked at");
            pulse.ended(failed, 0.5, start);
            let early = start + MINUTE.saturating_sub(Duration::from_secs(early_seconds));
            assert!(pulse.goes_along(early));
            assert!(!pulse.goes_along(early.checked_sub(Duration::from_millis(1)).unwrap()));
            assert!(!pulse.is_due(start + MINUTE.saturating_sub(Duration::from_millis(1))) && pulse.is_due(start + MINUTE));
        }
    }

    #[test]
    fn a_failure_is_forgotten_with_the_next_good_answer() {
        let start = Instant::now();
        let mut pulse = Pulse::new(MINUTE, start);
        for (failed, minutes) in [(true, 1), (true, 2), (true, 4), (false, 1), (true, 1)] {
            pulse.started();
            assert_eq!(pulse.ended(failed, 0.5, start), MINUTE * minutes);
        }
    }
}
