//! HTTP as every adapter here needs it: our TLS roots, no proxies from the environment, a time limit, answers of
//! bounded size, and a clear line between "not sent", "no answer" and "answered".

use std::{
    error::Error as _,
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use reqwest::{Client, RequestBuilder, Url, header::HeaderMap, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::scrub::Scrubber;
use crate::{
    domain::{
        identity::{Identity, ToldTime},
        rows::Rows,
        text::Text,
    },
    ports::SourceError,
};

/// Bigger answers are refused: nothing that a screen shows needs them.
pub(super) const LARGEST_ANSWER: usize = 5 * 1024 * 1024;

/// One request ends by itself, and says why; only several of them are cut off from outside, and a little later.
pub(super) const GRACE: Duration = Duration::from_millis(100);

/// The part of the time limit in which there is a line, TLS included.
const CONNECTING: f64 = 0.8;

/// A client, the name of its connection, and what must not be said.
pub(super) struct Transport {
    pub(super) client: Client,
    /// Keeps no connection: a kept one may break under a request, and leave in doubt whether it was done.
    pub(super) fresh: Client,
    pub(super) name: String,
    pub(super) timeout: Duration,
    pub(super) scrub: Scrubber,
}

/// An answer came: at least its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Why the body is not all there, where it is not.
    pub(super) cut: Option<String>,
    pub(super) took: Duration,
    scrub: Scrubber,
}

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    /// Certainly not sent: nobody to connect to.
    NotSent(String),
    /// Certainly not sent: the service said that it wants to be left alone for longer than we wait.
    Spared(String),
    /// Certainly not sent: whoever is there does not prove who it is, or speaks no TLS. Waiting mends neither.
    Distrusted(String),
    /// Sent, or perhaps sent, and the line went silent or broke.
    Lost(String),
    TimedOut {
        sent: bool,
    },
}

impl Transport {
    pub(super) fn open(name: &str, timeout: Duration, scrub: Scrubber) -> Result<Self, String> {
        Self::open_trusting(name, timeout, scrub, None)
    }

    /// As `open`; `authority` is a file of certificates (PEM) that are trusted beside the public ones.
    pub(super) fn open_trusting(
        name: &str,
        timeout: Duration,
        scrub: Scrubber,
        authority: Option<&Path>,
    ) -> Result<Self, String> {
        let tls = tls(authority)?;
        let client = |kept: usize| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .no_proxy()
                .referer(false)
                .redirect(redirect::Policy::none())
                .timeout(timeout)
                // Ends before the whole: what never got a line was certainly not sent.
                .connect_timeout(timeout.mul_f64(CONNECTING))
                .pool_idle_timeout(Duration::from_mins(1))
                .pool_max_idle_per_host(kept)
                .user_agent(concat!("wheelhouse/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| format!("no HTTP client: {}", reason(error)))
        };
        Ok(Self { client: client(4)?, fresh: client(0)?, name: name.to_owned(), timeout, scrub })
    }

    /// Sends once. Redirects are answers, not followed.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Reply, NoReply> {
        self.send_hiding(request, &self.scrub).await
    }

    /// As `send`, where more is secret than what was known when the connection was opened.
    pub(super) async fn send_hiding(&self, request: RequestBuilder, scrub: &Scrubber) -> Result<Reply, NoReply> {
        let start = Instant::now();
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => return Err(NoReply::TimedOut { sent: !error.is_connect() }),
            Err(error) if error.is_connect() || error.is_builder() => {
                let why = scrub.clean(&reason(error));
                return Err(mend_tls(&why).map_or_else(|| NoReply::NotSent(why), NoReply::Distrusted));
            }
            Err(error) => return Err(NoReply::Lost(scrub.clean(&reason(error)))),
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let cut = loop {
            match response.chunk().await {
                Ok(None) => break None,
                Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_ANSWER => {
                    break Some(format!("the answer is bigger than {} MiB", LARGEST_ANSWER / 1024 / 1024));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) if error.is_timeout() => break Some("the answer stopped in the middle, and time ran out".to_owned()),
                Err(error) => break Some(format!("the answer broke off: {}", scrub.clean(&reason(error)))),
            }
        };
        Ok(Reply { status, headers, body: body.into(), cut, took: start.elapsed(), scrub: scrub.clone() })
    }

    /// The sentence for what failed, without secrets.
    pub(super) fn text(&self, said: impl fmt::Display) -> Text {
        self.scrub.text(&format!("{}: {said}", self.name))
    }

    /// What an answer to a question that anybody may ask tells of who answers; refused credentials and a service that
    /// is down are no answer.
    pub(super) fn identity(&self, reply: &Reply) -> Result<Identity, SourceError> {
        let answers = format!("answers {} {}", reply.status, reply.excerpt());
        let said = |advice: &str| self.text(format_args!("{}{advice}", answers.trim_end()));
        match reply.status {
            401 | 403 => return Err(SourceError::Denied(said("; check the connection's credentials"))),
            500.. => return Err(SourceError::Malformed(said(""))),
            _ => {}
        }
        let server = reply.named("server").map(|server| ("server", Text::new(server)));
        let answers = ("answers", Text::new(reply.status.to_string()));
        Ok(Identity {
            system: Text::new("HTTP"),
            facts: std::iter::once(answers).chain(server).collect(),
            clock: reply.told_time(),
        })
    }

    pub(super) fn unread(&self, failure: &NoReply) -> SourceError {
        match failure {
            NoReply::NotSent(why) | NoReply::Lost(why) => {
                SourceError::Unreachable(self.text(format_args!("nobody answers: {why}")))
            }
            NoReply::Spared(why) => SourceError::Unreachable(self.text(format_args!("not asked: {why}"))),
            NoReply::Distrusted(why) => SourceError::Unreachable(self.text(format_args!("nothing is sent there: {why}"))),
            NoReply::TimedOut { .. } => SourceError::TimedOut(self.timeout),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("name", &self.name).field("scrub", &self.scrub).finish_non_exhaustive()
    }
}

impl Reply {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Words of the answer without what is secret.
    pub(super) fn clean(&self, said: &str) -> String {
        self.scrub.clean(said)
    }

    /// The outside's own name for something, for the record: no secret, whatever it is.
    pub(super) fn named(&self, header: &str) -> Option<String> {
        self.header(header).map(|name| self.scrub.clean(name))
    }

    /// Without what a service repeats of the secrets that it was sent, where cells are made of it.
    pub(super) fn without_echoes(mut self) -> Self {
        if let Some(body) = self.scrub.without_echoes(&self.body) {
            self.body = body.into();
        }
        self
    }

    /// The same of the cells that were made of it.
    pub(super) fn rows_without_echoes(&self, rows: Rows) -> Rows {
        self.scrub.rows_without_echoes(rows)
    }

    /// The service's clock, as every server of HTTP tells it: cut off to the second.
    pub(super) fn told_time(&self) -> Option<ToldTime> {
        let now = DateTime::parse_from_rfc2822(self.header("date")?).ok()?.to_utc();
        Some(ToldTime { now, unit: TimeDelta::seconds(1) })
    }

    /// `Retry-After` in seconds; the form with a date is not used by anybody we talk to.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds: f64 = self.header("retry-after")?.trim().parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(Duration::from_hours(1)))
    }

    /// The beginning of the body, for a sentence about it.
    pub(super) fn excerpt(&self) -> String {
        // Before anything is cut off: half a secret would no longer be known as one.
        let text = self.scrub.clean_answer(&String::from_utf8_lossy(&self.body));
        // A proxy's page: its title says what there is to say.
        if text.trim_start().starts_with('<') {
            let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
            return title.map_or_else(|| "a page of HTML".to_owned(), |(title, _)| format!("a page of HTML: {}", title.trim()));
        }
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = words.chars().take(160).collect();
        if short.len() < words.len() { format!("{short}…") } else { short }
    }
}

/// An address over HTTP, checked to be one.
pub(super) fn base_address(address: &str) -> Result<Url, String> {
    let url = Url::parse(address).map_err(|error| format!("the address is not understood: {error}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("the address must begin with `https://` or `http://`".to_owned()),
    }
}

/// True where what is sent does not leave this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| is_own(host.trim_matches(['[', ']'])))
}

pub(super) fn is_own(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// True where whoever is between reads what is sent.
pub(super) fn is_in_clear(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

/// Why a key or token is not sent there.
pub(super) fn no_secret_in_clear(url: &Url, what: &str) -> Result<(), String> {
    if is_in_clear(url) {
        return Err(format!("the {what} would travel in clear: use an `https:` address, or a stand-in on this machine"));
    }
    Ok(())
}

/// The causes of an error without its address, which may hold a secret.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !said.contains(&words) {
            said = format!("{said}: {words}");
        }
        source = cause.source();
    }
    said
}

/// The sentence with its next step, where TLS failed for good: what a library says of that helps nobody who mends it.
pub(super) fn mend_tls(said: &str) -> Option<String> {
    let advice = if said.contains("invalid peer certificate") {
        "its certificate cannot be trusted: check the address, or name who signed it in `ca_file`"
    } else if said.contains("InvalidContentType") || said.contains("corrupt message") {
        "it speaks no TLS there: check the address and its port"
    } else {
        return None;
    };
    Some(format!("{said}; {advice}"))
}

/// Mozilla's roots, compiled in (a bare machine has none of its own), and those in the file.
pub(super) fn tls(authority: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = authority {
        let shown = file.display();
        let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = certificates.map_err(|error| format!("the certificates in {shown} cannot be read: {error}"))?;
        if certificates.is_empty() {
            return Err(format!("there is no certificate in {shown}: it must be PEM"));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| format!("a certificate in {shown} cannot be used: {error}"))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no TLS: {error}"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
