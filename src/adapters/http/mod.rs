//! Any HTTP service: answers become rows, acts are one request. Never follows a redirect with an act, never sends its
//! headers to another origin.

mod answer;
mod finding;
mod link;
mod pages;

use std::{path::Path, sync::Mutex, time::Duration};

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable as _};
use reqwest::{
    Client, Method, RequestBuilder, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use secrecy::SecretString;

pub(super) use answer::cell;

use super::{
    environment::Found as Secret,
    scrub::Scrubber,
    transport::{GRACE, NoReply, Reply, Transport, base_address, is_in_clear, no_secret_in_clear},
    wrong_order, wrong_query,
};
use crate::{
    domain::{
        identity::Identity,
        pack::{HttpRead, Query, Read, Service},
        plan::Order,
        proof::{Proof, Proofs, Proven},
        rows::{Params, Rows},
        text::Text,
    },
    ports::{Answer, Doer, Found, Mark, Outcome, PageCame, Source, SourceError, Taker},
};

/// A read may be moved on so many times within its own origin.
const MOST_REDIRECTS: usize = 4;

/// An HTTP service of the business.
#[derive(Debug)]
pub(super) struct HttpSystem {
    transport: Transport,
    base: Url,
    headers: HeaderMap,
    service: Option<Service>,
}

/// How a service is reached, and which it is.
pub(super) struct Reach<'a> {
    pub(super) url: Secret,
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) token: Option<Secret>,
    pub(super) authority: Option<&'a Path>,
    pub(super) service: Option<Service>,
    pub(super) timeout: Duration,
}

#[cfg(test)]
impl Reach<'_> {
    fn to(url: Secret, timeout: Duration) -> Self {
        Self { url, headers: Vec::new(), token: None, authority: None, service: None, timeout }
    }
}

impl HttpSystem {
    pub(super) fn open(name: &str, reach: Reach<'_>) -> Result<Self, String> {
        let Reach { url, mut headers, token, authority, service, timeout } = reach;
        if let Some(token) = token {
            // A token may have been written down as the header that it becomes.
            let bare = token.expose().trim().strip_prefix("Bearer ").unwrap_or(token.expose().trim());
            let value = SecretString::from(format!("Bearer {bare}"));
            headers.push(("authorization".to_owned(), Secret { value, is_secret: true }));
        }
        let mut scrub = Scrubber::default();
        scrub.hide_address(url.expose());
        let base = base_address(url.expose()).map_err(|problem| scrub.clean(&problem))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(
                "what follows `?` or `#` in the address would not be sent: put it into each `path`, or a secret into a header"
                    .to_owned(),
            );
        }
        if service.is_some() && headers.iter().any(|(_, value)| value.is_secret) {
            no_secret_in_clear(&base, "token")?;
        }
        let mut map = HeaderMap::new();
        for (header, value) in headers {
            let header_name =
                HeaderName::try_from(header.as_str()).map_err(|_| format!("`{header}` cannot be the name of a header"))?;
            let mut header_value = HeaderValue::try_from(value.expose())
                .map_err(|_| format!("the value of the header `{header}` cannot be sent"))?;
            if value.is_secret {
                scrub.hide(value.expose());
                // The words after `Bearer` are the secret, and an answer may repeat them alone.
                value.expose().split_whitespace().skip(1).for_each(|word| scrub.hide(word));
                header_value.set_sensitive(true);
            }
            map.insert(header_name, header_value);
        }
        Ok(Self { transport: Transport::open_trusting(name, timeout, scrub, authority)?, base, headers: map, service })
    }

    fn request(&self, client: &Client, method: &str, path: &str, body: Option<&str>) -> Result<RequestBuilder, String> {
        let method =
            Method::from_bytes(method.to_ascii_uppercase().as_bytes()).map_err(|_| format!("`{method}` is no method"))?;
        let mut request = client.request(method, self.address(path)?).headers(self.headers.clone());
        if let Some(body) = body {
            if !self.headers.contains_key("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body.to_owned());
        }
        Ok(request)
    }

    /// The base with the path appended; what comes out is always at the base's own origin and below its path.
    fn address(&self, path: &str) -> Result<Url, String> {
        let base = self.base.as_str().trim_end_matches('/');
        let path = path.strip_prefix('/').unwrap_or(path);
        let slash = if path.is_empty() || path.starts_with('?') { "" } else { "/" };
        let url = Url::parse(&format!("{base}{slash}{path}")).map_err(|error| format!("`{path}` is no path: {error}"))?;
        let rest = url.path().strip_prefix(self.base.path().trim_end_matches('/'));
        if url.origin() != self.base.origin() || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(format!("`{path}` leads out of the connection's address"));
        }
        Ok(url)
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Result<Reply, Unasked> {
        let mut path = path.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let request = self.request(&self.transport.client, method, &path, body).map_err(Unasked::Mistake)?;
            let reply = self.transport.send(request).await.map_err(Unasked::NoReply)?;
            let moved = matches!(reply.status, 301 | 302 | 303 | 307 | 308) && method.eq_ignore_ascii_case("get");
            match moved.then(|| self.moved_to(&path, &reply)).flatten() {
                Some(next) => path = next,
                None => return Ok(reply),
            }
        }
        Err(Unasked::Mistake(format!("more than {MOST_REDIRECTS} redirects")))
    }

    /// The new path, where it is still within the connection's own address.
    fn moved_to(&self, path: &str, reply: &Reply) -> Option<String> {
        self.below(path, reply.header("location")?)
    }

    /// An address as it stands in the answer to a path; as a path, where it is within the connection's own address.
    fn below(&self, path: &str, address: &str) -> Option<String> {
        self.within_base(&self.address(path).ok()?.join(address).ok()?)
    }

    fn within_base(&self, url: &Url) -> Option<String> {
        // No answer repeats the user and the password that are part of the address.
        let (url, base) = (without_login(url), without_login(&self.base));
        let below = url.as_str().strip_prefix(base.as_str().trim_end_matches('/'))?;
        below.starts_with(['/', '?']).then(|| below.to_owned())
    }

    async fn ask_in_time(&self, method: &str, path: &str) -> Result<Reply, Unasked> {
        let asked = tokio::time::timeout(self.transport.timeout + GRACE, self.ask(method, path, None)).await;
        asked.unwrap_or(Err(Unasked::NoReply(NoReply::TimedOut { sent: true })))
    }

    /// Whose token it is, as the service tells.
    fn known(&self, service: &Service, reply: &Reply) -> Result<Identity, SourceError> {
        let plain = self.transport.identity(reply)?;
        let advice = if reply.status == 404 { "; check its name in the pack, and whether the token may see it" } else { "" };
        let said = || self.transport.text(format_args!("{} answers {} {}{advice}", service.door, reply.status, reply.excerpt()));
        let json = reply.json().filter(|_| reply.is_success() && reply.cut.is_none());
        let json = json.ok_or_else(|| SourceError::Refused(said()))?;
        let fact = |(label, pointer): &(&'static str, &str)| {
            let text = json.pointer(pointer)?.as_str()?;
            Some((*label, self.transport.scrub.text(text)))
        };
        let facts = service.facts.iter().filter_map(fact).collect();
        Ok(Identity { system: Text::new(service.title), facts, clock: plain.clock })
    }

    /// The rows, and what the service calls the request.
    async fn look(&self, read: &HttpRead, params: &Params) -> Result<(Rows, Option<String>), SourceError> {
        let mistake = |why: String| SourceError::Refused(self.transport.text(why));
        let path = read.path.render(params).map_err(mistake)?;
        let body = read.body.as_ref().map(|body| body.render(params)).transpose().map_err(mistake)?;
        match self.asked(read, &path, body.as_deref()).await {
            Ok(reply) => {
                let reply = reply.without_echoes();
                Ok((answer::rows(&self.transport, read, shown(&path), &reply)?, reply.named("x-request-id")))
            }
            Err(Unasked::NoReply(failure)) if read.probe => Ok((answer::failed_probe(read, &self.transport, &failure), None)),
            Err(unasked) => Err(self.unread(unasked)),
        }
    }

    async fn reply(&self, read: &HttpRead, path: &str, body: Option<&str>) -> Result<Reply, SourceError> {
        self.asked(read, path, body).await.map_err(|unasked| self.unread(unasked))
    }

    fn unread(&self, unasked: Unasked) -> SourceError {
        match unasked {
            Unasked::Mistake(why) => SourceError::Refused(self.transport.text(why)),
            Unasked::NoReply(failure) => self.transport.unread(&failure),
        }
    }

    async fn asked(&self, read: &HttpRead, path: &str, body: Option<&str>) -> Result<Reply, Unasked> {
        let ask = || self.ask(&read.method, path, body);
        // A probe judges the answer itself: a second try would hide what it is there to see.
        let retries = if read.probe { 0 } else { 2 };
        let waits =
            ExponentialBuilder::default().with_min_delay(Duration::from_millis(150)).with_max_times(retries).with_jitter();
        // Time that ran out while it was tried again is not what failed.
        let failed = Mutex::new(None);
        let may_pass = |unasked: &Unasked| matches!(unasked, Unasked::NoReply(NoReply::NotSent(_) | NoReply::Lost(_)));
        let remember = |unasked: &Unasked, _| {
            if let (Unasked::NoReply(why), Ok(mut failed)) = (unasked, failed.lock()) {
                *failed = Some(why.clone());
            }
        };
        let asked = tokio::time::timeout(self.transport.timeout + GRACE, async {
            ask.retry(waits).when(may_pass).notify(remember).await
        });
        asked.await.unwrap_or_else(|_| {
            let failed = failed.lock().ok().and_then(|mut failed| failed.take());
            Err(Unasked::NoReply(failed.unwrap_or(NoReply::TimedOut { sent: true })))
        })
    }
}

/// A path as a sentence says it: what is asked of it would bury the rest.
fn shown(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

fn without_login(url: &Url) -> Url {
    let mut bare = url.clone();
    // An address that can have none has none.
    let _ = bare.set_username("").and_then(|()| bare.set_password(None));
    bare
}

/// Why there is no answer to a read.
enum Unasked {
    Mistake(String),
    NoReply(NoReply),
}

#[async_trait]
impl Source for HttpSystem {
    /// The pages of a site fail one by one: a page that hangs must not keep the others unseen until it times out.
    fn looks_at_once(&self) -> usize {
        2
    }

    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        self.read_aloud(query, params, &|_| {}).await
    }

    async fn read_aloud(&self, query: &Query, params: &Params, came: &PageCame<'_>) -> Result<Rows, SourceError> {
        match &query.read {
            Read::Http(read) => match &read.pages {
                None => self.look(read, params).await.map(|(rows, _)| rows),
                Some(paging) => self.gather(read, paging, params, came).await,
            },
            Read::Sql(_) | Read::Stripe(_) | Read::Firestore(_) | Read::Command(_) => {
                Err(wrong_query(&self.transport.name, "http"))
            }
        }
    }

    async fn stream(&self, query: &Query, params: &Params, taker: &mut dyn Taker) -> Result<Vec<String>, SourceError> {
        match &query.read {
            Read::Http(read) => match &read.pages {
                None => {
                    let (rows, request) = self.look(read, params).await?;
                    taker.take(rows).map_err(|why| SourceError::Refused(Text::new(why)))?;
                    Ok(request.into_iter().collect())
                }
                Some(paging) => self.pass_on(read, paging, params, taker).await,
            },
            Read::Sql(_) | Read::Stripe(_) | Read::Firestore(_) | Read::Command(_) => {
                Err(wrong_query(&self.transport.name, "http"))
            }
        }
    }

    async fn identify(&self) -> Result<Identity, SourceError> {
        let door = self.service.as_ref().map_or("", |service| service.door.as_str());
        match self.ask_in_time("GET", door).await {
            Ok(reply) => match &self.service {
                Some(service) => self.known(service, &reply),
                None => self.transport.identity(&reply),
            },
            Err(Unasked::Mistake(why)) => Err(SourceError::Refused(self.transport.text(why))),
            Err(Unasked::NoReply(failure)) => Err(self.transport.unread(&failure)),
        }
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        let has_login = !self.base.username().is_empty() || self.base.password().is_some();
        let is_told = is_in_clear(&self.base) && (has_login || self.headers.values().any(HeaderValue::is_sensitive));
        let host = self.base.host_str().unwrap_or_default();
        let said = format!("its secret goes to {host} in clear: use an `https:` address if anybody else is on the way");
        Ok(is_told.then(|| self.transport.text(said)).into_iter().collect())
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        match &query.read {
            Read::Http(_) => Ok(None),
            Read::Sql(_) | Read::Stripe(_) | Read::Firestore(_) | Read::Command(_) => {
                Err(wrong_query(&self.transport.name, "http"))
            }
        }
    }
}

#[async_trait]
impl Doer for HttpSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let Order::Http { method, path, body, find, proofs, .. } = order else {
            return wrong_order(&self.transport.name, "http");
        };
        let (path, body) = match find {
            None => (path.clone(), body.clone()),
            Some(find) => match self.found(find, path, body.as_deref()).await {
                Ok(completed) => completed,
                Err(not_sent) => return not_sent,
            },
        };
        match self.request(&self.transport.fresh, method, &path, body.as_deref()) {
            Ok(request) => {
                let reply = self.transport.send(request.header("idempotency-key", mark.key())).await;
                judge(&self.transport, &format!("{method} {}", shown(&path)), reply, proofs)
            }
            Err(why) => Outcome::Rejected(self.transport.text(why)),
        }
    }

    async fn look_up(&self, _order: &Order, _mark: &Mark) -> Found {
        Found::CannotTell(Text::new(format!(
            "{}: nothing at this address tells whether the request arrived; look there yourself",
            self.transport.name
        )))
    }
}

/// What the answer to one request that changes something means.
pub(super) fn judge(transport: &Transport, what: &str, reply: Result<Reply, NoReply>, proofs: &Proofs) -> Outcome {
    let wait = |reply: &Reply| reply.retry_after().unwrap_or(Duration::from_secs(5));
    match reply {
        Err(NoReply::NotSent(why) | NoReply::Spared(why)) => {
            Outcome::Again { after: Duration::from_secs(2), why: transport.text(format_args!("{what} not sent: {why}")) }
        }
        Err(NoReply::Distrusted(why)) => Outcome::Rejected(transport.text(format_args!("{what} not sent: {why}"))),
        Err(NoReply::TimedOut { sent: false }) => {
            Outcome::Again { after: Duration::from_secs(5), why: transport.text(format_args!("{what} not sent: nobody answers")) }
        }
        Err(NoReply::Lost(why)) => Outcome::Unknown(transport.text(format_args!("{what}: the line broke: {why}"))),
        Err(NoReply::TimedOut { sent: true }) => {
            Outcome::Unknown(transport.text(format_args!("{what}: {}", SourceError::TimedOut(transport.timeout))))
        }
        Ok(reply) => {
            let said = format!("{what} answered {} {}", reply.status, reply.excerpt());
            let said = said.trim_end();
            match reply.status {
                200..300 => proven(transport, what, &reply, proofs),
                // Not followed: it could carry the act, and its headers, somewhere else.
                301 | 307 | 308 => {
                    Outcome::Rejected(transport.text(format_args!("{said}: moved; put the new address into the pack")))
                }
                // "See the result there" is also what a success says.
                300..400 => {
                    Outcome::Unknown(transport.text(format_args!("{said}: a redirect, which does not tell whether it was done")))
                }
                401 | 403 => {
                    Outcome::Rejected(transport.text(format_args!("{said}: denied; check the connection's credentials")))
                }
                425 | 429 => Outcome::Again { after: wait(&reply), why: transport.text(said) },
                400..500 => Outcome::Rejected(transport.text(said)),
                _ => Outcome::Unknown(transport.text(said)),
            }
        }
    }
}

/// A 2xx, held against what the pack says of it. Half an answer proves nothing, not even that there is no refusal in it.
fn proven(transport: &Transport, what: &str, reply: &Reply, proofs: &Proofs) -> Outcome {
    let request = reply.named("x-request-id");
    let answered = format!("{what} answered {}", reply.status);
    if let (Some(cut), false) = (&reply.cut, proofs.is_empty()) {
        return Outcome::Unknown(transport.text(format_args!("{answered}, and what it says of it is not known: {cut}")));
    }
    let known = |proof: &Option<Proof>| proof.as_ref().map_or_else(String::new, Proof::to_string);
    let named = request.as_ref().map_or_else(String::new, |request| format!(" ({request})"));
    let said = format!("{answered} {}", reply.excerpt());
    let said = said.trim_end();
    match proofs.judge(reply.json().as_ref()) {
        Proven::Done => Outcome::Confirmed(Answer { reference: None, request, said: transport.text(answered) }),
        Proven::Refused => Outcome::Rejected(
            transport.text(format_args!("{said}{named}: refused, by what the pack says: {}", known(&proofs.refused))),
        ),
        Proven::Nothing => Outcome::Unknown(
            transport.text(format_args!("{said}{named}: that does not prove it; the pack expects {}", known(&proofs.expect))),
        ),
    }
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
