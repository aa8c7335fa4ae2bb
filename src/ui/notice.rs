//! What the status line says, and the list of errors behind it.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::text::Text;

/// Errors kept for `!`; older ones are in the journal or the log.
const KEPT: usize = 100;

/// A message that younger than this is not wiped by the next key.
const READ: TimeDelta = TimeDelta::seconds(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Bad,
    Warning,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub said: String,
    pub tone: Tone,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default)]
pub struct Notices {
    pub latest: Option<Notice>,
    /// Newest first.
    pub errors: VecDeque<(DateTime<Utc>, String)>,
}

impl Notices {
    pub fn say(&mut self, tone: Tone, said: impl Into<String>, now: DateTime<Utc>) {
        // Whatever comes from outside passes the one door again: a message is built from many parts.
        let said = Text::new(said.into()).one_line();
        if tone == Tone::Bad {
            self.errors.push_front((now, said.clone()));
            self.errors.truncate(KEPT);
        }
        self.latest = Some(Notice { said, tone, at: now });
    }

    /// A key came: what had time to be read goes.
    pub fn wipe(&mut self, now: DateTime<Utc>) {
        if self.latest.as_ref().is_some_and(|notice| now - notice.at >= READ) {
            self.latest = None;
        }
    }
}
