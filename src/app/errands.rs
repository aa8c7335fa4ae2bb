//! Subcommands that look or act without a screen, on the same engine as the cockpit.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{
    business::{Business, Opening},
    complaint::Complaint,
};
use crate::{
    cli::{
        act::{self, Said},
        arguments::ExportFormat,
        check, journal, output, reconcile,
    },
    domain::{
        id::Id,
        pack::{self, Action, Pack},
        plan::{ActionId, Receipt, Standing, Target},
        rows::Params,
        severity::Severity,
        snapshot::{ReconciliationReport, Snapshot},
        text::Text,
        value::Value,
    },
    engine::{
        message::{Ask, Event},
        watch::Watch,
        watcher::{Listener, Watcher},
    },
    ports::Ownership,
    store::{self, Store},
};

/// `wheelhouse do`, as it was typed.
pub struct Deed<'a> {
    pub action: &'a str,
    pub ids: &'a [String],
    pub inputs: &'a [String],
    pub dry_run: bool,
    pub confirm: &'a str,
    /// How long an act in doubt is waited for.
    pub wait: Duration,
    pub json: bool,
}

/// `wheelhouse reconcile`, as it was typed.
pub struct Reconciling<'a> {
    pub name: Option<&'a str>,
    pub json: bool,
    pub csv: bool,
    pub archive: bool,
}

pub(super) fn on_runtime<T>(work: impl Future<Output = Result<T, Complaint>>) -> Result<T, Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}

/// What the looking part tells beside the receipts: what a run changed, whether a flip was observed.
fn aloud() -> Listener {
    Arc::new(|event| {
        if let Event::Notice { said, .. } = event {
            output::complain(&said.one_line());
        }
        true
    })
}

fn nobody() -> Listener {
    Arc::new(|_| true)
}

async fn watcher(business: &Business, listener: Listener) -> Watcher {
    for warning in &business.warnings {
        output::complain(&format!("wheelhouse: {warning}"));
    }
    Watcher::start(business.ground.clone(), listener, business.actor.clone()).await
}

/// False, and said, where the payment account is not the pack's; one that could not be asked is said as well.
async fn is_own(business: &Business) -> Result<bool, Complaint> {
    match business.actor.account().await.map_err(|why| refused(&why))? {
        Ownership::Own => Ok(true),
        Ownership::Another(why) | Ownership::OtherMode(why) => {
            output::complain(&format!("wheelhouse: nothing is written: {}", why.one_line()));
            Ok(false)
        }
        Ownership::Unasked(why) => {
            output::complain(&format!("wheelhouse: {}: nothing is changed at Stripe before it has answered", why.one_line()));
            Ok(true)
        }
    }
}

pub fn look_at_everything(opening: Opening) -> Result<(Arc<Snapshot>, DateTime<Utc>), Complaint> {
    on_runtime(async {
        let business = opening.open().await?;
        let mut watcher = watcher(&business, nobody()).await;
        let snapshot = watcher.look_once(|_, _| true).await;
        Ok((snapshot, business.now()))
    })
}

pub fn check(opening: Opening, json: bool, all: bool) -> Result<u8, Complaint> {
    on_runtime(async {
        let business = opening.open().await?;
        let mut watcher = watcher(&business, nobody()).await;
        let snapshot = watcher.look_once(|watch, pack| watch.subject(pack).is_some()).await;
        if json {
            check::print_json(&snapshot)?;
        } else {
            check::print_lines(&snapshot, business.now(), all)?;
        }
        let worst = check::worst(&snapshot);
        // What another account says of itself is nothing known of this business.
        Ok(check::exit_status(if is_own(&business).await? { worst } else { worst.max(Severity::Unknown) }))
    })
}

pub fn reconcile(opening: Opening, errand: &Reconciling<'_>) -> Result<u8, Complaint> {
    let Reconciling { name, json, csv, archive } = *errand;
    on_runtime(async {
        let business = opening.open().await?;
        let pack = Arc::clone(&business.ground.pack);
        if let Some(name) = name.filter(|name| !pack.reconciliations.iter().any(|known| known.id.as_str() == *name)) {
            let known: Vec<&str> = pack.reconciliations.iter().map(|known| known.id.as_str()).collect();
            return Err(Complaint::said(format!("there is no reconciliation `{name}`; there is {}", known.join(", "))));
        }
        let is_wanted = |id: &str| name.is_none_or(|name| name == id);
        let mut watcher = watcher(&business, nobody()).await;
        let snapshot = watcher
            .look_once(|watch, pack| match watch {
                Watch::Reconciliation(index) => is_wanted(pack.reconciliations[index].id.as_str()),
                Watch::Check(_) | Watch::Queue(_) | Watch::Job(_) | Watch::Flag(_) | Watch::Metric(_) => false,
            })
            .await;
        let reports: Vec<_> = snapshot.reconciliations.iter().filter(|report| is_wanted(report.id.as_str())).cloned().collect();
        match (json, csv) {
            (true, _) => reconcile::print_json(&reports)?,
            (_, true) => reconcile::print_csv(&reports)?,
            (false, false) => reconcile::print_text(&reports, pack.timezone)?,
        }
        if archive {
            file(&business, &mut watcher, &reports, !json && !csv).await?;
        }
        Ok(if is_own(&business).await? { reconcile::exit_status(&reports) } else { check::exit_status(Severity::Unknown) })
    })
}

/// Puts the statements into the archive; one that could not be looked at is none.
async fn file(
    business: &Business,
    watcher: &mut Watcher,
    reports: &[Arc<ReconciliationReport>],
    aloud: bool,
) -> Result<(), Complaint> {
    for report in reports.iter().filter(|report| report.look.failure.is_none() && report.look.value.is_some()) {
        let (filed, not_noted) = watcher.file_statement(&report.id).await.map_err(|why| refused(&why))?;
        let said = format!("archived {}", business.shelf.directory().join(format!("{}.json", filed.name)).display());
        if aloud {
            output::print_words(&format!("{said}\n"))?;
        } else {
            output::complain(&said);
        }
        if let Some(why) = not_noted {
            output::complain(&format!("wheelhouse: {}: not noted in the journal: {why}", report.title));
        }
    }
    Ok(())
}

pub fn carry_out(opening: Opening, deed: &Deed<'_>) -> Result<u8, Complaint> {
    on_runtime(async {
        let mut business = opening.open().await?;
        let pack = Arc::clone(&business.ground.pack);
        let targets = targets(&pack, deed)?;
        let inputs = inputs(deed.inputs)?;
        let mut watcher = watcher(&business, aloud()).await;
        // The rows that it is about are read as a screen would have shown them.
        let subject = Subject::of(&pack, &Id::new(deed.action), &targets);
        let seen = watcher.look_once(|watch, pack| subject.is_told_by(watch, pack)).await;
        if let Some(why) = subject.unread(&seen) {
            output::complain(&format!("wheelhouse: {why}: nothing was sent; try again when it answers"));
            return Ok(act::REFUSED);
        }
        if !is_own(&business).await? {
            return Ok(act::REFUSED);
        }
        for receipt in business.actor.recover().await.map_err(|why| refused(&why))? {
            output::complain(&act::line(&receipt));
        }
        let (ask, action) = (Ask(1), Id::new(deed.action));
        let aims = targets.iter().map(|target| watcher.aim(&action, target)).collect::<Result<_, _>>();
        let aims = aims.map_err(|why| refused(&why))?;
        let preview = business.actor.propose(ask, action, aims, inputs).await.map_err(|why| refused(&why))?;
        let said = Said { preview: &preview, json: deed.json };
        if deed.dry_run || preview.plans.is_empty() {
            said.print()?;
            return Ok(if preview.plans.is_empty() { act::REFUSED } else { 0 });
        }
        if !preview.missing.is_empty() || !preview.expected.is_empty() && preview.expected != deed.confirm {
            said.print()?;
            return Err(Complaint::said(act::how_to_confirm(&preview)));
        }
        // A count need not be said where the ids are; one that is said must be right.
        let count = preview.plans.len().to_string();
        if preview.expected.is_empty() && !deed.confirm.is_empty() && deed.confirm != count {
            said.print()?;
            return Err(Complaint::said(format!("nothing was sent: it is about {count}, not about {}", deed.confirm)));
        }
        business.actor.unlock().await.map_err(|why| refused(&why))?;
        let awaited: Vec<ActionId> = preview.plans.iter().map(|plan| plan.id.clone()).collect();
        business.actor.commit(ask, deed.confirm.to_owned()).await.map_err(|why| refused(&why))?;
        let heard = wait_for(&mut business, &mut watcher, &awaited, deed.wait).await;
        if matches!(subject, Subject::Job(_)) {
            // What it changed is told by the figures after it.
            watcher.look_once(|watch, pack| subject.is_told_by(watch, pack)).await;
        }
        let receipts = ended(heard, &mut business, &mut watcher, &awaited).await?;
        act::print_receipts(&receipts, &preview.refused, deed.json)?;
        Ok(act::exit_status(&receipts, &preview.refused))
    })
}

/// Goes on with what failed half way: what came before stands, and the rest is sent once more under its own key. The
/// acting part has stopped then.
async fn go_on(business: &mut Business) -> Result<Vec<Receipt>, Complaint> {
    let half_way = business.ground.record.half_way_acts().await.map_err(|error| Complaint::said(error.to_string()))?;
    if half_way.is_empty() {
        business.actor.stop().await.map_err(|why| refused(&why))?;
        return Ok(Vec::new());
    }
    business.actor.unlock().await.map_err(|why| refused(&why))?;
    let mut awaited = Vec::new();
    for act in half_way {
        match business.actor.look_up(act.plan.id.clone()).await {
            Ok(_) => awaited.push(act.plan.id),
            Err(why) => output::complain(&format!("{} {} is left half done: {why}", act.plan.title, act.plan.label.one_line())),
        }
    }
    let mut watcher = Watcher::start(business.ground.clone(), nobody(), business.actor.clone()).await;
    let heard = wait_for(business, &mut watcher, &awaited, Duration::ZERO).await;
    ended(heard, business, &mut watcher, &awaited).await
}

/// What came of the acts that are waited for.
#[derive(Default)]
struct Heard {
    receipts: HashMap<ActionId, Receipt>,
    /// The last that each command printed.
    printed: HashMap<ActionId, Text>,
}

impl Heard {
    /// Follows what the acting part tells. What stops it is said at once, and to nobody else.
    async fn hear(&mut self, event: Event, watcher: &mut Watcher) {
        if let Event::Receipt(receipt) = &event {
            // A flip must be on record as open, whoever made it.
            watcher.follow(receipt).await;
            self.receipts.insert(receipt.plan.clone(), receipt.clone());
        }
        if let Event::Notice { said, is_error: true } = &event {
            output::complain(&format!("wheelhouse: {}", said.one_line()));
        }
        if let Event::Printed { plan, printed } = event {
            self.printed.insert(plan, printed.tail);
        }
    }

    /// What was told, and how all of it stands.
    async fn catch_up(&mut self, business: &mut Business, watcher: &mut Watcher) {
        while let Ok(event) = business.acted.try_recv() {
            self.hear(event, watcher).await;
        }
        let standings = business.actor.standings();
        self.receipts.extend(standings.receipts.iter().map(|receipt| (receipt.plan.clone(), receipt.clone())));
    }

    /// In the order in which they were confirmed.
    fn of(&self, awaited: &[ActionId]) -> Vec<Receipt> {
        awaited.iter().filter_map(|id| self.receipts.get(id)).cloned().collect()
    }
}

/// Waits until each of them is over or stands unknown with nothing more tried by itself; while one in doubt is looked for
/// again by itself, that long at most. A batch that paused itself is not gone on with here, nor is anything where the journal
/// cannot be written: the rest is not sent.
async fn wait_for(business: &mut Business, watcher: &mut Watcher, awaited: &[ActionId], patience: Duration) -> Heard {
    let mut standings = business.actor.watch();
    let mut heard = Heard::default();
    let mut gives_up_at: Option<Instant> = None;
    loop {
        let now = Arc::clone(&standings.borrow_and_update());
        heard.catch_up(business, watcher).await;
        let (has_ended, is_paused) = now.batch.as_ref().map_or((false, false), |batch| (batch.ended_at.is_some(), batch.paused));
        let is_settled = |receipt: &Receipt| match receipt.standing {
            Standing::Held | Standing::Waiting => is_paused,
            standing => standing.is_over() || standing == Standing::Unknown,
        };
        let known = heard.of(awaited);
        let is_over = now.barrier.is_some() || (has_ended || known.len() >= awaited.len()) && known.iter().all(is_settled);
        let is_sought = is_over && now.barrier.is_none() && known.iter().any(|receipt| receipt.looked_for_at.is_some());
        if is_sought && gives_up_at.is_none() {
            gives_up_at = Some(Instant::now() + patience);
            if !patience.is_zero() {
                output::complain("wheelhouse: nobody knows yet whether it happened: looking outside again");
            }
        }
        let gives_up_at = gives_up_at.filter(|at| is_sought && Instant::now() < *at);
        if is_over && gives_up_at.is_none() {
            return heard;
        }
        let patience_ends = async {
            match gives_up_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        // What is told meanwhile must not pile up: a command may print for hours.
        tokio::select! {
            changed = standings.changed() => if changed.is_err() { return heard },
            Some(event) = business.acted.recv() => heard.hear(event, watcher).await,
            () = patience_ends => {}
        }
    }
}

/// Stops the acting part: what came of all that was waited for.
async fn ended(
    mut heard: Heard,
    business: &mut Business,
    watcher: &mut Watcher,
    awaited: &[ActionId],
) -> Result<Vec<Receipt>, Complaint> {
    business.actor.stop().await.map_err(|why| refused(&why))?;
    heard.catch_up(business, watcher).await;
    for tail in heard.printed.values().filter(|tail| !tail.original().is_empty()) {
        output::complain(tail.shown());
    }
    Ok(heard.of(awaited))
}

/// What a deed is about.
enum Subject {
    Queue(Id<pack::Queue>),
    Flag(usize),
    Job(usize),
    /// A row of a reconciliation.
    Discrepancy,
}

impl Subject {
    fn of(pack: &Pack, action: &Id<Action>, targets: &[Target]) -> Self {
        let queue = targets.first().and_then(|target| target.queue.clone()).map(Self::Queue);
        let flag = || pack.flags.iter().position(|flag| flag.set == *action).map(Self::Flag);
        let job = || pack.jobs.iter().position(|job| job.run.as_ref() == Some(action)).map(Self::Job);
        queue.or_else(flag).or_else(job).unwrap_or(Self::Discrepancy)
    }

    /// Why the rows are not there; the picture of an earlier visit is none of now.
    fn unread(&self, seen: &Snapshot) -> Option<String> {
        let Self::Queue(queue) = self else { return None };
        let report = seen.queues.iter().find(|report| report.id == *queue)?;
        let failure = report.look.failure.as_ref()?;
        Some(format!("{} could not be read: {}", report.title, failure.said.one_line()))
    }

    fn is_told_by(&self, watch: Watch, pack: &Pack) -> bool {
        match (self, watch) {
            (Self::Queue(queue), Watch::Queue(index)) => {
                let items = pack::find(&pack.queues, queue).map(|queue| &queue.items);
                pack.queues[index].id == *queue || Some(&pack.queues[index].items) == items
            }
            (Self::Flag(flag), Watch::Flag(index)) => *flag == index,
            (Self::Job(job), Watch::Job(index)) => *job == index,
            (Self::Discrepancy, Watch::Reconciliation(_)) => true,
            (Self::Queue(_) | Self::Flag(_) | Self::Job(_) | Self::Discrepancy, _) => false,
        }
    }
}

fn refused(why: &Text) -> Complaint {
    Complaint::said(why.to_string())
}

fn targets(pack: &Pack, deed: &Deed<'_>) -> Result<Vec<Target>, Complaint> {
    let id = Id::new(deed.action);
    if pack::find(&pack.actions, &id).is_none() {
        let known: Vec<&str> = pack.actions.iter().map(|action| action.id.as_str()).collect();
        return Err(Complaint::said(format!("there is no action `{}`; there is {}", deed.action, known.join(", "))));
    }
    let flag = pack.flags.iter().find(|flag| flag.set == id).map(|flag| flag.id.to_string());
    let job = pack.jobs.iter().find(|job| job.run.as_ref() == Some(&id)).map(|job| job.id.to_string());
    if let Some(name) = flag.or(job) {
        return Ok(vec![Target { queue: None, key: name }]);
    }
    if deed.ids.is_empty() {
        return Err(Complaint::said(format!("{}: on which rows? Give their ids", deed.action)));
    }
    let queue = pack.queues.iter().find(|queue| queue.actions.contains(&id)).map(|queue| queue.id.clone());
    // Said twice is meant once.
    let mut said = HashSet::new();
    let keys = deed.ids.iter().filter(|key| said.insert(key.as_str()));
    Ok(keys.map(|key| Target { queue: queue.clone(), key: key.clone() }).collect())
}

fn inputs(given: &[String]) -> Result<Params, Complaint> {
    given
        .iter()
        .map(|input| {
            let (name, value) =
                input.split_once('=').ok_or_else(|| Complaint::said(format!("--input {input}: write NAME=VALUE")))?;
            Ok((name.to_owned(), Value::text(value)))
        })
        .collect()
}

async fn record(opening: &Opening) -> Result<Store, Complaint> {
    let path =
        opening.record().ok_or_else(|| Complaint::said("a scratch demo has no journal to look at: give --demo-dir DIR"))?;
    if !path.exists() {
        return Err(Complaint::said(format!("{}: there is no journal yet", path.display())));
    }
    Store::open_to_read(&path).await.map_err(|error| Complaint::said(format!("{}: {error}", path.display())))
}

pub fn verify(opening: &Opening, noted: Option<&str>) -> Result<u8, Complaint> {
    on_runtime(async {
        let store = record(opening).await?;
        let verified = store.verify_against(noted).await.map_err(|error| Complaint::said(error.to_string()))?;
        Ok(journal::print_verified(&verified)?)
    })
}

pub fn export(opening: &Opening, format: ExportFormat) -> Result<u8, Complaint> {
    on_runtime(async {
        let store = record(opening).await?;
        let format = match format {
            ExportFormat::Jsonl => store::Format::JsonLines,
            ExportFormat::Csv => store::Format::Csv,
        };
        let mut out = std::io::BufWriter::new(std::io::stdout());
        store.export(format, &mut out).await.map_err(|error| Complaint::said(error.to_string()))?;
        std::io::Write::flush(&mut out)?;
        Ok(0)
    })
}

pub fn recover(opening: Opening) -> Result<u8, Complaint> {
    on_runtime(async {
        let mut business = opening.open().await?;
        if !is_own(&business).await? {
            // Refused for the reason just said; what was left is told, for whoever has the right key.
            drop(business.actor.recover().await);
            business.actor.stop().await.map_err(|why| refused(&why))?;
            let recovery = business.actor.standings().recovery.clone();
            if recovery.is_some() {
                act::print_recovered(recovery.as_deref(), business.ground.pack.timezone)?;
            }
            return Ok(act::REFUSED);
        }
        while business.acted.try_recv().is_ok() {}
        let receipts = business.actor.recover().await.map_err(|why| refused(&why))?;
        while let Ok(told) = business.acted.try_recv() {
            // What belongs to no single act: the batches that were cut off.
            if let Event::Notice { said, .. } = told {
                let said = said.one_line();
                output::complain(said.trim_end_matches("; :recovery tells each"));
            }
        }
        let mut receipts = receipts;
        receipts.extend(go_on(&mut business).await?);
        let recovery = business.actor.standings().recovery.clone();
        act::print_recovered(recovery.as_deref(), business.ground.pack.timezone)?;
        let is_left = recovery.is_some_and(|found| found.acts.iter().any(|act| act.receipt.has_rest));
        Ok(act::exit_status(&receipts, &[]).max(if is_left { act::REFUSED } else { 0 }))
    })
}
