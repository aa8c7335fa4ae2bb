//! All that is wrong with the shape of a part (unknown and missing keys, wrong types), judged by the same schema that
//! editors get. serde stops at its first error; this goes on.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    nearest::{list, nearest},
    place::{Place, Step},
    problem::Problem,
    schema::schema_of,
    source::{Shape, Source, Tree},
};

/// Reads one part of the file; where it does not have the right shape, says everything that is wrong with it. A part
/// whose only mistakes are unknown keys is there all the same, as it was probably meant: what else is wrong with it can
/// be found.
pub(super) fn read<T: DeserializeOwned + JsonSchema>(
    source: &Source,
    place: &Place,
    mut value: Spanned<DeValue<'_>>,
) -> (Option<T>, Vec<Problem>) {
    let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
        Ok(part) => return (Some(part), Vec::new()),
        Err(error) => error,
    };
    let schema = schema_of::<T>();
    let definitions = schema.get("$defs").unwrap_or(&Value::Null);
    let mut shape = Judge { source, definitions, problems: Vec::new(), unknown: Vec::new(), is_readable: true };
    if let Some(tree) = source.find(place) {
        shape.judge(&schema, tree, place);
    }
    if shape.problems.is_empty() {
        let span = error.span().unwrap_or_else(|| source.locate(place));
        shape.problems.push(source.problem(span, error.message(), "here", None));
    }
    if !shape.is_readable {
        return (None, shape.problems);
    }
    for Unknown { table, key, meant } in &shape.unknown {
        let steps = table.0.get(place.0.len()..).unwrap_or_default();
        if let Some(table) = find(&mut value, steps) {
            let taken = table.remove_entry(key.as_str());
            if let Some(((name, value), meant)) = taken.zip(meant.as_ref()) {
                table.entry(Spanned::new(name.span(), meant.clone().into())).or_insert(value);
            }
        }
    }
    (T::deserialize(ValueDeserializer::from(value)).ok(), shape.problems)
}

/// The table at a place below a value.
fn find<'v, 't>(value: &'v mut Spanned<DeValue<'t>>, steps: &[Step]) -> Option<&'v mut DeTable<'t>> {
    match (value.get_mut(), steps) {
        (DeValue::Table(table), []) => Some(table),
        (DeValue::Table(table), [Step::Key(key), rest @ ..]) => find(table.get_mut(key.as_str())?, rest),
        (DeValue::Array(items), [Step::Index(index), rest @ ..]) => find(items.get_mut(*index)?, rest),
        _ => None,
    }
}

struct Judge<'a> {
    source: &'a Source,
    definitions: &'a Value,
    problems: Vec<Problem>,
    unknown: Vec<Unknown>,
    /// False where reading on would only echo what is wrong.
    is_readable: bool,
}

/// A key that is none, and the one that was probably meant, where that does not stand beside it.
struct Unknown {
    table: Place,
    key: String,
    meant: Option<String>,
}

impl<'a> Judge<'a> {
    fn judge(&mut self, schema: &'a Value, tree: &Tree, place: &Place) {
        let schema = self.resolve(schema, tree);
        let expected = expected(schema);
        match (&tree.shape, schema.get("type").and_then(Value::as_str)) {
            (Shape::Table(_), Some("object")) => self.judge_table(schema, tree, place),
            (Shape::Array(items), Some("array")) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = schema.get("items") {
                        self.judge(schema, item, &place.index(index));
                    }
                }
            }
            (Shape::Text(text), Some("string")) => self.judge_word(schema, text, place),
            (Shape::Integer | Shape::Float, Some("number"))
            | (Shape::Integer, Some("integer"))
            | (Shape::Truth, Some("boolean")) => {
                self.judge_number(schema, place);
            }
            (_, None) => {}
            (found, Some(_)) => {
                let said = format!("{} stands here, where {expected} is expected", found.word());
                self.say(place, said, format!("expected {expected}"), None);
            }
        }
    }

    /// Follows references, and of several shapes takes the one that is meant.
    fn resolve(&self, schema: &'a Value, tree: &Tree) -> &'a Value {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
            return self.definitions.get(name).map_or(schema, |schema| self.resolve(schema, tree));
        }
        let Some(choices) = schema.get("anyOf").and_then(Value::as_array) else { return schema };
        let wanted = match tree.shape {
            Shape::Table(_) => "object",
            Shape::Array(_) => "array",
            Shape::Text(_) => "string",
            Shape::Integer | Shape::Float => "number",
            Shape::Truth => "boolean",
            Shape::Time => "",
        };
        let mut choices = choices.iter().map(|choice| self.resolve(choice, tree));
        let first = choices.clone().next().unwrap_or(schema);
        choices.find(|choice| choice.get("type").is_some_and(|kind| kind == wanted)).unwrap_or(first)
    }

    fn judge_table(&mut self, schema: &'a Value, tree: &Tree, place: &Place) {
        let Shape::Table(entries) = &tree.shape else { return };
        let properties = schema.get("properties").and_then(Value::as_object);
        let known: Vec<&str> = properties.into_iter().flat_map(|properties| properties.keys()).map(String::as_str).collect();
        let table = place;
        for (key, child) in entries {
            let place = place.key(key);
            match (properties.and_then(|properties| properties.get(key)), schema.get("additionalProperties")) {
                (None, Some(Value::Bool(false))) => {
                    let meant =
                        nearest(key, known.iter().copied()).filter(|meant| !entries.iter().any(|(name, _)| name == meant));
                    let meant = meant.map(ToString::to_string);
                    self.unknown.push(Unknown { table: table.clone(), key: key.clone(), meant });
                    self.unknown_key(key, &known, &place);
                }
                (Some(schema), _) | (None, Some(schema)) => self.judge(schema, child, &place),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let is_misspelt = |key: &str| {
            let here = self.unknown.iter().filter(|unknown| unknown.table == *table);
            here.into_iter().any(|unknown| unknown.meant.as_deref() == Some(key))
        };
        let missing: Vec<&str> =
            required.filter(|key| !entries.iter().any(|(name, _)| name == key) && !is_misspelt(key)).collect();
        for key in missing {
            let what = properties.and_then(|properties| properties.get(key));
            let what = what.and_then(|schema| schema.get("description")).and_then(Value::as_str);
            self.say(
                place,
                format!("the key `{key}` is missing"),
                format!("needs `{key}`"),
                what.map(|what| format!("`{key}`: {what}")),
            );
        }
    }

    fn unknown_key(&mut self, key: &str, known: &[&str], place: &Place) {
        let at = self.source.locate_key(place);
        let sources: Vec<String> = ["env", "file", "command"].map(|how| format!("{key}_{how}")).into();
        let sources: Vec<&str> = sources.iter().map(String::as_str).filter(|name| known.contains(name)).collect();
        let problem = if sources.is_empty() {
            let nearest = nearest(key, known.iter().copied()).map(|name| format!("did you mean `{name}`? "));
            let help = format!("{}keys here: {}", nearest.unwrap_or_default(), list(known));
            self.source.problem(at, format!("there is no key `{key}` here"), "unknown key", Some(help))
        } else {
            // Where the secret is found instead, nobody knows.
            self.is_readable = false;
            let help = format!("name the place where it is found instead: {}", list(&sources));
            self.source.problem(at, format!("`{key}` is a secret and is never written in a pack"), "not here", Some(help))
        };
        self.problems.push(problem);
    }

    fn judge_word(&mut self, schema: &Value, word: &str, place: &Place) {
        let Some(words) = schema.get("enum").and_then(Value::as_array) else { return };
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        if !words.contains(&word) {
            let help = nearest(word, words.iter().copied()).map(|name| format!("did you mean `{name}`? "));
            let help = format!("{}words here: {}", help.unwrap_or_default(), list(&words));
            self.say(place, format!("`{word}` is not one of the words that can stand here"), "unknown word", Some(help));
        }
    }

    /// serde refuses a negative count; the schema says that as a minimum.
    fn judge_number(&mut self, schema: &Value, place: &Place) {
        let written = self.source.text().get(self.source.locate(place)).and_then(|text| text.parse::<f64>().ok());
        let (minimum, written) = (schema.get("minimum").and_then(Value::as_f64), written.unwrap_or(0.0));
        if let Some(minimum) = minimum.filter(|minimum| written < *minimum) {
            self.say(place, format!("a number from {minimum} is expected"), "too small", None);
        }
    }

    fn say(&mut self, place: &Place, message: String, label: impl Into<String>, help: Option<String>) {
        self.problems.push(self.source.problem(self.source.locate(place), message, label, help));
    }
}

/// The type that a schema asks for, as a person says it.
fn expected(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => "a table",
        Some("array") => "a list",
        Some("string") => "a text",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ => "something else",
    }
}
