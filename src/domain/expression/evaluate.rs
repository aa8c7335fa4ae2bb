//! The value of an expression in a scope: a row, and the names that the caller gives beside it.

use crate::domain::zone::Zone;

use super::{
    NoValue,
    calculate::{Operator, calculate, equal, relates, truth},
    function::original,
    syntax::{Node, Path},
};
use crate::domain::{
    rows::{Params, Row},
    value::Value,
};

/// Where names are looked up, in this order: the row, then the further names.
#[derive(Clone, Copy)]
pub(in crate::domain) struct Scope<'a> {
    row: Option<&'a Row>,
    names: [Option<&'a Params>; 2],
    /// The zone in which dates are said.
    pub zone: Zone,
}

impl<'a> Scope<'a> {
    pub(in crate::domain) fn of_row(row: &'a Row) -> Self {
        Self { row: Some(row), names: [None, None], zone: Zone::UTC }
    }

    pub(in crate::domain) fn of_names(first: &'a Params, second: &'a Params, zone: Zone) -> Self {
        Self { row: None, names: [Some(first), Some(second)], zone }
    }

    pub(in crate::domain) fn and(self, names: &'a Params) -> Self {
        Self { names: [Some(names), None], ..self }
    }

    fn find(&self, name: &str) -> Option<&'a Value> {
        let column = self.row.and_then(|row| row.find(name));
        column.or_else(|| self.names.iter().flatten().find_map(|names| names.get(name)))
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.find(name).cloned()
    }

    fn read(&self, path: &Path) -> Result<Value, NoValue> {
        for (column, members) in &path.ways {
            let Some(cell) = self.find(column) else { continue };
            let value = match cell {
                Value::Json(json) => {
                    let part = members.iter().try_fold(json, |part, member| match part {
                        serde_json::Value::Array(list) => member.parse::<usize>().ok().and_then(|index| list.get(index)),
                        other => other.get(member),
                    });
                    part.map_or(Value::Null, of_json)
                }
                Value::Null => Value::Null,
                other if members.is_empty() => other.clone(),
                _ => return Err(NoValue::Mistake(format!("`{column}` has no parts"))),
            };
            return if value.is_null() { Err(NoValue::Null(path.full.clone())) } else { Ok(value) };
        }
        Err(NoValue::NoColumn(path.full.clone()))
    }
}

/// Scalars of JSON are cells like any other.
fn of_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number.as_i64().map_or_else(
            || number.to_string().parse().map_or_else(|_| Value::Json(json.clone()), Value::Decimal),
            Value::Integer,
        ),
        serde_json::Value::String(text) => Value::text(text.as_str()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => Value::Json(json.clone()),
    }
}

impl Node {
    pub(in crate::domain) fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, NoValue> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Path(path) => scope.read(path),
            Self::Not(node) => node.truth(scope).map(|truth| Value::Bool(!truth)),
            Self::Negative(node) => calculate(Operator::Times, &node.evaluate(scope)?, &Value::Integer(-1)),
            Self::And(nodes) => {
                let [left, right] = nodes.as_ref();
                Ok(Value::Bool(left.truth(scope)? && right.truth(scope)?))
            }
            Self::Or(nodes) => {
                let [left, right] = nodes.as_ref();
                Ok(Value::Bool(left.truth(scope)? || right.truth(scope)?))
            }
            Self::Calculate(operator, nodes) => {
                let [left, right] = nodes.as_ref();
                calculate(*operator, &left.evaluate(scope)?, &right.evaluate(scope)?)
            }
            Self::Join(nodes) => {
                let [left, right] = nodes.as_ref();
                Ok(Value::text(original(&left.evaluate(scope)?) + &original(&right.evaluate(scope)?)))
            }
            Self::Compare(first, links) => {
                let mut left = first.evaluate(scope)?;
                for (relation, node) in links {
                    let right = node.evaluate(scope)?;
                    if !relates(*relation, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Self::IsOneOf(node, list) => {
                let value = node.evaluate(scope)?;
                for other in list {
                    if equal(&value, &other.evaluate(scope)?)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            Self::IsWithin(nodes) => {
                let [needle, hay] = nodes.as_ref();
                is_within(&needle.evaluate(scope)?, &hay.evaluate(scope)?).map(Value::Bool)
            }
            Self::If(nodes) => {
                let [condition, then, otherwise] = nodes.as_ref();
                if condition.truth(scope)? { then.evaluate(scope) } else { otherwise.evaluate(scope) }
            }
            Self::IsEmpty(node) => match node.evaluate(scope) {
                Ok(value) => Ok(Value::Bool(value.is_null())),
                Err(NoValue::Null(_)) => Ok(Value::Bool(true)),
                Err(other) => Err(other),
            },
            Self::Call(function, arguments) => function.call(arguments, scope),
        }
    }

    fn truth(&self, scope: &Scope<'_>) -> Result<bool, NoValue> {
        truth(&self.evaluate(scope)?)
    }
}

fn is_within(needle: &Value, hay: &Value) -> Result<bool, NoValue> {
    match (needle, hay) {
        (Value::Text(needle), Value::Text(hay)) => Ok(hay.original().contains(needle.original())),
        (needle, Value::Json(serde_json::Value::Array(list))) => {
            Ok(list.iter().any(|item| equal(needle, &of_json(item)).unwrap_or(false)))
        }
        _ => Err(NoValue::Mistake("`in` looks in a text or a list".into())),
    }
}
