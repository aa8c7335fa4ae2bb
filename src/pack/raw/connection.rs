//! `[connections]` as they are written: `NAME.KIND = { ... }`. A secret is named, never written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawFirestore, RawNetlify, RawProgram, RawSentry, RawStatuspage, RawVercel};

/// An outside system; exactly one kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::pack) struct RawConnection {
    pub sql: Option<RawSql>,
    pub stripe: Option<RawStripe>,
    pub http: Option<RawHttp>,
    pub smtp: Option<RawSmtp>,
    pub webhook: Option<RawWebhook>,
    pub vercel: Option<RawVercel>,
    pub netlify: Option<RawNetlify>,
    pub sentry: Option<RawSentry>,
    pub statuspage: Option<RawStatuspage>,
    pub firestore: Option<RawFirestore>,
    pub command: Option<RawProgram>,
}

/// PostgreSQL or SQLite, by the scheme of the URL.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawSql {
    /// A `sqlite:` URL; a URL with a password is named by one of the others.
    pub url: Option<String>,
    /// The environment variable with the URL.
    pub url_env: Option<String>,
    /// The file with the URL, mode 0600.
    pub url_file: Option<String>,
    /// The command (program and arguments) that prints the URL.
    pub url_command: Option<Vec<String>>,
    /// Another `sqlite:` URL for acts; one with a password is named by one of the others.
    pub act_url: Option<String>,
    /// The environment variable with the URL by which acts go, of the same database by a role that may change what its
    /// actions change; without it, acts go by `url`.
    pub act_url_env: Option<String>,
    /// The file with the URL for acts, mode 0600.
    pub act_url_file: Option<String>,
    /// The command (program and arguments) that prints the URL for acts.
    pub act_url_command: Option<Vec<String>>,
    /// The file with the certificate (PEM) of the authority that signed the server's, where that is no public one.
    pub ca_file: Option<String>,
    /// The zone in which a PostgreSQL `timestamp` without a zone is meant (default `UTC`).
    pub timestamps_in: Option<String>,
    /// A table in which every act is marked in its own transaction (`action_id`, `step` unique).
    pub marks: Option<String>,
    /// The longest that one look or act may take (default `10s`).
    pub timeout: Option<String>,
}

/// Stripe, by its REST interface.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawStripe {
    /// The environment variable with the key; a restricted key is enough.
    pub key_env: Option<String>,
    /// The file with the key, mode 0600.
    pub key_file: Option<String>,
    /// The command (program and arguments) that prints the key.
    pub key_command: Option<Vec<String>>,
    /// Another base URL than Stripe's own.
    pub url: Option<String>,
    /// The environment variable with another base URL; unset, Stripe's own is used.
    pub url_env: Option<String>,
    /// The account that the key must belong to (`acct_...`).
    pub account: Option<String>,
    /// Whether the key must be a live one.
    pub livemode: bool,
    /// Accepts a live key that may do everything (`sk_live_...`); it is warned of at every start (default `false`).
    #[serde(default)]
    pub unrestricted: bool,
    /// The business's own handlers, to which events can be posted by ourselves.
    #[serde(default)]
    pub handlers: BTreeMap<String, RawHandler>,
    /// The longest that one look or act may take (default `10s`).
    pub timeout: Option<String>,
}

/// A place of the business that takes Stripe's events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawHandler {
    /// Its URL, without a password.
    pub url: Option<String>,
    /// The environment variable with its URL.
    pub url_env: Option<String>,
    /// The file with its URL, mode 0600.
    pub url_file: Option<String>,
    /// The command (program and arguments) that prints its URL.
    pub url_command: Option<Vec<String>>,
    /// The environment variable with its endpoint's signing secret (`whsec_...`).
    pub secret_env: Option<String>,
    /// The file with the secret, mode 0600.
    pub secret_file: Option<String>,
    /// The command (program and arguments) that prints the secret.
    pub secret_command: Option<Vec<String>>,
}

/// A site of the business, or an interface over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawHttp {
    /// The base URL, without a password.
    pub url: Option<String>,
    /// The environment variable with the base URL.
    pub url_env: Option<String>,
    /// The file with the base URL, mode 0600.
    pub url_file: Option<String>,
    /// The command (program and arguments) that prints the base URL.
    pub url_command: Option<Vec<String>>,
    /// Sent with every request: `accept = "application/json"`; a secret as `authorization_env`, `_file` or `_command`.
    #[serde(default)]
    pub headers: BTreeMap<String, RawHeader>,
    /// The environment variable with a token, sent as `Authorization: Bearer ...`.
    pub token_env: Option<String>,
    /// The file with the token, mode 0600.
    pub token_file: Option<String>,
    /// The command (program and arguments) that prints the token.
    pub token_command: Option<Vec<String>>,
    /// The file with the certificate (PEM) of the authority that signed the server's, where that is no public one.
    pub ca_file: Option<String>,
    /// The longest that one look or act may take (default `10s`).
    pub timeout: Option<String>,
}

/// A header's value, the name of what holds it, or the command that prints it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::pack) enum RawHeader {
    Text(String),
    Command(Vec<String>),
}

/// Mail: `smtp://`, `smtps://`, or `file:///directory` into which each mail is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawSmtp {
    /// A URL without a password.
    pub url: Option<String>,
    /// The environment variable with the URL.
    pub url_env: Option<String>,
    /// The file with the URL, mode 0600.
    pub url_file: Option<String>,
    /// The command (program and arguments) that prints the URL.
    pub url_command: Option<Vec<String>>,
    /// `Name <address>`.
    pub from: String,
    /// The name to log in with, where the URL has none.
    pub user: Option<String>,
    /// The environment variable with the password.
    pub password_env: Option<String>,
    /// The file with the password, mode 0600.
    pub password_file: Option<String>,
    /// The command (program and arguments) that prints the password.
    pub password_command: Option<Vec<String>>,
    /// The file with the certificate (PEM) of the authority that signed the server's, where that is no public one.
    pub ca_file: Option<String>,
    /// The longest that one act may take (default `10s`).
    pub timeout: Option<String>,
}

/// A place that takes messages; its URL is a secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawWebhook {
    /// The environment variable with the URL.
    pub url_env: Option<String>,
    /// The file with the URL, mode 0600.
    pub url_file: Option<String>,
    /// The command (program and arguments) that prints the URL.
    pub url_command: Option<Vec<String>>,
    /// How it takes a message: `slack` (default; JSON with the message in `text`) or `plain` (the text alone).
    pub format: Option<RawMessageFormat>,
    /// The file with the certificate (PEM) of the authority that signed the server's, where that is no public one.
    pub ca_file: Option<String>,
    /// The longest that one act may take (default `10s`).
    pub timeout: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawMessageFormat {
    Slack,
    Plain,
}
