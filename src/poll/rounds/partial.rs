//! Lists that are only ever seen in part: nothing that goes away in them is ever told, so somebody should know.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::platform::{Coverage, Listing};

/// Sweeps in a row that saw only a part of a list, until that is told.
const TOLD_AFTER: u32 = 10;
/// How many lists are named.
const NAMED_MAX: usize = 10;
/// A list that was not read for so long is not read any more.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);

/// See the module.
#[derive(Default)]
pub(super) struct PartialLists(BTreeMap<String, InPart>);

struct InPart {
    in_a_row: u32,
    seen_at: Timestamp,
}

impl PartialLists {
    /// Counts the lists of a sweep that ended at `now`; returns those that are to be told now.
    pub(super) fn count(&mut self, listings: &[Listing], now: Timestamp) -> Vec<String> {
        let partial = listings.iter().filter(|listing| listing.coverage == Coverage::Partial);
        let partial: BTreeSet<_> = partial.map(|listing| &*listing.scope).collect();
        for listing in listings.iter().filter(|listing| !partial.contains(&*listing.scope)) {
            self.0.remove(&listing.scope);
        }
        self.0.retain(|_, list| now.duration_since(list.seen_at) < FORGOTTEN_AFTER);
        let mut told = Vec::new();
        for scope in partial {
            let list = self.0.entry(scope.to_owned()).or_insert(InPart { in_a_row: 0, seen_at: now });
            *list = InPart { in_a_row: list.in_a_row.saturating_add(1), seen_at: now };
            told.extend((list.in_a_row == TOLD_AFTER).then(|| scope.to_owned()));
        }
        told
    }

    /// How many lists it is about.
    pub(super) fn len(&self) -> usize {
        self.told().count()
    }

    /// The names of some of them.
    pub(super) fn names(&self) -> Vec<String> {
        self.told().take(NAMED_MAX).cloned().collect()
    }

    fn told(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, list)| list.in_a_row >= TOLD_AFTER).map(|(scope, _)| scope)
    }
}

#[cfg(test)]
mod tests;
