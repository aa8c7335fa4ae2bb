//! The real journal and the real connections, with a point before and after every call.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;
use wheelhouse::{
    domain::{
        claim::{Claim, Claims, Ending},
        journal::{Act, Entry, Phase},
        pack::Query,
        plan::{ActionId, Order, Target},
        rows::{Params, Rows},
        snapshot::JournalLine,
        text::Text,
    },
    ports::{
        Answer, Claimed, Clock, Doer, Followed, Found, Journal, Judge, Mark, Outcome, Ownership, Source, SourceError, StoreError,
        System,
    },
    store::Store,
};

use super::{
    bugs::{self, Bug},
    life::{FastClock, Life},
    points::Points,
    trap,
};

/// The tables that one transition changes, in their order.
const JOURNAL_TABLES: [&str; 3] = ["plans", "audit", "plan_events"];
/// The tables that the statement of an act changes, in their order.
const BUSINESS_TABLES: [&str; 2] = ["operator_actions", "payments"];

/// The action that takes another back, and the column that only its statement changes.
const UNDO: &str = "return";
const UNDONE: &str = "returned";

/// Whoever lost the claim does not come.
const BRIEFLY: Duration = Duration::from_millis(100);
/// Both come, as late as a busy machine will have it.
const SURELY: Duration = Duration::from_secs(3);

pub struct MortalJournal {
    pub store: Store,
    pub path: PathBuf,
    pub points: Arc<Points>,
    pub clock: FastClock,
    pub bug: Option<Bug>,
    /// What was said to be written and is not.
    pub held: Mutex<Option<(Act, Entry)>>,
}

impl MortalJournal {
    async fn catch_up(&self) -> Result<(), StoreError> {
        match self.held.lock().await.take() {
            Some((act, entry)) => self.store.save_transition(&act, &entry).await.map(drop),
            None => Ok(()),
        }
    }

    /// The first attempt of an old act seems to have been a minute ago.
    fn rejuvenated(&self, mut acts: Vec<Act>) -> Vec<Act> {
        if self.bug == Some(Bug::OldKey) {
            for act in &mut acts {
                act.state.first_sent_at = act.state.first_sent_at.map(|_| self.clock.now() - TimeDelta::minutes(1));
            }
        }
        acts
    }
}

#[async_trait]
impl Journal for MortalJournal {
    async fn append(&self, entry: &Entry) -> Result<JournalLine, StoreError> {
        self.catch_up().await?;
        self.points.at("journal.line.before");
        let line = self.store.append(entry).await;
        self.points.at("journal.line.after");
        line
    }

    async fn save_transition(&self, act: &Act, entry: &Entry) -> Result<JournalLine, StoreError> {
        self.catch_up().await?;
        let phase = act.state.phase.word();
        let journal = if act.plan.action.as_str() == UNDO { "undo" } else { "journal" };
        self.points.at(&format!("{journal}.{phase}.before"));
        if self.bug == Some(Bug::AuditApart) {
            bugs::write_apart(&self.path, act).await;
        }
        for table in JOURNAL_TABLES {
            let name = format!("journal.in.{table}");
            if self.points.is_due(&name) {
                trap::set(&self.path, table, name).await;
            }
        }
        self.points.amid("journal.amid");
        let line = if self.bug == Some(Bug::SendBeforeWrite) && !matches!(act.state.phase, Phase::Intent { .. }) {
            *self.held.lock().await = Some((act.clone(), entry.clone()));
            Ok(bugs::promised(entry))
        } else {
            self.store.save_transition(act, entry).await
        };
        self.points.at(&format!("{journal}.{phase}.after"));
        line
    }

    async fn open_acts(&self) -> Result<Vec<Act>, StoreError> {
        self.catch_up().await?;
        Ok(self.rejuvenated(self.store.open_acts().await?))
    }

    async fn half_way_acts(&self) -> Result<Vec<Act>, StoreError> {
        self.catch_up().await?;
        self.store.half_way_acts().await
    }

    async fn unsettled_acts(&self, at_most: usize) -> Result<Vec<Act>, StoreError> {
        self.store.unsettled_acts(at_most).await
    }

    async fn cut_batches(&self) -> Result<Vec<Vec<Act>>, StoreError> {
        self.catch_up().await?;
        self.store.cut_batches().await
    }

    async fn act(&self, id: &ActionId) -> Result<Option<Act>, StoreError> {
        self.catch_up().await?;
        self.store.act(id).await
    }

    async fn identity(&self) -> Result<String, StoreError> {
        self.store.identity().await
    }

    async fn acts_on(&self, target: &Target) -> Result<Vec<Act>, StoreError> {
        self.catch_up().await?;
        self.store.acts_on(target).await
    }

    async fn money_sent(&self, since: DateTime<Utc>, except: Option<&ActionId>) -> Result<i64, StoreError> {
        self.store.money_sent(since, except).await
    }

    async fn journal_tail(&self, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.store.journal_tail(at_most).await
    }

    async fn journal_page(&self, before: Option<u64>, contains: &str, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.store.journal_page(before, contains, at_most).await
    }
}

pub struct MortalSystem {
    pub name: String,
    pub inner: Arc<dyn System>,
    pub points: Arc<Points>,
    pub clock: FastClock,
    pub life: Arc<Life>,
}

impl MortalSystem {
    fn at(&self, point: &str) {
        self.points.at(&format!("{}.{point}", self.name));
    }

    /// The connection; where more than one kind of thing is done by it, what is done.
    fn name_of(&self, order: &Order) -> &str {
        match order {
            Order::Sql { statement, .. } if statement.contains(UNDONE) => "undo",
            Order::Proof { .. } => "proof",
            Order::Amend { .. } | Order::Event { .. } | Order::Firestore { .. } => self.life.deed.action(),
            Order::Sql { .. }
            | Order::Refund { .. }
            | Order::Http { .. }
            | Order::Mail { .. }
            | Order::Webhook { .. }
            | Order::Command { .. } => &self.name,
        }
    }

    /// Stripe's list of refunds is behind for half a minute: the first look at an act, and those soon after it, do not see it.
    fn is_behind(&self, mark: &Mark) -> bool {
        if !self.life.lags || self.name != "stripe" {
            return false;
        }
        let file = self.life.reach.folder.join(format!("looked-{}", mark.action.short()));
        let now = self.clock.now();
        let first = std::fs::read_to_string(&file).ok().and_then(|said| said.parse::<DateTime<Utc>>().ok());
        let first = first.unwrap_or_else(|| {
            std::fs::write(&file, now.to_rfc3339()).unwrap();
            now
        });
        now - first < TimeDelta::seconds(30)
    }

    async fn meet(&self, at: &str, mark: &Mark, patience: Duration) {
        self.life.meet(&format!("{at}-{}-{}", mark.action.short(), mark.step), patience).await;
    }
}

#[async_trait]
impl Source for MortalSystem {
    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        self.at("read.before");
        let rows = self.inner.read(query, params).await;
        self.at("read.after");
        rows
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        self.inner.prepare(query).await
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        self.inner.inspect().await
    }
}

#[async_trait]
impl Doer for MortalSystem {
    async fn ownership(&self) -> Ownership {
        self.inner.ownership().await
    }

    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let name = self.name_of(order);
        self.points.at(&format!("{name}.act.before"));
        match name {
            "undo" if self.points.is_due("undo.in.books") => {
                trap::set(&self.life.reach.business(), "books", "undo.in.books".to_owned()).await;
            }
            "db" => {
                for table in BUSINESS_TABLES {
                    let name = format!("db.in.{table}");
                    if self.points.is_due(&name) {
                        trap::set(&self.life.reach.business(), table, name).await;
                    }
                }
                self.meet("act", mark, BRIEFLY).await;
            }
            _ => {}
        }
        self.points.amid(&format!("{name}.act.amid"));
        let outcome = match (self.life.bug, self.name.as_str()) {
            (Some(Bug::KeyPerAttempt), _) => self.inner.act(order, &bugs::anew(mark)).await,
            (Some(Bug::AsItIsNow), "docs") => {
                let order = bugs::as_it_is_now(self.life.reach.documents.unwrap(), order).await;
                self.inner.act(&order, &bugs::anew(mark)).await
            }
            (Some(Bug::SelectThenUpdate), "db") => {
                bugs::select_then_update(&self.life.reach.business(), order, mark, self.meet("between", mark, SURELY)).await
            }
            _ => self.inner.act(order, mark).await,
        };
        self.points.at(&format!("{name}.act.after"));
        outcome
    }

    async fn follow(&self, order: &Order, answer: &Answer, mark: &Mark) -> Followed {
        self.at("follow.before");
        let followed = self.inner.follow(order, answer, mark).await;
        self.at("follow.after");
        followed
    }

    async fn claims(&self, targets: &[String]) -> Result<Option<Claims>, SourceError> {
        if self.life.bug == Some(Bug::SelectThenUpdate) {
            return Ok(None);
        }
        self.inner.claims(targets).await
    }

    async fn claim(&self, claim: &Claim, settled: &[(ActionId, Ending)], judge: &mut dyn Judge) -> Claimed {
        let name = if claim.action == UNDO { "undo" } else { &self.name };
        self.points.at(&format!("{name}.claim.before"));
        if self.points.is_due("db.in.claim") {
            trap::set(&self.life.reach.business(), BUSINESS_TABLES[0], "db.in.claim".to_owned()).await;
        }
        self.points.amid("db.claim.amid");
        let claimed = self.inner.claim(claim, settled, judge).await;
        self.points.at(&format!("{name}.claim.after"));
        claimed
    }

    async fn release(&self, act: &ActionId, journal: &str, ending: Ending) -> Result<(), SourceError> {
        self.at("release.before");
        let released = self.inner.release(act, journal, ending).await;
        self.at("release.after");
        released
    }

    async fn open_claims(&self, journal: &str) -> Result<Vec<ActionId>, SourceError> {
        self.inner.open_claims(journal).await
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        let name = self.name_of(order);
        self.points.at(&format!("{name}.look.before"));
        let found = if self.is_behind(mark) { Found::Absent } else { self.inner.look_up(order, mark).await };
        self.points.at(&format!("{name}.look.after"));
        found
    }
}
