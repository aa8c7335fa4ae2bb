//! The points at which a cockpit is killed: their names, how often each is met, and the moment itself.

use std::{
    collections::HashMap,
    io::Write as _,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use super::life::Deed;

/// What a cockpit says to the harness begins with this, wherever in a line of the test runner it stands.
pub const SAYS: &str = "kills> ";

/// When a life ends: the so-manieth time that it comes to a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    pub point: String,
    pub nth: u64,
    /// How long after that, for the points that are somewhere in the middle of something.
    #[serde(default)]
    pub micros: u64,
}

/// A place in the life of a cockpit.
pub struct Point {
    pub name: &'static str,
    /// How often an item comes to it; 0 is once in a life.
    pub each: u64,
    /// Where the life before it must have ended, for places that only a recovery comes to.
    pub after: Option<&'static str>,
    /// What must be done for it to be come to.
    pub deed: Deed,
}

const fn in_every_item(name: &'static str, each: u64) -> Point {
    in_every(Deed::Refund, name, each)
}

const fn in_recovery(name: &'static str, after: &'static str) -> Point {
    in_recovery_of(Deed::Refund, name, after)
}

const fn in_every(deed: Deed, name: &'static str, each: u64) -> Point {
    Point { name, each, after: None, deed }
}

const fn in_recovery_of(deed: Deed, name: &'static str, after: &'static str) -> Point {
    Point { name, each: 0, after: Some(after), deed }
}

/// Every point. `before` and `after` a call; `in` a transaction between its statements; `amid` somewhere in a call.
pub const ALL: &[Point] = &[
    in_every_item("journal.intent.before", 1),
    in_every_item("journal.intent.after", 1),
    in_every_item("journal.claimed.before", 1),
    in_every_item("journal.claimed.after", 1),
    in_every_item("journal.sent.before", 3),
    in_every_item("journal.sent.after", 3),
    in_every_item("journal.confirmed.before", 2),
    in_every_item("journal.confirmed.after", 2),
    in_every_item("journal.done.before", 1),
    in_every_item("journal.done.after", 1),
    in_every_item("journal.in.plans", 8),
    in_every_item("journal.in.audit", 8),
    in_every_item("journal.in.plan_events", 8),
    in_every_item("journal.amid", 8),
    in_every_item("journal.line.before", 0),
    in_every_item("journal.line.after", 0),
    in_recovery("journal.not_sent.before", "journal.intent.after"),
    in_recovery("journal.not_sent.after", "journal.intent.after"),
    in_recovery("journal.unknown.before", "journal.sent.after"),
    in_recovery("journal.unknown.after", "journal.sent.after"),
    in_every_item("db.read.before", 1),
    in_every_item("db.read.after", 1),
    in_every_item("db.claim.before", 1),
    in_every_item("db.claim.after", 1),
    in_every_item("db.claim.amid", 1),
    in_every_item("db.in.claim", 1),
    in_every_item("db.release.before", 1),
    in_every_item("db.release.after", 1),
    in_every_item("stripe.act.before", 1),
    in_every_item("stripe.act.after", 1),
    in_every_item("stripe.act.amid", 1),
    in_every_item("wire.received", 1),
    in_every_item("wire.forwarded", 1),
    in_every_item("wire.committed", 1),
    in_every_item("wire.late", 1),
    in_every_item("db.act.before", 1),
    in_every_item("db.act.after", 1),
    in_every_item("db.act.amid", 1),
    in_every_item("db.in.operator_actions", 1),
    in_every_item("db.in.payments", 1),
    in_every_item("mail.act.before", 1),
    in_every_item("mail.act.after", 1),
    in_recovery("stripe.look.before", "stripe.act.after"),
    in_recovery("stripe.look.after", "wire.forwarded"),
    in_recovery("db.look.before", "db.act.after"),
    in_recovery("db.look.after", "db.in.payments"),
    in_recovery("mail.look.before", "mail.act.before"),
    in_recovery("mail.look.after", "mail.act.after"),
    in_every_item(ANYWHERE, 0),
    // Taken back: withdrawn while it is held, and undone once it is done.
    in_every(Deed::Lend, "journal.taken_back.before", 1),
    in_every(Deed::Lend, "journal.taken_back.after", 1),
    in_every(Deed::Lend, "undo.intent.before", 1),
    in_every(Deed::Lend, "undo.intent.after", 1),
    in_every(Deed::Lend, "undo.claim.before", 1),
    in_every(Deed::Lend, "undo.claim.after", 1),
    in_every(Deed::Lend, "undo.claimed.before", 1),
    in_every(Deed::Lend, "undo.claimed.after", 1),
    in_every(Deed::Lend, "undo.sent.before", 1),
    in_every(Deed::Lend, "undo.sent.after", 1),
    in_every(Deed::Lend, "undo.act.before", 1),
    in_every(Deed::Lend, "undo.act.amid", 1),
    in_every(Deed::Lend, "undo.act.after", 1),
    in_every(Deed::Lend, "undo.in.books", 1),
    in_every(Deed::Lend, "undo.done.before", 1),
    in_every(Deed::Lend, "undo.done.after", 1),
    in_recovery_of(Deed::Lend, "undo.look.before", "undo.act.after"),
    in_recovery_of(Deed::Lend, "undo.look.after", "undo.in.books"),
    // A request and a message, which nothing outside tells of: a person looks and decides.
    in_every(Deed::Ship, "site.act.before", 1),
    in_every(Deed::Ship, "site.act.amid", 1),
    in_every(Deed::Ship, "site.act.after", 1),
    in_every(Deed::Ship, "site.received", 1),
    in_every(Deed::Ship, "site.committed", 1),
    in_every(Deed::Ship, "shout.act.before", 1),
    in_every(Deed::Ship, "shout.act.after", 1),
    in_every(Deed::Ship, "shout.received", 1),
    in_every(Deed::Ship, "shout.committed", 1),
    in_recovery_of(Deed::Ship, "site.look.before", "site.act.after"),
    in_recovery_of(Deed::Ship, "site.look.after", "site.committed"),
    in_recovery_of(Deed::Ship, "shout.look.before", "shout.act.after"),
    in_recovery_of(Deed::Ship, "shout.look.after", "shout.committed"),
    // A subscription that is paused, and the row of its member.
    in_every(Deed::Pause, "amend.act.before", 1),
    in_every(Deed::Pause, "amend.act.amid", 1),
    in_every(Deed::Pause, "amend.act.after", 1),
    in_every(Deed::Pause, "wire.amend.received", 1),
    in_every(Deed::Pause, "wire.amend.forwarded", 1),
    in_every(Deed::Pause, "wire.amend.committed", 1),
    in_every(Deed::Pause, "wire.amend.late", 1),
    in_recovery_of(Deed::Pause, "amend.look.before", "amend.act.after"),
    in_recovery_of(Deed::Pause, "amend.look.after", "wire.amend.forwarded"),
    // A month later: what the bank sent back, and what stands.
    in_every(Deed::Follow, "stripe.follow.before", 1),
    in_every(Deed::Follow, "stripe.follow.after", 1),
    in_every(Deed::Follow, "journal.failed_late.before", 0),
    in_every(Deed::Follow, "journal.failed_late.after", 0),
    in_every(Deed::Follow, "journal.settled.before", 0),
    in_every(Deed::Follow, "journal.settled.after", 0),
];

/// The one point that has no place: so long after the process was started.
pub const ANYWHERE: &str = "anywhere";

pub fn find(name: &str) -> &'static Point {
    ALL.iter().find(|point| point.name == name).unwrap_or_else(|| panic!("there is no point `{name}`"))
}

/// Counts the points that this life comes to, and ends it at the one that is meant.
pub struct Points {
    kill: Option<Kill>,
    met: Mutex<HashMap<String, u64>>,
}

impl Points {
    pub fn until(kill: Option<Kill>) -> Self {
        Self { kill, met: Mutex::default() }
    }

    /// A point: the life may end here.
    pub fn at(&self, name: &str) {
        if self.is_due(name) {
            die(name);
        }
    }

    /// Counts a point, and answers whether it is the one; how it ends the life there is the caller's affair.
    pub fn is_due(&self, name: &str) -> bool {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let count = met.entry(name.to_owned()).or_default();
        *count += 1;
        self.kill.as_ref().is_some_and(|kill| kill.point == name && kill.nth == *count)
    }

    /// A point somewhere in what follows.
    pub fn amid(&self, name: &'static str) {
        if self.is_due(name) {
            let micros = self.kill.as_ref().map_or(0, |kill| kill.micros);
            thread::spawn(move || {
                thread::sleep(Duration::from_micros(micros));
                die(name);
            });
        }
    }
}

/// One line to the harness. It is in the pipe when this returns, whatever becomes of the process.
pub fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    // A harness that is gone hears nothing; the process ends with its standard input.
    let _ = writeln!(out, "\n{SAYS}{words}").and_then(|()| out.flush());
}

/// Kill -9, by itself: nothing is flushed, nothing is dropped, no lock is given back by us.
pub fn die(at: &str) -> ! {
    say(&format!("at {at}"));
    kill_process(getpid(), Signal::KILL).unwrap();
    loop {
        thread::park();
    }
}
