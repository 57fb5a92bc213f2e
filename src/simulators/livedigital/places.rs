//! Spaces, their webhooks, and rooms: what is there for long.

use super::World;
use crate::simulators::wire::Moment;

const ALIAS_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What may be done in a room, and whether it may be done in a new one.
pub(super) const FLAGS: [(&str, bool); 11] = [
    ("isChatAllowed", true),
    ("isRecordAllowed", true),
    ("isScreensharingAllowed", true),
    ("isAutoRecordingAllowed", false),
    ("isMicrophonePublishingAllowed", true),
    ("isScreenMediaPublishingAllowed", true),
    ("isCameraPublishingAllowed", true),
    ("isAvatarsAllowed", true),
    ("isSelfRenamingAllowed", true),
    ("isHandRaisingAllowed", true),
    ("isRemoteDrawingAllowed", true),
];

pub(super) struct Space {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) webhook: Option<Webhook>,
    pub(super) is_removed: bool,
    /// As it is listed; empty if that has to be written again.
    pub(super) row: String,
}

pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) is_active: bool,
}

pub(super) struct Room {
    pub(super) id: String,
    /// The place of its space.
    pub(super) space: usize,
    pub(super) channel_id: String,
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) is_public: bool,
    pub(super) flags: [bool; FLAGS.len()],
    pub(super) waiting_room: String,
    pub(super) redirect_url: Option<String>,
    pub(super) is_email_required: bool,
    /// Depends on who asks: noise.
    pub(super) is_favorite: bool,
    /// Of the breakout session: noise.
    pub(super) breakout_started: Option<Moment>,
    pub(super) last_call: Option<Moment>,
    pub(super) created: Moment,
    pub(super) is_removed: bool,
    /// The place of the call that is on.
    pub(super) call: Option<usize>,
    /// As it is listed; empty if that has to be written again.
    pub(super) row: String,
}

/// What can change in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomChange<'c> {
    /// Its name.
    Name(&'c str),
    /// The name in its links.
    Alias(&'c str),
    /// Whether everybody may come.
    Public(bool),
    /// One of the `is...Allowed`; one that does not exist changes nothing.
    Flag(&'c str, bool),
    /// Who waits before being let in.
    WaitingRoom(&'c str),
    /// Where people are sent afterwards.
    RedirectUrl(Option<&'c str>),
    /// Whether people who join must give an e-mail address.
    EmailRequired(bool),
}

impl World {
    /// A new space; says its id.
    pub fn add_space(&mut self, name: &str) -> String {
        let id = self.id();
        self.spaces.push(Space {
            id: id.clone(),
            name: name.to_owned(),
            webhook: None,
            is_removed: false,
            row: String::new(),
        });
        self.tell("space", &id, "created");
        id
    }

    /// `false` if there is no such space, or it has that name already.
    pub fn rename_space(&mut self, id: &str, name: &str) -> bool {
        let Some(space) = self.space_place(id).map(|place| &mut self.spaces[place]) else { return false };
        if !set(&mut space.name, name.to_owned()) {
            return false;
        }
        space.row.clear();
        self.tell("space", id, "updated");
        true
    }

    /// Removes a space and its rooms. `false` if there is no such space.
    pub fn remove_space(&mut self, id: &str) -> bool {
        let Some(place) = self.space_place(id) else { return false };
        for room in self.room_ids(id) {
            self.remove_room(&room);
        }
        self.spaces[place].is_removed = true;
        self.tell("space", id, "removed");
        true
    }

    /// Gives a space a webhook, or takes it away. `false` if there is no such space.
    pub fn set_webhook(&mut self, space_id: &str, url: Option<&str>, is_active: bool) -> bool {
        let Some(place) = self.space_place(space_id) else { return false };
        self.spaces[place].webhook = url.map(|url| Webhook { url: url.to_owned(), is_active });
        true
    }

    /// A new room; says its id. `None` if there is no such space.
    pub fn add_room(&mut self, space_id: &str, name: &str) -> Option<String> {
        let space = self.space_place(space_id)?;
        let id = self.id();
        let room = Room {
            id: id.clone(),
            space,
            channel_id: self.id(),
            alias: (0..10).map(|_| char::from(*self.fate.pick(ALIAS_LETTERS))).collect(),
            name: name.to_owned(),
            is_public: true,
            flags: FLAGS.map(|(_, is_allowed)| is_allowed),
            waiting_room: "nobody".to_owned(),
            redirect_url: None,
            is_email_required: true,
            is_favorite: false,
            breakout_started: None,
            last_call: None,
            created: Moment::with_millis(self.now),
            is_removed: false,
            call: None,
            row: String::new(),
        };
        self.rooms.push(room);
        self.tell("channel", &id, "created");
        Some(id)
    }

    /// `false` if there is no such room, or that changes nothing.
    pub fn change_room(&mut self, id: &str, change: &RoomChange<'_>) -> bool {
        let Some(room) = self.room_place(id).map(|place| &mut self.rooms[place]) else { return false };
        let is_changed = match change {
            RoomChange::Name(name) => set(&mut room.name, (*name).to_owned()),
            RoomChange::Alias(alias) => set(&mut room.alias, (*alias).to_owned()),
            RoomChange::Public(is_public) => set(&mut room.is_public, *is_public),
            RoomChange::Flag(flag, value) => FLAGS
                .iter()
                .position(|(known, _)| known == flag)
                .is_some_and(|place| set(&mut room.flags[place], *value)),
            RoomChange::WaitingRoom(audience) => set(&mut room.waiting_room, (*audience).to_owned()),
            RoomChange::RedirectUrl(url) => set(&mut room.redirect_url, url.map(str::to_owned)),
            RoomChange::EmailRequired(is_required) => set(&mut room.is_email_required, *is_required),
        };
        if is_changed {
            room.row.clear();
            self.tell("channel", id, "updated");
        }
        is_changed
    }

    /// Changes what means nothing: who likes the room, when its side rooms opened, how many are in its call.
    pub fn fidget(&mut self, room_id: &str) {
        let Some(place) = self.room_place(room_id) else { return };
        let room = &mut self.rooms[place];
        room.is_favorite = !room.is_favorite;
        room.breakout_started = Some(Moment::with_millis(self.now));
        room.row.clear();
        if let Some(call) = room.call {
            self.calls[call].participants = 1 + self.fate.below(9);
            self.calls[call].row.clear();
        }
    }

    /// Removes a room and, without a word of their own, its records; a call that is on ends first. `false` if there
    /// is no such room.
    pub fn remove_room(&mut self, id: &str) -> bool {
        self.finish_call(id, 1, 1);
        let Some(place) = self.room_place(id) else { return false };
        self.rooms[place].is_removed = true;
        self.tell("channel", id, "removed");
        true
    }

    /// The ids of the spaces that are there.
    pub fn space_ids(&self) -> Vec<String> {
        self.spaces.iter().filter(|space| !space.is_removed).map(|space| space.id.clone()).collect()
    }

    /// The ids of the rooms that are in a space.
    pub fn room_ids(&self, space_id: &str) -> Vec<String> {
        let is_there = |room: &&Room| !room.is_removed && self.spaces[room.space].id == space_id;
        self.rooms.iter().filter(is_there).map(|room| room.id.clone()).collect()
    }

    pub(super) fn space_place(&self, id: &str) -> Option<usize> {
        self.spaces.iter().position(|space| space.id == id && !space.is_removed)
    }

    pub(super) fn room_place(&self, id: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.id == id && !room.is_removed)
    }
}

/// Whether that is another value.
fn set<T: PartialEq>(place: &mut T, value: T) -> bool {
    let is_other = *place != value;
    *place = value;
    is_other
}
