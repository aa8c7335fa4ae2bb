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
    },
    Http {
        url: SecretSource,
        headers: Vec<(String, SecretSource)>,
    },
    Smtp {
        server: MailServer,
        from: String,
    },
    /// Slack-like: a POST of `{"text": ...}`.
    Webhook {
        url: SecretSource,
    },
    /// A program of this machine, by its arguments and never by a shell.
    Command(Box<Program>),
}

impl ConnectionKind {
    /// The word for it in a pack (`db.sql = ...`).
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sql { .. } => "sql",
            Self::Stripe { .. } => "stripe",
            Self::Http { .. } => "http",
            Self::Smtp { .. } => "smtp",
            Self::Webhook { .. } => "webhook",
            Self::Command(_) => "command",
        }
    }
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
