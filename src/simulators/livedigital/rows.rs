//! How spaces, rooms, calls and records are written.

use super::{
    Options, Unfinished, World,
    calls::Call,
    places::{FLAGS, Room, Space},
    records::{Course, Record},
};
use crate::simulators::wire::Object;

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Room,
    Call,
    Record,
}

impl World {
    /// What is at this place, as it is listed.
    pub(super) fn row(&mut self, kind: Kind, place: usize) -> &str {
        match kind {
            Kind::Space => {
                let space = &mut self.spaces[place];
                if space.row.is_empty() {
                    space.row = write_space(space);
                }
                &space.row
            }
            Kind::Room => {
                let room = &mut self.rooms[place];
                if room.row.is_empty() {
                    room.row = write_room(room, &self.spaces[room.space].id, &self.options);
                }
                &room.row
            }
            Kind::Call => {
                let call = &mut self.calls[place];
                if call.row.is_empty() {
                    call.row = write_call(call, &self.rooms[call.room]);
                }
                &call.row
            }
            Kind::Record => {
                let record = &mut self.records[place];
                // A file that grows is another one with each look.
                if self.options.unfinished == Unfinished::Growing && record.course == Course::Running {
                    record.bytes += 1 + self.whim.number() % 1_000_000;
                    record.row.clear();
                }
                if record.row.is_empty() {
                    let room = &self.rooms[record.room];
                    let ids = [&room.id, &self.spaces[room.space].id, &self.calls[record.call].id];
                    record.row = write_record(record, ids, &self.options);
                }
                &record.row
            }
        }
    }
}

fn write_space(space: &Space) -> String {
    let mut row = Object::new();
    row.text("id", &space.id).text("name", &space.name);
    row.text("description", "Space where my team will have all future calls");
    row.text("logo", "https://server.example/logo.png").flag("isPublic", true).end()
}

fn write_room(room: &Room, space_id: &str, options: &Options) -> String {
    let mut row = Object::new();
    row.text("id", &room.id);
    if options.has_few_room_fields {
        row.text("alias", &room.alias).text("name", &room.name);
        return row.text("spaceId", space_id).text("channelId", &room.channel_id).end();
    }
    row.text("appId", "64a1ed00b7e4d90012ab3300").text("channelId", &room.channel_id);
    row.text("alias", &room.alias).text("name", &room.name).flag("isPublic", room.is_public);
    row.text("spaceId", space_id).flag("isFavorite", room.is_favorite);
    for ((name, _), value) in FLAGS.iter().zip(room.flags) {
        row.flag(name, value);
    }
    row.text("type", "lesson").text("waitingRoomAudience", &room.waiting_room);
    let started = room.breakout_started.as_ref().map(|moment| moment.text.as_str());
    let session = Object::new().text("status", "ready").text_or_null("startedAt", started).end();
    row.raw("breakoutRooms", &Object::new().text("status", "enabled").raw("session", &session).end());
    let mut field = Object::new();
    field.text("slug", "email").text("type", "email").text("title", "E-mail").flag("enabled", true);
    field.flag("required", room.is_email_required).text("description", "");
    let fields = format!("[{}]", field.end());
    row.raw("joinSettings", &Object::new().raw("fields", &fields).raw("customFields", "[]").end());
    row.text_or_null("lastCallAt", room.last_call.as_ref().map(|moment| moment.text.as_str()));
    row.text("createdAt", &room.created.text).text("roleInRoom", "role_room_owner");
    row.text_or_null("redirectUrl", room.redirect_url.as_deref()).end()
}

fn write_call(call: &Call, room: &Room) -> String {
    let mut row = Object::new();
    row.text("id", &call.id).flag("active", call.finished.is_none()).text("roomId", &room.id);
    row.number("participantsCount", call.participants as u64).flag("isBreakoutRoom", false);
    row.text("planAlias", "business").text("roomType", "lesson");
    row.number("totalParticipantsCount", call.total_participants as u64);
    row.number("uniqueParticipantsCount", call.unique_participants as u64);
    row.text("startedAt", &call.started.text);
    row.text_or_null("finishedAt", call.finished.as_ref().map(|moment| moment.text.as_str())).end()
}

fn write_record(record: &Record, [room, space, call]: [&String; 3], options: &Options) -> String {
    let mut row = Object::new();
    row.text("id", &record.id).text("name", &record.name);
    let finished = match &record.course {
        Course::Finished(moment) => Some(moment.text.as_str()),
        _ => None,
    };
    match (finished, options.unfinished) {
        (Some(_), _) | (None, Unfinished::Growing) => {
            row.number("fileSize", record.bytes);
        }
        (None, Unfinished::Null) => {
            row.raw("fileSize", "null");
        }
        (None, Unfinished::Missing) => {}
    }
    row.text("roomId", room).text("spaceId", space).text("callId", call);
    let state = match (options.tells_record_states, &record.course) {
        (true, Course::Failed) => "failed",
        (true, Course::Aborted) => "aborted",
        _ => "new",
    };
    row.text("state", state).text("createdAt", &record.created.text).text("startedAt", &record.created.text);
    if finished.is_some() || options.unfinished != Unfinished::Missing {
        row.text_or_null("finishedAt", finished);
    }
    row.end()
}
