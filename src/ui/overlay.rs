//! What lies over the panes and takes the keys.

use chrono::{DateTime, Utc};
use ratatui_textarea::TextArea;

use super::{dialog::Dialog, field::Field, palette::Palette};
use crate::domain::{
    id::Id,
    pack::Reconciliation,
    plan::{ActionId, Receipt, Standing},
    reconcile::Gist,
    snapshot::Subject,
};

#[derive(Clone, Debug)]
pub enum Overlay {
    Help {
        scroll: usize,
    },
    Palette(Palette),
    Dialog(Box<Dialog>),
    Note {
        subject: Subject,
        title: String,
        area: Box<TextArea<'static>>,
    },
    Snooze {
        subject: Subject,
        title: String,
    },
    SignOff(SignOff),
    Doubt(Doubt),
    Recovery(RecoveryPage),
    Errors {
        scroll: usize,
    },
    /// Something is held or under way: is it to end here?
    Quit {
        opened_at: DateTime<Utc>,
    },
    /// A command runs: is it to be stopped?
    StopRun {
        plan: ActionId,
        opened_at: DateTime<Utc>,
    },
    /// The effect under way is being finished.
    Stopping,
}

/// The acts of which nobody knows whether they happened; one of them is about to be decided.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// Which of them. Their order changes with every look outside, so that no place in it would tell.
    pub plan: ActionId,
    /// Its standing and the steps that were through when it was read: with them, what a verdict means.
    pub seen: (Standing, usize),
    pub typed: Field,
    pub opened_at: DateTime<Utc>,
    /// The row of the recovery's screen to which it goes back.
    pub returns: Option<usize>,
}

impl Doubt {
    pub fn about(act: &Receipt, now: DateTime<Utc>) -> Self {
        let seen = (act.standing, act.steps_done);
        Self { plan: act.plan.clone(), seen, typed: Field::default(), opened_at: now, returns: None }
    }
}

/// What an earlier run left: one of its acts or batches is selected.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoveryPage {
    /// The acts come first, then the batches.
    pub at: usize,
    /// Lines read on from there.
    pub scroll: usize,
    pub opened_at: DateTime<Utc>,
}

impl RecoveryPage {
    pub fn select(&mut self, at: usize) {
        (self.at, self.scroll) = (at, 0);
    }
}

/// What is typed to decide, and what it says.
pub const VERDICTS: [(&str, bool); 2] = [("happened", true), ("not happened", false)];

/// A statement about to be signed off.
#[derive(Clone, Debug)]
pub struct SignOff {
    pub reconciliation: Id<Reconciliation>,
    /// What it says, as it is shown.
    pub seen: Gist,
    pub title: String,
    pub note: Field,
    pub opened_at: DateTime<Utc>,
}

/// Ways to snooze: the key, the words, how long; no time is until the next session.
pub const SNOOZES: [(char, &str, Option<u64>); 5] = [
    ('1', "15 minutes", Some(15 * 60)),
    ('2', "1 hour", Some(3_600)),
    ('3', "4 hours", Some(4 * 3_600)),
    ('4', "1 day", Some(86_400)),
    ('5', "until the next session", None),
];
