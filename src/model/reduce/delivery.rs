//! What a callback makes of what we knew: one change at most.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    super::{
        attributes::Attributes,
        event::Proof,
        hearing::Hearing,
        known::Known,
        observation::{Member, Observation},
        repeat::Seen,
        said::Said,
        vocabulary::{EventType, Noun, Phase, Verb},
    },
    Change, Reduced, broadcast, recording, revision, things,
};

/// The way of one delivery.
pub(super) enum Step {
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
        Noun::Broadcast => broadcast::told(known, observation),
        Noun::Recording => recording::told(known, observation),
        Noun::Content => things::told(known, observation),
        _ => observation.told.map_or(Step::Nothing, Step::Told),
    }
}

/// Believes what was told, whoever told it.
pub(super) fn reduce(known: Option<&Known>, observation: &Observation, hearing: &Hearing) -> Reduced {
    let (known, change) = change(known.cloned().unwrap_or_default(), observation, hearing);
    Reduced { known, change, doubtful_until: None }
}

fn change(mut next: Known, observation: &Observation, hearing: &Hearing) -> (Known, Option<Change>) {
    let (content, seen) = match hearing {
        Hearing::Delivery { content, seen, .. } => (Some(*content), *seen),
        Hearing::Sweep { .. } | Hearing::Grant { .. } | Hearing::Own { .. } => (None, Seen::First),
    };
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
    if let Step::Reached(phase, _) = step {
        reach(&mut next, phase, observation, hearing.at());
    }
    weigh(&mut next, &step, observation, hearing.proof());
    if observation.rules.says_all {
        next.attributes.retain(|name, _| observation.attributes.get(name).is_some());
    }
    let mut changes = Map::from(next.attributes.merge(&observation.attributes));
    revision::note_beginning(&mut next, observation);
    let moved = observation.member.as_ref().and_then(|member| move_member(&mut next.attributes, member));
    if let Some((list, change)) = &moved {
        changes.insert((*list).to_owned(), change.clone());
    }

    let verb = match step {
        Step::Reached(_, verb) | Step::Told(verb) => Some(verb),
        Step::Moved(verb) => moved.is_some().then_some(verb),
        Step::Nothing => (!changes.is_empty()).then_some(Verb::Updated),
    };
    let event_type = verb.and_then(|verb| EventType::new(observation.entity.noun, verb));
    let Some(event_type) = event_type else { return (next, None) };

    revision::count(&mut next, event_type.verb(), observation, hearing.at(), content);
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

fn reach(next: &mut Known, phase: Phase, observation: &Observation, at: Timestamp) {
    let is_new = matches!(next.phase, None | Some(Phase::Ended));
    if observation.entity.noun == Noun::Broadcast && is_new && phase != Phase::Ended {
        revision::begin(next, observation, at);
    }
    next.phase = Some(phase);
}

/// Anybody who learned the secret URL may have called it; a signature is the platform's own.
fn weigh(next: &mut Known, step: &Step, observation: &Observation, proof: Proof) {
    let moves = matches!(step, Step::Reached(..));
    let agrees = observation.phase.is_some() && observation.phase == next.phase;
    if observation.entity.noun == Noun::Broadcast {
        match proof {
            Proof::UrlToken => next.is_unconfirmed |= moves,
            Proof::Signature | Proof::Api | Proof::Internal => next.is_unconfirmed &= !(moves || agrees),
        }
    }
}

/// Whether the number that only grows is smaller than it was.
fn falls_back(known: &Known, observation: &Observation) -> bool {
    let Some(name) = observation.rules.grows else { return false };
    let number = |attributes: &Attributes| attributes.get(name).and_then(Said::as_f64);
    matches!((number(&known.attributes), number(&observation.attributes)), (Some(was), Some(is)) if is < was)
}

/// Brings the list up to date; returns its name and `{"from": …, "to": …}` of the entry if that changed.
fn move_member<'a>(attributes: &mut Attributes, member: &'a Member) -> Option<(&'a str, Value)> {
    let mut list = match attributes.get(member.list).map(Value::from) {
        Some(Value::Array(list)) => list,
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
