//! Callbacks and sweeps together: one callback in ten is lost, and every transition is told all the same, once, and
//! soon.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    ingest::{Ingest, Outcome, Receiver, Receivers},
    platform::{WatchSettings, signature::UrlTokenHash},
    simulators::{
        Push, Simulator, Transition,
        dice::Dice,
        kollus::{Options, World},
        postbox::Delivery,
    },
    store::Store,
};
use serde_json::Value;

use super::{
    kollus::{account, any_options},
    random::{again, runtime},
};
use crate::support::world::{Books, Part, Seeds, Stage, Told, in_parts, of_account, tempdir};

/// Secret part of the callback URLs.
const URL_TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// So many, unless somebody wants more.
const WORLDS: u64 = 24;
const BROADCASTS: usize = 40;
const CHANNELS: usize = 6;
/// Percent of the callbacks.
const LOST: u32 = 10;
/// The interval of the watch.
const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long after the interval something may be told.
const GRACE: SignedDuration = SignedDuration::from_secs(5);
/// The store keeps milliseconds.
const PRECISION: SignedDuration = SignedDuration::from_millis(1);
/// Seconds between what happens in a channel: longer than an interval, so that everything can be seen.
const DWELL: (i64, i64) = (75, 240);

/// What watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Halves {
    Both,
    /// Nobody reads the API.
    CallbacksOnly,
}

in_parts!(every_transition_is_told_once_within_an_interval, play_part);

fn play_part(part: Part) {
    Seeds::of("worlds::callbacks", WORLDS, part).play(|seed| {
        let end = play(seed, Halves::Both);
        assert!(end.lost > 0, "no callback was lost: that proves nothing");
        end.complaints()
    });
}

#[test]
fn without_sweeps_something_is_missed() {
    let is_well = |seed| play(seed, Halves::CallbacksOnly).complaints().is_empty();
    let well = (1..=5).filter(|seed| is_well(*seed)).count();
    assert_eq!(well, 0, "so many worlds of 5 did without the API");
}

/// How a world ended.
struct End {
    journal: Vec<Transition>,
    told: Vec<Told>,
    lost: usize,
}

fn play(seed: u64, halves: Halves) -> End {
    let dir = tempdir();
    let books = Books::open(dir.path());
    runtime().block_on(one(&books.store, seed, halves))
}

async fn one(store: &Store, seed: u64, halves: Halves) -> End {
    let mut dice = Dice::new(seed);
    let delivery = Delivery { lost: LOST, ..Delivery::default() };
    // What a cache holds back comes later than an interval.
    let options = Options { delivery, cache: None, ..any_options(&mut dice) };
    let begins_at = options.begins_at;
    let every = WatchSettings { every: Duration::from_secs(60), ..WatchSettings::default() };
    let account = account("callbacks", &options, &BTreeMap::from([("channels", every)]));
    let mut world = World::new(options);
    let channels: Vec<_> =
        (0..CHANNELS).map(|number| world.add_channel(&format!("Channel {number}"))).collect();

    let receiver = Receiver {
        platform: account.platform,
        settings: account.settings.clone(),
        url_tokens: vec![UrlTokenHash::of(URL_TOKEN)],
    };
    let mut stage = Stage::new(world, begins_at, seed, move || vec![again(&account)]);
    stage.start(store);
    let wakes = stage.poller().wakes();
    let ingest = Ingest::new(Receivers::new([receiver]), store.clone(), Arc::clone(&stage.clock) as _)
        .waking(Arc::new(move |account, wake| wakes.wake(account, wake)));

    pass(&mut stage, begins_at + EVERY * 2, halves).await;
    // When something happens next in each channel.
    let mut next: Vec<_> = channels.iter().map(|_| later(&stage, &mut dice)).collect();
    let mut begun = 0;
    while let Some((place, at)) = next
        .iter()
        .enumerate()
        .map(|(place, at)| (place, *at))
        .filter(|(place, _)| {
            begun < BROADCASTS || stage.world(|world| world.live_broadcast(&channels[*place]).is_some())
        })
        .min_by_key(|(_, at)| *at)
    {
        pass(&mut stage, at, halves).await;
        begun += usize::from(stage.world(|world| act(world, &channels[place], &mut dice)));
        for push in stage.world(|world| world.take_pushes()) {
            deliver(&ingest, push, stage.now()).await;
        }
        next[place] = later(&stage, &mut dice);
    }
    let end = stage.now() + EVERY * 3;
    pass(&mut stage, end, halves).await;

    let journal = stage.world(|world| world.journal().to_vec());
    let journal = journal.into_iter().filter(|it| it.subject.starts_with("broadcast/")).collect();
    let told = of_account(store, "callbacks", 0).await;
    End { journal, told, lost: stage.world(|world| world.lost_pushes()) }
}

fn later(stage: &Stage<World>, dice: &mut Dice) -> Timestamp {
    stage.now() + SignedDuration::from_millis(dice.between(DWELL.0 * 1_000, DWELL.1 * 1_000))
}

async fn pass(stage: &mut Stage<World>, until: Timestamp, halves: Halves) {
    match halves {
        Halves::Both => assert!(stage.run_until(until).await),
        Halves::CallbacksOnly => {
            let wait = until.duration_since(stage.now());
            stage.clock.advance(wait.max(SignedDuration::ZERO));
        }
    }
}

/// The next thing in a channel; `true` if a broadcast begins.
fn act(world: &mut World, channel: &str, dice: &mut Dice) -> bool {
    let live = world.live_broadcasts().find(|live| live.channel_key == channel);
    match live.map(|live| live.paused_at.is_some()) {
        None => return world.start(channel, "Show").is_some(),
        Some(true) if dice.chance(70) => world.resume(channel),
        Some(false) if dice.chance(50) => world.pause(channel),
        Some(_) => world.stop(channel),
    };
    false
}

/// As the platform does: at once, and never again. What looks like a retry of another is left to the sweeps.
async fn deliver(ingest: &Ingest, push: Push, now: Timestamp) {
    let route = ingest.route("callbacks", URL_TOKEN, push.callback).unwrap();
    let content_type = Some(push.content_type.to_owned());
    let outcome = ingest.accept(route, content_type, push.body.into(), now).await;
    assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Duplicate(_)), "{outcome:?}");
}

impl End {
    /// Everything that is wrong.
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let told = self.told.iter().filter(|told| told.noun() == "broadcast");
        let told: Vec<_> = told.filter(|told| !only_adds(told)).collect();
        let subjects: BTreeSet<_> = self.journal.iter().map(|it| &it.subject).collect();
        if subjects.len() != BROADCASTS {
            complaints.push(format!("there were {} broadcasts", subjects.len()));
        }
        for told in told.iter().filter(|told| !subjects.contains(&told.subject)) {
            complaints.push(format!("{} is invented", told.subject));
        }
        for subject in subjects {
            let happened: Vec<_> = self.journal.iter().filter(|it| it.subject == *subject).collect();
            let told: Vec<_> = told.iter().filter(|told| told.subject == *subject).collect();
            let is_same = happened.iter().map(|it| it.verb).eq(told.iter().map(|told| &*told.verb));
            let lateness =
                happened.iter().zip(&told).map(|(it, told)| told.recorded_at.duration_since(it.at));
            let is_soon = |late: SignedDuration| late > -PRECISION && late <= EVERY + GRACE;
            if !is_same || !lateness.clone().all(is_soon) {
                let happened: Vec<_> = happened.iter().map(|it| it.verb).collect();
                let told: Vec<_> = told.iter().map(|told| (&*told.verb, told.data.get("changes"))).collect();
                let late: Vec<_> = lateness.map(|late| late.as_secs_f64()).collect();
                complaints.push(format!("{subject}: happened {happened:?}, told {told:?}, late {late:?}"));
            }
        }
        complaints
    }
}

/// What callbacks do not say is filled in, and what they say is confirmed: that is no transition.
fn only_adds(told: &Told) -> bool {
    let changes = told.data.get("changes").and_then(Value::as_object);
    let adds = |(name, change): (&String, &Value)| {
        change["from"].is_null() || name == "paused_at" || name == "proof"
    };
    told.verb == "updated" && changes.is_some_and(|changes| changes.iter().all(adds))
}
