//! When the pages of a list were made, by its own clock.

use jiff::{SignedDuration, Timestamp};

use super::super::{super::STALE_SECONDS, answer::Quirks};
use crate::platform::{Coverage, Failure};

/// How much later than asked for a page may say that it was made: clocks differ a little, and answering takes time.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(10);
/// How much older than the last sweep's a page may be: one cache may keep it longer than another.
const BEHIND_MAX: SignedDuration = SignedDuration::from_secs(STALE_SECONDS as i64);
/// How old a page may be by its own clock. A greater difference is one between clocks.
const AGE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// What the pages of one sweep said.
pub(super) struct Times {
    /// When the newest page of the last sweep was made.
    before: Option<Timestamp>,
    /// When the newest page of this sweep was made.
    newest: Option<Timestamp>,
    is_dated: bool,
    coverage_max: Coverage,
}

impl Times {
    /// For a sweep that begins at `now`, after one that left `seconds`.
    pub(super) fn after(seconds: Option<i64>, now: Timestamp) -> Self {
        let before = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Self {
            // A clock that was set back must not make everything look old.
            before: before.map(|at| at.min(now)),
            newest: None,
            is_dated: true,
            coverage_max: Coverage::Whole,
        }
    }

    /// How much earlier a page was made than it was asked for, if that can be known; `time` is what it says.
    ///
    /// # Errors
    /// [`Failure::Stale`]: it is older than any cache should keep it.
    pub(super) fn age(
        &mut self,
        time: Option<u64>,
        asked_at: Timestamp,
        quirks: &mut Quirks,
    ) -> Result<Option<SignedDuration>, Failure> {
        let said = time.and_then(|time| i64::try_from(time).ok());
        let said = said.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let is_ahead = said.is_some_and(|said| said.duration_since(asked_at) > AHEAD_MAX);
        let Some(said) = said.filter(|_| !is_ahead) else {
            quirks.note(if is_ahead { "list-time-ahead" } else { "no-list-time" });
            self.is_dated = false;
            return Ok(None);
        };
        let made_at = said.min(asked_at);
        if let Some(before) = self.before {
            if before.duration_since(made_at) > BEHIND_MAX {
                return Err(Failure::Stale);
            }
            // Of the same second, it may be the very copy that the last sweep read.
            self.is_dated &= made_at > before;
            if made_at < before {
                // What is not in it may have begun since.
                self.coverage_max = Coverage::Partial;
            }
        }
        if self.newest.is_some_and(|newest| made_at < newest) {
            // Then two passes prove nothing about any one moment.
            self.coverage_max = self.coverage_max.min(Coverage::Nearly);
        }
        self.newest = self.newest.max(Some(made_at));
        let age = asked_at.duration_since(made_at);
        if age > AGE_MAX {
            quirks.note("list-time-behind");
            self.is_dated = false;
        }
        Ok(Some(age).filter(|age| *age <= AGE_MAX))
    }

    /// For the next sweep: when the newest page ever was made, in Unix seconds.
    pub(super) fn seconds(&self) -> Option<i64> {
        self.newest.max(self.before).map(Timestamp::as_second)
    }

    /// Whether every page said when it was made, and that was after the last sweep's.
    pub(super) fn are_dated(&self) -> bool {
        self.is_dated
    }

    /// No more than this was seen, whatever the numbers of pages and rows say.
    pub(super) fn coverage_max(&self) -> Coverage {
        self.coverage_max
    }
}
