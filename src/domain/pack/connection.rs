//! Connections: outside systems and where their secrets are found, never the secrets.

use std::{path::PathBuf, time::Duration};

use crate::domain::zone::Zone;

use super::Program;

use crate::domain::id::Id;

/// An outside system and how to reach it. Holds no secret, only where each one is found.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: Id<Connection>,
    pub kind: ConnectionKind,
    /// The longest that one look or one act may take.
    pub timeout: Duration,
}

#[derive(Clone, Debug)]
pub enum ConnectionKind {
    /// `sqlite:` or `postgres:` by the URL's scheme.
    Sql {
        url: SecretSource,
        /// Where acts go by a role of their own: the same database, another user.
        act_url: Option<SecretSource>,
        /// A table of the business in which each act is marked in its own transaction (`action_id`, `step` unique),
        /// so that an act that was cut off can be told from one that never came.
        marks: Option<String>,
        /// The certificates of those who may sign the server's, beside the public authorities (PEM).
        ca_file: Option<PathBuf>,
        /// Where a `timestamp` without a zone is meant; `None` is UTC.
        timestamps_in: Option<Zone>,
    },
    Stripe {
        key: SecretSource,
        /// Base URL, with trailing slash; `None` is Stripe's own.
        url: Option<SecretSource>,
        account: Option<String>,
        livemode: bool,
        /// A live key that may do everything is accepted.
        unrestricted: bool,
        /// The business's own handlers, to which events can be sent by ourselves.
        handlers: Vec<EventHandler>,
    },
    Http {
        url: SecretSource,
        headers: Vec<(String, SecretSource)>,
        /// Sent as `Authorization: Bearer ...`.
        token: Option<SecretSource>,
        /// The certificates of those who may sign the server's, beside the public authorities (PEM).
        ca_file: Option<PathBuf>,
        /// Which one it is, where it is one that the program knows by name.
        service: Option<Service>,
    },
    Smtp {
        server: MailServer,
        from: String,
        /// A name and its password, where the address has none.
        login: Option<(String, SecretSource)>,
        ca_file: Option<PathBuf>,
    },
    Firestore {
        /// The project's id: no secret, but where it differs between installations it is found like one.
        project: SecretSource,
        database: String,
        /// A service account's key; `None`: Google's default credentials of this machine.
        credentials: Option<SecretSource>,
        /// A collection in which each act is marked in its own commit.
        marks: Option<String>,
    },
    /// A POST with the message.
    Webhook { url: SecretSource, ca_file: Option<PathBuf>, format: MessageFormat },
    /// A program of this machine, by its arguments and never by a shell.
    Command(Box<Program>),
}

/// How a webhook takes a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageFormat {
    /// As Slack does: `{"text": ...}`.
    #[default]
    Slack,
    /// The text alone.
    Plain,
}

impl ConnectionKind {
    /// The program that it runs, as the pack names it.
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::Command(program) => Some(&program.program),
            Self::Sql { .. }
            | Self::Stripe { .. }
            | Self::Http { .. }
            | Self::Smtp { .. }
            | Self::Firestore { .. }
            | Self::Webhook { .. } => None,
        }
    }

    /// The word for it in a pack (`db.sql = ...`).
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sql { .. } => "sql",
            Self::Stripe { .. } => "stripe",
            Self::Http { service: Some(service), .. } => service.word,
            Self::Http { service: None, .. } => "http",
            Self::Smtp { .. } => "smtp",
            Self::Webhook { .. } => "webhook",
            Self::Command(_) => "command",
            Self::Firestore { .. } => "firestore",
        }
    }
}

/// A service over HTTP whose paths a pack need not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The word for it in a pack.
    pub word: &'static str,
    /// As it writes itself.
    pub title: &'static str,
    /// Where it is, unless the pack says otherwise.
    pub address: Option<&'static str>,
    /// What tells whose token it is: a path, and labels with pointers into its answer.
    pub door: String,
    pub facts: Vec<(&'static str, &'static str)>,
}

/// A place of the business that takes the payment account's events.
#[derive(Clone, Debug)]
pub struct EventHandler {
    pub name: String,
    pub url: SecretSource,
    /// What its events are signed with (`whsec_...`).
    pub secret: SecretSource,
}

#[derive(Clone, Debug)]
pub enum MailServer {
    /// `smtps://user:password@host`, or a `file:///directory` into which each mail is written.
    Url(SecretSource),
}

/// Where a secret, or an address that differs between installations, is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The name of an environment variable.
    Environment(String),
    /// A file, refused unless it is mode 0600 and the operator's own.
    File(PathBuf),
    /// A command (argv, no shell) whose standard output is the secret.
    Command(Vec<String>),
    /// Written in the pack: for what is no secret.
    Plain(String),
}
