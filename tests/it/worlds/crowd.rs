//! More rooms of livedigital than a sweep can read.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use livehook::{
    access::AccessToken,
    platform::WatchSettings,
    platforms::livedigital::Livedigital,
    simulators::{Simulator, livedigital::World},
};

use super::{
    random::{again, runtime},
    scene,
};
use crate::support::{
    canaries,
    remains::tempdir,
    world::{Books, Stage, Told, of_account},
};

/// In each of two spaces.
const ROOMS: usize = 350;
/// Long enough for sweeps of both watches to come to a room in which a call began.
const NOTICED: SignedDuration = SignedDuration::from_mins(10);

fn stage() -> Stage<World> {
    let options = canaries::livedigital();
    let (begins_at, token) = (options.begins_at, options.access_token.clone());
    let mut world = World::new(options);
    for name in ["One", "Two"] {
        let space = world.add_space(name);
        for number in 0..ROOMS {
            world.add_room(&space, &format!("Room {number}"));
        }
    }
    let every = |seconds| WatchSettings { every: Duration::from_secs(seconds), ..WatchSettings::default() };
    let watches = BTreeMap::from([("calls", every(60)), ("records", every(300))]);
    let mut account = scene::account("crowd", "any", &Livedigital, &watches);
    account.access = AccessToken::fixed(Some(token.into()), "");
    Stage::new(world, begins_at, 1, move || vec![again(&account)])
}

/// What was told of each entity since an event of the log.
async fn told(books: &Books, after: u64) -> BTreeMap<String, Vec<String>> {
    let mut by_subject: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for Told { subject, verb, .. } in of_account(&books.store, "crowd", after).await {
        by_subject.entry(subject).or_default().push(verb);
    }
    by_subject
}

#[test]
fn what_happens_among_more_rooms_than_a_sweep_can_read_is_told() {
    let mut stage = stage();
    let dir = tempdir();
    let books = Books::open(dir.path());
    runtime().block_on(async {
        stage.start(&books.store);
        // Both watches come to each room once.
        stage.run_until(stage.now() + SignedDuration::from_mins(240)).await;
        let watches = stage.poller().board().snapshot().remove(0).watches;
        assert!(watches.iter().all(|watch| watch.last_failure.is_none()), "{watches:?}");
        assert!(watches.iter().all(|watch| watch.last_requests < 200), "{watches:?}");
        assert_eq!(told(&books, 0).await, BTreeMap::new());

        let rooms: Vec<_> = stage.world(|world| {
            let rooms = world.space_ids().into_iter().flat_map(|space| world.room_ids(&space));
            rooms.collect::<Vec<_>>().into_iter().step_by(60).collect()
        });
        let records: Vec<_> = stage.world(|world| {
            let begin = |room: &String| {
                world.start_call(room).unwrap();
                world.start_record(room).unwrap()
            };
            rooms.iter().map(begin).collect()
        });
        stage.run_until(stage.now() + NOTICED).await;
        let mut expected = BTreeMap::new();
        let mut expect = |verb: &str| {
            for (room, record) in rooms.iter().zip(&records) {
                let is_end = verb == "ended";
                let of_room: &mut Vec<String> = expected.entry(format!("broadcast/{room}")).or_default();
                of_room.push(verb.to_owned());
                let of_record: &mut Vec<String> = expected.entry(format!("recording/{record}")).or_default();
                of_record.push(if is_end { "available" } else { verb }.to_owned());
            }
            expected.clone()
        };
        assert_eq!(told(&books, 0).await, expect("started"));

        stage.world(|world| assert!(rooms.iter().all(|room| world.finish_call(room, 3, 2))));
        stage.run_until(stage.now() + NOTICED).await;
        assert_eq!(told(&books, 0).await, expect("ended"));
        assert_eq!(stage.world(|world| world.violations().to_vec()), []);
    });
}
