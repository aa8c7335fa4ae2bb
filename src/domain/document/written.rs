//! A value as a pack writes it (`"open"`, `":now"`, `{ boolean = "{{ value }}" }`), and what becomes of it where its names
//! are known. A name is bound with its own type, never pasted.

use chrono::DateTime;

use super::{DocumentName, FieldValue};
use crate::domain::{rows::Params, template::Template, value::Value, zone::Zone};

#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Fixed(FieldValue),
    /// A name, whose value keeps its kind.
    Bound(String),
    /// A text with names in it.
    Text(Template),
    /// A text that must read as this kind.
    As(FieldKind, Template),
    List(Vec<Written>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Truth,
    Integer,
    Double,
    Time,
    /// A document of the same database.
    Reference,
    /// In hexadecimal digits, as a cell has them.
    Bytes,
    /// A geo point: its latitude and longitude, as a cell has them or with a comma between.
    Place,
}

impl FieldKind {
    /// As a person says it.
    pub fn said(self) -> &'static str {
        match self {
            Self::Truth => "true or false",
            Self::Integer => "a whole number",
            Self::Double => "a number",
            Self::Time => "a moment (RFC 3339)",
            Self::Reference => "a document",
            Self::Bytes => "bytes in hexadecimal digits",
            Self::Place => "a latitude and a longitude",
        }
    }

    /// A text as this kind.
    pub fn read(self, text: &str) -> Result<FieldValue, String> {
        let text = text.trim();
        let read = match self {
            Self::Truth => text.parse().ok().map(FieldValue::Truth),
            Self::Integer => text.parse().ok().map(FieldValue::Integer),
            Self::Double => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(FieldValue::Double),
            Self::Time => DateTime::parse_from_rfc3339(text).ok().map(|time| FieldValue::Time(time.to_utc())),
            Self::Reference => return DocumentName::of_rendered(text).map(|name| FieldValue::Reference(name.to_string())),
            Self::Bytes => {
                let is_bytes =
                    !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_bytes.then(|| FieldValue::Bytes(text.to_ascii_lowercase()))
            }
            Self::Place => place(text),
        };
        read.ok_or_else(|| format!("`{text}` is not {}", self.said()))
    }
}

fn place(text: &str) -> Option<FieldValue> {
    let (latitude, longitude) = if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        (json.get("latitude")?.as_f64()?, json.get("longitude")?.as_f64()?)
    } else {
        let (latitude, longitude) = text.split_once(',')?;
        (latitude.trim().parse().ok()?, longitude.trim().parse().ok()?)
    };
    let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    is_on_earth.then_some(FieldValue::Place { latitude, longitude })
}

/// The column beside a cell that does not say of itself what it was in its document: the kind that it was.
pub fn kind_column(column: &str) -> String {
    format!("{column}.kind")
}

/// A cell with the kind that it says itself; one that was of another kind in its document would silently become that.
fn bound(name: &str, names: &Params) -> Result<FieldValue, String> {
    let cell = names.get(name).ok_or_else(|| format!("no {name}"))?;
    match names.get(&kind_column(name)) {
        Some(Value::Text(kind)) => {
            let kind = kind.shown();
            let word = [("bytes", "bytes"), ("a reference", "document"), ("a geo point", "geo_point")];
            let advice = word.iter().find(|(known, _)| *known == kind).map_or_else(
                || "name its fields one by one, each with its kind".to_owned(),
                |(_, word)| format!("write {{ {word} = \":{name}\" }}"),
            );
            Err(format!("{name} holds {kind}, which would not be the same when it is written back: {advice}"))
        }
        Some(_) | None => Ok(FieldValue::of_cell(cell)),
    }
}

impl Written {
    /// Every name that it takes.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Bound(name) => vec![name.clone()],
            Self::Text(template) | Self::As(_, template) => template.names(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
        }
    }

    /// The same with some names given for good, as text.
    #[must_use]
    pub fn given(&self, name: &str, text: &str) -> Self {
        let fill = |template: &Template| template.clone().with(name, Value::text(text));
        match self {
            Self::Bound(bound) if bound == name => Self::Fixed(FieldValue::Text(text.to_owned())),
            Self::Fixed(_) | Self::Bound(_) => self.clone(),
            Self::Text(template) => Self::Text(fill(template)),
            Self::As(kind, template) => Self::As(*kind, fill(template)),
            Self::List(items) => Self::List(items.iter().map(|item| item.given(name, text)).collect()),
        }
    }

    pub fn value(&self, names: &Params, zone: Zone) -> Result<FieldValue, String> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Bound(name) => bound(name, names),
            Self::Text(template) => template.render_in(names, zone).map(FieldValue::Text),
            Self::As(kind, template) => kind.read(&template.render_in(names, zone)?),
            Self::List(items) => items.iter().map(|item| item.value(names, zone)).collect::<Result<_, _>>().map(FieldValue::List),
        }
    }

    /// As a template's text says it, for the words of an effect.
    pub fn said(&self) -> String {
        match self {
            Self::Fixed(value) => value.said(),
            Self::Bound(name) => format!("{{{{ {name} }}}}"),
            Self::Text(template) => format!("\"{}\"", template.source()),
            Self::As(_, template) => template.source().to_owned(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::said).collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::template::TemplatePlace;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn a_name_keeps_its_kind_and_a_text_must_read_as_what_it_is_called() {
        let now = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        let names = Params::from([
            ("now".to_owned(), Value::Time(now)),
            ("value".to_owned(), Value::text("false")),
            ("truth".to_owned(), Value::Bool(true)),
            ("odd".to_owned(), Value::text("perhaps")),
            ("gone".to_owned(), Value::Null),
            ("place".to_owned(), Value::Json(serde_json::json!({ "latitude": -33.9, "longitude": 151 }))),
            ("place.kind".to_owned(), Value::text("a geo point")),
            ("mixed".to_owned(), Value::Json(serde_json::json!(["2026-11-19T08:00:00Z"]))),
            ("mixed.kind".to_owned(), Value::text("an array with a timestamp in it")),
        ]);
        let value = |written: Written| written.value(&names, Zone::UTC);
        assert_eq!(value(Written::Bound("now".into())), Ok(FieldValue::Time(now)));
        assert_eq!(value(Written::Bound("value".into())), Ok(FieldValue::Text("false".into())), "a text stays one");
        assert_eq!(value(Written::Bound("gone".into())), Ok(FieldValue::None));
        assert_eq!(value(Written::Bound("nobody".into())), Err("no nobody".into()));
        for (name, advice) in [("place", "write { geo_point = \":place\" }"), ("mixed", "name its fields one by one")] {
            let why = value(Written::Bound(name.into())).unwrap_err();
            assert!(why.starts_with(&format!("{name} holds ")) && why.contains(advice), "{why}");
        }
        assert_eq!(value(Written::Text(template("why: {{ odd }}"))), Ok(FieldValue::Text("why: perhaps".into())));
        for (kind, text, read) in [
            (FieldKind::Truth, "{{ value }}", Ok(FieldValue::Truth(false))),
            (FieldKind::Truth, "{{ odd }}", Err("`perhaps` is not true or false".to_owned())),
            (FieldKind::Integer, "7", Ok(FieldValue::Integer(7))),
            (FieldKind::Integer, "7.5", Err("`7.5` is not a whole number".to_owned())),
            (FieldKind::Double, "7.5", Ok(FieldValue::Double(7.5))),
            (FieldKind::Double, "nan", Err("`nan` is not a number".to_owned())),
            (FieldKind::Time, "1970-01-01T00:00:00Z", Ok(FieldValue::Time(DateTime::UNIX_EPOCH))),
            (FieldKind::Bytes, "C0de", Ok(FieldValue::Bytes("c0de".into()))),
            (FieldKind::Bytes, "{{ gone }}", Err("`` is not bytes in hexadecimal digits".to_owned())),
            (FieldKind::Bytes, "c0d", Err("`c0d` is not bytes in hexadecimal digits".to_owned())),
            (FieldKind::Bytes, "xy", Err("`xy` is not bytes in hexadecimal digits".to_owned())),
            (FieldKind::Place, "-33.9, 151", Ok(FieldValue::Place { latitude: -33.9, longitude: 151.0 })),
            (FieldKind::Place, "{{ place }}", Ok(FieldValue::Place { latitude: -33.9, longitude: 151.0 })),
            (FieldKind::Place, "91,0", Err("`91,0` is not a latitude and a longitude".to_owned())),
            (FieldKind::Place, "here", Err("`here` is not a latitude and a longitude".to_owned())),
        ] {
            assert_eq!(value(Written::As(kind, template(text))), read, "{text}");
        }
        let reference = Template::parse_for(TemplatePlace::Path, "users/{{ odd }}").unwrap();
        assert_eq!(value(Written::As(FieldKind::Reference, reference)), Ok(FieldValue::Reference("users/perhaps".into())));
        let given = Written::As(FieldKind::Truth, template("{{ value }}")).given("value", "true");
        assert_eq!((given.names(), given.value(&Params::new(), Zone::UTC)), (vec![], Ok(FieldValue::Truth(true))));
    }
}
