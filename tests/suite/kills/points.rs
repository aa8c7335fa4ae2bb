//! The points at which a cockpit is killed: their names, how often each is met, and the moment itself.

use std::{
    collections::{BTreeSet, HashMap},
    io::Write as _,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use super::deed::Deed;

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
    pub only: Only,
}

/// What must happen around an act for a point to be come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    Always,
    /// Requests meet faults.
    InTrouble,
    /// A day passes, in which Stripe forgets its keys.
    AfterADay,
}

const fn in_every_item(name: &'static str, each: u64) -> Point {
    in_every(Deed::Refund, name, each)
}

const fn in_recovery(name: &'static str, after: &'static str) -> Point {
    in_recovery_of(Deed::Refund, name, after)
}

pub const fn in_every(deed: Deed, name: &'static str, each: u64) -> Point {
    Point { name, each, after: None, deed, only: Only::Always }
}

const fn in_recovery_of(deed: Deed, name: &'static str, after: &'static str) -> Point {
    Point { name, each: 0, after: Some(after), deed, only: Only::Always }
}

const fn in_trouble(name: &'static str) -> Point {
    Point { only: Only::InTrouble, ..in_every_item(name, 1) }
}

const fn after_a_day(name: &'static str, after: &'static str) -> Point {
    Point { only: Only::AfterADay, ..in_recovery(name, after) }
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
    in_trouble("journal.again.before"),
    in_trouble("journal.again.after"),
    after_a_day("journal.expired.before", "wire.received"),
    after_a_day("journal.expired.after", "wire.received"),
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
    in_every_item("mail.act.amid", 1),
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
    in_recovery_of(Deed::Lend, "undo.not_sent.before", "undo.intent.after"),
    in_recovery_of(Deed::Lend, "undo.not_sent.after", "undo.intent.after"),
    in_recovery_of(Deed::Lend, "undo.unknown.before", "undo.sent.after"),
    in_recovery_of(Deed::Lend, "undo.unknown.after", "undo.sent.after"),
    in_recovery_of(Deed::Lend, "undo.look.before", "undo.act.after"),
    in_recovery_of(Deed::Lend, "undo.look.after", "undo.in.books"),
    // A request and a message, which nothing outside tells of: a person looks and decides.
    in_every(Deed::Ship, "site.act.before", 1),
    in_every(Deed::Ship, "site.act.amid", 1),
    in_every(Deed::Ship, "site.act.after", 1),
    in_every(Deed::Ship, "site.received", 1),
    in_every(Deed::Ship, "site.committed", 1),
    in_every(Deed::Ship, "shout.act.before", 1),
    in_every(Deed::Ship, "shout.act.amid", 1),
    in_every(Deed::Ship, "shout.act.after", 1),
    in_every(Deed::Ship, "shout.received", 1),
    in_every(Deed::Ship, "shout.committed", 1),
    in_recovery_of(Deed::Ship, "site.look.before", "site.act.after"),
    in_recovery_of(Deed::Ship, "site.look.after", "site.committed"),
    in_recovery_of(Deed::Ship, "shout.look.before", "shout.act.after"),
    in_recovery_of(Deed::Ship, "shout.look.after", "shout.committed"),
    // A subscription that is paused, and the row of its member.
    in_every(Deed::Pause, "pause.act.before", 1),
    in_every(Deed::Pause, "pause.act.amid", 1),
    in_every(Deed::Pause, "pause.act.after", 1),
    in_every(Deed::Pause, "wire.pause.received", 1),
    in_every(Deed::Pause, "wire.pause.forwarded", 1),
    in_every(Deed::Pause, "wire.pause.committed", 1),
    in_every(Deed::Pause, "wire.pause.late", 1),
    in_recovery_of(Deed::Pause, "pause.look.before", "pause.act.after"),
    in_recovery_of(Deed::Pause, "pause.look.after", "wire.pause.forwarded"),
    // One that goes on again.
    in_every(Deed::Resume, "resume.act.before", 1),
    in_every(Deed::Resume, "resume.act.amid", 1),
    in_every(Deed::Resume, "resume.act.after", 1),
    in_every(Deed::Resume, "wire.resume.received", 1),
    in_every(Deed::Resume, "wire.resume.forwarded", 1),
    in_every(Deed::Resume, "wire.resume.committed", 1),
    in_every(Deed::Resume, "wire.resume.late", 1),
    in_recovery_of(Deed::Resume, "resume.look.before", "resume.act.after"),
    in_recovery_of(Deed::Resume, "resume.look.after", "wire.resume.forwarded"),
    // One that ends with its period.
    in_every(Deed::Cancel, "cancel.act.before", 1),
    in_every(Deed::Cancel, "cancel.act.amid", 1),
    in_every(Deed::Cancel, "cancel.act.after", 1),
    in_every(Deed::Cancel, "wire.cancel.received", 1),
    in_every(Deed::Cancel, "wire.cancel.forwarded", 1),
    in_every(Deed::Cancel, "wire.cancel.committed", 1),
    in_every(Deed::Cancel, "wire.cancel.late", 1),
    in_recovery_of(Deed::Cancel, "cancel.look.before", "cancel.act.after"),
    in_recovery_of(Deed::Cancel, "cancel.look.after", "wire.cancel.forwarded"),
    // One that ends at once: nothing but what it says tells who ended it.
    in_every(Deed::End, "end.act.before", 1),
    in_every(Deed::End, "end.act.amid", 1),
    in_every(Deed::End, "end.act.after", 1),
    in_every(Deed::End, "wire.end.received", 1),
    in_every(Deed::End, "wire.end.forwarded", 1),
    in_every(Deed::End, "wire.end.committed", 1),
    in_every(Deed::End, "wire.end.late", 1),
    in_recovery_of(Deed::End, "end.look.before", "end.act.after"),
    in_recovery_of(Deed::End, "end.look.after", "wire.end.forwarded"),
    // Evidence that is staged for a dispute.
    in_every(Deed::Stage, "stage.act.before", 1),
    in_every(Deed::Stage, "stage.act.amid", 1),
    in_every(Deed::Stage, "stage.act.after", 1),
    in_every(Deed::Stage, "wire.stage.received", 1),
    in_every(Deed::Stage, "wire.stage.forwarded", 1),
    in_every(Deed::Stage, "wire.stage.committed", 1),
    in_every(Deed::Stage, "wire.stage.late", 1),
    in_recovery_of(Deed::Stage, "stage.look.before", "stage.act.after"),
    in_recovery_of(Deed::Stage, "stage.look.after", "wire.stage.forwarded"),
    // An event that Stripe sends again: the moment at which it arrives at the business is nobody's but Stripe's.
    in_every(Deed::Resend, "resend.act.before", 1),
    in_every(Deed::Resend, "resend.act.amid", 1),
    in_every(Deed::Resend, "resend.act.after", 1),
    in_every(Deed::Resend, "wire.resend.received", 1),
    in_every(Deed::Resend, "wire.resend.forwarded", 1),
    in_every(Deed::Resend, "wire.resend.committed", 1),
    in_every(Deed::Resend, "wire.resend.late", 1),
    in_every(Deed::Resend, "told.received", 1),
    in_every(Deed::Resend, "told.committed", 1),
    in_recovery_of(Deed::Resend, "resend.look.before", "resend.act.before"),
    in_recovery_of(Deed::Resend, "resend.look.after", "wire.resend.received"),
    // One that the cockpit posts, signed; and the proof that it was taken.
    in_every(Deed::Deliver, "deliver.act.before", 1),
    in_every(Deed::Deliver, "deliver.act.amid", 1),
    in_every(Deed::Deliver, "deliver.act.after", 1),
    in_every(Deed::Deliver, "hook.received", 1),
    in_every(Deed::Deliver, "hook.committed", 1),
    in_every(Deed::Deliver, "proof.act.before", 1),
    in_every(Deed::Deliver, "proof.act.amid", 1),
    in_every(Deed::Deliver, "proof.act.after", 1),
    in_recovery_of(Deed::Deliver, "deliver.look.before", "deliver.act.before"),
    in_recovery_of(Deed::Deliver, "deliver.look.after", "hook.received"),
    in_recovery_of(Deed::Deliver, "proof.look.before", "proof.act.before"),
    in_recovery_of(Deed::Deliver, "proof.look.after", "proof.act.after"),
    // A document, with the mark of its act in the same commit.
    in_every(Deed::Write, "docs.read.before", 1),
    in_every(Deed::Write, "docs.read.after", 1),
    in_every(Deed::Write, "write.act.before", 1),
    in_every(Deed::Write, "write.act.amid", 1),
    in_every(Deed::Write, "write.act.after", 1),
    in_every(Deed::Write, "wire.write.received", 1),
    in_every(Deed::Write, "wire.write.forwarded", 1),
    in_every(Deed::Write, "wire.write.committed", 1),
    in_every(Deed::Write, "wire.write.late", 1),
    in_recovery_of(Deed::Write, "write.look.before", "write.act.after"),
    in_recovery_of(Deed::Write, "write.look.after", "wire.write.forwarded"),
    // A program, whose line tells that it ran.
    in_every(Deed::Export, "tool.act.before", 1),
    in_every(Deed::Export, "tool.act.amid", 1),
    in_every(Deed::Export, "tool.act.after", 1),
    in_recovery_of(Deed::Export, "tool.read.before", "tool.act.after"),
    in_recovery_of(Deed::Export, "tool.read.after", "tool.act.before"),
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

/// States to which only a rare mischance leads: they are come to, and nobody aims at them.
const RARE: [&str; 6] = ["again", "changed", "conflict", "expired", "refused", "rejected"];

/// True where a life may come to a point of this name: it is on the list, or tells of a rare state.
pub fn is_known(name: &str) -> bool {
    let is_rare = || {
        let parts: Vec<&str> = name.split('.').collect();
        matches!(parts.as_slice(), ["journal" | "undo", state, "before" | "after"] if RARE.contains(state))
    };
    ALL.iter().any(|point| point.name == name) || is_rare()
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

    /// Every point that it has come to.
    pub fn met(&self) -> BTreeSet<String> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
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
    pub fn amid(&self, name: &str) {
        if self.is_due(name) {
            let micros = self.kill.as_ref().map_or(0, |kill| kill.micros);
            let name = name.to_owned();
            thread::spawn(move || {
                thread::sleep(Duration::from_micros(micros));
                die(&name);
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
