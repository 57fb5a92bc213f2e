//! Worlds of Kollus.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::AccessToken,
    platform::WatchSettings,
    platforms::kollus::Kollus,
    poll::Account,
    simulators::{
        Cache, Request,
        dice::Dice,
        drift::Drift,
        kollus::{BasePath, BroadcastNow, ChannelNow, ChannelOf, Empty, Options, PerPage, World},
        trick::Trick,
    },
};
use serde_json::{Map, Value, json};

use super::{
    crash, faults, random,
    scene::{self, Mischief, Scene},
};
use crate::support::{
    canaries,
    world::{Told, Truth, in_parts},
};

in_parts!(random_worlds, |part| random::play_worlds::<Channels>("worlds::kollus::random_worlds", part));

#[test]
fn faults_are_told_as_what_they_are() {
    faults::play_faults::<Channels>();
}

#[test]
fn a_process_that_ends_at_any_request_changes_nothing() {
    crash::play_crashes::<Channels>(3);
}

/// An event says when its broadcast was asked for; its title may be that of a later answer of the same sweep.
const SWEEP_MAX: SignedDuration = SignedDuration::from_mins(1);

/// A random world, read by somebody with a random choice of watches.
pub struct Channels {
    begins_at: Timestamp,
    options: Options,
    watches: BTreeMap<&'static str, WatchSettings>,
}

impl Channels {
    fn watches(&self, watch: &str) -> bool {
        self.watches.contains_key(watch)
    }

    /// Whether a new title is shown to somebody.
    fn sees_titles(&self) -> bool {
        self.watches("broadcasts") || self.options.latest_has_key
    }

    /// Whether a title is read in another answer than where its broadcast stands: then it is not known when.
    fn has_late_titles(&self) -> bool {
        self.watches("channels") && !self.options.latest_has_key
    }
}

/// Everything that the documentation leaves open, one way or the other.
pub fn any_options(dice: &mut Dice) -> Options {
    // A copy may be as old as the platform says, and no older.
    let cache = Cache { age: SignedDuration::from_secs(dice.between(2, 30)), share: 30 };
    Options {
        seed: dice.number(),
        base: *dice.pick(&[BasePath::ServiceAccounts, BasePath::Short, BasePath::Both]),
        login_page_without_accept: dice.chance(50),
        latest_has_key: dice.chance(50),
        channel_of: *dice.pick(&[ChannelOf::Key, ChannelOf::Object, ChannelOf::Unsaid]),
        // Where it does, no answer is clear: see the unit tests of the client.
        is_onair_while_paused: false,
        shows_ingest: dice.chance(50),
        per_page: *dice.pick(&[
            PerPage::Lowered(4),
            PerPage::Lowered(10),
            PerPage::Lowered(100),
            PerPage::Refused(100),
        ]),
        has_links: dice.chance(50),
        cache: dice.chance(30).then_some(cache),
        mixes_scalars: dice.chance(50),
        empty: *dice.pick(&[Empty::Object, Empty::Array, Empty::Null, Empty::Any]),
        escapes: dice.chance(50),
        misspelt: if dice.chance(50) { 50 } else { 0 },
        ..canaries::kollus()
    }
}

/// The account that reads a world of this kind.
pub fn account(name: &str, options: &Options, watches: &BTreeMap<&'static str, WatchSettings>) -> Account {
    let mut account = scene::account(name, &options.service_account, &Kollus, watches);
    account.base_url.set_path(match options.base {
        BasePath::ServiceAccounts | BasePath::Both => "/api/v1/live/service-accounts",
        BasePath::Short => "/api/v1/live",
    });
    account.access = AccessToken::fixed(Some(options.access_token.as_str().into()), "");
    account
}

impl Scene for Channels {
    type World = World;

    fn new(dice: &mut Dice) -> (Self, World) {
        let options = any_options(dice);
        let begins_at = options.begins_at;
        let mut world = World::new(options.clone());
        for number in 0..dice.below(14) {
            let channel = world.add_channel(&format!("Channel {number}"));
            if dice.chance(50) {
                world.start(&channel, "Show");
            }
            if dice.chance(20) {
                world.pause(&channel);
            }
        }
        let mut watches = BTreeMap::new();
        let choice = dice.below(4);
        if choice != 0 {
            watches.insert("channels", every(dice.between(45, 90)));
        }
        if choice != 1 {
            watches.insert("broadcasts", every(dice.between(45, 120)));
        }
        (Self { begins_at, options, watches }, world)
    }

    fn begins_at(&self) -> Timestamp {
        self.begins_at
    }

    fn account(&self, name: &str) -> Account {
        account(name, &self.options, &self.watches)
    }

    fn play(&mut self, world: &mut World, dice: &mut Dice) {
        world.play(dice);
    }

    fn mislead(
        &mut self,
        world: &mut World,
        request: &Request,
        dice: &mut Dice,
        may_lie: bool,
    ) -> Option<(Mischief, String)> {
        let is_list = request.path.ends_with("/channels") || request.path.ends_with("/broadcasts");
        let is_of_channel = is_list && request.path.contains("/channels/");
        let (trick, mischief) = if may_lie && is_list && dice.chance(30) {
            (*dice.pick(&[Trick::Shorten, Trick::EmptyWorld]), Mischief::Lie)
        } else if is_list && !is_of_channel && dice.chance(60) {
            const VISIBLE: [Trick; 7] = [
                Trick::Shuffle,
                Trick::MoveEarlier,
                Trick::MoveLater,
                Trick::RepeatPage,
                Trick::Truncate,
                Trick::EmptyPage,
                Trick::Endless,
            ];
            (*dice.pick(&VISIBLE), Mischief::Visible)
        } else {
            (Trick::Drift(a_drift(dice)), Mischief::Visible)
        };
        world.order(trick, 1);
        Some((mischief, format!("{trick:?}")))
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
        for channel in world.channels() {
            put(format!("channel/{}", channel.key), of_channel(&channel));
        }
        for broadcast in world.live_broadcasts() {
            let mut attributes = of_broadcast(&broadcast);
            let attributes_of = attributes.as_object_mut().unwrap();
            if self.has_late_titles() {
                attributes_of.remove("title");
            }
            if !self.watches("channels") && self.options.channel_of == ChannelOf::Unsaid {
                attributes_of.insert("channel_id".to_owned(), Value::Null);
            }
            put(format!("broadcast/{}", broadcast.key), attributes);
        }
        truth
    }

    fn is_watched(&self, subject: &str) -> bool {
        subject.starts_with("broadcast/") || subject.starts_with("channel/") && self.watches("channels")
    }

    fn shown_by(&self) -> BTreeMap<&'static str, &'static str> {
        let of_broadcasts = if self.watches("broadcasts") { "broadcasts" } else { "channels" };
        let all = [("channel", "channels"), ("broadcast", of_broadcasts)];
        all.into_iter().filter(|(_, watch)| self.watches(watch)).collect()
    }

    fn filled_in(&self) -> Vec<&'static str> {
        vec!["broadcast"]
    }

    fn judge(&self, world: &World, mut told: Vec<Told>) -> (Vec<Told>, Vec<String>) {
        let is_open = |told: &&Told| json!(told.data).to_string().contains("ingest.example.com");
        let open = told.iter().filter(is_open);
        let mut wrong: Vec<_> =
            open.map(|told| format!("{} shows where to send video", told.subject)).collect();
        for live in world.live_broadcasts().filter(|_| self.sees_titles()) {
            let subject = format!("broadcast/{}", live.key);
            let last = told.iter().rfind(|told| told.subject == subject);
            if let Some(title) = last.map(|told| &told.entity()["title"]).filter(|it| **it != live.title) {
                wrong.push(format!("{subject}: title is {}, and was told to be {title}", live.title));
            }
        }
        if self.has_late_titles() {
            let is_of_title =
                |told: &&mut Told| told.data.get("changes").is_some_and(|it| it.get("title").is_some());
            let updated = told.iter_mut().filter(|told| told.verb == "updated");
            updated.filter(is_of_title).for_each(|told| told.recorded_at += SWEEP_MAX);
        }
        told.iter_mut().for_each(without_pause);
        let says_nothing =
            |told: &Told| told.data.get("changes").and_then(Value::as_object).is_some_and(Map::is_empty);
        told.retain(|told| told.verb != "updated" || !says_nothing(told));
        (told, wrong)
    }
}

/// Resumed and paused again between two looks: only the time of it tells. That is no transition.
fn without_pause(told: &mut Told) {
    let noun = told.noun().to_owned();
    for of in [&*noun, "changes"] {
        if let Some(Value::Object(attributes)) = told.data.get_mut(of) {
            attributes.shift_remove("paused_at");
        }
    }
}

fn every(seconds: i64) -> WatchSettings {
    WatchSettings { every: Duration::from_secs(seconds.unsigned_abs()), ..WatchSettings::default() }
}

fn of_channel(channel: &ChannelNow<'_>) -> Value {
    json!({
        "title": channel.title,
        "created_at": whole_seconds(channel.created_at),
        "is_shared": true,
        "has_chat": false,
        "idle_screen_url": "https://img.example.com/a.jpg",
        "player_policy": { "type": "force_exclusive_player", "value": "1" },
    })
}

fn of_broadcast(broadcast: &BroadcastNow<'_>) -> Value {
    json!({
        "state": if broadcast.paused_at.is_some() { "paused" } else { "live" },
        "title": broadcast.title,
        "channel_id": broadcast.channel_key,
        "started_at": whole_seconds(broadcast.started_at),
    })
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    at - SignedDuration::from_nanos(at.subsec_nanosecond().into())
}

fn a_drift(dice: &mut Dice) -> Drift {
    const FIELDS: [&str; 12] = [
        "key",
        "title",
        "channel_key",
        "channel",
        "is_onair",
        "started_at",
        "ended_at",
        "created_at",
        "latest_broadcast",
        "is_shared",
        "use_chatting_service",
        "media_player_policy",
    ];
    let field = *dice.pick(&FIELDS);
    match dice.below(5) {
        0 => Drift::Missing(field),
        1 => Drift::Unknown,
        2 => Drift::Renamed(field, "renamed"),
        // Without this field, what is paused looks as if it was live.
        3 => Drift::Retyped(if dice.chance(20) { "paused_at" } else { field }),
        _ => Drift::Null(field),
    }
}
