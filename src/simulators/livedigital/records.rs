//! Records of calls.

use super::World;
use crate::simulators::wire::Moment;

pub(super) struct Record {
    pub(super) id: String,
    /// The place of its room.
    pub(super) room: usize,
    /// The place of its call.
    pub(super) call: usize,
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) created: Moment,
    pub(super) course: Course,
    pub(super) is_removed: bool,
    /// As it is listed; empty if that has to be written again.
    pub(super) row: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Course {
    Running,
    Finished(Moment),
    Failed,
    Aborted,
}

impl World {
    /// Recording begins; says the record's id. `None` if no call is on in the room.
    pub fn start_record(&mut self, room_id: &str) -> Option<String> {
        let room = self.room_place(room_id)?;
        let call = self.rooms[room].call?;
        let id = self.id();
        self.records.push(Record {
            id: id.clone(),
            room,
            call,
            name: self.rooms[room].name.clone(),
            bytes: 0,
            created: Moment::with_millis(self.now),
            course: Course::Running,
            is_removed: false,
            row: String::new(),
        });
        self.tell("recording", &id, "started");
        self.push("record_started", room, Some(&id));
        Some(id)
    }

    /// The file is there. `false` if there is no such record, or it is not running.
    pub fn finish_record(&mut self, id: &str) -> bool {
        let course = Course::Finished(Moment::with_millis(self.now));
        self.settle(id, course, "available", "record_finished")
    }

    /// There will be no file. The API may not tell: where it does not, and the webhook is lost, nobody can know,
    /// and it is not in the journal. `false` if there is no such record, or it is not running.
    pub fn fail_record(&mut self, id: &str) -> bool {
        self.settle(id, Course::Failed, "failed", "record_failed")
    }

    /// Somebody stopped it at once. What [`fail_record`](Self::fail_record) says holds for it as well.
    pub fn abort_record(&mut self, id: &str) -> bool {
        self.settle(id, Course::Aborted, "aborted", "record_aborted")
    }

    /// There is no webhook for this. `false` if there is no such record, or it has that name already.
    pub fn rename_record(&mut self, id: &str, name: &str) -> bool {
        let Some(record) = self.record_place(id).map(|place| &mut self.records[place]) else { return false };
        if record.name == name {
            return false;
        }
        name.clone_into(&mut record.name);
        record.row.clear();
        self.tell("recording", id, "updated");
        true
    }

    /// Somebody deletes the file. There is no webhook for this. `false` if there is no such record.
    pub fn remove_record(&mut self, id: &str) -> bool {
        let Some(place) = self.record_place(id) else { return false };
        self.records[place].is_removed = true;
        self.tell("recording", id, "removed");
        true
    }

    /// The ids of the records that are there, of a room.
    pub fn record_ids(&self, room_id: &str) -> Vec<String> {
        let is_there = |record: &&Record| !record.is_removed && self.rooms[record.room].id == room_id;
        self.records.iter().filter(is_there).map(|record| record.id.clone()).collect()
    }

    fn settle(&mut self, id: &str, course: Course, verb: &'static str, event: &str) -> bool {
        let Some(place) = self.record_place(id) else { return false };
        let bytes = 1 + self.fate.number() % (1 << 30);
        let record = &mut self.records[place];
        if record.course != Course::Running {
            return false;
        }
        let is_available = matches!(course, Course::Finished(_));
        record.bytes = if is_available { bytes } else { 0 };
        record.course = course;
        record.row.clear();
        let room = record.room;
        let is_pushed = self.push(event, room, Some(id));
        if is_pushed || is_available || self.options.tells_record_states {
            self.tell("recording", id, verb);
        }
        true
    }

    pub(super) fn running_records(&self, room: usize) -> Vec<String> {
        let is_running = |it: &&Record| it.room == room && it.course == Course::Running && !it.is_removed;
        self.records.iter().filter(is_running).map(|record| record.id.clone()).collect()
    }

    pub(super) fn record_place(&self, id: &str) -> Option<usize> {
        self.records.iter().rposition(|record| record.id == id && !record.is_removed)
    }
}
