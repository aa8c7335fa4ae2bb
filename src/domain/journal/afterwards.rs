//! What becomes of an act after it was done: looked at for a month, given its name, undone by the outside, or settled.

use chrono::TimeDelta;

use super::{
    outcome::{Answer, Followed},
    state::Phase,
    step::{Command, Transition},
};

use crate::domain::{
    plan::{Order, Step},
    severity::Severity,
    text::Text,
};

/// A bank may send a refund back for so long after it was made.
const UNSETTLED: TimeDelta = TimeDelta::days(30);
/// What an act says of a refund that nobody can name.
const NOT_FOLLOWED: &str = "not followed, a later failure of it is not seen here";

impl Transition<'_> {
    /// Nothing is said of what stands and is still young: it is looked at again.
    pub(super) fn followed(&mut self, followed: Followed) -> Vec<Command> {
        match followed {
            Followed::Undone(why) => {
                let said = format!("failed after it was done: {}; decide what to do instead", why.original());
                self.end(Phase::FailedLate, Text::new(said), Severity::Red)
            }
            Followed::Stands(said) if self.is_old() => {
                self.state.phase = Phase::Settled;
                self.state.said = said;
                vec![self.persist(Severity::Green)]
            }
            Followed::Named(answer) => self.named(answer),
            Followed::Lost(why) => self.lost(&why),
            Followed::Stands(_) | Followed::Open | Followed::CannotTell(_) => Vec::new(),
        }
    }

    fn named(&mut self, answer: Answer) -> Vec<Command> {
        let mut steps = self.plan.steps.iter().zip(&mut self.state.answers);
        let is_it = |step: &Step, known: &Answer| matches!(step.order, Order::Refund { .. }) && known.reference.is_none();
        let Some((_, known)) = steps.find(|(step, known)| is_it(step, known)) else { return Vec::new() };
        let said = Text::new(format!("{}; found outside: {}", known.said.original(), answer.said.original()));
        *known = Answer { request: known.request.take().or(answer.request), reference: answer.reference, said: said.clone() };
        self.state.said = said;
        vec![self.persist(Severity::Green), Command::Tell]
    }

    /// Said once; after a month nothing would come of it any more.
    fn lost(&mut self, why: &Text) -> Vec<Command> {
        if self.is_old() {
            self.state.phase = Phase::Settled;
            return vec![self.persist(Severity::Green)];
        }
        let said = self.state.said.original();
        if said.contains(NOT_FOLLOWED) {
            return Vec::new();
        }
        self.state.said = Text::new(format!("{said}; {NOT_FOLLOWED}: {}", why.original()));
        vec![self.persist(Severity::Yellow), Command::Tell]
    }

    fn is_old(&self) -> bool {
        self.state.at.is_some_and(|at| self.now - at >= UNSETTLED)
    }
}
