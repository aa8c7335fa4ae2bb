//! Requests as Stripe wants them: the key, the pinned version, the idempotency key; and one account, the pack's own.

use std::{fmt, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;
use stripe_client_core::VERSION;
use tokio::sync::OnceCell;

use super::answer::Refusal;
use crate::{
    adapters::{
        environment::Found as Secret,
        scrub::Scrubber,
        transport::{NoReply, Reply, Transport, base_address},
    },
    ports::SourceError,
};

const STRIPE: &str = "https://api.stripe.com/";

pub(super) struct Api {
    pub(super) transport: Transport,
    base: Url,
    key: SecretString,
    /// The account that the key must belong to, asked of Stripe before the first act.
    pinned: Option<String>,
    checked: OnceCell<()>,
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
        let is_stripe = base.is_none();
        if is_stripe {
            fits_the_mode(key.expose(), livemode)?;
        }
        let base = base_address(base.map_or(STRIPE, Secret::expose)).map_err(|problem| scrub.clean(&problem))?;
        Ok(Self {
            transport: Transport::open(name, timeout, scrub)?,
            base,
            key: key.value,
            pinned: account.filter(|_| is_stripe).map(str::to_owned),
            checked: OnceCell::new(),
        })
    }

    /// `path` begins with a slash and leaves `/v1` out.
    fn address(&self, path: &str) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        format!("{base}/v1{path}")
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.key.expose_secret()).header("stripe-version", VERSION.as_str())
    }

    /// One attempt, with its idempotency key.
    pub(super) async fn post(&self, path: &str, form: String, key: &str) -> Result<Reply, NoReply> {
        let request = self.transport.client.post(self.address(path)).header("idempotency-key", key);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        self.transport.send(self.signed(request)).await
    }

    /// Reads; a busy Stripe and a broken line are tried again.
    pub(super) async fn get(&self, path: &str, query: &[(String, String)]) -> Result<Json, Unread> {
        let ask = || async {
            let request = self.transport.client.get(self.address(path)).query(query);
            let reply = self.transport.send(self.signed(request)).await.map_err(Unread::NoReply)?;
            if !reply.is_success() {
                return Err(Unread::Refusal(Refusal::of(&reply)));
            }
            match (reply.json(), &reply.cut) {
                (Some(json), None) => Ok(json),
                (_, Some(cut)) => Err(Unread::Odd(cut.clone())),
                (None, None) => Err(Unread::Odd(format!("not JSON: {}", reply.excerpt()))),
            }
        };
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(2).with_jitter();
        ask.retry(waits).when(|unread| unread.may_pass() && !matches!(unread, Unread::NoReply(NoReply::TimedOut { .. }))).await
    }

    pub(super) fn unread(&self, what: &str, unread: &Unread) -> SourceError {
        match unread {
            Unread::NoReply(failure) => self.transport.unread(failure),
            Unread::Odd(why) => SourceError::Malformed(self.transport.text(format_args!("{what}: {why}"))),
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

    /// Asks once whether the key is the pack's account's; the reason where it is not, or cannot be told.
    pub(super) async fn is_own_account(&self) -> Result<(), Unread> {
        let Some(pinned) = &self.pinned else { return Ok(()) };
        self.checked
            .get_or_try_init(|| async {
                let account = self.get("/account", &[]).await?;
                match account.get("id").and_then(Json::as_str) {
                    Some(id) if id == pinned => Ok(()),
                    other => Err(Unread::Odd(format!(
                        "the key belongs to {}, and the pack is for {pinned}",
                        other.unwrap_or("an account without an id")
                    ))),
                }
            })
            .await
            .copied()
    }

    #[cfg(test)]
    pub(super) fn pin(&mut self, account: &str) {
        self.pinned = Some(account.to_owned());
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
}

impl Unread {
    /// True where the same question may be answered a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Odd(_) => false,
            Self::NoReply(_) => true,
            Self::Refusal(refusal) => refusal.should_retry.unwrap_or(matches!(refusal.status, 409 | 429 | 500..600)),
        }
    }
}

/// A live key in a test pack moves real money by mistake; a test key in a live pack reports refunds that never were.
fn fits_the_mode(key: &str, livemode: bool) -> Result<(), String> {
    let is_live = key.contains("_live_");
    let is_test = key.contains("_test_");
    match livemode {
        true if is_test => Err("the key is a test key and the pack says `livemode = true`".to_owned()),
        false if is_live => Err("the key is a live key and the pack does not say `livemode = true`".to_owned()),
        true | false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_other_mode_is_refused() {
        assert!(fits_the_mode("rk_live_x", true).is_ok());
        assert!(fits_the_mode("rk_test_x", false).is_ok());
        assert!(fits_the_mode("rk_test_x", true).is_err());
        assert!(fits_the_mode("sk_live_x", false).is_err());
    }
}
