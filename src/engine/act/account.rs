//! Whose payment account it is: asked at the start, and again before money moves for as long as nobody could tell.
//!
//! Another account than the pack's locks writing for the session; one that could not be asked bars money alone.

use std::mem;

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, join_all},
};

use super::{
    Reply,
    driver::{Driver, Mode},
    flight,
};

use crate::{
    domain::{
        barrier::Barrier,
        journal::{Act, Entry, Event, Phase},
        plan::ActionId,
        severity::Severity,
        text::Text,
    },
    engine::message,
    ports::{Connections, Ownership},
};

pub(super) type Question = Shared<BoxFuture<'static, Ownership>>;

/// What is known of the account, and who waits to know more.
pub(super) struct Account {
    known: Ownership,
    question: Option<Question>,
    askers: Vec<Reply<Ownership>>,
    /// Acts of an earlier run that wait for the answer before they are settled.
    pub(super) unsettled: Vec<ActionId>,
}

impl Default for Account {
    fn default() -> Self {
        let known = Ownership::Unasked(Text::new("Stripe has not been asked yet whose key this is"));
        Self { known, question: None, askers: Vec::new(), unsettled: Vec::new() }
    }
}

impl Account {
    /// Why nothing at all is written.
    pub(super) fn another(&self) -> Option<&Text> {
        match &self.known {
            Ownership::Another(why) | Ownership::OtherMode(why) => Some(why),
            Ownership::Own | Ownership::Unasked(_) => None,
        }
    }

    pub(super) fn barrier(&self) -> Option<Barrier> {
        match &self.known {
            Ownership::Another(why) => Some(Barrier::WrongAccount(why.clone())),
            Ownership::OtherMode(why) => Some(Barrier::WrongMode(why.clone())),
            Ownership::Own | Ownership::Unasked(_) => None,
        }
    }

    /// Why an act is not sent.
    pub(super) fn bars(&self, needs_the_account: bool) -> Option<&Text> {
        match &self.known {
            Ownership::Another(why) | Ownership::OtherMode(why) => Some(why),
            Ownership::Unasked(why) if needs_the_account => Some(why),
            Ownership::Own | Ownership::Unasked(_) => None,
        }
    }

    pub(super) fn is_own(&self) -> bool {
        self.known == Ownership::Own
    }

    pub(super) fn is_asked(&self) -> bool {
        self.question.is_some()
    }

    pub(super) fn question(&self) -> Option<Question> {
        self.question.clone()
    }
}

impl Driver {
    /// The question under way, or a new one.
    pub(super) fn ask_account(&mut self) -> Question {
        let connections = &self.setup.connections;
        self.account.question.get_or_insert_with(|| ask(connections).boxed().shared()).clone()
    }

    /// Answers at once, or when the question under way is answered.
    pub(super) fn tell_account(&mut self, reply: Reply<Ownership>) {
        if self.account.is_asked() {
            self.account.askers.push(reply);
        } else {
            drop(reply.send(Ok(self.account.known.clone())));
        }
    }

    pub(super) async fn account_answered(&mut self, known: Ownership) {
        self.account.question = None;
        let is_new = self.account.known != known;
        self.account.known = known.clone();
        match &known {
            Ownership::Own => self.settle_waiting(|_| true).await,
            Ownership::Another(why) | Ownership::OtherMode(why) => {
                // They belong to whoever has the right key.
                let unsettled = mem::take(&mut self.account.unsettled);
                self.running.retain(|running| !unsettled.contains(&running.act.plan.id));
                if is_new {
                    self.lock_for_good(why).await;
                }
            }
            Ownership::Unasked(why) => {
                self.settle_waiting(|act| !needs_account(act)).await;
                if is_new {
                    let said = format!(
                        "{}: nothing is changed at Stripe before it has answered; it is asked again then",
                        why.original()
                    );
                    (self.setup.tell)(message::Event::Notice { said: Text::new(said), is_error: true });
                }
            }
        }
        for asker in mem::take(&mut self.account.askers) {
            drop(asker.send(Ok(known.clone())));
        }
    }

    async fn lock_for_good(&mut self, why: &Text) {
        self.lock.close();
        let said = format!("nothing is written in this session: {}", why.original());
        if self.setup.barrier.is_none() {
            let entry = Entry::by_system(self.now(), "LOCK", said.as_str()).severity(Severity::Red);
            self.record(&entry).await;
        }
        (self.setup.tell)(message::Event::Lock { until: None, why: None });
        (self.setup.tell)(message::Event::Notice { said: Text::new(said), is_error: true });
    }

    /// Settles what an earlier run left, as far as it may be now.
    pub(super) async fn settle_waiting(&mut self, may_be: impl Fn(&Act) -> bool) {
        let mut waiting = Vec::new();
        for id in mem::take(&mut self.account.unsettled) {
            match self.find(&id) {
                Some(running) if may_be(&running.act) => self.feed(&id, Event::Recover).await,
                Some(_) => waiting.push(id),
                None => {}
            }
        }
        if !waiting.is_empty() && !matches!(self.mode, Mode::Stopping(_)) {
            let count = waiting.len();
            let said = if count == 1 { "1 act waits".to_owned() } else { format!("{count} acts wait") };
            let said = format!("{said} to be settled until Stripe says whose key this is");
            (self.setup.tell)(message::Event::Notice { said: Text::new(said), is_error: true });
        }
        self.account.unsettled = waiting;
    }
}

/// Looked up under a wrong key, what happened would seem never to have happened.
pub(super) fn needs_account(act: &Act) -> bool {
    let left = act.plan.steps.iter().skip(act.state.steps_done());
    !matches!(act.state.phase, Phase::Intent { .. } | Phase::Claimed)
        && left.into_iter().any(|step| step.order.needs_the_account())
}

fn ask(connections: &Connections) -> impl Future<Output = Ownership> + Send + use<> {
    let systems: Vec<_> = connections.0.values().cloned().collect();
    let lost = |why: &str| Ownership::Unasked(Text::new(format!("Stripe could not be asked whose key this is ({why})")));
    let answer = async move {
        let answers = join_all(systems.iter().map(|system| system.ownership())).await;
        let is_another = |answer: &&Ownership| matches!(answer, Ownership::Another(_) | Ownership::OtherMode(_));
        let is_no = |answer: &&Ownership| **answer != Ownership::Own;
        let worst = answers.iter().find(is_another).or_else(|| answers.iter().find(is_no));
        worst.cloned().unwrap_or(Ownership::Own)
    };
    flight::guarded(answer, lost)
}
