//! Handing requests on to the acting part, with the row that the operator saw. The answers come back as events.

use std::{future::Future, sync::Arc};

use super::{
    act::{Aim, TakenBack},
    message::{Event, Request},
    watcher::Watcher,
};
use crate::domain::{id::Id, pack::Action, plan::Target, text::Text};

impl Watcher {
    /// Never waits: each request is asked by a task of its own, which tells the answer.
    pub(super) fn pass_on(&mut self, request: Request) {
        let actor = self.actor.clone();
        match request {
            Request::Propose { ask, action, targets, inputs } => {
                let aims = targets.iter().map(|target| self.aim(&action, target)).collect::<Result<Vec<_>, _>>();
                self.answer(async move {
                    let preview = match aims {
                        Ok(aims) => actor.propose(ask, action, aims, inputs).await,
                        Err(why) => Err(why),
                    };
                    Some(Event::Preview { ask, preview })
                });
            }
            Request::Resume { ask, batch, inputs } => self.answer(async move {
                let preview = actor.resume(ask, batch, inputs).await;
                Some(Event::Preview { ask, preview })
            }),
            Request::Commit { ask, preview, typed } => {
                self.answer(async move { Some(Event::Answer { ask, said: actor.commit(preview, typed).await }) });
            }
            Request::TakeBack { ask, plan } => self.answer(async move {
                Some(match actor.take_back(ask, plan).await {
                    Ok(TakenBack::Withdrawn(said)) => Event::Answer { ask, said: Ok(said) },
                    Ok(TakenBack::Undo(preview)) => Event::Preview { ask, preview: Ok(preview) },
                    Err(why) => Event::Answer { ask, said: Err(why) },
                })
            }),
            Request::Pause { batch, paused } => self.answer(async move { Some(notice(actor.pause(batch, paused).await)) }),
            Request::Cancel { batch } => self.answer(async move { Some(notice(actor.cancel(batch).await)) }),
            Request::StopRun { plan } => self.answer(async move { Some(notice(actor.stop_run(plan).await)) }),
            Request::LookUp { plan } => self.answer(async move { Some(notice(actor.look_up(plan).await)) }),
            Request::Settle { plan, happened } => {
                self.answer(async move { Some(notice(actor.settle(plan, happened).await)) });
            }
            // What the lock came to is told by the acting part itself; only a refusal is news.
            Request::Unlock => self.answer(async move { actor.unlock().await.err().map(|why| notice(Err(why))) }),
            Request::Lock => self.answer(async move { actor.lock().await.err().map(|why| notice(Err(why))) }),
            // The loop's own.
            Request::Refresh(_)
            | Request::Stop
            | Request::Handle { .. }
            | Request::SignOff { .. }
            | Request::History { .. }
            | Request::Journal { .. } => {}
        }
    }

    fn answer(&self, asked: impl Future<Output = Option<Event>> + Send + 'static) {
        let listener = Arc::clone(&self.listener);
        tokio::spawn(async move {
            if let Some(event) = asked.await {
                let _ = listener(event);
            }
        });
    }

    /// The row as the operator saw it.
    pub fn aim(&self, action: &Id<Action>, target: &Target) -> Result<Aim, Text> {
        let drawn = |target: &Target| Aim::drawn(action, target, self.latest.as_deref().into_iter().chain(&self.before));
        let names =
            target.queue.as_ref().map(|queue| self.ground.pack.known_as(target.clone()).queue.unwrap_or_else(|| queue.clone()));
        // Of several queues that hold the same items, it stands where it stands.
        let seats = target.queue.iter().chain(&names).flat_map(|name| self.ground.pack.queues_of(name));
        let mut seen = seats.filter_map(|queue| drawn(&Target { queue: Some(queue.id.clone()), key: target.key.clone() }).ok());
        seen.find(|aim| aim.is_drawn).map_or_else(|| drawn(target), Ok)
    }
}

fn notice(said: Result<Text, Text>) -> Event {
    match said {
        Ok(said) => Event::Notice { said, is_error: false },
        Err(said) => Event::Notice { said, is_error: true },
    }
}
