//! How much of a figure's course is shown: the last week, the last thirty days, or all of it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::snapshot::MetricReading;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    Week,
    #[default]
    Month,
    All,
}

impl Period {
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Week => Self::Month,
            Self::Month => Self::All,
            Self::All => Self::Week,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Week => "7 d",
            Self::Month => "30 d",
            Self::All => "all",
        }
    }

    /// The points of a course that fall in it; all of them where they came without times.
    pub fn of(self, reading: &MetricReading, now: DateTime<Utc>) -> &[f64] {
        let span = match self {
            Self::Week => TimeDelta::days(7),
            Self::Month => TimeDelta::days(30),
            Self::All => return &reading.series,
        };
        let from = reading.times.partition_point(|at| *at <= now - span);
        reading.series.get(from..).unwrap_or_default()
    }
}

/// What the second half of a course makes of the first, as a fraction of it; `None` where it is too short or starts at nothing.
pub fn trend(points: &[f64]) -> Option<f64> {
    let points: Vec<f64> = points.iter().copied().filter(|point| point.is_finite()).collect();
    let half = points.len() / 2;
    if half < 2 {
        return None;
    }
    let (first, second): (f64, f64) = (points.iter().take(half).sum(), points.iter().rev().take(half).sum());
    (first != 0.0).then(|| (second - first) / first.abs())
}

/// As many points as there is room for, each the mean of those that it stands for: the whole course is seen, not its end.
pub fn condensed(points: &[f64], room: usize) -> Vec<f64> {
    if points.len() <= room {
        return points.to_vec();
    }
    let bound = |at: usize| at * points.len() / room;
    (0..room)
        .map(|at| {
            let part = points.get(bound(at)..bound(at + 1)).unwrap_or_default();
            let finite: Vec<f64> = part.iter().copied().filter(|point| point.is_finite()).collect();
            if finite.is_empty() { f64::NAN } else { finite.iter().sum::<f64>() / finite.len() as f64 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(days: i64) -> MetricReading {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1_000);
        MetricReading {
            series: (0..days).map(|day| day as f64).collect(),
            times: (0..days).map(|day| now - TimeDelta::days(days - 1 - day)).collect(),
            ..MetricReading::default()
        }
    }

    #[test]
    fn a_course_is_cut_to_the_period_by_its_times() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1_000);
        let year = daily(365);
        let counts = [Period::Week, Period::Month, Period::All].map(|period| period.of(&year, now).len());
        assert_eq!(counts, [7, 30, 365]);
        assert_eq!(Period::Week.of(&year, now).last(), Some(&364.0));
        let untimed = MetricReading { times: Vec::new(), ..daily(90) };
        assert_eq!(Period::Week.of(&untimed, now).len(), 90);
        assert_eq!(Period::Week.of(&daily(3), now).len(), 3);
        assert_eq!(Period::Week.of(&year, now + TimeDelta::days(100)), [] as [f64; 0]);
    }

    #[test]
    fn a_trend_is_the_second_half_against_the_first() {
        assert_eq!(trend(&[1.0, 1.0, 9.0, 2.0, 2.0]), Some(1.0));
        assert_eq!(trend(&[-2.0, -2.0, -1.0, -1.0]), Some(0.5));
        assert_eq!(trend(&[0.0, 0.0, 1.0, 1.0]), None);
        assert_eq!(trend(&[1.0, 2.0, f64::NAN]), None);
    }

    #[test]
    fn a_long_course_is_condensed_to_means() {
        assert_eq!(condensed(&[1.0, 3.0, 5.0, 7.0], 2), [2.0, 6.0]);
        assert_eq!(condensed(&[1.0, 3.0], 5), [1.0, 3.0]);
        assert_eq!(condensed(&[1.0, f64::NAN, 5.0], 1), [3.0]);
        assert_eq!(condensed(&[1.0, 2.0], 0), [] as [f64; 0]);
    }
}
