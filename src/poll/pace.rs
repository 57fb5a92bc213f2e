//! When the first sweep is due after a start.

use std::time::Duration;

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::{model::AccountName, ports::jitter::times};

/// Longest wait for the first sweep after a start, if none is due later by schedule.
const SPREAD_MAX: SignedDuration = SignedDuration::from_mins(1);
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

#[cfg(test)]
mod tests;
