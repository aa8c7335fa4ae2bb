//! Flags that were flipped: written, deployed, observed by their probes, open until they are back to normal.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{
    board::Board,
    message::{Event, Scope},
    observe::{all_seen, observe},
    watcher::{Ground, Watcher},
};
use crate::domain::{
    id::Id,
    journal::Entry,
    pack::{Flag, Pack},
    plan::{Receipt, Standing},
    severity::Severity,
    snapshot::{FlagFlip, FlagPhase, ProbeResult},
    text::Text,
    value::Value,
};

/// The pause between two rounds of probes.
const PAUSE: Duration = Duration::from_secs(2);

/// One round of probes of the flag at `index`, for the flip to `to` that was made at `at`.
#[derive(Debug)]
pub struct Round {
    index: usize,
    to: String,
    at: DateTime<Utc>,
    results: Vec<ProbeResult>,
}

/// The flips that are open, and those being observed.
#[derive(Default)]
pub struct Flips {
    open: Vec<(usize, FlagFlip)>,
    /// When the flag at an index is probed again, and until when.
    observing: Vec<(usize, Instant, DateTime<Utc>)>,
    rounds: FuturesUnordered<BoxFuture<'static, Round>>,
}

impl Flips {
    /// Goes on with the flips that the record has open; one that was not observed yet is observed again.
    pub fn take_up(pack: &Pack, recorded: Vec<(Id<Flag>, FlagFlip)>, board: &mut Board) -> Self {
        let mut flips = Self::default();
        for (id, flip) in recorded {
            let Some(index) = pack.flags.iter().position(|flag| flag.id == id) else { continue };
            board.set_flip(index, Some(flip.clone()));
            if matches!(flip.phase, FlagPhase::Written | FlagPhase::Deployed) {
                let until = flip.at + TimeDelta::from_std(pack.flags[index].observe_for).unwrap_or_default();
                flips.observing.push((index, Instant::now(), until));
            }
            flips.open.push((index, flip));
        }
        flips
    }

    pub fn is_observing(&self) -> bool {
        !self.rounds.is_empty()
    }

    pub async fn next_round(&mut self) -> Option<Round> {
        self.rounds.next().await
    }

    pub fn next_ask(&self) -> Option<Instant> {
        self.observing.iter().map(|(_, at, _)| *at).min()
    }

    /// Starts the rounds whose time has come.
    pub fn ask_due(&mut self, ground: &Ground) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.observing.drain(..).partition(|(_, at, _)| *at <= now);
        self.observing = later;
        for (index, _, _) in due {
            let Some((_, flip)) = self.open.iter().find(|(open, _)| *open == index) else { continue };
            let (pack, reader) = (Arc::clone(&ground.pack), Arc::clone(&ground.reader));
            let (to, at, asked_at) = (flip.to.clone(), flip.at, ground.clock.now());
            let round = async move {
                let results = observe(&pack.flags[index], &to, &reader, asked_at).await;
                Round { index, to, at, results }
            };
            self.rounds.push(round.boxed());
        }
    }

    /// The flip that a round was made for; none where the flag has been flipped since.
    fn asked_for(&self, round: &Round) -> Option<&FlagFlip> {
        let (_, flip) = self.open.iter().find(|(open, _)| *open == round.index)?;
        Some(flip).filter(|flip| flip.to == round.to && flip.at == round.at)
    }

    fn set(&mut self, index: usize, flip: FlagFlip) {
        match self.open.iter_mut().find(|(open, _)| *open == index) {
            Some((_, known)) => *known = flip,
            None => self.open.push((index, flip)),
        }
    }

    fn observe_until(&mut self, index: usize, at: Instant, until: DateTime<Utc>) {
        self.observing.retain(|(other, _, _)| *other != index);
        self.observing.push((index, at, until));
    }
}

impl Watcher {
    /// Looks again at what an act has touched, and begins to observe a flag that was set.
    pub async fn follow(&mut self, receipt: &Receipt) {
        let pack = Arc::clone(&self.ground.pack);
        if let Some(index) = pack.flags.iter().position(|flag| flag.set == receipt.action) {
            self.flag_was_set(index, receipt).await;
        }
        if let Some(index) = pack.jobs.iter().position(|job| job.run.as_ref() == Some(&receipt.action)) {
            self.run_told(index, receipt);
        }
        if !receipt.standing.is_over() {
            return;
        }
        let scopes: Vec<Scope> = match &receipt.target.queue {
            Some(items) => pack.queues_of(items).map(|queue| Scope::Queue(queue.id.clone())).collect(),
            // What a run, a flag or a repair has changed, checks and queues elsewhere tell of.
            None => vec![Scope::All],
        };
        // A batch refreshes its queue when its last item is through, not forty times.
        let acts = self.actor.standings();
        // The standings may still tell of this act as it was before its receipt.
        let has_more = |batch| {
            let others = acts.receipts.iter().filter(|other| other.plan != receipt.plan);
            others.into_iter().any(|other| other.batch.as_ref() == Some(batch) && !other.standing.is_over())
        };
        let is_last = !receipt.batch.as_ref().is_some_and(has_more);
        if is_last {
            for scope in &scopes {
                self.refresh(scope);
            }
            self.refresh(&Scope::Metrics);
        }
    }

    async fn flag_was_set(&mut self, index: usize, receipt: &Receipt) {
        let phase = match receipt.standing {
            Standing::Done => FlagPhase::Deployed,
            Standing::UnderWay if receipt.steps_done > 0 => FlagPhase::Written,
            Standing::Held
            | Standing::Waiting
            | Standing::UnderWay
            | Standing::TakenBack
            | Standing::Refused
            | Standing::Rejected
            | Standing::Unproven
            | Standing::Changed
            | Standing::Unknown
            | Standing::NotSent => return,
        };
        let Ok(Some(act)) = self.ground.record.act(&receipt.plan).await else { return };
        let word = |name: &str| act.plan.inputs.get(name).map(Value::original).unwrap_or_default();
        let flag = &self.ground.pack.flags[index];
        let known = self.flips.open.iter().find(|(open, _)| *open == index).map(|(_, flip)| flip.clone());
        let shown = self.board.flags[index].look.value.as_ref().map_or_else(String::new, |value| value.original());
        let from = known.filter(|known| known.to == word("value")).map_or(shown, |known| known.from);
        let now = self.ground.clock.now();
        let flip = FlagFlip {
            from,
            to: word("value"),
            reason: Text::new(word("reason")),
            operator: act.plan.operator.clone(),
            at: now,
            phase,
            probes: Vec::new(),
        };
        let until = now + TimeDelta::from_std(flag.observe_for).unwrap_or_default();
        // What was observed of an earlier flip says nothing of this one, which is not deployed yet.
        self.flips.observing.retain(|(other, _, _)| *other != index);
        self.save_flip(index, flip).await;
        if phase == FlagPhase::Deployed {
            self.flips.observe_until(index, Instant::now(), until);
            let flag = self.ground.pack.flags[index].id.clone();
            self.refresh(&Scope::Flag(flag));
        }
    }

    /// A round of probes has come back.
    pub(super) async fn observed(&mut self, round: Round) {
        let Some(mut flip) = self.flips.asked_for(&round).cloned() else { return };
        let Round { index, results, .. } = round;
        let flag = &self.ground.pack.flags[index];
        let (title, normal, id) = (flag.title.clone(), flag.normal.clone(), flag.id.clone());
        let until = flip.at + TimeDelta::from_std(flag.observe_for).unwrap_or_default();
        let now = self.ground.clock.now();
        let seen = all_seen(&results);
        flip.probes = results;
        if seen {
            flip.phase = FlagPhase::Observed;
            let asked = flip.probes.len();
            let said = match asked {
                0 => format!("{title} is {} (nothing to observe it by)", flip.to),
                _ => format!("{title} observed as {}: {asked} of {asked} probes answered as expected", flip.to),
            };
            self.note(Entry::by_system(now, "FLAG", said)).await;
        } else if now >= until {
            flip.phase = FlagPhase::Unobserved;
            let wrong = flip.probes.iter().find(|probe| !probe.ok);
            let why = wrong.map_or_else(String::new, |probe| {
                format!(": \"{}\" answered {} instead of {}", probe.title, probe.got.one_line(), probe.expected.one_line())
            });
            let said = format!("{title} = {} is written and deployed, but was not observed{why}", flip.to);
            self.tell(Event::Notice { said: Text::new(said.clone()), is_error: true });
            self.note(Entry::by_system(now, "FLAG", said).severity(Severity::Yellow)).await;
        } else {
            self.flips.observe_until(index, Instant::now() + PAUSE, until);
        }
        if seen && flip.to == normal {
            self.flips.open.retain(|(open, _)| *open != index);
            self.board.set_flip(index, None);
            if let Err(error) = self.ground.record.save_flag_flip(&id, None).await {
                tracing::error!(%error, "a closed flip could not be recorded");
            }
        } else {
            self.save_flip(index, flip).await;
        }
        self.refresh(&Scope::Flag(id));
        self.refresh(&Scope::Alerts);
        self.journal_changed();
    }

    async fn save_flip(&mut self, index: usize, flip: FlagFlip) {
        let id = self.ground.pack.flags[index].id.clone();
        if let Err(error) = self.ground.record.save_flag_flip(&id, Some(&flip)).await {
            tracing::error!(%error, "a flip could not be recorded");
        }
        self.board.set_flip(index, Some(flip.clone()));
        self.flips.set(index, flip);
        self.changed();
    }

    pub(super) async fn note(&mut self, entry: Entry) {
        if let Err(error) = self.ground.record.append(&entry).await {
            self.tell(Event::Notice { said: Text::new(error.to_string()), is_error: true });
        }
        self.journal_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::stage::Stage,
        ports::{Clock as _, Memory as _},
    };

    const FLAG: &str = r#"
[flags.booking]
title = "Booking"
read.sql = { on = "db", text = "select state" }
column = "state"
values = ["open", "closed"]
normal = "open"
set.sql = { on = "db", text = "update settings set booking = :value where id = 1", rows = 1 }
probes = [ { title = "the form says so", read.sql = { on = "db", text = "select form" }, column = "state", expect = "{{ value }}" } ]
"#;

    fn flip(to: &str, at: DateTime<Utc>) -> FlagFlip {
        let (from, reason, operator) = (String::new(), Text::new("a test"), "jo".to_owned());
        FlagFlip { from, to: to.to_owned(), reason, operator, at, phase: FlagPhase::Deployed, probes: Vec::new() }
    }

    #[tokio::test]
    async fn what_was_asked_for_an_earlier_flip_observes_none_after_it() {
        let stage = Stage::new(FLAG);
        stage.answers("select form", "state", Value::text("closed"));
        let watching = stage.open().await;
        let (mut watcher, start) = (watching.watcher, stage.now());
        watcher.save_flip(0, flip("closed", start)).await;
        watcher.flips.observe_until(0, Instant::now(), start + TimeDelta::minutes(2));
        watcher.flips.ask_due(&watcher.ground);
        let late = watcher.flips.next_round().await.unwrap();
        assert!(all_seen(&late.results));
        // Back to normal, which no probe has seen yet.
        watcher.save_flip(0, flip("open", start + TimeDelta::seconds(1))).await;
        watcher.observed(late).await;
        let phase = watcher.board.flags[0].flip.as_ref().map(|flip| flip.phase);
        assert_eq!(phase, Some(FlagPhase::Deployed), "the loop is still open");
        assert_eq!(watching.store.flag_flips().await.unwrap().len(), 1);
    }
}
