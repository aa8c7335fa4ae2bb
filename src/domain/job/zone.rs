//! A zone's clock: how far it stands from UTC, and the moment at which it is set.

use crate::domain::zone::Zone;
use chrono::{DateTime, FixedOffset, Offset as _, TimeDelta, TimeZone as _, Utc};

pub(super) fn offset(zone: Zone, at: DateTime<Utc>) -> FixedOffset {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix()
}

/// The moment of the one change between the two; they must not stand alike. Clocks are set on whole seconds.
pub(super) fn change_between(zone: Zone, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let before = offset(zone, from);
    let (mut early, mut late) = (from, until);
    while late - early > TimeDelta::seconds(1) {
        let middle = early + (late - early) / 2;
        if offset(zone, middle) == before { early = middle } else { late = middle }
    }
    DateTime::from_timestamp(late.timestamp(), 0)
}
