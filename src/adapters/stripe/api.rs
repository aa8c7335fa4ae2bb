//! Requests as Stripe wants them: the key, the pinned version, in their turn; and one account, the pack's own.

use std::{
    fmt,
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;
use stripe_client_core::{RequestStrategy, StripeRequest, VERSION};
use tokio::sync::OnceCell;

use super::{
    answer::{AGAIN, Refusal},
    client::{self, Reading},
    pace::Pace,
    progress::Progress,
};
use crate::{
    adapters::{
        environment::Found as Secret,
        scrub::Scrubber,
        transport::{NoReply, Reply, Transport, base_address, no_secret_in_clear},
    },
    domain::{age, identity::Identity, text::Text},
    ports::{Outcome, Ownership, SourceError},
};

const STRIPE: &str = "https://api.stripe.com/";

pub(super) struct Api {
    pub(super) transport: Transport,
    base: Url,
    key: SecretString,
    /// Why the key is not of the pack's mode, told by its prefix.
    wrong_mode: Option<&'static str>,
    /// The account that the key must belong to.
    pinned: Option<String>,
    owner: OnceCell<String>,
    pub(super) pace: Pace,
    pub(super) progress: Progress,
}

impl Api {
    pub(super) fn open(
        name: &str,
        key: Secret,
        base: Option<&Secret>,
        account: Option<&str>,
        livemode: bool,
        timeout: Duration,
    ) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide(key.expose());
        if let Some(base) = base {
            scrub.hide_address(base.expose());
        }
        let wrong_mode = wrong_mode(key.expose(), livemode);
        let base = base_address(base.map_or(STRIPE, Secret::expose)).map_err(|problem| scrub.clean(&problem))?;
        no_secret_in_clear(&base, "key")?;
        Ok(Self {
            transport: Transport::open(name, timeout, scrub)?,
            base,
            key: key.value,
            wrong_mode,
            pinned: account.map(str::to_owned),
            owner: OnceCell::new(),
            pace: Pace::new(),
            progress: Progress::default(),
        })
    }

    /// `path` begins with a slash and leaves `/v1` out.
    pub(super) fn address(&self, path: &str, query: Option<&str>) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let query = query.filter(|query| !query.is_empty()).map_or_else(String::new, |query| format!("?{query}"));
        format!("{base}/v1{path}{query}")
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.key.expose_secret()).header("stripe-version", VERSION.as_str())
    }

    /// In its turn; what the answer says of the pace is taken to heart.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Reply, NoReply> {
        self.pace.turn(self.transport.timeout).await.map_err(|wait| {
            NoReply::Spared(format!("Stripe is busy and wants to be left alone for another {}", age::span(wait)))
        })?;
        let reply = self.transport.send(self.signed(request)).await?;
        if reply.status == 429 {
            self.pace.back_off(Refusal::of(&reply).wait());
        } else {
            self.pace.goes_well();
        }
        Ok(reply)
    }

    pub(super) async fn get(&self, request: &impl StripeRequest) -> Result<Json, Unread> {
        self.get_named(request).await.map(|(json, _)| json)
    }

    /// Reads; a busy Stripe and a broken line are tried again, as long as half of the time limit is left: time that ran out
    /// while it was tried again is not what failed. Beside the answer what Stripe calls the request.
    pub(super) async fn get_named(&self, request: &impl StripeRequest) -> Result<(Json, Option<String>), Unread> {
        let ask = || async {
            let reply = client::ask(self, request.build(), RequestStrategy::Once).await.map_err(Unread::NoReply)?;
            whole(&reply).map(|json| (json, reply.named("request-id")))
        };
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(2).with_jitter();
        let began = Instant::now();
        let in_time =
            |_: &Unread, wait: Option<Duration>| wait.filter(|wait| began.elapsed() + *wait < self.transport.timeout / 2);
        let may_pass = |unread: &Unread| unread.may_pass() && !matches!(unread, Unread::NoReply(NoReply::TimedOut { .. }));
        ask.retry(waits).when(may_pass).adjust(in_time).await
    }

    pub(super) fn unread(&self, what: &str, unread: &Unread) -> SourceError {
        match unread {
            Unread::NoReply(failure) => self.transport.unread(failure),
            Unread::Odd(why) | Unread::TooBig(why) => SourceError::Malformed(self.transport.text(format_args!("{what}: {why}"))),
            Unread::Refusal(refusal) => {
                let said = self.transport.text(format_args!("{what} refused: {}", refusal.said()));
                match refusal.status {
                    401 | 403 => SourceError::Denied(said),
                    300..500 => SourceError::Refused(said),
                    _ => SourceError::Malformed(said),
                }
            }
        }
    }

    /// Asked anew each time: whoever sets a connection up wants to know how it is now.
    pub(super) async fn identify(&self) -> Result<Identity, SourceError> {
        let asked = client::ask(self, Reading::of("/account").build(), RequestStrategy::Once).await;
        let unread = |unread: Unread| self.unread("account", &unread);
        let reply = asked.map_err(|failure| unread(Unread::NoReply(failure)))?;
        // A restricted key without this right may well have all that the pack needs.
        let account = if reply.status == 403 { Json::Null } else { whole(&reply).map_err(unread)? };
        let word = |pointer: &str| account.pointer(pointer).and_then(Json::as_str).map(|said| self.transport.scrub.text(said));
        let name = word("/business_profile/name").or_else(|| word("/settings/dashboard/display_name"));
        // `rk_live` is no secret, and says what the key may do.
        let key = self.key.expose_secret().match_indices('_').nth(1).and_then(|(end, _)| self.key.expose_secret().get(..end));
        let id = word("/id").or_else(|| account.is_null().then(|| Text::new("not told to this key")));
        let facts = [("account", id), ("name", name), ("key", key.map(Text::new))];
        Ok(Identity {
            system: Text::new(format!("Stripe {}", VERSION.as_str())),
            facts: facts.into_iter().filter_map(|(label, said)| Some((label, said?))).collect(),
            clock: reply.told_time(),
        })
    }

    /// Why nothing is sent with this key: it is not, or not yet known to be, the pack's own account's.
    pub(super) async fn bars(&self, what: &str) -> Option<Outcome> {
        let said = |why: &Text| Text::new(format!("{what} not sent: {}", why.original()));
        match self.ownership().await {
            Ownership::Own => None,
            Ownership::Another(why) | Ownership::OtherMode(why) => Some(Outcome::Rejected(said(&why))),
            Ownership::Unasked(why) => Some(Outcome::Again { after: AGAIN, why: said(&why) }),
        }
    }

    /// Whose key it is: asked until Stripe has answered, and then known.
    pub(super) async fn ownership(&self) -> Ownership {
        if let Some(why) = self.wrong_mode {
            return Ownership::OtherMode(self.transport.text(format_args!("{why}; use the other key, or correct the pack")));
        }
        let Some(pinned) = &self.pinned else { return Ownership::Own };
        let owner = self.owner.get_or_try_init(|| async {
            let account = self.get(&Reading::of("/account")).await?;
            let id = account.get("id").and_then(Json::as_str);
            id.map(str::to_owned).ok_or_else(|| Unread::Odd("an account without an id".to_owned()))
        });
        match owner.await {
            Ok(owner) if owner == pinned => Ownership::Own,
            Ok(owner) => Ownership::Another(self.transport.text(format_args!(
                "the key belongs to {owner}, and the pack is for {pinned}; use that account's key, or correct `account` in the pack"
            ))),
            Err(unread) => Ownership::Unasked(Text::new(format!(
                "Stripe could not be asked whose key this is ({})",
                self.unread("account", &unread)
            ))),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("transport", &self.transport).field("pinned", &self.pinned).finish_non_exhaustive()
    }
}

/// Why a read has no answer.
#[derive(Debug)]
pub(super) enum Unread {
    NoReply(NoReply),
    Refusal(Refusal),
    Odd(String),
    /// Bigger than we take: fewer objects at a time may come.
    TooBig(String),
}

/// The object that an answer holds, whole.
fn whole(reply: &Reply) -> Result<Json, Unread> {
    if !reply.is_success() {
        return Err(Unread::Refusal(Refusal::of(reply)));
    }
    match (reply.json(), &reply.cut) {
        (Some(json), None) => Ok(json),
        (_, Some(cut)) if cut.contains("bigger") => Err(Unread::TooBig(cut.clone())),
        (_, Some(cut)) => Err(Unread::Odd(cut.clone())),
        (None, None) => Err(Unread::Odd(format!("not JSON: {}", reply.excerpt()))),
    }
}

impl Unread {
    /// True where the same question may be answered a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Odd(_) | Self::TooBig(_) | Self::NoReply(NoReply::Spared(_)) => false,
            Self::NoReply(_) => true,
            Self::Refusal(refusal) => refusal.should_retry.unwrap_or(matches!(refusal.status, 409 | 429 | 500..600)),
        }
    }
}

/// A live key in a test pack moves real money by mistake; a test key in a live pack reports refunds that never were.
fn wrong_mode(key: &str, livemode: bool) -> Option<&'static str> {
    let is_live = key.contains("_live_");
    let is_test = key.contains("_test_");
    match livemode {
        true if is_test => Some("the key is a test key, and the pack says `livemode = true`"),
        false if is_live => Some("the key is a live key, and the pack does not say `livemode = true`"),
        true | false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_other_mode_is_told_by_its_prefix() {
        assert_eq!(wrong_mode("rk_live_x", true), None);
        assert_eq!(wrong_mode("rk_test_x", false), None);
        assert!(wrong_mode("rk_test_x", true).is_some());
        assert!(wrong_mode("sk_live_x", false).is_some());
    }
}
