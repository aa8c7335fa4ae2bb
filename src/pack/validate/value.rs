//! Texts of a pack that mean something: spans, zones, schedules, amounts, expressions, templates, statements.

use std::{str::FromStr, time::Duration};

use crate::domain::zone::Zone;
use croner::Cron;

use crate::{
    domain::{
        expression::Expression,
        money::Currency,
        pack::{Sql, SqlMistake},
        template::{Template, TemplatePlace},
    },
    pack::{duration::parse_duration, nearest::nearest, place::Place},
};

use super::reader::Reader;

impl Reader<'_> {
    pub(super) fn duration(&mut self, place: &Place, text: &str) -> Option<Duration> {
        let duration = parse_duration(text);
        if duration.is_none() {
            let help = Some("a number and a unit, such as `30s`, `10m`, `72h` or `7d`".to_owned());
            self.say(place, format!("`{text}` is not a span of time"), "not a span", help);
        }
        duration
    }

    pub(super) fn duration_or(&mut self, place: &Place, text: Option<&String>, default: Duration) -> Duration {
        text.and_then(|text| self.duration(place, text)).unwrap_or(default)
    }

    /// How often something looks; never so often that it only looks.
    pub(super) fn every(&mut self, place: &Place, text: Option<&String>, default: Duration) -> Duration {
        let every = self.duration_or(place, text, default);
        if every < Duration::from_secs(1) {
            self.say(place, "looking more than once a second helps nobody", "too often", Some("at least `1s`".to_owned()));
        }
        every
    }

    pub(super) fn zone(&mut self, place: &Place, name: &str) -> Option<Zone> {
        let zone = name.parse().ok();
        if zone.is_none() {
            let names: Vec<String> = Zone::names().collect();
            let nearest = nearest(name, names.iter().map(String::as_str));
            let help = nearest.map_or_else(
                || "a name of the tz database, such as `Europe/Vienna`".into(),
                |name| format!("did you mean `{name}`?"),
            );
            self.say(place, format!("there is no time zone `{name}`"), "not a zone", Some(help));
        }
        zone
    }

    pub(super) fn cron(&mut self, place: &Place, text: &str) -> Option<String> {
        match Cron::from_str(text) {
            Ok(_) => Some(text.to_owned()),
            Err(error) => {
                let help = "minute, hour, day, month and weekday, such as `0 2 * * *` (every day at 02:00)".to_owned();
                let said = error.to_string();
                let message = format!("`{text}` is not a schedule: {}", said.trim_end_matches('.'));
                self.say(place, message, "not a cron expression", Some(help));
                None
            }
        }
    }

    /// An amount in major units of the business's currency, in minor units.
    pub(super) fn amount(&mut self, place: &Place, text: &str) -> Option<i64> {
        let currency = self.currency?;
        let minor = minor_units(text, currency);
        if minor.is_none() {
            let example = crate::domain::money::Money::new(50_000, currency).figures();
            let help = Some(format!("major units without a sign, such as `{example}`"));
            self.say(place, format!("`{text}` is not an amount of {}", currency.code()), "not an amount", help);
        }
        minor
    }

    pub(super) fn expression(&mut self, place: &Place, text: &str) -> Option<Expression> {
        Expression::parse(text)
            .map_err(|error| self.say_within(place, error.at, format!("not an expression: {}", error.said), "here", None))
            .ok()
    }

    pub(super) fn template(&mut self, place: &Place, text: &str) -> Option<Template> {
        self.template_for(TemplatePlace::Prose, place, text)
    }

    /// A line for the operator, who reads dates in the pack's zone.
    pub(super) fn prose(&mut self, place: &Place, text: &str) -> Option<Template> {
        let zone = self.timezone;
        self.template(place, text).map(|template| template.in_zone(zone))
    }

    pub(super) fn template_for(&mut self, kind: TemplatePlace, place: &Place, text: &str) -> Option<Template> {
        Template::parse_for(kind, text)
            .map_err(|error| self.say_within(place, error.at, format!("not a template: {}", error.said), "here", None))
            .ok()
    }

    /// A request's body: JSON, whatever its places are filled with.
    pub(super) fn body(&mut self, place: &Place, text: &str) -> Option<Template> {
        let template = self.template_for(TemplatePlace::Json, place, text)?;
        if let Err(error) = serde_json::from_str::<serde_json::Value>(&template.filled_with("0", "\"0\"")) {
            let help = Some("a value goes in as `\"{{ name }}\"`, or as `{{ name | json }}` without quotes".to_owned());
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            self.say(place, format!("this body is not JSON: {said}"), "not JSON", help);
        }
        Some(template)
    }

    /// The path of a request, without the connection's own part.
    pub(super) fn path(&mut self, place: &Place, text: &str) -> Option<Template> {
        if !text.starts_with('/') || text.starts_with("//") {
            let help = Some("the connection has the host; a path begins with one `/`".to_owned());
            self.say(place, format!("`{text}` is not a path"), "not a path", help);
        }
        self.template_for(TemplatePlace::Path, place, text)
    }

    pub(super) fn sql(&mut self, place: &Place, text: &str, check: fn(&Sql) -> Result<(), SqlMistake>) -> Option<Sql> {
        let sql = Sql::parse(text).and_then(|sql| check(&sql).map(|()| sql));
        sql.map_err(|mistake| self.say_within(place, mistake.at, mistake.said, "here", None)).ok()
    }

    pub(super) fn method(&mut self, place: &Place, written: Option<&String>, default: &str, allowed: &[&str]) -> String {
        let Some(written) = written else { return default.to_owned() };
        if !allowed.contains(&written.as_str()) {
            let help = crate::pack::nearest::advice(written, allowed, "methods");
            self.say(place, format!("`{written}` is not a method that can stand here"), "not a method", Some(help));
        }
        written.clone()
    }

    /// TOML knows `nan` and `inf`; no reading is ever beyond them, and what is never beyond its limit is always green.
    pub(super) fn finite(&mut self, place: &Place, number: f64) {
        if !number.is_finite() {
            self.say(place, "nothing is ever beyond this limit", "not a number", None);
        }
    }

    pub(super) fn not_empty(&mut self, place: &Place, text: &str, what: &str) {
        if text.trim().is_empty() {
            self.say(place, format!("{what} is empty"), "nothing here", None);
        }
    }
}

fn minor_units(text: &str, currency: Currency) -> Option<i64> {
    let exponent = currency.exponent() as usize;
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let figures = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_amount = !whole.is_empty() && figures(whole) && figures(rest) && (rest.is_empty() || rest.len() == exponent);
    is_amount.then(|| format!("{whole}{rest:0<exponent$}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let (aud, jpy) = (Currency::from_code("AUD").unwrap(), Currency::from_code("JPY").unwrap());
        for (text, currency, minor) in [
            ("500.00", aud, Some(50_000)),
            ("500", aud, Some(50_000)),
            ("0.05", aud, Some(5)),
            ("0.5", aud, None),
            ("1,000", aud, None),
            ("-5", aud, None),
            ("", aud, None),
            ("500", jpy, Some(500)),
            ("500.00", jpy, None),
        ] {
            assert_eq!(minor_units(text, currency), minor, "{text} {}", currency.code());
        }
    }
}
