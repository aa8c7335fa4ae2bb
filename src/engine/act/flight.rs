//! What is on its way outside on behalf of an act, and what comes back from it.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    claiming::Claiming,
    fresh::{self, Fresh},
};

use crate::{
    domain::{
        command::Printed,
        journal::{Answer, Followed, Found, Mark, Outcome},
        pack::{Action, Query},
        plan::{ActionId, Order, Plan, Step},
        policy::Permit,
        rows::Params,
        text::Text,
    },
    engine::message::Event,
    ports::{Connections, System},
};

/// Beyond every connection's own timeout: an adapter that forgets its own must not hold a lane for ever.
const LONGEST: Duration = Duration::from_mins(3);
/// Beyond the time limit of what may take longer: to end it and to hear what it said last.
const TO_END: Duration = Duration::from_secs(30);

pub(super) enum Landing {
    /// The row, read afresh before the first attempt.
    Fresh(Fresh),
    /// What came of asking for its claim.
    Claimed(Claiming),
    Released(Result<(), Text>),
    /// The acts whose claims this record has left open.
    OpenClaims(Result<Vec<ActionId>, Text>),
    /// The answer, and what was printed on the way to it.
    Outcome(Outcome, Option<Text>),
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

/// One attempt. Takes a permit, so that nothing goes out which policy has not passed. What it prints on its way is told.
pub(super) fn send(connections: &Connections, permit: &Permit, mark: Mark, tell: &Arc<dyn Fn(Event) + Send + Sync>) -> Flight {
    let id = mark.action.clone();
    let found = target(connections, permit.plan(), mark.step);
    let longest = found.as_ref().ok().and_then(|(system, _)| system.longest_act()).map(|longest| longest + TO_END);
    let printed = Arc::new(Mutex::new(None));
    let (heard, tell, plan) = (Arc::clone(&printed), Arc::clone(tell), id.clone());
    let attempt = async move {
        let told = move |printed: Printed| {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(printed.tail.clone());
            tell(Event::Printed { plan: plan.clone(), printed });
        };
        match found {
            Ok((system, step)) => system.act_aloud(&step.order, &mark, &told).await,
            Err(why) => Outcome::Rejected(why),
        }
    };
    let lost = |why: &str| Outcome::Unknown(Text::new(why));
    Box::pin(async move {
        let outcome = guarded_for(longest.map_or(LONGEST, |longest| longest.max(LONGEST)), attempt, lost).await;
        let printed = printed.lock().unwrap_or_else(PoisonError::into_inner).take();
        (id, Landing::Outcome(outcome, printed.filter(|printed: &Text| !printed.original().is_empty())))
    })
}

/// Looks whether an earlier attempt happened; by a read of the pack's own where it names one.
pub(super) fn look_up(connections: &Connections, plan: &Plan, mark: Mark, trace: Option<(Query, Params)>) -> Flight {
    let id = mark.action.clone();
    let lost = |why: &str| Found::CannotTell(Text::new(why));
    if let Some((query, names)) = trace {
        let connections = connections.clone();
        let look = async move { find_trace(&connections, &query, &names).await };
        return Box::pin(async move { (id, Landing::Found(guarded(look, lost).await)) });
    }
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
    Box::pin(async move { (id, Landing::Found(guarded(look, lost).await)) })
}

/// A row is a trace of it, and none says that it did not happen.
async fn find_trace(connections: &Connections, query: &Query, names: &Params) -> Found {
    let Some(system) = connections.find(&query.on) else {
        return Found::CannotTell(Text::new(format!("`{}` is not connected", query.on)));
    };
    match system.read(query, names).await {
        Ok(rows) if rows.is_empty() => Found::Absent,
        Ok(_) => {
            let said = Text::new(format!("{} has a trace of it", query.on));
            Found::Ours(Answer { reference: None, request: None, said })
        }
        Err(why) => Found::CannotTell(Text::new(format!("{}: {why}", query.on))),
    }
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
    guarded_for(LONGEST, work, lost).await
}

async fn guarded_for<T>(longest: Duration, work: impl Future<Output = T> + Send, lost: impl Fn(&str) -> T) -> T {
    match tokio::time::timeout(longest, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => lost("the program failed while it waited for the answer"),
        Err(_) => lost("no answer came"),
    }
}
