//! Days of each platform. There is little to see, so that many can pass; but enough is asked at once, now and then, to
//! use up what may be asked.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use livehook::{
    access::AccessToken,
    model::AccountName,
    platform::{Platform, Wake, WatchSettings},
    platforms::{kollus::Kollus, livedigital::Livedigital, openfresh::Openfresh, soop::Soop},
    poll::Account,
    simulators::{dice::Dice, kollus, livedigital, openfresh, soop},
};

use super::{super::scene, Days, pass};

use crate::support::canaries::{self, canary};

/// At one host, and with one credential.
fn accounts(
    platform: &'static dyn Platform,
    service_account: &str,
    watches: &[&[(&'static str, u64)]],
    credential: &str,
) -> Vec<Account> {
    let account = |(number, watches): (usize, &&[(&'static str, u64)])| {
        let every =
            |seconds| WatchSettings { every: Duration::from_secs(seconds), ..WatchSettings::default() };
        let watches: BTreeMap<_, _> =
            watches.iter().map(|(watch, seconds)| (*watch, every(*seconds))).collect();
        let mut account = scene::account("days", service_account, platform, &watches);
        account.settings.name = AccountName::parse(&format!("days-{number}")).unwrap();
        account.access = AccessToken::fixed(Some(credential.into()), "");
        account
    };
    watches.iter().enumerate().map(account).collect()
}

fn list(account: &mut Account, watch: &str, option: &'static str, entries: impl Iterator<Item = u64>) {
    let watch = account.settings.watches.get_mut(watch).unwrap();
    watch.lists.insert(option, entries.map(|entry| entry.to_string()).collect());
}

#[test]
fn days_of_soop_pass_without_a_request_too_many() {
    let options = canaries::soop();
    let begins_at = options.begins_at;
    let usual: &[(&str, u64)] = &[
        ("broadcasts", 60),
        ("live_status", 45),
        ("station", 300),
        ("categories", 10_800),
        ("filters", 600),
        ("settings", 900),
    ];
    let slow: &[(&str, u64)] = &[("broadcasts", 600), ("station", 600), ("vods", 3_600)];
    let mut accounts = accounts(&Soop, "soop1234", &[usual, slow, slow], canary("soop-access"));
    for (account, vods) in accounts.iter_mut().zip([0, 20, 100]) {
        account.settings.client_id = Some(options.client_id.clone());
        account.settings.client_secret = Some(options.client_secret.as_str().into());
        if vods > 0 {
            list(account, "vods", "ids", 0..vods);
        }
    }
    let play = |world: &mut soop::World, dice: &mut Dice| {
        let first = world.broadcasts().next().map(|broadcast| broadcast.no);
        match first.filter(|_| world.broadcasts().count() > 6) {
            Some(first) => world.end(first),
            None => world.play(dice),
        }
    };
    let mut world = soop::World::crowded(options, 3);
    // Were there none at all, nobody could tell that from trouble.
    world.add_vod(0, "다시보기", "감자", "gamja");
    pass(Days { world, begins_at, accounts, wakes: Vec::new(), play });
}

#[test]
fn days_of_kollus_pass_without_a_request_too_many() {
    let options = kollus::Options { per_page: kollus::PerPage::Lowered(2), ..canaries::kollus() };
    let (begins_at, token) = (options.begins_at, options.access_token.clone());
    let mut world = kollus::World::new(options.clone());
    let channels: Vec<_> = (0..80).map(|number| world.add_channel(&format!("Channel {number}"))).collect();
    let live = channels.iter().filter_map(|channel| world.start(channel, "Show"));
    let wake = |key| Wake { watches: &["channels", "broadcasts"], target: key };
    let wakes = live.map(wake).collect();
    let often: &[(&str, u64)] = &[("channels", 1_800), ("broadcasts", 3_600)];
    let seldom: &[(&str, u64)] = &[("channels", 3_600), ("broadcasts", 3_600)];
    let mut accounts = accounts(&Kollus, &options.service_account, &[often, seldom], &token);
    accounts.iter_mut().for_each(|account| account.base_url.set_path("/api/v1/live/service-accounts"));
    let play = |world: &mut kollus::World, dice: &mut Dice| {
        let channel = dice.pick(&world.channel_keys()).clone();
        match dice.below(4) {
            0 => world.pause(&channel),
            1 => world.resume(&channel),
            2 => world.stop(&channel),
            _ => world.start(&channel, "Show").is_some(),
        };
    };
    pass(Days { world, begins_at, accounts, wakes, play });
}

#[test]
fn days_of_openfresh_pass_without_a_request_too_many() {
    let options = canaries::openfresh();
    let begins_at = options.begins_at;
    let mut world = openfresh::World::new(options);
    world.start_program(1);
    for program in 100..140 {
        world.announce_program(program, SignedDuration::from_hours(24 * 365));
    }
    let mut accounts = accounts(&Openfresh, "any", &[&[("comments", 60)], &[("comments", 1_200)]], "any");
    list(&mut accounts[0], "comments", "programs", 0..3);
    list(&mut accounts[1], "comments", "programs", 100..140);
    let play = |world: &mut openfresh::World, dice: &mut Dice| {
        world.comment(1, &format!("コメント{}", dice.below(1_000)));
    };
    pass(Days { world, begins_at, accounts, wakes: Vec::new(), play });
}

#[test]
fn days_of_livedigital_pass_without_a_request_too_many() {
    let options = canaries::livedigital();
    let (begins_at, token) = (options.begins_at, options.access_token.clone());
    let mut world = livedigital::World::new(options);
    let spaces = ["One", "Two"].map(|name| world.add_space(name));
    let mut wakes = Vec::new();
    for space in &spaces {
        for number in 0..5 {
            let room = world.add_room(space, &format!("Room {number}")).unwrap();
            wakes.push(Wake { watches: &["calls"], target: format!("{space}/{room}") });
        }
    }
    let often: &[(&str, u64)] =
        &[("spaces", 600), ("rooms", 300), ("calls", 300), ("records", 600), ("webhook", 3_600)];
    let seldom: &[(&str, u64)] = &[("rooms", 900), ("calls", 900), ("records", 1_800)];
    let accounts = accounts(&Livedigital, "any", &[often, seldom], &token);
    let play = |world: &mut livedigital::World, dice: &mut Dice| {
        let space = dice.pick(&world.space_ids()).clone();
        let room = dice.pick(&world.room_ids(&space)).clone();
        if dice.chance(50) {
            world.start_call(&room);
        } else {
            world.finish_call(&room, 3, 2);
        }
    };
    pass(Days { world, begins_at, accounts, wakes, play });
}
