//! What there is, for whoever compares it with what was told.

use super::World;

impl World {
    /// The name of a space; `None` if there is no such space.
    pub fn space_name(&self, id: &str) -> Option<&str> {
        Some(&self.spaces[self.space_place(id)?].name)
    }

    /// The name of a room, the part of its link that names it, and whether everybody may come; `None` if there is no
    /// such room.
    pub fn room_face(&self, id: &str) -> Option<(&str, &str, bool)> {
        let room = &self.rooms[self.room_place(id)?];
        Some((&room.name, &room.alias, room.is_public))
    }

    /// The name of a record; `None` if there is no such record.
    pub fn record_name(&self, id: &str) -> Option<&str> {
        Some(&self.records[self.record_place(id)?].name)
    }
}
