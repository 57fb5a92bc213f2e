//! Calls: what happens in a room while people are in it. One at a time.

use super::{LastCall, World};
use crate::simulators::wire::Moment;

pub(super) struct Call {
    pub(super) id: String,
    /// The place of its room.
    pub(super) room: usize,
    pub(super) started: Moment,
    pub(super) finished: Option<Moment>,
    /// Now.
    pub(super) participants: usize,
    pub(super) total_participants: usize,
    pub(super) unique_participants: usize,
    /// As it is listed; empty if that has to be written again.
    pub(super) row: String,
}

impl World {
    /// Somebody enters a room; says the call's id. `None` if there is no such room, or somebody is in it.
    pub fn start_call(&mut self, room_id: &str) -> Option<String> {
        let room = self.room_place(room_id).filter(|place| self.rooms[*place].call.is_none())?;
        let id = self.id();
        self.rooms[room].call = Some(self.calls.len());
        self.calls.push(Call {
            id: id.clone(),
            room,
            started: Moment::with_millis(self.now),
            finished: None,
            participants: 1,
            total_participants: 1,
            unique_participants: 1,
            row: String::new(),
        });
        self.called(room, self.options.last_call != LastCall::End);
        self.tell("broadcast", room_id, "started");
        self.push("call_started", room, None);
        Some(id)
    }

    /// The last one leaves: what is recorded is finished first. `total` came, counting each visit, `unique`
    /// different people. `false` if nobody is there.
    pub fn finish_call(&mut self, room_id: &str, total: usize, unique: usize) -> bool {
        let Some(room) = self.room_place(room_id) else { return false };
        let Some(place) = self.rooms[room].call else { return false };
        for record in self.running_records(room) {
            self.finish_record(&record);
        }
        self.rooms[room].call = None;
        let call = &mut self.calls[place];
        call.finished = Some(Moment::with_millis(self.now));
        call.participants = 0;
        (call.total_participants, call.unique_participants) = (total, unique);
        call.row.clear();
        self.called(room, self.options.last_call != LastCall::Start);
        self.tell("broadcast", room_id, "ended");
        self.push("call_finished", room, None);
        true
    }

    /// The id of the call that is on in a room.
    pub fn live_call(&self, room_id: &str) -> Option<&str> {
        let call = self.rooms[self.room_place(room_id)?].call?;
        Some(&self.calls[call].id)
    }

    fn called(&mut self, room: usize, is_shown: bool) {
        if is_shown {
            let room = &mut self.rooms[room];
            room.last_call = Some(Moment::with_millis(self.now));
            room.row.clear();
        }
    }
}
