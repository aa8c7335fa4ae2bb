//! The functions of expressions and templates; each can be called (`hours(a - b)`) or piped into (`(a - b) | hours`).

use std::{fmt::Write as _, ops::RangeInclusive};

use chrono::format::{Item, StrftimeItems};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};

use super::{
    NoValue, Scope,
    calculate::{Operator, calculate, kind, number, order},
    syntax::Node,
};
use crate::domain::value::Value;

/// `Thu 18 Jun 2026, 14:05`.
const DATE: &str = "%a %-d %b %Y, %H:%M";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Function {
    Abs,
    Round,
    Min,
    Max,
    Minutes,
    Hours,
    Days,
    DaysAgo,
    Date,
    Lower,
    Upper,
    Length,
    Default,
    Json,
    Plain,
}

impl Function {
    pub(super) const ALL: [Self; 15] = [
        Self::Abs,
        Self::Round,
        Self::Min,
        Self::Max,
        Self::Minutes,
        Self::Hours,
        Self::Days,
        Self::DaysAgo,
        Self::Date,
        Self::Lower,
        Self::Upper,
        Self::Length,
        Self::Default,
        Self::Json,
        Self::Plain,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Abs => "abs",
            Self::Round => "round",
            Self::Min => "min",
            Self::Max => "max",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::DaysAgo => "days_ago",
            Self::Date => "date",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Length => "length",
            Self::Default => "default",
            Self::Json => "json",
            Self::Plain => "plain",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// How many arguments it takes.
    pub(super) fn takes(self) -> RangeInclusive<usize> {
        match self {
            Self::Min | Self::Max => 2..=9,
            Self::Round | Self::Date => 1..=2,
            Self::Default => 2..=2,
            Self::Abs
            | Self::Minutes
            | Self::Hours
            | Self::Days
            | Self::DaysAgo
            | Self::Lower
            | Self::Upper
            | Self::Length
            | Self::Json
            | Self::Plain => 1..=1,
        }
    }

    /// What can be known of its arguments before there is a row.
    pub(super) fn check(self, arguments: &[Node]) -> Result<(), String> {
        match (self, arguments) {
            (Self::Date, [_, Node::Constant(Value::Text(format))]) => {
                if StrftimeItems::new(format.original()).any(|item| item == Item::Error) {
                    return Err(format!("`{}` is no format of a date; `%d %b %Y` would be one", format.original()));
                }
                Ok(())
            }
            (Self::Date, [_, _]) => Err("the format of a date is a constant text".into()),
            (Self::Round, [_, Node::Constant(Value::Integer(0..=12))] | [_]) => Ok(()),
            (Self::Round, _) => Err("`round` takes a number of places from 0 to 12".into()),
            _ => Ok(()),
        }
    }

    pub(super) fn call(self, arguments: &[Node], scope: &Scope<'_>) -> Result<Value, NoValue> {
        let [first, rest @ ..] = arguments else {
            return Err(NoValue::Mistake(format!("`{}` has nothing to work on", self.name())));
        };
        let value = match (self, first.evaluate(scope)) {
            (Self::Default, Err(NoValue::Null(_))) => {
                return rest.first().map_or(Ok(Value::Null), |otherwise| otherwise.evaluate(scope));
            }
            (Self::Json, Err(NoValue::Null(_))) => return Ok(Value::text("null")),
            (_, value) => value?,
        };
        match self {
            Self::Default | Self::Plain => Ok(value),
            Self::Abs if number(&value).is_some_and(|number| number.is_sign_negative()) => {
                calculate(Operator::Times, &value, &Value::Integer(-1))
            }
            Self::Abs => self.number_of(&value).map(|_| value),
            Self::Round => {
                let places = match rest.first() {
                    Some(Node::Constant(Value::Integer(places))) => u32::try_from(*places).unwrap_or(0),
                    _ => 0,
                };
                let rounded = self.number_of(&value)?.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
                Ok(Value::Decimal(rounded.normalize()))
            }
            Self::Min | Self::Max => {
                let mut best = value;
                for other in rest {
                    let other = other.evaluate(scope)?;
                    let order = order(&other, &best)?;
                    if (self == Self::Min && order.is_lt()) || (self == Self::Max && order.is_gt()) {
                        best = other;
                    }
                }
                Ok(best)
            }
            Self::Minutes => self.spans(&value, 60),
            Self::Hours => self.spans(&value, 3_600),
            Self::Days => self.spans(&value, 86_400),
            Self::DaysAgo => {
                let now = scope.value("now").ok_or_else(|| NoValue::NoColumn("now".into()))?;
                let days = self.spans(&calculate(Operator::Minus, &now, &value)?, 86_400)?;
                Ok(Value::Integer(number(&days).and_then(|days| days.floor().to_i64()).unwrap_or(0)))
            }
            Self::Date => self.date(&value, rest, scope),
            Self::Lower => Ok(Value::text(self.text_of(&value)?.to_lowercase())),
            Self::Upper => Ok(Value::text(self.text_of(&value)?.to_uppercase())),
            Self::Length => Ok(Value::Integer(match &value {
                Value::Json(serde_json::Value::Array(list)) => list.len() as i64,
                other => self.text_of(other)?.chars().count() as i64,
            })),
            Self::Json => Ok(Value::text(json(&value).to_string())),
        }
    }

    fn spans(self, seconds: &Value, of: i64) -> Result<Value, NoValue> {
        let spans = self.number_of(seconds)?.checked_div(Decimal::from(of));
        spans.map(|spans| Value::Decimal(spans.normalize())).ok_or_else(|| self.wrong(seconds))
    }

    fn date(self, value: &Value, rest: &[Node], scope: &Scope<'_>) -> Result<Value, NoValue> {
        let time = value.time().ok_or_else(|| self.wrong(value))?;
        let format = match rest.first() {
            Some(Node::Constant(Value::Text(format))) => format.original(),
            _ => DATE,
        };
        let mut said = String::new();
        write!(said, "{}", time.with_timezone(&scope.zone).format(format)).map_err(|_| self.wrong(value))?;
        Ok(Value::text(said))
    }

    fn number_of(self, value: &Value) -> Result<Decimal, NoValue> {
        number(value).ok_or_else(|| self.wrong(value))
    }

    fn text_of(self, value: &Value) -> Result<String, NoValue> {
        match value {
            Value::Text(text) => Ok(text.original().to_owned()),
            other => Err(self.wrong(other)),
        }
    }

    fn wrong(self, value: &Value) -> NoValue {
        NoValue::Mistake(format!("`{}` cannot work on {}", self.name(), kind(value)))
    }
}

/// A cell as it goes into a text: text as it came, money and truths as they are said, times in RFC 3339.
pub(in crate::domain) fn original(value: &Value) -> String {
    match value {
        Value::Money(money) => money.to_string(),
        Value::Bool(truth) => if *truth { "yes" } else { "no" }.to_owned(),
        other => other.original(),
    }
}

/// A cell in a request's body: money in minor units, times in RFC 3339, decimals as numbers.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Integer(number) => (*number).into(),
        Value::Money(money) => money.minor.into(),
        Value::Decimal(number) => number.to_f64().map_or(serde_json::Value::Null, Into::into),
        Value::Time(_) | Value::Text(_) => value.original().into(),
        Value::Json(json) => json.clone(),
    }
}
