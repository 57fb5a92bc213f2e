//! Known + observation → known + change: the heart that callbacks and sweeps share.
//!
//! The rules, each with a test:
//! an absent attribute means unchanged; a phase that was reached is not reached again by a repeat; an
//! entity whose id is used once stays ended, and what comes late only fills in data; each change of phase
//! of such an entity is published once, in whatever order it arrives; an entity that comes back may do
//! everything again; a number that only grows is never set back; a retry says nothing.

use serde_json::{Map, Value};

use super::{
    attributes::Attributes,
    ids::ContentHash,
    known::Known,
    observation::{Member, Observation},
    repeat::Seen,
    vocabulary::{EventType, Noun, Phase, Verb},
};

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

/// What an observation makes of what we knew. `content` identifies the delivery that says it, `seen`
/// tells whether earlier deliveries said the same; a sweep passes `None` and [`Seen::First`].
///
/// The returned [`Known`] has a revision one higher when, and only when, there is a [`Change`].
pub fn reduce(
    known: Option<&Known>,
    observation: &Observation,
    content: Option<ContentHash>,
    seen: Seen,
) -> (Known, Option<Change>) {
    let mut next = known.cloned().unwrap_or_default();
    let says_nothing = match seen {
        Seen::Retry => true,
        Seen::Immediate => next.was_made_by(content),
        Seen::First | Seen::Possible | Seen::Again => false,
    };
    if says_nothing || falls_back(&next, observation) {
        // A copy that comes a moment after a retry says as little as the retry.
        if seen == Seen::Retry {
            next.made_by = content.map(|hash| hash.0);
        }
        return (next, None);
    }

    let step = step(&next, observation);
    let mut changes = next.attributes.merge(&observation.attributes);
    let moved = observation.member.as_ref().and_then(|member| move_member(&mut next.attributes, member));
    if let Some((list, change)) = &moved {
        changes.insert((*list).to_owned(), change.clone());
    }

    let verb = match step {
        Step::Reached(phase, verb) => {
            next.phase = Some(phase);
            Some(verb)
        }
        Step::Told(verb) => Some(verb),
        Step::Moved(verb) => moved.is_some().then_some(verb),
        Step::Nothing => (!changes.is_empty()).then_some(Verb::Updated),
    };
    let event_type = verb.and_then(|verb| EventType::new(observation.entity.noun, verb));
    let Some(event_type) = event_type else { return (next, None) };

    remember(&mut next, event_type.verb(), observation);
    next.revision += 1;
    next.made_by = content.map(|hash| hash.0);
    let changes = match event_type.verb() {
        Verb::Updated => changes,
        // Which channel it was, only the entry that came or went can say.
        Verb::ChannelJoined | Verb::ChannelLeft => {
            moved.map(|(list, change)| (list.to_owned(), change)).into_iter().collect()
        }
        _ => Map::new(),
    };
    (next, Some(Change { event_type, changes, possible_duplicate: seen == Seen::Possible }))
}

/// The way of one observation.
enum Step {
    /// The entity stands somewhere else now.
    Reached(Phase, Verb),
    /// The platform reports a change that no phase shows.
    Told(Verb),
    /// A list among the attributes may have changed.
    Moved(Verb),
    /// Only attributes can have changed.
    Nothing,
}

fn step(known: &Known, observation: &Observation) -> Step {
    match observation.entity.noun {
        Noun::Broadcast => broadcast_step(known, observation),
        Noun::Recording => recording_step(known, observation),
        Noun::Content => content_step(known, observation),
        _ => observation.told.map_or(Step::Nothing, Step::Told),
    }
}

fn broadcast_step(known: &Known, observation: &Observation) -> Step {
    let Some(to) = observation.phase else { return Step::Nothing };
    let is_over = known.phase == Some(Phase::Ended);
    if is_over && observation.rules.one_use {
        return Step::Nothing;
    }
    match (known.phase.filter(|_| !is_over), to) {
        // A start that arrives after a pause is news, but does not undo the pause.
        (Some(phase), Phase::Live) if observation.told == Some(Verb::Started) => {
            if known.happened.contains(&Verb::Started) {
                Step::Nothing
            } else {
                Step::Reached(phase, Verb::Started)
            }
        }
        (None, Phase::Live) => Step::Reached(to, observation.told.unwrap_or(Verb::Started)),
        (Some(Phase::Paused), Phase::Live) => Step::Reached(to, Verb::Resumed),
        (None | Some(Phase::Live), Phase::Paused) => Step::Reached(to, Verb::Paused),
        (None, Phase::Ended) if is_over => Step::Nothing,
        (_, Phase::Ended) => Step::Reached(to, Verb::Ended),
        _ => Step::Nothing,
    }
}

fn recording_step(known: &Known, observation: &Observation) -> Step {
    let Some(to) = observation.phase else { return Step::Nothing };
    let verb = match to {
        Phase::Recording => Verb::Started,
        Phase::Available => Verb::Available,
        Phase::Failed => Verb::Failed,
        Phase::Aborted => Verb::Aborted,
        _ => return Step::Nothing,
    };
    let came_late = to == Phase::Recording && known.phase.is_some();
    if came_late || known.happened.contains(&verb) {
        return Step::Nothing;
    }
    // A failure reported after its success is news, but the file is there.
    let is_there = to == Phase::Failed && known.phase == Some(Phase::Available);
    Step::Reached(if is_there { Phase::Available } else { to }, verb)
}

fn content_step(known: &Known, observation: &Observation) -> Step {
    match (observation.told, observation.phase) {
        (Some(Verb::Uploaded), Some(_)) if known.happened.contains(&Verb::Uploaded) => Step::Nothing,
        // An upload that is reported after its transcoding is news, but the content is further by now.
        (Some(Verb::Uploaded), Some(to)) => Step::Reached(known.phase.unwrap_or(to), Verb::Uploaded),
        (Some(verb @ (Verb::ChannelJoined | Verb::ChannelLeft)), _) => Step::Moved(verb),
        (Some(verb), Some(to)) => Step::Reached(to, verb),
        (Some(verb), None) => Step::Told(verb),
        (None, _) => Step::Nothing,
    }
}

/// Keeps the verbs that must not be published twice in this life of the entity.
fn remember(known: &mut Known, verb: Verb, observation: &Observation) {
    if verb == Verb::Ended && !observation.rules.one_use {
        known.happened.clear();
        return;
    }
    let once =
        matches!(verb, Verb::Started | Verb::Available | Verb::Failed | Verb::Aborted | Verb::Uploaded);
    if once && !known.happened.contains(&verb) {
        known.happened.push(verb);
    }
}

/// Whether the number that only grows is smaller than it was.
fn falls_back(known: &Known, observation: &Observation) -> bool {
    let Some(name) = observation.rules.grows else { return false };
    let number = |attributes: &Attributes| attributes.get(name).and_then(Value::as_f64);
    matches!((number(&known.attributes), number(&observation.attributes)), (Some(was), Some(is)) if is < was)
}

/// Brings the list up to date; returns its name and `{"from": …, "to": …}` of the entry if that changed.
fn move_member<'a>(attributes: &mut Attributes, member: &'a Member) -> Option<(&'a str, Value)> {
    let mut list = match attributes.get(member.list) {
        Some(Value::Array(list)) => list.clone(),
        _ => Vec::new(),
    };
    let place = list.iter().position(|entry| entry.get("id").and_then(Value::as_str) == Some(&member.id));
    let from = place.map(|place| list.remove(place));
    // Leaving a list that we never saw it join is news as well.
    let unchanged = from == member.entry && from.is_some();
    list.extend(member.entry.clone());
    attributes.set(member.list, Value::Array(list));
    (!unchanged).then(|| (member.list, serde_json::json!({ "from": from, "to": member.entry })))
}

#[cfg(test)]
mod tests;
