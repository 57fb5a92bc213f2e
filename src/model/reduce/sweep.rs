//! What a sweep makes of what we knew. Each call is one step; the caller goes on until there is no change.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    super::{
        attributes::Changes,
        hearing::Hearing,
        known::Known,
        observation::Observation,
        vocabulary::{EventType, Noun, Verb},
    },
    Change, Reduced, broadcast, delivery, recording, revision, things, time_in,
};

/// What began longer than this before its list was first known as a whole was missed while it was read.
const MISSED: SignedDuration = SignedDuration::from_mins(5);

/// Compares what a sweep shows with what is known.
pub(super) fn reduce(known: Option<&Known>, observation: &Observation, hearing: &Hearing) -> Reduced {
    let sight = Sight::of(known, observation, hearing);
    match observation.entity.noun {
        Noun::Broadcast => broadcast::seen(sight),
        Noun::Recording => recording::seen(sight),
        noun if things::LISTED.contains(&noun) => things::seen(sight),
        _ => delivery::reduce(known, observation, hearing),
    }
}

/// An observation of a sweep beside what is known.
pub(super) struct Sight<'s> {
    /// What is known, and becomes what will be known.
    pub(super) next: Known,
    /// Nothing was known of it.
    pub(super) is_unknown: bool,
    pub(super) observation: &'s Observation,
    /// When it was asked.
    pub(super) at: Timestamp,
    known_since: Option<Timestamp>,
    /// The answer may be older than the belief; from this time on answers are newer.
    older_until: Option<Timestamp>,
    /// Some of it is not believed for that reason.
    doubts: bool,
    /// It comes from the platform's API.
    confirms: bool,
}

impl<'s> Sight<'s> {
    fn of(known: Option<&Known>, observation: &'s Observation, hearing: &Hearing) -> Self {
        let next = known.cloned().unwrap_or_default();
        let (known_since, older_until) = match *hearing {
            Hearing::Sweep { asked_at, stale_for, known_since } => {
                (known_since, older_until(&next, asked_at, stale_for))
            }
            // What livehook says itself is neither old nor about what was there before.
            Hearing::Delivery { .. } | Hearing::Grant { .. } | Hearing::Own { .. } => {
                (Some(Timestamp::MIN), None)
            }
        };
        Self {
            is_unknown: next == Known::default(),
            next,
            observation,
            at: hearing.at(),
            known_since,
            older_until,
            doubts: false,
            confirms: matches!(hearing, Hearing::Sweep { .. }),
        }
    }

    /// Whether the answer may be older than the belief.
    pub(super) fn may_be_older(&self) -> bool {
        self.older_until.is_some()
    }

    /// Takes the answer for newer than the belief, because of what it says.
    pub(super) fn believe(&mut self) {
        self.older_until = None;
    }

    /// Whether this is a first sweep, in which everything was there before.
    pub(super) fn is_first_sweep(&self) -> bool {
        self.known_since.is_none()
    }

    /// Whether it had begun before its list was known, so that its beginning is no news.
    pub(super) fn was_there_before(&self) -> bool {
        let said = &self.observation.attributes;
        let began = time_in(said, "started_at").or_else(|| time_in(said, "created_at"));
        self.known_since.is_none_or(|since| began.is_some_and(|began| since.duration_since(began) > MISSED))
    }

    /// Takes over what is said, except what is held back; of an answer that may be older only what was not
    /// known yet. Returns what changed.
    pub(super) fn merge(&mut self, hold_back: &[&str]) -> Changes {
        let Self { next, observation, older_until, doubts, .. } = self;
        let changes = next.attributes.merge_if(&observation.attributes, |name, is_known| {
            let contradicts = is_known && older_until.is_some();
            *doubts |= contradicts;
            !contradicts && !hold_back.contains(&name)
        });
        revision::note_beginning(&mut self.next, self.observation);
        changes
    }

    /// The API agrees with the phase: what was told on a secret URL only is confirmed by that.
    pub(super) fn confirm(&mut self, changes: &mut Map<String, Value>) {
        let agrees = self.observation.phase.is_some() && self.observation.phase == self.next.phase;
        if self.confirms && agrees && std::mem::take(&mut self.next.is_unconfirmed) {
            changes.insert("proof".to_owned(), json!({ "from": "url-token", "to": "api" }));
        }
    }

    /// Nothing of it is news.
    pub(super) fn says_nothing(self) -> Reduced {
        self.into_reduced(None)
    }

    /// Nothing of it is believed for now.
    pub(super) fn doubted(mut self) -> Reduced {
        self.doubts = true;
        self.into_reduced(None)
    }

    /// Its attributes may be news; the rest of it is not believed for now.
    pub(super) fn partly_doubted(mut self) -> Reduced {
        self.doubts = true;
        self.updated()
    }

    /// Its attributes may be news.
    pub(super) fn updated(mut self) -> Reduced {
        let mut changes = self.merge(&[]).into();
        self.confirm(&mut changes);
        if changes.is_empty() { self.says_nothing() } else { self.tells(Verb::Updated, changes) }
    }

    /// It is kept for the next comparison, and no event.
    pub(super) fn remembered(mut self) -> Reduced {
        self.merge(&[]);
        revision::touch(&mut self.next, self.at);
        self.into_reduced(None)
    }

    /// It moved on. What changed with it is not listed.
    pub(super) fn moves(mut self, verb: Verb, hold_back: &[&str]) -> Reduced {
        self.merge(hold_back);
        if self.confirms {
            self.next.is_unconfirmed = false;
        }
        self.tells(verb, Map::new())
    }

    /// There is one change.
    pub(super) fn tells(mut self, verb: Verb, changes: Map<String, Value>) -> Reduced {
        let Some(event_type) = EventType::new(self.observation.entity.noun, verb) else {
            return self.says_nothing();
        };
        revision::count(&mut self.next, verb, self.observation, self.at, None);
        self.into_reduced(Some(Change { event_type, changes, possible_duplicate: false }))
    }

    fn into_reduced(self, change: Option<Change>) -> Reduced {
        Reduced { known: self.next, change, doubtful_until: self.older_until.filter(|_| self.doubts) }
    }
}

/// Until when an answer may be older than the belief, if this one may be.
fn older_until(known: &Known, asked_at: Timestamp, stale_for: SignedDuration) -> Option<Timestamp> {
    let moved_at = known.moved_at?;
    // This very answer made the belief, in the step before.
    if known.is_catching_up {
        return None;
    }
    let belief_is_older_by = asked_at.duration_since(moved_at);
    let may_be_older = -revision::CLOCK_SET_BACK < belief_is_older_by && belief_is_older_by < stale_for;
    may_be_older.then(|| moved_at.checked_add(stale_for).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests;
