//! Calls are asked for by the day, and in whose time zone a day begins is not documented.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

/// How far from midnight in UTC a day of the platform may begin, in hours.
const MIDNIGHT_HOURS: i8 = 3;

/// The days on which the platform may list what happens at `instant`: its day in UTC, and the one before or
/// behind it when that is near.
pub(super) fn around(instant: Timestamp) -> BTreeSet<Date> {
    let at = instant.to_zoned(TimeZone::UTC);
    let mut days = BTreeSet::from([at.date()]);
    if at.hour() < MIDNIGHT_HOURS {
        days.extend(at.date().checked_sub(1.day()));
    } else if at.hour() >= 24 - MIDNIGHT_HOURS {
        days.extend(at.date().checked_add(1.day()));
    }
    days
}

/// The day before `instant`, in UTC.
pub(super) fn before(instant: Timestamp) -> Option<Date> {
    instant.to_zoned(TimeZone::UTC).date().checked_sub(1.day()).ok()
}
