//! What the watch `calls` remembers of a room: when to ask, for which days, and what was told.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    super::tour::Place,
    call::{Call, CallsById},
    days,
};
use crate::platform::Sighting;

/// How often a room is asked about in which nothing happens.
const IDLE_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How long a room is asked about with every sweep after something happened.
const RESTLESS: SignedDuration = SignedDuration::from_mins(10);
/// How long a call is waited for that the room speaks of: perhaps calls are only listed when they are over.
const UNEXPLAINED: SignedDuration = SignedDuration::from_hours(12);
/// How far the time of a room's last call may be from that of the call.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);
/// How long the end of a call is told again, in case the first answer was doubted.
const SETTLING: SignedDuration = SignedDuration::from_mins(1);
/// After this long, a call that never ends is asked about like an idle room.
const ENDLESS: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A room is gone when so many whole lists in a row do not hold it.
const LISTS_WITHOUT_IT: u8 = 2;
/// Who was away for longer asks only for the days on which something is known to have happened.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is remembered of a room.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Room {
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Timestamp>,
    /// As the list of rooms says.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_call_at: Option<Timestamp>,
    /// When we noticed that something happens here.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_at: Option<Timestamp>,
    /// The newest call that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    is_readable: bool,
    /// From how many lists in a row it was absent.
    #[serde(skip_serializing_if = "is_zero")]
    absences: u8,
}

#[derive(Clone, Serialize, Deserialize)]
struct Told {
    space_id: String,
    started_at: Timestamp,
    call_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// When we first read that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    over_since: Option<Timestamp>,
    /// Its end was told often enough.
    #[serde(default)]
    is_settled: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u8) -> bool {
    *count == 0
}

impl Room {
    /// It stands in a list of rooms.
    pub fn note_listed(&mut self, last_call_at: Option<Timestamp>, now: Timestamp) {
        self.absences = 0;
        if last_call_at > self.last_call_at {
            if !self.is_unknown() {
                self.moved_at = Some(now);
            }
            self.last_call_at = last_call_at;
        }
    }

    /// It stands in no list, though all were read; `true` when that makes it gone.
    pub fn note_absent(&mut self) -> bool {
        self.absences = self.absences.saturating_add(1);
        self.absences >= LISTS_WITHOUT_IT
    }

    /// Its calls are not for us, or it is gone.
    pub fn note_refused(&mut self, now: Timestamp) {
        self.read_at = Some(now);
        self.is_readable = false;
    }

    /// When its calls were asked for last.
    pub fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// Whether its calls could be read when they were last asked for.
    pub fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether something happens in it, so that every sweep asks about it.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        let is_within =
            |since: Option<Timestamp>, limit| since.is_some_and(|since| now.duration_since(since) < limit);
        let is_unsettled = self.told.as_ref().is_some_and(|told| match told.over_since {
            Some(_) => !told.is_settled,
            None => is_within(Some(told.started_at), ENDLESS),
        });
        let is_waited_for = self.is_readable && is_within(self.unexplained(), UNEXPLAINED);
        is_unsettled || is_waited_for || is_within(self.moved_at, RESTLESS)
    }

    /// Whether it is to be asked about though nothing happens in it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        // A time in the future is one of a clock that was set back.
        let is_fresh = |read_at| (SignedDuration::ZERO..IDLE_EVERY).contains(&now.duration_since(read_at));
        !self.read_at.is_some_and(is_fresh)
    }

    /// The days on which the calls that matter may be listed.
    pub fn days(&self, now: Timestamp) -> BTreeSet<Date> {
        let mut days = days::around(now);
        if self.is_unknown() {
            days.extend(days::before(now));
            return days;
        }
        // What began right after it was last read may be listed on a day that is not near any more.
        let read_at = self.read_at.filter(|read_at| now.duration_since(*read_at) < A_DAY);
        days.extend(read_at.map(days::around).into_iter().flatten());
        // A call is listed on the day of its start, however long it lasts and however long we were away.
        let told = self.told.as_ref().filter(|told| !told.is_settled).map(|told| told.started_at);
        let is_moved = self.moved_at.is_some_and(|moved_at| now.duration_since(moved_at) < RESTLESS);
        let unexplained = self
            .unexplained()
            .filter(|last_call_at| is_moved || now.duration_since(*last_call_at) < UNEXPLAINED);
        for instant in told.into_iter().chain(unexplained) {
            days.extend(days::around(instant));
        }
        days
    }

    /// The time of a last call that none of those that were told can be.
    fn unexplained(&self) -> Option<Timestamp> {
        let newest = self.told.as_ref().map(|told| told.ended_at.unwrap_or(told.started_at));
        self.last_call_at.filter(|last| newest.is_none_or(|newest| last.duration_since(newest) > MARGIN))
    }

    /// Whether nothing was ever read of its calls.
    fn is_unknown(&self) -> bool {
        !self.is_readable && self.told.is_none()
    }

    /// What is to be told of the calls that were read, and takes note of it.
    pub fn tell(&mut self, place: &Place, calls: CallsById, now: Timestamp) -> Vec<Sighting> {
        let is_first = self.is_unknown();
        self.read_at = Some(now);
        self.is_readable = true;
        let mut calls: Vec<_> = calls.into_iter().collect();
        calls.sort_by(|(id, call), (other_id, other)| {
            (call.started_at, id).cmp(&(other.started_at, other_id))
        });
        if is_first {
            // Those before it were over long before anybody looked.
            calls.drain(..calls.len().saturating_sub(1));
        }
        let mut sightings = Vec::new();
        for (call_id, call) in calls {
            let over_since = match &self.told {
                Some(told) if told.call_id == call_id && told.is_settled => continue,
                Some(told) if told.call_id == call_id => told.over_since,
                Some(told) if (call.started_at, &call_id) < (told.started_at, &told.call_id) => continue,
                _ => None,
            };
            let over_since = call.is_over().then(|| over_since.unwrap_or(call.asked_at));
            sightings.push(Sighting::of(call.observation(&call_id, place), call.asked_at));
            self.told = Some(Told {
                space_id: place.space_id.clone(),
                started_at: call.started_at,
                call_id,
                ended_at: call.finished_at,
                over_since,
                is_settled: over_since.is_some_and(|since| call.asked_at.duration_since(since) >= SETTLING),
            });
        }
        sightings
    }

    /// The call that is over because its room is gone, if this was the space that was looked at.
    pub fn taken_along(
        &self,
        room_id: &str,
        is_looked_at: impl Fn(&str) -> bool,
        listed_at: Timestamp,
    ) -> Option<Sighting> {
        let told = self.told.as_ref().filter(|told| told.over_since.is_none())?;
        let place = Place { space_id: told.space_id.clone(), room_id: room_id.to_owned() };
        is_looked_at(&told.space_id)
            .then(|| Sighting::of(Call::gone(&told.call_id, told.started_at, &place), listed_at))
    }
}
