//! What the keys do, as tables: no I/O, no async, no clock.

mod acting;
mod anything;
mod keys;
mod lists;
mod pointing;
mod time;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};

use super::update;
use crate::{
    domain::{
        barrier::Barrier,
        ends::Ends,
        id::Id,
        pack::Confirm,
        plan::{BatchId, Standing},
        snapshot::{Alert, BatchReport, FlagFlip, FlagPhase, Items, Look, QueueReport, Snapshot, Subject},
        text::Text,
        value::Value,
    },
    engine::message::{Ask, Event, Handle, Request, Scope},
    ui::{
        chord::Chord,
        message::{Cmd, Msg},
        model::{Model, fixture},
        overlay::Overlay,
        place::{Pane, Place, Thing},
        theme::Theme,
        view,
    },
};

fn event(key: &str) -> KeyEvent {
    let chord = Chord::parse(key).unwrap();
    KeyEvent::new(chord.code, if chord.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
}

fn press_at(model: &mut Model, keys: &str, now: DateTime<Utc>) -> Vec<Cmd> {
    keys.split_whitespace().flat_map(|key| update(model, Msg::Key(event(key)), now)).collect()
}

fn press(model: &mut Model, keys: &str) -> Vec<Cmd> {
    press_at(model, keys, fixture::now())
}

/// After the time in which a dialog does not listen.
fn later() -> DateTime<Utc> {
    fixture::now() + TimeDelta::seconds(1)
}

fn unlocked() -> Model {
    let mut model = fixture::model();
    tell(&mut model, Event::Lock { until: Some(fixture::now() + TimeDelta::minutes(15)), why: None });
    model
}

fn tell(model: &mut Model, event: Event) -> Vec<Cmd> {
    update(model, Msg::Event(event), fixture::now())
}

fn said(model: &Model) -> &str {
    model.notices.latest.as_ref().map_or("", |notice| notice.said.as_str())
}

fn ask_of(cmds: &[Cmd]) -> Ask {
    match cmds {
        [Cmd::Ask(Request::Propose { ask, .. } | Request::TakeBack { ask, .. } | Request::Commit { ask, .. })] => *ask,
        other => panic!("no question: {other:?}"),
    }
}

fn with_reviews(items: Items, sequence: u64) -> Snapshot {
    let mut snapshot = fixture::snapshot();
    let look = Look { value: Some(Arc::new(items)), ..snapshot.queues.first().unwrap().look.clone() };
    snapshot.queues[0] = Arc::new(QueueReport { look, ..snapshot.queues[0].as_ref().clone() });
    snapshot.sequence = sequence;
    snapshot
}

fn buffer(model: &Model, terminal: &mut Terminal<TestBackend>) -> ratatui::buffer::Buffer {
    terminal.draw(|frame| view(model, frame, &Theme::plain(), model.now)).unwrap();
    terminal.backend().buffer().clone()
}
