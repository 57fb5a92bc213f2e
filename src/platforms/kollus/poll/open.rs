//! Broadcasts that have begun and whose end was not seen yet: part of what a watch remembers.
//!
//! Nobody who was told that one is on air must wait for its end for ever. Mostly a list shows it. One that no list
//! shows any more, because its channel is gone or shows another one, or because it began before the window, is asked
//! for by its key, less and less often, until the API says that it is over, or twice in a row that there is no such
//! broadcast.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{answer, course::Course, rows::Broadcast};
use crate::{
    model::{EntityKey, Noun, Observation, Phase, Rules},
    platform::{ApiResponse, Failure},
};

/// So many are asked for in one sweep; the others have to wait.
const ASKED_MAX: usize = 20;
/// Distance to the second try; it doubles from try to try.
const SECOND_TRY: SignedDuration = SignedDuration::from_secs(45);
/// After so many tries the distance stays: 48 minutes.
const DOUBLED_MAX: u32 = 6;
/// So often in a row it must not be there.
const GONE_AFTER: u32 = 2;

/// Broadcasts by their keys.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Open(BTreeMap<String, Kept>);

/// What is remembered of one.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// It was shown as paused and not on air. So where it is shown as on air, it goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    goes_off_air: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Asked>,
}

/// It was asked for by its key.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
struct Asked {
    tries: u32,
    /// How often in a row it was not there.
    misses: u32,
    again_at: Timestamp,
}

impl Open {
    /// Takes in where a list shows a broadcast, and says more of it, if what was shown before helps.
    pub(super) fn see(&mut self, key: &str, course: &mut Course) {
        if !course.is_open() {
            self.0.remove(key);
        } else if course.is_running() {
            let kept = self.0.entry(key.to_owned()).or_default();
            kept.started_at = course.started_at.or(kept.started_at);
            kept.asked = None;
            kept.learn(course);
        }
    }

    /// Whether the end of this one was not seen yet.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// When the oldest of them began that began after `from`.
    pub(super) fn oldest_since(&self, from: Timestamp) -> Option<Timestamp> {
        self.0.values().filter_map(|kept| kept.started_at).filter(|at| *at > from).min()
    }

    /// Which of those that no list has shown to ask for.
    pub(super) fn to_ask(&self, is_shown: impl Fn(&str) -> bool, now: Timestamp) -> Vec<String> {
        let is_due = |kept: &Kept| kept.asked.is_none_or(|asked| asked.again_at <= now);
        let due = self.0.iter().filter(|(key, kept)| !is_shown(key) && is_due(kept));
        due.take(ASKED_MAX).map(|(key, _)| key.clone()).collect()
    }

    /// Takes in the answer about one of these, and says what it tells.
    ///
    /// # Errors
    /// [`Failure`] as for any answer, but not that there is none such.
    pub(super) fn hear(
        &mut self,
        key: &str,
        answer: &ApiResponse,
        now: Timestamp,
        quirks: &mut Vec<&'static str>,
    ) -> Result<Option<Observation>, Failure> {
        let broadcast = match answer::single(answer) {
            Err(Failure::NotFound | Failure::Forbidden) => None,
            row => Some(Broadcast::of(&row?, quirks)),
        };
        let Some(kept) = self.0.get_mut(key) else { return Ok(None) };
        let asked = kept.asked.get_or_insert_default();
        asked.again_at = now + SECOND_TRY * (1 << asked.tries.min(DOUBLED_MAX));
        asked.tries = asked.tries.saturating_add(1);
        let broadcast = match broadcast {
            // Another one's answer says nothing of it.
            Some(other) if other.key.as_ref().is_some_and(|said| said != key) => return Ok(None),
            // It stands in no list, and here it is neither on air nor paused nor over.
            Some(vague) if vague.course.is_off_air() => None,
            broadcast => broadcast,
        };
        let Some(mut broadcast) = broadcast else {
            asked.misses += 1;
            let misses = asked.misses;
            // Told twice, should the first time be doubted.
            if misses > GONE_AFTER {
                self.0.remove(key);
            }
            let entity = EntityKey::new(Noun::Broadcast, key);
            return Ok((misses >= GONE_AFTER).then(|| Observation::absent(entity, Rules::ONE_USE)));
        };
        asked.misses = 0;
        kept.learn(&mut broadcast.course);
        if !broadcast.course.is_open() {
            self.0.remove(key);
        }
        Ok(Some(broadcast.observation(key)))
    }
}

impl Kept {
    fn learn(&mut self, course: &mut Course) {
        self.goes_off_air |= course.phase == Some(Phase::Paused);
        if self.goes_off_air {
            course.on_air_is_live();
        }
    }
}

#[cfg(test)]
mod tests;
