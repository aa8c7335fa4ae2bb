//! A figure as a person reads it: `11.8%`, `342ms`, `A$2,340`, `51`.

use super::value::Value;

/// A value with its unit. Money says its own currency, so the unit is left out.
pub fn figure(value: &Value, unit: &str) -> String {
    match value {
        Value::Money(_) | Value::Null | Value::Bool(_) | Value::Time(_) | Value::Text(_) | Value::Json(_) => value.to_string(),
        Value::Integer(_) | Value::Decimal(_) => value.number().map_or_else(String::new, |number| quantity(number, unit)),
    }
}

/// A number with its unit: a currency's sign stands before it, a short unit close behind it, a word apart.
pub fn quantity(number: f64, unit: &str) -> String {
    let is_sign = unit.ends_with(['$', '€', '£', '¥']);
    let (minus, figures) = (if number < 0.0 { "-" } else { "" }, figures(number.abs(), is_sign));
    if is_sign {
        format!("{minus}{unit}{figures}")
    } else if unit.is_empty() || unit == "%" || unit.chars().count() <= 2 {
        format!("{minus}{figures}{unit}")
    } else {
        format!("{minus}{figures} {unit}")
    }
}

/// As many decimals as tell something: none at a thousand, one at a hundred, three below one; two for money.
fn figures(number: f64, is_money: bool) -> String {
    let is_whole = (number - number.round()).abs() < 1e-9;
    let decimals = match number {
        _ if is_whole => 0,
        _ if is_money => 2,
        1_000.0.. => 0,
        1.0.. => 1,
        _ => 3,
    };
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let rest = if decimals == 3 { rest.trim_end_matches('0') } else { rest };
    let mut grouped = String::with_capacity(text.len() + 4);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn numbers_read_as_a_person_writes_them() {
        for (number, unit, said) in [
            (11.842, "%", "11.8%"),
            (15.04, "%", "15.0%"),
            (0.034, "", "0.034"),
            (0.5, "", "0.5"),
            (0.0, "%", "0%"),
            (342.0, "ms", "342ms"),
            (342.4, "ms", "342.4ms"),
            (2450.0, "", "2,450"),
            (2450.7, "", "2,451"),
            (37.5, "A$", "A$37.50"),
            (2340.0, "A$", "A$2,340"),
            (-2340.5, "A$", "-A$2,340.50"),
            (3.0, "events", "3 events"),
            (-5.0, "%", "-5%"),
            (1_234_567.0, "", "1,234,567"),
        ] {
            assert_eq!(quantity(number, unit), said);
        }
    }

    #[test]
    fn a_value_keeps_its_own_form_where_it_is_no_number() {
        assert_eq!(figure(&Value::text("down"), "%"), "down");
        assert_eq!(figure(&Value::Bool(false), "%"), "no");
        assert_eq!(figure(&Value::Decimal(Decimal::new(118, 1)), "%"), "11.8%");
    }
}
