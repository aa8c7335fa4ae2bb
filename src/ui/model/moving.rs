//! What changes on the screen by itself: countdowns, and the text that follows a selection once it rests.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::Model;
use crate::ui::place::{Pane, Thing};

/// After this long without a key the text about the selected row follows it. A move alone is then a few bytes, also where
/// the text is thousands, and a held key crosses a list on the thinnest line.
const REST: TimeDelta = TimeDelta::milliseconds(275);

/// A selection on the move: the text about it stays with the row from which it set out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moving {
    pane: Pane,
    from: Option<Thing>,
    rests_at: DateTime<Utc>,
}

impl Model {
    /// True while a text counts seconds: something is held, a batch or a command runs.
    pub fn counts_seconds(&self, now: DateTime<Utc>) -> bool {
        let batch = self.snapshot.as_ref().and_then(|snapshot| snapshot.batch.as_ref());
        !self.receipts.held(now).is_empty()
            || self.running().next().is_some()
            || batch.is_some_and(|batch| batch.ended_at.is_none() && !batch.paused)
    }

    /// When a shown text changes by itself, counted from the last message; a tick is due then.
    pub fn next_tick(&self) -> DateTime<Utc> {
        let step = if self.counts_seconds(self.now) { TimeDelta::seconds(1) } else { TimeDelta::minutes(1) };
        let turn = self.now.duration_trunc(step).unwrap_or(self.now) + step;
        self.moving.as_ref().map_or(turn, |moving| moving.rests_at.min(turn))
    }

    /// The selection of a pane has left the thing on which it stood.
    pub(in crate::ui) fn moved(&mut self, pane: Pane, from: Option<Thing>) {
        let rests_at = self.now + REST;
        match &mut self.moving {
            Some(moving) if moving.pane == pane => moving.rests_at = rests_at,
            Some(_) | None => self.moving = Some(Moving { pane, from, rests_at }),
        }
    }

    /// Somewhere else nothing is on the way from where the operator was.
    pub(in crate::ui) fn arrived(&mut self) {
        self.moving = None;
    }

    /// Lets the text follow the selection, once that has stood still.
    pub(in crate::ui) fn rest(&mut self) {
        if let Some(moving) = self.moving.take_if(|moving| moving.rests_at <= self.now) {
            self.touch_selection(moving.pane);
        }
    }

    /// What the text beside a pane's rows is about: its selected row, or on the way there the one before.
    pub fn told(&self, pane: Pane) -> Option<Thing> {
        match &self.moving {
            Some(moving) if moving.pane == pane => moving.from.clone(),
            Some(_) | None => self.cursor(pane).thing,
        }
    }
}
