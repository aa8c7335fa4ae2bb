//! Every statement and request of a pack with its place, to be prepared at start; and what a pack expects of the
//! columns, once they are known.

use std::ops::Range;

use crate::domain::{
    expression::Expression,
    pack::{Action, Check, Effect, EffectKind, Flag, HttpRead, Job, Ledger, Metric, Query, Queue, Read},
};

use super::{Loaded, Place, Problem, Problems, nearest::advice};

/// Names that are at hand beside a row's columns.
const BESIDE: [&str; 8] = ["rows", "now", "day_ago", "week_ago", "month_ago", "operator", "action_id", "reason"];
/// Columns of every answer over HTTP.
const HTTP: [&str; 5] = ["ok", "status", "latency_ms", "body", "error"];

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
        let mut add = |path: String, query: &Query| all.push(Statement { path, query: query.clone(), changes: false });
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
        all.extend(pack.actions.iter().flat_map(changes));
        all
    }

    /// What the part at a path (as `statements` gives it) takes from its rows and does not find among the columns.
    pub fn check_columns(&self, path: &str, columns: &[String]) -> Problems {
        let mut parts = path.split('.');
        let (section, name, read) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let place = Place::default().key(section).key(name);
        let mut wants = Wants { loaded: self, columns, problems: Vec::new() };
        let pack = &self.pack;
        match (section, read) {
            ("checks", "read") => {
                pack.checks.iter().filter(|check| check.id.as_str() == name).for_each(|check| wants.check(&place, check))
            }
            ("queues", "read") => {
                pack.queues.iter().filter(|queue| queue.id.as_str() == name).for_each(|queue| wants.queue(&place, queue))
            }
            ("jobs", "history") => {
                pack.jobs.iter().filter(|job| job.id.as_str() == name).for_each(|job| wants.history(&place, job))
            }
            ("ledgers", "read") => {
                pack.ledgers.iter().filter(|ledger| ledger.id.as_str() == name).for_each(|ledger| wants.ledger(&place, ledger))
            }
            ("flags", _) => {
                pack.flags.iter().filter(|flag| flag.id.as_str() == name).for_each(|flag| wants.flag(&place, flag, read))
            }
            ("metrics", "read") => {
                pack.metrics.iter().filter(|metric| metric.id.as_str() == name).for_each(|metric| wants.metric(&place, metric))
            }
            ("metrics", "series") => ["at", "value"].iter().for_each(|column| wants.column(&place.key("series"), column)),
            _ => {}
        }
        Problems::from(wants.problems)
    }

    /// The answers over HTTP, whose columns are in the file itself.
    pub(super) fn check_http_columns(&self) -> Problems {
        let statements = self.statements().into_iter().filter(|statement| !statement.changes);
        statements.fold(Problems::default(), |problems, statement| match &statement.query.read {
            Read::Http(read) => problems.and(self.check_columns(&statement.path, &http_columns(read))),
            Read::Sql(_) | Read::Stripe(_) => problems,
        })
    }
}

fn http_columns(read: &HttpRead) -> Vec<String> {
    let own = read.columns.iter().map(|(name, _)| name.clone());
    own.chain(HTTP.map(ToOwned::to_owned)).collect()
}

fn changes(action: &Action) -> impl Iterator<Item = Statement> {
    // Actions that flags and jobs bring along stand in their sections.
    let place = match action.id.as_str().split_once('.') {
        Some(("flag", name)) => format!("flags.{name}.set"),
        Some(("job", name)) => format!("jobs.{name}.run"),
        _ => format!("actions.{}.do", action.id),
    };
    let change = move |(index, effect): (usize, &Effect)| match &effect.kind {
        EffectKind::Sql { on, sql, .. } => {
            let query = Query { on: on.clone(), read: Read::Sql(sql.clone()), money: Vec::new() };
            Some(Statement { path: format!("{place}[{index}]"), query, changes: true })
        }
        EffectKind::Refund { .. } | EffectKind::Http { .. } | EffectKind::Mail { .. } | EffectKind::Webhook { .. } => None,
    };
    action.effects.iter().enumerate().filter_map(change)
}

/// Collects what is wanted and not there.
struct Wants<'a> {
    loaded: &'a Loaded,
    columns: &'a [String],
    problems: Vec<Problem>,
}

impl Wants<'_> {
    fn check(&mut self, place: &Place, check: &Check) {
        self.money(place, &check.query);
        self.expression(&place.key("value"), &check.value);
        check.detail.iter().for_each(|detail| self.names(&place.key("detail"), detail.source(), &detail.names()));
    }

    fn metric(&mut self, place: &Place, metric: &Metric) {
        self.money(place, &metric.query);
        self.expression(&place.key("value"), &metric.value);
        metric.previous.iter().for_each(|previous| self.expression(&place.key("previous"), previous));
        metric.said.iter().for_each(|said| self.names(&place.key("said"), said.source(), &said.names()));
    }

    fn queue(&mut self, place: &Place, queue: &Queue) {
        self.money(place, &queue.query);
        self.column(&place.key("id"), &queue.key);
        queue.since.iter().for_each(|column| self.column(&place.key("since"), column));
        queue.body.iter().for_each(|column| self.column(&place.key("body"), column));
        queue.deadline.iter().for_each(|deadline| self.column(&place.key("deadline").key("column"), &deadline.column));
        for preset in &queue.presets {
            self.expression(&place.key("presets").key(&preset.name), &preset.filter);
        }
        for (index, spec) in queue.columns.iter().enumerate() {
            self.column(&place.key("columns").index(index).key("column"), &spec.column);
        }
    }

    fn history(&mut self, place: &Place, job: &Job) {
        let place = place.key("history_columns");
        let columns = &job.history_columns;
        let named = [
            ("started", Some(&columns.started)),
            ("finished", columns.finished.as_ref()),
            ("status", Some(&columns.status)),
            ("attempt", columns.attempt.as_ref()),
            ("error", columns.error.as_ref()),
        ];
        self.named(&place, &named);
    }

    fn ledger(&mut self, place: &Place, ledger: &Ledger) {
        self.money(place, &ledger.query);
        let columns = &ledger.columns;
        let named = [
            ("key", Some(&columns.key)),
            ("link", columns.link.as_ref()),
            ("amount", Some(&columns.amount)),
            ("refunded", columns.refunded.as_ref()),
            ("currency", columns.currency.as_ref()),
            ("at", Some(&columns.at)),
            ("status", columns.status.as_ref()),
        ];
        self.named(&place.key("columns"), &named);
    }

    fn flag(&mut self, place: &Place, flag: &Flag, read: &str) {
        if read == "read" {
            self.column(&place.key("column"), &flag.column);
            return;
        }
        for (index, probe) in flag.probes.iter().enumerate().filter(|(index, _)| read == format!("probes[{index}]")) {
            self.column(&place.key("probes").index(index).key("column"), &probe.column);
        }
    }

    fn named(&mut self, place: &Place, columns: &[(&str, Option<&String>)]) {
        for (key, column) in columns {
            column.iter().for_each(|column| self.column(&place.key(key), column));
        }
    }

    fn money(&mut self, place: &Place, query: &Query) {
        let kind = match query.read {
            Read::Sql(_) => "sql",
            Read::Stripe(_) => "stripe",
            Read::Http(_) => "http",
        };
        for (index, column) in query.money.iter().enumerate() {
            self.column(&place.key("read").key(kind).key("money").index(index), column);
        }
    }

    fn expression(&mut self, place: &Place, expression: &Expression) {
        self.names(place, expression.source(), &expression.columns());
    }

    fn names(&mut self, place: &Place, source: &str, names: &[String]) {
        for name in names {
            self.wanted(place, name, word(source, name));
        }
    }

    fn column(&mut self, place: &Place, column: &str) {
        self.wanted(place, column, None);
    }

    fn wanted(&mut self, place: &Place, name: &str, part: Option<Range<usize>>) {
        // A part of a JSON cell: the column is what its name begins with.
        let is = |known: &str| name == known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
        if self.columns.iter().any(|column| is(column)) || BESIDE.iter().any(|beside| is(beside)) {
            return;
        }
        let source = &self.loaded.source;
        let span = part.map_or_else(|| source.locate(place), |part| source.locate_within(place, part));
        let known: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let message = format!("the rows have no column `{name}`");
        self.problems.push(source.problem(span, message, "not a column", Some(advice(name, &known, "columns"))));
    }
}

/// Where a name first stands as a word of its own.
fn word(source: &str, name: &str) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(name).map(|(at, _)| at..at + name.len()).find(|at| {
        let before = source.get(..at.start).and_then(|text| text.chars().next_back());
        let after = source.get(at.end..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
