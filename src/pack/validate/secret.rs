//! Where a secret, or an address that differs between installations, is found.

use std::path::PathBuf;

use crate::{
    domain::pack::SecretSource,
    pack::{nearest::list, place::Place},
};

use super::reader::Reader;

/// The ways in which one thing (`url`, `key`) can be given.
#[derive(Clone, Copy, Default)]
pub(super) struct Given<'a> {
    pub plain: Option<&'a String>,
    pub environment: Option<&'a String>,
    pub file: Option<&'a String>,
    pub command: Option<&'a Vec<String>>,
}

impl Reader<'_> {
    /// The one way in which it is given; none is a problem where it is required.
    pub(super) fn secret(&mut self, place: &Place, what: &str, given: Given<'_>, is_required: bool) -> Option<SecretSource> {
        let keys = ["", "_env", "_file", "_command"].map(|how| format!("{what}{how}"));
        let [plain_key, environment_key, file_key, command_key] = keys.each_ref().map(|key| place.key(key));
        let mut sources = Vec::new();
        if let Some(text) = given.plain {
            sources.push((plain_key, SecretSource::Plain(text.clone())));
        }
        if let Some(name) = given.environment {
            self.environment_name(&environment_key, name);
            sources.push((environment_key, SecretSource::Environment(name.clone())));
        }
        if let Some(path) = given.file {
            self.not_empty(&file_key, path, "the file's name");
            sources.push((file_key, SecretSource::File(PathBuf::from(path))));
        }
        if let Some(argv) = given.command {
            if argv.first().is_none_or(|program| program.trim().is_empty()) {
                self.say(&command_key, "a command needs a program", "nothing to run", None);
            }
            sources.push((command_key, SecretSource::Command(argv.clone())));
        }
        if let Some((second, _)) = sources.get(1) {
            let help = Some(format!("one of {}", list(&keys.each_ref().map(String::as_str))));
            self.say_key(second, format!("`{what}` is given more than once"), "one too many", help);
        }
        if sources.is_empty() && is_required {
            let names: Vec<&str> = keys.iter().skip(1).map(String::as_str).collect();
            let help = Some(format!("one of {}", list(&names)));
            self.say(place, format!("where is the `{what}` found?"), &format!("needs `{what}_env`"), help);
        }
        sources.into_iter().next().map(|(_, source)| source)
    }

    /// The name of a variable, never what it holds.
    pub(super) fn environment_name(&mut self, place: &Place, name: &str) {
        let looks_secret = looks_secret(name) || name.contains("://");
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if looks_secret {
            let help =
                Some("take it out of the file, count it as known, and name the variable that holds the new one".to_owned());
            self.say(place, "this looks like the secret itself, not like the name of a variable", "never here", help);
        } else if !is_name {
            let help = Some("such as `SHOP_DATABASE_URL`".to_owned());
            self.say(place, format!("`{name}` is not the name of an environment variable"), "not a name", help);
        }
    }

    /// A URL that anyone may read: no user, no password.
    pub(super) fn open_url(&mut self, place: &Place, url: &str, schemes: &[&str]) {
        let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| schemes.contains(scheme)) else {
            let schemes = schemes.iter().map(|scheme| format!("`{scheme}:`")).collect::<Vec<_>>().join(" or ");
            let help = "name the variable that holds any other: `url_env`".to_owned();
            self.say(place, format!("only a URL that begins with {schemes} can stand in a pack"), "not such a URL", Some(help));
            return;
        };
        let authority = rest.strip_prefix("//").unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            let help = Some("name the variable that holds the whole URL: `url_env`".to_owned());
            self.say(
                place,
                format!("this `{scheme}` URL carries a user or a password, and a pack holds no secret"),
                "not here",
                help,
            );
        }
    }
}

/// True for what is written as secrets are.
pub(super) fn looks_secret(text: &str) -> bool {
    let has_password = |(_, rest): (&str, &str)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.split_once('@').is_some_and(|(user, _)| user.contains(':'))
    };
    ["sk_", "rk_", "whsec_", "Bearer ", "eyJ"].iter().any(|mark| text.starts_with(mark))
        || text.split_once("://").is_some_and(has_password)
}

/// True where a request to it never leaves the machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
