//! The watch `rooms`: the rooms of each space.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    tour::{Step, Visit},
    wire::{List, Row, clearable_url, instant, switch, text},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Rules, entities},
    platform::{Coverage, Findings, Listing, Sighting},
};

/// Tells of the rooms in the lists; each list is that of one space.
pub(super) struct Rooms {
    /// The spaces whose rooms earlier sweeps saw.
    known_spaces: BTreeSet<String>,
}

impl Rooms {
    /// After sweeps that saw rooms in `known_spaces`.
    pub fn new(known_spaces: impl IntoIterator<Item = String>) -> Self {
        Self { known_spaces: known_spaces.into_iter().collect() }
    }
}

impl Visit for Rooms {
    const ENDS_WITH_ROOMS: bool = true;

    fn spaces(&mut self, list: &List, found: &mut Findings) -> Vec<Step> {
        let spaces: Vec<_> = list.rows.iter().map(|(space_id, _)| space_id.clone()).collect();
        if list.coverage == Coverage::Whole {
            // A space that is gone took its rooms along: its list is as empty as one that was read.
            let gone = self.known_spaces.iter().filter(|known| !spaces.contains(known));
            found.listings.extend(gone.map(|space_id| listing(space_id, Coverage::Whole)));
        }
        spaces.into_iter().map(|space_id| Step::Rooms { space_id }).collect()
    }

    fn rooms(&mut self, space_id: &str, list: &List, found: &mut Findings) {
        for (id, row) in &list.rows {
            found.sightings.push(Sighting::in_list(room(id, space_id, row), space_id, list.asked_at));
        }
        found.listings.push(listing(space_id, list.coverage));
    }
}

fn listing(space_id: &str, coverage: Coverage) -> Listing {
    Listing { scope: space_id.to_owned(), noun: Noun::Channel, rules: Rules::default(), coverage, from: None }
}

/// Left out: `isFavorite` and `roleInRoom` depend on who asks, `appId` and `channelId` are service data,
/// `lastCallAt` and the start of a breakout session say nothing about the room itself.
fn room(id: &str, space_id: &str, row: &Row) -> Observation {
    let breakout = row.get("breakoutRooms").and_then(Value::as_object);
    let session = breakout.and_then(|breakout| breakout.get("session"));
    let attributes = entities::Channel {
        kind: Some("room".to_owned()),
        title: text(row, "name"),
        alias: text(row, "alias"),
        space_id: Some(text(row, "spaceId").unwrap_or_else(|| space_id.to_owned())),
        is_public: switch(row, "isPublic"),
        room_type: text(row, "type"),
        waiting_room_audience: text(row, "waitingRoomAudience"),
        redirect_url: clearable_url(row, "redirectUrl"),
        permissions: permissions(row),
        join_settings: join_settings(row),
        created_at: instant(row, "createdAt"),
        breakout_status: breakout.and_then(|breakout| text(breakout, "status")),
        breakout_session: match session {
            Some(Value::Object(session)) => text(session, "status"),
            Some(Value::Null) => Some(String::new()),
            _ => None,
        },
        ..Default::default()
    };
    Observation {
        attributes: Attributes::of(&attributes),
        ..Observation::of(EntityKey::new(Noun::Channel, id))
    }
}

/// Every `is…Allowed`, whatever new ones there will be.
fn permissions(row: &Row) -> Option<BTreeMap<String, bool>> {
    let permissions: BTreeMap<_, _> = row
        .iter()
        .filter(|(name, _)| name.starts_with("is") && name.ends_with("Allowed"))
        .filter_map(|(name, value)| Some((name.clone(), value.as_bool()?)))
        .collect();
    (!permissions.is_empty()).then_some(permissions)
}

/// With its keys in order, so that another order is no change.
fn join_settings(row: &Row) -> Option<Value> {
    let mut settings = row.get("joinSettings").filter(|settings| !settings.is_null())?.clone();
    settings.sort_all_objects();
    Some(settings)
}
