//! What is there or not there, without phases: channels, spaces, categories, settings, comments, content.

use serde_json::{Map, json};

use super::{
    super::{
        known::Known,
        observation::Observation,
        vocabulary::{EventType, Noun, Verb},
    },
    Reduced,
    delivery::Step,
    sweep::Sight,
};

/// What sweeps find in lists, besides broadcasts and recordings.
pub(super) const LISTED: [Noun; 8] = [
    Noun::Channel,
    Noun::Space,
    Noun::Category,
    Noun::Filter,
    Noun::Settings,
    Noun::StreamKey,
    Noun::Content,
    Noun::Comment,
];

/// What a callback says of content.
pub(super) fn told(known: &Known, observation: &Observation) -> Step {
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

/// What a sweep shows of it.
pub(super) fn seen(sight: Sight<'_>) -> Reduced {
    let noun = sight.observation.entity.noun;
    if sight.observation.told == Some(Verb::Removed) {
        return is_gone(sight);
    }
    if sight.next.is_gone {
        return is_back(sight);
    }
    match (sight.is_unknown, noun) {
        (true, Noun::Comment) => sight.moves(Verb::Created, &[]),
        // A comment is never changed.
        (false, Noun::Comment) => sight.says_nothing(),
        (true, Noun::StreamKey | Noun::Content) => sight.remembered(),
        (true, Noun::Settings) => sight.moves(Verb::Discovered, &[]),
        (true, _) => {
            let verb = if sight.is_first_sweep() { Verb::Discovered } else { Verb::Created };
            sight.moves(verb, &[])
        }
        (false, Noun::StreamKey) => has_another_key(sight),
        (false, _) => sight.updated(),
    }
}

/// It is in its list no more, or the platform says that it was removed.
pub(super) fn is_gone(mut sight: Sight<'_>) -> Reduced {
    let noun = sight.observation.entity.noun;
    if sight.next.is_gone || EventType::new(noun, Verb::Removed).is_none() {
        return sight.says_nothing();
    }
    if sight.is_unknown {
        // What was gone before we looked is no news, but it would be news if content came back.
        sight.next.is_gone = noun == Noun::Content;
        return if sight.next.is_gone { sight.remembered() } else { sight.says_nothing() };
    }
    if sight.may_be_older() {
        return sight.doubted();
    }
    sight.next.is_gone = true;
    sight.moves(Verb::Removed, &[])
}

/// It was gone, and is in its list again.
pub(super) fn is_back(mut sight: Sight<'_>) -> Reduced {
    if sight.may_be_older() {
        return sight.doubted();
    }
    sight.next.is_gone = false;
    if !matches!(sight.observation.entity.noun, Noun::Recording | Noun::Content) {
        return sight.moves(Verb::Created, &[]);
    }
    let mut changes = Map::from(sight.merge(&[]));
    changes.insert("removed".to_owned(), json!({ "from": true, "to": false }));
    sight.tells(Verb::Updated, changes)
}

/// The key is a password: not even fingerprints of old ones are told.
fn has_another_key(mut sight: Sight<'_>) -> Reduced {
    if sight.merge(&[]).is_empty() { sight.says_nothing() } else { sight.tells(Verb::Rotated, Map::new()) }
}
