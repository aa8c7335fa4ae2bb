//! `[connections]`: kinds, and where their secrets are found.

use std::{path::PathBuf, time::Duration};

use crate::{
    domain::pack::{Connection, ConnectionKind, EventHandler, MailServer, MessageFormat, SecretSource},
    pack::{
        place::Place,
        raw::{RawConnection, RawHandler, RawHeader, RawHttp, RawMessageFormat, RawSmtp, RawSql, RawStripe, RawWebhook},
    },
};

use super::{
    Part, command, firestore, id,
    reader::Reader,
    secret::{Given, is_loopback},
    service::{netlify, sentry, statuspage, vercel},
};

const TIMEOUT: Duration = Duration::from_secs(10);
/// A program has more to do than to answer.
const RUN: Duration = Duration::from_mins(1);

pub(super) fn connection(reader: &mut Reader<'_>, part: &Part<RawConnection>) -> Option<Connection> {
    let raw = &part.raw;
    let kinds = [
        ("sql", raw.sql.is_some()),
        ("stripe", raw.stripe.is_some()),
        ("http", raw.http.is_some()),
        ("smtp", raw.smtp.is_some()),
        ("webhook", raw.webhook.is_some()),
        ("vercel", raw.vercel.is_some()),
        ("netlify", raw.netlify.is_some()),
        ("sentry", raw.sentry.is_some()),
        ("statuspage", raw.statuspage.is_some()),
        ("firestore", raw.firestore.is_some()),
        ("command", raw.command.is_some()),
    ];
    let word = reader.exactly_one(&part.place, "the kind of this connection", &kinds)?;
    let place = part.place.key(word);
    let longest = if word == "command" { RUN } else { TIMEOUT };
    let (kind, timeout) = match (&raw.sql, &raw.stripe, &raw.http, &raw.smtp, &raw.webhook) {
        (Some(raw), ..) => (sql(reader, &place, raw), &raw.timeout),
        (_, Some(raw), ..) => (stripe(reader, &place, raw), &raw.timeout),
        (_, _, Some(raw), ..) => (http(reader, &place, raw), &raw.timeout),
        (_, _, _, Some(raw), _) => (smtp(reader, &place, raw), &raw.timeout),
        (_, _, _, _, Some(raw)) => (webhook(reader, &place, raw), &raw.timeout),
        (None, None, None, None, None) => known(reader, &place, raw)?,
    };
    let timeout_place = place.key("timeout");
    let timeout = reader.duration_or(&timeout_place, timeout.as_ref(), longest);
    if timeout.is_zero() {
        reader.say(&timeout_place, "nothing answers in no time", "too short", None);
    }
    Some(Connection { id: id(&part.name), kind: kind?, timeout })
}

/// A service that is known by name, documents, a program.
fn known<'r>(
    reader: &mut Reader<'_>,
    place: &Place,
    raw: &'r RawConnection,
) -> Option<(Option<ConnectionKind>, &'r Option<String>)> {
    if let Some(raw) = &raw.command {
        return Some((Some(command::program(reader, place, raw)), &raw.timeout));
    }
    match (&raw.vercel, &raw.netlify, &raw.sentry, &raw.statuspage, &raw.firestore) {
        (Some(raw), ..) => Some((vercel::open(reader, place, raw), &raw.timeout)),
        (_, Some(raw), ..) => Some((netlify::open(reader, place, raw), &raw.timeout)),
        (_, _, Some(raw), ..) => Some((sentry::open(reader, place, raw), &raw.timeout)),
        (_, _, _, Some(raw), _) => Some((statuspage::open(reader, place, raw), &raw.timeout)),
        (_, _, _, _, Some(raw)) => Some((firestore::connection(reader, place, raw), &raw.timeout)),
        (None, None, None, None, None) => None,
    }
}

fn sql(reader: &mut Reader<'_>, place: &Place, raw: &RawSql) -> Option<ConnectionKind> {
    let given = Given {
        plain: raw.url.as_ref(),
        environment: raw.url_env.as_ref(),
        file: raw.url_file.as_ref(),
        command: raw.url_command.as_ref(),
    };
    let url = reader.secret(place, "url", given, true);
    if let Some(url) = &raw.url {
        reader.open_url(&place.key("url"), url, &["sqlite"]);
    }
    let given = Given {
        plain: raw.act_url.as_ref(),
        environment: raw.act_url_env.as_ref(),
        file: raw.act_url_file.as_ref(),
        command: raw.act_url_command.as_ref(),
    };
    let act_url = reader.secret(place, "act_url", given, false);
    if let Some(url) = &raw.act_url {
        reader.open_url(&place.key("act_url"), url, &["sqlite"]);
    }
    let timestamps_in = raw.timestamps_in.as_ref().and_then(|zone| reader.zone(&place.key("timestamps_in"), zone));
    if let Some(marks) = &raw.marks
        && !(marks.split('.').all(|name| !name.is_empty())
            && marks.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')))
    {
        reader.say(&place.key("marks"), format!("`{marks}` is not the name of a table"), "not a table", None);
    }
    let ca_file = certificates(reader, place, raw.ca_file.as_ref());
    Some(ConnectionKind::Sql { url: url?, act_url, marks: raw.marks.clone(), ca_file, timestamps_in })
}

fn stripe(reader: &mut Reader<'_>, place: &Place, raw: &RawStripe) -> Option<ConnectionKind> {
    let key =
        Given { plain: None, environment: raw.key_env.as_ref(), file: raw.key_file.as_ref(), command: raw.key_command.as_ref() };
    let url = Given { plain: raw.url.as_ref(), environment: raw.url_env.as_ref(), ..Given::default() };
    let key = reader.secret(place, "key", key, true);
    let url = reader.secret(place, "url", url, false);
    if let Some(url) = &raw.url {
        reader.open_url(&place.key("url"), url, &["https", "http"]);
        if url.starts_with("http:") && !is_loopback(url) {
            let help = Some("`https:`, or a stand-in on this machine".to_owned());
            reader.say(&place.key("url"), "the key would travel in clear", "not encrypted", help);
        }
    }
    if let Some(account) = raw.account.as_ref().filter(|account| !account.starts_with("acct_")) {
        let help = Some("`acct_...`, as Stripe's dashboard shows it".to_owned());
        reader.say(&place.key("account"), format!("`{account}` is not an account"), "not an account", help);
    }
    let (account, livemode, unrestricted) = (raw.account.clone(), raw.livemode, raw.unrestricted);
    let handlers = raw.handlers.iter();
    let handlers = handlers.filter_map(|(name, raw)| handler(reader, &place.key("handlers").key(name), name, raw)).collect();
    Some(ConnectionKind::Stripe { key: key?, url, account, livemode, unrestricted, handlers })
}

fn handler(reader: &mut Reader<'_>, place: &Place, name: &str, raw: &RawHandler) -> Option<EventHandler> {
    let given = Given {
        plain: raw.url.as_ref(),
        environment: raw.url_env.as_ref(),
        file: raw.url_file.as_ref(),
        command: raw.url_command.as_ref(),
    };
    let url = reader.secret(place, "url", given, true);
    if let Some(url) = &raw.url {
        reader.open_url(&place.key("url"), url, &["https", "http"]);
    }
    let given = Given {
        plain: None,
        environment: raw.secret_env.as_ref(),
        file: raw.secret_file.as_ref(),
        command: raw.secret_command.as_ref(),
    };
    let secret = reader.secret(place, "secret", given, true);
    Some(EventHandler { name: name.to_owned(), url: url?, secret: secret? })
}

fn http(reader: &mut Reader<'_>, place: &Place, raw: &RawHttp) -> Option<ConnectionKind> {
    let given = Given {
        plain: raw.url.as_ref(),
        environment: raw.url_env.as_ref(),
        file: raw.url_file.as_ref(),
        command: raw.url_command.as_ref(),
    };
    let url = reader.secret(place, "url", given, true);
    if let Some(url) = &raw.url {
        reader.open_url(&place.key("url"), url, &["https", "http"]);
    }
    let mut headers = Vec::new();
    for (key, value) in &raw.headers {
        headers.extend(header(reader, &place.key("headers").key(key), key, value));
    }
    let given = Given {
        plain: None,
        environment: raw.token_env.as_ref(),
        file: raw.token_file.as_ref(),
        command: raw.token_command.as_ref(),
    };
    let token = reader.secret(place, "token", given, false);
    if token.is_some() && raw.headers.keys().any(|key| key.to_lowercase().starts_with("authorization")) {
        let help = Some("`token` becomes that header: `Authorization: Bearer ...`".to_owned());
        reader.say_key(&place.key("headers"), "`authorization` is given twice", "one too many", help);
    }
    let ca_file = certificates(reader, place, raw.ca_file.as_ref());
    Some(ConnectionKind::Http { url: url?, headers, token, ca_file, service: None })
}

fn certificates(reader: &mut Reader<'_>, place: &Place, file: Option<&String>) -> Option<PathBuf> {
    if let Some(file) = file {
        reader.not_empty(&place.key("ca_file"), file, "the file's name");
    }
    file.map(Into::into)
}

/// The ending of the key says how the value is given.
fn header(reader: &mut Reader<'_>, place: &Place, key: &str, value: &RawHeader) -> Option<(String, SecretSource)> {
    let endings = ["_env", "_file", "_command"];
    let split = endings.iter().find_map(|ending| key.strip_suffix(ending).map(|name| (name, *ending)));
    let (name, how) = split.unwrap_or((key, ""));
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        reader.say_key(place, format!("`{name}` is not the name of a header"), "not a header", None);
        return None;
    }
    let source = match (how, value) {
        ("_env", RawHeader::Text(variable)) => {
            reader.environment_name(place, variable);
            SecretSource::Environment(variable.clone())
        }
        ("_file", RawHeader::Text(path)) => SecretSource::File(path.into()),
        ("_command", RawHeader::Command(argv)) if !argv.is_empty() => SecretSource::Command(argv.clone()),
        ("", RawHeader::Text(text)) => {
            let telling = ["authorization", "cookie", "token", "secret", "password", "key"];
            if telling.iter().any(|word| name.to_lowercase().contains(word)) {
                let help = Some(format!("name the variable that holds it: `{name}_env`"));
                reader.say_secret(place, format!("`{name}` is a secret and is never written in a pack"), "not here", help);
            }
            SecretSource::Plain(text.clone())
        }
        (_, RawHeader::Text(_) | RawHeader::Command(_)) => {
            let help = Some("`_command` takes a list: the program and its arguments; all others take a text".to_owned());
            reader.say(place, format!("`{key}` is not given in the right form"), "wrong form", help);
            return None;
        }
    };
    Some((name.to_owned(), source))
}

fn smtp(reader: &mut Reader<'_>, place: &Place, raw: &RawSmtp) -> Option<ConnectionKind> {
    let given = Given {
        plain: raw.url.as_ref(),
        environment: raw.url_env.as_ref(),
        file: raw.url_file.as_ref(),
        command: raw.url_command.as_ref(),
    };
    let url = reader.secret(place, "url", given, true);
    if let Some(url) = &raw.url {
        reader.open_url(&place.key("url"), url, &["smtp", "smtps", "file"]);
    }
    if !raw.from.contains('@') {
        let help = Some("`Name <name@example.org>`".to_owned());
        reader.say(&place.key("from"), format!("`{}` is not a sender", raw.from), "no address", help);
    }
    let login = login(reader, place, raw);
    let ca_file = certificates(reader, place, raw.ca_file.as_ref());
    Some(ConnectionKind::Smtp { server: MailServer::Url(url?), from: raw.from.clone(), login, ca_file })
}

/// A name and a password, both or neither.
fn login(reader: &mut Reader<'_>, place: &Place, raw: &RawSmtp) -> Option<(String, SecretSource)> {
    let given = Given {
        plain: None,
        environment: raw.password_env.as_ref(),
        file: raw.password_file.as_ref(),
        command: raw.password_command.as_ref(),
    };
    let password = reader.secret(place, "password", given, raw.user.is_some());
    match (&raw.user, password) {
        (Some(user), password) => {
            reader.not_empty(&place.key("user"), user, "the name to log in with");
            Some((user.clone(), password?))
        }
        (None, Some(_)) => {
            reader.say(place, "whose password is it?", "needs `user`", None);
            None
        }
        (None, None) => None,
    }
}

fn webhook(reader: &mut Reader<'_>, place: &Place, raw: &RawWebhook) -> Option<ConnectionKind> {
    let given =
        Given { plain: None, environment: raw.url_env.as_ref(), file: raw.url_file.as_ref(), command: raw.url_command.as_ref() };
    let url = reader.secret(place, "url", given, true);
    let ca_file = certificates(reader, place, raw.ca_file.as_ref());
    let format = match raw.format {
        None | Some(RawMessageFormat::Slack) => MessageFormat::Slack,
        Some(RawMessageFormat::Plain) => MessageFormat::Plain,
    };
    Some(ConnectionKind::Webhook { url: url?, ca_file, format })
}
