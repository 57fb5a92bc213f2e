//! Broadcasts: they begin, may pause, and end; some ids are used once, some places see many.

use super::{
    super::{
        known::Known,
        observation::Observation,
        said::Said,
        vocabulary::{Phase, Verb},
    },
    Reduced,
    delivery::Step,
    lives::{self, Life},
    revision,
    sweep::Sight,
};

/// What is said of a broadcast only after it was on air: held back while that is told step by step.
const KNOWN_AFTER_THE_START: [&str; 4] = ["paused_at", "ended_at", "visits", "visitors"];

/// What a callback says of it.
pub(super) fn told(known: &Known, observation: &Observation) -> Step {
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

/// What a sweep shows of it.
pub(super) fn seen(mut sight: Sight<'_>) -> Reduced {
    let phases = [Phase::Live, Phase::Paused, Phase::Ended];
    let Some(to) = sight.observation.phase.filter(|phase| phases.contains(phase)) else {
        return if sight.next.phase.is_none() { sight.says_nothing() } else { sight.updated() };
    };
    let is_over = sight.next.phase == Some(Phase::Ended);
    match lives::tell_apart(&sight) {
        Life::Any => goes_on(sight, to, false),
        Life::This => goes_on(sight, to, true),
        Life::Past => sight.says_nothing(),
        Life::Doubtful => sight.doubted(),
        Life::Named => is_named(sight, to),
        Life::Next => {
            sight.believe();
            if is_over { begins(sight, to) } else { is_followed(sight) }
        }
    }
}

/// Where it stands may be news. A life that is told apart from others goes forward only.
fn goes_on(mut sight: Sight<'_>, to: Phase, forward_only: bool) -> Reduced {
    let forward_only = forward_only || sight.observation.rules.one_use;
    let Some(from) = sight.next.phase else { return begins(sight, to) };
    let verb = match (from, to) {
        // It stays ended; but what only a secret URL told is asked again once the answer cannot be older.
        (Phase::Ended, Phase::Live | Phase::Paused) if forward_only && sight.next.is_unconfirmed => {
            return sight.partly_doubted();
        }
        (Phase::Ended, Phase::Live | Phase::Paused) if forward_only => return sight.updated(),
        (Phase::Ended, Phase::Live | Phase::Paused) => Verb::Started,
        (Phase::Live, Phase::Paused) => Verb::Paused,
        (Phase::Paused, Phase::Live) => Verb::Resumed,
        (Phase::Live | Phase::Paused, Phase::Ended) => Verb::Ended,
        _ => return sight.updated(),
    };
    // That something is over stays true however old the answer is. That it is not in a list does not.
    let is_certain = forward_only && to == Phase::Ended && !is_absence(sight.observation);
    if sight.may_be_older() && !is_certain {
        return if forward_only { sight.partly_doubted() } else { sight.doubted() };
    }
    if verb == Verb::Started {
        return begins(sight, to);
    }
    sight.next.phase = Some(to);
    sight.moves(verb, &[])
}

/// A life begins, unless it had begun before we looked.
fn begins(mut sight: Sight<'_>, to: Phase) -> Reduced {
    let is_discovery =
        sight.was_there_before() && (sight.next.phase.is_none() || lives::was_there_when_we_looked(&sight));
    revision::begin(&mut sight.next, sight.observation, sight.at);
    if is_discovery {
        sight.next.phase = Some(to);
        let is_empty_place = to == Phase::Ended && !sight.observation.rules.one_use;
        sight.next.happened.push(if is_empty_place { Verb::Discovered } else { Verb::Started });
        return sight.moves(Verb::Discovered, &[]);
    }
    sight.next.phase = Some(Phase::Live);
    if to == Phase::Live {
        return sight.moves(Verb::Started, &[]);
    }
    let mut started = sight.moves(Verb::Started, &KNOWN_AFTER_THE_START);
    started.known.is_catching_up = true;
    started
}

/// We learn which life it is that we know; if it is over, that comes next.
fn is_named(mut sight: Sight<'_>, to: Phase) -> Reduced {
    let is_over = sight.next.phase == Some(Phase::Ended);
    let hold_back = if to == Phase::Ended && !is_over { &KNOWN_AFTER_THE_START[..] } else { &[] };
    let mut changes = sight.merge(hold_back).into();
    sight.confirm(&mut changes);
    sight.tells(Verb::Updated, changes)
}

/// Another life began, so this one is over; nothing more is said of it.
fn is_followed(mut sight: Sight<'_>) -> Reduced {
    sight.next.phase = Some(Phase::Ended);
    sight.next.is_unconfirmed = false;
    sight.tells(Verb::Ended, serde_json::Map::new())
}

/// The engine says so of what is not in its list.
fn is_absence(observation: &Observation) -> bool {
    observation.extra.get("reason").and_then(Said::as_str) == Some("absent")
}
