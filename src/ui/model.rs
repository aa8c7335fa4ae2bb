//! All that the screen knows. Written by `update` alone, read by `view`.

mod moving;
mod writing;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyEvent;

use moving::Moving;

use super::{
    cursor::Cursor,
    field::Field,
    figures::Figures,
    keymap::Keymap,
    notice::Notices,
    outputs::{Output, Outputs},
    overlay::Overlay,
    period::Period,
    place::{Pane, Place, Thing, Trail},
    receipts::Receipts,
    view::layout,
    waiting::{Questions, Unlocking},
    work::Work,
};
use crate::domain::{
    id::Id,
    pack::{self, Pack, Queue, Reconciliation},
    plan::{Receipt, Standing, Target},
    severity::Severity,
    snapshot::{Alert, Discrepancy, Flip, Item, JournalLine, Look, Snapshot, Subject},
    text::Text,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Live,
    Test,
    Demo,
}

impl Mode {
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "LIVE",
            Self::Test => "TEST",
            Self::Demo => "DEMO",
        }
    }
}

/// What does not change while the cockpit is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub mode: Mode,
    /// The account that money moves in (`acct_1DTD`).
    pub account: Option<String>,
    pub operator: String,
    pub read_only: bool,
    /// No character outside ASCII.
    pub ascii: bool,
    /// The host, where the screen comes over SSH.
    pub ssh: Option<String>,
    /// A question takes no key sooner after it opened: that one was meant for what was on the screen before.
    pub listens_after: TimeDelta,
}

/// History that was answered: whose, its changes, its notes.
#[derive(Clone, Debug, Default)]
pub struct Histories(pub HashMap<Subject, (Vec<Flip>, Vec<JournalLine>)>);

#[derive(Debug)]
pub struct Model {
    pub pack: Arc<Pack>,
    pub shown: Shown,
    pub snapshot: Option<Arc<Snapshot>>,
    pub keymap: Keymap,
    pub size: (u16, u16),
    pub place: Place,
    pub trail: Trail,
    pub cursors: BTreeMap<Pane, Cursor>,
    pub works: BTreeMap<Id<Queue>, Work>,
    pub figures: BTreeMap<Id<Queue>, Figures>,
    /// The filters of the other panes.
    pub filters: BTreeMap<Pane, String>,
    /// A filter being typed, and the one before it.
    pub typing: Option<(Field, String)>,
    pub overlay: Option<Overlay>,
    /// The selected item in full beside the list; where nobody chose, as there is room.
    pub preview: Option<bool>,
    pub shows_healthy: bool,
    /// How far a page is scrolled.
    pub scroll: usize,
    /// How much of the figures' courses is shown.
    pub period: Period,
    pub notices: Notices,
    pub receipts: Receipts,
    pub outputs: Outputs,
    pub questions: Questions,
    pub unlocking: Option<Unlocking>,
    /// The key under way, where nothing lay over the panes when it came.
    pub(super) pressed: Option<KeyEvent>,
    pub histories: Histories,
    /// Journal lines older than the snapshot's.
    pub older: Vec<JournalLine>,
    pub unlocked_until: Option<DateTime<Utc>>,
    /// The recovery that has opened its screen, by its beginning: each opens it once by itself.
    pub recovery_shown: Option<DateTime<Utc>>,
    /// Why the business could not be opened: nothing is read.
    pub unopened: Option<Text>,
    /// The operator has quit: that the engine stops is no news.
    pub is_leaving: bool,
    /// A key has been pressed: from then on a selection is somebody's, and follows its thing.
    pub is_touched: bool,
    /// The selected row that a look took away, and when: the next one stands in its place.
    pub(super) slipped: Option<(String, DateTime<Utc>)>,
    /// The note of a sign-off that was refused, for the next one of that reconciliation.
    pub(super) unsigned: Option<(Id<Reconciliation>, Field)>,
    /// What the mouse selected last, while no key came since.
    pub(super) pointed: Option<Thing>,
    /// The time of the last message.
    pub now: DateTime<Utc>,
    moving: Option<Moving>,
    changed: Changed,
}

/// What a frame drawn now would show otherwise than the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Nothing,
    /// The selection in a pane, and what is told of it there, in its preview and on the lines at the screen's edges.
    Selection(Pane),
    Anything,
}

impl Model {
    /// A screen of 80x24 until it is told its size; with the last known snapshot it can be drawn at once.
    pub fn new(pack: Arc<Pack>, shown: Shown, snapshot: Option<Arc<Snapshot>>) -> Self {
        let now = snapshot.as_ref().map_or(DateTime::UNIX_EPOCH, |snapshot| snapshot.taken_at);
        let mut model = Self {
            pack,
            shown,
            snapshot: None,
            keymap: Keymap::default(),
            size: (80, 24),
            place: Place::default(),
            trail: Trail::default(),
            cursors: BTreeMap::new(),
            works: BTreeMap::new(),
            figures: BTreeMap::new(),
            filters: BTreeMap::new(),
            typing: None,
            overlay: None,
            preview: None,
            shows_healthy: false,
            scroll: 0,
            period: Period::default(),
            notices: Notices::default(),
            receipts: Receipts::default(),
            outputs: Outputs::default(),
            questions: Questions::default(),
            unlocking: None,
            pressed: None,
            histories: Histories::default(),
            older: Vec::new(),
            unlocked_until: None,
            recovery_shown: None,
            is_leaving: false,
            is_touched: false,
            slipped: None,
            unopened: None,
            unsigned: None,
            pointed: None,
            now,
            moving: None,
            changed: Changed::Anything,
        };
        if let Some(snapshot) = snapshot {
            model.take_snapshot(snapshot);
        }
        model
    }

    /// With keys of the operator's own.
    #[must_use]
    pub fn with_keymap(mut self, keymap: Keymap) -> Self {
        self.keymap = keymap;
        self
    }

    /// True where a frame drawn now would differ from the last one.
    pub fn is_dirty(&self) -> bool {
        self.changed != Changed::Nothing
    }

    /// The frame is on the screen.
    pub fn drawn(&mut self) {
        self.changed = Changed::Nothing;
    }

    pub(super) const fn changed(&self) -> Changed {
        self.changed
    }

    pub(super) fn touch(&mut self) {
        self.changed = Changed::Anything;
    }

    pub(super) fn touch_selection(&mut self, pane: Pane) {
        self.changed = match self.changed {
            Changed::Nothing => Changed::Selection(pane),
            Changed::Selection(other) if other == pane => self.changed,
            Changed::Selection(_) | Changed::Anything => Changed::Anything,
        };
    }

    /// The severity as it may be shown: a reading that is too old is no reading.
    pub fn severity(&self, alert: &Alert) -> Severity {
        let limit = TimeDelta::from_std(alert.every * 2).unwrap_or(TimeDelta::MAX);
        if alert.looked_at.is_some_and(|at| self.now - at <= limit) { alert.severity } else { Severity::Unknown }
    }

    pub fn is_stale<T>(&self, look: &Look<T>) -> bool {
        look.is_stale(self.now)
    }

    pub fn alert(&self, subject: &Subject) -> Option<&Arc<Alert>> {
        self.snapshot.as_ref()?.alerts.iter().find(|alert| alert.subject == *subject)
    }

    pub fn discrepancy(&self, id: &Id<Reconciliation>, key: &str) -> Option<&Discrepancy> {
        let report = self.snapshot.as_ref()?.reconciliations.iter().find(|report| report.id == *id)?;
        report.look.value.as_ref()?.discrepancies.iter().find(|discrepancy| discrepancy.key == key)
    }

    pub fn line(&self, sequence: u64) -> Option<&JournalLine> {
        let snapshot = self.snapshot.as_ref()?;
        snapshot.journal.iter().chain(&self.older).find(|line| line.sequence == sequence)
    }

    pub fn queue_spec(&self, id: &Id<Queue>) -> Option<&Queue> {
        pack::find(&self.pack.queues, id)
    }

    /// The queue being worked.
    pub fn work(&self) -> Option<&Work> {
        if self.place.pane != Pane::Queues {
            return None;
        }
        self.works.get(self.place.queue.as_ref()?)
    }

    pub fn work_mut(&mut self) -> Option<&mut Work> {
        if self.place.pane != Pane::Queues {
            return None;
        }
        self.works.get_mut(self.place.queue.as_ref()?)
    }

    pub fn item(&self, queue: &Id<Queue>, key: &str) -> Option<&Arc<Item>> {
        self.works.get(queue)?.find(key)
    }

    pub fn cursor(&self, pane: Pane) -> Cursor {
        match self.work().filter(|_| pane == Pane::Queues) {
            Some(work) => work.cursor.clone(),
            None => self.cursors.get(&pane).cloned().unwrap_or_default(),
        }
    }

    pub fn cursor_mut(&mut self, pane: Pane) -> &mut Cursor {
        if pane == Pane::Queues
            && let Some(queue) = self.place.queue.clone().filter(|_| self.place.pane == Pane::Queues)
            && self.works.contains_key(&queue)
        {
            return &mut self.works.entry(queue.clone()).or_insert_with(|| Work::new(queue)).cursor;
        }
        self.cursors.entry(pane).or_default()
    }

    /// What is selected in the focused pane, or read on the open page.
    pub fn selected(&self) -> Option<Thing> {
        if let Some(page) = &self.place.page {
            return Some(page.clone());
        }
        if let Some(work) = self.work() {
            return work.selected().map(|item| Thing::Item(work.queue.clone(), item.key.clone()));
        }
        self.things(self.place.pane).get(self.cursor(self.place.pane).at).cloned()
    }

    /// Rows of the focused list.
    pub fn count(&self, pane: Pane) -> usize {
        match self.work().filter(|_| pane == Pane::Queues) {
            Some(work) => work.len(),
            None => self.things(pane).len(),
        }
    }

    /// The latest act on an item, while it matters to its row: one that is done, of which the row was read since, is
    /// told by the row itself (it may be pending again).
    pub fn standing(&self, queue: &Id<Queue>, key: &str) -> Option<(Standing, Option<DateTime<Utc>>)> {
        let target = self.pack.known_as(Target { queue: Some(queue.clone()), key: key.to_owned() });
        let reports = self.snapshot.as_ref().map(|snapshot| snapshot.queues.as_slice()).unwrap_or_default();
        let looked_at = reports.iter().find(|report| report.id == *queue).and_then(|report| report.look.looked_at);
        let is_told = |receipt: &&Receipt| receipt.standing != Standing::Done || looked_at.is_none_or(|at| at <= receipt.at);
        self.receipts.of(&target).filter(is_told).map(|receipt| (receipt.standing, receipt.held_until))
    }

    /// The commands that run now.
    pub fn running(&self) -> impl Iterator<Item = &Output> {
        let runs =
            |output: &&Output| self.receipts.find(&output.plan).is_some_and(|receipt| receipt.standing == Standing::UnderWay);
        self.outputs.iter().filter(runs)
    }

    /// Puts every cursor back on its thing and inside its list.
    pub(super) fn settle(&mut self) {
        for pane in Pane::ALL {
            self.settle_pane(pane);
        }
    }

    pub(super) fn settle_pane(&mut self, pane: Pane) {
        let height = layout::list_height(self, pane);
        if let Some(work) = self.work().filter(|_| pane == Pane::Queues) {
            let (count, queue) = (work.len(), work.queue.clone());
            if let Some(work) = self.works.get_mut(&queue) {
                work.cursor.settle(count, height);
                let key = work.selected().map(|item| item.key.clone());
                work.cursor.thing = key.map(|key| Thing::Item(queue, key));
            }
            return;
        }
        let things = self.things(pane);
        let cursor = self.cursors.entry(pane).or_default();
        // Nobody is working in it, and its top is what is newest or worst: what comes in above is to be seen.
        let is_nobodys = self.place.pane != pane || !self.is_touched;
        let rests_at_top = cursor.at == 0 && cursor.offset == 0 && is_nobodys;
        let thing = cursor.thing.as_ref().filter(|_| !rests_at_top);
        let found = thing.and_then(|thing| things.iter().position(|other| other == thing));
        cursor.at = found.unwrap_or(cursor.at);
        cursor.settle(things.len(), height);
        cursor.thing = things.get(cursor.at).cloned();
    }

    pub(super) fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.receipts.take_all(&snapshot.receipts, snapshot.taken_at);
        let selected = self.selected();
        let mut gone = 0;
        for report in &snapshot.queues {
            let Some(spec) = pack::find(&self.pack.queues, &report.id) else { continue };
            if let Some(work) = self.works.get_mut(&report.id) {
                let lost = work.take(report.look.value.as_ref(), spec, self.now).marks;
                if lost > 0 {
                    work.tally(amount_column(&self.pack, spec));
                }
                gone += lost;
            }
            self.figures.entry(report.id.clone()).or_default().take(report.look.value.as_ref(), self.now);
        }
        if gone > 0 {
            let rows = if gone == 1 {
                "1 marked row went away; its mark is gone"
            } else {
                "marked rows went away; their marks are gone"
            };
            let said = if gone == 1 { rows.to_owned() } else { format!("{gone} {rows}") };
            self.notices.say(super::notice::Tone::Warning, said, self.now);
        }
        if let Some(Overlay::Dialog(dialog)) = &mut self.overlay {
            dialog.missing_marks += gone;
        }
        let first = snapshot.journal.last().map(|line| line.sequence);
        self.older.retain(|line| first.is_none_or(|first| line.sequence < first));
        self.snapshot = Some(snapshot);
        self.settle();
        // A row on which the operator has acted goes as it should.
        if let Some(Thing::Item(queue, key)) = selected.filter(|selected| self.selected().as_ref() != Some(selected))
            && self.receipts.of(&self.pack.known_as(Target { queue: Some(queue), key: key.clone() })).is_none()
        {
            self.slipped = Some((key, self.now));
        }
        self.touch();
    }
}

/// The column with the money that the queue's actions move.
pub fn amount_column<'a>(pack: &'a Pack, queue: &Queue) -> Option<&'a str> {
    let mut actions = queue.actions.iter().filter_map(|id| pack::find(&pack.actions, id));
    actions.find_map(|action| action.amount.as_deref())
}

#[cfg(test)]
use crate::{domain, engine, ui};

#[cfg(test)]
#[path = "../../tests/screens/fixture.rs"]
pub mod fixture;
