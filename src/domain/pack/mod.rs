//! A business as declared in its pack, already validated: every reference resolves, every expression compiles.
//!
//! These are plain values; reading them from TOML, with every mistake located, is the duty of `crate::pack`.

mod action;
mod check;
mod command;
mod connection;
mod firestore;
mod flag;
mod job;
mod ledger;
mod metric;
mod pages;
mod query;
mod queue;
mod sql;

use std::{sync::Arc, time::Duration};

use crate::domain::zone::Zone;

pub use action::{Action, Confirm, Effect, EffectKind, EventWay, Guard, GuardRule, Input, InputKind, WindowClock};
pub use check::{Bound, Check, Comparison, Limit};
pub use command::{CommandFormat, CommandRead, Program};
pub use connection::{Connection, ConnectionKind, EventHandler, MailServer, MessageFormat, SecretSource, Service};
pub use firestore::{
    By, Comparing, Condition, DocumentColumn, DocumentWrite, Documents, FirestoreRead, Listing, Test, Total, UPDATE_TIME, When,
    WrittenChange,
};
pub use flag::{Flag, Probe};
pub use job::{HistoryColumns, Job, Schedule};
pub use ledger::{Class, Ledger, LedgerColumns, Reconciliation};
pub use metric::{Metric, Target};
pub use pages::{AskedBy, PageWay, Paging};
pub use query::{Except, HttpRead, MOST_ROWS, Query, Read, Sql, StripeList, StripeRead};
pub use queue::{ColumnFormat, ColumnSpec, Deadline, Preset, Queue};
pub use sql::SqlMistake;

use super::{id::Id, money::Currency, plan};

/// One business. Lists keep the order of the file; ids are unique within their kind.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Short name, from the file's name: names the state file and the header.
    pub name: String,
    pub title: String,
    pub timezone: Zone,
    pub currency: Currency,
    pub connections: Vec<Connection>,
    pub checks: Vec<Check>,
    pub queues: Vec<Queue>,
    pub jobs: Vec<Job>,
    pub ledgers: Vec<Ledger>,
    pub reconciliations: Vec<Reconciliation>,
    pub flags: Vec<Flag>,
    pub metrics: Vec<Metric>,
    /// Declared actions, followed by those that flags (`flag.NAME`) and jobs (`job.NAME`) bring along.
    pub actions: Vec<Action>,
    pub playbooks: Vec<Playbook>,
    pub policy: Policy,
}

impl Pack {
    /// The connection among whose marks acts are claimed: the first of SQL that keeps any, else the first of documents. One
    /// for the whole pack: whoever decides on an item, by whatever action, meets the others there.
    pub fn claims_on(&self) -> Option<&Id<Connection>> {
        let in_table = |connection: &&Connection| matches!(&connection.kind, ConnectionKind::Sql { marks: Some(_), .. });
        let in_collection =
            |connection: &&Connection| matches!(&connection.kind, ConnectionKind::Firestore { marks: Some(_), .. });
        let find = |keeps: &dyn Fn(&&Connection) -> bool| self.connections.iter().find(keeps);
        find(&in_table).or_else(|| find(&in_collection)).map(|connection| &connection.id)
    }

    /// As if the pack itself looked no more often: what is too old, and what has held for how long, is reckoned by how often
    /// it is really looked at.
    pub fn slow_to(&mut self, least: Duration) {
        let checks = self.checks.iter_mut().map(|check| &mut check.every);
        let queues = self.queues.iter_mut().map(|queue| &mut queue.every);
        let jobs = self.jobs.iter_mut().map(|job| &mut job.every);
        let reconciliations = self.reconciliations.iter_mut().map(|reconciliation| &mut reconciliation.every);
        let flags = self.flags.iter_mut().map(|flag| &mut flag.every);
        let metrics = self.metrics.iter_mut().map(|metric| &mut metric.every);
        for every in checks.chain(queues).chain(jobs).chain(reconciliations).chain(flags).chain(metrics) {
            *every = least.max(*every);
        }
    }

    /// The queues whose items go by this name, or the queue itself by its own; that one first.
    pub fn queues_of<'a>(&'a self, name: &'a Id<Queue>) -> impl Iterator<Item = &'a Queue> {
        let own = self.queues.iter().filter(move |queue| queue.id == *name);
        own.chain(self.queues.iter().filter(move |queue| queue.id != *name && queue.items == *name))
    }

    /// A target as journal and claims know it: an item of two queues that hold the same items is one.
    #[must_use]
    pub fn known_as(&self, target: plan::Target) -> plan::Target {
        let items = |queue: Id<Queue>| find(&self.queues, &queue).map(|queue| queue.items.clone()).unwrap_or(queue);
        let queue = target.queue.map(items);
        plan::Target { queue, ..target }
    }
}

/// What to do when: a title and its Markdown.
#[derive(Clone, Debug)]
pub struct Playbook {
    pub id: Id<Playbook>,
    pub title: String,
    pub markdown: Arc<str>,
    /// The rows of the capability list that it covers; documentation only.
    pub covers: Vec<String>,
}

/// Limits over all actions; amounts in minor units of the pack's currency.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub money_per_session: Option<i64>,
    pub money_per_day: Option<i64>,
    /// What the operator may never do, in words, for the screen.
    pub forbidden: Vec<String>,
    /// When the operator comes back (`0 14 * * THU`, pack's zone): where `defer` puts an alert.
    pub defer_to: Option<String>,
}

/// A thing of the pack that has an id.
pub trait Named: Sized {
    fn id(&self) -> &Id<Self>;
}

impl Named for Connection {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Check {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Queue {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Job {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Ledger {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Reconciliation {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Flag {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Metric {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Action {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Playbook {
    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// The part of that id, if the list has it.
pub fn find<'a, Kind: Named>(list: &'a [Kind], id: &Id<Kind>) -> Option<&'a Kind> {
    list.iter().find(|thing| thing.id() == id)
}
