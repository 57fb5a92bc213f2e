//! Waits that do not fall together, and that grow.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Entropy;

/// Shortest wait after a failure.
const BACKOFF_MIN: SignedDuration = SignedDuration::from_secs(5);
/// Longest wait after the first failure.
const BACKOFF_FIRST: SignedDuration = SignedDuration::from_secs(15);
/// Longest wait after the second failure; it doubles from there.
const BACKOFF_SECOND: SignedDuration = SignedDuration::from_secs(30);

/// Chance, for waits that are not to fall together.
#[derive(Clone)]
pub struct Jitter(pub Arc<dyn Entropy>);

impl Jitter {
    /// Anything from `from` to `to`.
    pub fn between(&self, from: SignedDuration, to: SignedDuration) -> SignedDuration {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        let share = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        from.saturating_add(times(to.saturating_sub(from), share))
    }

    /// An interval, 10 % shorter at most. Never longer: within the interval a change is seen.
    pub fn shortened(&self, every: SignedDuration) -> SignedDuration {
        self.between(times(every, 0.9), every)
    }

    /// The wait after so many failures in a row: 5 to 15 seconds, then with full jitter up to 30 seconds, a minute,
    /// two, ..., `max`.
    pub fn backoff(&self, failures: u32, max: SignedDuration) -> SignedDuration {
        let longest = match failures {
            0 | 1 => BACKOFF_FIRST,
            more => BACKOFF_SECOND.checked_mul(1 << (more - 2).min(16)).unwrap_or(max),
        };
        self.between(BACKOFF_MIN.min(max), longest.min(max))
    }
}

/// So long after; the end of time if that is later.
pub fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// So much of it.
pub fn times(duration: SignedDuration, factor: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests;
