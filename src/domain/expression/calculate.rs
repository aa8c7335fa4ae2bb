//! Arithmetic and comparison of typed cells: exact, and a mistake where kinds do not belong together.

use std::cmp::Ordering;

use chrono::TimeDelta;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{NoValue, function::original};
use crate::domain::{money::Money, value::Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
    WholeOver,
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Relation {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

pub(super) fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Money(money) => Some(Decimal::new(money.minor, money.currency.exponent())),
        Value::Null | Value::Bool(_) | Value::Time(_) | Value::Text(_) | Value::Json(_) => None,
    }
}

/// What a cell is, as a person says it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "yes or no",
        Value::Integer(_) | Value::Decimal(_) => "a number",
        Value::Money(_) => "money",
        Value::Time(_) => "a time",
        Value::Text(_) => "text",
        Value::Json(_) => "JSON",
    }
}

/// A truth: yes or no, or the 1 and 0 of a database without booleans.
pub(super) fn truth(value: &Value) -> Result<bool, NoValue> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Integer(0) => Ok(false),
        Value::Integer(1) => Ok(true),
        other => Err(NoValue::Mistake(format!("{} is neither true nor false", kind(other)))),
    }
}

pub(super) fn calculate(operator: Operator, left: &Value, right: &Value) -> Result<Value, NoValue> {
    match (operator, left, right) {
        (Operator::Minus, Value::Time(left), Value::Time(right)) => Ok(Value::Integer((*left - *right).num_seconds())),
        (Operator::Plus | Operator::Minus, Value::Time(time), seconds) if number(seconds).is_some() => {
            let seconds = number(seconds).and_then(|seconds| seconds.to_i64()).and_then(TimeDelta::try_seconds);
            let moved = seconds.and_then(|seconds| match operator {
                Operator::Minus => time.checked_sub_signed(seconds),
                _ => time.checked_add_signed(seconds),
            });
            moved.map(Value::Time).ok_or_else(too_large)
        }
        (Operator::Plus | Operator::Minus, Value::Money(left), Value::Money(right)) => {
            if left.currency != right.currency {
                return Err(two_currencies(*left, *right));
            }
            let minor = match operator {
                Operator::Minus => left.minor.checked_sub(right.minor),
                _ => left.minor.checked_add(right.minor),
            };
            minor.map(|minor| Value::Money(Money::new(minor, left.currency))).ok_or_else(too_large)
        }
        (Operator::Plus, Value::Text(_), Value::Text(_)) => Ok(Value::text(original(left) + &original(right))),
        (_, Value::Integer(left), Value::Integer(right)) if operator != Operator::Over => whole(operator, *left, *right),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => exact(operator, left, right),
            _ => Err(NoValue::Mistake(format!("{} and {} do not reckon together", kind(left), kind(right)))),
        },
    }
}

fn whole(operator: Operator, left: i64, right: i64) -> Result<Value, NoValue> {
    let result = match operator {
        Operator::Plus => left.checked_add(right),
        Operator::Minus => left.checked_sub(right),
        Operator::Times => left.checked_mul(right),
        Operator::Over | Operator::WholeOver | Operator::Rest if right == 0 => return Err(by_zero()),
        Operator::Over | Operator::WholeOver => left.checked_div_euclid(right),
        Operator::Rest => left.checked_rem_euclid(right),
    };
    result.map(Value::Integer).ok_or_else(too_large)
}

fn exact(operator: Operator, left: Decimal, right: Decimal) -> Result<Value, NoValue> {
    let result = match operator {
        Operator::Plus => left.checked_add(right),
        Operator::Minus => left.checked_sub(right),
        Operator::Times => left.checked_mul(right),
        Operator::Over | Operator::WholeOver | Operator::Rest if right.is_zero() => return Err(by_zero()),
        Operator::Over => left.checked_div(right),
        Operator::WholeOver => left.checked_div(right).map(|number| number.floor()),
        Operator::Rest => left.checked_rem(right),
    };
    result.map(|number| Value::Decimal(number.normalize())).ok_or_else(too_large)
}

fn by_zero() -> NoValue {
    NoValue::Mistake("a division by zero".into())
}

fn too_large() -> NoValue {
    NoValue::Mistake("a result that is too large".into())
}

fn two_currencies(left: Money, right: Money) -> NoValue {
    NoValue::Mistake(format!("{} and {} are two currencies", left.currency.code(), right.currency.code()))
}

pub(super) fn relates(relation: Relation, left: &Value, right: &Value) -> Result<bool, NoValue> {
    match relation {
        Relation::Equal => equal(left, right),
        Relation::Different => equal(left, right).map(|equal| !equal),
        Relation::Less => order(left, right).map(Ordering::is_lt),
        Relation::LessOrEqual => order(left, right).map(Ordering::is_le),
        Relation::Greater => order(left, right).map(Ordering::is_gt),
        Relation::GreaterOrEqual => order(left, right).map(Ordering::is_ge),
    }
}

pub(super) fn equal(left: &Value, right: &Value) -> Result<bool, NoValue> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Bool(left), other) | (other, Value::Bool(left)) => truth(other).map(|right| *left == right),
        (Value::Json(left), Value::Json(right)) => Ok(left == right),
        _ => order(left, right).map(Ordering::is_eq),
    }
}

pub(super) fn order(left: &Value, right: &Value) -> Result<Ordering, NoValue> {
    match (left, right) {
        (Value::Money(left), Value::Money(right)) if left.currency != right.currency => Err(two_currencies(*left, *right)),
        (Value::Time(left), Value::Time(right)) => Ok(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Ok(left.original().cmp(right.original())),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => Ok(left.cmp(&right)),
            _ => Err(NoValue::Mistake(format!("{} does not compare with {}", kind(left), kind(right)))),
        },
    }
}
