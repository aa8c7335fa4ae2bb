//! The name of a document or a collection below its database: `users/u1/notes/n1`.

use std::fmt;

/// Longer ids are refused by the database itself.
const LONGEST: usize = 1_500;

/// A document by its collections and ids, each checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentName(String);

impl DocumentName {
    /// Of a template's text, in which values are percent-encoded and what stands in the pack is plain: no value can lead
    /// to another document.
    pub fn of_rendered(rendered: &str) -> Result<Self, String> {
        let segments = segments_of(rendered)?;
        if segments.len() % 2 == 1 {
            return Err(format!("`{}` is a collection, not a document", segments.join("/")));
        }
        Ok(Self(segments.join("/")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The collections and ids of a rendered path, or why one of them cannot be.
pub fn segments_of(rendered: &str) -> Result<Vec<String>, String> {
    rendered.split('/').map(segment).collect()
}

fn segment(encoded: &str) -> Result<String, String> {
    let segment = decoded(encoded).ok_or_else(|| "an id is not text".to_owned())?;
    let is_reserved = segment.len() > 3 && segment.starts_with("__") && segment.ends_with("__");
    if segment.is_empty() {
        return Err("an id is empty".to_owned());
    }
    if segment.contains('/') || segment == "." || segment == ".." || is_reserved || segment.len() > LONGEST {
        let short: String = segment.chars().take(40).collect();
        return Err(format!("`{short}` cannot be the id of a document"));
    }
    Ok(segment)
}

/// As a template's path encodes it.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.extend(hex::decode(pair).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        rows::Params,
        template::{Template, TemplatePlace},
        value::Value,
    };

    #[test]
    fn no_value_leads_to_another_document() {
        let template = Template::parse_for(TemplatePlace::Path, "users/{{ id }}/notes/n1").unwrap();
        let name = |id: &str| {
            let names = Params::from([("id".to_owned(), Value::text(id))]);
            template.render(&names).and_then(|rendered| DocumentName::of_rendered(&rendered)).map(|name| name.to_string())
        };
        assert_eq!(name("u1").as_deref(), Ok("users/u1/notes/n1"));
        assert_eq!(name("a b:ü%41").as_deref(), Ok("users/a b:ü%41/notes/n1"));
        for wrong in ["u1/orders/o1", "../x", ".", "..", "__id7__", "", &"x".repeat(1_501)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert!(DocumentName::of_rendered("users").is_err() && DocumentName::of_rendered("users//x/y").is_err());
    }
}
