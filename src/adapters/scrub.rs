//! Takes secrets out of every word that leaves an adapter.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use crate::domain::{rows::Rows, text::Text, value::Value};

/// Shorter than this is no secret worth the name, and would blacken half of every sentence.
const SHORTEST: usize = 4;

/// A shorter line of a secret is a bracket or a dash.
const LONG_LINE: usize = 8;

/// In data a shorter one may stand by chance, and data must not change.
const SHORTEST_ECHO: usize = 8;

/// So long, even a plain word or a number does not stand there by chance.
const LONG_ECHO: usize = 16;

/// The secrets of one connection, each in every spelling in which an error could repeat it.
#[derive(Clone, Default)]
pub(super) struct Scrubber {
    secrets: Vec<SecretString>,
}

impl Scrubber {
    /// Hides a secret, also as JSON escapes what is in it.
    pub(super) fn hide(&mut self, secret: &str) {
        let quoted = Json::from(secret).to_string();
        let escaped = quoted.get(1..quoted.len() - 1).unwrap_or_default();
        self.hide_spelled(secret);
        self.hide_spelled(escaped);
        self.hide_spelled(&escaped.replace('/', "\\/"));
    }

    fn hide_spelled(&mut self, secret: &str) {
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

    /// As `clean`, for the words of an answer, whose JSON may spell any letter as a number.
    pub(super) fn clean_answer(&self, said: &str) -> String {
        let cleaned = self.clean(said);
        if cleaned.contains("\\u")
            && let Ok(mut json) = serde_json::from_str::<Json>(&cleaned)
            && replace_in(&mut json, &|text| Some(self.clean(text)).filter(|cleaned| cleaned != text))
        {
            return json.to_string();
        }
        cleaned
    }

    /// The data with each secret taken out that cannot stand there by chance; `None` where there is none in it.
    pub(super) fn without_echoes(&self, data: &[u8]) -> Option<Vec<u8>> {
        let is_in = |secret: &&str| data.windows(secret.len()).any(|window| window == secret.as_bytes());
        let found: Vec<_> = self.echoes().filter(is_in).collect();
        let text = (!found.is_empty()).then(|| String::from_utf8_lossy(data).into_owned())?;
        Some(found.iter().fold(text, |text, secret| text.replace(secret, "***")).into_bytes())
    }

    /// The same of cells: what data spelled in its own way is plain in them.
    pub(super) fn rows_without_echoes(&self, rows: Rows) -> Rows {
        if self.echoes().next().is_none() {
            return rows;
        }
        let columns: Vec<String> =
            rows.columns().iter().map(|name| self.unechoed(name).unwrap_or_else(|| name.clone())).collect();
        let cells = rows.into_rows().into_iter().map(|row| row.values().iter().map(|cell| self.cell(cell)).collect());
        Rows::new(columns, cells.collect::<Vec<_>>())
    }

    fn cell(&self, cell: &Value) -> Value {
        match cell {
            Value::Text(text) => self.unechoed(text.original()).map_or_else(|| cell.clone(), Value::text),
            Value::Json(json) => {
                let mut json = json.clone();
                replace_in(&mut json, &|text| self.unechoed(text));
                Value::Json(json)
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) | Value::Money(_) | Value::Time(_) => {
                cell.clone()
            }
        }
    }

    fn unechoed(&self, text: &str) -> Option<String> {
        let is_in = self.echoes().any(|secret| text.contains(secret));
        is_in.then(|| self.echoes().fold(text.to_owned(), |text, secret| text.replace(secret, "***")))
    }

    fn echoes(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(secrecy::ExposeSecret::expose_secret).filter(|secret| is_no_chance(secret))
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

/// True where a secret can stand in data only because it was sent: it is long, or more than a word or a number.
fn is_no_chance(secret: &str) -> bool {
    let small = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_word = secret.get(1..).is_some_and(small) && secret.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_ordinary =
        is_word || secret.bytes().all(|byte| byte.is_ascii_uppercase()) || secret.bytes().all(|byte| byte.is_ascii_digit());
    secret.len() >= LONG_ECHO || secret.len() >= SHORTEST_ECHO && !is_ordinary
}

/// Puts something else in the place of names and texts, however deep; true where there was any.
fn replace_in(json: &mut Json, instead: &dyn Fn(&str) -> Option<String>) -> bool {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
        Json::String(text) => instead(text).map(|other| *text = other).is_some(),
        Json::Array(items) => items.iter_mut().filter_map(|item| replace_in(item, instead).then_some(())).count() > 0,
        Json::Object(fields) => {
            let names: Vec<(String, String)> = fields.keys().filter_map(|name| Some((name.clone(), instead(name)?))).collect();
            for (name, other) in &names {
                if let Some(value) = fields.remove(name) {
                    fields.insert(other.clone(), value);
                }
            }
            let below = fields.values_mut().filter_map(|value| replace_in(value, instead).then_some(())).count();
            below + names.len() > 0
        }
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
        assert_eq!(format!("{scrub:?}"), "Scrubber(8)");
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
    fn data_loses_every_secret_that_cannot_stand_there_by_chance() {
        for kept in ["production", "Production", "PRODUCTION", "20261120", "abc-123"] {
            let mut scrub = Scrubber::default();
            scrub.hide(kept);
            assert_eq!(scrub.without_echoes(kept.as_bytes()), None, "{kept}");
            assert_eq!(scrub.cell(&Value::text(kept)), Value::text(kept));
        }
        for hidden in
            ["canary-7f3a9c-0123456789", "s3cr3t-7", "XkTqPbWz", "p/a\"s\\s w0rd", "aswordofsixteens", "1234567890123456"]
        {
            let mut scrub = Scrubber::default();
            scrub.hide(hidden);
            let data = format!("you sent {hidden}!");
            assert_eq!(scrub.without_echoes(data.as_bytes()).unwrap(), b"you sent ***!", "{hidden}");
            assert_eq!(scrub.cell(&Value::text(data)), Value::text("you sent ***!"), "{hidden}");
        }
    }

    #[test]
    fn a_secret_is_known_however_json_spells_it() {
        let mut scrub = Scrubber::default();
        scrub.hide("tok/7\"f3\u{e4}");
        let spelled = r#"{"a": "tok\/7\"f3ä", "b": "tok/7\"f3ä", "tok/7\"f3ä": 1, "c": "\u0074ok\/7\u0022f3\u00e4"}"#;
        let cleaned = scrub.clean_answer(spelled);
        assert_eq!(
            serde_json::from_str::<Json>(&cleaned).unwrap(),
            serde_json::json!({ "a": "***", "b": "***", "***": 1, "c": "***" })
        );
        let json: Json = serde_json::from_str(spelled).unwrap();
        assert_eq!(
            scrub.cell(&Value::Json(json)),
            Value::Json(serde_json::json!({ "a": "***", "b": "***", "***": 1, "c": "***" }))
        );
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(decoded("100%zz%4"), "100%zz%4");
        assert_eq!(decoded("a%20b"), "a b");
    }
}
