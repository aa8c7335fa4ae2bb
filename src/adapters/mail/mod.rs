//! Mail by SMTP, or into files for a demo and for trying out. Never over a plain line to another machine.

mod files;
mod message;

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor, message::Mailbox, transport::smtp::Error as SmtpError};
use reqwest::Url;

use super::{environment::Found as Secret, scrub::Scrubber, wrong_order, wrong_query};
use crate::{
    domain::{
        identity::Identity,
        pack::Query,
        plan::Order,
        rows::{Params, Rows},
        text::Text,
    },
    ports::{Answer, Doer, Found, Mark, Outcome, Source, SourceError},
};

/// A server that said "later" (greylisting) means minutes.
const LATER: Duration = Duration::from_mins(1);

pub(super) struct MailSystem {
    name: String,
    from: Mailbox,
    way: Way,
    timeout: Duration,
    scrub: Scrubber,
}

enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Files(PathBuf),
}

impl MailSystem {
    pub(super) fn open(name: &str, url: &Secret, from: &str, timeout: Duration) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide_address(url.expose());
        let from = from.parse().map_err(|error| format!("`from` is no mail address: {error}"))?;
        let way = way(url.expose(), timeout).map_err(|problem| scrub.clean(&problem))?;
        Ok(Self { name: name.to_owned(), from, way, timeout, scrub })
    }

    fn text(&self, said: &str) -> Text {
        self.scrub.text(&format!("{}: {said}", self.name))
    }

    async fn send(
        &self,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
        message: lettre::Message,
        to: &str,
        id: &str,
    ) -> Outcome {
        match tokio::time::timeout(self.timeout, transport.send(message)).await {
            Ok(Ok(response)) => {
                let words = response.message().collect::<Vec<_>>().join(" ");
                Outcome::Confirmed(Answer {
                    reference: Some(id.to_owned()),
                    request: None,
                    said: self.text(&format!("mail to {to} accepted: {words}")),
                })
            }
            Ok(Err(error)) => self.judge(&error, to),
            Err(_) => Outcome::Unknown(self.text(&format!("mail to {to}: {}", SourceError::TimedOut(self.timeout)))),
        }
    }

    fn judge(&self, error: &SmtpError, to: &str) -> Outcome {
        let said = self.text(&format!("mail to {to}: {error}"));
        if error.is_permanent() || error.is_client() {
            Outcome::Rejected(said)
        } else if error.is_transient() {
            Outcome::Again { after: LATER, why: said }
        } else if is_connecting(error) {
            Outcome::Again { after: Duration::from_secs(5), why: said }
        } else {
            // The line broke or an answer was not understood: the mail may be in their hands.
            Outcome::Unknown(said)
        }
    }
}

/// Nothing of the mail was sent yet. The library has no question for this kind, only its words.
fn is_connecting(error: &SmtpError) -> bool {
    error.is_tls() || error.to_string().starts_with("Connection error")
}

fn way(address: &str, timeout: Duration) -> Result<Way, String> {
    let url = Url::parse(address).map_err(|error| format!("the address is not understood: {error}"))?;
    match url.scheme() {
        "file" => url.to_file_path().map(Way::Files).map_err(|()| "the address must be `file:///directory`".to_owned()),
        "smtp" | "smtps" => {
            let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&with_tls(url))
                .map_err(|error| format!("the address is not understood: {error}"))?;
            Ok(Way::Smtp(Box::new(builder.timeout(Some(timeout)).build())))
        }
        _ => Err("the address must begin with `smtps://`, `smtp://` or `file:///`".to_owned()),
    }
}

/// Left to itself, `smtp://` would send the password in plain text.
fn with_tls(mut url: Url) -> String {
    let is_loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    if url.scheme() == "smtp" && !is_loopback && !url.query_pairs().any(|(key, _)| key == "tls") {
        url.query_pairs_mut().append_pair("tls", "required");
    }
    url.into()
}

impl std::fmt::Debug for MailSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSystem").field("name", &self.name).field("scrub", &self.scrub).finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for MailSystem {
    async fn read(&self, _query: &Query, _params: &Params) -> Result<Rows, SourceError> {
        Err(wrong_query(&self.name, "smtp"))
    }

    async fn prepare(&self, _query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        Err(wrong_query(&self.name, "smtp"))
    }

    /// Greets the server and logs in, as for a mail, and says nothing more.
    async fn identify(&self) -> Result<Identity, SourceError> {
        let from = ("from", self.scrub.text(&self.from.to_string()));
        let transport = match &self.way {
            Way::Smtp(transport) => transport,
            Way::Files(directory) if directory.is_dir() => {
                let directory = ("directory", self.scrub.text(&directory.display().to_string()));
                return Ok(Identity { system: Text::new("files"), facts: vec![directory, from], clock: None });
            }
            Way::Files(directory) => {
                let said = format!("there is no directory {}", directory.display());
                return Err(SourceError::Unreachable(self.text(&said)));
            }
        };
        match tokio::time::timeout(self.timeout, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(Identity { system: Text::new("SMTP"), facts: vec![from], clock: None }),
            Ok(Ok(false)) => Err(SourceError::Malformed(self.text("the server greets and then hangs up"))),
            Ok(Err(error)) if error.is_permanent() => Err(SourceError::Denied(self.text(&error.to_string()))),
            Ok(Err(error)) => Err(SourceError::Unreachable(self.text(&error.to_string()))),
            Err(_) => Err(SourceError::TimedOut(self.timeout)),
        }
    }
}

#[async_trait]
impl Doer for MailSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        let Order::Mail { to, subject, body, .. } = order else {
            return wrong_order(&self.name, "smtp");
        };
        let message = match message::build(&self.from, to, subject, body, mark) {
            Ok(message) => message,
            Err(why) => return Outcome::Rejected(self.text(&format!("mail to {to} not sent: {why}"))),
        };
        let id = message::id(mark);
        match &self.way {
            Way::Smtp(transport) => self.send(transport, message, to, &id).await,
            Way::Files(directory) => match files::write(directory, mark, &message.formatted()).await {
                Ok(()) => Outcome::Confirmed(Answer {
                    reference: Some(id),
                    request: None,
                    said: self.text(&format!("mail to {to} written")),
                }),
                Err(error) => {
                    Outcome::Rejected(self.text(&format!("mail to {to} not written into {}: {error}", directory.display())))
                }
            },
        }
    }

    async fn look_up(&self, _order: &Order, mark: &Mark) -> Found {
        match &self.way {
            Way::Smtp(_) => Found::CannotTell(self.text("a mail server does not tell what it sent; look into its log")),
            Way::Files(directory) => match files::exists(directory, mark).await {
                Ok(true) => Found::Ours(Answer {
                    reference: Some(message::id(mark)),
                    request: None,
                    said: self.text("the mail is written"),
                }),
                Ok(false) => Found::Absent,
                Err(error) => Found::CannotTell(self.text(&format!("the directory cannot be read: {error}"))),
            },
        }
    }
}

#[cfg(test)]
mod tests;
