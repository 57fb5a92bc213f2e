//! Recordings: they only move forward.

use super::{
    super::{
        known::Known,
        observation::Observation,
        vocabulary::{Phase, Verb},
    },
    Reduced,
    delivery::Step,
    sweep::Sight,
    things,
};

/// What is known of a recording when it is finished.
const KNOWN_AFTER_THE_END: [&str; 2] = ["finished_at", "size_bytes"];

/// What a callback says of it.
pub(super) fn told(known: &Known, observation: &Observation) -> Step {
    let Some((to, verb)) = observation.phase.and_then(verb_of) else { return Step::Nothing };
    let came_late = to == Phase::Recording && known.phase.is_some();
    if came_late || known.happened.contains(&verb) {
        return Step::Nothing;
    }
    // A failure reported after its success is news, but the file is there.
    let is_there = to == Phase::Failed && known.phase == Some(Phase::Available);
    Step::Reached(if is_there { Phase::Available } else { to }, verb)
}

/// What a sweep shows of it.
pub(super) fn seen(mut sight: Sight<'_>) -> Reduced {
    if sight.observation.told == Some(Verb::Removed) {
        return things::is_gone(sight);
    }
    if sight.next.is_gone {
        return things::is_back(sight);
    }
    let said = sight.observation.phase.and_then(verb_of);
    match (sight.next.phase, said) {
        (None, None) => sight.says_nothing(),
        (None, Some((to, verb))) => is_new(sight, to, verb),
        (Some(from), _) => match told(&sight.next, sight.observation) {
            Step::Reached(to, verb) => {
                let is_forward = from == Phase::Recording || to == Phase::Available && from != to;
                if sight.may_be_older() && !is_forward {
                    return sight.partly_doubted();
                }
                sight.next.phase = Some(to);
                sight.moves(verb, &[])
            }
            Step::Told(_) | Step::Moved(_) | Step::Nothing => sight.updated(),
        },
    }
}

fn is_new(mut sight: Sight<'_>, to: Phase, verb: Verb) -> Reduced {
    if sight.was_there_before() {
        sight.next.phase = Some(to);
        sight.next.happened.push(Verb::Started);
        if verb != Verb::Started {
            sight.next.happened.push(verb);
        }
        return sight.moves(Verb::Discovered, &[]);
    }
    sight.next.phase = Some(Phase::Recording);
    let hold_back = if to == Phase::Recording { &[][..] } else { &KNOWN_AFTER_THE_END };
    sight.moves(Verb::Started, hold_back)
}

/// How a phase of a recording is told.
fn verb_of(phase: Phase) -> Option<(Phase, Verb)> {
    let verb = match phase {
        Phase::Recording => Verb::Started,
        Phase::Available => Verb::Available,
        Phase::Failed => Verb::Failed,
        Phase::Aborted => Verb::Aborted,
        _ => return None,
    };
    Some((phase, verb))
}
