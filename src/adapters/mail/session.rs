//! One conversation with a mail server, which knows how far it came: before its text goes out, a mail was certainly not
//! taken.

use std::{fmt, future::Future, io, path::Path, sync::Arc, time::Duration};

use lettre::{
    Address, Message,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use reqwest::Url;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    super::{
        environment::Found as Secret,
        scrub::decoded,
        transport::{self, is_loopback, is_own, mend_tls},
    },
    line::Hearing,
};

/// After a mail is taken, nothing is worth waiting for.
const FAREWELL: Duration = Duration::from_millis(500);

/// A mail server and how it is spoken to.
pub(super) struct Server {
    host: String,
    port: u16,
    line: Line,
    login: Option<Login>,
    hello: ClientId,
    limit: Duration,
}

enum Line {
    /// Encrypted from the first byte, with whoever proves this name.
    Tls(Arc<ClientConfig>, ServerName<'static>),
    /// Encrypted after the greeting, or not at all.
    StartTls(TlsParameters),
    /// Where the server offers it.
    StartTlsIfOffered(TlsParameters),
    Plain,
}

struct Login {
    user: String,
    credentials: Credentials,
}

/// How far it had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connecting,
    LoggingIn,
    /// Sender, recipient, and the question whether the text may come.
    Announcing,
    /// The text is out: whoever does not answer now may have it.
    Text,
}

/// Where and why it ended.
pub(super) struct Failure {
    pub(super) stage: Stage,
    pub(super) why: Why,
}

pub(super) enum Why {
    TimeRanOut,
    /// 4xx.
    Later(String),
    /// 5xx, or something that the server cannot do.
    Never(String),
    /// Nobody there, no TLS, no mail server, a line that broke.
    Broken(String),
}

/// Who answered, and how it was spoken to.
pub(super) struct Met {
    pub(super) is_encrypted: bool,
    pub(super) user: Option<String>,
}

impl Server {
    pub(super) fn new(
        url: &Url,
        login: Option<(&str, &Secret)>,
        authority: Option<&Path>,
        limit: Duration,
    ) -> Result<Self, String> {
        let host = match url.host() {
            Some(host) => host.to_string().trim_matches(['[', ']']).to_owned(),
            None => return Err("the address has no host".to_owned()),
        };
        let tls = || parameters(&host, authority);
        let asked = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (line, port) = match (url.scheme(), asked.as_deref()) {
            ("smtps", _) => {
                let name = ServerName::try_from(host.clone()).map_err(|_| format!("no certificate can be for `{host}`"))?;
                (Line::Tls(Arc::new(transport::tls(authority)?), name), 465)
            }
            (_, Some("opportunistic")) => (Line::StartTlsIfOffered(tls()?), 587),
            (_, Some("none")) => (Line::Plain, 25),
            (_, None) if is_loopback(url) => (Line::Plain, 25),
            (_, Some("required") | None) => (Line::StartTls(tls()?), 587),
            (_, Some(other)) => {
                return Err(format!("`tls={other}` in the address: it is `required`, `opportunistic` or `none`"));
            }
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        let in_url = url.password().map(|password| (decoded(url.username()), decoded(password)));
        let login = match (in_url, login) {
            (Some(_), Some(_)) => return Err("the address and `user` both say who logs in".to_owned()),
            (Some(in_url), None) => Some(in_url),
            (None, told) => told.map(|(user, password)| (user.to_owned(), password.expose().to_owned())),
        };
        let login = login.map(|(user, password)| Login { credentials: Credentials::new(user.clone(), password), user });
        Ok(Self { host, port: url.port().unwrap_or(port), line, login, hello, limit })
    }

    /// Why others on the way may read along.
    pub(super) fn exposure(&self) -> Option<String> {
        let what = if self.login.is_some() { "the password and every mail" } else { "every mail" };
        let place = format!("{}:{}", self.host, self.port);
        match &self.line {
            Line::Plain if !is_own(&self.host) => {
                Some(format!("{what} goes to {place} in clear: take `tls=none` out of the address where it offers TLS"))
            }
            Line::StartTlsIfOffered(_) if !is_own(&self.host) => Some(format!(
                "{what} goes to {place} in clear if somebody between takes the offer of TLS away: `tls=required` prevents it"
            )),
            Line::Plain | Line::StartTlsIfOffered(_) | Line::Tls(..) | Line::StartTls(_) => None,
        }
    }

    /// Greets and logs in, and says nothing more.
    pub(super) async fn meet(&self) -> Result<Met, Failure> {
        let end = Instant::now() + self.limit;
        let mut line = self.enter(end).await?;
        let is_encrypted = line.is_encrypted() || matches!(self.line, Line::Tls(..));
        let met = Met { is_encrypted, user: self.login.as_ref().map(|login| login.user.clone()) };
        leave(&mut line).await;
        Ok(met)
    }

    /// The server's words when it has taken the mail.
    pub(super) async fn send(&self, message: &Message) -> Result<String, Failure> {
        let end = Instant::now() + self.limit;
        let mut line = self.enter(end).await?;
        within(end, Stage::Announcing, announce(&mut line, message)).await?;
        let taken = within(end, Stage::Text, line.message(&message.formatted())).await?;
        leave(&mut line).await;
        Ok(taken.message().collect::<Vec<_>>().join(" "))
    }

    async fn enter(&self, end: Instant) -> Result<AsyncSmtpConnection, Failure> {
        let bare = reached(end, TcpStream::connect((self.host.as_str(), self.port))).await?;
        let mut line = if let Line::Tls(config, name) = &self.line {
            let encrypted = reached(end, TlsConnector::from(Arc::clone(config)).connect(name.clone(), bare)).await?;
            let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(Hearing::of(encrypted)), &self.hello);
            within(end, Stage::Connecting, greeted).await?
        } else {
            within(end, Stage::Connecting, self.greet(bare)).await?
        };
        if let Some(login) = &self.login {
            within(end, Stage::LoggingIn, line.auth(&[Mechanism::Plain, Mechanism::Login], &login.credentials)).await?;
        }
        Ok(line)
    }

    async fn greet(&self, bare: TcpStream) -> Result<AsyncSmtpConnection, SmtpError> {
        let mut line = AsyncSmtpConnection::connect_with_transport(Box::new(Hearing::of(bare)), &self.hello).await?;
        match &self.line {
            Line::StartTls(tls) => line.starttls(tls.clone(), &self.hello).await?,
            Line::StartTlsIfOffered(tls) if line.can_starttls() => line.starttls(tls.clone(), &self.hello).await?,
            Line::StartTlsIfOffered(_) | Line::Plain | Line::Tls(..) => {}
        }
        Ok(line)
    }
}

/// A line to the server, before anything is said on it.
async fn reached<T>(end: Instant, work: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    let stage = Stage::Connecting;
    match timeout_at(end, work).await {
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) => {
            let cause = error.to_string();
            Err(Failure { stage, why: mend_tls(&cause).map_or(Why::Broken(cause), Why::Never) })
        }
        Err(_) => Err(Failure { stage, why: Why::TimeRanOut }),
    }
}

async fn announce(line: &mut AsyncSmtpConnection, message: &Message) -> Result<(), SmtpError> {
    let envelope = message.envelope();
    let is_plain = |address: &Address| address.to_string().is_ascii();
    let needs_more = !envelope.from().into_iter().chain(envelope.to()).all(is_plain);
    // A server that cannot take such an address says so to the one it knows.
    let more = needs_more && line.server_info().supports_feature(Extension::SmtpUtfEight);
    let parameters = if more { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
    line.command(Mail::new(envelope.from().cloned(), parameters)).await?;
    for to in envelope.to() {
        line.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    line.command(Data).await.map(drop)
}

async fn leave(line: &mut AsyncSmtpConnection) {
    // Whatever it says to that, the mail is taken.
    let _ = tokio::time::timeout(FAREWELL, line.quit()).await;
}

async fn within<T>(end: Instant, stage: Stage, work: impl Future<Output = Result<T, SmtpError>>) -> Result<T, Failure> {
    match timeout_at(end, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Failure { stage, why: Why::of(stage, &error) }),
        Err(_) => Err(Failure { stage, why: Why::TimeRanOut }),
    }
}

impl Why {
    fn of(stage: Stage, error: &SmtpError) -> Self {
        let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        let said = |code: Option<_>| match code {
            Some(code) => format!("the server says {code} {cause}"),
            None => cause.clone(),
        };
        if error.is_timeout() {
            Self::TimeRanOut
        } else if error.is_transient() {
            Self::Later(said(error.status()))
        } else if error.is_permanent() {
            Self::Never(said(error.status()))
        } else if error.is_client() {
            Self::Never(unable(&cause))
        } else if error.is_response() {
            Self::Broken(format!(
                "what answers there does not speak as a mail server does ({cause}): check the address and its port"
            ))
        } else {
            // A line that breaks after the text is out tells nothing of what became of the mail, however it breaks.
            let trust = mend_tls(&cause).filter(|_| stage != Stage::Text);
            trust.map_or(Self::Broken(cause), Self::Never)
        }
    }
}

/// What the library finds missing, in words with the next step.
fn unable(cause: &str) -> String {
    if cause.contains("STARTTLS") {
        "the server offers no TLS, and nothing goes over an open line: use `smtps://`, or another port".to_owned()
    } else if cause.contains("authentication mechanism") {
        "the server takes no password here: use its port for submission with TLS, or leave the login out".to_owned()
    } else {
        cause.to_owned()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::LoggingIn => "logging in",
            Self::Announcing => "announcing it",
            Self::Text => "handing it over",
        })
    }
}

/// Mozilla's roots, and those in the file.
fn parameters(host: &str, authority: Option<&Path>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(file) = authority {
        let shown = file.display();
        let pem = std::fs::read(file).map_err(|error| format!("the certificates in {shown} cannot be read: {error}"))?;
        if !String::from_utf8_lossy(&pem).contains("BEGIN CERTIFICATE") {
            return Err(format!("there is no certificate in {shown}: it must be PEM"));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|_| format!("the certificates in {shown} cannot be read"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| format!("no TLS: {error}"))
}
