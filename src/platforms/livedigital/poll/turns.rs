//! Which rooms a sweep reads: those in which something happens, and a few of the others in turn.
//!
//! A sweep of a thousand requests is taken for lost, and one that takes long says late what it found. So what does not
//! fit is left to the next sweep, which begins at once.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::tour::Step;

/// Rooms in one sweep in which nothing happens, or that were never read.
const QUIET_MAX: usize = 40;
/// Requests in one sweep, beside those for the lists of rooms.
const REQUESTS_MAX: usize = 300;
/// Rooms that are remembered.
const ROOMS_MAX: usize = 5_000;

/// The rooms that are due.
#[derive(Default)]
pub(super) struct Turns {
    due: Vec<Turn>,
}

/// A room that is due.
struct Turn {
    /// Something happens there.
    is_busy: bool,
    /// When it was read last; `None` if it never was.
    read_at: Option<Timestamp>,
    steps: Vec<Step>,
}

impl Turns {
    /// A room is due, and these are the requests for it.
    pub fn add(&mut self, is_busy: bool, read_at: Option<Timestamp>, steps: Vec<Step>) {
        self.due.push(Turn { is_busy, read_at, steps });
    }

    /// The requests for the rooms whose turn it is, in the order in which they were added. Those that were not read
    /// for the longest time go first. The others stay.
    pub fn take(&mut self) -> Vec<Step> {
        let mut order: Vec<usize> = (0..self.due.len()).collect();
        // The quiet ones are few, so those that are busy cannot keep them from being read for ever.
        order.sort_by_key(|place| (self.due[*place].is_busy, self.due[*place].read_at));
        let (mut chosen, mut quiet, mut requests) = (HashSet::new(), 0, 0);
        for place in order {
            let turn = &self.due[place];
            let is_one_too_many = !turn.is_busy && quiet >= QUIET_MAX;
            if is_one_too_many || requests + turn.steps.len() > REQUESTS_MAX {
                continue;
            }
            quiet += usize::from(!turn.is_busy);
            requests += turn.steps.len();
            chosen.insert(place);
        }
        let mut steps = Vec::with_capacity(requests);
        for (place, turn) in std::mem::take(&mut self.due).into_iter().enumerate() {
            if chosen.contains(&place) {
                steps.extend(turn.steps);
            } else {
                self.due.push(turn);
            }
        }
        steps
    }

    /// Whether any is left.
    pub fn is_any_left(&self) -> bool {
        !self.due.is_empty()
    }

    /// Whether any is left that was never read.
    pub fn is_any_unknown(&self) -> bool {
        self.due.iter().any(|turn| turn.read_at.is_none())
    }
}

/// Forgets rooms that were never read, and of too many those that were not read for the longest time: as unknown ones
/// they are the next to be read.
pub(super) fn forget<R>(rooms: &mut BTreeMap<String, R>, read_at: impl Fn(&R) -> Option<Timestamp>) {
    let mut times: Vec<_> = rooms.values().filter_map(&read_at).collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    let oldest = times.get(ROOMS_MAX).copied();
    rooms.retain(|_, room| read_at(room) > oldest);
}

#[cfg(test)]
mod tests;
