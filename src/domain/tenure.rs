//! Which severity a subject has and since when: kept over a restart, and over a time of blindness that it came out of as
//! it went in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    severity::Severity,
    snapshot::{Flip, Subject},
    text::Text,
};

/// Goes into the record as it is; the default is "never judged".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tenure {
    pub severity: Severity,
    /// `None` until the first judgement.
    pub since: Option<DateTime<Utc>>,
    /// What it was before it could no longer be seen.
    before: Option<(Severity, DateTime<Utc>)>,
}

impl Tenure {
    /// The tenure after a judgement at `now`, and the flip where the severity changed. Being found well at the first
    /// look is no flip: otherwise every start would be a page of them. `began` is since when the outside says that it is
    /// so; a trouble that is seen late has stood since then.
    #[must_use]
    pub fn judged(
        &self,
        subject: &Subject,
        severity: Severity,
        said: Text,
        began: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> (Self, Option<Flip>) {
        let start = began.filter(|began| severity > Severity::Unknown && *began <= now).unwrap_or(now);
        let Some(since) = self.since else {
            let first = Self { severity, since: Some(start), before: None };
            let is_news = severity > Severity::Unknown;
            return (first, is_news.then(|| flip(subject, self.severity, severity, said, now)));
        };
        // A clock that was ahead when this was recorded must not let it stand since tomorrow.
        let since = since.min(now);
        if severity == self.severity {
            return (Self { since: Some(since), ..self.clone() }, None);
        }
        let next = match (severity, self.before) {
            (Severity::Unknown, _) => Self { severity, since: Some(now), before: Some((self.severity, since)) },
            (_, Some((before, stood))) if before == severity => Self { severity, since: Some(stood.min(now)), before: None },
            _ => Self { severity, since: Some(start), before: None },
        };
        (next, Some(flip(subject, self.severity, severity, said, now)))
    }
}

fn flip(subject: &Subject, from: Severity, to: Severity, said: Text, at: DateTime<Utc>) -> Flip {
    Flip { subject: subject.clone(), at, from, to, said }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::id::Id;

    fn walk(steps: &[(i64, Severity)]) -> (Tenure, usize) {
        let subject = Subject::Check(Id::new("speed"));
        steps.iter().fold((Tenure::default(), 0), |(tenure, flips), &(minute, severity)| {
            let (tenure, flip) = tenure.judged(&subject, severity, Text::new(""), None, at(minute));
            (tenure, flips + usize::from(flip.is_some()))
        })
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn since_is_the_moment_of_the_last_change() {
        use Severity::{Green, Red, Unknown, Yellow};
        for (steps, since, flips) in [
            (&[(1, Green), (2, Green)][..], 1, 0),
            (&[(1, Red), (2, Red)], 1, 1),
            (&[(1, Unknown), (2, Green)], 2, 1),
            (&[(1, Green), (2, Yellow), (3, Red), (4, Red)], 3, 2),
            (&[(1, Red), (5, Unknown), (9, Red)], 1, 3),
            (&[(1, Red), (5, Unknown), (9, Yellow)], 9, 3),
            (&[(1, Red), (5, Unknown), (9, Yellow), (12, Red)], 12, 4),
            (&[(9, Red), (5, Red)], 5, 1),
        ] {
            let (tenure, seen) = walk(steps);
            assert_eq!((tenure.since, seen), (Some(at(since)), flips), "{steps:?}");
        }
    }

    #[test]
    fn a_trouble_that_is_seen_late_has_stood_since_it_began() {
        use Severity::{Green, Red};
        let subject = Subject::Check(Id::new("speed"));
        for (severity, began, since) in [(Red, Some(3), 3), (Red, Some(12), 9), (Red, None, 9), (Green, Some(3), 9)] {
            let (first, _) = Tenure::default().judged(&subject, severity, Text::new(""), began.map(at), at(9));
            assert_eq!(first.since, Some(at(since)));
        }
        let (well, _) = Tenure::default().judged(&subject, Green, Text::new(""), None, at(1));
        let (ill, flip) = well.judged(&subject, Red, Text::new(""), Some(at(3)), at(9));
        assert_eq!((ill.since, flip.map(|flip| flip.at)), (Some(at(3)), Some(at(9))));
    }

    #[test]
    fn a_restart_keeps_what_was_before_blindness() {
        let (blind, _) = walk(&[(1, Severity::Red), (5, Severity::Unknown)]);
        let restored: Tenure = serde_json::from_str(&serde_json::to_string(&blind).unwrap()).unwrap();
        let subject = Subject::Check(Id::new("speed"));
        let (back, flip) = restored.judged(&subject, Severity::Red, Text::new("still"), None, at(9));
        assert_eq!(back.since, Some(at(1)));
        assert_eq!(flip.map(|flip| (flip.from, flip.to)), Some((Severity::Unknown, Severity::Red)));
    }
}
