//! Worlds of livedigital.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::AccessToken,
    platform::WatchSettings,
    platforms::livedigital::Livedigital,
    poll::Account,
    simulators::{
        Request, Simulator,
        dice::Dice,
        drift::Drift,
        livedigital::{Download, LastCall, Options, Refusal, RoomChange, Unfinished, WithoutWebhook, World},
        postbox::Delivery,
        trick::Trick,
    },
};
use serde_json::{Map, Value, json};

use super::{
    crash, faults, random,
    scene::{self, Mischief, Scene, Settling},
};
use crate::support::{
    canaries::{self, canary},
    world::{Told, Truth, in_parts},
};

/// What the watch `webhook` adds to a space.
const OF_WEBHOOKS: [&str; 3] = ["is_webhook_active", "webhook_host", "webhook_fingerprint"];
/// An absence is dated with the beginning of its sweep; its list may be asked for so much later.
const SWEEP_MAX: SignedDuration = SignedDuration::from_mins(1);
/// How far the clock of a world may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_millis(40);
/// Addresses of webhooks.
const ADDRESSES: [&str; 3] =
    ["https://one.example/hook", "https://two.example/hook", "https://two.example/other"];

in_parts!(random_worlds, |part| random::play_worlds::<Spaces>("worlds::livedigital::random_worlds", part));

#[test]
fn faults_are_told_as_what_they_are() {
    faults::play_faults::<Spaces>();
}

#[test]
fn a_process_that_ends_at_any_request_changes_nothing() {
    crash::play_crashes::<Spaces>(4);
}

/// Spaces with rooms in which people meet, read with a random choice of watches. Nobody delivers their webhooks.
pub struct Spaces {
    begins_at: Timestamp,
    watches: BTreeMap<&'static str, WatchSettings>,
    /// The one that is watched; `None` for all.
    only: Option<String>,
    shows_active_calls: bool,
    last_call: LastCall,
    has_few_room_fields: bool,
    /// The spaces that were there at the beginning.
    first_spaces: BTreeSet<String>,
    /// Every room that there ever was, and its space.
    rooms: BTreeMap<String, String>,
    /// Rooms that are gone.
    gone: BTreeSet<String>,
    /// Every record that there ever was, and its room.
    records: BTreeMap<String, String>,
    /// Every call that there ever was, by room.
    calls: BTreeMap<String, BTreeSet<String>>,
    /// Where the webhook of a space leads, whether it is on, and how often that was changed.
    hooks: BTreeMap<String, (Option<&'static str>, bool, usize)>,
}

impl Spaces {
    fn watches(&self, watch: &str) -> bool {
        self.watches.contains_key(watch)
    }

    fn is_of_watched_space(&self, space: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == space)
    }

    fn is_in_watched_space(&self, room: &str) -> bool {
        self.rooms.get(room).is_some_and(|space| self.is_of_watched_space(space))
    }

    /// Something happens by chance.
    fn act(&mut self, world: &mut World, dice: &mut Dice) {
        // Nothing happens at the same time as anything else: the clock there is a little ahead of ours.
        if let Some(last) = world.journal().last() {
            world.advance(last.at + SignedDuration::from_millis(1));
        }
        let spaces = world.space_ids();
        match dice.below(14) {
            0 if !spaces.is_empty() => {
                let space = dice.pick(&spaces);
                let url = dice.chance(70).then(|| *dice.pick(&ADDRESSES));
                let is_on = url.is_some() && dice.chance(80);
                let hook = self.hooks.entry(space.clone()).or_default();
                if (hook.0, hook.1) != (url, is_on) {
                    world.set_webhook(space, url, is_on);
                    *hook = (url, is_on, hook.2 + 1);
                }
            }
            1 => {
                let rooms: Vec<_> = spaces.iter().flat_map(|space| world.room_ids(space)).collect();
                if !rooms.is_empty() {
                    let alias = format!("alias-{}", dice.below(1000));
                    let changes = [
                        RoomChange::Alias(&alias),
                        RoomChange::Flag("isChatAllowed", dice.chance(50)),
                        RoomChange::WaitingRoom(if dice.chance(50) { "all" } else { "guests" }),
                        RoomChange::RedirectUrl(dice.chance(50).then_some("https://bye.example/")),
                        RoomChange::EmailRequired(dice.chance(50)),
                    ];
                    let change = dice.pick(&changes).clone();
                    // Rooms that show little do not show this.
                    if matches!(change, RoomChange::Alias(_)) || !self.has_few_room_fields {
                        world.change_room(dice.pick::<String>(&rooms), &change);
                    }
                }
            }
            _ => world.play(dice),
        }
        self.look(world);
    }

    /// Remembers what there is.
    fn look(&mut self, world: &World) {
        let mut there = BTreeSet::new();
        for space in world.space_ids() {
            for room in world.room_ids(&space) {
                for record in world.record_ids(&room) {
                    self.records.insert(record, room.clone());
                }
                if let Some(call) = world.live_call(&room) {
                    self.calls.entry(room.clone()).or_default().insert(call.to_owned());
                }
                self.rooms.insert(room.clone(), space.clone());
                there.insert(room);
            }
        }
        self.gone = self.rooms.keys().filter(|room| !there.contains(*room)).cloned().collect();
    }

    /// Nobody says what becomes of the records of a room that is gone: what was told of them must be true.
    fn wrong_about_lost_records(world: &World, told: &[Told]) -> Vec<String> {
        let subjects: BTreeSet<_> = told.iter().map(|told| &told.subject).collect();
        let is_wrong = |subject: &&&String| {
            let mut happened = world.journal().iter().filter(|it| it.subject == ***subject);
            let verbs = told.iter().filter(|told| told.subject == ***subject).map(|told| &*told.verb);
            let mut verbs = verbs.filter(|verb| *verb != "updated").peekable();
            verbs.next_if(|verb| *verb == "discovered");
            !verbs.all(|verb| happened.any(|it| it.verb == verb))
        };
        let wrong = subjects.iter().filter(is_wrong);
        wrong.map(|subject| format!("{subject}: of a room that is gone, and wrong")).collect()
    }

    /// Each call begins once and ends once, and is one that there was.
    fn wrong_about_calls(&self, world: &World, told: &[Told]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut met = BTreeSet::new();
        let mut last = BTreeMap::new();
        for told in told.iter().filter(|told| told.noun() == "broadcast") {
            let room = told.subject.trim_start_matches("broadcast/");
            let call = told.entity().get("call_id").and_then(Value::as_str).unwrap_or_default();
            if !self.calls.get(room).is_some_and(|calls| calls.contains(call)) {
                wrong.push(format!("{}: there was no call {call:?}", told.subject));
            }
            if told.verb != "updated" && !met.insert((room, call, told.verb.clone())) {
                wrong.push(format!("{}: call {call} {} twice", told.subject, told.verb));
            }
            last.insert(room, call);
        }
        for room in self.rooms.keys().filter(|_| self.watches("calls")) {
            let is = world.live_call(room).filter(|_| self.is_in_watched_space(room));
            if is.is_some_and(|call| last.get(room.as_str()) != Some(&call)) {
                wrong.push(format!("broadcast/{room}: {is:?} is on, and {:?} was told", last.get(&**room)));
            }
        }
        wrong
    }

    /// Takes what is said of webhooks out of what is told of spaces, and says what is wrong with it.
    fn wrong_about_webhooks(&self, world: &World, told: &mut Vec<Told>) -> Vec<String> {
        let mut last = BTreeMap::new();
        let mut told_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        told.retain_mut(|told| {
            if told.noun() != "space" {
                return true;
            }
            last.insert(told.subject.clone(), told.entity().clone());
            let take = |of: Option<&mut Value>| {
                let of = of.and_then(Value::as_object_mut)?;
                let before = of.len();
                OF_WEBHOOKS.iter().for_each(|name| drop(of.shift_remove(*name)));
                Some(before > of.len() && of.is_empty())
            };
            take(told.data.get_mut("space"));
            // What was not known is filled in, which is no change.
            let of = told.data.get("changes").and_then(Value::as_object);
            let changes = of.filter(|of| of.values().any(|change| !change["from"].is_null()));
            let changes = changes.map(|changes| format!("{} {changes:?}", told.recorded_at));
            let is_only_that = take(told.data.get_mut("changes")) == Some(true) && told.verb == "updated";
            if is_only_that {
                told_of.entry(told.subject.clone()).or_default().extend(changes);
            }
            !is_only_that
        });
        let mut wrong = Vec::new();
        for space in world.space_ids().iter().filter(|space| self.is_of_watched_space(space)) {
            let subject = format!("space/{space}");
            let (url, is_on, changes) = self.hooks.get(space).copied().unwrap_or_default();
            if let Some(told) = told_of.get(&subject).filter(|told| told.len() > changes) {
                wrong.push(format!("{subject}: its webhook changed {changes} times, told {told:#?}"));
            }
            let Some(entity) = last.get(&subject).filter(|_| self.watches("webhook")) else { continue };
            let host = url.map(|url| json!(url.split('/').nth(2)));
            let is_host_right = host.is_none_or(|host| entity.get("webhook_host") == Some(&host));
            if !is_host_right || entity.get("is_webhook_active") != Some(&json!(is_on)) {
                wrong.push(format!("{subject}: its webhook is {url:?} {is_on}, told {entity:?}"));
            }
        }
        wrong
    }
}

impl Scene for Spaces {
    type World = World;

    fn new(dice: &mut Dice) -> (Self, World) {
        let defaults = canaries::livedigital();
        let begins_at = defaults.begins_at + SignedDuration::from_mins(dice.between(0, 24 * 60));
        let options = Options {
            seed: dice.number(),
            begins_at,
            has_total: dice.chance(60),
            zone_hours: *dice.pick(&[0, 0, 3, 2, -3]),
            shows_active_calls: dice.chance(80),
            last_call: *dice.pick(&[LastCall::Start, LastCall::End, LastCall::Both]),
            tells_record_states: dice.chance(50),
            unfinished: *dice.pick(&[Unfinished::Missing, Unfinished::Null, Unfinished::Growing]),
            without_webhook: *dice.pick(&[
                WithoutWebhook::NotFound,
                WithoutWebhook::Null,
                WithoutWebhook::Empty,
            ]),
            download: *dice.pick(&[Download::Redirect, Download::Text, Download::Json]),
            has_few_room_fields: dice.chance(15),
            refusal: *dice.pick(&[Refusal::Full, Refusal::Nulls, Refusal::Empty, Refusal::Text]),
            sets_cookies: dice.chance(80),
            // What only webhooks tell is not known.
            delivery: Delivery { lost: 100, ..Delivery::default() },
            ..defaults
        };
        let (shows_active_calls, last_call) = (options.shows_active_calls, options.last_call);
        let has_few_room_fields = options.has_few_room_fields;
        let mut world = World::new(options);
        for number in 0..=dice.below(3) {
            let space = world.add_space(&format!("Space {number}"));
            for room in 0..dice.below(4) {
                world.add_room(&space, &format!("Room {room}"));
            }
        }
        let only = world.space_ids().first().cloned().filter(|_| dice.chance(25));
        let mut watches = BTreeMap::new();
        for watch in ["spaces", "rooms", "records", "calls"] {
            if dice.chance(60) {
                watches.insert(watch, every(dice.between(45, 120)));
            }
        }
        if watches.is_empty() {
            watches.insert("calls", every(60));
        }
        // It does not say that a space is gone.
        if watches.contains_key("spaces") && dice.chance(60) {
            watches.insert("webhook", every(dice.between(45, 120)));
        }
        let mut scene = Self {
            begins_at,
            watches,
            only,
            shows_active_calls,
            last_call,
            has_few_room_fields,
            first_spaces: BTreeSet::new(),
            rooms: BTreeMap::new(),
            gone: BTreeSet::new(),
            records: BTreeMap::new(),
            calls: BTreeMap::new(),
            hooks: BTreeMap::new(),
        };
        // A call that is not shown before it is over would be told later than it should.
        let acts = if shows_active_calls { dice.below(20) } else { 0 };
        (0..acts).for_each(|_| scene.act(&mut world, dice));
        scene.look(&world);
        scene.first_spaces = world.space_ids().into_iter().collect();
        (scene, world)
    }

    fn begins_at(&self) -> Timestamp {
        self.begins_at
    }

    fn account(&self, name: &str) -> Account {
        let service_account = self.only.as_deref().unwrap_or(name);
        let mut account = scene::account(name, service_account, &Livedigital, &self.watches);
        account.access = AccessToken::fixed(Some(canary("livedigital-access").into()), "");
        account
    }

    fn play(&mut self, world: &mut World, dice: &mut Dice) {
        self.act(world, dice);
    }

    fn mislead(
        &mut self,
        world: &mut World,
        request: &Request,
        dice: &mut Dice,
        may_lie: bool,
    ) -> Option<(Mischief, String)> {
        // What is gone is not answered with a list, and the trick would wait for another one.
        let parts: Vec<_> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        let room = request.query("roomId").unwrap_or_default();
        let is_there = match &parts[..] {
            ["v1", "spaces"] => true,
            ["v1", "spaces", space, "rooms"] => world.space_name(space).is_some(),
            ["v1", "spaces", _, "analytics", "calls"] => world.room_face(room).is_some(),
            ["v1", "spaces", _, "rooms", room, "records"] => world.room_face(room).is_some(),
            _ => false,
        };
        if !is_there {
            return None;
        }
        // An old copy cannot be told from the truth either, and one is enough to mislead.
        let (trick, mischief) = match dice.below(10) {
            0 | 1 if may_lie => (Trick::EmptyWorld, Mischief::Lie),
            2 if may_lie => (Trick::Shorten, Mischief::Lie),
            0 | 3 => (Trick::Truncate, Mischief::Visible),
            1 | 4 => (Trick::EmptyPage, Mischief::Visible),
            5 => (Trick::Endless, Mischief::Visible),
            6 => (*dice.pick(&[Trick::MoveEarlier, Trick::MoveLater]), Mischief::Visible),
            7 => (*dice.pick(&[Trick::RepeatPage, Trick::Shuffle]), Mischief::Visible),
            _ => (Trick::Drift(a_drift(dice)), Mischief::Visible),
        };
        world.order(trick, 1);
        Some((mischief, format!("{trick:?}")))
    }

    fn calm(&mut self, world: &mut World) {
        // Nobody could know of them.
        if !self.shows_active_calls {
            for room in self.rooms.keys() {
                world.finish_call(room, 3, 2);
            }
        }
    }

    fn truth(&self, world: &World) -> Truth {
        let mut truth = Truth::new();
        let mut put = |subject: String, attributes: Value| {
            if let Value::Object(attributes) = attributes
                && self.is_watched(&subject)
            {
                truth.insert(subject, attributes);
            }
        };
        for space in world.space_ids() {
            put(format!("space/{space}"), json!({ "name": world.space_name(&space) }));
            for room in world.room_ids(&space) {
                put(format!("channel/{room}"), self.of_room(world, &space, &room).into());
                if world.live_call(&room).is_some() {
                    let attributes = json!({ "kind": "call", "channel_id": room, "space_id": space });
                    put(format!("broadcast/{room}"), attributes);
                }
                for record in world.record_ids(&room) {
                    let title = world.record_name(&record);
                    let attributes = json!({ "title": title, "channel_id": room, "space_id": space });
                    put(format!("recording/{record}"), attributes);
                }
            }
        }
        truth
    }

    fn is_watched(&self, subject: &str) -> bool {
        let (noun, id) = subject.split_once('/').unwrap_or_default();
        match noun {
            "space" => self.watches("spaces") && self.is_of_watched_space(id),
            "channel" => self.watches("rooms") && self.is_in_watched_space(id),
            "broadcast" => self.watches("calls") && self.is_in_watched_space(id),
            "recording" => {
                let room = self.records.get(id).filter(|room| !self.gone.contains(*room));
                self.watches("records") && room.is_some_and(|room| self.is_in_watched_space(room))
            }
            _ => false,
        }
    }

    fn shown_by(&self) -> BTreeMap<&'static str, &'static str> {
        let mut shown = BTreeMap::from([("space", "spaces"), ("channel", "rooms")]);
        // Otherwise nobody sees at once that something happens in an idle room.
        if self.last_call != LastCall::End && !self.has_few_room_fields {
            shown.insert("recording", "records");
            if self.shows_active_calls {
                shown.insert("broadcast", "calls");
            }
        }
        shown
    }

    fn judge(&self, world: &World, told: Vec<Told>) -> (Vec<Told>, Vec<String>) {
        let is_lost = |told: &Told| {
            let room = told.data.get("recording").and_then(|recording| recording["channel_id"].as_str());
            room.is_some_and(|room| self.gone.contains(room))
        };
        let (lost, mut told): (Vec<_>, Vec<_>) = told.into_iter().partition(is_lost);
        told.iter_mut().for_each(|told| told.recorded_at += AHEAD);
        let removed = told.iter_mut().filter(|told| told.verb == "removed");
        removed.for_each(|told| told.recorded_at += SWEEP_MAX);
        // Whether the rooms of a new space are new can only be known from the time when they were made.
        let is_undated = |told: &Told| {
            let room = told.subject.strip_prefix("channel/").and_then(|room| self.rooms.get(room));
            self.has_few_room_fields && room.is_some_and(|space| !self.first_spaces.contains(space))
        };
        for told in told.iter_mut().filter(|told| told.verb == "discovered" && is_undated(told)) {
            "created".clone_into(&mut told.verb);
        }
        let mut wrong = Self::wrong_about_lost_records(world, &lost);
        wrong.extend(self.wrong_about_calls(world, &told));
        wrong.extend(self.wrong_about_webhooks(world, &mut told));
        (told, wrong)
    }

    fn settling(&self) -> Settling {
        // Idle rooms are asked for calls every ten minutes, and for recordings once an hour: one that is absent
        // twice is gone.
        let (lasts, naps) = match () {
            () if self.watches("records") => (SignedDuration::from_mins(130), 2),
            () if self.watches("calls") => (SignedDuration::from_mins(15), 1),
            () => return Settling::SHORT,
        };
        Settling { lasts, naps }
    }

    fn filled_in(&self) -> Vec<&'static str> {
        // Who comes is said after the end; the webhook's watch says less than that of the spaces.
        vec!["broadcast", "recording", "space"]
    }
}

impl Spaces {
    fn of_room(&self, world: &World, space: &str, room: &str) -> Map<String, Value> {
        let (name, alias, is_public) = world.room_face(room).expect("it is there");
        let attributes = [("kind", json!("room")), ("title", json!(name)), ("alias", json!(alias))];
        let space_id = ("space_id", json!(space));
        let is_public = (!self.has_few_room_fields).then(|| ("is_public", json!(is_public)));
        let attributes = attributes.into_iter().chain([space_id]).chain(is_public);
        attributes.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn every(seconds: i64) -> WatchSettings {
    WatchSettings { every: Duration::from_secs(seconds.unsigned_abs()), ..WatchSettings::default() }
}

fn a_drift(dice: &mut Dice) -> Drift {
    const FIELDS: [&str; 11] = [
        "id",
        "name",
        "alias",
        "spaceId",
        "roomId",
        "callId",
        "isPublic",
        "startedAt",
        "finishedAt",
        "lastCallAt",
        "active",
    ];
    let field = *dice.pick(&FIELDS);
    match dice.below(4) {
        0 => Drift::Missing(field),
        1 => Drift::Renamed(field, "renamed"),
        2 => Drift::Retyped(field),
        _ => Drift::Null(field),
    }
}
