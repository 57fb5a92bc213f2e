//! The watch `calls`: the call that is, or was last, in each room.

mod call;
mod days;
mod room;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{
    call::{Call, CallsById, without_side_rooms},
    room::Room,
};
use super::{
    tour::{Place, Step, Visit},
    turns::{self, Turns},
    wire::{List, instant},
};
use crate::platform::{ApiResponse, Coverage, Failure, Findings, SweepTask};

/// Tells of the calls in the rooms where something happens.
pub(super) struct Calls {
    now: Timestamp,
    cursor: Cursor,
    turns: Turns,
    /// What was read in this sweep, by the id of the room.
    read: BTreeMap<String, (Place, CallsById)>,
    /// The spaces whose rooms are looked at; `None` for all that there are.
    only_spaces: Option<BTreeSet<String>>,
    /// The rooms in the lists of this sweep.
    met: BTreeSet<String>,
    /// Only one room is read, and nothing is remembered of that.
    is_confirmation: bool,
    /// Whether these were all rooms that there are.
    is_whole: bool,
    /// When the latest of the lists was asked for.
    listed_at: Timestamp,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    rooms: BTreeMap<String, Room>,
}

impl Calls {
    pub fn new(task: &SweepTask<'_>) -> Self {
        let cursor = task.cursor.and_then(|cursor| Cursor::deserialize(cursor).ok());
        Self {
            now: task.now,
            cursor: cursor.unwrap_or_default(),
            turns: Turns::default(),
            read: BTreeMap::new(),
            only_spaces: Some(BTreeSet::new()),
            met: BTreeSet::new(),
            is_confirmation: task.target.is_some(),
            is_whole: true,
            listed_at: task.now,
        }
    }

    /// The requests for one room in which something is said to have happened.
    pub fn confirm(&mut self, place: &Place) -> Vec<Step> {
        let room = self.cursor.rooms.entry(place.room_id.clone()).or_default();
        steps(place, room.days(self.now))
    }
}

impl Visit for Calls {
    fn spaces(&mut self, list: &List, _: &mut Findings) -> Vec<Step> {
        self.is_whole &= list.coverage == Coverage::Whole;
        self.listed_at = list.asked_at;
        self.only_spaces = None;
        list.rows.iter().map(|(space_id, _)| Step::Rooms { space_id: space_id.clone() }).collect()
    }

    fn rooms(&mut self, space_id: &str, list: &List, _: &mut Findings) {
        self.is_whole &= list.coverage == Coverage::Whole;
        self.listed_at = list.asked_at;
        if let Some(spaces) = &mut self.only_spaces {
            spaces.insert(space_id.to_owned());
        }
        for (room_id, row) in &list.rows {
            self.met.insert(room_id.clone());
            let room = self.cursor.rooms.entry(room_id.clone()).or_default();
            room.note_listed(instant(row, "lastCallAt"), self.now);
            let is_busy = room.is_busy(self.now);
            if is_busy || room.is_due(self.now) {
                let place = Place { space_id: space_id.to_owned(), room_id: room_id.clone() };
                self.turns.add(is_busy, room.read_at(), steps(&place, room.days(self.now)));
            }
        }
    }

    fn choose(&mut self, found: &mut Findings) -> Vec<Step> {
        let steps = self.turns.take();
        found.has_more = self.turns.is_any_left();
        found.is_known_throughout = !self.turns.is_any_unknown();
        steps
    }

    fn detail(&mut self, step: &Step, answer: &ApiResponse, found: &mut Findings) -> Result<(), Failure> {
        let Step::Calls { place, .. } = step else { return Ok(()) };
        let list = List::read(answer, &mut found.quirks)?;
        let (_, calls) =
            self.read.entry(place.room_id.clone()).or_insert_with(|| (place.clone(), CallsById::new()));
        for (call_id, row) in list.rows {
            match Call::read(&row, place, answer.asked_at) {
                Ok(call) => drop(calls.insert(call_id, call)),
                Err(quirk) => found.quirks.push(quirk),
            }
        }
        Ok(())
    }

    fn skip(&mut self, step: &Step, _: &Failure) {
        match step {
            Step::Calls { place, .. } => {
                // What one day said of it is not all of it.
                self.read.remove(&place.room_id);
                self.cursor.rooms.entry(place.room_id.clone()).or_default().note_refused(self.now);
            }
            _ => self.is_whole = false,
        }
    }

    fn is_readable_at_times(&self) -> bool {
        self.turns.is_any_unknown() || self.cursor.rooms.values().any(Room::is_readable)
    }

    fn end(&mut self, found: &mut Findings) {
        for (room_id, (place, calls)) in std::mem::take(&mut self.read) {
            let room = self.cursor.rooms.entry(room_id).or_default();
            let calls = without_side_rooms(calls, &mut found.quirks);
            found.sightings.extend(room.tell(&place, calls, self.now));
        }
        if self.is_confirmation {
            return;
        }
        if self.is_whole {
            let (met, spaces, listed_at) = (&self.met, &self.only_spaces, self.listed_at);
            let is_looked_at =
                |space_id: &str| spaces.as_ref().is_none_or(|spaces| spaces.contains(space_id));
            self.cursor.rooms.retain(|room_id, room| {
                let is_gone = !met.contains(room_id) && room.note_absent();
                if is_gone {
                    found.sightings.extend(room.taken_along(room_id, is_looked_at, listed_at));
                }
                !is_gone
            });
        }
        turns::forget(&mut self.cursor.rooms, Room::read_at);
        found.cursor = Some(json!(self.cursor));
    }
}

fn steps(place: &Place, days: BTreeSet<Date>) -> Vec<Step> {
    days.into_iter().map(|day| Step::Calls { place: place.clone(), day }).collect()
}
