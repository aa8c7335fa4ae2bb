//! Following what was done: a refund can still fail days later, and then its act is not done.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    driver::{Driver, Mode},
    flight::{self, Landing},
};

use crate::{
    domain::{
        journal::{self, Act, Followed},
        plan::{ActionId, Order},
        planning,
        text::Text,
    },
    engine::message::Event,
};

/// How often what was done is looked at again.
const AGAIN: TimeDelta = TimeDelta::hours(6);
/// At most so many at a time, the oldest first: more than a small business pays back in the month that they are followed.
const AT_ONCE: usize = 1_000;

impl Driver {
    /// Looks at the refunds of the last weeks where that is due: at the start and a few times a day.
    pub(super) async fn follow(&mut self) {
        let now = self.now();
        let is_due = self.follow_at.is_none_or(|at| at <= now);
        // Under another account's key what was done would seem never to have been.
        let may_look = self.account.is_own() && self.broken.is_none() && self.setup.barrier.is_none();
        if !is_due || !may_look || !matches!(self.mode, Mode::Ready) {
            return;
        }
        self.follow_at = Some(now + AGAIN);
        let journal = Arc::clone(&self.setup.journal);
        let Ok(acts) = journal.unsettled_acts(AT_ONCE).await else { return };
        let acts = acts.into_iter().filter(|act| planning::belongs(&act.plan, &self.setting()));
        let looks: Vec<_> = acts.filter_map(|act| self.look_after(&act)).collect();
        if !looks.is_empty() {
            self.following.push(Box::pin(async move {
                let mut followed = Vec::new();
                for (id, look) in looks {
                    followed.push((id, look.await));
                }
                (ActionId(String::new()), Landing::Followed(followed))
            }));
        }
    }

    fn look_after(&self, act: &Act) -> Option<(ActionId, impl Future<Output = Followed> + Send + use<>)> {
        let mut steps = act.plan.steps.iter().zip(&act.state.answers).enumerate();
        let (number, (step, answer)) = steps.find(|(_, (step, _))| matches!(step.order, Order::Refund { .. }))?;
        let mark = act.state.mark_of(&act.plan, number);
        let system = self.setup.connections.find(step.order.connection()).map(Arc::clone)?;
        let (order, answer) = (step.order.clone(), answer.clone());
        let look = async move { system.follow(&order, &answer, &mark).await };
        let lost = |why: &str| Followed::CannotTell(Text::new(why));
        Some((act.plan.id.clone(), flight::guarded(look, lost)))
    }

    pub(super) async fn followed(&mut self, followed: Vec<(ActionId, Followed)>) {
        let journal = Arc::clone(&self.setup.journal);
        for (id, followed) in followed {
            if let Followed::CannotTell(why) = &followed {
                tracing::warn!(act = id.short(), %why, "what was done could not be looked at again");
            }
            // It may have been planned anew, or settled, since it was asked for.
            let Ok(Some(act)) = journal.act(&id).await else { continue };
            if act.state.phase != journal::Phase::Done || self.find(&id).is_some() {
                continue;
            }
            if let Followed::Undone(why) = &followed {
                let said = format!("{} {}: {}", act.plan.title, act.plan.label.original(), why.original());
                (self.setup.tell)(Event::Notice { said: Text::new(said), is_error: true });
            }
            if let Followed::Named(_) = &followed {
                // What has become of it is asked under its name, at once.
                self.follow_at = Some(self.now());
            }
            self.adopt(act);
            self.feed(&id, journal::Event::Followed(followed)).await;
            self.running.retain(|running| running.act.plan.id != id);
        }
    }
}
