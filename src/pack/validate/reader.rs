//! The pen that collects problems, and the names that the file declares.

use std::ops::Range;

use crate::domain::zone::Zone;

use crate::{
    domain::{id::Id, money::Currency, pack::Connection},
    pack::{
        nearest::{advice, list},
        place::Place,
        problem::Problem,
        source::Source,
    },
};

use super::id;

/// Collects what is wrong; knows the file and what the business's head says.
pub(super) struct Reader<'s> {
    pub source: &'s Source,
    pub problems: Vec<Problem>,
    pub timezone: Zone,
    pub currency: Option<Currency>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Connections,
    Checks,
    Queues,
    Jobs,
    Ledgers,
    Reconciliations,
    Flags,
    Metrics,
    Actions,
    Playbooks,
}

impl Section {
    const ALL: [Self; 10] = [
        Self::Connections,
        Self::Checks,
        Self::Queues,
        Self::Jobs,
        Self::Ledgers,
        Self::Reconciliations,
        Self::Flags,
        Self::Metrics,
        Self::Actions,
        Self::Playbooks,
    ];

    /// Every key at the top of a pack.
    pub(super) const WORDS: [&str; 12] = [
        "pack",
        "connections",
        "checks",
        "queues",
        "jobs",
        "ledgers",
        "reconciliations",
        "flags",
        "metrics",
        "actions",
        "playbooks",
        "policy",
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Checks => "checks",
            Self::Queues => "queues",
            Self::Jobs => "jobs",
            Self::Ledgers => "ledgers",
            Self::Reconciliations => "reconciliations",
            Self::Flags => "flags",
            Self::Metrics => "metrics",
            Self::Actions => "actions",
            Self::Playbooks => "playbooks",
        }
    }

    /// `a check`, `an action`.
    fn one_of_it(self) -> String {
        let article = if self == Self::Actions { "an" } else { "a" };
        format!("{article} {}", self.one())
    }

    /// One of it, as a person says it.
    fn one(self) -> &'static str {
        match self {
            Self::Connections => "connection",
            Self::Checks => "check",
            Self::Queues => "queue",
            Self::Jobs => "job",
            Self::Ledgers => "ledger",
            Self::Reconciliations => "reconciliation",
            Self::Flags => "flag",
            Self::Metrics => "metric",
            Self::Actions => "action",
            Self::Playbooks => "playbook",
        }
    }
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Source, problems: Vec<Problem>) -> Self {
        Self { source, problems, timezone: Zone::UTC, currency: None }
    }

    /// A problem with the value at a place.
    pub(super) fn say(&mut self, place: &Place, message: impl Into<String>, label: &str, help: Option<String>) {
        self.add(self.source.locate(place), message, label, help);
    }

    /// A problem with a secret at a place, which is not shown.
    pub(super) fn say_secret(&mut self, place: &Place, message: impl Into<String>, label: &str, help: Option<String>) {
        let problem = self.source.problem(self.source.locate(place), message, label, help);
        self.problems.push(problem.hiding());
    }

    /// A problem with the key at a place.
    pub(super) fn say_key(&mut self, place: &Place, message: impl Into<String>, label: &str, help: Option<String>) {
        self.add(self.source.locate_key(place), message, label, help);
    }

    /// A problem with a part of the text at a place.
    pub(super) fn say_within(
        &mut self,
        place: &Place,
        part: Range<usize>,
        message: impl Into<String>,
        label: &str,
        help: Option<String>,
    ) {
        self.add(self.source.locate_within(place, part), message, label, help);
    }

    fn add(&mut self, span: Range<usize>, message: impl Into<String>, label: &str, help: Option<String>) {
        self.problems.push(self.source.problem(span, message, label, help));
    }

    /// The names of a section, in the order of the file, whether or not their parts are right.
    pub(super) fn names(&self, section: Section) -> Vec<&'s str> {
        self.source.find(&Place::default().key(section.word())).map(|tree| tree.keys().collect()).unwrap_or_default()
    }

    /// Names become parts of other names (`check.stock`, a file's name): letters, digits, `_` and `-`.
    pub(super) fn check_name(&mut self, section: Section, name: &str, place: &Place) {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            let help = Some("letters, digits, `_` and `-`".to_owned());
            self.say_key(place, format!("`{name}` cannot be the name of {}", section.one_of_it()), "not a name", help);
        }
    }

    /// A name of another part; the nearest one where there is none.
    pub(super) fn reference<Kind>(&mut self, section: Section, name: &str, place: &Place) -> Option<Id<Kind>> {
        let known = self.names(section);
        if known.contains(&name) {
            return Some(id(name));
        }
        if section == Section::Actions && self.is_brought(name) {
            return Some(id(name));
        }
        let elsewhere = Section::ALL.into_iter().find(|other| self.names(*other).contains(&name));
        let help = match elsewhere {
            Some(other) if known.is_empty() => format!("`{name}` is {}", other.one_of_it()),
            Some(other) => format!("`{name}` is {}; {}: {}", other.one_of_it(), section.word(), list(&known)),
            None => advice(name, &known, section.word()),
        };
        let message = format!("there is no {} `{name}`", section.one());
        self.say(place, message, &format!("not {}", section.one_of_it()), Some(help));
        None
    }

    /// `flag.NAME` and `job.NAME` are actions as well, the latter where the job says how it is run.
    fn is_brought(&self, name: &str) -> bool {
        let root = Place::default();
        let place = match name.split_once('.') {
            Some(("flag", flag)) => root.key("flags").key(flag),
            Some(("job", job)) => root.key("jobs").key(job).key("run"),
            _ => return false,
        };
        self.source.find(&place).is_some()
    }

    /// A connection of a certain kind.
    pub(super) fn connection(&mut self, kind: &str, name: &str, place: &Place) -> Option<Id<Connection>> {
        let found = self.reference(Section::Connections, name, place)?;
        let connections = Place::default().key(Section::Connections.word());
        let kind_of = |name: &str| self.source.find(&connections.key(name)).and_then(|tree| tree.keys().next());
        let actual = kind_of(name);
        if actual == Some(kind) {
            return Some(found);
        }
        let fitting: Vec<&str> =
            self.names(Section::Connections).into_iter().filter(|name| kind_of(name) == Some(kind)).collect();
        let help = if fitting.is_empty() {
            format!("there is no `{kind}` connection in this file")
        } else {
            format!("`{kind}` connections: {}", list(&fitting))
        };
        let message = format!("`{name}` is a `{}` connection, and a `{kind}` one is needed here", actual.unwrap_or("?"));
        self.say(place, message, &format!("not a `{kind}` connection"), Some(help));
        None
    }

    /// One of the handlers that a Stripe connection names.
    pub(super) fn handler(&mut self, connection: &str, name: &str, place: &Place) -> Option<()> {
        let handlers = Place::default().key(Section::Connections.word()).key(connection).key("stripe").key("handlers");
        let known: Vec<&str> = self.source.find(&handlers).map(|tree| tree.keys().collect()).unwrap_or_default();
        if known.contains(&name) {
            return Some(());
        }
        let help = if known.is_empty() {
            format!("`handlers.{name} = {{ url_env = \"...\", secret_env = \"...\" }}` in the connection `{connection}`")
        } else {
            advice(name, &known, "handlers")
        };
        self.say(place, format!("`{connection}` has no handler `{name}`"), "not a handler", Some(help));
        None
    }

    /// Exactly one of several keys must be there: says so, and gives its name.
    pub(super) fn exactly_one(&mut self, place: &Place, what: &str, keys: &[(&'static str, bool)]) -> Option<&'static str> {
        let there: Vec<&'static str> = keys.iter().filter(|(_, is_there)| *is_there).map(|(key, _)| *key).collect();
        let all: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let help = Some(format!("one of {}", list(&all)));
        match there.as_slice() {
            [only] => return Some(only),
            [] => self.say(place, format!("{what} is missing"), "has none", help),
            several => {
                let second = several.iter().map(|key| place.key(key)).max_by_key(|place| self.source.locate_key(place).start);
                let second = second.unwrap_or_else(|| place.clone());
                self.say_key(&second, format!("{what} is given more than once"), "one too many", help);
            }
        }
        None
    }

    /// Lists in which a repetition is a slip.
    pub(super) fn no_repetition(&mut self, place: &Place, items: &[String]) {
        for (index, item) in items.iter().enumerate() {
            if items.iter().take(index).any(|earlier| earlier == item) {
                self.say(&place.index(index), format!("`{item}` is there twice"), "second time", None);
            }
        }
    }
}
