//! Calls in rooms, told by webhooks that may be lost, come late or come twice, and read beside that: each call begins
//! once and ends once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::AccessToken,
    ingest::{Ingest, Outcome, Receiver, Receivers},
    platform::{WatchSettings, signature::UrlTokenHash},
    platforms::livedigital::Livedigital,
    simulators::{
        Simulator,
        dice::Dice,
        livedigital::{LastCall, Options, World},
        postbox::Delivery,
    },
    store::Store,
};
use serde_json::Value;

use super::{
    random::{again, runtime},
    scene,
};
use crate::support::{
    canaries::{self, canary},
    world::{Books, Part, Seeds, Stage, Told, in_parts, of_account, tempdir},
};

const URL_TOKEN: &str = "url-token-of-the-webhook";
/// So many, unless somebody wants more.
const WORLDS: u64 = 24;
/// How long a world goes on.
const LASTS: SignedDuration = SignedDuration::from_mins(40);
/// Shortest and longest time of a call, and between two calls, in seconds.
const PACE: (i64, i64) = (45, 240);

in_parts!(badly_delivered, play);

/// Each call begins once and ends once, however badly webhooks are delivered.
fn play(part: Part) {
    let runtime = runtime();
    let dir = tempdir();
    let books = Books::open(dir.path());
    Seeds::of("worlds::webhooks", WORLDS, part).play(|seed| runtime.block_on(one(&books.store, seed)));
}

/// Plays one world; says what is wrong.
async fn one(store: &Store, seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let delivery = Delivery { lost: 10, late: 10, twice: 10, delay: SignedDuration::from_secs(5) };
    let options = Options {
        seed: dice.number(),
        delivery,
        zone_hours: *dice.pick(&[0, 3]),
        last_call: *dice.pick(&[LastCall::Start, LastCall::Both]),
        ..canaries::livedigital()
    };
    let (begins_at, secret) = (options.begins_at, options.webhook_secret.clone());
    let mut world = World::new(options);
    let space = world.add_space("Team");
    world.set_webhook(&space, Some("https://hooks.example/livedigital"), true);
    let rooms: Vec<_> =
        (0..1 + dice.below(4)).filter_map(|room| world.add_room(&space, &format!("Room {room}"))).collect();

    let name = format!("webhooks-{seed}");
    let every = |seconds| WatchSettings { every: Duration::from_secs(seconds), ..WatchSettings::default() };
    let watches = BTreeMap::from([("calls", every(60)), ("records", every(120))]);
    let mut account = scene::account(&name, &space, &Livedigital, &watches);
    account.access = AccessToken::fixed(Some(canary("livedigital-access").into()), "");
    account.settings.webhook_secret = Some(secret.into());
    let receiver = Receiver {
        platform: &Livedigital,
        settings: account.settings.clone(),
        url_tokens: vec![UrlTokenHash::of(URL_TOKEN)],
    };

    let row = *store.newest_event().borrow();
    let mut stage = Stage::new(world, begins_at, seed, move || vec![again(&account)]);
    stage.start(store);
    let wakes = stage.poller().wakes();
    let ingest = Ingest::new(Receivers::new([receiver]), store.clone(), Arc::clone(&stage.clock) as _)
        .waking(Arc::new(move |account, wake| wakes.wake(account, wake)));
    stage.run_looks(1, SignedDuration::ZERO, SignedDuration::from_hours(1)).await.unwrap();

    let mut next: BTreeMap<&str, Timestamp> =
        rooms.iter().map(|room| (room.as_str(), stage.now() + a_while(&mut dice))).collect();
    let ends_at = stage.now() + LASTS;
    // Idle rooms are asked every ten minutes, and nothing is to come then.
    let settled_at = ends_at + SignedDuration::from_mins(15);
    while stage.now() < settled_at {
        let now = stage.now();
        for (room, at) in next.iter_mut().filter(|(_, at)| **at <= now && now < ends_at) {
            stage.world(|world| move_on(world, room));
            *at = now + a_while(&mut dice);
        }
        if dice.chance(3) && now < ends_at {
            let room = dice.pick(&rooms);
            stage.world(|world| world.start_record(room));
        }
        deliver(&mut stage, &ingest, &name).await;
        stage.run_until(stage.now() + SignedDuration::from_millis(500)).await;
    }
    let told = of_account(store, &name, row).await;
    stage.world(|world| judge(world, &told))
}

fn a_while(dice: &mut Dice) -> SignedDuration {
    SignedDuration::from_secs(dice.between(PACE.0, PACE.1))
}

fn move_on(world: &mut World, room: &str) {
    if world.live_call(room).is_some() {
        world.finish_call(room, 5, 3);
    } else {
        world.start_call(room);
    }
}

async fn deliver(stage: &mut Stage<World>, ingest: &Ingest, account: &str) {
    for push in stage.world(Simulator::take_pushes) {
        let route = ingest.route(account, URL_TOKEN, push.callback).unwrap();
        let content_type = Some(push.content_type.to_owned());
        let outcome = ingest.accept(route, content_type, push.body.into(), stage.now()).await;
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Duplicate(_)), "{outcome:?}");
    }
}

fn judge(world: &World, told: &[Told]) -> Vec<String> {
    let mut wrong = Vec::new();
    let happened = world.journal().iter().map(|it| &it.subject);
    let subjects: BTreeSet<_> = happened.chain(told.iter().map(|told| &told.subject)).collect();
    for subject in subjects.into_iter().filter(|it| !it.starts_with("space/") && !it.starts_with("channel/"))
    {
        let happened: Vec<_> = world.journal().iter().filter(|it| it.subject == *subject).collect();
        let told: Vec<_> =
            told.iter().filter(|told| told.subject == *subject && told.verb != "updated").collect();
        let must: Vec<_> = happened.iter().map(|it| it.verb).collect();
        let is: Vec<_> = told.iter().map(|told| &*told.verb).collect();
        // Who first hears of a recording when it is there is told just that.
        let is_told = is == must || subject.starts_with("recording/") && is == must[1.min(must.len())..];
        if !is_told {
            let begin = world.journal()[0].at;
            let at: Vec<_> = happened.iter().map(|it| it.at.duration_since(begin).as_secs()).collect();
            let seen: Vec<_> = told.iter().map(|it| it.recorded_at.duration_since(begin).as_secs()).collect();
            wrong.push(format!("{subject}: happened {must:?} at {at:?}; told {is:?} at {seen:?}"));
        }
        // The id of a call is never that of another one.
        let ids = told.chunks(2).map(|pair| {
            let id = |told: &&Told| told.entity().get("call_id").and_then(Value::as_str).map(str::to_owned);
            pair.iter().filter_map(id).collect::<BTreeSet<_>>()
        });
        let mut met = BTreeSet::new();
        for ids in ids.filter(|_| subject.starts_with("broadcast/")) {
            if ids.len() > 1 || ids.into_iter().any(|id| !met.insert(id)) {
                wrong.push(format!("{subject}: a call has the id of another one"));
            }
        }
    }
    wrong
}
