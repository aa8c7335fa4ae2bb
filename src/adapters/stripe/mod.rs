//! Stripe by async-stripe's requests over our own transport: lists as rows, refunds and changes once and only once. Never
//! retries what moves money; the journal decides that, with the same key.

mod amend;
mod answer;
mod api;
mod client;
mod events;
mod list;
mod object;
mod pace;
mod progress;
mod refund;
mod rights;
mod signed_post;
mod timeline;
mod undelivered;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use self::{amend::Change, api::Api, signed_post::Handler};
use super::{environment::Found as Secret, wrong_order, wrong_query};
use crate::{
    domain::{
        identity::Identity,
        pack::{Query, Read, StripeList},
        plan::{EventTo, Order},
        rights::{Needs, Rights},
        rows::{Params, Rows},
        text::Text,
    },
    ports::{Answer, Doer, Followed, Found, Mark, Outcome, Ownership, PageCame, Source, SourceError, Taker},
};

/// A Stripe account.
#[derive(Debug)]
pub(super) struct StripeSystem {
    api: Api,
    is_unrestricted: bool,
    handlers: Vec<Handler>,
}

impl StripeSystem {
    pub(super) fn open(
        name: &str,
        key: Secret,
        base: Option<&Secret>,
        account: Option<&str>,
        livemode: bool,
        unrestricted: bool,
        timeout: Duration,
    ) -> Result<Self, String> {
        let is_unrestricted = key.expose().starts_with("sk_live_");
        if is_unrestricted && !unrestricted {
            return Err(
                "the key is a live one that may do everything (`sk_live_...`); make a restricted one (`rk_live_...`) with the \
                        rights that the pack needs, or accept this one by `unrestricted = true`"
                    .to_owned(),
            );
        }
        Ok(Self { api: Api::open(name, key, base, account, livemode, timeout)?, is_unrestricted, handlers: Vec::new() })
    }

    /// With a handler of the business: its name, its address, and what its events are signed with.
    pub(super) fn with_handler(mut self, name: &str, url: &Secret, secret: Secret) -> Result<Self, String> {
        self.handlers.push(Handler::open(&self.api.transport, name, url, secret)?);
        Ok(self)
    }

    async fn send_event(&self, event: &str, to: &EventTo, mark: &Mark) -> Outcome {
        match to {
            EventTo::Endpoint(endpoint) => events::resend(&self.api, event, endpoint, mark).await,
            EventTo::Handler(name) => match self.handlers.iter().find(|handler| handler.name == *name) {
                Some(handler) => events::deliver(&self.api, event, handler).await,
                None => Outcome::Rejected(self.api.transport.text(format_args!("there is no handler `{name}`"))),
            },
        }
    }

    async fn within_the_limit(&self, what: &str, look: impl Future<Output = Found>) -> Found {
        let limit = self.api.transport.timeout;
        tokio::time::timeout(limit, look).await.unwrap_or_else(|_| {
            Found::CannotTell(self.api.transport.text(format_args!("{what}: {}", SourceError::TimedOut(limit))))
        })
    }
}

#[async_trait]
impl Source for StripeSystem {
    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        self.read_aloud(query, params, &|_| {}).await
    }

    async fn read_aloud(&self, query: &Query, params: &Params, came: &PageCame<'_>) -> Result<Rows, SourceError> {
        match &query.read {
            Read::Stripe(read) => list::read(&self.api, read, params, self.api.transport.timeout, came).await,
            Read::Sql(_) | Read::Http(_) | Read::Firestore(_) | Read::Command(_) => {
                Err(wrong_query(&self.api.transport.name, "stripe"))
            }
        }
    }

    async fn stream(&self, query: &Query, params: &Params, taker: &mut dyn Taker) -> Result<Vec<String>, SourceError> {
        match &query.read {
            Read::Stripe(read) if read.id.is_none() && read.list != StripeList::UndeliveredEvents => {
                list::stream(&self.api, read, params, self.api.transport.timeout, taker).await
            }
            Read::Stripe(_) | Read::Sql(_) | Read::Http(_) | Read::Firestore(_) | Read::Command(_) => {
                let rows = self.read(query, params).await?;
                taker.take(rows).map(|()| Vec::new()).map_err(|why| SourceError::Refused(Text::new(why)))
            }
        }
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        match &query.read {
            Read::Stripe(_) => Ok(None),
            Read::Sql(_) | Read::Http(_) | Read::Firestore(_) | Read::Command(_) => {
                Err(wrong_query(&self.api.transport.name, "stripe"))
            }
        }
    }

    async fn identify(&self) -> Result<Identity, SourceError> {
        self.api.identify().await
    }

    async fn rights(&self, needs: &Needs) -> Rights {
        let (mut rights, handlers) =
            tokio::join!(rights::ask(&self.api, needs), join_all(self.handlers.iter().map(Handler::reached)));
        let mut reached = Vec::new();
        for answer in handlers {
            match answer {
                Ok(said) => reached.push(said),
                Err(why) => rights.lacks.push(why),
            }
        }
        if !reached.is_empty() {
            rights.facts.push(("handlers", Text::new(reached.join(", "))));
        }
        rights
    }

    fn budget(&self) -> Option<Text> {
        Some(Text::new(self.api.pace.said()))
    }

    fn progress(&self) -> Option<Text> {
        self.api.progress.said().map(Text::new)
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        let said = "the live key may do everything, and this pack needs far less: a restricted one (`rk_live_...`) is enough";
        Ok(if self.is_unrestricted { vec![self.api.transport.text(format_args!("{said}"))] } else { Vec::new() })
    }
}

#[async_trait]
impl Doer for StripeSystem {
    async fn ownership(&self) -> Ownership {
        self.api.ownership().await
    }

    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        match order {
            Order::Refund { charge, amount, reason, .. } => {
                refund::send(&self.api, charge, *amount, reason.as_deref(), mark).await
            }
            Order::Amend { object, change, evidence, .. } => {
                amend::send(&self.api, Change { object, to: *change, evidence }, mark).await
            }
            Order::Event { event, to, .. } => self.send_event(event, to, mark).await,
            Order::Sql { .. }
            | Order::Http { .. }
            | Order::Mail { .. }
            | Order::Webhook { .. }
            | Order::Proof { .. }
            | Order::Firestore { .. }
            | Order::Command { .. } => wrong_order(&self.api.transport.name, "stripe"),
        }
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        match order {
            Order::Refund { charge, amount, .. } => {
                let look = refund::look_up(&self.api, charge, *amount, mark);
                self.within_the_limit(&format!("refunds of {charge}"), look).await
            }
            Order::Amend { object, change, evidence, .. } => {
                let look = amend::look_up(&self.api, Change { object, to: *change, evidence }, mark);
                self.within_the_limit(&change.of(object), look).await
            }
            Order::Event { event, to, .. } => match to {
                EventTo::Endpoint(_) => events::look_up(&self.api, event).await,
                // Whoever takes it knows it by its id: it goes out once more.
                EventTo::Handler(_) => Found::Absent,
            },
            Order::Sql { .. }
            | Order::Http { .. }
            | Order::Mail { .. }
            | Order::Webhook { .. }
            | Order::Proof { .. }
            | Order::Firestore { .. }
            | Order::Command { .. } => {
                Found::CannotTell(Text::new(format!("{}: not an order for Stripe", self.api.transport.name)))
            }
        }
    }

    async fn follow(&self, order: &Order, answer: &Answer, mark: &Mark) -> Followed {
        match (order, &answer.reference) {
            (Order::Refund { .. }, Some(refund)) => refund::follow(&self.api, refund).await,
            (Order::Refund { charge, amount, .. }, None) => refund::trace(&self.api, charge, *amount, mark).await,
            (
                Order::Sql { .. }
                | Order::Amend { .. }
                | Order::Http { .. }
                | Order::Mail { .. }
                | Order::Webhook { .. }
                | Order::Event { .. }
                | Order::Proof { .. }
                | Order::Firestore { .. }
                | Order::Command { .. },
                _,
            ) => Followed::CannotTell(Text::new(format!("{}: no refund to look at", self.api.transport.name))),
        }
    }
}

#[cfg(test)]
mod event_tests;
#[cfg(test)]
mod reads_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_tests;
