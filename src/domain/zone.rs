//! Time zones by their names in the IANA database, which the program carries with it.
//!
//! The rules are read from compact bytes when a zone is first named, and kept. A database of tables full of addresses
//! (chrono-tz) costs every start a megabyte of memory, named zones or not.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{LazyLock, PoisonError, RwLock},
};

use chrono::{Datelike as _, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike as _};
use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone as Rules, TimeZoneDatabase},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A zone of the database, such as `Europe/Vienna`.
#[derive(Clone, Copy)]
pub struct Zone(&'static Known);

struct Known {
    name: &'static str,
    rules: Rules,
}

static UTC: Known = Known { name: "UTC", rules: Rules::UTC };

/// The zones that were named so far. A program names a handful of some six hundred: they are kept for good.
static NAMED: RwLock<BTreeMap<&'static str, Zone>> = RwLock::new(BTreeMap::new());

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    pub const UTC: Self = Self(&UTC);

    /// As the database writes it.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Every name there is, in order.
    pub fn names() -> impl Iterator<Item = String> {
        DATABASE.available().map(|name| name.to_string())
    }

    fn offset_at(self, moment: Timestamp) -> ZoneOffset {
        let info = self.0.rules.to_offset_info(moment);
        let mut abbreviation = [0; ABBREVIATION];
        for (place, letter) in abbreviation.iter_mut().zip(info.abbreviation().bytes()) {
            *place = letter;
        }
        ZoneOffset { zone: self, fixed: fixed(info.offset()), abbreviation }
    }

    fn offset_before(self, civil: civil::DateTime, offset: jiff::tz::Offset) -> ZoneOffset {
        let moment = offset.to_timestamp(civil).unwrap_or(if civil.year() < 0 { Timestamp::MIN } else { Timestamp::MAX });
        ZoneOffset { fixed: fixed(offset), ..self.offset_at(moment) }
    }
}

fn fixed(offset: jiff::tz::Offset) -> FixedOffset {
    // Both libraries know offsets of less than a day only.
    FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| chrono::Utc.fix())
}

/// What is no name of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no zone of this name, such as Europe/Vienna")]
pub struct NoZone;

impl FromStr for Zone {
    type Err = NoZone;

    fn from_str(name: &str) -> Result<Self, NoZone> {
        if name == UTC.name {
            return Ok(Self::UTC);
        }
        if let Some(zone) = NAMED.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(*zone);
        }
        let rules = DATABASE.get(name).map_err(|_| NoZone)?;
        // The database does not mind capitals; a name is to be found again as it was written.
        if rules.iana_name() != Some(name) {
            return Err(NoZone);
        }
        let mut named = NAMED.write().unwrap_or_else(PoisonError::into_inner);
        let name: &'static str = name.to_owned().leak();
        Ok(*named.entry(name).or_insert_with(|| Self(Box::leak(Box::new(Known { name, rules })))))
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The longest abbreviation of the database has six letters.
const ABBREVIATION: usize = 8;

/// How far a zone's clock stands from UTC at one moment, and what that is called: `AEDT`.
#[derive(Clone, Copy)]
pub struct ZoneOffset {
    zone: Zone,
    fixed: FixedOffset,
    abbreviation: [u8; ABBREVIATION],
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(str::from_utf8(&self.abbreviation).unwrap_or_default().trim_end_matches('\0'))
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let civil = civil_time(local);
        match self.0.rules.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.offset_before(civil, offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.offset_before(civil, before), self.offset_before(civil, after))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        let seconds = utc.and_utc().timestamp().clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        self.offset_at(Timestamp::from_second(seconds).unwrap_or_default())
    }
}

/// To the second, no zone changes within one; the ends of the calendar where it lies beyond them.
fn civil_time(local: &NaiveDateTime) -> civil::DateTime {
    let Ok(year) = i16::try_from(local.year()) else { return beyond(local.year()) };
    let (month, day) = (local.month() as i8, local.day() as i8);
    let (hour, minute, second) = (local.hour() as i8, local.minute() as i8, local.second() as i8);
    civil::DateTime::new(year, month, day, hour, minute, second, 0).unwrap_or_else(|_| beyond(local.year()))
}

fn beyond(year: i32) -> civil::DateTime {
    if year < 0 { civil::DateTime::MIN } else { civil::DateTime::MAX }
}

#[cfg(test)]
pub(crate) fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::TZ_VARIANTS;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn a_zone_is_found_by_its_exact_name_only() {
        assert_eq!(zone("Australia/Sydney").name(), "Australia/Sydney");
        assert_eq!(zone("UTC"), Zone::UTC);
        for wrong in ["australia/sydney", "Australia/Sidney", "AEDT", "", "+10:00"] {
            assert_eq!(wrong.parse::<Zone>(), Err(NoZone), "{wrong}");
        }
        let names: BTreeSet<String> = Zone::names().collect();
        assert!(names.iter().all(|name| name.parse::<Zone>().is_ok()), "{names:?}");
        assert!(names.contains("Europe/Vienna") && names.contains("UTC"), "{names:?}");
    }

    #[test]
    fn a_time_says_its_zone_as_people_there_do() {
        let said = |name, moment| at(moment).with_timezone(&zone(name)).format("%H:%M %Z %z").to_string();
        assert_eq!(said("Australia/Sydney", "2026-01-15T00:00:00Z"), "11:00 AEDT +1100");
        assert_eq!(said("Australia/Sydney", "2026-07-15T00:00:00Z"), "10:00 AEST +1000");
        assert_eq!(said("Asia/Kathmandu", "2026-07-15T00:00:00Z"), "05:45 +0545 +0545");
        assert_eq!(said("UTC", "2026-07-15T00:00:00Z"), "00:00 UTC +0000");
    }

    /// Another reader of the same database, made by others: day by day, and by half hours where it sets its clock. Their
    /// editions differ in what was ruled lately, and in what was found out of long ago.
    #[test]
    fn every_zone_stands_as_another_reader_of_the_database_says() {
        let (mut compared, mut changes) = (0, 0);
        for theirs in &TZ_VARIANTS {
            let Ok(ours) = theirs.name().parse::<Zone>() else { continue };
            let mut day = at("2014-01-01T12:00:00Z");
            while day < at("2022-01-01T00:00:00Z") {
                let next = day + TimeDelta::days(1);
                let (here, there) = (theirs.offset_from_utc_datetime(&day.naive_utc()), day.with_timezone(&ours));
                assert_eq!(there.offset().fix(), here.fix(), "{theirs} {day}");
                if theirs.offset_from_utc_datetime(&next.naive_utc()).fix() != here.fix() {
                    changes += 1;
                    for half_hours in -52..100 {
                        let naive = (day + TimeDelta::minutes(30 * half_hours)).naive_utc();
                        assert_eq!(local(&ours, &naive), local(theirs, &naive), "{theirs} {naive}");
                        let (ours, theirs) = (ours.from_utc_datetime(&naive), theirs.from_utc_datetime(&naive));
                        assert_eq!(ours.to_rfc3339(), theirs.to_rfc3339());
                    }
                }
                day = next;
            }
            compared += 1;
        }
        assert!(compared > 500 && changes > 3_000, "{compared} {changes}");
    }

    fn local<Z: TimeZone>(zone: &Z, naive: &NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        zone.from_local_datetime(naive).map(|time| time.to_utc())
    }

    #[test]
    fn a_zone_is_written_as_its_name() {
        let written = serde_json::to_string(&zone("Europe/London")).unwrap();
        assert_eq!(written, "\"Europe/London\"");
        assert_eq!(serde_json::from_str::<Zone>(&written).unwrap(), zone("Europe/London"));
        assert!(serde_json::from_str::<Zone>("\"Nowhere\"").is_err());
    }

    #[test]
    fn the_ends_of_the_calendar_have_an_offset_too() {
        for naive in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            assert!(zone("Europe/Vienna").offset_from_local_datetime(&naive).latest().is_some(), "{naive}");
            let _ = zone("Europe/Vienna").offset_from_utc_datetime(&naive);
        }
    }
}
