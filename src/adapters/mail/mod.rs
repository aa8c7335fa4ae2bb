//! Mail by SMTP, or into files for a demo and for trying out. Never over a plain line to another machine.

mod files;
mod line;
mod message;
mod session;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use lettre::message::Mailbox;
use reqwest::Url;

use self::session::{Failure, Server, Stage, Why};
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
/// A line that broke may be whole again soon.
const SOON: Duration = Duration::from_secs(5);

pub(super) struct MailSystem {
    name: String,
    from: Mailbox,
    way: Way,
    timeout: Duration,
    scrub: Scrubber,
}

enum Way {
    Smtp(Box<Server>),
    Files(PathBuf),
}

/// Where mail is handed over, by whom, and for how long that may be tried.
pub(super) struct Office<'a> {
    pub(super) url: Secret,
    pub(super) from: &'a str,
    /// A name and its password, where the address has none.
    pub(super) login: Option<(String, Secret)>,
    /// A file of certificates that are trusted beside the public ones.
    pub(super) authority: Option<&'a Path>,
    pub(super) timeout: Duration,
}

impl MailSystem {
    pub(super) fn open(name: &str, office: &Office<'_>) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        scrub.hide_address(office.url.expose());
        if let Some((user, password)) = &office.login {
            scrub.hide_login(user, password.expose());
        }
        let from = office.from.parse().map_err(|error| format!("`from` is no mail address: {error}"))?;
        let way = way(office).map_err(|problem| scrub.clean(&problem))?;
        Ok(Self { name: name.to_owned(), from, way, timeout: office.timeout, scrub })
    }

    fn text(&self, said: &str) -> Text {
        self.scrub.text(&format!("{}: {said}", self.name))
    }

    async fn send(&self, server: &Server, message: &lettre::Message, to: &str, id: &str) -> Outcome {
        match server.send(message).await {
            Ok(words) => Outcome::Confirmed(Answer {
                reference: Some(id.to_owned()),
                request: None,
                said: self.text(&format!("mail to {to} accepted: {words}")),
            }),
            Err(failure) => self.judge(&failure, to),
        }
    }

    /// Before its text was out a mail was certainly not taken. Afterwards only an answer tells.
    fn judge(&self, Failure { stage, why }: &Failure, to: &str) -> Outcome {
        let said = |why: &str| self.text(&format!("mail to {to} not sent, {stage}: {why}"));
        match (stage, why) {
            (Stage::Text, Why::TimeRanOut) => {
                Outcome::Unknown(self.text(&format!("mail to {to}: {}", SourceError::TimedOut(self.timeout))))
            }
            // The mail may be in their hands.
            (Stage::Text, Why::Broken(why)) => Outcome::Unknown(self.text(&format!("mail to {to}: the line broke: {why}"))),
            (_, Why::TimeRanOut) => Outcome::Again { after: SOON, why: said(&SourceError::TimedOut(self.timeout).to_string()) },
            (_, Why::Later(why)) => Outcome::Again { after: LATER, why: said(why) },
            (_, Why::Broken(why)) => Outcome::Again { after: SOON, why: said(why) },
            (Stage::LoggingIn, Why::Never(why)) => {
                Outcome::Rejected(said(&format!("{why}; check who logs in, and the password")))
            }
            (_, Why::Never(why)) => Outcome::Rejected(said(why)),
        }
    }

    /// Why nobody there could be met.
    fn unmet(&self, Failure { stage, why }: Failure) -> SourceError {
        let said = |why: &str| self.text(&format!("{stage}: {why}"));
        match (stage, why) {
            (_, Why::TimeRanOut) => SourceError::TimedOut(self.timeout),
            (Stage::LoggingIn, Why::Never(why)) => {
                SourceError::Denied(said(&format!("{why}; check who logs in, and the password")))
            }
            (_, Why::Never(why)) => SourceError::Refused(said(&why)),
            (_, Why::Later(why)) => SourceError::Busy(said(&why)),
            (_, Why::Broken(why)) => SourceError::Unreachable(said(&why)),
        }
    }
}

fn way(office: &Office<'_>) -> Result<Way, String> {
    let url = Url::parse(office.url.expose()).map_err(|error| format!("the address is not understood: {error}"))?;
    match url.scheme() {
        "file" => url.to_file_path().map(Way::Files).map_err(|()| "the address must be `file:///directory`".to_owned()),
        "smtp" | "smtps" => {
            let login = office.login.as_ref().map(|(user, password)| (user.as_str(), password));
            Ok(Way::Smtp(Box::new(Server::new(&url, login, office.authority, office.timeout)?)))
        }
        _ => Err("the address must begin with `smtps://`, `smtp://` or `file:///`".to_owned()),
    }
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
        let server = match &self.way {
            Way::Smtp(server) => server,
            Way::Files(directory) if directory.is_dir() => {
                let directory = ("directory", self.scrub.text(&directory.display().to_string()));
                return Ok(Identity { system: Text::new("files"), facts: vec![directory, from], clock: None });
            }
            Way::Files(directory) => {
                let said = format!("there is no directory {}", directory.display());
                return Err(SourceError::Unreachable(self.text(&said)));
            }
        };
        let met = server.meet().await.map_err(|failure| self.unmet(failure))?;
        let line = ("line", Text::new(if met.is_encrypted { "encrypted" } else { "open" }));
        let user = met.user.map(|user| ("user", self.scrub.text(&user)));
        let facts = user.into_iter().chain([from, line]).collect();
        Ok(Identity { system: Text::new("SMTP"), facts, clock: None })
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        match &self.way {
            Way::Smtp(server) => Ok(server.exposure().into_iter().map(|said| self.text(&said)).collect()),
            Way::Files(_) => Ok(Vec::new()),
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
            Way::Smtp(server) => self.send(server, &message, to, &id).await,
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
