//! Callbacks that are confirmed: before everything else, within their share, and without harm when it fails.

use super::support::*;
use crate::{
    model::{AccountName, Phase},
    platform::Wake,
};

fn acme() -> AccountName {
    AccountName::parse("acme").unwrap()
}

fn wake(target: impl Into<String>) -> Wake {
    Wake { watches: &["fourth", "short", "third"], target: target.into() }
}

fn confirmations(rig: &Rig) -> Vec<Sent> {
    rig.sent().into_iter().filter(|sent| !sent.path.contains("page=")).collect()
}

#[tokio::test]
async fn a_callback_is_confirmed_at_once_by_the_first_watch_that_is_on() {
    let watches = [("long", 10_800), ("third", 10_800), ("short", 10_800)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |path| {
        if path.contains("page=") { rows(&[], 500) } else { rows(&["b1"], 1) }
    });
    rig.run(200).await;
    rig.sent();
    let woken_at = rig.seconds();
    rig.wakes.wake(&acme(), wake("b1"));
    rig.wakes.wake(&acme(), wake("b1"));
    rig.wakes.wake(&acme(), Wake { watches: &["fifth"], target: "b2".to_owned() });
    rig.wakes.wake(&AccountName::parse("nobody").unwrap(), wake("b3"));
    rig.run(20).await;
    let confirmed = confirmations(&rig);
    assert_eq!(confirmed.len(), 1);
    assert_eq!(confirmed[0].path, "/short/b1");
    assert!(confirmed[0].at - woken_at < 2.5, "{} s later", confirmed[0].at - woken_at);
    // Nobody knows whether it was there before.
    assert_eq!(rig.event_types().await, ["broadcast.discovered"]);
    // It says nothing of how the watch fares, and moves nothing on.
    let standing = rig.store.watch_standing(&acme(), "short").await.unwrap();
    assert_eq!((standing.last_success_at, standing.cursor), (None, None));
}

#[tokio::test]
async fn forged_callbacks_use_up_their_share_and_no_more() {
    let watches = [("long", 10_800), ("short", 60)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |path| {
        if path.starts_with("/long") { rows(&[], 400) } else { rows(&[], 1) }
    });
    rig.run(70).await;
    rig.sent();
    for n in 0..1_000 {
        rig.wakes.wake(&acme(), wake(format!("forged-{n}")));
    }
    assert_eq!(rig.board.snapshot()[0].confirmations_waiting, 0, "the board is of the last step");
    rig.run(1).await;
    assert!((255..=256).contains(&rig.board.snapshot()[0].confirmations_waiting));
    rig.run(599).await;
    let sent = rig.sent();
    let confirmed: Vec<_> =
        sent.iter().filter(|sent| !sent.path.contains("page=")).map(|sent| sent.at).collect();
    assert!(most_in_a_minute(&confirmed) <= LIMITS.confirmations_per_minute as usize);
    assert!((160..=190).contains(&confirmed.len()), "{}", confirmed.len());
    let routine: Vec<_> =
        sent.iter().filter(|sent| sent.path.contains("page=")).map(|sent| sent.at).collect();
    assert!(routine.len() > 250, "{}", routine.len());
    // What was dropped was dropped: the queue ends, in the order in which it came.
    rig.run(600).await;
    let last = confirmations(&rig).last().unwrap().path.clone();
    assert_eq!(last, "/short/forged-255");
}

#[tokio::test]
async fn a_confirmation_that_fails_is_tried_twice_more_and_is_no_failed_sweep() {
    let watches = [("short", 10_800)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |path| {
        if path.contains("page=") { rows(&[], 1) } else { body(serde_json::json!({ "rows": "none" })) }
    });
    rig.run(61).await;
    rig.sent();
    rig.wakes.wake(&acme(), wake("b1"));
    rig.run(600).await;
    let at: Vec<_> = confirmations(&rig).iter().map(|sent| sent.at).collect();
    assert_eq!(at.len(), 3, "{at:?}");
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 5.0), "{at:?}");
    let watch = &rig.board.snapshot()[0].watches[0];
    assert_eq!((watch.failures, watch.last_failure.as_deref()), (0, None));
    assert_eq!(rig.event_types().await, Vec::<String>::new());
    assert_eq!(rig.board.snapshot()[0].confirmations_waiting, 0);
}

#[tokio::test]
async fn confirmations_are_paused_when_the_store_fills_up() {
    let watches = [("short", 10_800)];
    let acme_account = account("acme", descriptor(LIMITS), &watches);
    let mut rig = Rig::filled(vec![acme_account], 97, |_| rows(&[], 1)).await;
    rig.wakes.wake(&acme(), wake("b1"));
    rig.run(300).await;
    assert_eq!(confirmations(&rig).len(), 0);
    assert_eq!(rig.board.snapshot()[0].confirmations_waiting, 1);
}

#[tokio::test]
async fn an_answer_that_may_come_from_a_cache_is_asked_for_once_more() {
    let watches = [("short", 10_800)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |_| rows(&["b1"], 1));
    rig.run(100).await;
    rig.sent();
    rig.told("b1", Phase::Paused).await;
    rig.wakes.wake(&acme(), wake("b1"));
    rig.run(300).await;
    let at: Vec<_> = confirmations(&rig).iter().map(|sent| sent.at).collect();
    assert_eq!(at.len(), 2, "{at:?}");
    assert!((30.0..32.0).contains(&(at[1] - at[0])), "{at:?}");
    assert_eq!(rig.event_types().await, ["broadcast.discovered", "broadcast.paused", "broadcast.resumed"]);

    // Nobody but the secret URL says that it is over.
    rig.told("b1", Phase::Ended).await;
    rig.wakes.wake(&acme(), wake("b1"));
    rig.run(300).await;
    assert_eq!(confirmations(&rig).len(), 2);
    assert_eq!(rig.event_types().await[3..], ["broadcast.ended"]);
}
