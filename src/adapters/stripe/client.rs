//! async-stripe's public client trait on our transport: its requests go out as it builds them, under the act's own key
//! and within our time limit, once. Never repeats anything by itself.
//!
//! Of an answer the trait carries the bytes alone (`StripeClient::execute`), and the crate's `send` makes one of its own
//! objects of them: where a needed field is missing, all that is left is "error deserializing request data". So a call
//! keeps the answer whole beside what it hands over, with status, headers and raw body, and what it asks `send` for is
//! [`Anything`]: an object, a word or a field that this version of the crate does not know is judged as any other
//! (`answer`), and the crate's thousand kinds of objects are not linked for the sake of one id.

use std::{fmt::Display, sync::OnceLock};

use bytes::Bytes;
use miniserde::de::Visitor;
use stripe_client_core::{
    CustomizedStripeRequest, RequestBuilder, RequestStrategy, StripeClient, StripeClientErr, StripeMethod, StripeRequest,
};

use super::api::Api;
use crate::adapters::transport::{NoReply, Reply};

/// One request to one account, and what was answered.
struct Call<'a> {
    api: &'a Api,
    reply: OnceLock<Reply>,
}

/// Why `send` has nothing of its own to give; an answer, where there is one, is kept by the call.
enum Unanswered {
    NoReply(NoReply),
    Refused,
    Unreadable,
}

impl StripeClientErr for Unanswered {
    fn deserialize_err(_: impl Display) -> Self {
        Self::Unreadable
    }
}

impl StripeClient for Call<'_> {
    type Err = Unanswered;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, Unanswered> {
        let (request, overrides) = request.into_pieces();
        let key = match overrides.request_strategy {
            None | Some(RequestStrategy::Once) => None,
            Some(RequestStrategy::Idempotent(key)) => Some(key),
            // They repeat by themselves, under a key that no journal knows.
            Some(RequestStrategy::Retry(_) | RequestStrategy::ExponentialBackoff(_)) => {
                return Err(Unanswered::NoReply(NoReply::NotSent("only the journal repeats a request".to_owned())));
            }
        };
        let client = &self.api.transport.client;
        let address = self.api.address(&request.path, request.query.as_deref());
        let mut ours = match request.method {
            StripeMethod::Get => client.get(address),
            StripeMethod::Post => client.post(address),
            StripeMethod::Delete => client.delete(address),
        };
        if let Some(form) = request.body {
            ours = ours.header("content-type", "application/x-www-form-urlencoded").body(in_order(&form));
        }
        if let Some(key) = key {
            ours = ours.header("idempotency-key", key.into_inner());
        }
        if let Some(account) = overrides.account_id {
            ours = ours.header("stripe-account", account.to_string());
        }
        if let Some(limit) = overrides.timeout {
            ours = ours.timeout(limit);
        }
        let reply = self.api.send(ours).await.map_err(Unanswered::NoReply)?;
        let answered = if reply.is_success() { Ok(reply.body.clone()) } else { Err(Unanswered::Refused) };
        drop(self.reply.set(reply));
        answered
    }
}

/// Sends one of the crate's requests once, and answers what came back as it came.
pub(super) async fn ask(api: &Api, request: RequestBuilder, strategy: RequestStrategy) -> Result<Reply, NoReply> {
    let call = Call { api, reply: OnceLock::new() };
    let request = request.customize::<Anything>().request_strategy(strategy).timeout(api.transport.timeout);
    let sent = request.send(&call).await;
    match (call.reply.into_inner(), sent) {
        (Some(reply), _) => Ok(reply),
        (None, Err(Unanswered::NoReply(failure))) => Err(failure),
        (None, Ok(Anything) | Err(Unanswered::Refused | Unanswered::Unreadable)) => {
            Err(NoReply::Lost("the answer was not kept".to_owned()))
        }
    }
}

/// Whatever Stripe answers.
pub(super) struct Anything;

impl miniserde::Deserialize for Anything {
    fn begin(out: &mut Option<Self>) -> &mut dyn Visitor {
        *out = Some(Self);
        <dyn Visitor>::ignore()
    }
}

/// A read for which none of the crate's builders fits: the filters of a list are the pack's own.
pub(super) struct Reading {
    /// Begins with a slash and leaves `/v1` out.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
}

impl Reading {
    pub(super) fn of(path: impl Into<String>) -> Self {
        Self { path: path.into(), query: Vec::new() }
    }
}

impl StripeRequest for Reading {
    type Output = Anything;

    fn build(&self) -> RequestBuilder {
        let mut request = RequestBuilder::new(StripeMethod::Get, &self.path);
        // A list of pairs is no map: the crate's own way of writing a query has no place for it.
        request.query = reqwest::Url::parse_with_params("stripe:", &self.query)
            .ok()
            .and_then(|pairs| pairs.query().filter(|query| !query.is_empty()).map(str::to_owned));
        request
    }
}

/// A write for which none of the crate's builders fits: where an empty value takes something away, and where the names
/// are the pack's own.
pub(super) struct Writing {
    pub(super) method: StripeMethod,
    /// Begins with a slash and leaves `/v1` out.
    pub(super) path: String,
    pub(super) form: Vec<(String, String)>,
}

impl StripeRequest for Writing {
    type Output = Anything;

    fn build(&self) -> RequestBuilder {
        let mut request = RequestBuilder::new(self.method, &self.path);
        let form = reqwest::Url::parse_with_params("stripe:", &self.form).ok();
        let form = form.and_then(|pairs| pairs.query().filter(|form| !form.is_empty()).map(str::to_owned));
        match self.method {
            // What is taken away has no body.
            StripeMethod::Get | StripeMethod::Delete => request.query = form,
            StripeMethod::Post => request.body = form,
        }
        request
    }
}

/// The crate writes metadata in the order of a hash map: sorted, every attempt sends the same bytes.
fn in_order(form: &str) -> String {
    let mut pairs: Vec<&str> = form.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use stripe_client_core::IdempotencyKey;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{header, method, path, query_param},
    };

    use super::*;
    use crate::adapters::{
        environment::Found as Secret,
        testing::{CANARY, LIMIT},
    };

    fn api(url: &str) -> Api {
        let key = Secret::secret(&format!("rk_live_{CANARY}"));
        Api::open("stripe", key, Some(&Secret::plain(url)), None, true, LIMIT).unwrap()
    }

    fn key() -> RequestStrategy {
        RequestStrategy::Idempotent(IdempotencyKey::new("a-0").unwrap())
    }

    #[tokio::test]
    async fn what_the_crate_cannot_read_is_kept_with_its_status_and_its_name() {
        for (status, body) in [
            (200, json!({ "id": "re_1", "object": "refund", "status": "a word of tomorrow", "amount": "no number" }).to_string()),
            (200, "<html>captive</html>".to_owned()),
            (200, "\u{1}\u{fffd}".to_owned()),
            (400, json!({ "error": { "code": "of tomorrow" } }).to_string()),
            (502, "Bad gateway".to_owned()),
        ] {
            let server = MockServer::start().await;
            let reply = ResponseTemplate::new(status).set_body_string(&body).insert_header("request-id", "req_7");
            Mock::given(method("POST")).and(header("idempotency-key", "a-0")).respond_with(reply).mount(&server).await;
            let request = stripe_core::refund::CreateRefund::new().charge("ch_1").build();
            let reply = ask(&api(&server.uri()), request, key()).await.unwrap();
            assert_eq!((reply.status, reply.named("request-id").as_deref()), (status, Some("req_7")), "{body}");
            assert_eq!(String::from_utf8_lossy(&reply.body), body);
        }
    }

    #[tokio::test]
    async fn a_request_that_would_repeat_by_itself_is_not_sent() {
        let server = MockServer::start().await;
        for strategy in [RequestStrategy::Retry(3), RequestStrategy::ExponentialBackoff(3)] {
            let request = stripe_core::refund::CreateRefund::new().charge("ch_1").build();
            let failed = ask(&api(&server.uri()), request, strategy).await.unwrap_err();
            assert!(matches!(failed, NoReply::NotSent(_)), "{failed:?}");
        }
        assert!(server.received_requests().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn another_account_and_another_limit_are_obeyed() {
        let server = MockServer::start().await;
        let late = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
        Mock::given(header("stripe-account", "acct_2")).respond_with(late).expect(1).mount(&server).await;
        let api = api(&server.uri());
        let call = Call { api: &api, reply: OnceLock::new() };
        let request = Reading::of("/account").build().customize::<Anything>();
        let request = request.account_id("acct_2".parse().unwrap()).timeout(Duration::from_millis(20));
        assert!(matches!(request.send(&call).await, Err(Unanswered::NoReply(NoReply::TimedOut { sent: true }))));
    }

    #[tokio::test]
    async fn a_packs_filters_go_out_as_they_are() {
        let server = MockServer::start().await;
        let filtered = Mock::given(path("/v1/charges")).and(query_param("created[gte]", "7")).and(query_param("q", "a&b=c d"));
        filtered.respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
        let query = [("created[gte]", "7"), ("q", "a&b=c d")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let reading = Reading { path: "/charges".to_owned(), query: query.into() };
        assert_eq!(ask(&api(&server.uri()), reading.build(), RequestStrategy::Once).await.unwrap().status, 200);
    }
}
