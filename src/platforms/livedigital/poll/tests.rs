//! Many rooms: read in turn, by sweeps that stay short, with a cursor that stays small.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::{
    model::AccountName,
    platform::{ApiResponse, Failure, Findings, Listed, Platform, WatchSettings},
};

const SPACE: &str = "64a1efb0b7e4d90012ab34aa";
/// Noon, so that one day is enough for a room that is known.
const NOON: &str = "2023-08-12T12:00:00Z";

/// The platform: rooms with the answers about them, and whoever reads them.
struct Rig {
    watch: &'static str,
    account: AccountSettings,
    /// The rooms of the one space, by number, with the time of their last call.
    rooms: BTreeMap<usize, Option<Timestamp>>,
    /// There are more than the list shows.
    is_list_cut: bool,
    /// What is listed for a room; nothing if it is forbidden.
    lists: Box<dyn Fn(usize) -> Option<Value>>,
    now: Timestamp,
    cursor: Option<Value>,
}

/// What a sweep asked and found.
struct Swept {
    requests: usize,
    /// How often each room was asked about.
    asked: BTreeMap<usize, usize>,
    found: Result<Findings, Failure>,
}

impl Rig {
    fn new(watch: &'static str, rooms: usize) -> Self {
        Self {
            watch,
            account: AccountSettings::new(AccountName::parse("space-1").unwrap(), SPACE),
            rooms: (0..rooms).map(|number| (number, None)).collect(),
            is_list_cut: false,
            lists: Box::new(|_| Some(json!({ "items": [] }))),
            now: NOON.parse().unwrap(),
            cursor: None,
        }
    }

    fn sweep(&mut self) -> Swept {
        let mut walk = Livedigital.begin(SweepTask {
            watch: Livedigital.descriptor().watch(self.watch).unwrap(),
            account: &self.account,
            target: None,
            cursor: self.cursor.as_ref(),
            listed: &Listed::default(),
            now: self.now,
            fingerprint: &|_| unreachable!("nothing here is a secret"),
        });
        let (mut requests, mut asked) = (0, BTreeMap::new());
        while let Some(request) = walk.ask() {
            requests += 1;
            let (status, body) = match room_in(&request.to_string()) {
                None => (200, self.list()),
                Some(room) => {
                    *asked.entry(room).or_default() += 1;
                    (self.lists)(room).map_or((403, json!({})), |list| (200, list))
                }
            };
            let answer = ApiResponse {
                status,
                retry_after: None,
                body: body.to_string().into(),
                asked_at: self.now + SignedDuration::from_secs(requests as i64),
            };
            if let Err(failure) = walk.hear(&answer) {
                return Swept { requests, asked, found: Err(failure) };
            }
        }
        let found = walk.findings();
        self.cursor.clone_from(&found.cursor);
        Swept { requests, asked, found: Ok(found) }
    }

    fn list(&self) -> Value {
        let row = |(number, last_call_at): (&usize, &Option<Timestamp>)| json!({ "id": id(*number), "lastCallAt": last_call_at });
        let rows: Vec<_> = self.rooms.iter().map(row).collect();
        let total = rows.len() + usize::from(self.is_list_cut);
        json!({ "items": rows, "total": total })
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn remembered(&self) -> usize {
        let rooms = self.cursor.as_ref().and_then(|cursor| cursor.pointer("/rooms")?.as_object());
        rooms.map_or(0, serde_json::Map::len)
    }
}

fn id(number: usize) -> String {
    format!("{number:024x}")
}

/// The room that a request is about.
fn room_in(request: &str) -> Option<usize> {
    let is_id = |part: &&str| is_space_id(part) && *part != SPACE;
    usize::from_str_radix(request.split(['/', '=', '&', '?']).find(is_id)?, 16).ok()
}

fn call(number: usize) -> Value {
    json!({ "items": [{
        "id": format!("{number:023x}c"), "active": true, "roomId": id(number), "startedAt": "2023-08-12T11:50:00.000Z",
    }] })
}

fn recording(number: usize) -> Value {
    json!({ "items": [{
        "id": format!("{number:023x}d"), "roomId": id(number), "state": "new", "createdAt": "2023-08-12T11:50:00.000Z",
    }] })
}

#[test]
fn a_webhook_fills_in_the_spaces_that_are_watched() {
    for watches in [&["webhook"][..], &["spaces", "webhook"]] {
        let mut account = AccountSettings::new(AccountName::parse("space-1").unwrap(), SPACE);
        account.watches = watches.iter().map(|watch| (*watch, WatchSettings::default())).collect();
        let mut walk = Livedigital.begin(SweepTask {
            watch: Livedigital.descriptor().watch("webhook").unwrap(),
            account: &account,
            target: None,
            cursor: None,
            listed: &Listed::default(),
            now: NOON.parse().unwrap(),
            fingerprint: &|_| "0123456789abcdef".to_owned(),
        });
        while walk.ask().is_some() {
            let body = json!({ "url": "https://one.example/hook", "isActive": true }).to_string().into();
            let asked_at = NOON.parse().unwrap();
            walk.hear(&ApiResponse { status: 200, retry_after: None, body, asked_at }).unwrap();
        }
        let fills_in: Vec<_> = walk.findings().sightings.iter().map(|sighting| sighting.fills_in).collect();
        assert_eq!(fills_in, [watches.len() == 2]);
    }
}

#[test]
fn a_thousand_rooms_are_read_in_turn() {
    for watch in ["calls", "records"] {
        let mut rig = Rig::new(watch, 1_000);
        let mut read = BTreeSet::new();
        for sweep in 1..=25 {
            let swept = rig.sweep();
            assert!(swept.requests <= 100, "{watch}: {} requests", swept.requests);
            assert!(swept.asked.keys().all(|room| read.insert(*room)), "{watch}: a room is read twice");
            assert_eq!(swept.found.unwrap().has_more, sweep < 25, "{watch}: sweep {sweep}");
            rig.pass(10);
        }
        assert_eq!((read.len(), rig.remembered()), (1_000, 1_000), "{watch}");
        // Nothing is due now; later it is the turn of those that were read first.
        assert_eq!(rig.sweep().requests, 1, "{watch}");
        rig.pass(3_600);
        let swept = rig.sweep();
        assert!(swept.asked.keys().copied().eq(0..40), "{watch}: {:?}", swept.asked);
    }
}

#[test]
fn rooms_in_which_something_happens_are_read_every_time() {
    for (watch, list) in [("calls", call as fn(usize) -> Value), ("records", recording)] {
        let mut rig = Rig::new(watch, 200);
        rig.lists =
            Box::new(move |room| Some(if room % 50 == 7 { list(room) } else { json!({ "items": [] }) }));
        let mut busy = BTreeSet::new();
        for sweep in 1..=5 {
            let swept = rig.sweep();
            assert!(busy.iter().all(|room| swept.asked.contains_key(room)), "{watch}: sweep {sweep}");
            let quiet = swept.asked.len() - busy.len();
            assert_eq!((quiet, swept.found.unwrap().has_more), (40, sweep < 5), "{watch}: sweep {sweep}");
            busy.extend(swept.asked.keys().filter(|room| *room % 50 == 7));
            rig.pass(10);
        }
        assert!(rig.sweep().asked.keys().eq(&BTreeSet::from([7, 57, 107, 157])), "{watch}");
    }
}

#[test]
fn more_rooms_with_a_call_than_fit_into_a_sweep_take_turns() {
    for (watch, list) in [("calls", call as fn(usize) -> Value), ("records", recording)] {
        let mut rig = Rig::new(watch, 700);
        rig.lists = Box::new(move |room| Some(list(room)));
        let mut last_read = BTreeMap::new();
        for sweep in 0..40 {
            let swept = rig.sweep();
            assert!(swept.requests <= 301, "{watch}: {} requests", swept.requests);
            last_read.extend(swept.asked.keys().map(|room| (*room, sweep)));
            rig.pass(10);
        }
        assert_eq!(last_read.len(), 700, "{watch}: each is read");
        assert!(last_read.values().all(|sweep| *sweep >= 36), "{watch}: none waits for long: {last_read:?}");
    }
}

#[test]
fn rooms_that_are_forbidden_do_not_hide_those_behind_them() {
    for watch in ["calls", "records"] {
        let mut rig = Rig::new(watch, 100);
        rig.lists = Box::new(|room| (room >= 90).then(|| json!({ "items": [] })));
        for sweep in 1..=3 {
            let found = rig.sweep().found.unwrap();
            assert_eq!(found.has_more, sweep < 3, "{watch}");
            rig.pass(10);
        }
        assert_eq!(rig.remembered(), 100, "{watch}");
    }
}

#[test]
fn when_all_of_many_rooms_are_forbidden_that_is_said_and_not_taken_back() {
    for watch in ["calls", "records"] {
        let mut rig = Rig::new(watch, 100);
        rig.lists = Box::new(|_| None);
        assert!(rig.sweep().found.is_ok() && rig.sweep().found.is_ok(), "{watch}: others may be readable");
        for _ in 0..6 {
            assert_eq!(rig.sweep().found, Err(Failure::Forbidden), "{watch}");
            rig.pass(900);
        }
        rig.lists = Box::new(|_| Some(json!({ "items": [] })));
        assert!(rig.sweep().found.is_ok(), "{watch}");
    }
}

#[test]
fn the_cursor_stays_small_whatever_the_lists_say() {
    for watch in ["calls", "records"] {
        let mut rig = Rig::new(watch, 0);
        // Nothing is known to be gone, because none of these lists is whole.
        rig.is_list_cut = true;
        let room =
            |number: usize| (id(number), json!({ "read_at": "2023-08-12T11:00:00Z", "is_readable": true }));
        rig.cursor = Some(json!({ "rooms": (10_000..14_970).map(room).collect::<serde_json::Map<_, _>>() }));
        for sweep in 0..3 {
            rig.rooms = (sweep * 40..sweep * 40 + 400).map(|number| (number, None)).collect();
            let read: Vec<_> = rig.sweep().asked.into_keys().map(id).collect();
            assert_eq!(read.len(), 40, "{watch}");
            assert!(rig.remembered() <= 5_000, "{watch}: {}", rig.remembered());
            let cursor = rig.cursor.as_ref().unwrap();
            assert!(
                read.iter().all(|room| cursor["rooms"].get(room).is_some()),
                "{watch}: what was read now"
            );
            rig.pass(1);
        }
    }
}

#[test]
fn a_cursor_with_rooms_that_were_never_read_can_be_read() {
    for watch in ["calls", "records"] {
        let mut rig = Rig::new(watch, 3);
        rig.cursor = Some(json!({ "rooms": {
            id(0): { "read_at": NOON, "is_readable": true },
            id(1): { "read_at": null, "is_readable": false },
            id(2): { "last_call_at": "2023-08-01T00:00:00Z", "is_readable": false, "absences": 1 },
        } }));
        let swept = rig.sweep();
        assert!(swept.found.is_ok() && swept.asked.keys().copied().eq([1, 2]), "{watch}: {:?}", swept.asked);
    }
}

#[test]
fn a_time_ahead_of_a_clock_that_was_set_back_is_not_waited_for() {
    for watch in ["calls", "records"] {
        let mut rig = Rig::new(watch, 1);
        rig.sweep();
        rig.pass(-30 * 24 * 3_600);
        assert_eq!(rig.sweep().asked.len(), 1, "{watch}");
    }
}
