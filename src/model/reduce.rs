//! Known + observation → known + change: the heart that callbacks and sweeps share.
//!
//! The rules, each with a test. Of both:
//! an absent attribute means unchanged; a phase that was reached is not reached again by a repeat; an
//! entity whose id is used once stays ended, and what comes late only fills in data; each change of phase
//! of such an entity is published once, in whatever order it arrives; an entity that comes back may do
//! everything again, and its new life forgets what was said of the old one; a number that only grows is
//! never set back.
//!
//! Of deliveries: one makes one change at most; a retry says nothing; a phase that was told on a secret URL
//! only is unconfirmed.
//!
//! Of sweeps: what began and ended unseen is told step by step; what was there before we looked is
//! `discovered`; what differs is `updated`; what is gone is `removed` once and may come back; an answer that
//! may be older than the belief only moves it forward; the API confirms what was unconfirmed; calls that
//! follow each other in one room are told apart (`lives`).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    attributes::Attributes, hearing::Hearing, known::Known, observation::Observation, vocabulary::EventType,
};

mod broadcast;
mod delivery;
mod lives;
mod recording;
mod revision;
mod sweep;
mod things;

/// A difference worth publishing.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// What happened.
    pub event_type: EventType,
    /// What changed, for `updated`: `{"title": {"from": …, "to": …}}`; for `channel_joined` and
    /// `channel_left` the entry that came or went: `{"channels": {"from": …, "to": …}}`.
    pub changes: Map<String, Value>,
    /// An earlier delivery said exactly this at a distance at which the platform also retries.
    pub possible_duplicate: bool,
}

/// What an observation makes of what we knew.
#[derive(Clone, PartialEq, Debug)]
pub struct Reduced {
    /// What we know now. Its revision is one higher when, and only when, there is a change.
    pub known: Known,
    /// The difference, if there is one worth publishing.
    pub change: Option<Change>,
    /// Some of it contradicts what we learned so recently that the answer may come from a cache. That was not
    /// believed, and it should be asked again at this time.
    pub doubtful_until: Option<Timestamp>,
}

/// What an observation makes of what we knew.
///
/// What a sweep shows may be several changes at once (a broadcast that began and ended since the last one):
/// then the same observation is reduced again with what came out, until there is no further change. There are
/// never more than three.
pub fn reduce(known: Option<&Known>, observation: &Observation, hearing: &Hearing) -> Reduced {
    match hearing {
        Hearing::Delivery { .. } => delivery::reduce(known, observation, hearing),
        Hearing::Sweep { .. } | Hearing::Grant { .. } | Hearing::Own { .. } => {
            sweep::reduce(known, observation, hearing)
        }
    }
}

/// The time that an attribute says, if it says one.
pub(super) fn time_in(attributes: &Attributes, name: &str) -> Option<Timestamp> {
    attributes.get(name)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
