//! The business's own handler of events: an event is posted to it as Stripe itself would, signed with its secret.

use std::{fmt, time::Duration};

use chrono::Utc;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    adapters::{
        environment::Found as Secret,
        scrub::Scrubber,
        transport::{NoReply, Reply, Transport, base_address},
    },
    domain::{signature, text::Text},
    ports::{Answer, Outcome, SourceError},
};

/// A handler that says nothing of when it may be asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Where one kind of the account's events is taken.
pub(super) struct Handler {
    pub(super) name: String,
    url: SecretString,
    secret: SecretString,
    transport: Transport,
}

impl Handler {
    /// `of` is the connection that names it.
    pub(super) fn open(of: &Transport, name: &str, url: &Secret, secret: Secret) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide(secret.expose());
        scrub.hide_address(url.expose());
        base_address(url.expose()).map_err(|problem| format!("handler `{name}`: {}", scrub.clean(&problem)))?;
        let transport = Transport::open(&of.name, of.timeout, scrub)?;
        Ok(Self { name: name.to_owned(), url: url.value.clone(), secret: secret.value, transport })
    }

    /// Whether somebody answers there, asked without an event: a handler that wants one may well refuse. In words, or why
    /// no event would be taken.
    pub(super) async fn reached(&self) -> Result<String, Text> {
        let wrong = |why: &str| self.transport.text(format_args!("the handler `{}` {why}", self.name));
        match self.transport.send(self.transport.fresh.head(self.url.expose_secret())).await {
            Ok(reply) => match reply.status {
                300..400 | 404 | 410 => Err(wrong(&format!("answers {}; correct the handler's address", reply.status))),
                500.. => Err(wrong(&format!("answers {}; heal it before anything is sent there", reply.status))),
                status => Ok(format!("{} answers {status}", self.name)),
            },
            Err(failure) => {
                // The connection is named once.
                let said = self.transport.unread(&failure).to_string();
                let why = said.strip_prefix(&format!("{}: ", self.transport.name)).unwrap_or(&said);
                Err(wrong(&format!("is not reached: {why}")))
            }
        }
    }

    /// Posts an event once. The signature carries the moment; the body is the same each time.
    pub(super) async fn post(&self, event: &str, body: &[u8]) -> Outcome {
        let signature = signature::sign(self.secret.expose_secret(), Utc::now(), body);
        let request = self
            .transport
            .fresh
            .post(self.url.expose_secret())
            .header("content-type", "application/json; charset=utf-8")
            .header(signature::HEADER, signature)
            .body(body.to_vec());
        let what = format!("{event} to the handler `{}`", self.name);
        self.judge(&what, self.transport.send(request).await)
    }

    /// As Stripe judges it: any 2xx has taken it, a redirect has not.
    fn judge(&self, what: &str, reply: Result<Reply, NoReply>) -> Outcome {
        let transport = &self.transport;
        let reply = match reply {
            Ok(reply) => reply,
            Err(NoReply::NotSent(why) | NoReply::Spared(why)) => {
                return Outcome::Again { after: AGAIN, why: transport.text(format_args!("{what} not sent: {why}")) };
            }
            Err(NoReply::Distrusted(why)) => return Outcome::Rejected(transport.text(format_args!("{what} not sent: {why}"))),
            Err(NoReply::TimedOut { sent: false }) => {
                return Outcome::Again { after: AGAIN, why: transport.text(format_args!("{what} not sent: nobody answers")) };
            }
            Err(NoReply::Lost(why)) => return Outcome::Unknown(transport.text(format_args!("{what}: the line broke: {why}"))),
            Err(NoReply::TimedOut { sent: true }) => {
                return Outcome::Unknown(transport.text(format_args!("{what}: {}", SourceError::TimedOut(transport.timeout))));
            }
        };
        let said = format!("{what} answered {} {}", reply.status, reply.excerpt());
        let said = said.trim_end();
        match reply.status {
            200..300 => Outcome::Confirmed(Answer {
                reference: None,
                request: reply.named("x-request-id"),
                said: transport.text(format_args!("{what} answered {}", reply.status)),
            }),
            300..400 => Outcome::Rejected(
                transport.text(format_args!("{said}: moved, and no event is sent after it; correct the handler's address")),
            ),
            425 | 429 => {
                Outcome::Again { after: reply.retry_after().unwrap_or(AGAIN), why: transport.text(format_args!("{said}")) }
            }
            400 | 401 | 403 => Outcome::Rejected(
                transport.text(format_args!("{said}: refused; check that the handler's `secret` is its endpoint's own")),
            ),
            400..500 => Outcome::Rejected(transport.text(said)),
            _ => Outcome::Unknown(transport.text(said)),
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("name", &self.name).field("transport", &self.transport).finish_non_exhaustive()
    }
}
