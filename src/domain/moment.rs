//! Moments as a file of SQLite keeps them, which has no type for them: what is bound for a moment is a text as its own
//! `datetime()` writes it, and every other form sorts otherwise.

/// How a column keeps its moments, where it is in another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddMoment {
    /// `2026-01-01T08:00:00Z`
    Text,
    /// Days since noon in Greenwich on November 24, 4714 B.C.
    JulianDay,
    /// Since 1970, in so many parts of a second.
    Unix { parts: u64 },
}

/// No moment that a business meets is told in seconds by so large a number, nor in milliseconds by a smaller one.
const MILLISECONDS: f64 = 1e11;
const MICROSECONDS: f64 = 1e14;
const NANOSECONDS: f64 = 1e17;

/// 1858 to 2132; as seconds they would be of January 1970.
const JULIAN_DAYS: std::ops::Range<f64> = 2_400_000.0..2_500_000.0;

impl OddMoment {
    /// The statement that looks for one among a column's oldest and its newest rows; what it tells is for `told`. Of
    /// numbers the largest: a 0 does not say what it counts.
    pub fn look(table: &str, column: &str) -> String {
        format!(
            "select typeof(held) || ' ' || substr(held, 1, 20) as moment from (
                select * from (select {column} as held from {table} order by rowid limit 200)
                union all select * from (select {column} from {table} order by rowid desc limit 200))
            where typeof(held) in ('integer', 'real')
                or typeof(held) = 'text' and held glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9]*'
            order by abs(cast(held as real)) * (typeof(held) <> 'text') desc limit 1"
        )
    }

    /// What was found, and how it is kept.
    pub fn told(found: &str) -> Option<(Self, &str)> {
        let (kind, held) = found.split_once(' ')?;
        if kind == "text" {
            return Some((Self::Text, held));
        }
        let size = held.parse::<f64>().ok()?.abs();
        let odd = match size {
            day if JULIAN_DAYS.contains(&day) => Self::JulianDay,
            unix if unix < MILLISECONDS => Self::Unix { parts: 1 },
            unix if unix < MICROSECONDS => Self::Unix { parts: 1_000 },
            unix if unix < NANOSECONDS => Self::Unix { parts: 1_000_000 },
            _ => Self::Unix { parts: 1_000_000_000 },
        };
        Some((odd, held))
    }

    /// The column in the form in which it is compared.
    pub fn in_sql(self, column: &str) -> String {
        match self {
            Self::Text | Self::JulianDay => format!("datetime({column})"),
            Self::Unix { parts: 1 } => format!("datetime({column}, 'unixepoch')"),
            Self::Unix { parts } => format!("datetime({column} / {parts}, 'unixepoch')"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_told_by_its_size_what_it_counts() {
        for (found, written) in [
            ("text 2026-01-01T08:00:00Z", "datetime(at)"),
            ("integer 1767225600", "datetime(at, 'unixepoch')"),
            ("real 1767225600.25", "datetime(at, 'unixepoch')"),
            ("integer 0", "datetime(at, 'unixepoch')"),
            ("integer 1767225600000", "datetime(at / 1000, 'unixepoch')"),
            ("integer 1767225600000000", "datetime(at / 1000000, 'unixepoch')"),
            ("integer 1767225600000000000", "datetime(at / 1000000000, 'unixepoch')"),
            ("real 2461041.83333333", "datetime(at)"),
            ("integer 2461041", "datetime(at)"),
        ] {
            assert_eq!(OddMoment::told(found).unwrap().0.in_sql("at"), written, "{found}");
        }
        assert_eq!(OddMoment::told("integer x"), None);
    }
}
