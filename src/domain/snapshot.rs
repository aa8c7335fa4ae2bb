//! Everything known at one moment: immutable, shared as `Arc`, replaced whole.

mod filling;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    barrier::Barrier,
    ends::Ends,
    figure,
    id::Id,
    money::Money,
    pack::{self, Action, Class, Connection},
    plan::Receipt,
    recovery::Recovery,
    rows::Row,
    severity::Severity,
    text::Text,
    value::Value,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Grows with every change.
    pub sequence: u64,
    pub taken_at: DateTime<Utc>,
    /// Severest first, then oldest first.
    pub alerts: Vec<Arc<Alert>>,
    /// In the pack's order, as are the following.
    pub queues: Vec<Arc<QueueReport>>,
    pub jobs: Vec<Arc<JobReport>>,
    pub reconciliations: Vec<Arc<ReconciliationReport>>,
    pub flags: Vec<Arc<FlagReport>>,
    pub metrics: Vec<Arc<MetricReport>>,
    pub sources: Vec<SourceReport>,
    /// Newest first; the last few hundred.
    pub journal: Arc<[JournalLine]>,
    /// Held, waiting, under way and unknown acts, and those just ended; newest first.
    pub receipts: Arc<[Receipt]>,
    pub batch: Option<BatchReport>,
    /// When the next look is due.
    pub next_look: Option<DateTime<Utc>>,
    pub since_last_visit: Option<Digest>,
    /// What keeps this cockpit from writing; about this run alone, so that no stored picture tells of it.
    #[serde(skip)]
    pub barrier: Option<Barrier>,
    /// What an earlier run left, where there was anything; about this run alone as well.
    #[serde(skip)]
    pub recovery: Option<Arc<Recovery>>,
    /// Money sent today and in this session, for the caps; minor units of the pack's currency.
    pub money_today: i64,
    pub money_this_session: i64,
}

/// A reading with its age and, where looking failed, why. The last good value stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Look<T> {
    pub value: Option<Arc<T>>,
    /// When the value was read.
    pub looked_at: Option<DateTime<Utc>>,
    pub took_ms: u64,
    pub every: Duration,
    pub failure: Option<Failure>,
    /// How far the look has come that is under way, where it comes in pages and takes long.
    #[serde(skip)]
    pub reading: Option<PagesSoFar>,
}

/// A long list that is being read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagesSoFar {
    pub since: DateTime<Utc>,
    pub pages: usize,
    pub rows: usize,
}

impl PagesSoFar {
    /// `12 pages, 1,200 rows`.
    pub fn said(&self) -> String {
        let counted = |count: usize, thing: &str| match count {
            1 => format!("1 {thing}"),
            count => format!("{} {thing}s", figure::quantity(count as f64, "")),
        };
        format!("{}, {}", counted(self.pages, "page"), counted(self.rows, "row"))
    }
}

impl<T> Look<T> {
    pub fn never(every: Duration) -> Self {
        Self { value: None, looked_at: None, took_ms: 0, every, failure: None, reading: None }
    }

    /// Older than twice its interval: no longer a reading.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.looked_at.is_some_and(|at| now - at > TimeDelta::from_std(self.every * 2).unwrap_or(TimeDelta::MAX))
    }

    /// The value, where it still is a reading: not too old, and no look has failed since.
    pub fn fresh(&self, now: DateTime<Utc>) -> Option<&Arc<T>> {
        self.value.as_ref().filter(|_| self.failure.is_none() && !self.is_stale(now))
    }
}

/// A look that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What failed, for what, and what to try.
    pub said: Text,
    pub since: DateTime<Utc>,
    pub tries: u32,
    pub next_try: Option<DateTime<Utc>>,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    Check(Id<pack::Check>),
    Job(Id<pack::Job>),
    Reconciliation(Id<pack::Reconciliation>),
}

impl Subject {
    /// `check.refund_rate`: its name in records and on the command line.
    pub fn name(&self) -> String {
        match self {
            Self::Check(id) => format!("check.{id}"),
            Self::Job(id) => format!("job.{id}"),
            Self::Reconciliation(id) => format!("reconciliation.{id}"),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alert {
    pub subject: Subject,
    pub title: String,
    pub severity: Severity,
    /// Since when it has this severity; survives a restart.
    pub since: DateTime<Utc>,
    /// The reading as it is said (`11.8%`), empty where there is none.
    pub reading: String,
    /// One more thing to know (`attempt 2/5`), or why it could not look.
    pub detail: Text,
    /// The rule in words (`yellow at least 10 %, red above 15 % for 30m`).
    pub rule: String,
    /// What it is turning into, since when it is beyond that limit, and when that counts.
    pub turning: Option<Turning>,
    /// The latest readings, newest first.
    pub recent: Arc<[Reading]>,
    pub playbook: Option<Id<pack::Playbook>>,
    pub looked_at: Option<DateTime<Utc>>,
    pub every: Duration,
    pub failure: Option<Failure>,
    pub handling: Handling,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turning {
    pub into: Severity,
    pub since: DateTime<Utc>,
    pub counts_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub at: DateTime<Utc>,
    /// `None` where it could not look or there was nothing.
    pub value: Option<Value>,
    pub severity: Severity,
    pub said: Text,
}

/// What the operator did about an alert. Ends when the severity flips.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Handling {
    pub acknowledged: Option<(DateTime<Utc>, String)>,
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Put off until the next session.
    pub deferred_until: Option<DateTime<Utc>>,
    pub note: Option<Text>,
}

/// A change of severity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    pub subject: Subject,
    pub at: DateTime<Utc>,
    pub from: Severity,
    pub to: Severity,
    pub said: Text,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueueReport {
    pub id: Id<pack::Queue>,
    pub title: String,
    pub look: Look<Items>,
}

/// The rows of a queue as items.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Items {
    pub items: Vec<Arc<Item>>,
    /// How many more there are outside that the business's own record has already.
    #[serde(default)]
    pub left_out: usize,
    /// The items that stand together, in their order: what they share, and how many there are.
    #[serde(default)]
    pub groups: Vec<(Text, usize)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    pub key: String,
    pub row: Row,
    pub since: Option<DateTime<Utc>>,
    pub deadline: Option<DateTime<Utc>>,
    /// The presets that it falls in, by name.
    pub presets: Vec<String>,
    /// For each action of the queue that a guard forbids now: which guard, and by how much.
    pub barred: Vec<(Id<Action>, Text)>,
}

impl Item {
    pub fn barred_from(&self, action: &Id<Action>) -> Option<&Text> {
        self.barred.iter().find(|(id, _)| id == action).map(|(_, why)| why)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobReport {
    pub id: Id<pack::Job>,
    pub title: String,
    pub look: Look<JobHealth>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobHealth {
    pub severity: Severity,
    /// `ok`, `FAILED 2/5`, `LATE 25h`, `MISSED 2`.
    pub state: String,
    /// Why, in a sentence.
    pub why: String,
    /// Since when it is not well: the first failure in a row, or the first run that did not come.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
    /// Newest first.
    pub runs: Vec<Run>,
    /// The latest moment at which it should have run.
    pub expected: Option<DateTime<Utc>>,
    pub next: Option<DateTime<Utc>>,
    pub missed: u32,
    /// Median duration of the runs that went well.
    pub usual: Option<Duration>,
    /// A clock change before the runs of the next seven days, told ahead; and what time it really runs at, where the zone
    /// that it is evaluated in differs from the one that it is meant in.
    pub clock_change: Option<String>,
    /// What is there for it to do now (the effect query's figures).
    pub effect: Vec<(String, Value)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The moment it was due; `None` for a run nobody scheduled (by hand).
    pub due: Option<DateTime<Utc>>,
    /// `None` for a run that did not come.
    pub started: Option<DateTime<Utc>>,
    pub finished: Option<DateTime<Utc>>,
    pub outcome: RunOutcome,
    pub attempt: Option<u32>,
    pub error: Option<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    Succeeded,
    /// Went well, in more than twice its usual time.
    Slow,
    Failed,
    Running,
    Missed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReconciliationReport {
    pub id: Id<pack::Reconciliation>,
    pub title: String,
    pub look: Look<Statement>,
    pub signed_off: Option<SignOff>,
    /// How far its ledgers are read, while that takes long.
    #[serde(skip)]
    pub reading: Option<ReadSoFar>,
}

/// Two ledgers that are being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSoFar {
    pub since: DateTime<Utc>,
    /// Rows so far.
    pub theirs: usize,
    pub ours: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignOff {
    pub at: DateTime<Utc>,
    pub operator: String,
    pub note: Text,
    /// SHA-256 of the statement that was signed.
    pub hash: String,
    pub difference: Vec<Money>,
}

/// The result of pairing two ledgers over `[from, to)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub theirs_title: String,
    pub ours_title: String,
    /// One line for each currency.
    pub totals: Vec<Totals>,
    /// What does not match, and what is in flight; oldest first.
    pub discrepancies: Vec<Discrepancy>,
    /// Pairs that agree, and rows alone that moved no money.
    pub matched: usize,
    /// How many more do not match or are in flight than are listed; the totals tell of all.
    #[serde(default)]
    pub unlisted: usize,
}

impl Statement {
    /// True where both sides say the same, row by row; rows in flight are no difference yet.
    pub fn is_even(&self) -> bool {
        self.discrepancies.iter().all(|discrepancy| discrepancy.class == Class::InFlight)
    }
}

/// Net of refunds, per currency. `theirs - ours` equals the sum over `by_class`, always.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub theirs: Money,
    pub theirs_rows: usize,
    pub ours: Money,
    pub ours_rows: usize,
    pub difference: Money,
    pub by_class: Vec<(Class, usize, Money)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// Names it while it exists: class and both ids.
    pub key: String,
    pub class: Class,
    pub theirs: Option<Entry>,
    pub ours: Option<Entry>,
    /// `theirs - ours`, in each currency that it touches.
    pub difference: Vec<Money>,
    /// What it is, in a sentence.
    pub said: Text,
    /// The action that would repair it, and the row that it works on.
    pub proposal: Option<Id<Action>>,
    /// The rows of the other side that an ambiguous one could mean, the earliest first, and how many more there are.
    #[serde(default)]
    pub candidates: Vec<Entry>,
    #[serde(default)]
    pub more_candidates: usize,
}

/// A row of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub key: String,
    pub link: Option<String>,
    pub amount: Money,
    pub refunded: Money,
    pub at: DateTime<Utc>,
    pub status: Option<Text>,
    pub settled: bool,
    pub pending: bool,
    pub row: Row,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlagReport {
    pub id: Id<pack::Flag>,
    pub title: String,
    pub normal: String,
    pub values: Vec<String>,
    pub look: Look<Value>,
    pub flip: Option<FlagFlip>,
}

/// An open loop: the flag stands away from its normal value, or a flip is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagFlip {
    pub from: String,
    pub to: String,
    pub reason: Text,
    pub operator: String,
    pub at: DateTime<Utc>,
    pub phase: FlagPhase,
    pub probes: Vec<ProbeResult>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlagPhase {
    Written,
    Deployed,
    Observed,
    /// The probes did not see the new value in time.
    Unobserved,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    pub title: String,
    pub expected: Text,
    pub got: Text,
    pub ok: bool,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MetricReport {
    pub id: Id<pack::Metric>,
    pub title: String,
    pub look: Look<MetricReading>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricReading {
    pub value: Option<Value>,
    pub said: String,
    /// Change against the period before, as a fraction.
    pub change: Option<f64>,
    /// Oldest first.
    pub series: Vec<f64>,
    /// When each point of the series was; empty where the pack gives no times.
    #[serde(default)]
    pub times: Vec<DateTime<Utc>>,
    /// `target 25%: not met`.
    pub target: Option<(String, bool)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    pub id: Id<Connection>,
    pub kind: String,
    pub last_ok: Option<DateTime<Utc>>,
    pub took_ms: Option<u64>,
    pub failure: Option<Failure>,
    /// How much of what it allows is used; about this moment alone, so that no stored picture tells of it.
    #[serde(skip)]
    pub budget: Option<Text>,
    /// How far the long lists have come that are being read.
    #[serde(skip)]
    pub progress: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalLine {
    pub sequence: u64,
    pub at: DateTime<Utc>,
    /// The operator, or `system`.
    pub who: String,
    /// `REFUND`, `APPROVE`, `ACK`, `FLIP` ...
    pub word: String,
    /// The sentence.
    pub said: Text,
    pub severity: Severity,
    /// The last lines that a command printed, where it tells of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchReport {
    pub id: super::plan::BatchId,
    pub title: String,
    pub total: usize,
    #[serde(flatten)]
    pub ends: Ends,
    pub paused: bool,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// What happened between the last visit and this one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    pub last_visit: Option<DateTime<Utc>>,
    /// `+2 red`, `+9 Reviews`, `1 flag still flipped`.
    pub lines: Vec<String>,
}
