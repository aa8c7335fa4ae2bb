//! Writing values into a template's places.

use std::fmt::Write as _;

use crate::domain::zone::Zone;

use super::{
    TemplatePlace,
    syntax::{How, Piece},
};
use crate::domain::{
    expression::{NoValue, Node, Scope, original},
    rows::Params,
    value::Value,
};

pub(super) fn render(
    pieces: &[Piece],
    place: TemplatePlace,
    fixed: &Params,
    names: &Params,
    zone: Zone,
) -> Result<String, NoValue> {
    let mut text = String::new();
    write_pieces(pieces, place, &Scope::of_names(fixed, names, zone), &mut text)?;
    Ok(text)
}

fn write_pieces(pieces: &[Piece], place: TemplatePlace, scope: &Scope<'_>, text: &mut String) -> Result<(), NoValue> {
    for piece in pieces {
        match piece {
            Piece::Words(words) => text.push_str(words),
            Piece::Value { node, how } => write_value(node, *how, place, scope, text)?,
            Piece::If { condition, then, otherwise } => {
                let chosen = if is_there(condition, scope)? { then } else { otherwise };
                write_pieces(chosen, place, scope, text)?;
            }
        }
    }
    Ok(())
}

/// An `if` on an empty cell or an empty text is a question whether there is anything to say.
fn is_there(condition: &Node, scope: &Scope<'_>) -> Result<bool, NoValue> {
    match condition.evaluate(scope) {
        Ok(Value::Bool(truth)) => Ok(truth),
        Ok(Value::Text(text)) => Ok(!text.original().is_empty()),
        Ok(Value::Null) | Err(NoValue::Null(_)) => Ok(false),
        Ok(Value::Integer(number)) => Ok(number != 0),
        Ok(_) => Ok(true),
        Err(other) => Err(other),
    }
}

fn write_value(node: &Node, how: How, place: TemplatePlace, scope: &Scope<'_>, text: &mut String) -> Result<(), NoValue> {
    let may_be_empty = matches!(node, Node::Path(_)) && matches!(place, TemplatePlace::Prose | TemplatePlace::Json);
    let value = match node.evaluate(scope) {
        Err(NoValue::Null(_)) if may_be_empty => Value::Null,
        value => value?,
    };
    match (how, place) {
        (How::AsItIs, _) | (How::AsThePlaceWants, TemplatePlace::Prose) => text.push_str(&original(&value)),
        (How::AsThePlaceWants, TemplatePlace::Json) => {
            let quoted = serde_json::Value::from(original(&value)).to_string();
            text.push_str(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted));
        }
        (How::AsThePlaceWants, TemplatePlace::Address) => text.push_str(&address(node, &value)?),
        (How::AsThePlaceWants, TemplatePlace::Path) => {
            let address = address(node, &value)?;
            // No escape keeps a dot segment from climbing: URL parsers undo it.
            if matches!(address.as_str(), "." | "..") {
                return Err(NoValue::Mistake(format!("`{address}` cannot stand in a path")));
            }
            for byte in address.bytes() {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
                    // Writing to a String cannot fail.
                    other => {
                        let _ = write!(text, "%{other:02X}");
                    }
                }
            }
        }
    }
    Ok(())
}

fn address(node: &Node, value: &Value) -> Result<String, NoValue> {
    let address = value.original();
    if address.is_empty() {
        let mut names = Vec::new();
        node.names(&mut names);
        return Err(NoValue::Null(names.join(", ")));
    }
    Ok(address)
}
