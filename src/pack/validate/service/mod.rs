//! Services that the program knows by name. Each becomes a connection, reads and effects over HTTP: nothing after this
//! knows them by anything but a title.

pub(super) mod netlify;
pub(super) mod sentry;
pub(super) mod statuspage;
pub(super) mod vercel;

use crate::{
    domain::{
        id::Id,
        pack::{Connection, ConnectionKind, HttpRead, Paging, Query, Read, SecretSource, Service},
        proof::Proof,
        template::{Template, TemplatePlace},
        value::Value,
    },
    pack::place::Place,
};

use super::{
    reader::{Reader, Section},
    secret::{Given, is_loopback},
};

/// How the address and the token of a service are given.
struct Reached<'a> {
    url: Option<&'a String>,
    url_env: Option<&'a String>,
    /// `None` where there is none to be given.
    token: Option<Given<'a>>,
}

fn connection(reader: &mut Reader<'_>, place: &Place, reached: &Reached<'_>, service: Service) -> Option<ConnectionKind> {
    let given = Given { plain: reached.url, environment: reached.url_env, ..Given::default() };
    let url = reader.secret(place, "url", given, false);
    if url.is_none() && service.address.is_none() {
        reader.say(place, format!("where is the {}?", service.title), "needs `url`", None);
    }
    if let Some(url) = reached.url {
        reader.open_url(&place.key("url"), url, &["https", "http"]);
        if reached.token.is_some() && url.starts_with("http:") && !is_loopback(url) {
            let help = Some("`https:`, or a stand-in on this machine".to_owned());
            reader.say(&place.key("url"), "the token would travel in clear", "not encrypted", help);
        }
    }
    let token = reached.token.map(|given| reader.secret(place, "token", given, true));
    let token = match token {
        Some(token) => Some(token?),
        None => None,
    };
    let url = url.or_else(|| service.address.map(|address| SecretSource::Plain(address.to_owned())))?;
    let headers = vec![("accept".to_owned(), SecretSource::Plain("application/json".to_owned()))];
    Some(ConnectionKind::Http { url, headers, token, ca_file: None, service: Some(service) })
}

/// A read of a service: what is asked, and which cells are taken from the answer.
#[derive(Default)]
struct Listing {
    /// With `{{ name }}` where a given value goes.
    path: String,
    given: Vec<(&'static str, String)>,
    rows: Vec<&'static str>,
    only: Vec<Proof>,
    columns: Vec<(&'static str, &'static str)>,
    times: Vec<&'static str>,
    numbers: Vec<&'static str>,
    pages: Option<Paging>,
}

impl Listing {
    fn query(self, on: Id<Connection>) -> Option<Query> {
        let path = Template::parse_for(TemplatePlace::Path, &self.path).ok()?;
        let path = self.given.into_iter().fold(path, |path, (name, value)| path.with(name, Value::text(value)));
        let owned = |names: Vec<&str>| names.into_iter().map(ToOwned::to_owned).collect::<Vec<_>>();
        let read = HttpRead {
            method: "GET".to_owned(),
            path,
            body: None,
            columns: self.columns.into_iter().map(|(name, pointer)| (name.to_owned(), pointer.to_owned())).collect(),
            rows: owned(self.rows),
            only: self.only,
            times: owned(self.times),
            numbers: owned(self.numbers),
            pages: self.pages,
            probe: false,
        };
        Some(Query { on, read: Read::Http(read), money: Vec::new() })
    }
}

impl Reader<'_> {
    /// A text of a connection's own, by the connection's kind.
    fn text_of(&self, connection: &Id<Connection>, kind: &str, key: &str) -> Option<String> {
        let connections = Place::default().key(Section::Connections.word());
        self.source.find(&connections.key(connection.as_str()).key(kind).key(key))?.text().map(ToOwned::to_owned)
    }

    /// A name that becomes a part of a path as it is.
    fn segment(&mut self, place: &Place, name: &str, what: &str) {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if name.is_empty() || name.starts_with('.') || !is_plain {
            let help = Some("letters, digits, `-`, `_` and `.`, as its address shows it".to_owned());
            self.say(place, format!("`{name}` is not {what}"), "not a name", help);
        }
    }
}
