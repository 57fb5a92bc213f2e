//! When a watch has looked at all there is.

use jiff::{SignedDuration, Timestamp};

/// A sweep that succeeded.
#[derive(Clone, PartialEq, Debug)]
pub struct Look {
    pub watch: String,
    /// When the one before was over.
    pub after: Timestamp,
    pub over_at: Timestamp,
}

/// How many sweeps of a watch lay within this time, without those that may have read the same copy of an answer.
pub fn within(looks: &[Look], watch: &str, from: Timestamp, to: Timestamp, apart: SignedDuration) -> usize {
    let mut last: Option<Timestamp> = None;
    let mut count = 0;
    for look in looks.iter().filter(|look| look.watch == watch && look.after >= from && look.over_at <= to) {
        if last.is_none_or(|last| look.over_at.duration_since(last) >= apart) {
            (last, count) = (Some(look.over_at), count + 1);
        }
    }
    count
}
