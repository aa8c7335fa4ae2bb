//! The engine's loop: looks when it is time, answers the screen, follows the acts, publishes snapshots.
//!
//! Never waits for an answer of the outside: looks, probes and acts run beside it and come back as events.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    act::{Actor, Standings},
    board::{Board, Changes},
    digest,
    flips::Flips,
    handling::Signing,
    look::{Seen, look},
    message::{Event, Request, Scope},
    paging,
    pulse::Pulse,
    reader::Reader,
    reading::Readings,
    runs::Runs,
    watch::Watch,
};
use crate::{
    domain::{
        age,
        journal::Entry,
        pack::Pack,
        snapshot::{Digest, Handling, JournalLine, PagesSoFar, ReconciliationReport, Snapshot, Subject},
        text::Text,
    },
    ports::{Archive, Clock, Store, StoreError},
};

/// Changes are gathered for this long, so that forty answers at the start are a few pictures and not forty.
const GATHERING: Duration = Duration::from_millis(40);
/// The first picture waits so long for the first answers: on a thin line every picture costs seconds.
const FIRST_GATHERING: Duration = Duration::from_millis(300);
/// How often a long list is asked how far it has come.
const PROGRESS: Duration = Duration::from_secs(1);
/// How often the picture is kept for the next start.
const KEEPING: Duration = Duration::from_mins(1);
/// Who leaves waits so long for the archive of what is being signed, and for the last of the record.
const FAREWELL: Duration = Duration::from_secs(10);
/// Journal lines in a snapshot.
const LINES: usize = 200;

/// What the engine stands on.
#[derive(Clone)]
pub struct Ground {
    pub pack: Arc<Pack>,
    pub reader: Arc<Reader>,
    pub record: Arc<dyn Store>,
    pub archive: Arc<dyn Archive>,
    pub clock: Arc<dyn Clock>,
    pub operator: String,
    /// Nothing is looked at more often than this; the operator's own setting.
    pub refresh: Option<Duration>,
}

/// Where events go; an answer of `false` means that nobody listens any more.
pub type Listener = Arc<dyn Fn(Event) -> bool + Send + Sync>;

pub struct Watcher {
    pub(super) ground: Ground,
    pub(super) board: Board,
    watches: Vec<(Watch, Pulse)>,
    looks: FuturesUnordered<BoxFuture<'static, Seen>>,
    readings: Arc<Readings>,
    pub(super) signings: FuturesUnordered<BoxFuture<'static, Signing>>,
    pub(super) flips: Flips,
    pub(super) runs: Runs,
    pub(super) listener: Listener,
    pub(super) actor: Actor,
    journal: Arc<[JournalLine]>,
    journal_is_old: bool,
    sequence: u64,
    changed_since: Option<Instant>,
    kept_at: Option<Instant>,
    /// Of a person at the screen; looking once from the command line is none.
    visit: Option<i64>,
    pub(super) before: Option<Snapshot>,
    last_visit: Option<DateTime<Utc>>,
    digest: Option<Digest>,
    /// Memories of the judges that are not in the record yet.
    unsaved: BTreeMap<Subject, serde_json::Value>,
    /// Asked to stop: answered when the acting part has, or is gone.
    stops: FuturesUnordered<BoxFuture<'static, ()>>,
    /// How far the long lists had come when they were last asked.
    told_progress: (Vec<Text>, BTreeMap<Watch, PagesSoFar>),
    /// The picture as it was last published: what the operator sees.
    pub(super) latest: Option<Arc<Snapshot>>,
}

impl Watcher {
    /// Takes up what the record remembers.
    pub async fn start(mut ground: Ground, listener: Listener, actor: Actor) -> Self {
        if let Some(refresh) = ground.refresh {
            Arc::make_mut(&mut ground.pack).slow_to(refresh);
        }
        let record = Arc::clone(&ground.record);
        let remembered = record.load_memories().await.unwrap_or_default();
        let mut board = Board::new(Arc::clone(&ground.pack), &remembered);
        for (index, reconciliation) in ground.pack.reconciliations.iter().enumerate() {
            board.set_sign_off(index, record.last_sign_off(&reconciliation.id).await.unwrap_or_default());
        }
        let flips = Flips::take_up(&ground.pack, record.flag_flips().await.unwrap_or_default(), &mut board);
        let before = record.last_snapshot().await.unwrap_or_default();
        // A visit that was cut off ended about when its last picture was kept.
        let cut_off = before.as_ref().map(|before| before.taken_at);
        let last_visit = record.last_visit(i64::MAX).await.unwrap_or_default();
        let last_visit = last_visit.map(|visit| visit.ended.or(cut_off).unwrap_or(visit.began).max(visit.began));
        let start = Instant::now();
        let pack = Arc::clone(&ground.pack);
        Self {
            board,
            watches: Watch::all(&pack).into_iter().map(|watch| (watch, Pulse::new(watch.every(&pack), start))).collect(),
            looks: FuturesUnordered::new(),
            readings: Arc::new(Readings::of(&pack)),
            signings: FuturesUnordered::new(),
            flips,
            runs: Runs::default(),
            listener,
            actor,
            journal: Arc::from([]),
            journal_is_old: true,
            sequence: before.as_ref().map_or(0, |before| before.sequence),
            changed_since: None,
            kept_at: None,
            visit: None,
            before,
            last_visit,
            digest: None,
            latest: None,
            told_progress: Default::default(),
            unsaved: BTreeMap::new(),
            stops: FuturesUnordered::new(),
            ground,
        }
    }

    /// Runs until it is told to stop or nobody asks any more.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut acted: mpsc::Receiver<Event>) {
        let now = self.ground.clock.now();
        self.visit = self.ground.record.begin_visit(&self.ground.operator, now).await.ok();
        self.changed();
        let mut standings = self.actor.watch();
        loop {
            self.start_due_looks();
            let wake = self.next_wake();
            let flow = tokio::select! {
                biased;
                request = requests.recv() => match request {
                    Some(request) => self.asked(request).await,
                    None => ControlFlow::Break(()),
                },
                Some(event) = acted.recv() => self.acted(event).await,
                Some(()) = self.stops.next(), if !self.stops.is_empty() => ControlFlow::Break(()),
                Some(signing) = self.signings.next(), if !self.signings.is_empty() => {
                    self.signed(signing).await;
                    ControlFlow::Continue(())
                }
                Some(seen) = self.looks.next(), if !self.looks.is_empty() => self.saw(seen).await,
                Some(round) = self.flips.next_round(), if self.flips.is_observing() => {
                    self.observed(round).await;
                    ControlFlow::Continue(())
                }
                Ok(()) = standings.changed() => {
                    self.acts_stand(&standings.borrow_and_update());
                    ControlFlow::Continue(())
                }
                () = sleep_until(wake) => self.time_passed().await,
            };
            if flow.is_break() {
                break;
            }
            self.publish_if_due().await;
        }
        let listener = Arc::clone(&self.listener);
        self.leave().await;
        // Last of all: whoever hears it may end the process.
        let _ = listener(Event::Stopped);
    }

    /// One look at everything in the scope, and the picture after it; for the command line.
    pub async fn look_once(&mut self, wanted: impl Fn(Watch, &Pack) -> bool) -> Arc<Snapshot> {
        let pack = Arc::clone(&self.ground.pack);
        let now = self.ground.clock.now();
        for (watch, pulse) in self.watches.iter_mut().filter(|(watch, _)| wanted(*watch, &pack)) {
            pulse.started();
            self.looks.push(future(*watch, &self.ground, &self.readings, now));
        }
        while let Some(seen) = self.looks.next().await {
            let _ = self.saw(seen).await;
        }
        // The next look may be another process's: how long a limit has been exceeded must not begin anew with each.
        self.save_memories().await;
        self.picture().await
    }

    fn start_due_looks(&mut self) {
        let (instant, now) = (Instant::now(), self.ground.clock.now());
        if !self.watches.iter().any(|(_, pulse)| pulse.is_due(instant)) {
            return;
        }
        for (watch, pulse) in &mut self.watches {
            if pulse.goes_along(instant) {
                pulse.started();
                self.looks.push(future(*watch, &self.ground, &self.readings, now));
            }
        }
    }

    fn next_wake(&self) -> Instant {
        let due = self.watches.iter().filter_map(|(_, pulse)| pulse.due()).min();
        let publish = self.changed_since.map(|since| since + self.gathering());
        // While a source hangs, its readings grow old without an answer: time alone must be able to say so.
        let stale = Instant::now() + Duration::from_secs(15);
        // How far long lists and ledgers are read is told once a second.
        let is_reading = !self.looks.is_empty() || self.readings.are_under_way();
        let told = is_reading.then(|| Instant::now() + PROGRESS);
        [due, publish, told, self.flips.next_ask()].into_iter().flatten().min().unwrap_or(stale).min(stale)
    }

    async fn time_passed(&mut self) -> ControlFlow<()> {
        let now = self.ground.clock.now();
        let changes = self.board.rejudge(now);
        let progress = (self.ground.reader.progress(), self.readings.pages(now));
        if !changes.flips.is_empty() || self.readings.are_under_way() || progress != self.told_progress {
            self.changed();
        }
        self.told_progress = progress;
        self.remember(changes).await;
        self.flips.ask_due(&self.ground);
        ControlFlow::Continue(())
    }

    async fn saw(&mut self, seen: Seen) -> ControlFlow<()> {
        let watch = seen.watch;
        let now = self.ground.clock.now();
        let (asked, has_failed) = (seen.at, seen.answer.is_err());
        let mut wait = Duration::ZERO;
        if let Some((_, pulse)) = self.watches.iter_mut().find(|(other, _)| *other == watch) {
            wait = pulse.ended(has_failed, fastrand::f64(), Instant::now());
        }
        if let Err(error) = &seen.answer {
            tracing::warn!(watch.name = watch.name(&self.ground.pack), took_ms = seen.took_ms, %error, "a look failed");
        }
        let next_try = now + TimeDelta::from_std(wait).unwrap_or_default();
        let changes = self.board.apply(seen, next_try, now);
        self.changed();
        self.remember(changes).await;
        // A look that failed leaves the figures of before the run standing: they are no result.
        if let Watch::Job(index) = watch
            && !has_failed
        {
            self.run_looked(index, asked).await;
        }
        ControlFlow::Continue(())
    }

    /// Flips are recorded at once. The judges' memories go with the picture: after a crash a holding clock is behind by
    /// a minute at most, and forty looks are not forty writes through to the disk.
    pub(super) async fn remember(&mut self, changes: Changes) {
        let record = Arc::clone(&self.ground.record);
        self.unsaved.extend(changes.memories);
        if !changes.flips.is_empty() {
            self.save_memories().await;
        }
        for flip in &changes.flips {
            log_loss("a flip", record.record_flip(flip).await);
            if self.board.flipped(&flip.subject) {
                let said = format!("{} turned {}: what was done about it has ended", flip.subject.name(), flip.to.word());
                let entry = Entry::by_system(flip.at, "FLIP", said).severity(flip.to);
                let _ = record.save_handling(&flip.subject, &Handling::default(), &entry).await;
                self.journal_is_old = true;
            }
        }
    }

    async fn asked(&mut self, request: Request) -> ControlFlow<()> {
        match request {
            Request::Refresh(scope) => self.refresh(&scope),
            Request::Handle { subject, how } => self.handle_alert(subject, how).await,
            Request::SignOff { ask, reconciliation, seen, note } => self.sign_off(ask, &reconciliation, &seen, note),
            Request::History { ask, subject } => self.history(ask, &subject).await,
            Request::Journal { ask, before, contains } => self.journal_page(ask, before, &contains).await,
            Request::Propose { .. }
            | Request::Resume { .. }
            | Request::Commit { .. }
            | Request::TakeBack { .. }
            | Request::Pause { .. }
            | Request::Cancel { .. }
            | Request::StopRun { .. }
            | Request::LookUp { .. }
            | Request::Settle { .. }
            | Request::Unlock
            | Request::Lock => self.pass_on(request),
            Request::Stop => {
                let actor = self.actor.clone();
                // One that is gone has nothing under way.
                self.stops.push(async move { drop(actor.stop().await) }.boxed());
            }
        }
        ControlFlow::Continue(())
    }

    pub(super) fn refresh(&mut self, scope: &Scope) {
        let now = Instant::now();
        let pack = Arc::clone(&self.ground.pack);
        for (watch, pulse) in &mut self.watches {
            if watch.is_in(scope, &pack) {
                pulse.want(now);
            }
        }
    }

    async fn acted(&mut self, event: Event) -> ControlFlow<()> {
        if let Event::Receipt(receipt) = &event {
            self.follow(receipt).await;
        }
        if matches!(event, Event::Stopped) {
            // Told when all is on record that is only known here.
            return ControlFlow::Break(());
        }
        // Nothing of what is printed is on record before it ends.
        if !matches!(event, Event::Printed { .. }) {
            self.journal_changed();
        }
        self.tell(event);
        ControlFlow::Continue(())
    }

    /// What the acts themselves tell comes as events; what belongs to none of them is seen here.
    fn acts_stand(&mut self, standings: &Standings) {
        let is_told = |latest: &Arc<Snapshot>| latest.barrier == standings.barrier && latest.recovery == standings.recovery;
        if !self.latest.as_ref().is_some_and(is_told) {
            self.changed();
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // A listener that is gone has closed its requests too: the loop ends by that.
        let _ = (self.listener)(event);
    }

    pub(super) fn changed(&mut self) {
        self.changed_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn journal_changed(&mut self) {
        self.journal_is_old = true;
        self.changed();
    }

    fn gathering(&self) -> Duration {
        if self.latest.is_some() { GATHERING } else { FIRST_GATHERING }
    }

    async fn publish_if_due(&mut self) {
        let Some(since) = self.changed_since else { return };
        let is_quiet = self.looks.is_empty();
        if since.elapsed() < self.gathering() && !is_quiet {
            return;
        }
        let snapshot = self.picture().await;
        self.changed_since = None;
        if self.kept_at.is_none_or(|kept| kept.elapsed() >= KEEPING) && self.looks.is_empty() {
            self.kept_at = Some(Instant::now());
            self.save_memories().await;
            log_loss("the picture", self.ground.record.save_snapshot(&snapshot).await);
        }
        self.tell(Event::Snapshot(snapshot));
    }

    async fn picture(&mut self) -> Arc<Snapshot> {
        let now = self.ground.clock.now();
        if std::mem::take(&mut self.journal_is_old)
            && let Ok(lines) = self.ground.record.journal_tail(LINES).await
        {
            self.journal = lines.into();
        }
        let acts = self.actor.standings();
        self.sequence += 1;
        let next_look = self
            .watches
            .iter()
            .filter_map(|(_, pulse)| pulse.due())
            .min()
            .map(|due| now + TimeDelta::from_std(due.saturating_duration_since(Instant::now())).unwrap_or_default());
        let pages = self.readings.pages(now);
        let mut snapshot = Snapshot {
            sequence: self.sequence,
            taken_at: now,
            alerts: paging::alerts(self.board.alerts(now), &pages, &self.ground.pack),
            queues: paging::queues(&self.board.queues, &pages),
            jobs: paging::jobs(&self.board.jobs, &pages),
            reconciliations: self.reconciliations(now),
            flags: paging::flags(&self.board.flags, &pages),
            metrics: paging::metrics(&self.board.metrics, &pages),
            sources: self.ground.reader.health(),
            journal: Arc::clone(&self.journal),
            receipts: acts.receipts.iter().cloned().collect(),
            batch: acts.batch.clone(),
            next_look,
            since_last_visit: self.digest.clone(),
            barrier: acts.barrier.clone(),
            recovery: acts.recovery.clone(),
            money_today: acts.money_today,
            money_this_session: acts.money_this_session,
        };
        // Told once everything has been looked at, and then kept: it is about the visit's beginning.
        if self.digest.is_none() && self.watches.iter().all(|(_, pulse)| !pulse.is_in_flight()) {
            let flips = match self.last_visit {
                Some(since) => self.ground.record.flips_since(since).await.unwrap_or_default(),
                None => Vec::new(),
            };
            self.digest = Some(digest::digest(self.last_visit, &flips, self.before.as_ref(), &snapshot));
            snapshot.since_last_visit.clone_from(&self.digest);
            self.before = None;
        }
        let snapshot = Arc::new(snapshot);
        self.latest = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// With how far those are that are being read.
    fn reconciliations(&self, now: DateTime<Utc>) -> Vec<Arc<ReconciliationReport>> {
        let told = |(index, report): (usize, &Arc<ReconciliationReport>)| match self.readings.told(index, now) {
            None => Arc::clone(report),
            reading => Arc::new(ReconciliationReport { reading, ..ReconciliationReport::clone(report) }),
        };
        self.board.reconciliations.iter().enumerate().map(told).collect()
    }

    /// Neither an archive nor a disk that hangs keeps who leaves.
    async fn leave(mut self) {
        if timeout(FAREWELL, self.finish_signing()).await.is_err() {
            let said = format!(
                "the archive did not answer within {}: what was being signed is not signed; sign it again",
                age::span(TimeDelta::from_std(FAREWELL).unwrap_or_default())
            );
            tracing::error!("{said}");
            (self.listener)(Event::Notice { said: Text::new(said), is_error: true });
        }
        if timeout(FAREWELL, self.keep_all()).await.is_err() {
            tracing::error!("the record did not answer: the last picture is not kept");
        }
    }

    /// What was signed is signed, also by who leaves at once.
    async fn finish_signing(&mut self) {
        while let Some(signing) = self.signings.next().await {
            self.signed(signing).await;
        }
    }

    async fn keep_all(&mut self) {
        self.save_memories().await;
        let mut snapshot = Snapshot::clone(&*self.picture().await);
        if let Some(before) = &self.before {
            snapshot.fill_from(before);
        }
        log_loss("the picture", self.ground.record.save_snapshot(&snapshot).await);
        let record = &self.ground.record;
        if let Some(visit) = self.visit {
            log_loss("the visit's end", record.end_visit(visit, self.ground.clock.now()).await);
        }
    }

    async fn save_memories(&mut self) {
        let memories: Vec<_> = std::mem::take(&mut self.unsaved).into_iter().collect();
        if !memories.is_empty() {
            log_loss("the alerts' memory", self.ground.record.save_memories(&memories).await);
        }
    }
}

/// What could not be kept is logged; a cockpit that only reads keeps nothing, and that is no failure.
fn log_loss(what: &str, kept: Result<(), StoreError>) {
    match kept {
        Ok(()) | Err(StoreError::ReadOnly(_)) => {}
        Err(error) => tracing::error!(what, %error, "could not be kept"),
    }
}

fn future(watch: Watch, ground: &Ground, readings: &Arc<Readings>, now: DateTime<Utc>) -> BoxFuture<'static, Seen> {
    let (pack, reader, readings) = (Arc::clone(&ground.pack), Arc::clone(&ground.reader), Arc::clone(readings));
    async move { look(watch, &pack, &reader, &readings, now).await }.boxed()
}

#[cfg(test)]
mod tests;
