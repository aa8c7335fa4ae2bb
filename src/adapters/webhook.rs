//! A webhook, Slack's or one that takes plain text: one message per POST. The address is the secret.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    environment::Found as Secret,
    http::judge,
    scrub::{Scrubber, decoded},
    transport::{Transport, base_address, is_in_clear},
    wrong_order, wrong_query,
};
use crate::{
    domain::{
        identity::Identity,
        pack::{MessageFormat, Query},
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
    format: MessageFormat,
}

impl WebhookSystem {
    pub(super) fn open(
        name: &str,
        url: Secret,
        format: MessageFormat,
        authority: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide(url.expose());
        let parsed = base_address(url.expose()).map_err(|problem| scrub.clean(&problem))?;
        if url.is_secret {
            hide_parts(&mut scrub, &parsed);
        }
        Ok(Self { transport: Transport::open_trusting(name, timeout, scrub, authority)?, url: url.value, format })
    }

    fn address(&self) -> Result<Url, SourceError> {
        base_address(self.url.expose_secret()).map_err(|why| SourceError::Refused(self.transport.text(why)))
    }
}

/// Hides what may open the door, wherever in the address it stands, as it is written and as it is meant.
fn hide_parts(scrub: &mut Scrubber, url: &Url) {
    scrub.hide_address(url.as_str());
    let mut hide =
        |part: &str| [part.to_owned(), decoded(part), decoded(&part.replace('+', " "))].iter().for_each(|part| scrub.hide(part));
    hide(url.username());
    if url.path().len() > 1 {
        hide(url.path());
        // However the slashes between are spelled, the long parts are what opens the door.
        let parts = url.path_segments().into_iter().flatten();
        parts.filter(|part| part.len() >= LONG_PART).for_each(&mut hide);
    }
    // Which of its values is the key, only the service knows.
    let values = url.query().into_iter().flat_map(|query| query.split('&'));
    values.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value)).for_each(&mut hide);
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
        let mut door = self.address()?;
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

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        let address = self.address()?;
        let host = address.host_str().unwrap_or_default();
        let said = format!(
            "its secret address and every message go to {host} in clear: use an `https:` address if anybody else is on the way"
        );
        Ok(is_in_clear(&address).then(|| self.transport.text(said)).into_iter().collect())
    }
}

#[async_trait]
impl Doer for WebhookSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let Order::Webhook { text, .. } = order else {
            return wrong_order(&self.transport.name, "webhook");
        };
        let request = self.transport.fresh.post(self.url.expose_secret()).header("idempotency-key", mark.key());
        let request = match self.format {
            MessageFormat::Slack => request.json(&serde_json::json!({ "text": text })),
            MessageFormat::Plain => request.header("content-type", "text/plain; charset=utf-8").body(text.clone()),
        };
        let reply = self.transport.send(request).await;
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
        matchers::{body_json, body_string, header, method},
    };

    use super::*;
    use crate::{
        adapters::testing::{CANARY, LIMIT, breaks_off, mark, nobody, words},
        domain::id::Id,
    };

    fn open(server: &str) -> WebhookSystem {
        at(&format!("{server}/services/{CANARY}"), MessageFormat::Slack)
    }

    fn at(address: &str, format: MessageFormat) -> WebhookSystem {
        WebhookSystem::open("incidents", Secret::secret(address), format, None, LIMIT).unwrap()
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
        assert!(WebhookSystem::open("w", Secret::secret("not an address"), MessageFormat::Slack, None, LIMIT).is_err());
    }

    #[tokio::test]
    async fn where_plain_text_is_taken_the_message_is_all_that_is_posted() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(body_string("Backups are late"))
            .and(header("content-type", "text/plain; charset=utf-8"))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let system = at(&format!("{}/{CANARY}", server.uri()), MessageFormat::Plain);
        assert!(matches!(system.act(&message(), &mark("a")).await, Outcome::Confirmed(_)));
    }

    #[tokio::test]
    async fn a_secret_in_the_query_or_the_login_is_not_told_when_the_answer_repeats_it() {
        for (told, repeated) in [
            (
                "/v1/spaces/A/messages?key=AIza-canary-1&token=canary%2Ftoken-2",
                "no hook at /v1/spaces/A/messages?key=AIza-canary-1&token=canary%2Ftoken-2",
            ),
            (
                "/v1/spaces/A/messages?key=AIza-canary-1&token=canary%2Ftoken-2",
                r#"{"token": "canary/token-2", "key": ["AIza-canary-1"], "raw": "canary\/token-2"}"#,
            ),
            (
                "/workflows/w/triggers/manual/paths/invoke?api-version=2016-06-01&sig=canary+sig-3",
                "bad signature `canary sig-3`, sent as `canary+sig-3`",
            ),
            ("/hook?canary-4-bare", "what is canary-4-bare?"),
        ] {
            let server = MockServer::start().await;
            Mock::given(method("POST")).respond_with(ResponseTemplate::new(404).set_body_string(repeated)).mount(&server).await;
            let outcome = at(&format!("{}{told}", server.uri()), MessageFormat::Slack).act(&message(), &mark("a")).await;
            assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
            assert!(words(&outcome).contains("***") && !words(&outcome).contains("canary"), "{outcome:?}");
        }
        let server = MockServer::start().await;
        let echo = ResponseTemplate::new(401).set_body_string("who is ana with canary-password or YW5hOmNhbmFyeS1wYXNzd29yZA==?");
        Mock::given(method("POST")).respond_with(echo).mount(&server).await;
        let address = server.uri().replace("http://", "http://ana:canary-password@");
        let outcome = at(&address, MessageFormat::Slack).act(&message(), &mark("a")).await;
        let told = words(&outcome);
        assert!(!told.contains("canary") && !told.contains("YW5hOmNhbmFyeS1wYXNzd29yZA"), "{told}");
    }

    #[tokio::test]
    async fn an_address_that_travels_in_clear_is_told_without_its_secret() {
        let told = at(&format!("http://chat.example/hook?token={CANARY}"), MessageFormat::Slack).inspect().await.unwrap();
        assert!(
            told[0].shown().starts_with("incidents: its secret address and every message go to chat.example in clear"),
            "{told:?}"
        );
        assert!(!told[0].shown().contains(CANARY), "{told:?}");
        for own in ["https://chat.example/hook", "http://127.0.0.1:8065/hook", "http://localhost/hook", "http://[::1]/hook"] {
            assert_eq!(at(own, MessageFormat::Slack).inspect().await.unwrap(), Vec::new(), "{own}");
        }
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
