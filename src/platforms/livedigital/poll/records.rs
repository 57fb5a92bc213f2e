//! The watch `records`: the recordings of each room, as far back as they may still change.

mod recording;
mod room;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::room::Room;
use super::{
    tour::{Place, Step, Visit},
    turns::{self, Turns},
    wire::{List, instant},
};
use crate::{
    model::{Noun, Phase, Rules},
    platform::{ApiResponse, Coverage, Failure, Findings, Listing, Sighting, SweepTask},
};

/// Tells of the recordings in the rooms that are due.
pub(super) struct Records {
    now: Timestamp,
    cursor: Cursor,
    turns: Turns,
    /// The rooms in the lists of this sweep.
    met: BTreeSet<String>,
    /// Only one room is read, and nothing is remembered of that.
    is_confirmation: bool,
    /// Whether these were all rooms that there are.
    is_whole: bool,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    rooms: BTreeMap<String, Room>,
}

impl Records {
    pub fn new(task: &SweepTask<'_>) -> Self {
        let cursor = task.cursor.and_then(|cursor| Cursor::deserialize(cursor).ok());
        Self {
            now: task.now,
            cursor: cursor.unwrap_or_default(),
            turns: Turns::default(),
            met: BTreeSet::new(),
            is_confirmation: task.target.is_some(),
            is_whole: true,
        }
    }

    /// The request for one room.
    pub fn step(&self, place: Place) -> Step {
        let from = self.room(&place.room_id).window(self.now);
        Step::Records { place, from }
    }

    fn room(&self, room_id: &str) -> Room {
        self.cursor.rooms.get(room_id).cloned().unwrap_or_default()
    }
}

impl Visit for Records {
    fn spaces(&mut self, list: &List, _: &mut Findings) -> Vec<Step> {
        self.is_whole &= list.coverage == Coverage::Whole;
        list.rows.iter().map(|(space_id, _)| Step::Rooms { space_id: space_id.clone() }).collect()
    }

    fn rooms(&mut self, space_id: &str, list: &List, _: &mut Findings) {
        self.is_whole &= list.coverage == Coverage::Whole;
        for (room_id, row) in &list.rows {
            self.met.insert(room_id.clone());
            let room = self.room(room_id);
            let is_busy = room.is_busy(instant(row, "lastCallAt"), self.now);
            if is_busy || room.is_due(self.now) {
                let place = Place { space_id: space_id.to_owned(), room_id: room_id.clone() };
                self.turns.add(is_busy, room.read_at(), vec![self.step(place)]);
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
        let Step::Records { place, from } = step else { return Ok(()) };
        let list = List::read(answer, &mut found.quirks)?;
        let room = self.cursor.rooms.entry(place.room_id.clone()).or_default();
        room.note_read(list.coverage == Coverage::Whole, self.now);

        let mut seen: Vec<_> =
            list.rows.iter().map(|(id, row)| (instant(row, "createdAt"), id, row)).collect();
        seen.sort_by_key(|(made, id, _)| (*made, *id));
        for (made, id, row) in seen {
            room.note_recording(made, recording::phase(row) == Phase::Recording);
            found.sightings.push(Sighting {
                listed_from: made,
                ..Sighting::in_list(recording::observation(id, place, row), &*place.room_id, answer.asked_at)
            });
        }
        found.listings.push(Listing {
            scope: place.room_id.clone(),
            noun: Noun::Recording,
            rules: Rules::ONE_USE,
            coverage: list.coverage,
            from: Some(*from),
        });
        Ok(())
    }

    fn skip(&mut self, step: &Step, _: &Failure) {
        self.is_whole = false;
        if let Step::Records { place, .. } = step {
            self.cursor.rooms.entry(place.room_id.clone()).or_default().note_refused(self.now);
        }
    }

    fn is_readable_at_times(&self) -> bool {
        self.turns.is_any_unknown() || self.cursor.rooms.values().any(Room::is_readable)
    }

    fn end(&mut self, found: &mut Findings) {
        if self.is_confirmation {
            return;
        }
        if self.is_whole {
            self.cursor.rooms.retain(|room_id, _| self.met.contains(room_id));
        }
        turns::forget(&mut self.cursor.rooms, Room::read_at);
        found.cursor = Some(json!(self.cursor));
    }
}
