//! Services that the program knows by name, as they are written: their connections, reads and effects.

use schemars::JsonSchema;
use serde::Deserialize;

/// A project on Vercel.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawVercel {
    /// The environment variable with the token.
    pub token_env: Option<String>,
    /// The file with the token, mode 0600.
    pub token_file: Option<String>,
    /// The command (program and arguments) that prints the token.
    pub token_command: Option<Vec<String>>,
    /// The project's name or id.
    pub project: String,
    /// The team that it belongs to: its slug or id.
    pub team: Option<String>,
    /// Another address than Vercel's own.
    pub url: Option<String>,
    /// The environment variable with another address; unset, Vercel's own is used.
    pub url_env: Option<String>,
    /// The longest that one look or act may take (default `10s`).
    pub timeout: Option<String>,
}

/// A site on Netlify.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawNetlify {
    /// The environment variable with the token.
    pub token_env: Option<String>,
    /// The file with the token, mode 0600.
    pub token_file: Option<String>,
    /// The command (program and arguments) that prints the token.
    pub token_command: Option<Vec<String>>,
    /// The site's id, or its name (`shop.netlify.app`).
    pub site: String,
    /// Another address than Netlify's own.
    pub url: Option<String>,
    /// The environment variable with another address; unset, Netlify's own is used.
    pub url_env: Option<String>,
    /// The longest that one look or act may take (default `10s`).
    pub timeout: Option<String>,
}

/// An organization on Sentry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawSentry {
    /// The environment variable with the token.
    pub token_env: Option<String>,
    /// The file with the token, mode 0600.
    pub token_file: Option<String>,
    /// The command (program and arguments) that prints the token.
    pub token_command: Option<Vec<String>>,
    /// The organization's slug or id.
    pub organization: String,
    /// Another address than `https://sentry.io` (a region's, or one's own server).
    pub url: Option<String>,
    /// The environment variable with another address; unset, Sentry's own is used.
    pub url_env: Option<String>,
    /// The longest that one look may take (default `10s`).
    pub timeout: Option<String>,
}

/// A public status page, as statuspage.io and those like it publish it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawStatuspage {
    /// The page's address.
    pub url: Option<String>,
    /// The environment variable with the page's address.
    pub url_env: Option<String>,
    /// The longest that one look may take (default `10s`).
    pub timeout: Option<String>,
}

/// One variable, or a list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawVercelRead {
    /// The connection.
    pub on: String,
    /// The variable of this name, as one row.
    pub variable: Option<String>,
    pub list: Option<RawVercelList>,
    /// Of which environment (default `production`).
    pub target: Option<RawVercelTarget>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawVercelList {
    Deployments,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawVercelTarget {
    #[default]
    Production,
    Preview,
}

/// Sets a variable, or deploys once more.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawVercelEffect {
    /// The connection.
    pub on: String,
    /// The variable of this name, which is there already; running deployments keep their values.
    pub set: Option<String>,
    /// Its new value, as a template.
    pub to: Option<String>,
    /// Of which environment the variable is (default `production`).
    pub target: Option<RawVercelTarget>,
    /// Deploys the latest ready deployment of this environment once more, with the variables as they are now.
    pub redeploy: Option<RawVercelTarget>,
}

/// A list of a site's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawNetlifyRead {
    /// The connection.
    pub on: String,
    pub list: RawNetlifyList,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawNetlifyList {
    Deploys,
    Functions,
}

/// A build, or the way back to the deploy before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawNetlifyEffect {
    /// The connection.
    pub on: String,
    pub run: RawNetlifyRun,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawNetlifyRun {
    /// Builds and deploys what is in the repository.
    Build,
    /// The same with an empty cache.
    CleanBuild,
    /// Publishes the deploy before the current one.
    Rollback,
}

/// Issues, or the number of errors.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawSentryRead {
    /// The connection.
    pub on: String,
    pub list: RawSentryList,
    /// A project's id or slug (default: all that the token sees).
    pub project: Option<String>,
    /// As the program reports it (`production`).
    pub environment: Option<String>,
    /// A part of the transaction's name, or a pattern with `*` (`/api/stripe/*`).
    pub route: Option<String>,
    /// How far back (default `24h`).
    pub period: Option<String>,
    /// More words of Sentry's own search.
    pub query: Option<String>,
    /// Of issues only so many, the latest seen (default: all of them, or a failure where they are more than 10,000).
    pub at_most: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawSentryList {
    /// Unresolved issues, the latest seen first.
    Issues,
    /// One row: how many errors, and how many people met them.
    Errors,
}

/// What a status page says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RawStatuspageRead {
    /// The connection.
    pub on: String,
    /// Default `status`.
    pub list: Option<RawStatuspageList>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RawStatuspageList {
    /// One row for the whole page.
    #[default]
    Status,
    /// Each part of the service.
    Components,
    /// What is not resolved.
    Incidents,
}
