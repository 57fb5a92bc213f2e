//! One walk through a platform's pages: its requests counted, its panics caught.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;

use super::trouble::Trouble;
use crate::platform::{ApiRequest, ApiResponse, Failure, Findings, Poll, SweepTask, Walk};

/// A walk that asks more is lost in a circle.
const REQUESTS_MAX: u32 = 1_000;

/// See the module.
pub(super) struct Sweep {
    walk: Box<dyn Walk>,
    /// The next request; `None` when everything was read.
    pub(super) next: Option<ApiRequest>,
    /// Requests that were answered.
    pub(super) requests: u32,
    /// When the first request was sent; until then, when the walk began.
    pub(super) began_at: Timestamp,
    /// When the latest answer came.
    pub(super) moved_at: Timestamp,
    /// Version of the access token in the latest request that had one, once it was answered.
    pub(super) token_version: Option<u64>,
}

impl Sweep {
    pub(super) fn begin(poll: &dyn Poll, task: SweepTask<'_>) -> Result<Self, Trouble> {
        let began_at = task.now;
        let (walk, next) = guarded(|| {
            let mut walk = poll.begin(task);
            let next = walk.ask();
            Ok((walk, next))
        })?;
        Ok(Self { walk, next, requests: 0, began_at, moved_at: began_at, token_version: None })
    }

    /// Reads the answer to the last request, which came at `now`.
    pub(super) fn hear(&mut self, answer: &ApiResponse, now: Timestamp) -> Result<(), Trouble> {
        if self.requests == 0 {
            self.began_at = answer.asked_at;
        }
        self.requests += 1;
        self.moved_at = now;
        let walk = &mut self.walk;
        self.next = guarded(|| {
            walk.hear(answer)?;
            Ok(walk.ask())
        })?;
        if self.next.is_some() && self.requests >= REQUESTS_MAX {
            return Err(Trouble::TooLong);
        }
        Ok(())
    }

    pub(super) fn findings(self) -> Result<Findings, Trouble> {
        guarded(|| Ok(self.walk.findings()))
    }
}

/// A platform that panics has not understood the answer.
fn guarded<T>(read: impl FnOnce() -> Result<T, Failure>) -> Result<T, Trouble> {
    let result = catch_unwind(AssertUnwindSafe(read));
    result
        .unwrap_or_else(|_| Err(Failure::malformed("livehook panicked while reading it")))
        .map_err(Trouble::from)
}
