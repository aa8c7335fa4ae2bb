//! Spans of time as a file writes them: `30s`, `10m`, `72h`, `7d`, `1h30m`.

use std::time::Duration;

const UNITS: [(&str, u64); 6] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// `None` where it is no span; units go from large to small and each stands once.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let (mut total, mut smallest) = (0_u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, size) = UNITS.into_iter().find(|(word, _)| *word == unit)?;
        if size >= smallest {
            return None;
        }
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(size)?)?;
        (rest, smallest) = (after.trim_start(), size);
    }
    (smallest < u64::MAX).then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_they_are_written() {
        for (text, seconds) in
            [("30s", 30), ("10m", 600), ("72h", 259_200), ("7d", 604_800), ("1h30m", 5_400), ("0s", 0), ("2w", 1_209_600)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("300ms"), Some(Duration::from_millis(300)));
        for text in ["", "30", "s", "5 minutes", "-5s", "1.5h", "30m1h", "99999999999999999999s", "1e3s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
