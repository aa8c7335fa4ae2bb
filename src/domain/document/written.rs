//! A value as a pack writes it (`"open"`, `":now"`, `{ boolean = "{{ value }}" }`), and what becomes of it where its names
//! are known. A name is bound with its own type, never pasted.

use chrono::DateTime;

use super::{DocumentName, FieldValue};
use crate::domain::{rows::Params, template::Template, zone::Zone};

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
        };
        read.ok_or_else(|| format!("`{text}` is not {}", self.said()))
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
        let fill = |template: &Template| template.clone().with(name, crate::domain::value::Value::text(text));
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
            Self::Bound(name) => names.get(name).map(FieldValue::of_cell).ok_or_else(|| format!("no {name}")),
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
    use crate::domain::{template::TemplatePlace, value::Value};

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
        ]);
        let value = |written: Written| written.value(&names, Zone::UTC);
        assert_eq!(value(Written::Bound("now".into())), Ok(FieldValue::Time(now)));
        assert_eq!(value(Written::Bound("value".into())), Ok(FieldValue::Text("false".into())), "a text stays one");
        assert_eq!(value(Written::Bound("gone".into())), Ok(FieldValue::None));
        assert_eq!(value(Written::Bound("nobody".into())), Err("no nobody".into()));
        assert_eq!(value(Written::Text(template("why: {{ odd }}"))), Ok(FieldValue::Text("why: perhaps".into())));
        for (kind, text, read) in [
            (FieldKind::Truth, "{{ value }}", Ok(FieldValue::Truth(false))),
            (FieldKind::Truth, "{{ odd }}", Err("`perhaps` is not true or false".to_owned())),
            (FieldKind::Integer, "7", Ok(FieldValue::Integer(7))),
            (FieldKind::Integer, "7.5", Err("`7.5` is not a whole number".to_owned())),
            (FieldKind::Double, "7.5", Ok(FieldValue::Double(7.5))),
            (FieldKind::Double, "nan", Err("`nan` is not a number".to_owned())),
            (FieldKind::Time, "1970-01-01T00:00:00Z", Ok(FieldValue::Time(DateTime::UNIX_EPOCH))),
        ] {
            assert_eq!(value(Written::As(kind, template(text))), read, "{text}");
        }
        let reference = Template::parse_for(TemplatePlace::Path, "users/{{ odd }}").unwrap();
        assert_eq!(value(Written::As(FieldKind::Reference, reference)), Ok(FieldValue::Reference("users/perhaps".into())));
        let given = Written::As(FieldKind::Truth, template("{{ value }}")).given("value", "true");
        assert_eq!((given.names(), given.value(&Params::new(), Zone::UTC)), (vec![], Ok(FieldValue::Truth(true))));
    }
}
