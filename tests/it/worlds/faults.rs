//! Whatever happens between a platform and us, in worlds that stand still: it is told that a source is degraded, once,
//! that it has recovered, once, and nothing else.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    simulators::{Fault, Simulator, dice::Dice, drift},
    store::Store,
};

use super::{
    random::{again, runtime},
    scene::Scene,
};
use crate::support::world::{Books, Stage, Told, of_account, tempdir};

/// Forms of `Retry-After` that [`drift::retry_after`] knows.
const FORMS: usize = 10;
/// Failures in a row that are told.
const TOLD_AFTER: usize = 3;
/// The seed of the world that stands still.
const SEED: u64 = 1;

/// Every fault that leaves nothing to be read. One that takes long to make is left to a test of its own.
fn fatal() -> impl Iterator<Item = Fault> {
    let fatal = Fault::FATAL.iter().filter(|fault| **fault != Fault::GzipBomb);
    let statuses = [429, 500, 502, 503, 504].map(|status| Fault::Status(status, None));
    fatal.cloned().chain(statuses)
}

/// Plays every fault in a world that stands still.
pub fn play_faults<S: Scene>() {
    let dir = tempdir();
    let books = Books::open(dir.path());
    runtime().block_on(async {
        for (number, fault) in fatal().enumerate() {
            lasting::<S>(&books.store, &format!("fault-{number}"), move |_| fault.clone()).await;
        }
        for form in 1..FORMS {
            for status in [429, 503] {
                let fault = move |now| Fault::Status(status, drift::retry_after(form, now));
                lasting::<S>(&books.store, &format!("later-{status}-{form}"), fault).await;
            }
        }
        bomb::<S>(&books.store).await;
    });
}

async fn a_still_world<S: Scene>(store: &Store, name: &str) -> Stage<S::World> {
    let (scene, world) = S::new(&mut Dice::new(SEED));
    let account = scene.account(name);
    let mut stage = Stage::new(world, scene.begins_at(), SEED, move || vec![again(&account)]);
    stage.start(store);
    stage.run_looks(1, SignedDuration::ZERO, SignedDuration::from_hours(1)).await.unwrap();
    stage
}

/// Every request fails in the same way, until every watch has failed three times; then all is well again.
async fn lasting<S: Scene>(
    store: &Store,
    name: &str,
    fault: impl Fn(Timestamp) -> Fault + Send + Clone + 'static,
) {
    let mut stage = a_still_world::<S>(store, name).await;
    let row = *store.newest_event().borrow();
    stage.http.take_sent();

    let told = Arc::new(Mutex::new(Vec::new()));
    let (promises, make) = (Arc::clone(&told), fault.clone());
    stage.http.before_each(Some(Box::new(move |world, _, now| {
        let fault = make(now);
        promises.lock().unwrap().push((now, wait(&fault, now)));
        world.faults().push_back(fault);
    })));
    let watches = stage.poller().board().snapshot()[0].watches.len();
    let count = |told: &[Told], verb: &str| told.iter().filter(|told| told.verb == verb).count();
    for _ in 0..200 {
        stage.run_until(stage.now() + SignedDuration::from_mins(10)).await;
        let told = of_account(store, name, row).await;
        assert!(told.iter().all(|told| told.verb == "degraded"), "{name}: {told:#?}");
        if count(&told, "degraded") == watches {
            break;
        }
    }
    stage.http.before_each(None);
    let failures = stage.poller().board().snapshot()[0].watches.iter().map(|watch| watch.failures).min();
    assert!(failures >= Some(TOLD_AFTER as u32), "{name}: a watch failed {failures:?} times");
    stage.run_looks(2, SignedDuration::ZERO, SignedDuration::from_hours(12)).await.unwrap();

    let all = of_account(store, name, row).await;
    assert_eq!((count(&all, "degraded"), count(&all, "recovered")), (watches, watches), "{name}: {all:#?}");
    assert_eq!(all.len(), 2 * watches, "{name}: something changed: {all:#?}");
    for told in all.iter().filter(|told| told.verb == "degraded") {
        assert_eq!(told.entity()["failures"], TOLD_AFTER, "{name}");
    }
    never_too_early(
        name,
        &told.lock().unwrap(),
        &stage.http.take_sent().iter().map(|sent| sent.at).collect::<Vec<_>>(),
    );
}

/// A bomb is one failure.
async fn bomb<S: Scene>(store: &Store) {
    let mut stage = a_still_world::<S>(store, "bomb").await;
    let row = *store.newest_event().borrow();
    stage.world(|world| world.faults().push_back(Fault::GzipBomb));
    stage.run_looks(2, SignedDuration::ZERO, SignedDuration::from_hours(12)).await.unwrap();
    assert_eq!(of_account(store, "bomb", row).await, []);
}

/// How long nobody may ask after this fault, as the platform said.
fn wait(fault: &Fault, now: Timestamp) -> SignedDuration {
    let Fault::Status(_, Some(header)) = fault else { return SignedDuration::ZERO };
    let told = match header.parse::<u128>() {
        Ok(seconds) => SignedDuration::from_secs(i64::try_from(seconds.min(3_600)).unwrap_or_default()),
        Err(_) => jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(header)
            .map_or(SignedDuration::ZERO, |at| at.duration_since(now)),
    };
    told.clamp(SignedDuration::ZERO, SignedDuration::from_hours(1))
}

fn never_too_early(name: &str, promises: &[(Timestamp, SignedDuration)], sent: &[Timestamp]) {
    for (at, wait) in promises {
        let early = sent.iter().find(|sent| *sent > at && sent.duration_since(*at) < *wait);
        assert!(early.is_none(), "{name}: asked {early:?}, though at {at} it was told to wait {wait:#}");
    }
}
