//! The outside: one file or folder per system. Opening a pack's connections sends nothing; each is reached when first used.
//!
//! Never a secret in an error, a `Debug` or a log line: every word that leaves an adapter has passed its `Scrubber`.

#[cfg(test)]
#[path = "../../tests/partners/absent.rs"]
mod absent;
mod command;
mod environment;
mod firestore;
mod http;
mod mail;
mod scrub;
mod sql;
mod stripe;
#[cfg(test)]
mod testing;
mod transport;
mod webhook;

use std::{collections::HashMap, sync::Arc};

pub use environment::Environment;
pub use sql::{Database, marks_table, marks_upgrade};

use self::{
    command::CommandSystem,
    firestore::{Declared, FirestoreSystem},
    http::{HttpSystem, Reach},
    mail::{MailSystem, Office},
    sql::{Reached, SqlSystem},
    stripe::StripeSystem,
    webhook::WebhookSystem,
};
use crate::{
    domain::{
        pack::{Connection, ConnectionKind, MailServer, Pack, SecretSource},
        text::Text,
    },
    ports::{Connections, Outcome, SourceError, System},
};

/// Where Google's own libraries find an emulator of Firestore.
const EMULATOR: &str = "FIRESTORE_EMULATOR_HOST";

/// Whether an emulator takes Google's place in every connection to documents.
pub fn has_emulator(environment: &Environment) -> bool {
    environment.find_optional(&SecretSource::Environment(EMULATOR.to_owned())).is_ok_and(|found| found.is_some())
}

/// Chooses the one TLS provider of the process; mixing two panics. Harmless when called again.
pub fn install_tls() {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Opens every connection of the pack, or says every problem. Nothing is sent; secrets are fetched here.
pub fn open(pack: &Pack, environment: &Environment) -> Result<Connections, Vec<String>> {
    let mut systems = HashMap::new();
    let mut problems = Vec::new();
    for (connection, opened) in pack.connections.iter().zip(open_each(pack, environment)) {
        match opened {
            Ok(system) => {
                systems.insert(connection.id.clone(), system);
            }
            Err(problem) => problems.push(format!("connection `{}`: {problem}", connection.id)),
        }
    }
    if problems.is_empty() { Ok(Connections(systems)) } else { Err(problems) }
}

/// Opens the connections in the pack's order, each by itself.
pub fn open_each(pack: &Pack, environment: &Environment) -> Vec<Result<Arc<dyn System>, String>> {
    let environment = &environment.clone().keeping_back(variables(pack));
    pack.connections.iter().map(|connection| open_one(connection, environment)).collect()
}

/// The variables that the pack's connections name.
fn variables(pack: &Pack) -> Vec<String> {
    let sources = pack.connections.iter().flat_map(|connection| match &connection.kind {
        ConnectionKind::Sql { url, act_url, .. } => std::iter::once(url).chain(act_url).collect(),
        ConnectionKind::Webhook { url, .. } => vec![url],
        ConnectionKind::Smtp { server: MailServer::Url(url), login, .. } => {
            std::iter::once(url).chain(login.iter().map(|(_, password)| password)).collect()
        }
        ConnectionKind::Stripe { key, url, handlers, .. } => {
            let handlers = handlers.iter().flat_map(|handler| [&handler.url, &handler.secret]);
            std::iter::once(key).chain(url).chain(handlers).collect()
        }
        ConnectionKind::Http { url, headers, token, .. } => {
            std::iter::once(url).chain(headers.iter().map(|(_, value)| value)).chain(token).collect()
        }
        // The project's id is no secret.
        ConnectionKind::Firestore { credentials, .. } => credentials.iter().collect(),
        ConnectionKind::Command(program) => program.environment.iter().map(|(_, value)| value).chain(&program.input).collect(),
    });
    let name = |source: &SecretSource| match source {
        SecretSource::Environment(name) => Some(name.clone()),
        SecretSource::File(_) | SecretSource::Command(_) | SecretSource::Plain(_) => None,
    };
    sources.filter_map(name).collect()
}

/// The tables of marks that a pack names, and the kind of each database, where its address is at hand without a command.
pub fn marked(pack: &Pack, environment: &Environment) -> Vec<(String, Option<Database>)> {
    let tables = pack.connections.iter().filter_map(|connection| match &connection.kind {
        ConnectionKind::Sql { url, marks: Some(table), .. } => {
            let address = match url {
                SecretSource::Command(_) => None,
                SecretSource::Environment(_) | SecretSource::File(_) | SecretSource::Plain(_) => environment.find(url).ok(),
            };
            Some((table.clone(), address.and_then(|address| Database::of(address.expose()))))
        }
        ConnectionKind::Sql { marks: None, .. }
        | ConnectionKind::Stripe { .. }
        | ConnectionKind::Http { .. }
        | ConnectionKind::Smtp { .. }
        | ConnectionKind::Webhook { .. }
        | ConnectionKind::Firestore { .. }
        | ConnectionKind::Command(_) => None,
    });
    tables.collect()
}

fn open_one(connection: &Connection, environment: &Environment) -> Result<Arc<dyn System>, String> {
    let name = connection.id.as_str();
    let timeout = connection.timeout;
    Ok(match &connection.kind {
        ConnectionKind::Sql { url, act_url, marks, ca_file, timestamps_in } => {
            let act_url = act_url.as_ref().map(|url| environment.find(url)).transpose()?;
            let (url, authority, zone) = (&environment.find(url)?, ca_file.as_deref(), *timestamps_in);
            let reached = Reached { url, act_url: act_url.as_ref(), authority, zone, timeout };
            Arc::new(SqlSystem::open(name, &reached, marks.as_deref())?)
        }
        ConnectionKind::Stripe { key, url, account, livemode, unrestricted, handlers } => {
            let base = url.as_ref().map(|url| environment.find_optional(url)).transpose()?.flatten();
            let key = environment.find(key)?;
            let account = account.as_deref();
            let mut system = StripeSystem::open(name, key, base.as_ref(), account, *livemode, *unrestricted, timeout)?;
            for handler in handlers {
                let (url, secret) = (environment.find(&handler.url)?, environment.find(&handler.secret)?);
                system = system.with_handler(&handler.name, &url, secret)?;
            }
            Arc::new(system)
        }
        ConnectionKind::Http { url, headers, token, ca_file, service } => {
            let headers = headers
                .iter()
                .map(|(header, source)| Ok((header.clone(), environment.find(source)?)))
                .collect::<Result<Vec<_>, String>>()?;
            let own = service.as_ref().and_then(|service| service.address).map(|own| SecretSource::Plain(own.to_owned()));
            let url = match own {
                // Its own address, unless another is told.
                Some(own) => environment.find_optional(url)?.map_or_else(|| environment.find(&own), Ok)?,
                None => environment.find(url)?,
            };
            let token = token.as_ref().map(|token| environment.find(token)).transpose()?;
            let (authority, service) = (ca_file.as_deref(), service.clone());
            Arc::new(HttpSystem::open(name, Reach { url, headers, token, authority, service, timeout })?)
        }
        ConnectionKind::Smtp { server: MailServer::Url(url), from, login, ca_file } => {
            let login = login.as_ref().map(|(user, password)| Ok::<_, String>((user.clone(), environment.find(password)?)));
            let (url, login, authority) = (environment.find(url)?, login.transpose()?, ca_file.as_deref());
            Arc::new(MailSystem::open(name, &Office { url, from, login, authority, timeout })?)
        }
        ConnectionKind::Webhook { url, ca_file, format } => {
            Arc::new(WebhookSystem::open(name, environment.find(url)?, *format, ca_file.as_deref(), timeout)?)
        }
        ConnectionKind::Firestore { project, database, credentials, marks } => {
            let emulator = environment.find_optional(&SecretSource::Environment(EMULATOR.to_owned()))?;
            let project = environment.find(project)?;
            // An emulator takes no key, so none is fetched for it.
            let key = credentials.as_ref().filter(|_| emulator.is_none()).map(|key| environment.find(key)).transpose()?;
            let declared = Declared {
                project: project.expose(),
                database,
                key: key.as_ref(),
                marks: marks.as_deref(),
                emulator: emulator.as_ref().map(environment::Found::expose),
                timeout,
            };
            Arc::new(FirestoreSystem::open(name, &declared)?)
        }
        ConnectionKind::Command(program) => Arc::new(CommandSystem::open(name, program, environment, timeout)?),
    })
}

/// The outcome of an order that belongs to another kind of connection.
fn wrong_order(name: &str, kind: &str) -> Outcome {
    Outcome::Rejected(Text::new(format!("{name}: a {kind} connection cannot carry this out; the action names the wrong one")))
}

/// The answer to a query that belongs to another kind of connection.
fn wrong_query(name: &str, kind: &str) -> SourceError {
    SourceError::Refused(Text::new(format!("{name}: a {kind} connection cannot answer this query; the pack names the wrong one")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        adapters::testing::CANARY,
        domain::{
            id::Id,
            money::Currency,
            pack::{MessageFormat, Policy},
        },
    };

    fn pack(connections: Vec<(&str, ConnectionKind)>) -> Pack {
        let connection = |(name, kind)| Connection { id: Id::new(name), kind, timeout: Duration::from_secs(5) };
        Pack {
            name: "shop".into(),
            title: "Shop".into(),
            timezone: crate::domain::zone::Zone::UTC,
            currency: Currency::from_code("AUD").unwrap(),
            connections: connections.into_iter().map(connection).collect(),
            checks: Vec::new(),
            queues: Vec::new(),
            jobs: Vec::new(),
            ledgers: Vec::new(),
            reconciliations: Vec::new(),
            flags: Vec::new(),
            metrics: Vec::new(),
            actions: Vec::new(),
            playbooks: Vec::new(),
            policy: Policy::default(),
        }
    }

    fn named(name: &str) -> SecretSource {
        SecretSource::Environment(name.into())
    }

    fn every_kind() -> Pack {
        pack(vec![
            (
                "db",
                ConnectionKind::Sql {
                    url: named("DB"),
                    act_url: None,
                    marks: Some("operator_actions".into()),
                    ca_file: None,
                    timestamps_in: None,
                },
            ),
            ("stripe", stripe(false)),
            ("site", http(vec![("authorization".into(), named("TOKEN"))])),
            (
                "mail",
                ConnectionKind::Smtp {
                    server: MailServer::Url(named("MAIL")),
                    from: "Shop <a@b.example>".into(),
                    login: None,
                    ca_file: None,
                },
            ),
            ("hook", ConnectionKind::Webhook { url: named("HOOK"), ca_file: None, format: MessageFormat::Slack }),
        ])
    }

    fn http(headers: Vec<(String, SecretSource)>) -> ConnectionKind {
        ConnectionKind::Http { url: named("SITE"), headers, token: None, ca_file: None, service: None }
    }

    fn stripe(unrestricted: bool) -> ConnectionKind {
        ConnectionKind::Stripe {
            key: named("KEY"),
            url: Some(named("STRIPE")),
            account: None,
            livemode: true,
            unrestricted,
            handlers: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_live_key_that_may_do_everything_is_refused_unless_the_pack_says_so() {
        install_tls();
        let environment = Environment::default().with("KEY", format!("sk_live_{CANARY}"));
        let refused = open(&pack(vec![("stripe", stripe(false))]), &environment).unwrap_err();
        assert!(refused[0].contains("`unrestricted = true`") && refused[0].contains("rk_live_"), "{refused:?}");
        let told = async |key: &str, unrestricted| {
            let environment = Environment::default().with("KEY", format!("{key}_{CANARY}"));
            let connections = open(&pack(vec![("stripe", stripe(unrestricted))]), &environment).unwrap();
            connections.find(&Id::new("stripe")).unwrap().inspect().await.unwrap()
        };
        let warned = told("sk_live", true).await;
        assert!(warned.len() == 1 && warned[0].shown().contains("may do everything"), "{warned:?}");
        assert!(!warned[0].shown().contains(CANARY), "{warned:?}");
        assert_eq!(told("rk_live", true).await, []);
        assert_eq!(told("rk_live", false).await, []);
    }

    fn filled() -> Environment {
        Environment::default()
            .with("DB", format!("postgres://app:{CANARY}@db.example/app"))
            .with("KEY", format!("rk_live_{CANARY}"))
            .with("SITE", "https://site.example")
            .with("TOKEN", format!("Bearer {CANARY}"))
            .with("MAIL", format!("smtps://shop:{CANARY}@mail.example"))
            .with("HOOK", format!("https://hooks.example/{CANARY}"))
    }

    #[test]
    fn every_kind_opens_without_a_word_sent() {
        install_tls();
        install_tls();
        // Stripe's address is not set: then it is Stripe's own.
        let connections = open(&every_kind(), &filled()).unwrap();
        assert_eq!(connections.0.len(), 5);
        assert!(!format!("{connections:?}").contains(CANARY));
    }

    #[test]
    fn every_problem_is_said_at_once_and_no_secret_with_it() {
        let environment = Environment::default()
            .with("TOKEN", "Bearer x")
            .with("DB", format!("oracle://app:{CANARY}@db.example/app"))
            .with("SITE", format!("ftp://u:{CANARY}@site.example"))
            .with("MAIL", format!("smtps://shop:{CANARY}@"))
            .with("HOOK", format!("hooks.example/{CANARY}"));
        let problems = open(&every_kind(), &environment).unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:#?}");
        assert!(problems.iter().all(|problem| problem.starts_with("connection `") && !problem.contains(CANARY)), "{problems:#?}");

        let problems = open(&every_kind(), &Environment::default()).unwrap_err();
        let named: Vec<&str> =
            problems.iter().filter_map(|said| said.split_once("variable ")?.1.split_once(' ').map(|name| name.0)).collect();
        assert_eq!(named, ["DB", "KEY", "TOKEN", "MAIL", "HOOK"]);
    }
}
