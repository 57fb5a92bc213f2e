//! Worlds of SOOP.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::AccessToken,
    platform::WatchSettings,
    platforms::soop::Soop,
    poll::Account,
    simulators::{
        Cache, Request,
        dice::Dice,
        drift::Drift,
        soop::{self, Broadcast, Lapse, Options, OverLimit, Refusal, VodGone, World},
    },
};
use serde_json::{Map, Value, json};

use super::{
    crash, faults, random,
    scene::{self, Mischief, Scene},
};
use crate::support::{
    canaries::{self, canary},
    world::{Truth, in_parts},
};

const LOGIN: &str = "soop1234";
/// Of these only the first two are there.
const VODS: [u64; 3] = [101, 102, 103];
/// Watches beside that of the list.
const OTHERS: [&str; 6] = ["live_status", "station", "categories", "filters", "settings", "vods"];

in_parts!(random_worlds, |part| random::play_worlds::<Soops>("worlds::soop::random_worlds", part));

#[test]
fn faults_are_told_as_what_they_are() {
    faults::play_faults::<Soops>();
}

#[test]
fn a_process_that_ends_at_any_request_changes_nothing() {
    crash::play_crashes::<Soops>(4);
}

/// A random world, read by somebody with a random choice of watches.
pub struct Soops {
    begins_at: Timestamp,
    watches: BTreeMap<&'static str, WatchSettings>,
    keeps_misleading: bool,
}

impl Soops {
    fn watches(&self, watch: &str) -> bool {
        self.watches.contains_key(watch)
    }
}

impl Scene for Soops {
    type World = World;

    fn new(dice: &mut Dice) -> (Self, World) {
        let defaults = canaries::soop();
        let seed = dice.number();
        let options = Options {
            seed,
            cache: any_cache(&mut Dice::new(seed)),
            page_block: *dice.pick(&[3, 5, 8, 60]),
            varies: dice.chance(80),
            omits_paid_promotion: dice.chance(50),
            refusal: *dice.pick(&[Refusal::Unauthorized, Refusal::Envelope]),
            over_limit: *dice.pick(&[OverLimit::Answered, OverLimit::Refused]),
            says_login_offline: dice.chance(50),
            settings_name: if dice.chance(50) { "data" } else { "info" },
            data_is_array: dice.chance(50),
            vod_gone: *dice.pick(&[VodGone::NotFound, VodGone::Envelope, VodGone::EmptyFields]),
            ..defaults
        };
        let begins_at = options.begins_at;
        let mut world = World::crowded(options, dice.below(16));
        for vod in &VODS[..2] {
            world.add_vod(*vod, "다시보기", "감자", "gamja");
        }
        let mut watches = BTreeMap::from([("broadcasts", every(60))]);
        for watch in OTHERS {
            if dice.chance(35) {
                let mut settings = every(dice.between(45, 90).unsigned_abs());
                match watch {
                    "vods" => {
                        settings.lists.insert("ids", VODS.map(|vod| vod.to_string()).to_vec());
                    }
                    "settings" => settings.switches = vec!["stream_key"],
                    _ => {}
                }
                watches.insert(watch, settings);
            }
        }
        (Self { begins_at, watches, keeps_misleading: false }, world)
    }

    fn begins_at(&self) -> Timestamp {
        self.begins_at
    }

    fn account(&self, name: &str) -> Account {
        let mut account = scene::account(name, LOGIN, &Soop, &self.watches);
        account.settings.client_id = Some("client-id".to_owned());
        account.settings.client_secret = Some(canary("soop-secret").into());
        account.access = AccessToken::fixed(Some(canary("soop-access").into()), "");
        account
    }

    fn play(&mut self, world: &mut World, dice: &mut Dice) {
        if dice.chance(2) {
            let vod = *dice.pick(&VODS);
            // Were none left, nobody could tell that from trouble.
            if vod != VODS[1] {
                world.remove_vod(vod);
            }
        }
        world.play(dice);
        if dice.chance(5) {
            self.calm(world);
        }
    }

    fn mislead(
        &mut self,
        world: &mut World,
        request: &Request,
        dice: &mut Dice,
        may_lie: bool,
    ) -> Option<(Mischief, String)> {
        let is_list = request.path == "/broad/list";
        let is_other_list = request.path == "/broad/category/list" || request.path.starts_with("/filter/");
        let drift = a_drift(dice);
        let (lapse, mischief) = if may_lie && dice.chance(50) {
            let lie = match dice.below(3) {
                0 if is_list => Lapse::WrongTotal(dice.between(-5, 5)),
                0 | 1 if is_other_list => *dice.pick(&[Lapse::Truncate, Lapse::EmptyPage]),
                // Parents without children are nothing unusual.
                2 if is_other_list && dice.chance(50) => Lapse::Drift(Drift::Missing("child")),
                _ if is_list || is_other_list => Lapse::EmptyWorld,
                _ => return None,
            };
            (lie, Mischief::Lie)
        } else if is_list && dice.chance(70) {
            const VISIBLE: [Lapse; 7] = [
                Lapse::Shuffle,
                Lapse::CrossBoundary,
                Lapse::RepeatPage,
                Lapse::Truncate,
                Lapse::EmptyPage,
                Lapse::OldCopy,
                Lapse::Endless,
            ];
            (*dice.pick(&VISIBLE), Mischief::Visible)
        } else if matches!(drift, Drift::Missing("child") | Drift::Renamed("child", _) | Drift::Null("child"))
        {
            return None;
        } else {
            (Lapse::Drift(drift), Mischief::Visible)
        };
        // Of the other lists, some of these would be lies.
        let is_harmless = !self.watches("categories") && !self.watches("filters")
            || matches!(lapse, Lapse::Shuffle | Lapse::CrossBoundary | Lapse::RepeatPage | Lapse::Drift(_));
        let is_lasting =
            mischief == Mischief::Visible && is_harmless && lapse != Lapse::Endless && dice.chance(50);
        if is_lasting {
            self.keeps_misleading = true;
            world.always(Some(lapse));
        } else {
            world.order(lapse);
        }
        Some((mischief, format!("{lapse:?}")))
    }

    fn keeps_misleading(&self) -> bool {
        self.keeps_misleading
    }

    fn calm(&mut self, world: &mut World) {
        self.keeps_misleading = false;
        world.always(None);
        world.options().cache = None;
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
        for broadcast in world.broadcasts() {
            put(format!("broadcast/{}", broadcast.no), of_broadcast(broadcast));
        }
        for (category, parent) in world.all_categories() {
            let attributes = json!({ "name": category.name, "parent_id": parent.unwrap_or("") });
            put(format!("category/{}", category.no), attributes);
        }
        for filter in world.filters() {
            let attributes = json!({ "value": filter.value, "reason": filter.reason, "origin": "client" });
            put(format!("filter/{}:{}", filter.kind.as_str(), filter.value), attributes);
        }
        for vod in VODS.iter().filter_map(|vod| world.vod(*vod)) {
            put(format!("content/{}", vod.id), json!({ "title": vod.title, "author_name": vod.author }));
        }
        if let Some(account) = world.account(LOGIN) {
            put(format!("channel/{LOGIN}"), of_station(account));
            put(format!("settings/{LOGIN}"), of_settings(account));
            put(format!("stream_key/{LOGIN}"), Map::new().into());
        }
        truth
    }

    fn is_watched(&self, subject: &str) -> bool {
        let (noun, id) = subject.split_once('/').unwrap_or_default();
        match noun {
            "broadcast" => true,
            "channel" => self.watches("station"),
            "category" => self.watches("categories"),
            "filter" => self.watches("filters"),
            "settings" | "stream_key" => self.watches("settings"),
            "content" => self.watches("vods") && VODS.iter().any(|vod| vod.to_string() == id),
            _ => false,
        }
    }

    fn shown_by(&self) -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([("broadcast", "broadcasts"), ("category", "categories"), ("filter", "filters")])
    }

    fn filled_in(&self) -> Vec<&'static str> {
        if self.watches("live_status") { vec!["broadcast"] } else { Vec::new() }
    }
}

/// A copy may be as old as the client thinks, and no older.
fn any_cache(dice: &mut Dice) -> Option<Cache> {
    let age = SignedDuration::from_secs(dice.between(2, 30));
    dice.chance(30).then_some(Cache { age, share: 30 })
}

fn every(seconds: u64) -> WatchSettings {
    WatchSettings { every: Duration::from_secs(seconds), ..WatchSettings::default() }
}

fn of_broadcast(broadcast: &Broadcast) -> Value {
    json!({
        "state": "live",
        "title": broadcast.title,
        "channel_id": broadcast.login,
        "category_id": broadcast.category,
        "streamer_name": broadcast.nick,
        "started_at": whole_seconds(broadcast.started_at),
        "is_password_protected": broadcast.is_password,
        "age_limit": broadcast.grade,
        "asks_not_to_restream": broadcast.is_visit_refused,
        "is_paid_promotion": broadcast.paid_promotion,
        "kilobits_per_second": broadcast.kbps,
        "resolution": broadcast.resolution,
    })
}

fn of_station(account: &soop::Account) -> Value {
    let station = &account.station;
    let last = station.last_broadcast_at.map(|at| {
        let whole = at.as_second() - at.as_second() % 60;
        Timestamp::from_second(whole).unwrap()
    });
    json!({ "title": station.name, "streamer_name": station.nick, "kind": "station", "last_broadcast_at": last })
}

fn of_settings(account: &soop::Account) -> Value {
    let settings = &account.settings;
    json!({
        "title": settings.title,
        "category_id": settings.category,
        "viewers_max": settings.allowed_view_cnt,
        "is_password_protected": settings.is_password,
        "hashtags": settings.hashtags.split(", ").collect::<Vec<_>>(),
        "ending_message": settings.ending_message,
        "ingest_url": account.ingest_url,
    })
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    at - SignedDuration::from_nanos(at.subsec_nanosecond().into())
}

fn a_drift(dice: &mut Dice) -> Drift {
    const FIELDS: [&str; 24] = [
        "broad",
        "broad_title",
        "broad_no",
        "broad_start",
        "broad_cate_no",
        "is_password",
        "user_id",
        "user_nick",
        "total_cnt",
        "page_no",
        "page_block",
        "time",
        "data",
        "info",
        "status",
        "result",
        "station_name",
        "title",
        "category",
        "cate_name",
        "cate_no",
        "child",
        "filter_list",
        "reason",
    ];
    let field = *dice.pick(&FIELDS);
    match dice.below(5) {
        0 => Drift::Missing(field),
        1 => Drift::Unknown,
        2 => Drift::Renamed(field, "renamed"),
        3 => Drift::Retyped(field),
        _ => Drift::Null(field),
    }
}
