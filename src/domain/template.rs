//! Texts with `{{ column }}` places: mail, messages, labels, request bodies. A missing name is an error, never a gap.
//!
//! What goes in is written for the place it goes to: a path cannot be led astray by a slash in an id, nor a JSON body
//! by a quote in a note.

mod render;
mod syntax;

use std::{fmt, sync::Arc};

use crate::domain::zone::Zone;

use super::{expression::ExpressionError, rows::Params, value::Value};

use syntax::Piece;

/// A compiled template and its source.
#[derive(Clone)]
pub struct Template {
    source: String,
    place: TemplatePlace,
    pieces: Arc<[Piece]>,
    /// Names that it brings along, before any other.
    fixed: Params,
    /// In which `render` says dates.
    zone: Zone,
}

/// What the text is for, which decides how a value is written into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TemplatePlace {
    /// For reading: money as `A$22.00`, an empty cell as nothing.
    #[default]
    Prose,
    /// A request's body: as prose, escaped to stand inside a JSON string, unless `| json` makes it a value of its own.
    Json,
    /// A name that another system acts upon (an id, a mail address): an empty cell is an error.
    Address,
    /// As an address, percent-encoded for one segment of a path, or one value of a query string.
    Path,
}

impl Template {
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        Self::parse_for(TemplatePlace::Prose, source)
    }

    pub fn parse_for(place: TemplatePlace, source: &str) -> Result<Self, ExpressionError> {
        Ok(Self {
            source: source.to_owned(),
            place,
            pieces: syntax::pieces(source)?.into(),
            fixed: Params::new(),
            zone: Zone::UTC,
        })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names that it uses and does not bring along, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        syntax::names(&self.pieces, &mut names);
        names.retain(|name| !self.fixed.contains_key(name));
        names
    }

    /// The text with one filler for values and one for `| json`, its first branches taken: what its shape is judged by.
    pub fn filled_with(&self, value: &str, json: &str) -> String {
        let mut text = String::new();
        syntax::fill(&self.pieces, value, json, &mut text);
        text
    }

    /// The same template with one name given for good.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.fixed.insert(name.to_owned(), value);
        self
    }

    /// The same template for a person to read: its dates are said in a zone.
    #[must_use]
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// Original text goes in as it is: what comes out is for sending, or becomes a `Text` before it is shown.
    /// Dates are said in UTC, unless the template was given a zone.
    pub fn render(&self, names: &Params) -> Result<String, String> {
        self.render_in(names, self.zone)
    }

    /// As `render`, with dates said in a zone.
    pub fn render_in(&self, names: &Params, zone: Zone) -> Result<String, String> {
        render::render(&self.pieces, self.place, &self.fixed, names, zone).map_err(|no_value| no_value.to_string())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.place == other.place && self.fixed == other.fixed && self.zone == other.zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};

    fn names() -> Params {
        let aud = Currency::from_code("AUD").unwrap();
        [
            ("business", Value::text("Paws & \"Claws\"")),
            ("amount", Value::Money(Money::new(2_200, aud))),
            ("bought", Value::Time("2026-06-18T14:00:00Z".parse().unwrap())),
            ("now", Value::Time("2026-06-21T15:00:00Z".parse().unwrap())),
            ("note", Value::Null),
            ("paid", Value::Bool(true)),
            ("id", Value::text("../a b?c")),
            ("charge.id", Value::text("ch_1")),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    fn rendered(place: TemplatePlace, source: &str) -> Result<String, String> {
        Template::parse_for(place, source).unwrap().render_in(&names(), crate::domain::zone::zone("Australia/Sydney"))
    }

    #[test]
    fn prose_reads_as_a_person_writes_it() {
        for (source, expected) in [
            ("{{ business }} {{ amount }}", "Paws & \"Claws\" A$22.00"),
            ("Dear {{ note | default('friend') }},\n", "Dear friend,\n"),
            ("[{{ note }}]", "[]"),
            ("{{ bought | date }}", "Fri 19 Jun 2026, 00:00"),
            ("{{ bought | date('%d %B %Y') }}", "19 June 2026"),
            ("{{ bought | days_ago }} days", "3 days"),
            ("{% if paid %}yes{% else %}no{% endif %}", "yes"),
            ("{% if note %}yes{% elif amount > 20 %}much{% else %}no{% endif %}", "much"),
            ("{{ charge.id }}", "ch_1"),
            ("{# unseen #}{% raw %}{{ as it is }}{% endraw %}", "{{ as it is }}"),
        ] {
            assert_eq!(rendered(TemplatePlace::Prose, source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn a_missing_name_is_an_error() {
        assert_eq!(rendered(TemplatePlace::Prose, "{{ bussiness }}"), Err("there is no column `bussiness`".into()));
        assert!(rendered(TemplatePlace::Prose, "{{ note | upper }}").is_err());
    }

    #[test]
    fn a_json_body_stays_json_whatever_comes_in() {
        let body = rendered(
            TemplatePlace::Json,
            r#"{"n": "{{ business }}", "v": {{ business | json }}, "a": {{ amount | json }}, "x": {{ note | json }}}"#,
        );
        let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
        assert_eq!(body, serde_json::json!({"n": "Paws & \"Claws\"", "v": "Paws & \"Claws\"", "a": 2200, "x": null}));
    }

    #[test]
    fn a_path_cannot_be_led_astray() {
        assert_eq!(rendered(TemplatePlace::Path, "/users/{{ id }}/off").as_deref(), Ok("/users/..%2Fa%20b%3Fc/off"));
        assert_eq!(rendered(TemplatePlace::Path, "/{{ id | plain }}").as_deref(), Ok("/../a b?c"));
        assert!(rendered(TemplatePlace::Path, "/users/{{ note }}/off").is_err());
        assert!(rendered(TemplatePlace::Address, "{{ note }}").is_err());
        assert_eq!(rendered(TemplatePlace::Address, "{{ amount }}").as_deref(), Ok("2200"));
    }

    #[test]
    fn names_are_those_that_must_be_given() {
        let template = Template::parse("{{ a }} {% if b > 1 %}{{ c | default(d) }}{% endif %} {{ a }}").unwrap();
        assert_eq!(template.names(), ["a", "b", "c", "d"]);
        let template = template.with("a", Value::text("x"));
        assert_eq!(template.names(), ["b", "c", "d"]);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        for (source, part) in [
            ("ab {{ a | frist }}", "frist"),
            ("a {% for a in b %}{% endfor %}", "for a in b %}{% endfor"),
            ("a {% include 'x' %}", "include 'x'"),
            ("a {{ a b }}", "b"),
        ] {
            let error = Template::parse(source).unwrap_err();
            assert_eq!(source.get(error.at), Some(part), "{source}");
        }
        assert!(Template::parse("{{ a ").is_err());
    }
}
