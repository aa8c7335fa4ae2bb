//! Whether anything may be changed now, and why not.

use chrono::{DateTime, Utc};

use super::Model;
use crate::domain::{barrier::Barrier, recovery::Recovery};

impl Model {
    /// What keeps this cockpit from writing, once the engine has said so.
    pub fn barrier(&self) -> Option<&Barrier> {
        self.snapshot.as_ref()?.barrier.as_ref()
    }

    /// The sentence for a key that would change something, where nothing may be; whether it is an alarm.
    pub fn barred(&self) -> Option<(String, bool)> {
        match self.barrier() {
            Some(Barrier::ReadOnly(_)) => Some(("this cockpit is read-only".to_owned(), false)),
            Some(barrier) => Some((format!("nothing is written: {}", barrier.why().one_line()), barrier.is_alarm())),
            None => self.shown.read_only.then(|| ("this cockpit is read-only".to_owned(), false)),
        }
    }

    /// True where not even a note could be kept.
    pub fn keeps_no_record(&self) -> bool {
        self.shown.read_only || self.barrier().is_some_and(Barrier::keeps_no_record)
    }

    pub fn is_unlocked(&self) -> bool {
        self.barred().is_none() && self.unlocked_until.is_some_and(|until| until > self.now)
    }

    /// Whether a question that opened then takes keys now.
    pub fn listens(&self, opened_at: DateTime<Utc>) -> bool {
        self.now - opened_at >= self.shown.listens_after
    }

    /// What an earlier run left, where there was anything.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.snapshot.as_ref()?.recovery.as_deref()
    }

    /// True while what an earlier run left is looked for: nothing else is written until then.
    pub fn is_recovering(&self) -> bool {
        self.recovery().is_some_and(|recovery| recovery.ended_at.is_none())
    }
}
