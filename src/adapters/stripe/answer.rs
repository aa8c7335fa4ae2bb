//! What an answer of Stripe means for an act: happened, again, never, or nobody knows.
//!
//! The rules are in <https://docs.stripe.com/api/errors> and <https://docs.stripe.com/error-low-level>.

use std::time::Duration;

use serde_json::Value as Json;

use super::api::Unread;
use crate::{
    adapters::transport::{NoReply, Reply, Transport},
    ports::{Answer, Outcome, SourceError},
};

/// Where Stripe does not say how long.
pub(super) const AGAIN: Duration = Duration::from_secs(2);

/// An answer other than success, as far as it can be read.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    kind: String,
    code: String,
    message: String,
    request: Option<String>,
    pub(super) should_retry: Option<bool>,
    retry_after: Option<Duration>,
    is_stripes: bool,
}

impl Refusal {
    pub(super) fn of(reply: &Reply) -> Self {
        let json = reply.json();
        let error = json.as_ref().and_then(|json| json.get("error"));
        let field = |name: &str| error.and_then(|error| error.get(name)).and_then(Json::as_str).unwrap_or_default().to_owned();
        Self {
            status: reply.status,
            kind: field("type"),
            code: field("code"),
            message: if error.is_some() { field("message") } else { reply.excerpt() },
            request: reply.named("request-id"),
            should_retry: reply.header("stripe-should-retry").and_then(|said| said.parse().ok()),
            retry_after: reply.retry_after(),
            is_stripes: error.is_some_and(Json::is_object),
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        self.status == 404 && (self.code == "resource_missing" || self.is_stripes)
    }

    /// True where all that was wrong is that there is no such object.
    pub(super) fn is_of_nothing(&self) -> bool {
        matches!(self.status, 400 | 404) && self.code == "resource_missing"
    }

    /// Stripe's words, its code and its name for the request.
    pub(super) fn said(&self) -> String {
        let words = if self.message.is_empty() { "no reason given" } else { self.message.as_str() };
        let code = if self.code.is_empty() { String::new() } else { format!(" [{}]", self.code) };
        let request = self.request.as_ref().map_or_else(String::new, |request| format!(" ({request})"));
        let hint = match self.status {
            401 => "; check the key".to_owned(),
            403 => self.lacks().map_or_else(
                || "; the key lacks a permission: see Stripe's dashboard under API keys".to_owned(),
                |right| format!("; give the key {right} in Stripe's dashboard under API keys"),
            ),
            _ => String::new(),
        };
        format!("{} {words}{code}{request}{hint}", self.status)
    }

    /// The right that a restricted key would need, as the dashboard has it; Stripe names it in its words.
    pub(super) fn lacks(&self) -> Option<String> {
        let named = self.message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(|word| word.starts_with("rak_"))?;
        let right = named.trim_start_matches("rak_");
        let (what, how) = right.rsplit_once('_').unwrap_or((right, "use"));
        Some(format!("the right to {how} {}s (`{named}`)", what.replace('_', " ")))
    }

    pub(super) fn wait(&self) -> Duration {
        self.retry_after.unwrap_or(AGAIN)
    }
}

pub(super) enum Judged {
    Outcome(Outcome),
    /// Refused because the money went back before, with Stripe's words; a look tells by whom.
    AlreadyRefunded(String),
}

/// The meaning of the answer to a refund.
pub(super) fn judge(transport: &Transport, what: &str, reply: Result<Reply, NoReply>) -> Judged {
    Judged::Outcome(match reply {
        Ok(reply) if reply.is_success() => success(transport, what, &reply),
        Ok(reply) => {
            let refusal = Refusal::of(&reply);
            if refusal.status < 500 && refusal.code == "charge_already_refunded" {
                return Judged::AlreadyRefunded(refusal.said());
            }
            refused(transport, what, &refusal)
        }
        Err(failure) => unanswered(transport, what, &failure),
    })
}

/// The meaning of the answer to a change of an object, which is answered as it is then; `stands` says how that is.
pub(super) fn judge_change(
    transport: &Transport,
    (what, object): (&str, &str),
    reply: Result<Reply, NoReply>,
    stands: impl Fn(&Json) -> String,
) -> Outcome {
    let reply = match reply {
        Ok(reply) if reply.is_success() => reply,
        Ok(reply) => return refused(transport, what, &Refusal::of(&reply)),
        Err(failure) => return unanswered(transport, what, &failure),
    };
    let how = match reply.json() {
        Some(json) if json.is_object() => stands(&json),
        // Cut off behind its name, it is as good as whole: a 2xx is done.
        Some(_) | None if String::from_utf8_lossy(&reply.body).contains(&format!("\"{object}\"")) => "done".to_owned(),
        Some(_) | None => {
            let said = format!("{what} answered {} without an object: looking", reply.status);
            return Outcome::Unknown(transport.text(said));
        }
    };
    Outcome::Confirmed(Answer {
        reference: Some(object.to_owned()),
        request: reply.named("request-id"),
        said: transport.text(format_args!("{what}: {how}")),
    })
}

/// The meaning of a look that has to come before anything is sent, and failed: nothing was sent.
pub(super) fn unlooked(transport: &Transport, what: &str, unread: &Unread) -> Outcome {
    let again = |after: Duration, why: String| Outcome::Again { after, why: transport.text(why) };
    match unread {
        Unread::NoReply(failure @ NoReply::Distrusted(_)) => unanswered(transport, what, failure),
        Unread::NoReply(_) | Unread::Odd(_) | Unread::TooBig(_) => {
            again(AGAIN, format!("{what} not sent: it could not be looked at before"))
        }
        Unread::Refusal(refusal) if !refusal.is_stripes || refusal.status >= 500 || unread.may_pass() => {
            again(refusal.wait(), format!("{what} not sent: {}", refusal.said()))
        }
        Unread::Refusal(refusal) => Outcome::Rejected(transport.text(format_args!("{what} not sent: {}", refusal.said()))),
    }
}

fn unanswered(transport: &Transport, what: &str, failure: &NoReply) -> Outcome {
    match failure {
        NoReply::NotSent(why) | NoReply::Spared(why) => {
            Outcome::Again { after: AGAIN, why: transport.text(format_args!("{what} not sent: {why}")) }
        }
        NoReply::Distrusted(why) => Outcome::Rejected(transport.text(format_args!("{what} not sent: {why}"))),
        NoReply::TimedOut { sent: false } => {
            Outcome::Again { after: AGAIN, why: transport.text(format_args!("{what} not sent: nobody answers")) }
        }
        NoReply::TimedOut { sent: true } => {
            Outcome::Unknown(transport.text(format_args!("{what}: {}", SourceError::TimedOut(transport.timeout))))
        }
        NoReply::Lost(why) => Outcome::Unknown(transport.text(format_args!("{what}: the line broke: {why}"))),
    }
}

fn refused(transport: &Transport, what: &str, refusal: &Refusal) -> Outcome {
    let said = refusal.said();
    let rejected = |words: String| Outcome::Rejected(transport.text(words));
    if !refusal.is_stripes || refusal.status >= 500 || refusal.status < 400 {
        // Something between us and Stripe spoke, or Stripe itself does not know.
        return Outcome::Unknown(transport.text(format_args!("{what}: {said}")));
    }
    let is_busy = matches!(refusal.status, 409 | 429) || matches!(refusal.code.as_str(), "lock_timeout" | "rate_limit");
    if refusal.should_retry.unwrap_or(is_busy) {
        return Outcome::Again { after: refusal.wait(), why: transport.text(format_args!("{what}: {said}")) };
    }
    if refusal.kind == "idempotency_error" {
        return rejected(format!("{what}: our bug: the same key for another request; report it. {said}"));
    }
    match refusal.status {
        401 | 403 => rejected(format!("{what} denied: {said}")),
        _ => rejected(format!("{what} refused: {said}")),
    }
}

/// Any 2xx with an object is done, however odd the object; without one, only a look can tell.
fn success(transport: &Transport, what: &str, reply: &Reply) -> Outcome {
    let json = reply.json();
    let field = |name: &str| json.as_ref().and_then(|json| json.get(name)).and_then(Json::as_str);
    let reference = field("id").map_or_else(|| identifier(&reply.body), |id| Some(transport.scrub.clean(id)));
    let status = field("status").unwrap_or_default();
    if reference.is_none() && !json.as_ref().is_some_and(Json::is_object) {
        return Outcome::Unknown(transport.text(format_args!("{what} answered {} without an object: looking", reply.status)));
    }
    let named = reference.clone().unwrap_or_else(|| "without an id".to_owned());
    if matches!(status, "failed" | "canceled") {
        let why = field("failure_reason").unwrap_or("no reason given");
        return Outcome::Rejected(transport.text(format_args!("{what}: {named} {status}: {why}")));
    }
    let said = if status.is_empty() { named } else { format!("{named} {status}") };
    Outcome::Confirmed(Answer {
        reference,
        request: reply.named("request-id"),
        said: transport.text(format_args!("{what}: {said}")),
    })
}

/// The id of a refund in a body that is cut off or not quite JSON.
fn identifier(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("\"re_")?;
    let (id, _) = rest.split_once('"')?;
    (!id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then(|| format!("re_{id}"))
}
