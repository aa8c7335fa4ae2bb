//! PostgreSQL's `numeric` as it travels: a decimal where it fits, all its digits as text where it does not.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::domain::value::Value;

/// Digits travel in groups of four.
const DIGITS: usize = 4;

/// A cell of what the server sent, or `None` where that is no numeric. A fraction beyond the 28 digits of a decimal is
/// rounded; a whole part beyond them, `NaN` and infinity are text, which no rule takes for a number.
pub(super) fn numeric(bytes: &[u8]) -> Option<Value> {
    let mut words = bytes.chunks_exact(2).map(|word| <[u8; 2]>::try_from(word).map(u16::from_be_bytes).unwrap_or_default());
    let (count, weight, sign, scale) = (words.next()?, words.next()?.cast_signed(), words.next()?, words.next()?);
    let groups: Vec<u16> = words.collect();
    match sign {
        0x0000 | 0x4000 => {}
        0xC000 => return Some(Value::text("NaN")),
        0xD000 => return Some(Value::text("Infinity")),
        0xF000 => return Some(Value::text("-Infinity")),
        _ => return None,
    }
    if groups.len() != usize::from(count) || groups.iter().any(|group| *group > 9999) {
        return None;
    }
    let written = written(&groups, weight.into(), sign == 0x4000, scale.into());
    let decimal = written.parse::<Decimal>().ok();
    // What is so small that nothing is left of it is not nothing.
    let fits = decimal.filter(|decimal| !decimal.is_zero() || groups.is_empty());
    Some(fits.map_or_else(|| Value::text(written), Value::Decimal))
}

/// As the server writes it: `weight` is the power of 10,000 of the first group.
fn written(groups: &[u16], weight: i32, is_negative: bool, scale: usize) -> String {
    let group = |power: i32| {
        let index = usize::try_from(weight - power).ok();
        index.and_then(|index| groups.get(index)).copied().unwrap_or_default()
    };
    let mut written = String::from(if is_negative { "-" } else { "" });
    // Writing to a string cannot fail.
    let _ = write!(written, "{}", group(weight.max(0)));
    for power in (0..weight.max(0)).rev() {
        let _ = write!(written, "{:04}", group(power));
    }
    if scale > 0 {
        let mut fraction = String::with_capacity(scale + DIGITS);
        for power in (1..).take(scale.div_ceil(DIGITS)) {
            let _ = write!(fraction, "{:04}", group(-power));
        }
        fraction.truncate(scale);
        written.push('.');
        written.push_str(&fraction);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let head = [groups.len() as u16, weight.cast_unsigned(), sign, scale];
        head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn digits_are_written_as_the_server_writes_them() {
        for (weight, scale, groups, seen) in [
            (0, 0, vec![], "0"),
            (0, 2, vec![], "0.00"),
            (0, 2, vec![22], "22.00"),
            (0, 3, vec![12, 5000], "12.500"),
            (1, 0, vec![1, 234], "10234"),
            (2, 0, vec![7], "700000000"),
            (-1, 4, vec![1], "0.0001"),
            (-2, 8, vec![10], "0.00000010"),
        ] {
            assert_eq!(written(&groups, weight, false, scale), seen);
        }
        assert_eq!(numeric(&sent(0, 0x4000, 2, &[1, 5000])), Some(Value::Decimal("-1.50".parse().unwrap())));
    }

    #[test]
    fn what_is_no_decimal_is_text_and_never_another_number() {
        assert_eq!(numeric(&sent(0, 0xC000, 0, &[])), Some(Value::text("NaN")));
        assert_eq!(numeric(&sent(0, 0xF000, 0, &[])), Some(Value::text("-Infinity")));
        assert_eq!(numeric(&sent(7, 0, 0, &[1])), Some(Value::Decimal(format!("1{}", "0".repeat(28)).parse().unwrap())));
        assert_eq!(numeric(&sent(8, 0, 0, &[1])), Some(Value::text(format!("1{}", "0".repeat(32)))));
        let tiny = format!("0.{}1", "0".repeat(39));
        assert_eq!(numeric(&sent(-10, 0, 40, &[1])), Some(Value::text(tiny)));
        for broken in [&[][..], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 1, 0, 0, 0, 0, 0, 0, 0x7f, 0xff], &[0, 0, 0, 0, 0x12, 0x34, 0, 0]]
        {
            assert_eq!(numeric(broken), None, "{broken:?}");
        }
    }
}
