//! The order in which alerts want attention.

use std::{cmp::Ordering, sync::Arc};

use chrono::{DateTime, Utc};

use super::snapshot::{Alert, Handling};

impl Handling {
    /// True while it is snoozed or deferred.
    pub fn is_put_off(&self, now: DateTime<Utc>) -> bool {
        [self.snoozed_until, self.deferred_until].into_iter().flatten().any(|until| until > now)
    }
}

/// Severest, then oldest; within a severity what nobody acknowledged comes first, and what is put off last.
pub fn order(a: &Alert, b: &Alert, now: DateTime<Utc>) -> Ordering {
    let put_off = |alert: &Alert| alert.handling.is_put_off(now);
    let acknowledged = |alert: &Alert| alert.handling.acknowledged.is_some();
    b.severity
        .cmp(&a.severity)
        .then(put_off(a).cmp(&put_off(b)))
        .then(acknowledged(a).cmp(&acknowledged(b)))
        .then(a.since.cmp(&b.since))
        .then_with(|| a.subject.cmp(&b.subject))
}

pub fn sort(alerts: &mut [Arc<Alert>], now: DateTime<Utc>) {
    alerts.sort_by(|a, b| order(a, b, now));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{id::Id, severity::Severity, snapshot::Subject, text::Text};

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn alert(name: &str, severity: Severity, since: i64, handling: Handling) -> Arc<Alert> {
        Arc::new(Alert {
            subject: Subject::Check(Id::new(name)),
            title: name.to_owned(),
            severity,
            since: at(since),
            reading: String::new(),
            detail: Text::new(""),
            rule: String::new(),
            turning: None,
            recent: Arc::from([]),
            playbook: None,
            looked_at: None,
            every: Duration::from_mins(1),
            failure: None,
            handling,
        })
    }

    #[test]
    fn what_needs_a_hand_comes_first() {
        let plain = Handling::default;
        let acknowledged = Handling { acknowledged: Some((at(5), "ana".to_owned())), ..plain() };
        let snoozed = Handling { snoozed_until: Some(at(90)), ..plain() };
        let deferred = Handling { deferred_until: Some(at(90)), ..plain() };
        let over = Handling { snoozed_until: Some(at(30)), ..plain() };
        let mut alerts = vec![
            alert("well", Severity::Green, 0, plain()),
            alert("snoozed", Severity::Red, 0, snoozed),
            alert("deferred", Severity::Yellow, 0, deferred),
            alert("blind", Severity::Unknown, 0, plain()),
            alert("seen", Severity::Red, 0, acknowledged),
            alert("young", Severity::Red, 20, plain()),
            alert("old", Severity::Red, 10, over),
            alert("slow", Severity::Yellow, 0, plain()),
        ];
        sort(&mut alerts, at(60));
        let order: Vec<_> = alerts.iter().map(|alert| alert.title.as_str()).collect();
        assert_eq!(order, ["old", "young", "seen", "snoozed", "slow", "deferred", "blind", "well"]);
    }
}
