//! When the next request may be sent, by what was sent before. Pure.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::{platform::Limits, poll::board::BudgetProgress, ports::jitter::after};

/// A minute and 5 %: requests do not arrive in the rhythm in which they are sent.
pub(in crate::poll) const WINDOW: SignedDuration = SignedDuration::from_secs(63);
/// Longest time that a request takes.
const REQUEST_MAX: SignedDuration = SignedDuration::from_secs(10);

/// What a request is for; the order in which they go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::poll) enum Purpose {
    /// A callback said something: cannot wait.
    Confirmation,
    /// A sweep by schedule.
    Routine,
}

/// See the module.
pub(super) struct Meter {
    limits: Limits,
    /// When requests were sent within the window, oldest first.
    begun: VecDeque<(Timestamp, Purpose)>,
    ended_at: Option<Timestamp>,
    rests_until: Option<Timestamp>,
    /// The latest time that was seen.
    seen_at: Timestamp,
}

impl Meter {
    pub(super) fn new(limits: Limits, now: Timestamp) -> Self {
        Self { limits, begun: VecDeque::new(), ended_at: None, rests_until: None, seen_at: now }
    }

    /// Takes in what an earlier process sent.
    pub(super) fn restore(&mut self, routine: &[Timestamp], confirmations: &[Timestamp], now: Timestamp) {
        let of = |purpose| move |at: &Timestamp| ((*at).min(now), purpose);
        let earlier = routine.iter().map(of(Purpose::Routine));
        self.begun.extend(earlier.chain(confirmations.iter().map(of(Purpose::Confirmation))));
        self.begun.make_contiguous().sort_unstable();
        if let Some((newest, _)) = self.begun.back() {
            // When its answer came is not known; it was over when this process began.
            let ended_at = now.min(*newest + REQUEST_MAX);
            self.ended_at = Some(self.ended_at.map_or(ended_at, |known| known.max(ended_at)));
        }
        self.note_time(now);
    }

    /// To be told before anything else. If the clock was set back, everything moves back with it: that no time
    /// has passed is certain, and nobody waits until it has caught up.
    pub(super) fn note_time(&mut self, now: Timestamp) {
        let back = self.seen_at.duration_since(now);
        if back.is_positive() {
            let moved = |at: Timestamp| after(at, -back);
            self.begun.iter_mut().for_each(|(at, _)| *at = moved(*at));
            self.ended_at = self.ended_at.map(moved);
            self.rests_until = self.rests_until.map(moved);
        }
        self.seen_at = now;
        while self.begun.front().is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.begun.pop_front();
        }
        self.rests_until = self.rests_until.filter(|until| *until > now);
    }

    /// From when on a request may be sent.
    pub(super) fn free_at(&self, purpose: Purpose) -> Timestamp {
        let gap = SignedDuration::from_micros(i64::from(self.limits.gap_ms) * 1050);
        let share = match purpose {
            Purpose::Confirmation => self.limits.confirmations_per_minute,
            Purpose::Routine => self.limits.routine_per_minute,
        };
        let of_purpose: Vec<_> = self.begun.iter().filter(|(_, other)| *other == purpose).collect();
        // One is the least, or nothing would ever be free.
        let nth_last = |count: usize, allowed: u32| count.checked_sub((allowed as usize).max(1));
        let all =
            nth_last(self.begun.len(), self.limits.per_minute).map(|index| self.begun[index].0 + WINDOW);
        let share = nth_last(of_purpose.len(), share).map(|index| of_purpose[index].0 + WINDOW);
        let gap = self.ended_at.map(|at| at + gap);
        [all, share, gap, self.rests_until].into_iter().flatten().max().unwrap_or(Timestamp::MIN)
    }

    /// A request is sent now.
    pub(super) fn begin(&mut self, purpose: Purpose, now: Timestamp) {
        self.begun.push_back((now, purpose));
    }

    /// Its answer came, or nobody waits for it any longer.
    pub(super) fn end(&mut self, now: Timestamp) {
        self.ended_at = Some(now);
    }

    /// Nothing is sent before `until`.
    pub(super) fn rest(&mut self, until: Timestamp) {
        self.rests_until = self.rests_until.max(Some(until));
    }

    pub(super) fn progress(&self, now: Timestamp) -> BudgetProgress {
        let per_minute = self.limits.per_minute;
        let spent = u32::try_from(self.begun.len()).unwrap_or(u32::MAX);
        BudgetProgress {
            per_minute,
            left: per_minute.saturating_sub(spent),
            rests_until: self.rests_until.filter(|until| *until > now),
        }
    }
}
