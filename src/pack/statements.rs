//! Every statement and request of a pack with its place, to be prepared at start.

use crate::domain::pack::{Action, Effect, EffectKind, Query, Read, StripeRead};

use super::{Loaded, Place, source::Shape};

/// A read or a statement, and where it stands (`checks.stock.read`, `actions.ship.do[0]`).
#[derive(Clone, Debug)]
pub struct Statement {
    pub path: String,
    /// An action's statement stands here as a read, for preparing only: it is never to be read.
    pub query: Query,
    pub changes: bool,
}

impl Loaded {
    /// All that the pack asks of its connections, in the order of the file's sections.
    pub fn statements(&self) -> Vec<Statement> {
        let pack = &self.pack;
        let mut all = Vec::new();
        let mut add = |path: String, query: &Query| {
            all.extend(except(&path, query));
            all.push(Statement { path, query: query.clone(), changes: false });
        };
        for check in &pack.checks {
            add(format!("checks.{}.read", check.id), &check.query);
        }
        for queue in &pack.queues {
            add(format!("queues.{}.read", queue.id), &queue.query);
        }
        for job in &pack.jobs {
            add(format!("jobs.{}.history", job.id), &job.history);
            job.effect.iter().for_each(|query| add(format!("jobs.{}.effect", job.id), query));
        }
        for ledger in &pack.ledgers {
            add(format!("ledgers.{}.read", ledger.id), &ledger.query);
        }
        for flag in &pack.flags {
            add(format!("flags.{}.read", flag.id), &flag.query);
            for (index, probe) in flag.probes.iter().enumerate() {
                add(format!("flags.{}.probes[{index}].read", flag.id), &probe.query);
            }
        }
        for metric in &pack.metrics {
            add(format!("metrics.{}.read", metric.id), &metric.query);
            metric.series.iter().for_each(|query| add(format!("metrics.{}.series", metric.id), query));
        }
        for action in &pack.actions {
            for (index, query) in action.fresh.iter().enumerate() {
                add(format!("actions.{}.fresh[{index}]", action.id), query);
            }
        }
        for action in &pack.actions {
            all.extend(self.own_effects(action).into_iter().filter_map(change));
        }
        all
    }

    /// The effects that an action's own part of the file says, with their places; those taken over from a flag or a job
    /// stand there.
    pub(super) fn own_effects<'p>(&self, action: &'p Action) -> Vec<(Place, &'p Effect)> {
        let place = match action.id.as_str().split_once('.') {
            Some(("flag", name)) => Place::default().key("flags").key(name).key("set"),
            Some(("job", name)) => Place::default().key("jobs").key(name).key("run"),
            _ => Place::default().key("actions").key(action.id.as_str()).key("do"),
        };
        let written = match self.source.find(&place).map(|tree| &tree.shape) {
            Some(Shape::Array(items)) => items.len(),
            _ => 1,
        };
        let mut effects = action.effects.iter();
        let mut own = Vec::new();
        for index in 0..written {
            let place = place.index(index);
            let taken_over = ["flag", "job"].into_iter().find_map(|kind| {
                let name = place.key(kind).key(if kind == "flag" { "set" } else { "run" });
                match &self.source.find(&name)?.shape {
                    Shape::Text(name) => self.pack.actions.iter().find(|action| action.id.as_str() == format!("{kind}.{name}")),
                    _ => None,
                }
            });
            match taken_over {
                Some(other) => effects.by_ref().take(other.effects.len()).for_each(drop),
                None => own.extend(effects.next().map(|effect| (place, effect))),
            }
        }
        own
    }
}

/// What a read leaves out is asked of another connection.
fn except(path: &str, query: &Query) -> Option<Statement> {
    let Read::Stripe(StripeRead { except: Some(except), .. }) = &query.read else { return None };
    let query = Query { on: except.on.clone(), read: Read::Sql(except.sql.clone()), money: Vec::new() };
    Some(Statement { path: format!("{path}.stripe.except"), query, changes: false })
}

fn change((place, effect): (Place, &Effect)) -> Option<Statement> {
    match &effect.kind {
        EffectKind::Sql { on, sql, .. } | EffectKind::Proof { on, sql } => {
            let query = Query { on: on.clone(), read: Read::Sql(sql.clone()), money: Vec::new() };
            Some(Statement { path: place.to_string(), query, changes: true })
        }
        EffectKind::Refund { .. }
        | EffectKind::Amend { .. }
        | EffectKind::Http { .. }
        | EffectKind::Mail { .. }
        | EffectKind::Webhook { .. }
        | EffectKind::Event { .. }
        | EffectKind::Firestore { .. } => None,
    }
}
