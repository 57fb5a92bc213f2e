//! When the next sweep is due: intervals that are a little shorter now and then, starts that are spread, waits that
//! grow.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{model::AccountName, ports::Entropy};

/// Longest wait for the first sweep after a start, if none is due later by schedule.
const SPREAD_MAX: SignedDuration = SignedDuration::from_mins(1);
/// Shortest wait after a failure.
const BACKOFF_MIN: SignedDuration = SignedDuration::from_secs(5);
/// Longest wait after the first failure.
const BACKOFF_FIRST: SignedDuration = SignedDuration::from_secs(15);
/// Longest wait after the second failure; it doubles from there.
const BACKOFF_SECOND: SignedDuration = SignedDuration::from_secs(30);

/// Chance, for waits that are not to fall together.
#[derive(Clone)]
pub(super) struct Jitter(pub(super) Arc<dyn Entropy>);

impl Jitter {
    /// Anything from `from` to `to`.
    pub(super) fn between(&self, from: SignedDuration, to: SignedDuration) -> SignedDuration {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        let share = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        from.saturating_add(times(to.saturating_sub(from), share))
    }

    /// An interval, 10 % shorter at most. Never longer: within the interval a change is seen.
    pub(super) fn shortened(&self, every: SignedDuration) -> SignedDuration {
        self.between(times(every, 0.9), every)
    }

    /// The wait after so many failures in a row: 5 to 15 seconds, then with full jitter up to 30 seconds, a minute,
    /// two, ..., `max`.
    pub(super) fn backoff(&self, failures: u32, max: SignedDuration) -> SignedDuration {
        let longest = match failures {
            0 | 1 => BACKOFF_FIRST,
            more => BACKOFF_SECOND.checked_mul(1 << (more - 2).min(16)).unwrap_or(max),
        };
        self.between(BACKOFF_MIN.min(max), longest.min(max))
    }
}

/// How long after a start the first sweep begins: the same for the same watch, different for others. At most 10
/// seconds for intervals of up to a minute, and at most a minute for any: nobody waits for hours to see it work.
pub(super) fn spread(account: &AccountName, watch: &str, every: SignedDuration) -> SignedDuration {
    let hash = Sha256::new().chain_update(account.as_str()).chain_update([0]).chain_update(watch).finalize();
    let share = f64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])) / f64::from(u32::MAX);
    times((every / 6).min(SPREAD_MAX), share)
}

/// The configured interval.
pub(super) fn interval(every: Duration) -> SignedDuration {
    SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX)
}

/// So long after; the end of time if that is later.
pub(super) fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

fn times(duration: SignedDuration, factor: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests;
