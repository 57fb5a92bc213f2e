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
    /// Whether our 200 left; it leaves within [`RetrySchedule::answer_seconds`] or not at all.
    pub is_answered: bool,
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
/// A clock that was set back by more than a moment makes no copy of what came before.
const IMMEDIATE: std::ops::Range<i64> = -5..60;

/// Judges a delivery received at `now` against the earlier ones with the same content, in any order.
/// Meant for a few of them: the newest are enough.
pub fn judge(previous: &[Previous], now: Timestamp, schedule: RetrySchedule) -> Seen {
    let copies = Copies { previous, schedule };

    if previous.is_empty() {
        Seen::First
    } else if copies.are_retried_at(now) {
        Seen::Retry
    } else if previous.iter().any(|copy| IMMEDIATE.contains(&age_seconds(copy, now))) {
        Seen::Immediate
    } else if previous.iter().any(|copy| copies.may_be_retried(copy, now)) {
        Seen::Possible
    } else {
        Seen::Again
    }
}

struct Copies<'p> {
    previous: &'p [Previous],
    schedule: RetrySchedule,
}

impl Copies<'_> {
    /// Whether what comes at `at` is sent because a copy was not answered in time.
    fn are_retried_at(&self, at: Timestamp) -> bool {
        self.previous
            .iter()
            .any(|copy| !copy.is_answered && self.may_be_retried(copy, at) && !self.is_settled(copy, at))
    }

    /// Whether a retry of `copy` was answered in time before `at`: then no further one is sent.
    fn is_settled(&self, copy: &Previous, at: Timestamp) -> bool {
        self.previous.iter().any(|later| {
            (later.received_at > copy.received_at && later.received_at < at)
                && later.is_answered
                && self.may_be_retried(copy, later.received_at)
        })
    }

    fn may_be_retried(&self, copy: &Previous, at: Timestamp) -> bool {
        let age = age_seconds(copy, at);
        self.schedule.windows.iter().any(|&(from, to)| (i64::from(from)..=i64::from(to)).contains(&age))
    }
}

fn age_seconds(copy: &Previous, at: Timestamp) -> i64 {
    at.duration_since(copy.received_at).as_secs()
}

#[cfg(test)]
mod tests;
