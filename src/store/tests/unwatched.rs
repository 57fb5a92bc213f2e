//! What nobody looks at any more is not told to be over, and does not stay for ever.

use super::{sweeps::*, *};
use crate::{platform::Sighting, store::ConfiguredAccount};

fn acme() -> AccountName {
    AccountName::parse("acme").unwrap()
}

fn day(day: i64) -> Timestamp {
    noon() + hours(24 * day)
}

impl Rig {
    /// Begins again with these watches of `acme`; `None` for a configuration without it.
    async fn configured(self, watches: Option<&[&'static str]>, now: Timestamp) -> Self {
        let rig = self.reopened();
        let acme = watches.map(|watches| ConfiguredAccount {
            name: acme(),
            platform: "kollus",
            watches: watches.to_vec(),
        });
        let other = AccountName::parse("other").unwrap();
        let other = ConfiguredAccount { name: other, platform: "kollus", watches: Vec::new() };
        rig.store.register_accounts(acme.into_iter().chain([other]).collect(), now).await.unwrap();
        rig
    }

    /// What is known and shown, without what is told by nobody.
    async fn known(&self) -> Vec<String> {
        let page = self.store.current_page(None, 1000).await.unwrap();
        page.iter().map(|current| current.entity.to_string()).collect()
    }

    async fn known_after(&self, days: i64) -> Vec<String> {
        self.store.tidy(day(days) + SignedDuration::from_mins(1)).await.unwrap();
        self.known().await
    }
}

#[tokio::test]
async fn what_a_watch_listed_fades_when_the_watch_is_taken_out() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &["b1", "b2"])).await;
    rig.swept(channels(0, &["c1"])).await;
    // Shown in no list.
    let mut aside = sweep("channels", 1);
    aside.findings.sightings = vec![Sighting::of(broadcast("b3", Phase::Live), minute(1))];
    rig.swept(aside).await;
    let told = rig.events().await.len();

    let rig = rig.configured(Some(&["broadcasts", "channels"]), noon()).await;
    assert_eq!(rig.known_after(400).await.len(), 4, "everything is watched");
    let rig = rig.configured(Some(&["broadcasts"]), noon()).await;
    assert_eq!(rig.known_after(0).await.len(), 4);
    assert_eq!(rig.known_after(1).await, ["broadcast/b1", "broadcast/b2", "channel/c1"]);
    assert_eq!(rig.known_after(7).await, ["broadcast/b1", "broadcast/b2"]);
    let rig = rig.configured(Some(&[]), day(10)).await;
    assert_eq!(rig.known_after(10).await.len(), 2);
    assert_eq!(rig.known_after(11).await, [""; 0]);
    assert_eq!(rig.events().await.len(), told, "nothing was told of it");
}

#[tokio::test]
async fn what_is_seen_again_in_time_stays_and_is_not_told_again() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &["b1", "b2"])).await;
    rig.swept(channels(0, &["c1"])).await;
    let rig = rig.configured(Some(&[]), noon()).await;
    // It is put back, but for one that is over and was not told.
    let rig = rig.configured(Some(&["broadcasts", "channels"]), noon() + hours(1)).await;
    let again = [broadcasts(120, &["b1"]), channels(120, &["c1"])];
    for record in again {
        assert_eq!(rig.swept(record).await, [""; 0]);
    }
    assert_eq!(rig.known_after(100).await, ["broadcast/b1", "channel/c1"]);
    // It goes on as ever.
    rig.swept(broadcasts(121, &[])).await;
    assert_eq!(rig.swept(broadcasts(122, &[])).await, ["broadcast.ended"]);
}

#[tokio::test]
async fn what_is_forgotten_and_seen_again_is_discovered_with_another_id() {
    let rig = Rig::new();
    rig.swept(channels(0, &["c1"])).await;
    let rig = rig.configured(Some(&[]), noon()).await;
    assert_eq!(rig.known_after(8).await, [""; 0]);
    let rig = rig.configured(Some(&["channels"]), day(9)).await;
    assert_eq!(rig.swept(channels(9 * 24 * 60, &["c1"])).await, ["channel.discovered"]);
    let events = rig.events().await;
    assert_ne!(events[0].event_id, events[1].event_id);
}

#[tokio::test]
async fn a_list_that_is_taken_out_of_a_watch_does_not_keep_what_stood_in_it() {
    let rig = Rig::new();
    let both = |at: i64, scopes: &[&str]| {
        let mut record = sweep("broadcasts", at);
        for scope in scopes {
            record.findings.listings.push(listing(scope, Noun::Broadcast, crate::platform::Coverage::Whole));
            record.findings.sightings.extend(in_list(scope, at, vec![broadcast(scope, Phase::Live)]));
        }
        record
    };
    rig.swept(both(0, &["games", "music"])).await;
    rig.swept(both(1, &["games", "music"])).await;
    let told = rig.events().await.len();
    let listed = async || rig.store.listed(&acme(), "broadcasts").await.unwrap();
    for at in [2, 30, 61] {
        rig.swept(both(at, &["games"])).await;
        assert!(listed().await.get("music").is_some(), "its turn may come, in minute {at}");
    }
    rig.swept(both(62, &["games"])).await;
    assert!(listed().await.get("music").is_none());
    assert_eq!(rig.known_after(1).await.len(), 2);
    assert_eq!(rig.known_after(2).await, ["broadcast/games"]);
    assert_eq!(rig.events().await.len(), told);
}

#[tokio::test]
async fn an_account_that_left_is_forgotten_with_all_that_callbacks_told() {
    let rig = Rig::new();
    let rig = rig.configured(Some(&["channels"]), noon()).await;
    rig.swept(channels(0, &["c1"])).await;
    rig.store.commit(start("b1")).await.unwrap().answered();
    let rig = rig.configured(None, noon()).await;
    let former = rig.store.former_accounts().await.unwrap();
    assert_eq!((&*former[0].name, &*former[0].platform, former[0].left_at), ("acme", "kollus", noon()));
    let all = rig.store.current_page(None, 10).await.unwrap();
    assert!(all.len() == 2 && all.iter().all(|current| current.is_former));
    assert_eq!(rig.known_after(1).await, ["channel/c1"]);
    // The day on which it left counts, however often livehook is started without it.
    let rig = rig.configured(None, day(6)).await;
    assert_eq!(rig.known_after(7).await, [""; 0]);
}

#[tokio::test]
async fn an_account_that_comes_back_goes_on_and_the_bucket_is_filled_again() {
    let rig = Rig::new();
    let rig = rig.configured(Some(&["channels"]), noon()).await;
    rig.swept(channels(0, &["c1"])).await;
    rig.store.commit(start("b1")).await.unwrap().answered();
    let mirror = crate::store::Mirror { row: 2, created: "then".to_owned(), js_sequence: 2 };
    rig.store.set_mirror("bucket", mirror.clone()).await.unwrap();
    let rig = rig.configured(None, noon()).await;
    assert_eq!(rig.store.mirror("bucket").await.unwrap(), Some(mirror));
    let rig = rig.configured(Some(&["channels"]), noon() + hours(2)).await;
    assert_eq!(rig.store.mirror("bucket").await.unwrap(), None);
    assert_eq!(rig.store.former_accounts().await.unwrap(), []);
    assert_eq!(rig.swept(channels(121, &["c1"])).await, [""; 0]);
    assert_eq!(rig.known_after(100).await, ["broadcast/b1", "channel/c1"], "callbacks may still tell of it");
    assert!(rig.store.current_page(None, 10).await.unwrap().iter().all(|current| !current.is_former));
}
