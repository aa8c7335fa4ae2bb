//! What an earlier run left unfinished: what is certain of it, what is not, what is asked of the outside, how it stands.
//!
//! Pure: made from the acts as the journal holds them, and told in the same words on the screen and without one.

use chrono::{DateTime, Utc};

use super::{
    ends::Ends,
    id::Id,
    journal::{self, Act, ActState, Phase},
    money::Money,
    pack::Action,
    plan::{BatchId, EventTo, Order, Plan, Receipt, Standing, Step, Target},
    rows::Params,
    text::{self, Text},
};

/// Of this run alone: no stored picture tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    pub began_at: DateTime<Utc>,
    /// `None` while something is still looked for; until then nothing else is written.
    pub ended_at: Option<DateTime<Utc>>,
    /// Oldest first. What a batch never sent is counted with the batch.
    pub acts: Vec<LeftAct>,
    pub batches: Vec<CutBatch>,
    /// Why nothing of it is settled by this cockpit.
    pub left_alone: Option<Text>,
}

impl Recovery {
    /// Whom it waits for, and since when; the one that has been asked the longest.
    pub fn waits_for(&self) -> Option<&(Text, DateTime<Utc>)> {
        self.acts.iter().filter_map(|act| act.waits_for.as_ref()).min_by_key(|(_, since)| *since)
    }
}

/// An act that was on its way, or half done, when the run before ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftAct {
    /// What is known to have happened, as it was found.
    pub certain: Vec<Text>,
    pub unknown: Option<Text>,
    /// What recovery does about it by itself.
    pub asks: Text,
    /// Who has been asked and has not answered yet, and since when.
    pub waits_for: Option<(Text, DateTime<Utc>)>,
    pub operator: String,
    pub planned_at: DateTime<Utc>,
    /// How it stands now.
    pub receipt: Receipt,
}

impl LeftAct {
    pub fn found(act: &Act, receipt: Receipt, now: DateTime<Utc>) -> Self {
        Self {
            certain: certain(act),
            unknown: unknown(act),
            asks: asks(act, now),
            waits_for: None,
            operator: act.plan.operator.clone(),
            planned_at: act.plan.planned_at,
            receipt,
        }
    }

    /// What it is, whose, since when: the id, the label and the amount, each of them once.
    pub fn named(&self, when: impl Fn(DateTime<Utc>) -> String) -> String {
        let Receipt { title, label, target, amount, .. } = &self.receipt;
        let label = label.one_line();
        let key = if label.contains(&target.key) { String::new() } else { format!("{} ", target.key) };
        let amount = amount.map(|amount| amount.to_string()).filter(|amount| !label.contains(amount.as_str()));
        let amount = amount.map_or_else(String::new, |amount| format!(" {amount}"));
        format!("{title} {key}{label}{amount}   by {}, {}", self.operator, when(self.planned_at))
    }

    fn how_far(&self) -> String {
        format!("{} of {} steps are through", self.receipt.steps_done, self.receipt.steps)
    }

    /// Everything about it, each with its word.
    pub fn facts(&self, when: impl Fn(DateTime<Utc>) -> String) -> Vec<(&'static str, String)> {
        let mut facts: Vec<(&str, String)> = self.certain.iter().map(|said| ("certain", said.one_line())).collect();
        facts.extend(self.unknown.iter().map(|said| ("unknown", said.one_line())));
        facts.push(("so", self.asks.one_line()));
        facts.extend(self.waits_for.iter().map(|(whom, since)| ("waits", format!("{} since {}", whom.one_line(), when(*since)))));
        if self.waits_for.is_none() {
            let is_half_done = self.receipt.is_half_done();
            let word = if is_half_done { "half done" } else { self.receipt.standing.word() };
            let said = match self.receipt.said.original().split_once(STANDS) {
                // Found so, and told above.
                Some((said, _)) if self.certain.iter().any(|known| known.original() == said) => self.how_far(),
                Some((said, _)) => Text::new(said).one_line(),
                None => self.receipt.said.one_line(),
            };
            let is_said = said.is_empty() || said.starts_with(word);
            facts.push((
                "now",
                if !is_said {
                    format!("{word}: {said}")
                } else if said.is_empty() {
                    word.to_owned()
                } else {
                    said
                },
            ));
        }
        facts
    }
}

/// What an act that failed half way says of its other steps.
const STANDS: &str = "; what came before stands";

/// A batch that ended before all of it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct CutBatch {
    pub id: BatchId,
    pub action: Id<Action>,
    pub title: String,
    pub operator: String,
    pub planned_at: DateTime<Utc>,
    pub inputs: Params,
    pub total: usize,
    pub ends: Ends,
    pub unknown: usize,
    /// Confirmed anew, and not through yet.
    pub under_way: usize,
    /// What was never sent, and was not confirmed anew.
    pub unsent: Vec<Target>,
    pub unsent_amount: Option<Money>,
}

impl CutBatch {
    /// Counted from its acts as they stand; an act that was confirmed anew since is another batch's. `None` without acts.
    pub fn count(id: &BatchId, acts: &[Act], now: DateTime<Utc>) -> Option<Self> {
        let Plan { action, title, operator, planned_at, inputs, .. } = &acts.first()?.plan;
        let mut batch = Self {
            id: id.clone(),
            action: action.clone(),
            title: title.clone(),
            operator: operator.clone(),
            planned_at: *planned_at,
            inputs: inputs.clone(),
            total: acts.len(),
            ends: Ends::default(),
            unknown: 0,
            under_way: 0,
            unsent: Vec::new(),
            unsent_amount: None,
        };
        for act in acts {
            batch.add(act, now);
        }
        Some(batch)
    }

    fn add(&mut self, act: &Act, now: DateTime<Utc>) {
        let is_of_the_earlier_run = act.plan.batch.as_ref() == Some(&self.id);
        let standing = act.standing(now);
        match standing {
            Standing::Held | Standing::Waiting | Standing::NotSent if is_of_the_earlier_run => {
                self.unsent.push(act.plan.target.clone());
                if let Some(amount) = act.plan.amount {
                    let total = self.unsent_amount.get_or_insert(Money::new(0, amount.currency));
                    total.minor = total.minor.saturating_add(amount.minor);
                }
            }
            Standing::UnderWay | Standing::Unknown if is_of_the_earlier_run => self.unknown += 1,
            Standing::Held | Standing::Waiting | Standing::UnderWay | Standing::Unknown => self.under_way += 1,
            Standing::Done
            | Standing::Rejected
            | Standing::Unproven
            | Standing::Changed
            | Standing::Refused
            | Standing::TakenBack
            | Standing::NotSent => {
                self.ends.add(standing);
            }
        }
    }

    /// True where all of it is done.
    pub fn is_through(&self) -> bool {
        self.ends.done == self.total
    }

    /// As few words as tell it: what did not happen to any is left out.
    pub fn said(&self) -> String {
        let counts = [(self.unsent.len(), "not sent"), (self.unknown, "unknown"), (self.under_way, "under way")];
        let more = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}"));
        let ends = format!("{} done{}", self.ends.done, self.ends.otherwise());
        format!("{} {}, which was cut off: {ends}{}", self.title, self.total, more.collect::<String>())
    }
}

fn certain(act: &Act) -> Vec<Text> {
    let Act { plan, state } = act;
    let through = plan.steps.iter().zip(&state.answers).enumerate().map(|(at, (step, answer))| {
        let reference = answer.reference.iter().find(|reference| !answer.said.original().contains(reference.as_str()));
        let reference = reference.map_or_else(String::new, |reference| format!(" ({reference})"));
        let number = if plan.steps.len() > 1 { format!("step {} of {}: ", at + 1, plan.steps.len()) } else { String::new() };
        Text::new(format!("{number}{}: {}{reference}", step.said.original(), answer.said.original()))
    });
    let mut certain: Vec<Text> = through.collect();
    match state.phase {
        Phase::Planned | Phase::Intent { .. } | Phase::Claimed => certain.push(Text::new("nothing of it was sent")),
        Phase::Rejected | Phase::Changed | Phase::Expired => {
            // What came before is told by the steps themselves.
            let said = state.said.original();
            certain.push(Text::new(said.split(STANDS).next().unwrap_or(said)));
        }
        _ if certain.is_empty() => certain.push(Text::new("nothing of it is known to have happened")),
        _ => {}
    }
    certain
}

fn unknown(act: &Act) -> Option<Text> {
    let Act { plan, state } = act;
    let is_doubtful = match state.phase {
        Phase::Sent | Phase::Unknown { .. } => true,
        Phase::Again { .. } => state.doubtful,
        Phase::Conflict => return Some(Text::new(format!("whose it is: {}", state.said.original()))),
        Phase::Planned
        | Phase::Intent { .. }
        | Phase::Claimed
        | Phase::Confirmed
        | Phase::Done
        | Phase::Settled
        | Phase::FailedLate
        | Phase::Rejected
        | Phase::Changed
        | Phase::TakenBack
        | Phase::Refused
        | Phase::NotSent
        | Phase::Expired => false,
    };
    is_doubtful.then(|| match current(plan, state) {
        Some(step) if plan.steps.len() > 1 => Text::new(format!(
            "whether step {} of {} happened: {}",
            state.steps_done() + 1,
            plan.steps.len(),
            step.said.original()
        )),
        Some(step) => Text::new(format!("whether it happened: {}", step.said.original())),
        None => Text::new("whether it happened"),
    })
}

fn current<'a>(plan: &'a Plan, state: &ActState) -> Option<&'a Step> {
    plan.steps.get(state.steps_done())
}

/// What is done about it without a person, in words.
fn asks(act: &Act, now: DateTime<Utc>) -> Text {
    let Act { plan, state } = act;
    let is_good = journal::key_is_good(plan, state, now);
    Text::new(match state.phase {
        Phase::Planned | Phase::Intent { .. } | Phase::Claimed => "nothing is asked, and it is not sent by itself".to_owned(),
        Phase::Confirmed => {
            let next = current(plan, state).map_or("", |step| step.said.original());
            format!("the next step goes out, for the first time: {next}")
        }
        Phase::Sent | Phase::Again { .. } | Phase::Unknown { .. } => looks(plan, state, is_good),
        Phase::Conflict => "nothing is asked by itself: a person looks and decides".to_owned(),
        Phase::Rejected | Phase::Changed | Phase::Expired if !act.is_half_way() => "nothing is asked".to_owned(),
        Phase::Rejected if act.standing(now) == Standing::Unproven => {
            "the proof is looked for again when you say so, and nothing is sent by that".to_owned()
        }
        Phase::Rejected | Phase::Changed | Phase::Expired if is_good => {
            "what is left goes out when you say so, under the same key".to_owned()
        }
        Phase::Rejected | Phase::Changed | Phase::Expired => {
            "its key is too old to be sent again: do this step by hand, and say so".to_owned()
        }
        Phase::Done | Phase::Settled | Phase::FailedLate | Phase::TakenBack | Phase::Refused | Phase::NotSent => {
            "nothing is asked".to_owned()
        }
    })
}

fn looks(plan: &Plan, state: &ActState, is_good: bool) -> String {
    let look = match current(plan, state).map(|step| &step.order) {
        Some(Order::Refund { on, charge, .. }) => {
            format!("{on} is asked for the refunds of {charge}, for one with this act's id")
        }
        Some(Order::Amend { on, object, .. }) => format!("{on} is asked how {object} is, for this act's id in it"),
        Some(Order::Sql { on, .. }) => format!("this act's mark is looked for in {on}"),
        Some(Order::Mail { on, .. }) => format!("the mail is looked for at {on}, where that keeps what it sent"),
        Some(Order::Firestore { on, document, .. }) => {
            format!("{document} is read back from {on}, and this act's mark where marks are kept")
        }
        Some(Order::Http { on, method, path, .. }) => {
            return format!("nothing at {on} tells whether {method} {path} arrived: a person looks and decides");
        }
        Some(Order::Event { to: EventTo::Endpoint(_), on, event }) => {
            format!("{on} is asked whether {event} still waits to be delivered")
        }
        Some(Order::Event { to: EventTo::Handler(_), event, .. }) => {
            format!("whoever takes {event} knows it by its id: what proves it is looked at first")
        }
        Some(Order::Proof { on, .. }) => return format!("{on} is looked at for the proof, as often as it takes"),
        Some(Order::Webhook { on, .. }) => return format!("{on} keeps nothing to look at: a person looks and decides"),
        Some(Order::Command { on, is_looked_for: true, .. }) => {
            return format!("a trace of it is looked for, as the pack says; {on} is not run again by itself");
        }
        Some(Order::Command { on, .. }) => {
            return format!("nothing tells how far {on} came, and it is not run again by itself: a person looks and decides");
        }
        None => return "nothing is left to ask".to_owned(),
    };
    if is_good {
        format!("{look}; where it certainly is not there, the same step goes out under the same key")
    } else {
        format!("{look}; its key is too old to be sent again")
    }
}

/// `2 acts and 1 batch`: what was found, counted.
pub fn counted(recovery: &Recovery) -> String {
    let counts = [(recovery.acts.len(), "act"), (recovery.batches.len(), "batch")];
    let said = counts.iter().filter(|(count, _)| *count > 0).map(|(count, thing)| match (*count, *thing) {
        (1, thing) => format!("1 {thing}"),
        (count, "batch") => format!("{count} batches"),
        (count, thing) => text::counted(count, thing),
    });
    said.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
