//! What is on its way outside on behalf of an act, and what comes back from it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    claiming::Claiming,
    fresh::{self, Fresh},
};

use crate::{
    domain::{
        journal::{Answer, Followed, Found, Mark, Outcome},
        pack::Action,
        plan::{ActionId, Order, Plan, Step},
        policy::Permit,
        text::Text,
    },
    ports::{Connections, System},
};

/// Beyond every connection's own timeout: an adapter that forgets its own must not hold a lane for ever.
const LONGEST: Duration = Duration::from_mins(3);

pub(super) enum Landing {
    /// The row, read afresh before the first attempt.
    Fresh(Fresh),
    /// What came of asking for its claim.
    Claimed(Claiming),
    Released(Result<(), Text>),
    /// The acts whose claims this record has left open.
    OpenClaims(Result<Vec<ActionId>, Text>),
    Outcome(Outcome),
    Found(Found),
    /// What has become of acts that were done.
    Followed(Vec<(ActionId, Followed)>),
}

pub(super) type Flight = BoxFuture<'static, (ActionId, Landing)>;

fn target(connections: &Connections, plan: &Plan, number: usize) -> Result<(Arc<dyn System>, Step), Text> {
    let step = plan.steps.get(number).ok_or_else(|| Text::new(format!("there is no step {}", number + 1)))?;
    let name = step.order.connection();
    let system = connections.find(name).ok_or_else(|| Text::new(format!("`{name}` is not connected")))?;
    Ok((Arc::clone(system), step.clone()))
}

/// One attempt. Takes a permit, so that nothing goes out which policy has not passed.
pub(super) fn send(connections: &Connections, permit: &Permit, mark: Mark) -> Flight {
    let id = mark.action.clone();
    let found = target(connections, permit.plan(), mark.step);
    let attempt = async move {
        match found {
            Ok((system, step)) => system.act(&step.order, &mark).await,
            Err(why) => Outcome::Rejected(why),
        }
    };
    let lost = |why: &str| Outcome::Unknown(Text::new(why));
    Box::pin(async move { (id, Landing::Outcome(guarded(attempt, lost).await)) })
}

/// Looks whether an earlier attempt happened.
pub(super) fn look_up(connections: &Connections, plan: &Plan, mark: Mark) -> Flight {
    let id = mark.action.clone();
    let found = target(connections, plan, mark.step);
    let proof = target(connections, plan, mark.step + 1).ok().filter(|(_, step)| matches!(step.order, Order::Proof { .. }));
    let look = async move {
        // Whatever the system itself knows: where its proof is there, it has happened.
        if let Some((system, step)) = proof
            && let Outcome::Confirmed(answer) = system.act(&step.order, &mark).await
        {
            return Found::Ours(Answer { reference: None, ..answer });
        }
        match found {
            Ok((system, step)) => system.look_up(&step.order, &mark).await,
            Err(why) => Found::CannotTell(why),
        }
    };
    let lost = |why: &str| Found::CannotTell(Text::new(why));
    Box::pin(async move { (id, Landing::Found(guarded(look, lost).await)) })
}

/// Reads the row that a plan is about once more.
pub(super) fn read_afresh(
    connections: &Connections,
    action: &Action,
    plan: &Plan,
    currency: crate::domain::money::Currency,
    now: chrono::DateTime<chrono::Utc>,
) -> Flight {
    let (connections, action, plan) = (connections.clone(), action.clone(), plan.clone());
    let id = plan.id.clone();
    let read = async move { fresh::read(&connections, &action, &plan.target, &plan.row, currency, now).await };
    let lost = |why: &str| Fresh::Unread(Text::new(why));
    Box::pin(async move { (id, Landing::Fresh(guarded(read, lost).await)) })
}

/// Whatever an adapter does, an answer comes.
pub(super) async fn guarded<T>(work: impl Future<Output = T> + Send, lost: impl Fn(&str) -> T) -> T {
    match tokio::time::timeout(LONGEST, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => lost("the program failed while it waited for the answer"),
        Err(_) => lost("no answer came"),
    }
}
