//! When is something gone that does not stand in its list any more? Only when two whole sweeps in a row say so.
//!
//! Each list keeps score for each of its entries. What speaks against believing an absence: the answer may be
//! the very copy that was read before, the list may not have been seen whole, so much may be absent that the
//! platform is more likely in trouble, or another list may still hold it.

use jiff::{SignedDuration, Timestamp};

use crate::platform::Coverage;

/// At this score it is gone.
pub(super) const GONE_AT: u8 = 4;

/// Lists that were shorter than this may become empty all at once.
const SUSPICIOUS_FROM: usize = 4;

/// How long a list speaks for what stood in it when it was last read, if it is read often.
const SPEAKS_AT_LEAST: SignedDuration = SignedDuration::from_hours(1);
/// In intervals at which it is read.
const SPEAKS_INTERVALS: i32 = 4;
/// If nobody knows how often it is read: a little more than the longest interval.
const SPEAKS_AT_MOST: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What is remembered of a list.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Scope {
    /// When the first sweep began that saw it as a whole.
    pub(super) known_since: Option<Timestamp>,
    /// When the last sweep began whose absences could count.
    pub(super) swept_at: Option<Timestamp>,
    /// And the one before that.
    pub(super) swept_before: Option<Timestamp>,
    /// So much was absent from that one that it was not believed.
    pub(super) is_doubted: bool,
}

/// How a sweep has read a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// When the sweep began.
    pub(super) began_at: Timestamp,
    /// How old answers can be.
    pub(super) stale_for: SignedDuration,
    /// How much of it was seen.
    pub(super) coverage: Coverage,
}

impl Reading {
    /// What an absence from it adds to the score; 0 when it says nothing.
    pub(super) fn weight(self, scope: &Scope) -> u8 {
        let may_be_the_same_copy = scope
            .swept_at
            .is_some_and(|swept_at| self.began_at <= swept_at || self.began_at < swept_at + self.stale_for);
        match self.coverage {
            _ if may_be_the_same_copy => 0,
            Coverage::Whole => 2,
            Coverage::Nearly => 1,
            Coverage::Partial => 0,
        }
    }

    /// What is remembered of the list after it was read so, and whether its absences count. `expected` entries
    /// were thought to be there, `seen` of them were.
    pub(super) fn outcome(self, scope: &Scope, expected: usize, seen: usize) -> Outcome {
        let mut after = *scope;
        if self.coverage >= Coverage::Nearly {
            after.known_since = scope.known_since.or(Some(self.began_at));
        }
        let weight = self.weight(scope);
        if weight == 0 {
            return Outcome { after, weight, is_suspicious: false };
        }
        after.swept_before = scope.swept_at;
        after.swept_at = Some(self.began_at);
        after.is_doubted = expected >= SUSPICIOUS_FROM && seen * 2 < expected;
        let is_suspicious = after.is_doubted && !scope.is_doubted;
        Outcome { after, weight: if is_suspicious { 0 } else { weight }, is_suspicious }
    }
}

/// What comes of reading a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    /// What is remembered of it.
    pub(super) after: Scope,
    /// What each absence adds to the score.
    pub(super) weight: u8,
    /// So much is absent that it is not believed before the next sweep says the same.
    pub(super) is_suspicious: bool,
}

/// The score after a sweep in which it was absent.
pub(super) fn score(absences: u8, weight: u8) -> u8 {
    absences.saturating_add(weight).min(GONE_AT)
}

/// Whether a list speaks for what stood in it when it was last read. One that is not read any more, because it
/// is no longer configured, says nothing after a while. `tried_at` is when reading it last failed, or when
/// livehook began to read anything, whichever is later.
pub(super) fn speaks(scope: &Scope, tried_at: Timestamp, now: Timestamp) -> bool {
    let Some(swept_at) = scope.swept_at else { return false };
    let lasts = match scope.swept_before {
        Some(before) => (swept_at.duration_since(before) * SPEAKS_INTERVALS).max(SPEAKS_AT_LEAST),
        None => SPEAKS_AT_MOST,
    };
    now.duration_since(tried_at.max(swept_at)) <= lasts.min(4 * SPEAKS_AT_MOST)
}

/// Whether nobody reads a list any more that a sweep did not show. One that was never seen as a whole says nothing
/// of when it was read, but whatever is read often had its turn since livehook began.
pub(super) fn is_silent(scope: &Scope, tried_at: Timestamp, now: Timestamp) -> bool {
    match scope.swept_at {
        Some(_) => !speaks(scope, tried_at, now),
        None => now.duration_since(tried_at) > SPEAKS_AT_LEAST,
    }
}

#[cfg(test)]
mod tests;
