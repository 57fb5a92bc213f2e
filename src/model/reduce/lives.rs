//! One room, many calls: which of them does a sweep speak of?
//!
//! The room is the entity, and its calls are its lives. A callback says that *a* call began or ended in the
//! room, and nothing else; the time at which it came is all we have. The API lists the calls, each with an id,
//! a start and an end. So a life has two faces, and they have to be matched:
//!
//! - The life that we know has an id. Then the same id is the same life, and of two ids the one that started
//!   later is the later life. What started earlier is past: it was told, or missed, before.
//! - The life that we know has no id yet, because callbacks told it. What began nearer to the beginning of the
//!   life before ours than to that of ours, or was over when that was over, is past. Else:
//!   - Ours is on air: an active call is ours; one that is over is ours if it ended after ours began.
//!   - Ours is over: it is ours if it started around the time at which ours was told. What started after the
//!     end is the next life.
//!
//! Callbacks come late, and the platform's clock may differ from ours: hence the margins.

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        known::Former,
        vocabulary::{Phase, Verb},
    },
    revision,
    sweep::Sight,
    time_in,
};

/// How much later than its beginning a life may have been told.
const TOLD_LATE: SignedDuration = SignedDuration::from_secs(120);
/// How much the platform's clock and ours, and the ways of two callbacks, may differ.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// Which life an observation speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    /// This entity's lives are not told apart, or none is known.
    Any,
    /// The one that we know, by its id.
    This,
    /// The one that we know; its id is news.
    Named,
    /// One before that.
    Past,
    /// One after that.
    Next,
    /// That can only be told from a newer answer.
    Doubtful,
}

/// Which life the observation speaks of.
pub(super) fn tell_apart(sight: &Sight<'_>) -> Life {
    let (known, observation) = (&sight.next, sight.observation);
    let Some(name) = observation.rules.life else { return Life::Any };
    let (Some(id), Some(phase)) = (observation.attributes.get(name), known.phase) else { return Life::Any };
    let is_active = observation.phase != Some(Phase::Ended);
    let end = time_in(&observation.attributes, "ended_at").filter(|_| !is_active);
    let start = time_in(&observation.attributes, "started_at").or(end);
    let was_over = phase == Phase::Ended;

    match (known.attributes.get(name), start) {
        (Some(known_id), _) if known_id == id => Life::This,
        (Some(_), Some(start)) if known.began_at.is_some_and(|began| start <= began) => Life::Past,
        (Some(_), Some(_)) => Life::Next,
        // Without times, an active call follows one that is over.
        (_, None) if !is_active => Life::Past,
        (Some(_), None) if was_over => Life::Next,
        (Some(_), None) => Life::Past,
        (None, None) if !was_over => Life::Named,
        (None, None) if sight.may_be_older() => Life::Doubtful,
        (None, None) => Life::Next,
        (None, Some(start)) => {
            let call = Call { start, end: end.unwrap_or(start), is_active };
            if call.is_of(known.former, known.began_at) {
                Life::Past
            } else if was_over {
                call.beside_one_that_is_over(known.began_at, revision::ended_at(known))
            } else {
                call.beside_one_on_air(known.began_at.or(known.moved_at), sight.may_be_older())
            }
        }
    }
}

/// Whether a next life had begun when we discovered that the room was empty: then it is as old to us as that.
pub(super) fn was_there_when_we_looked(sight: &Sight<'_>) -> bool {
    let known = &sight.next;
    let start = time_in(&sight.observation.attributes, "started_at");
    let is_told_apart = sight.observation.rules.life.is_some();
    is_told_apart
        && known.happened.contains(&Verb::Discovered)
        && matches!((start, known.moved_at), (Some(start), Some(looked_at)) if start <= looked_at)
}

/// A call as the API lists it, beside a life that has no id yet.
#[derive(Clone, Copy)]
struct Call {
    start: Timestamp,
    end: Timestamp,
    is_active: bool,
}

impl Call {
    /// Whether it is the life before ours, or one before that.
    fn is_of(self, former: Option<Former>, began: Option<Timestamp>) -> bool {
        let distance = |time: Timestamp| self.start.duration_since(time).abs();
        former.is_some_and(|former| {
            let is_nearer = began.is_some_and(|began| distance(former.began_at) < distance(began));
            is_nearer || !self.is_active && self.end <= former.ended_at
        })
    }

    fn beside_one_on_air(self, began: Option<Timestamp>, may_be_older: bool) -> Life {
        let Some(began) = began else { return Life::Named };
        let told_after = |time: Timestamp| began.duration_since(time);
        if !self.is_active && told_after(self.end) > MARGIN {
            return Life::Past;
        }
        // In an old answer it may be a call before ours.
        let is_certain = if self.is_active { told_after(self.start) <= TOLD_LATE } else { self.end >= began };
        if may_be_older && !is_certain { Life::Doubtful } else { Life::Named }
    }

    fn beside_one_that_is_over(self, began: Option<Timestamp>, over: Option<Timestamp>) -> Life {
        let Some(over) = over else { return Life::Named };
        if self.start.duration_since(over) > MARGIN {
            return Life::Next;
        }
        let is_past = match began {
            Some(began) => {
                began.duration_since(self.start) > TOLD_LATE
                    || !self.is_active && began.duration_since(self.end) > MARGIN
            }
            // Only its end was told.
            None => !self.is_active && over.duration_since(self.end) > MARGIN,
        };
        if is_past { Life::Past } else { Life::Named }
    }
}

#[cfg(test)]
mod tests;
