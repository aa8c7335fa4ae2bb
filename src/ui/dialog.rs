//! The dialog before an act: it opens at once, says exactly what would happen, and stands on Cancel.
//!
//! It never confirms by a key typed ahead, by pasted text, by the key that opened it, or by Enter alone where money moves.

use chrono::{DateTime, TimeDelta, Utc};

use super::{field::Field, model::Shown};
use crate::{
    domain::{
        id::Id,
        pack::{Action, Confirm, InputKind},
        plan::{BatchId, Target},
        rows::Params,
        text::Text,
        value::Value,
    },
    engine::message::{Ask, Preview},
};

/// An id, a name and an amount beside each other.
pub const LEAST_WIDTH: u16 = 40;
/// What it is about, on two lines, and what it does, on two.
const LEAST_TEXT: u16 = 4;

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Asked, not answered yet.
    Checking,
    Ready(Box<Preview>),
    /// It cannot be said what would happen; nothing can be confirmed.
    Failed(Text),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Input(usize),
    Typed,
    Cancel,
    Confirm,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    pub title: String,
    pub required: bool,
    /// Empty for free text.
    pub choices: Vec<String>,
    pub field: Field,
}

#[derive(Clone, Debug)]
pub struct Dialog {
    pub action: Id<Action>,
    pub title: String,
    /// Empty where the preview says what it is about (taking back).
    pub targets: Vec<Target>,
    pub entries: Vec<Entry>,
    pub focus: Focus,
    pub stage: Stage,
    /// The question whose answer is the preview shown, or awaited.
    pub ask: Ask,
    /// An input has changed since that question.
    pub is_behind: bool,
    pub typed: Field,
    pub opened_by: Option<char>,
    pub opened_at: DateTime<Utc>,
    /// A key that comes sooner was meant for what was on the screen before.
    listens_after: TimeDelta,
    /// When the preview appeared.
    pub ready_at: Option<DateTime<Utc>>,
    pub scroll: usize,
    /// The batch of an earlier run with whose rest it goes on.
    pub resumes: Option<BatchId>,
    /// Marks that went away between marking and now.
    pub missing_marks: usize,
}

impl Dialog {
    pub fn new(action: &Action, targets: Vec<Target>, ask: Ask, shown: &Shown, now: DateTime<Utc>) -> Self {
        let entries = action.inputs.iter().map(|input| Entry {
            name: input.name.clone(),
            title: input.title.clone(),
            required: input.required,
            choices: match &input.kind {
                InputKind::Text => Vec::new(),
                InputKind::Choice(choices) => choices.clone(),
            },
            field: Field::default(),
        });
        Self {
            action: action.id.clone(),
            title: action.title.clone(),
            targets,
            entries: entries.collect(),
            focus: Focus::Cancel,
            stage: Stage::Checking,
            ask,
            is_behind: false,
            typed: Field::default(),
            opened_by: None,
            opened_at: now,
            listens_after: shown.listens_after,
            ready_at: None,
            scroll: 0,
            resumes: None,
            missing_marks: 0,
        }
    }

    pub fn inputs(&self) -> Params {
        let filled = self.entries.iter().filter(|entry| !entry.field.is_empty());
        filled.map(|entry| (entry.name.clone(), Value::text(entry.field.text()))).collect()
    }

    pub fn preview(&self) -> Option<&Preview> {
        match &self.stage {
            Stage::Ready(preview) => Some(preview),
            Stage::Checking | Stage::Failed(_) => None,
        }
    }

    pub fn take(&mut self, preview: Result<Box<Preview>, Text>, now: DateTime<Utc>) {
        self.ready_at = Some(now);
        self.stage = match preview {
            Ok(preview) => Stage::Ready(preview),
            Err(why) => Stage::Failed(why),
        };
        if !self.stops().contains(&self.focus) {
            self.focus = Focus::Cancel;
        }
    }

    /// False while keys may still have been meant for the screen before.
    pub fn listens(&self, now: DateTime<Utc>) -> bool {
        now - self.opened_at >= self.listens_after
    }

    pub fn confirm(&self) -> Option<Confirm> {
        self.preview().map(|preview| preview.confirm)
    }

    pub fn is_typed(&self) -> bool {
        self.confirm() == Some(Confirm::Typed)
    }

    /// The places that Tab goes through.
    pub fn stops(&self) -> Vec<Focus> {
        let mut stops: Vec<Focus> = (0..self.entries.len()).map(Focus::Input).collect();
        if self.is_typed() && self.preview().is_some_and(|preview| !preview.plans.is_empty()) {
            stops.push(Focus::Typed);
        }
        if self.preview().is_some_and(|preview| !preview.plans.is_empty()) {
            stops.push(Focus::Confirm);
        }
        // Last, so that the first Tab from Cancel, where every dialog opens, is the first thing to be filled in.
        stops.push(Focus::Cancel);
        stops
    }

    /// Lines under the text: the inputs, what is typed, a blank, the two choices.
    pub fn below(&self) -> u16 {
        self.entries.len() as u16 + u16::from(self.stops().contains(&Focus::Typed)) + 2
    }

    /// The smallest screen on which it can be confirmed: what it is about is read beside what is typed.
    pub fn least(&self) -> (u16, u16) {
        (LEAST_WIDTH, self.below() + LEAST_TEXT + 2)
    }

    pub fn fits(&self, (width, height): (u16, u16)) -> bool {
        let (least_width, least_height) = self.least();
        width >= least_width && height >= least_height
    }

    pub fn step(&mut self, back: bool) {
        let stops = self.stops();
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(0);
        let mut to = if back { at + stops.len() - 1 } else { at + 1 } % stops.len();
        // On the way in, what is chosen already is not chosen again: digits and the way back still reach it.
        let is_chosen = |stop: Option<&Focus>| match stop {
            Some(Focus::Input(at)) => {
                self.entries.get(*at).is_some_and(|entry| !entry.choices.is_empty() && !entry.field.is_empty())
            }
            Some(Focus::Typed | Focus::Cancel | Focus::Confirm) | None => false,
        };
        while !back && self.focus == Focus::Cancel && is_chosen(stops.get(to)) {
            to += 1;
        }
        if let Some(focus) = stops.get(to) {
            self.focus = *focus;
        }
    }

    /// Why it cannot be confirmed now; `None` where it can.
    pub fn obstacle(&self, now: DateTime<Utc>) -> Option<String> {
        let preview = match &self.stage {
            Stage::Checking => return Some("still checking".to_owned()),
            Stage::Failed(why) => return Some(why.one_line()),
            Stage::Ready(preview) => preview,
        };
        if self.is_behind {
            return Some("checking what the new input changes".to_owned());
        }
        if preview.plans.is_empty() {
            return Some("nothing of this can be done".to_owned());
        }
        if let Some(name) = preview.missing.first() {
            let title = self.entries.iter().find(|entry| entry.name == *name).map_or(name.as_str(), |entry| entry.title.as_str());
            return Some(format!("{title} is still missing"));
        }
        if self.ready_at.is_none_or(|at| now - at < self.listens_after) || !self.listens(now) {
            return Some("just opened: read it first".to_owned());
        }
        if preview.confirm == Confirm::Typed && self.typed.text().trim() != preview.expected {
            let what = if self.typed.is_empty() { "type" } else { "that is not it: type" };
            return Some(format!("{what} {} to confirm", preview.expected));
        }
        None
    }

    /// The choice entry that digits choose from: the focused one, else the first.
    pub fn choosing(&self) -> Option<usize> {
        let is_choice = |at: &usize| self.entries.get(*at).is_some_and(|entry| !entry.choices.is_empty());
        match self.focus {
            Focus::Input(at) if is_choice(&at) => Some(at),
            Focus::Input(_) | Focus::Typed => None,
            Focus::Cancel | Focus::Confirm => (0..self.entries.len()).find(is_choice),
        }
    }

    /// Where letters typed on the buttons belong: a text that is still missing, else what is typed to confirm.
    pub fn wanting(&self) -> Option<Focus> {
        let is_missing = |entry: &Entry| entry.required && entry.choices.is_empty() && entry.field.is_empty();
        let missing = self.entries.iter().position(is_missing).map(Focus::Input);
        missing.or_else(|| self.stops().contains(&Focus::Typed).then_some(Focus::Typed))
    }

    /// The first text that may be written, also where it need not be.
    pub fn text(&self) -> Option<Focus> {
        self.entries.iter().position(|entry| entry.choices.is_empty()).map(Focus::Input)
    }

    /// The text field that letters go into.
    pub fn field(&mut self) -> Option<&mut Field> {
        match self.focus {
            Focus::Input(at) => self.entries.get_mut(at).filter(|entry| entry.choices.is_empty()).map(|entry| &mut entry.field),
            Focus::Typed => Some(&mut self.typed),
            Focus::Cancel | Focus::Confirm => None,
        }
    }
}
