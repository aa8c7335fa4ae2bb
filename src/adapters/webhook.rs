//! A Slack-like webhook: one text per POST. The address is the secret.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    environment::Found as Secret,
    http::judge,
    scrub::Scrubber,
    transport::{Transport, base_address},
    wrong_order, wrong_query,
};
use crate::{
    domain::{
        identity::Identity,
        pack::Query,
        plan::Order,
        proof::Proofs,
        rows::{Params, Rows},
        text::Text,
    },
    ports::{Doer, Found, Mark, Outcome, Source, SourceError},
};

/// Shorter parts of an address are words.
const LONG_PART: usize = 12;

#[derive(Debug)]
pub(super) struct WebhookSystem {
    transport: Transport,
    url: SecretString,
}

impl WebhookSystem {
    pub(super) fn open(name: &str, url: Secret, authority: Option<&Path>, timeout: Duration) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide(url.expose());
        let parsed = base_address(url.expose()).map_err(|problem| scrub.clean(&problem))?;
        if url.is_secret && parsed.path().len() > 1 {
            scrub.hide(parsed.path());
            // However the slashes between are spelled, the long parts are what opens the door.
            let parts = parsed.path_segments().into_iter().flatten();
            parts.filter(|part| part.len() >= LONG_PART).for_each(|part| scrub.hide(part));
        }
        Ok(Self { transport: Transport::open_trusting(name, timeout, scrub, authority)?, url: url.value })
    }
}

#[async_trait]
impl Source for WebhookSystem {
    async fn read(&self, _query: &Query, _params: &Params) -> Result<Rows, SourceError> {
        Err(wrong_query(&self.transport.name, "webhook"))
    }

    async fn prepare(&self, _query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        Err(wrong_query(&self.transport.name, "webhook"))
    }

    /// Asks its host's front door: whatever is sent to the address itself may be taken for a message.
    async fn identify(&self) -> Result<Identity, SourceError> {
        let refused = |why: String| SourceError::Refused(self.transport.text(why));
        let mut door = base_address(self.url.expose_secret()).map_err(refused)?;
        door.set_path("/");
        door.set_query(None);
        let reply = self.transport.send(self.transport.fresh.head(door)).await;
        let reply = reply.map_err(|failure| self.transport.unread(&failure))?;
        if reply.status >= 500 {
            let said = format!("its host answers {}: a message would hardly arrive", reply.status);
            return Err(SourceError::Malformed(self.transport.text(said)));
        }
        // What it says of its front page is no word about the hook: even a refusal shows no more than that somebody is there.
        let reached = ("reached", Text::new("the host alone"));
        let unproven = ("untried", Text::new("whether the address takes messages: only a message would show"));
        Ok(Identity { system: Text::new("webhook"), facts: vec![reached, unproven], clock: reply.told_time() })
    }
}

#[async_trait]
impl Doer for WebhookSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let Order::Webhook { text, .. } = order else {
            return wrong_order(&self.transport.name, "webhook");
        };
        let request = self.transport.fresh.post(self.url.expose_secret()).header("idempotency-key", mark.key());
        let reply = self.transport.send(request.json(&serde_json::json!({ "text": text }))).await;
        judge(&self.transport, "message", reply, &Proofs::default())
    }

    async fn look_up(&self, _order: &Order, _mark: &Mark) -> Found {
        Found::CannotTell(Text::new(format!(
            "{}: a webhook keeps nothing to look at; look into the channel",
            self.transport.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_json, method},
    };

    use super::*;
    use crate::{
        adapters::testing::{CANARY, LIMIT, breaks_off, mark, nobody, words},
        domain::id::Id,
    };

    fn open(server: &str) -> WebhookSystem {
        WebhookSystem::open("incidents", Secret::secret(&format!("{server}/services/{CANARY}")), None, LIMIT).unwrap()
    }

    fn message() -> Order {
        Order::Webhook { on: Id::new("incidents"), text: "Backups are late".into() }
    }

    #[tokio::test]
    async fn one_text_is_posted_and_the_address_stays_secret() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(body_json(json!({ "text": "Backups are late" })))
            .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
            .expect(1)
            .mount(&server)
            .await;
        let system = open(&server.uri());
        assert!(matches!(system.act(&message(), &mark("a")).await, Outcome::Confirmed(_)));
        assert!(!format!("{system:?}").contains(CANARY));
    }

    #[tokio::test]
    async fn each_failure_is_what_it_is_and_never_tells_the_address() {
        let refusing = MockServer::start().await;
        let echo = ResponseTemplate::new(404).set_body_string(format!("no hook at /services/{CANARY}"));
        Mock::given(method("POST")).respond_with(echo).mount(&refusing).await;
        let (breaking, _seen) = breaks_off("").await;
        let outcomes = [
            open(&refusing.uri()).act(&message(), &mark("a")).await,
            open(&nobody().await).act(&message(), &mark("a")).await,
            open(&breaking).act(&message(), &mark("a")).await,
        ];
        assert!(matches!(&outcomes, [Outcome::Rejected(_), Outcome::Again { .. }, Outcome::Unknown(_)]), "{outcomes:?}");
        for outcome in &outcomes {
            assert!(!words(outcome).contains(CANARY), "{outcome:?}");
        }
        assert!(WebhookSystem::open("w", Secret::secret("not an address"), None, LIMIT).is_err());
    }

    #[tokio::test]
    async fn a_host_that_is_there_is_reached_whatever_it_says_of_its_front_page_unless_it_is_down() {
        for (status, is_reached) in [(200, true), (302, true), (404, true), (405, true), (403, true), (500, false), (503, false)]
        {
            let server = MockServer::start().await;
            Mock::given(method("HEAD")).respond_with(ResponseTemplate::new(status)).expect(1).mount(&server).await;
            let identity = open(&server.uri()).identify().await;
            assert_eq!(identity.is_ok(), is_reached, "{status}: {identity:?}");
            assert!(!format!("{identity:?}").contains(CANARY));
        }
    }
}
