//! The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in one of three forms.

use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// Nobody is believed for longer.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// How long it says to wait, from a second to an hour; `None` if it says nothing, or a time that is over.
pub fn read(header: Option<&str>, now: Timestamp) -> Option<SignedDuration> {
    let header = header?.trim_matches([' ', '\t']);
    let told = if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time.
        header.parse().map_or(LONGEST, SignedDuration::from_secs)
    } else {
        let told = date(header)?.duration_since(now);
        if !told.is_positive() {
            return None;
        }
        told
    };
    Some(told.clamp(SHORTEST, LONGEST))
}

/// A date as servers write it today, as they wrote it once (RFC 850), or as C does (`asctime`).
fn date(header: &str) -> Option<Timestamp> {
    if let Ok(date) = rfc2822::DateTimeParser::new().parse_timestamp(header) {
        return Some(date);
    }
    let old = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let date = old.iter().find_map(|format| DateTime::strptime(format, header).ok())?;
    date.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests;
