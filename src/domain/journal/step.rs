//! The transitions of an act. Never a `Send` that is not preceded by the `Persist` of that very attempt.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    entry::Entry,
    outcome::{Answer, Followed, Found, Mark, Outcome},
    state::{Act, ActState, Denial, Phase},
};

use crate::domain::{
    age,
    claim::Ending,
    plan::{Order, Plan},
    severity::Severity,
    text::Text,
};

/// The outside may forget a key after 24 h, and then the same key is a new request; an hour is kept in hand.
pub const KEY_LIFE: TimeDelta = TimeDelta::hours(23);
/// A clock that was set back by more than this hides how old a key is.
const CLOCK_SLACK: TimeDelta = TimeDelta::minutes(-5);
/// Attempts in a row before a person is asked.
pub const TRIES: u32 = 6;
/// Two looks, after which what is not found is believed not to have happened, are at least so far apart.
pub(super) const SECOND_LOOK: TimeDelta = TimeDelta::seconds(60);
/// Pauses before the looks that the machine takes by itself after an unknown outcome.
const LOOK_PAUSES: [TimeDelta; 3] = [TimeDelta::seconds(2), TimeDelta::seconds(10), TimeDelta::seconds(60)];
/// What an act says of an attempt whose outcome nobody knows.
const IN_DOUBT: &str = "unknown whether it happened: ";
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What happens to an act.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The operator confirmed; it waits until then for a change of mind.
    Confirm {
        until: DateTime<Utc>,
    },
    /// Its turn has come; of an act that is to be claimed.
    Turn,
    /// Its turn has come and policy permits it; of an act that nothing claims.
    Begin,
    /// The claim stands in the business's database, where policy was judged once more.
    Claimed,
    /// Nobody answered whether it is claimed. Nothing was sent.
    Unclaimed(Text),
    /// Policy, judged again before the first attempt, forbids it.
    Refuse(Text),
    /// The row is not as it was drawn.
    Change(Text),
    TakeBack,
    /// Go on with the next step.
    Next,
    /// What the attempt under way has printed; its outcome follows.
    Printed(Text),
    /// The answer to the attempt under way.
    Outcome(Outcome),
    /// The answer to a look.
    Found(Found),
    /// Time has passed.
    Wake,
    /// The operator asks to look again, or to go on with what is left after a step that failed.
    LookUp,
    /// The program has started and found the act on disk.
    Recover,
    /// What was done is looked at again, days later.
    Followed(Followed),
    /// A person has looked outside and says whether the attempt in doubt happened.
    Settle {
        happened: bool,
    },
}

/// What the driver must do, in this order; it stops at the first that fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Write the new state and this entry in one transaction, through to the disk.
    Persist(Box<Entry>),
    /// Claim it in the business's database, unless policy forbids it there.
    Claim,
    /// Give the claim back, with what became of the act. Nothing depends on its answer.
    Release(Ending),
    /// Carry out this attempt of the plan's step `mark.step`.
    Send(Mark),
    /// Look whether an earlier attempt happened.
    LookUp(Mark),
    /// Feed `Event::Next`.
    Next,
    /// Tell the operator how it stands.
    Tell,
}

/// The whole behaviour of an act. An event that does not fit the phase changes nothing.
pub fn step(plan: &Plan, state: &ActState, event: Event, now: DateTime<Utc>) -> (ActState, Vec<Command>) {
    let mut next = Transition { plan, state: state.clone(), now };
    // What is learned of its name makes it no younger.
    let is_about_its_name = matches!(event, Event::Followed(Followed::Named(_) | Followed::Lost(_)));
    let commands = match (&state.phase, event) {
        (Phase::Planned, Event::Confirm { until }) => next.confirm(until),
        (Phase::Intent { until }, Event::Begin) if now < *until => Vec::new(),
        (Phase::Intent { until }, Event::Turn) if plan.claim.is_some() && now >= *until => next.turn(),
        (Phase::Intent { .. }, Event::Claimed) if state.may_be_claimed => next.claimed(),
        (Phase::Intent { .. }, Event::Unclaimed(why)) if state.may_be_claimed => next.unclaimed(&why),
        (Phase::Intent { .. }, Event::Begin) if plan.claim.is_none() => next.send(),
        (Phase::Claimed, Event::Next) | (Phase::Confirmed, Event::Next | Event::Recover) => next.send(),
        (Phase::Planned | Phase::Intent { .. } | Phase::Claimed, Event::Refuse(why)) => {
            next.end(Phase::Refused, why, Severity::Yellow)
        }
        (Phase::Planned | Phase::Intent { .. } | Phase::Claimed, Event::Change(why)) => {
            next.end(Phase::Changed, why, Severity::Yellow)
        }
        (Phase::Intent { .. } | Phase::Claimed, Event::TakeBack) => {
            next.end(Phase::TakenBack, Text::new("taken back before it was sent"), Severity::Green)
        }
        (Phase::Intent { .. } | Phase::Claimed, Event::Recover) => next.cut_off(),
        (Phase::Sent, Event::Printed(printed)) => {
            next.state.printed = Some(printed);
            Vec::new()
        }
        (Phase::Sent, Event::Outcome(outcome)) => next.outcome(outcome),
        (Phase::Again { at }, Event::Wake) if now >= *at => {
            if next.key_is_good() {
                next.send()
            } else {
                next.look()
            }
        }
        (Phase::Unknown { look_at: Some(at) }, Event::Wake) if now >= *at => next.look(),
        (Phase::Sent, Event::Recover) => {
            next.state.doubtful = true;
            next.ask_anew()
        }
        (Phase::Again { .. } | Phase::Unknown { .. }, Event::Recover)
        | (Phase::Unknown { .. } | Phase::Conflict, Event::LookUp) => next.ask_anew(),
        (Phase::Rejected | Phase::Changed | Phase::Expired, Event::LookUp) if next.is_half_way() && next.key_is_good() => {
            next.state.tries = 0;
            next.send()
        }
        (Phase::Unknown { .. }, Event::Found(found)) => next.found(found),
        (Phase::Rejected | Phase::Changed | Phase::Expired, Event::Settle { happened }) if next.is_half_way() => {
            next.decide_rest(happened)
        }
        (Phase::Unknown { .. } | Phase::Conflict, Event::Settle { happened: true }) => {
            let said = Text::new("a person looked and says that it happened");
            next.through(Answer { reference: None, request: None, said })
        }
        (Phase::Unknown { .. } | Phase::Conflict, Event::Settle { happened: false }) => {
            next.expire("a person looked and says that it did not happen")
        }
        (Phase::Done, Event::Followed(followed)) => next.followed(followed),
        (
            Phase::Planned
            | Phase::Intent { .. }
            | Phase::Claimed
            | Phase::Sent
            | Phase::Confirmed
            | Phase::Again { .. }
            | Phase::Unknown { .. }
            | Phase::Done
            | Phase::Settled
            | Phase::FailedLate
            | Phase::Rejected
            | Phase::Changed
            | Phase::TakenBack
            | Phase::Refused
            | Phase::NotSent
            | Phase::Expired
            | Phase::Conflict,
            _,
        ) => return (state.clone(), Vec::new()),
    };
    if !commands.is_empty() && !is_about_its_name {
        next.state.at = Some(now);
    }
    (next.state, commands)
}

/// True while the current step may go out under its key. SQL and Firestore keep no key that could be forgotten: row counts,
/// marks and what a document must be are judged in the same transaction; and a proof only looks. A command has none at all:
/// once it may have run it is not run again.
pub fn key_is_good(plan: &Plan, state: &ActState, now: DateTime<Utc>) -> bool {
    match plan.steps.get(state.steps_done()).map(|step| &step.order) {
        Some(Order::Sql { .. } | Order::Firestore { .. } | Order::Proof { .. }) => true,
        Some(Order::Command { .. }) => !state.doubtful,
        Some(
            Order::Refund { .. }
            | Order::Amend { .. }
            | Order::Http { .. }
            | Order::Mail { .. }
            | Order::Webhook { .. }
            | Order::Event { .. },
        )
        | None => state.first_sent_at.is_none_or(|first| {
            let age = now - first;
            age < KEY_LIFE && age >= CLOCK_SLACK
        }),
    }
}

/// Why the current step is not sent again by itself.
fn why_not_again(plan: &Plan, state: &ActState) -> &'static str {
    match plan.steps.get(state.steps_done()).map(|step| &step.order) {
        Some(Order::Command { .. }) => "a command is not run again by itself",
        Some(_) | None => "its key is too old to be sent again",
    }
}

pub(super) struct Transition<'a> {
    pub(super) plan: &'a Plan,
    pub(super) state: ActState,
    pub(super) now: DateTime<Utc>,
}

impl Transition<'_> {
    fn confirm(&mut self, until: DateTime<Utc>) -> Vec<Command> {
        let held = until - self.now;
        // Some milliseconds have passed since it was confirmed: ten seconds are not said to be nine.
        let said = if held > TimeDelta::zero() {
            format!("held for {}", age::span(held + TimeDelta::milliseconds(999)))
        } else {
            "intended".to_owned()
        };
        self.state.phase = Phase::Intent { until };
        self.state.said = Text::new(said);
        vec![self.persist(Severity::Green), Command::Tell]
    }

    fn turn(&mut self) -> Vec<Command> {
        self.state.may_be_claimed = true;
        vec![Command::Claim]
    }

    fn cut_off(&mut self) -> Vec<Command> {
        // What was asked for before the program ended is not on record.
        self.state.may_be_claimed = true;
        self.end(Phase::NotSent, Text::new("not sent: the program ended before"), Severity::Yellow)
    }

    fn claimed(&mut self) -> Vec<Command> {
        self.state.phase = Phase::Claimed;
        self.state.tries = 0;
        self.state.said = Text::new("claimed");
        vec![self.persist(Severity::Green), Command::Tell, Command::Next]
    }

    /// A claim without an answer leaves no doubt about the act itself: nothing was sent. Asked again, it is found.
    fn unclaimed(&mut self, why: &Text) -> Vec<Command> {
        self.state.tries += 1;
        if self.state.tries >= TRIES {
            let said = format!("not sent: it could not be claimed: {}", why.original());
            return self.end(Phase::NotSent, Text::new(said), Severity::Yellow);
        }
        let pause = Duration::from_millis(500 << self.state.tries.min(8));
        let until = self.now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::zero());
        self.state.phase = Phase::Intent { until };
        self.state.said =
            Text::new(format!("not claimed yet, tried again in {}: {}", age::span(until - self.now), why.original()));
        vec![self.persist(Severity::Yellow), Command::Tell]
    }

    fn send(&mut self) -> Vec<Command> {
        if self.state.steps_done() >= self.plan.steps.len() {
            return self.end(Phase::Done, Text::new("done"), Severity::Green);
        }
        self.state.phase = Phase::Sent;
        self.state.attempts += 1;
        self.state.tries += 1;
        self.state.looks = 0;
        self.state.denial = None;
        self.state.absent_since = None;
        self.state.was_sent = true;
        self.state.printed = None;
        self.state.first_sent_at.get_or_insert(self.now);
        let attempt = match self.state.attempts {
            1 => String::new(),
            number => format!(", attempt {number}"),
        };
        self.state.said = Text::new(format!("sending {}{attempt}", self.step_said()));
        vec![self.persist(Severity::Green), Command::Tell, Command::Send(self.state.mark(self.plan))]
    }

    fn outcome(&mut self, outcome: Outcome) -> Vec<Command> {
        match outcome {
            Outcome::Confirmed(answer) => self.through(answer),
            Outcome::Again { after, why } => self.again(after, &why),
            Outcome::Rejected(why) => self.denied(Denial::Rejected(why)),
            Outcome::Changed(why) => self.denied(Denial::Changed(why)),
            Outcome::Unknown(why) => {
                self.state.doubtful = true;
                self.state.phase = Phase::Unknown { look_at: Some(self.now + self.look_pause()) };
                self.state.said = Text::new(format!("unknown whether it happened: {}", why.original()));
                vec![self.persist(Severity::Unknown), Command::Tell]
            }
        }
    }

    fn through(&mut self, answer: Answer) -> Vec<Command> {
        let said = match &answer.reference {
            Some(reference) if !answer.said.original().contains(reference.as_str()) => {
                format!("{} ({reference})", answer.said.original())
            }
            _ => answer.said.original().to_owned(),
        };
        self.state.answers.push(answer);
        let (was_sent, may_be_claimed) = (self.state.was_sent, self.state.may_be_claimed);
        let (answers, printed) = (std::mem::take(&mut self.state.answers), self.state.printed.take());
        self.state = ActState { answers, was_sent, may_be_claimed, printed, said: Text::new(said), ..ActState::default() };
        let is_done = self.state.steps_done() >= self.plan.steps.len();
        self.state.phase = if is_done { Phase::Done } else { Phase::Confirmed };
        let mut commands = vec![self.persist(Severity::Green), Command::Tell];
        if !is_done {
            commands.push(Command::Next);
        }
        commands.extend(self.release());
        commands
    }

    /// A person has done the step that failed by hand, or leaves what is left undone.
    fn decide_rest(&mut self, is_done: bool) -> Vec<Command> {
        if is_done {
            let said = Text::new("a person says that this step is done");
            return self.through(Answer { reference: None, request: None, said });
        }
        self.state.is_closed = true;
        let said = self.with_what_stands("a person leaves the rest undone");
        self.end(Phase::Expired, said, Severity::Yellow)
    }

    /// Nothing of this step happened. Where something of the act did, it is never decided anew: a person does the step
    /// by hand, and what was never begun goes on; or closes it.
    fn expire(&mut self, why: &str) -> Vec<Command> {
        if self.is_half_way() {
            let said = self.with_what_stands(why);
            return self.end(Phase::Expired, said, Severity::Red);
        }
        self.end(Phase::Expired, Text::new(format!("{why}; it can be planned anew")), Severity::Yellow)
    }

    fn again(&mut self, after: Duration, why: &Text) -> Vec<Command> {
        if self.state.tries >= TRIES {
            let said = format!("given up after {} tries: {}", self.state.attempts, why.original());
            return self.denied(Denial::Rejected(Text::new(said)));
        }
        let backoff = Duration::from_millis(500 << self.state.tries.min(8));
        let pause = after.max(backoff).min(LONGEST_PAUSE);
        let at = self.now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::zero());
        self.state.phase = Phase::Again { at };
        self.state.said = Text::new(format!("tried again in {}: {}", age::span(at - self.now), why.original()));
        vec![self.persist(Severity::Yellow), Command::Tell]
    }

    /// A no. Where an earlier attempt may have happened, it is looked up before the no is believed.
    fn denied(&mut self, denial: Denial) -> Vec<Command> {
        if !self.state.doubtful {
            return self.believe(denial);
        }
        let (Denial::Rejected(why) | Denial::Changed(why)) = &denial;
        self.state.said = Text::new(format!("unknown whether an earlier attempt happened; this one: {}", why.original()));
        self.state.denial = Some(denial);
        self.state.phase = Phase::Unknown { look_at: None };
        self.state.looks += 1;
        vec![self.persist(Severity::Unknown), Command::Tell, Command::LookUp(self.state.mark(self.plan))]
    }

    fn believe(&mut self, denial: Denial) -> Vec<Command> {
        let (phase, why) = match denial {
            Denial::Rejected(why) => (Phase::Rejected, why),
            Denial::Changed(why) => (Phase::Changed, why),
        };
        let is_mild = self.is_proof() || phase == Phase::Changed && !self.is_half_way();
        let severity = if is_mild { Severity::Yellow } else { Severity::Red };
        let said = self.with_what_stands(why.original());
        self.end(phase, said, severity)
    }

    /// A look, on the operator's word or at the start: all bounds begin anew.
    fn ask_anew(&mut self) -> Vec<Command> {
        self.state.tries = 0;
        self.state.looks = 0;
        self.state.said = Text::new("being looked up");
        let look = self.look();
        let mut commands = vec![self.persist(Severity::Unknown), Command::Tell];
        commands.extend(look);
        commands
    }

    /// Reads only: nothing has to be on disk for it.
    fn look(&mut self) -> Vec<Command> {
        self.state.phase = Phase::Unknown { look_at: None };
        self.state.looks += 1;
        vec![Command::LookUp(self.state.mark(self.plan))]
    }

    fn found(&mut self, found: Found) -> Vec<Command> {
        match found {
            Found::Ours(answer) => self.through(answer),
            Found::Absent => self.absent(),
            Found::Unlabelled(what) => {
                let said = format!("something like it happened and nothing says by whom: {}", what.original());
                self.state.phase = Phase::Conflict;
                self.state.said = Text::new(said);
                vec![self.persist(Severity::Red), Command::Tell]
            }
            Found::CannotTell(why) => {
                self.state.absent_since = None;
                let look_at = (self.state.looks < LOOK_PAUSES.len() as u32).then(|| self.now + self.look_pause());
                let said = self.untold(&why);
                self.stay_unknown(look_at, said)
            }
        }
    }

    fn absent(&mut self) -> Vec<Command> {
        if let Some(denial) = self.state.denial.clone() {
            return self.denied_and_absent(denial);
        }
        if self.key_is_good() {
            if self.state.tries < TRIES {
                return self.send();
            }
            let said = format!("not found after {} attempts: look again later", self.state.attempts);
            return self.stay_unknown(None, said);
        }
        let since = *self.state.absent_since.get_or_insert(self.now);
        if self.now - since >= SECOND_LOOK {
            return self.expire(&format!("it did not happen and {}", why_not_again(self.plan, &self.state)));
        }
        let said = format!("not found, and {}: a second look follows", why_not_again(self.plan, &self.state));
        self.stay_unknown(Some(since + SECOND_LOOK), said)
    }

    /// What the earlier attempt did may not be listed yet: a no is believed after a second look, or the same would be planned
    /// anew and happen twice. A database tells at once what was committed in it.
    fn denied_and_absent(&mut self, denial: Denial) -> Vec<Command> {
        let order = self.plan.steps.get(self.state.steps_done()).map(|step| &step.order);
        let is_certain = matches!(order, Some(Order::Sql { .. } | Order::Firestore { .. } | Order::Proof { .. }));
        let since = *self.state.absent_since.get_or_insert(self.now);
        if is_certain || self.now - since >= SECOND_LOOK {
            self.state.denial = None;
            return self.believe(denial);
        }
        let (Denial::Rejected(why) | Denial::Changed(why)) = &denial;
        let said = format!("an earlier attempt is not found, a second look follows; the latest: {}", why.original());
        self.stay_unknown(Some(since + SECOND_LOOK), said)
    }

    /// A look told nothing. How a command ended, and who stopped it, is said on: no look tells that again.
    fn untold(&self, why: &Text) -> String {
        let (before, why) = (self.state.said.original(), why.original());
        let order = self.plan.steps.get(self.state.steps_done()).map(|step| &step.order);
        match order {
            Some(Order::Command { .. }) if before.starts_with(IN_DOUBT) && before.contains(why) => before.to_owned(),
            Some(Order::Command { .. }) if before.starts_with(IN_DOUBT) => format!("{before}; {why}"),
            _ => format!("unknown whether it happened; the look could not tell: {why}"),
        }
    }

    fn stay_unknown(&mut self, look_at: Option<DateTime<Utc>>, said: String) -> Vec<Command> {
        self.state.phase = Phase::Unknown { look_at };
        self.state.said = Text::new(said);
        vec![self.persist(Severity::Unknown), Command::Tell]
    }

    pub(super) fn end(&mut self, phase: Phase, said: Text, severity: Severity) -> Vec<Command> {
        self.state.phase = phase;
        self.state.said = said;
        let mut commands = vec![self.persist(severity), Command::Tell];
        commands.extend(self.release());
        commands
    }

    fn release(&self) -> Option<Command> {
        let is_due = self.plan.claim.is_some() && self.state.may_be_claimed;
        Ending::of(&self.state).filter(|_| is_due).map(Command::Release)
    }

    fn key_is_good(&self) -> bool {
        key_is_good(self.plan, &self.state, self.now)
    }

    fn is_half_way(&self) -> bool {
        !self.state.is_closed && (1..self.plan.steps.len()).contains(&self.state.steps_done())
    }

    fn look_pause(&self) -> TimeDelta {
        let [.., last] = LOOK_PAUSES;
        LOOK_PAUSES.get(self.state.looks as usize).copied().unwrap_or(last)
    }

    fn with_what_stands(&self, why: &str) -> Text {
        match self.state.steps_done() {
            0 => Text::new(why),
            done => {
                let through: Vec<_> = self.plan.steps.iter().take(done).map(|step| step.said.original()).collect();
                // Nothing has failed where the proof alone is not there.
                let failed = if self.is_proof() { "found no proof" } else { "failed" };
                Text::new(format!("{} {failed}: {why}; what came before stands: {}", self.step_said(), through.join("; ")))
            }
        }
    }

    /// True where the current step only looks for what proves those before it.
    fn is_proof(&self) -> bool {
        matches!(self.plan.steps.get(self.state.steps_done()).map(|step| &step.order), Some(Order::Proof { .. }))
    }

    fn step_said(&self) -> String {
        let number = self.state.steps_done();
        let said = self.plan.steps.get(number).map_or("", |step| step.said.original());
        match self.plan.steps.len() {
            1 => said.to_owned(),
            all => format!("step {} of {all} ({said})", number + 1),
        }
    }

    pub(super) fn persist(&self, severity: Severity) -> Command {
        let act = Act { plan: self.plan.clone(), state: self.state.clone() };
        Command::Persist(Box::new(Entry::of(&act, severity, self.now)))
    }
}
