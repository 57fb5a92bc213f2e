//! One call, as the list of a day shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::{
    tour::Place,
    wire::{Row, instant, number, switch, text},
};
use crate::model::{Attributes, EntityKey, Noun, Observation, Phase, Rules, entities};

/// A room is what the webhook knows, so it stands for its calls; the id of the call tells them apart.
const RULES: Rules = Rules { one_use: false, grows: None, life: Some("call_id"), says_all: false };

/// Calls by their ids.
pub(super) type CallsById = BTreeMap<String, Call>;

/// A call in a room.
pub(super) struct Call {
    /// When the request was sent whose answer shows it.
    pub asked_at: Timestamp,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    is_active: bool,
    is_breakout: Option<bool>,
    visits: Option<u64>,
    visitors: Option<u64>,
}

impl Call {
    /// Reads a row.
    ///
    /// # Errors
    /// The name of what is odd about a row that says nothing of a call in this room.
    pub fn read(row: &Row, place: &Place, asked_at: Timestamp) -> Result<Self, &'static str> {
        if text(row, "roomId").is_some_and(|room_id| room_id != place.room_id) {
            return Err("call-of-another-room");
        }
        let finished_at = instant(row, "finishedAt");
        if finished_at.is_none() && row.get("finishedAt").is_some_and(|end| !end.is_null()) {
            // It may be over or not.
            return Err("call-without-end");
        }
        Ok(Self {
            asked_at,
            started_at: instant(row, "startedAt").ok_or("call-without-start")?,
            finished_at,
            is_active: switch(row, "active").unwrap_or(false),
            is_breakout: switch(row, "isBreakoutRoom"),
            visits: number(row, "totalParticipantsCount"),
            visitors: number(row, "uniqueParticipantsCount"),
        })
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        !self.is_active && self.finished_at.is_some()
    }

    fn is_side_room(&self) -> bool {
        self.is_breakout == Some(true)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end_of = |one: &Self, other: &Self| {
            !other.is_over() || other.finished_at.is_none_or(|end| one.started_at < end)
        };
        begins_before_end_of(self, other) && begins_before_end_of(other, self)
    }

    /// That it is over, when its room is gone: nobody says so then.
    pub fn gone(call_id: &str, started_at: Timestamp, place: &Place) -> Observation {
        let attributes = entities::Broadcast {
            kind: Some("call".to_owned()),
            channel_id: Some(place.room_id.clone()),
            space_id: Some(place.space_id.clone()),
            call_id: Some(call_id.to_owned()),
            started_at: Some(started_at),
            ..Default::default()
        };
        Observation {
            phase: Some(Phase::Ended),
            attributes: Attributes::of(&attributes),
            rules: RULES,
            ..Observation::of(EntityKey::new(Noun::Broadcast, &place.room_id))
        }
    }

    /// What it says of its room.
    pub fn observation(&self, call_id: &str, place: &Place) -> Observation {
        let ended_at = self.finished_at.filter(|_| self.is_over());
        // Before the end they change with everybody who comes.
        let total = |count: Option<u64>| ended_at.and(count);
        let attributes = entities::Broadcast {
            kind: Some("call".to_owned()),
            channel_id: Some(place.room_id.clone()),
            space_id: Some(place.space_id.clone()),
            call_id: Some(call_id.to_owned()),
            started_at: Some(self.started_at),
            ended_at,
            is_breakout: self.is_breakout,
            visits: total(self.visits),
            visitors: total(self.visitors),
            ..Default::default()
        };
        Observation {
            phase: Some(if ended_at.is_some() { Phase::Ended } else { Phase::Live }),
            attributes: Attributes::of(&attributes),
            at: ended_at.or(Some(self.started_at)),
            rules: RULES,
            ..Observation::of(EntityKey::new(Noun::Broadcast, &place.room_id))
        }
    }
}

/// While the room has a call of its own, those in its side rooms do not speak for it.
pub(super) fn without_side_rooms(calls: CallsById, quirks: &mut Vec<&'static str>) -> CallsById {
    let (side_rooms, mut own): (CallsById, CallsById) =
        calls.into_iter().partition(|(_, call)| call.is_side_room());
    let (ignored, told): (CallsById, CallsById) =
        side_rooms.into_iter().partition(|(_, side)| own.values().any(|call| call.overlaps(side)));
    quirks.extend(ignored.iter().map(|_| "call-in-side-room"));
    own.extend(told);
    own
}
