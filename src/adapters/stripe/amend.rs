//! A change of a dispute or a subscription: looked at first, sent with our key and our name in it, found again by that name.
//!
//! What can be certain: the name goes in with the change, in one request, so an object that bears it was changed by this
//! act. One that is as it was has not been changed, or was changed back; sent again under its key, Stripe answers the
//! first answer once more. One that is as the act wants it and bears another name, or none, is for a person to decide.

use std::{collections::BTreeMap, fmt};

use serde_json::Value as Json;
use stripe_client_core::{IdempotencyKey, RequestStrategy, StripeMethod, StripeRequest as _};

use super::{
    answer::{judge_change, unlooked},
    api::{Api, Unread},
    client::{self, Reading, Writing},
    list,
};
use crate::{
    domain::{
        amendment::{self, Amendment},
        text::Text,
    },
    ports::{Answer, Found, Mark, Outcome, SourceError},
};

/// An amendment of one object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    pub(super) object: &'a str,
    pub(super) to: Amendment,
    pub(super) evidence: &'a BTreeMap<String, String>,
}

/// How an object is, seen from an act on it.
enum Standing {
    /// This act changed it.
    Ours,
    /// It is as the act wants it, and nothing says that this act did it.
    Likewise(String),
    Open,
}

pub(super) async fn send(api: &Api, change: Change<'_>, mark: &Mark) -> Outcome {
    let transport = &api.transport;
    let what = change.to.of(change.object);
    let rejected = |why: &dyn fmt::Display| Outcome::Rejected(transport.text(format_args!("{what} not sent: {why}")));
    if !list::is_id(change.object) {
        return rejected(&format_args!("`{}` is no id of Stripe's", change.object));
    }
    let key = match IdempotencyKey::new(mark.key()) {
        Ok(key) => key,
        Err(why) => return rejected(&why),
    };
    if let Some(barred) = api.bars(&what).await {
        return barred;
    }
    let found = match api.get(&Reading::of(change.path())).await {
        Ok(found) => found,
        Err(unread) => return unlooked(transport, &what, &unread),
    };
    match change.standing(&found, mark) {
        Standing::Ours => return Outcome::Confirmed(change.answer(api, &found)),
        Standing::Likewise(how) => return rejected(&format_args!("{how} already, and not by this act")),
        Standing::Open => {}
    }
    if let Err(why) = change.is_possible(&found) {
        return rejected(&why);
    }
    let (request, strategy) = (change.request(mark), RequestStrategy::Idempotent(key));
    // Keys mean nothing to Stripe where something is taken away: that is the same twice by itself.
    let strategy = if matches!(request.method, StripeMethod::Delete) { RequestStrategy::Once } else { strategy };
    let reply = client::ask(api, request.build(), strategy).await;
    judge_change(transport, (&what, change.object), reply, |now| change.how_it_is(now))
}

pub(super) async fn look_up(api: &Api, change: Change<'_>, mark: &Mark) -> Found {
    let what = change.to.of(change.object);
    let cannot = |why: &dyn fmt::Display| Found::CannotTell(api.transport.text(format_args!("{what}: {why}")));
    if !list::is_id(change.object) {
        return Found::Absent;
    }
    let found = match api.get(&Reading::of(change.path())).await {
        Ok(found) => found,
        Err(Unread::Refusal(refusal)) => return cannot(&refusal.said()),
        Err(unread) => {
            return match api.unread(&what, &unread) {
                silence @ SourceError::TimedOut(_) => cannot(&silence),
                said => Found::CannotTell(Text::new(said.to_string())),
            };
        }
    };
    match change.standing(&found, mark) {
        Standing::Ours => Found::Ours(change.answer(api, &found)),
        Standing::Likewise(how) => Found::Unlabelled(
            api.transport
                .text(format_args!("{} {how}, and nothing in it says by whom; look at it in Stripe's dashboard", change.object)),
        ),
        Standing::Open => Found::Absent,
    }
}

impl Change<'_> {
    fn path(&self) -> String {
        let list = if self.to.is_of_a_dispute() { "disputes" } else { "subscriptions" };
        format!("/{list}/{}", self.object)
    }

    /// Each kind of change has a name of its own, so that a later one of another kind does not hide it.
    fn label(&self) -> String {
        format!("wheelhouse_{}", self.to.word())
    }

    fn request(&self, mark: &Mark) -> Writing {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let label = (format!("metadata[{}]", self.label()), mark.key());
        let mut form = match self.to {
            Amendment::Stage => {
                let fields = self.evidence.iter().map(|(name, text)| (format!("evidence[{name}]"), text.clone()));
                fields.chain([own("submit", "false"), label]).collect()
            }
            Amendment::Submit => vec![own("submit", "true"), label],
            Amendment::Pause(invoices) => vec![own("pause_collection[behavior]", invoices.word()), label],
            Amendment::Resume => vec![own("pause_collection", ""), label],
            Amendment::CancelAtPeriodEnd => vec![own("cancel_at_period_end", "true"), label],
            Amendment::Keep => vec![own("cancel_at_period_end", "false"), label],
            // Metadata cannot be given here; a comment can, and stays.
            Amendment::CancelNow => vec![("cancellation_details[comment]".to_owned(), comment(mark))],
        };
        form.sort();
        let method = if self.to == Amendment::CancelNow { StripeMethod::Delete } else { StripeMethod::Post };
        Writing { method, path: self.path(), form }
    }

    fn standing(&self, found: &Json, mark: &Mark) -> Standing {
        let label = text(found, &format!("/metadata/{}", self.label()));
        let comment = text(found, "/cancellation_details/comment");
        let is_ours = match self.to {
            Amendment::CancelNow => status(found) == "canceled" && comment.contains(&mark.key()),
            Amendment::Stage
            | Amendment::Submit
            | Amendment::Pause(_)
            | Amendment::Resume
            | Amendment::CancelAtPeriodEnd
            | Amendment::Keep => label == mark.key(),
        };
        if is_ours {
            return Standing::Ours;
        }
        let likewise = |is_so: bool, how: &str| if is_so { Standing::Likewise(how.to_owned()) } else { Standing::Open };
        match self.to {
            Amendment::Stage => {
                let is_staged = |(name, said): (&String, &String)| text(found, &format!("/evidence/{name}")) == said;
                likewise(self.evidence.iter().all(is_staged), "has just this evidence")
            }
            Amendment::Submit => likewise(submissions(found) > 0, "has been submitted"),
            Amendment::Pause(_) => likewise(is_paused(found), "is paused"),
            Amendment::Resume => likewise(found.get("pause_collection").is_some() && !is_paused(found), "is not paused"),
            Amendment::CancelAtPeriodEnd => likewise(ends(found) == Some(true), "ends with its period"),
            Amendment::Keep => likewise(ends(found) == Some(false), "does not end with its period"),
            Amendment::CancelNow => likewise(status(found) == "canceled", "is cancelled"),
        }
    }

    /// Stripe takes much that is of no use, or worse: what the rules of disputes and subscriptions forbid is not sent.
    fn is_possible(&self, found: &Json) -> Result<(), String> {
        let status = status(found);
        if !self.to.is_of_a_dispute() {
            return match status {
                "" => Err("Stripe does not say how the subscription is".to_owned()),
                "canceled" | "incomplete_expired" => Err(format!("the subscription is {status}, for good")),
                _ if self.to == Amendment::Resume && found.get("pause_collection").is_none() => {
                    Err("Stripe does not say whether it is paused".to_owned())
                }
                _ => Ok(()),
            };
        }
        if !matches!(status, "needs_response" | "warning_needs_response") {
            let how = if status.is_empty() { "not told" } else { status };
            return Err(format!("the dispute is {how}: no answer is taken"));
        }
        match found.pointer("/evidence_details/due_by").map(Json::as_i64) {
            None => return Err("Stripe does not say by when an answer is due".to_owned()),
            Some(None | Some(0)) => return Err("the bank takes no answer to this dispute (`due_by` is 0)".to_owned()),
            Some(Some(_)) => {}
        }
        match self.to {
            Amendment::Submit if found.pointer("/evidence_details/has_evidence") != Some(&Json::Bool(true)) => {
                Err("nothing is staged for it: an empty answer would be the only one".to_owned())
            }
            Amendment::Stage => {
                let there = found.get("evidence").and_then(Json::as_object).into_iter().flatten();
                let kept = there.filter(|(name, _)| !self.evidence.contains_key(*name)).filter_map(|(_, said)| said.as_str());
                let all = kept.chain(self.evidence.values().map(String::as_str));
                amendment::check_length(all).map_err(|why| why.original().to_owned())
            }
            Amendment::Submit
            | Amendment::Pause(_)
            | Amendment::Resume
            | Amendment::CancelAtPeriodEnd
            | Amendment::Keep
            | Amendment::CancelNow => Ok(()),
        }
    }

    fn answer(&self, api: &Api, found: &Json) -> Answer {
        let said = api.transport.text(format_args!("{}: {}", self.to.of(self.object), self.how_it_is(found)));
        Answer { reference: Some(self.object.to_owned()), request: None, said }
    }

    /// In words, what of it matters for this change.
    fn how_it_is(&self, now: &Json) -> String {
        let status = if status(now).is_empty() { "done" } else { status(now) };
        match self.to {
            Amendment::Stage => format!("{status}, staged and not submitted"),
            Amendment::Submit | Amendment::CancelNow => status.to_owned(),
            Amendment::Pause(_) | Amendment::Resume if is_paused(now) => format!("{status}, collection paused"),
            Amendment::Pause(_) | Amendment::Resume => format!("{status}, collection goes on"),
            Amendment::CancelAtPeriodEnd | Amendment::Keep if ends(now) == Some(true) => {
                format!("{status}, ends with its period")
            }
            Amendment::CancelAtPeriodEnd | Amendment::Keep => format!("{status}, goes on after its period"),
        }
    }
}

/// Read by people in the dashboard, and by ourselves.
fn comment(mark: &Mark) -> String {
    let operator: String = mark.operator.chars().take(100).collect();
    format!("wheelhouse {} by {operator}", mark.key())
}

fn text<'a>(found: &'a Json, pointer: &str) -> &'a str {
    found.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

fn status(found: &Json) -> &str {
    text(found, "/status")
}

fn submissions(found: &Json) -> i64 {
    found.pointer("/evidence_details/submission_count").and_then(Json::as_i64).unwrap_or_default()
}

fn is_paused(found: &Json) -> bool {
    found.get("pause_collection").is_some_and(Json::is_object)
}

fn ends(found: &Json) -> Option<bool> {
    found.get("cancel_at_period_end").and_then(Json::as_bool)
}

#[cfg(test)]
#[path = "amend_tests.rs"]
mod tests;
