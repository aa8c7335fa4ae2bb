//! What a pack expects of the columns of its rows, once they are known: a name that is not there is shown before it is
//! needed.

use std::{collections::BTreeMap, ops::Range};

use crate::domain::{
    expression::Expression,
    pack::{
        self, Action, Check, DocumentWrite, Effect, EffectKind, EventWay, Flag, GuardRule, HttpRead, Job, Ledger, Metric, Named,
        Query, Queue, Read, When, WindowClock,
    },
    template::Template,
};

use super::{Loaded, Place, Problem, Problems, nearest::advice};

/// Names that are at hand beside a query's columns.
const BESIDE: [&str; 6] = ["rows", "left_out", "now", "day_ago", "week_ago", "month_ago"];
/// Names that are at hand for every action.
const FOR_ACTIONS: [&str; 4] = ["now", "operator", "action_id", "id"];
/// Columns of every answer over HTTP.
const HTTP: [&str; 5] = ["ok", "status", "latency_ms", "body", "error"];

/// The columns of statements, by their paths, as far as they are known.
pub type Columns = BTreeMap<String, Vec<String>>;

impl Loaded {
    /// What the part at a path (as `statements` gives it) takes from its rows and does not find among the columns.
    pub fn check_columns(&self, path: &str, columns: &[String]) -> Problems {
        if path.ends_with(".except") {
            // Only its first column counts, whatever that is called.
            return Problems::default();
        }
        let mut parts = path.split('.');
        let (section, name, read) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let place = Place::default().key(section).key(name);
        let mut wants = Wants { loaded: self, columns, beside: &BESIDE, whose: "the rows have".to_owned(), problems: Vec::new() };
        let pack = &self.pack;
        match (section, read) {
            ("checks", "read") => named(&pack.checks, name).for_each(|check| wants.check(&place, check)),
            ("queues", "read") => named(&pack.queues, name).for_each(|queue| wants.queue(&place, queue)),
            ("jobs", "history") => named(&pack.jobs, name).for_each(|job| wants.history(&place, job)),
            ("ledgers", "read") => named(&pack.ledgers, name).for_each(|ledger| wants.ledger(&place, ledger)),
            ("flags", _) => named(&pack.flags, name).for_each(|flag| wants.flag(&place, flag, read)),
            ("metrics", "read") => named(&pack.metrics, name).for_each(|metric| wants.metric(&place, metric)),
            ("metrics", "series") => ["at", "value"].into_iter().for_each(|column| wants.column(&place.key("series"), column)),
            _ => {}
        }
        Problems::from(wants.problems)
    }

    /// What actions take and neither the rows that they are offered for, nor their inputs, nor their fresh reads give.
    /// Where not all columns of an action are known, nothing is said about it.
    pub fn check_actions(&self, known: &Columns) -> Problems {
        let mut problems = Problems::default();
        for queue in &self.pack.queues {
            let Some(columns) = known.get(&format!("queues.{}.read", queue.id)) else { continue };
            for action in queue.actions.iter().filter_map(|id| pack::find(&self.pack.actions, id)) {
                let whose = format!("an item of `{}`, the inputs and the fresh reads give", queue.id);
                problems = problems.and(self.check_action(action, columns.clone(), known, whose));
            }
        }
        for reconciliation in &self.pack.reconciliations {
            let side = |ledger: &str, prefix: &str| {
                let columns = known.get(&format!("ledgers.{ledger}.read"))?;
                Some(columns.iter().map(|column| format!("{prefix}_{column}")).collect::<Vec<_>>())
            };
            let (theirs, ours) = (side(reconciliation.theirs.as_str(), "their"), side(reconciliation.ours.as_str(), "our"));
            let Some((theirs, ours)) = theirs.zip(ours) else { continue };
            let columns: Vec<String> = theirs.into_iter().chain(ours).chain(["difference".to_owned()]).collect();
            for action in reconciliation.proposed().filter_map(|id| pack::find(&self.pack.actions, id)) {
                let whose = format!("a pair of `{}`, the inputs and the fresh reads give", reconciliation.id);
                problems = problems.and(self.check_action(action, columns.clone(), known, whose));
            }
        }
        problems
    }

    fn check_action(&self, action: &Action, mut columns: Vec<String>, known: &Columns, whose: String) -> Problems {
        if action.id.as_str().contains('.') {
            // What a flag or a job brings along was judged with it: it has no row.
            return Problems::default();
        }
        for (index, query) in action.fresh.iter().enumerate() {
            match (known.get(&format!("actions.{}.fresh[{index}]", action.id)), &query.read) {
                (Some(fresh), _) => columns.extend(fresh.iter().cloned()),
                (None, Read::Http(read)) => columns.extend(http_columns(read)),
                (None, Read::Firestore(read)) => columns.extend(read.names()),
                (None, Read::Sql(_) | Read::Stripe(_)) => return Problems::default(),
            }
        }
        columns.extend(action.inputs.iter().map(|input| input.name.clone()));
        let mut known = std::collections::BTreeSet::new();
        columns.retain(|column| known.insert(column.clone()));
        let mut wants = Wants { loaded: self, columns: &columns, beside: &FOR_ACTIONS, whose, problems: Vec::new() };
        wants.action(&Place::default().key("actions").key(action.id.as_str()), action);
        Problems::from(wants.problems)
    }

    /// The answers whose columns are in the file itself: those over HTTP, and documents.
    pub(super) fn check_declared_columns(&self) -> Problems {
        let mut documents = Columns::new();
        let mut problems = Problems::default();
        for statement in self.statements().into_iter().filter(|statement| !statement.changes) {
            match &statement.query.read {
                Read::Http(read) => problems = problems.and(self.check_columns(&statement.path, &http_columns(read))),
                Read::Firestore(read) => {
                    problems = problems.and(self.check_columns(&statement.path, &read.names()));
                    documents.insert(statement.path, read.names());
                }
                Read::Sql(_) | Read::Stripe(_) => {}
            }
        }
        problems.and(self.check_actions(&documents))
    }
}

fn named<'a, Kind: Named>(list: &'a [Kind], name: &'a str) -> impl Iterator<Item = &'a Kind> {
    list.iter().filter(move |part| part.id().as_str() == name)
}

fn http_columns(read: &HttpRead) -> Vec<String> {
    let own = read.columns.iter().map(|(name, _)| name.clone());
    own.chain(HTTP.map(ToOwned::to_owned)).collect()
}

/// Collects what is wanted and not there.
struct Wants<'a> {
    loaded: &'a Loaded,
    columns: &'a [String],
    /// Names that are at hand beside the columns.
    beside: &'a [&'a str],
    /// Whose columns they are, as the message says it.
    whose: String,
    problems: Vec<Problem>,
}

impl Wants<'_> {
    fn check(&mut self, place: &Place, check: &Check) {
        self.money(place, &check.query);
        self.expression(&place.key("value"), &check.value);
        check.since.iter().for_each(|since| self.expression(&place.key("since"), since));
        check.detail.iter().for_each(|detail| self.template(&place.key("detail"), detail));
    }

    fn metric(&mut self, place: &Place, metric: &Metric) {
        self.money(place, &metric.query);
        self.expression(&place.key("value"), &metric.value);
        metric.previous.iter().for_each(|previous| self.expression(&place.key("previous"), previous));
        metric.said.iter().for_each(|said| self.template(&place.key("said"), said));
    }

    fn queue(&mut self, place: &Place, queue: &Queue) {
        self.money(place, &queue.query);
        self.column(&place.key("id"), &queue.key);
        queue.since.iter().for_each(|column| self.column(&place.key("since"), column));
        queue.body.iter().for_each(|column| self.column(&place.key("body"), column));
        for (index, column) in queue.group.iter().enumerate() {
            self.column(&place.key("group").index(index), column);
        }
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

    /// All that an action takes from a row, its inputs and its fresh reads.
    fn action(&mut self, place: &Place, action: &Action) {
        for (place, effect) in self.loaded.own_effects(action) {
            self.effect(&place, effect);
        }
        for (index, guard) in action.guards.iter().enumerate() {
            let place = place.key("guards").index(index);
            match &guard.rule {
                GuardRule::Holds(expression) => self.expression(&place.key("holds"), expression),
                GuardRule::Within { column, clock, .. } => {
                    self.column(&place.key("within").key("column"), column);
                    if let WindowClock::RequestedAt(column) = clock {
                        self.column(&place.key("within").key("clock"), column);
                    }
                }
            }
            guard.says.iter().for_each(|says| self.template(&place.key("says"), says));
        }
        action.amount.iter().for_each(|column| self.column(&place.key("amount"), column));
        for (index, column) in action.unchanged.iter().enumerate() {
            self.column(&place.key("unchanged").index(index), column);
        }
        action.label.iter().for_each(|label| self.template(&place.key("label"), label));
    }

    fn effect(&mut self, place: &Place, effect: &Effect) {
        let at = place.key(effect.kind.word());
        match &effect.kind {
            EffectKind::Sql { sql, .. } | EffectKind::Proof { sql, .. } => {
                for name in &sql.parameters {
                    self.wanted(&at.key("text"), name, sql.place_of(name));
                }
            }
            EffectKind::Refund { charge, amount, reason, .. } => {
                self.column(&at.key("refund"), charge);
                self.column(&at.key("amount"), amount);
                if let Some(reason) = reason {
                    self.template(&at.key("reason"), reason);
                }
            }
            EffectKind::Amend { object, change, evidence, .. } => {
                self.column(&at.key(change.word()), object);
                for (field, template) in evidence {
                    self.template(&at.key("fields").key(field), template);
                }
            }
            EffectKind::Http { path, body, .. } => {
                self.template(&at.key("path"), path);
                if let Some(body) = body {
                    self.template(&at.key("body"), body);
                }
            }
            EffectKind::Mail { to, subject, body, .. } => {
                for (key, template) in [("to", to), ("subject", subject), ("body", body)] {
                    self.template(&at.key(key), template);
                }
            }
            EffectKind::Webhook { text, .. } => self.template(&at.key("text"), text),
            EffectKind::Event { event, way, .. } => match way {
                EventWay::Account { endpoint } => {
                    self.column(&at.key("resend"), event);
                    self.column(&at.key("endpoint"), endpoint);
                }
                EventWay::Ourselves { .. } => self.column(&at.key("deliver"), event),
            },
            EffectKind::Firestore { write, .. } => self.document(&at, write),
        }
        if self.loaded.source.find(&place.key("says")).is_some() {
            self.template(&place.key("says"), &effect.said);
        }
    }

    fn document(&mut self, at: &Place, write: &DocumentWrite) {
        self.template(&at.key("document"), &write.document);
        for (path, change) in &write.changes {
            let set = at.key("set");
            let place = set.key(&path.to_string());
            let place = if self.loaded.source.find(&place).is_some() { place } else { set };
            for name in change.names() {
                self.wanted(&place, &name, None);
            }
        }
        if let When::Unchanged { since } = &write.when {
            let place = at.key("unchanged_since");
            let place = if self.loaded.source.find(&place).is_some() { place } else { at.key("document") };
            self.wanted(&place, since, None);
        }
    }

    fn template(&mut self, place: &Place, template: &Template) {
        self.names(place, template.source(), &template.names());
    }

    fn named(&mut self, place: &Place, columns: &[(&str, Option<&String>)]) {
        for (key, column) in columns {
            if let Some(column) = column {
                self.column(&place.key(key), column);
            }
        }
    }

    fn money(&mut self, place: &Place, query: &Query) {
        let kind = match query.read {
            Read::Sql(_) => "sql",
            Read::Stripe(_) => "stripe",
            Read::Http(_) => "http",
            Read::Firestore(_) => "firestore",
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
        if self.columns.iter().any(|column| is(column)) || self.beside.iter().any(|beside| is(beside)) {
            return;
        }
        let source = &self.loaded.source;
        let span = part.map_or_else(|| source.locate(place), |part| source.locate_within(place, part));
        let known: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let message = format!("{} no `{name}`", self.whose);
        self.problems.push(source.problem(span, message, "not there", Some(advice(name, &known, "columns"))));
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
