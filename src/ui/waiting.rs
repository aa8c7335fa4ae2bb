//! Questions under way: an answer nobody waits for any more is dropped here.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyEvent;

use super::{
    field::Field,
    place::{Place, Thing},
};
use crate::{
    domain::{
        id::Id,
        pack::{Action, Reconciliation},
        plan::Target,
        snapshot::Subject,
    },
    engine::message::Ask,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// The preview for the open dialog.
    Dialog,
    /// The preview for an act that needs no dialog where all is as expected.
    Quick {
        action: Id<Action>,
        target: Target,
    },
    /// What taking back would do.
    TakeBack,
    /// A commit, in words.
    Commit(String),
    /// A sign-off, in words, with the note: where it is refused, nobody types that again.
    SignOff {
        what: String,
        reconciliation: Id<Reconciliation>,
        note: Field,
    },
    History(Subject),
    Journal,
}

/// Writing is being unlocked; the key that came before the answer is taken once it is there.
#[derive(Clone, Debug)]
pub struct Unlocking {
    pub asked_at: DateTime<Utc>,
    /// With the place and the row for which it was meant. At most one: the last.
    pub next: Option<(KeyEvent, Place, Option<Thing>)>,
}

/// An answer that takes longer than this unlocks, and nothing else: the operator has gone on meanwhile.
const SOON: TimeDelta = TimeDelta::seconds(3);

impl Unlocking {
    pub fn is_soon(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..SOON).contains(&(now - self.asked_at))
    }
}

#[derive(Clone, Debug, Default)]
pub struct Questions {
    last: u64,
    open: Vec<(Ask, Waiting)>,
}

/// Questions without an answer that are remembered; the oldest is given up beyond that.
const OPEN: usize = 256;

impl Questions {
    pub fn ask(&mut self, waiting: Waiting) -> Ask {
        // A new preview, history or page replaces the one asked for before.
        match waiting {
            Waiting::Dialog | Waiting::History(_) | Waiting::Journal => {
                let kind = std::mem::discriminant(&waiting);
                self.open.retain(|(_, other)| std::mem::discriminant(other) != kind);
            }
            Waiting::Quick { .. } | Waiting::TakeBack | Waiting::Commit(_) | Waiting::SignOff { .. } => {}
        }
        self.last += 1;
        if self.open.len() >= OPEN {
            self.open.remove(0);
        }
        self.open.push((Ask(self.last), waiting));
        Ask(self.last)
    }

    /// The question that this answers, once.
    pub fn answered(&mut self, ask: Ask) -> Option<Waiting> {
        let at = self.open.iter().position(|(open, _)| *open == ask)?;
        Some(self.open.remove(at).1)
    }

    pub fn forget_dialog(&mut self) {
        self.open.retain(|(_, waiting)| *waiting != Waiting::Dialog);
    }

    pub fn commits(&self) -> usize {
        self.open.iter().filter(|(_, waiting)| matches!(waiting, Waiting::Commit(_) | Waiting::Quick { .. })).count()
    }

    pub fn is_looking_for(&self, subject: &Subject) -> bool {
        self.open.iter().any(|(_, waiting)| *waiting == Waiting::History(subject.clone()))
    }
}
