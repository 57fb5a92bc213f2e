//! How a belief becomes the next revision of itself, whoever told.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    super::{
        ids::ContentHash,
        known::{Former, Known},
        observation::Observation,
        vocabulary::{Phase, Verb},
    },
    time_in,
};

/// A belief that lies further in the future than this was made before the clock was set back.
pub(super) const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_mins(15);

/// What is said of one life of a broadcast, and not of the next.
const OF_ONE_LIFE: [&str; 7] =
    ["started_at", "paused_at", "ended_at", "call_id", "visits", "visitors", "is_breakout"];

/// Counts one change.
pub(super) fn count(
    next: &mut Known,
    verb: Verb,
    observation: &Observation,
    at: Timestamp,
    content: Option<ContentHash>,
) {
    remember(next, verb, observation.rules.one_use);
    next.revision += 1;
    next.is_catching_up = false;
    next.made_by = content.map(|hash| hash.0);
    touch(next, at);
}

/// Notes when the belief was made. What is heard out of turn does not make it older.
pub(super) fn touch(next: &mut Known, at: Timestamp) {
    let is_later = |moved: &Timestamp| *moved > at && moved.duration_since(at) < CLOCK_SET_BACK;
    next.moved_at = Some(next.moved_at.filter(is_later).unwrap_or(at));
}

/// Begins a life, the first one or another, and forgets what was said of the one before.
pub(super) fn begin(next: &mut Known, observation: &Observation, at: Timestamp) {
    if next.phase == Some(Phase::Ended) {
        let ended_at = ended_at(next);
        next.former =
            ended_at.map(|ended_at| Former { began_at: next.began_at.unwrap_or(ended_at), ended_at });
        for name in OF_ONE_LIFE.into_iter().chain(observation.rules.life) {
            next.attributes.set(name, Value::Null);
        }
        next.happened.clear();
    }
    next.began_at = Some(at);
}

/// When the life that is known to be over ended: as the platform says, else when we learned of it.
pub(super) fn ended_at(known: &Known) -> Option<Timestamp> {
    time_in(&known.attributes, "ended_at").or(known.moved_at)
}

/// Takes over the platform's own time of the beginning, once it is believed.
pub(super) fn note_beginning(next: &mut Known, observation: &Observation) {
    let said = observation.attributes.get("started_at");
    if said.is_some()
        && said == next.attributes.get("started_at")
        && let Some(start) = time_in(&observation.attributes, "started_at")
    {
        next.began_at = Some(start);
    }
}

/// Keeps the verbs that must not be published twice in this life of the entity.
fn remember(next: &mut Known, verb: Verb, one_use: bool) {
    if verb == Verb::Ended && !one_use {
        next.happened.clear();
        return;
    }
    let once =
        matches!(verb, Verb::Started | Verb::Available | Verb::Failed | Verb::Aborted | Verb::Uploaded);
    if once && !next.happened.contains(&verb) {
        next.happened.push(verb);
    }
}
