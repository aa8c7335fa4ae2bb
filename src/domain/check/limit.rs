//! Whether a value is beyond a limit, and the rule in words.

use std::{cmp::Ordering, time::Duration};

use chrono::TimeDelta;

use crate::domain::{
    age,
    figure::quantity,
    pack::{Bound, Check, Comparison, Limit},
    value::Value,
};

impl Limit {
    /// An error where value and bound cannot be compared: that is never "well".
    pub fn is_exceeded(&self, value: &Value) -> Result<bool, String> {
        match (&self.bound, value) {
            (Bound::Number(bound), value) => {
                // A limit that is no number compares with nothing.
                let order = value.number().and_then(|number| number.partial_cmp(bound)).filter(|_| bound.is_finite());
                order.map(|order| exceeds(self.comparison, order)).ok_or_else(|| mismatch(value, "a number"))
            }
            (Bound::Text(bound), Value::Text(text)) => self.equality(text.original() == bound),
            (Bound::Truth(bound), Value::Bool(truth)) => self.equality(truth == bound),
            // SQLite has no booleans.
            (Bound::Truth(bound), Value::Integer(truth @ 0..=1)) => self.equality((*truth == 1) == *bound),
            (Bound::Text(_), value) => Err(mismatch(value, "a word")),
            (Bound::Truth(_), value) => Err(mismatch(value, "yes or no")),
        }
    }

    fn equality(&self, equal: bool) -> Result<bool, String> {
        match self.comparison {
            Comparison::Is => Ok(equal),
            Comparison::IsNot => Ok(!equal),
            Comparison::AtLeast | Comparison::Above | Comparison::AtMost | Comparison::Below => {
                Err(format!("`{}` needs a number as its limit", self.comparison.word()))
            }
        }
    }
}

fn exceeds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::AtLeast => order.is_ge(),
        Comparison::Above => order.is_gt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Below => order.is_lt(),
        Comparison::Is => order.is_eq(),
        Comparison::IsNot => order.is_ne(),
    }
}

fn mismatch(value: &Value, wanted: &str) -> String {
    let kind = match value {
        Value::Null => return "the value is empty".to_owned(),
        Value::Bool(_) => "yes or no",
        Value::Integer(_) | Value::Decimal(_) => "a number",
        Value::Money(_) => "money",
        Value::Time(_) => "a time",
        Value::Text(_) => "text",
        Value::Json(_) => "JSON",
    };
    format!("the value is {kind} (`{value}`), the limit is {wanted}")
}

/// The whole rule in words: `yellow at least 10%, red above 15% for 30m, recovers after 2m`.
pub fn rule(check: &Check) -> String {
    let limits = [("yellow", &check.yellow), ("red", &check.red)];
    let mut parts: Vec<String> = limits
        .into_iter()
        .filter_map(|(level, limit)| limit.as_ref().map(|limit| format!("{level} {}", said(limit, &check.unit))))
        .collect();
    if parts.is_empty() {
        parts.push("green whenever it can be read".to_owned());
    }
    if let Some(after) = check.escalates_after {
        parts.push(format!("red after {} of yellow", span(after)));
    }
    if !check.recovers_after.is_zero() {
        parts.push(format!("recovers after {}", span(check.recovers_after)));
    }
    parts.join(", ")
}

fn said(limit: &Limit, unit: &str) -> String {
    let bound = match &limit.bound {
        Bound::Number(number) => quantity(*number, unit),
        Bound::Text(_) | Bound::Truth(_) => limit.bound.to_string(),
    };
    let comparison = limit.comparison.word().replace('_', " ");
    if limit.holds.is_zero() {
        format!("{comparison} {bound}")
    } else {
        format!("{comparison} {bound} for {}", span(limit.holds))
    }
}

fn span(duration: Duration) -> String {
    age::span(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX))
}
