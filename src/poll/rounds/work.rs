//! What an account has to read, and what comes first.

use jiff::{SignedDuration, Timestamp};

use super::{Rounds, partial::PartialLists};
use crate::{
    model::AccountName,
    platform::{Api, WatchKind},
    poll::{
        board::{UnderWay, WatchProgress},
        pace,
        sweep::Sweep,
        trouble::CLOSED_PAUSE,
    },
    ports::{Jitter, jitter::after},
    store::WatchStanding,
};

/// Sweeps that may fail in a row, over all watches, before the account is only probed.
const FAILURES_MAX: u32 = 5;
/// Confirmations that are under way, repeated or tried again; the others wait where they came in.
const CONFIRMATIONS_MAX: usize = 64;
/// Longest wait of what is due, as far as other watches are the reason.
const PATIENCE_MAX: SignedDuration = SignedDuration::from_mins(1);
/// A sweep that goes on for longer after it was due lets others go first.
const LONG: SignedDuration = SignedDuration::from_secs(10);
/// It is so far behind what has only just become due.
const BEHIND: SignedDuration = SignedDuration::from_secs(5);
/// A walk that stood still for longer than this, and than its interval, begins anew.
const STANDSTILL_MIN: SignedDuration = SignedDuration::from_mins(1);

/// A watch and the sweep of it that is under way.
pub(super) struct Watch {
    pub(super) kind: &'static WatchKind,
    pub(super) every: SignedDuration,
    /// When the next sweep is due; while one is under way, when that was.
    pub(super) due: Timestamp,
    pub(super) sweep: Option<Sweep>,
    /// The same for the board, also while a request is under way.
    pub(super) under_way: Option<UnderWay>,
    pub(super) standing: WatchStanding,
    pub(super) last_events: u64,
    /// How often in a row the store failed at it.
    pub(super) not_kept: u32,
    /// Its lists that are only ever seen in part.
    pub(super) partial: PartialLists,
}

impl Watch {
    pub(super) fn new(kind: &'static WatchKind, every: std::time::Duration, now: Timestamp) -> Self {
        Self {
            kind,
            every: pace::interval(every),
            due: now,
            sweep: None,
            under_way: None,
            standing: WatchStanding::default(),
            last_events: 0,
            not_kept: 0,
            partial: PartialLists::default(),
        }
    }

    /// Goes on where the last process stood: an interval or a wait that has begun is waited for, one that is over
    /// begins again with the others, spread. Whoever asks `as` somebody else does not wait for what others were told.
    pub(super) fn restore(
        &mut self,
        account: &AccountName,
        mut standing: WatchStanding,
        asked_as: &str,
        now: Timestamp,
    ) {
        self.due = after(now, pace::spread(account, self.kind.name, self.every));
        if let Some(success_at) = standing.last_success_at {
            self.due = self.due.max(after(success_at.min(now), self.every));
        }
        standing.retry = standing.retry.filter(|retry| retry.asked_as == asked_as);
        if let Some(retry) = &standing.retry {
            // If the clock was set back since, nobody knows how much of it is over.
            self.due = self.due.max(retry.at.min(after(now, CLOSED_PAUSE)));
        }
        self.standing = standing;
    }

    /// Whether it fails for a reason that time does not mend.
    pub(super) fn is_lasting(&self) -> bool {
        self.standing.retry.as_ref().is_some_and(|retry| retry.is_lasting)
    }

    /// When it should be done. A sweep that takes long lets whatever is due meanwhile go before it.
    pub(super) fn deadline(&self) -> Timestamp {
        let moved_at = self.sweep.as_ref().map(|sweep| sweep.moved_at);
        match moved_at.filter(|at| *at > after(self.due, LONG)) {
            Some(moved_at) => after(moved_at, PATIENCE_MAX + BEHIND),
            None => after(self.due, self.every.min(PATIENCE_MAX)),
        }
    }

    pub(super) fn progress(&self) -> WatchProgress {
        WatchProgress {
            watch: self.kind.name.to_owned(),
            every_seconds: self.every.unsigned_abs().as_secs(),
            under_way: self.under_way,
            due_at: Some(self.due),
            last_success_at: self.standing.last_success_at,
            last_requests: self.standing.last_requests,
            last_events: self.last_events,
            last_failure_at: self.standing.last_failure_at,
            last_failure: self.standing.last_failure.clone(),
            failures: self.standing.failures,
            partial_lists: self.partial.names(),
        }
    }
}

/// One thing to read because a callback said something of it.
pub(super) struct Confirmation {
    /// Index of the watch.
    pub(super) watch: usize,
    pub(super) target: String,
    pub(super) since: Timestamp,
    pub(super) not_before: Timestamp,
    /// How often it failed.
    pub(super) failures: u32,
    /// How often in a row the store failed at it.
    pub(super) not_kept: u32,
    /// It was read before, and there were doubts.
    pub(super) is_repeated: bool,
    pub(super) sweep: Option<Sweep>,
}

/// Something to read, by its index among its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// A confirmation.
    Confirmation(usize),
    /// A sweep.
    Routine(usize),
}

/// Lets one sweep at a time through when everything fails.
#[derive(Default)]
pub(super) struct Breaker {
    /// Sweeps that failed in a row, over all watches.
    pub(super) failures: u32,
    /// When the next one may be tried.
    pub(super) probe_at: Timestamp,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.failures >= FAILURES_MAX
    }

    pub(super) fn note_failure(&mut self, now: Timestamp, api: &Api, jitter: &Jitter) {
        self.failures = self.failures.saturating_add(1);
        if self.is_open() {
            let max = SignedDuration::from_secs(i64::from(api.limits.backoff_max_seconds));
            self.probe_at = after(now, jitter.backoff(self.failures - FAILURES_MAX + 1, max));
        }
    }
}

impl Rounds {
    /// The confirmation to go on with: the one that is under way, one that is to be read again, the next wake.
    pub(super) fn pick_confirmation(&mut self, now: Timestamp) -> Option<Work> {
        if self.breaker.is_open() {
            return None;
        }
        let under_way = self.confirmations.iter().position(|confirmation| confirmation.sweep.is_some());
        let ready = || self.confirmations.iter().position(|confirmation| confirmation.not_before <= now);
        if let Some(index) = under_way.or_else(ready) {
            return Some(Work::Confirmation(index));
        }
        if self.confirmations.len() >= CONFIRMATIONS_MAX {
            return None;
        }
        let asked = self.inbox.take()?;
        let watch = self.watches.iter().position(|watch| watch.kind.name == asked.watch)?;
        self.confirmations.push(Confirmation {
            watch,
            target: asked.target,
            since: now,
            not_before: now,
            failures: 0,
            not_kept: 0,
            is_repeated: false,
            sweep: None,
        });
        Some(Work::Confirmation(self.confirmations.len() - 1))
    }

    /// The sweep that must be done first, among those that are due or under way.
    pub(super) fn pick_routine(&mut self, now: Timestamp) -> Option<Work> {
        for watch in &mut self.watches {
            let standstill_max = watch.every.max(STANDSTILL_MIN);
            let stood_still =
                watch.sweep.take_if(|sweep| now.duration_since(sweep.moved_at) > standstill_max);
            if stood_still.is_some() {
                watch.under_way = None;
            }
        }
        let deadline = |index: &usize| self.watches[*index].deadline();
        let is_due = |index: &usize| self.watches[*index].due <= now;
        let is_under_way = |index: &usize| self.watches[*index].sweep.is_some();
        let watches = 0..self.watches.len();
        let first = if !self.breaker.is_open() {
            watches.filter(|index| is_due(index) || is_under_way(index)).min_by_key(deadline)
        } else {
            let probe = watches.clone().filter(is_under_way).min_by_key(deadline);
            let next = || watches.filter(is_due).min_by_key(deadline);
            probe.or_else(|| if self.breaker.probe_at <= now { next() } else { None })
        };
        first.map(Work::Routine)
    }

    /// When the next thing is due that is not due yet.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let earliest = if self.breaker.is_open() { self.breaker.probe_at } else { Timestamp::MIN };
        let sweeps = self.watches.iter().filter(|watch| watch.sweep.is_none());
        let sweeps = sweeps.map(|watch| watch.due.max(earliest));
        let confirmations = self.confirmations.iter().map(|confirmation| confirmation.not_before);
        sweeps.chain(confirmations).filter(|due| *due > now).min()
    }

    pub(super) fn deadline(&self, work: Work) -> Timestamp {
        match work {
            Work::Confirmation(index) => self.confirmations[index].since,
            Work::Routine(index) => self.watches[index].deadline(),
        }
    }

    pub(super) fn watch_of(&self, work: Work) -> usize {
        match work {
            Work::Confirmation(index) => self.confirmations[index].watch,
            Work::Routine(index) => index,
        }
    }

    pub(super) fn target_of(&self, work: Work) -> Option<&str> {
        match work {
            Work::Confirmation(index) => Some(&self.confirmations[index].target),
            Work::Routine(_) => None,
        }
    }

    pub(super) fn sweep_of(&mut self, work: Work) -> &mut Option<Sweep> {
        match work {
            Work::Confirmation(index) => &mut self.confirmations[index].sweep,
            Work::Routine(index) => &mut self.watches[index].sweep,
        }
    }
}
