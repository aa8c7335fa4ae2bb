//! Takes secrets out of every word that leaves an adapter.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::text::Text;

/// Shorter than this is no secret worth the name, and would blacken half of every sentence.
const SHORTEST: usize = 4;

/// A shorter line of a secret is a bracket or a dash.
const LONG_LINE: usize = 8;

/// In data a shorter one may stand by chance, and data must not change.
const SHORTEST_ECHO: usize = 16;

/// The secrets of one connection, each in every spelling in which an error could repeat it.
#[derive(Clone, Default)]
pub(super) struct Scrubber {
    secrets: Vec<SecretString>,
}

impl Scrubber {
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= SHORTEST && !self.secrets.iter().any(|known| known.expose_secret() == secret) {
            self.secrets.push(SecretString::from(secret));
            // The longest first: a URL goes before the password inside it.
            self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        }
    }

    /// Hides a secret of several lines in each of them as well: what is printed is told line by line.
    pub(super) fn hide_lines(&mut self, secret: &str) {
        self.hide(secret);
        if secret.contains('\n') {
            secret.lines().filter(|line| line.len() >= LONG_LINE).for_each(|line| self.hide(line));
        }
    }

    /// The bytes of the longest secret.
    pub(super) fn longest(&self) -> usize {
        self.secrets.first().map_or(1, |secret| secret.expose_secret().len())
    }

    /// Where data can be cut at `at` or before it, so that no secret has a part on both sides.
    pub(super) fn cut_before(&self, data: &[u8], at: usize) -> usize {
        let straddles = |secret: &SecretString| {
            let secret = secret.expose_secret().as_bytes();
            (at.saturating_sub(secret.len().saturating_sub(1))..at)
                .find(|start| data.get(*start..).is_some_and(|rest| rest.starts_with(secret)))
        };
        match self.secrets.iter().filter_map(straddles).min() {
            // A secret at the very beginning is taken whole.
            Some(0) => self.secrets.iter().map(|secret| secret.expose_secret().len()).max().unwrap_or(at).min(data.len()),
            Some(start) => start,
            None => at,
        }
    }

    /// How many of the last bytes may be the beginning of a secret.
    pub(super) fn begun_secret(&self, data: &[u8]) -> usize {
        let begun = |secret: &SecretString| {
            let secret = secret.expose_secret().as_bytes();
            (SHORTEST..secret.len()).rev().find(|length| secret.get(..*length).is_some_and(|begun| data.ends_with(begun)))
        };
        self.secrets.iter().filter_map(begun).max().unwrap_or(0)
    }

    /// True where a secret stands in it.
    pub(super) fn is_in(&self, said: &str) -> bool {
        self.secrets.iter().any(|secret| said.contains(secret.expose_secret()))
    }

    /// Hides what is secret in an address: the whole, its password and the values of its query, as written and decoded.
    pub(super) fn hide_address(&mut self, address: &str) {
        let Ok(url) = reqwest::Url::parse(address) else { return };
        if let Some(password) = url.password() {
            self.hide(address);
            self.hide(password);
            self.hide_login(&decoded(url.username()), &decoded(password));
        }
        for (name, value) in url.query_pairs() {
            let name = name.to_ascii_lowercase();
            if ["password", "secret", "token", "key", "signature"].iter().any(|word| name.contains(word)) {
                self.hide(address);
                self.hide(&value);
            }
        }
    }

    /// Hides a password, as it is, and as a header or a mail server's AUTH carries it and a service may repeat it.
    pub(super) fn hide_login(&mut self, user: &str, password: &str) {
        self.hide(password);
        for spelled in
            [password.to_owned(), format!("{user}:{password}"), format!("\0{user}\0{password}"), format!("{user} {password}")]
        {
            self.hide(&STANDARD.encode(spelled));
        }
    }

    pub(super) fn clean(&self, said: &str) -> String {
        self.secrets.iter().fold(said.to_owned(), |said, secret| said.replace(secret.expose_secret(), "***"))
    }

    /// The data with each long secret taken out; `None` where there is none in it.
    pub(super) fn without_echoes(&self, data: &[u8]) -> Option<Vec<u8>> {
        let is_in = |secret: &&SecretString| {
            let secret = secret.expose_secret().as_bytes();
            secret.len() >= SHORTEST_ECHO && data.windows(secret.len()).any(|window| window == secret)
        };
        let found: Vec<_> = self.secrets.iter().filter(is_in).collect();
        let text = (!found.is_empty()).then(|| String::from_utf8_lossy(data).into_owned())?;
        Some(found.iter().fold(text, |text, secret| text.replace(secret.expose_secret(), "***")).into_bytes())
    }

    pub(super) fn text(&self, said: &str) -> Text {
        Text::new(self.clean(said))
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({})", self.secrets.len())
    }
}

/// Percent-encoded text as it was meant; what cannot be decoded stays.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let byte = match tail {
            [high, low, ..] if *first == b'%' => hex::decode([*high, *low]).ok().and_then(|pair| pair.first().copied()),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = tail.get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_as_written_and_as_meant() {
        let mut scrub = Scrubber::default();
        scrub.hide_address("postgres://app:p%40ss-canary@db.example/app");
        let said = "auth failed for postgres://app:p%40ss-canary@db.example/app with p@ss-canary and p%40ss-canary";
        assert_eq!(scrub.clean(said), "auth failed for *** with *** and ***");
        assert_eq!(format!("{scrub:?}"), "Scrubber(7)");
        let repeated = "535 no such user: AGFwcABwQHNzLWNhbmFyeQ==";
        assert_eq!(scrub.clean(repeated), "535 no such user: ***");
    }

    #[test]
    fn an_address_without_a_secret_stays_readable() {
        let mut scrub = Scrubber::default();
        scrub.hide_address("https://site.example/path?page=2");
        assert_eq!(scrub.clean("https://site.example/path?page=2"), "https://site.example/path?page=2");
    }

    #[test]
    fn data_loses_a_long_secret_and_keeps_what_is_short_enough_to_be_chance() {
        let mut scrub = Scrubber::default();
        scrub.hide("production");
        scrub.hide("canary-7f3a9c-0123456789");
        let data = br#"{"stage":"production","you_sent":"canary-7f3a9c-0123456789"}"#;
        assert_eq!(scrub.without_echoes(data).unwrap(), br#"{"stage":"production","you_sent":"***"}"#);
        assert_eq!(scrub.without_echoes(br#"{"stage":"production"}"#), None);
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(decoded("100%zz%4"), "100%zz%4");
        assert_eq!(decoded("a%20b"), "a b");
    }
}
