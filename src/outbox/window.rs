//! The events of one JetStream stream that are loaded, in lanes: one lane per account and entity.
//!
//! Only the head of a lane can be in flight, so a lane is published in order; lanes do not wait for
//! each other.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use tokio::time::Instant;

use crate::store::StoredEvent;

/// How many events are loaded at most; both streams together have twice as many.
pub(super) const ROWS_MAX: usize = 2048;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Lane(Arc<(String, String)>);

impl Lane {
    fn of(event: &StoredEvent) -> Self {
        Self(Arc::new((event.account.clone(), event.entity.clone())))
    }
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Window {
    /// The head is in flight, resting or ready; those behind it wait.
    lanes: HashMap<Lane, VecDeque<Arc<StoredEvent>>>,
    ready: VecDeque<Lane>,
    resting: Vec<(Instant, Lane)>,
    /// Loaded, and not yet forgotten.
    rows: HashSet<u64>,
    /// The last row that was looked at.
    read_to: u64,
}

impl Window {
    /// The row after which to go on reading.
    pub(super) fn read_to(&self) -> u64 {
        self.read_to
    }

    /// How many rows to read now: none until half of the window is free, so that reading is worth while.
    pub(super) fn rows_wanted(&self) -> usize {
        if self.rows.len() <= ROWS_MAX / 2 { ROWS_MAX - self.rows.len() } else { 0 }
    }

    /// Takes in what was read: the events of this stream, and how far reading came.
    pub(super) fn take_in(&mut self, events: impl IntoIterator<Item = StoredEvent>, read_to: u64) {
        self.read_to = read_to;
        for event in events {
            if !self.rows.insert(event.row) {
                continue;
            }
            let lane = Lane::of(&event);
            let waiting = self.lanes.entry(lane.clone()).or_default();
            waiting.push_back(Arc::new(event));
            if waiting.len() == 1 {
                self.ready.push_back(lane);
            }
        }
    }

    /// Lets the lanes go on that have rested long enough.
    pub(super) fn end_rests(&mut self, now: Instant) {
        let ready = &mut self.ready;
        self.resting.retain(|(until, lane)| {
            let rests = *until > now;
            if !rests {
                ready.push_back(lane.clone());
            }
            rests
        });
    }

    /// The next event to publish; it is in flight from now on.
    pub(super) fn start_next(&mut self) -> Option<Arc<StoredEvent>> {
        let lane = self.ready.pop_front()?;
        self.lanes.get(&lane)?.front().cloned()
    }

    /// When the first resting lane can go on.
    pub(super) fn rest_ends_at(&self) -> Option<Instant> {
        self.resting.iter().map(|(until, _)| *until).min()
    }

    /// The event in flight is on the bus, or set aside: the one behind it may go.
    pub(super) fn advance(&mut self, event: &StoredEvent) {
        let lane = Lane::of(event);
        let Some(waiting) = self.lanes.get_mut(&lane) else { return };
        waiting.pop_front();
        if waiting.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.ready.push_back(lane);
        }
    }

    /// The event in flight must be tried again, after every other lane had its turn.
    pub(super) fn try_again(&mut self, event: &StoredEvent) {
        self.ready.push_back(Lane::of(event));
    }

    /// The event in flight must be tried again, but not before `until`; other lanes go on.
    pub(super) fn rest(&mut self, event: &StoredEvent, until: Instant) {
        self.resting.push((until, Lane::of(event)));
    }

    /// The store knows that the event was published.
    pub(super) fn forget(&mut self, row: u64) {
        self.rows.remove(&row);
    }

    /// Begins again from the lowest waiting row. Nothing may be in flight or acknowledged but not yet
    /// known to the store: it would be published twice.
    pub(super) fn rewind(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
