//! Spans and times of day as PostgreSQL writes them.

const SECOND: i64 = 1_000_000;

/// `1 year 2 mons -3 days 04:05:06.5`; `None` where these bytes are no span.
pub(super) fn said(bytes: &[u8]) -> Option<String> {
    let (micros, rest) = bytes.split_first_chunk::<8>()?;
    let (days, months) = rest.split_first_chunk::<4>()?;
    let (micros, days) = (i64::from_be_bytes(*micros), i32::from_be_bytes(*days));
    let months = i32::from_be_bytes(months.try_into().ok()?);
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) => return Some("infinity".to_owned()),
        (i64::MIN, i32::MIN, i32::MIN) => return Some("-infinity".to_owned()),
        _ => {}
    }
    let parts = [(months / 12, "year"), (months % 12, "mon"), (days, "day")];
    let mut said: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if micros != 0 || said.is_empty() {
        said.push(clock(micros));
    }
    Some(said.join(" "))
}

/// `04:05:06`, with as much of a second as there is.
pub(super) fn clock(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let (seconds, part) = (micros / second, micros % second);
    let clock = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if part == 0 { clock } else { format!("{clock}.{}", format!("{part:06}").trim_end_matches('0')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_the_server_writes_them() {
        for (months, days, micros, seen) in [
            (0, 0, 0, "00:00:00"),
            (14, 1, 0, "1 year 2 mons 1 day"),
            (0, -3, 3_600_000_000, "-3 days 01:00:00"),
            (0, 0, -1_500_000, "-00:00:01.5"),
            (-1, 0, 1, "-1 mons 00:00:00.000001"),
            (0, 0, i64::MIN, "-2562047788:00:54.775808"),
        ] {
            let bytes = [&i64::to_be_bytes(micros)[..], &i32::to_be_bytes(days), &i32::to_be_bytes(months)].concat();
            assert_eq!(said(&bytes).as_deref(), Some(seen));
        }
        assert_eq!(said(&[0; 15]), None);
        assert_eq!(clock(86_400 * SECOND), "24:00:00");
    }
}
