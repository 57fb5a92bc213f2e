//! Is a delivery that looks like an earlier one a retry, or the same thing happening again?
//!
//! Platforms that send no id leave three signals: how long ago the earlier copy came, whether our answer
//! to it left in time, and whether the distance is one at which the platform retries.

use jiff::Timestamp;

/// A platform's way of retrying, from its documentation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetrySchedule {
    /// Seconds within which our answer must leave to count as received.
    pub answer_seconds: u32,
    /// Distances from an earlier attempt at which a retry may come, in seconds, each an inclusive range.
    pub windows: &'static [(u32, u32)],
}

/// An earlier delivery with the same content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Previous {
    /// When it came.
    pub received_at: Timestamp,
    /// Milliseconds until our 200 left; `None` when none is known to have left.
    pub answered_ms: Option<u32>,
}

/// What the earlier copies make of this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// No earlier copy within the horizon.
    First,
    /// A copy came a moment ago: a duplicate, unless something else happened to the entity in between.
    Immediate,
    /// At a retry distance from a copy that we did not answer in time: a retry.
    Retry,
    /// At a retry distance from a copy that we did answer: probably new, published with a mark.
    Possible,
    /// The same thing happened again.
    Again,
}

/// Copies closer than this say nothing new unless something else came in between.
const IMMEDIATE_SECONDS: i64 = 60;

/// Judges a delivery received at `now` against the earlier ones with the same content, in any order.
pub fn judge(previous: &[Previous], now: Timestamp, schedule: RetrySchedule) -> Seen {
    let age_seconds = |copy: &Previous| now.duration_since(copy.received_at).as_secs();
    let at_retry_distance = |copy: &&Previous| {
        let age = age_seconds(copy);
        schedule.windows.iter().any(|&(from, to)| (i64::from(from)..=i64::from(to)).contains(&age))
    };
    let unanswered = |copy: &Previous| copy.answered_ms.is_none_or(|ms| ms >= schedule.answer_seconds * 1000);

    if previous.is_empty() {
        Seen::First
    } else if previous.iter().filter(at_retry_distance).any(unanswered) {
        Seen::Retry
    } else if previous.iter().any(|copy| age_seconds(copy) < IMMEDIATE_SECONDS) {
        Seen::Immediate
    } else if previous.iter().any(|copy| at_retry_distance(&copy)) {
        Seen::Possible
    } else {
        Seen::Again
    }
}

#[cfg(test)]
mod tests;
