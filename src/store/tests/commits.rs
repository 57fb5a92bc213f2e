//! A delivery is committed: events, their numbers, their ids, known state.

use futures::FutureExt as _;

use super::*;

#[tokio::test]
async fn a_delivery_becomes_an_event_with_everything_a_consumer_needs() {
    let rig = Rig::new();
    let durable = rig.store.commit(start("b1")).await.unwrap();
    assert_eq!(durable.event_types(), ["broadcast.started"]);
    assert!(!durable.is_repeat());
    assert_eq!(durable.quarantined(), None);

    let events = rig.events().await;
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event.account, "acme");
    assert_eq!(event.route, "kollus.acme.broadcast.started");
    assert_eq!(event.entity, "broadcast/b1");
    assert!(!event.is_playback());

    let envelope: Value = serde_json::from_slice(&event.envelope).unwrap();
    assert_eq!(envelope["id"], event.event_id);
    assert_eq!(envelope["sequence"], "0000000000000001");
    assert_eq!(envelope["source"], "livehook://kollus/acme");
    assert_eq!(envelope["proof"], "url-token");
    assert_eq!(envelope["recordedtime"], "2026-01-14T12:00:00Z");
    assert_eq!(envelope["data"]["broadcast"]["state"], "live");
    assert_eq!(*rig.store.newest_event().borrow(), event.row);
}

#[tokio::test]
async fn sequences_grow_by_one_per_account_over_reopening() {
    let mut rig = Rig::new();
    for round in 0..3 {
        for name in ["acme", "other"] {
            let account = AccountName::parse(name).unwrap();
            let record = DeliveryRecord { account, ..start(&format!("b{round}")) };
            let _ = rig.store.commit(record).await.unwrap();
        }
        rig = rig.reopened();
    }
    let sequences = |source: &str, envelopes: &[Value]| -> Vec<String> {
        let ours = envelopes.iter().filter(|envelope| envelope["source"] == source);
        ours.map(|envelope| envelope["sequence"].as_str().unwrap().to_owned()).collect()
    };
    let envelopes = rig.envelopes().await;
    let expected = ["0000000000000001", "0000000000000002", "0000000000000003"];
    assert_eq!(sequences("livehook://kollus/acme", &envelopes), expected);
    assert_eq!(sequences("livehook://kollus/other", &envelopes), expected);
    assert_eq!(rows(&rig.events().await), [1, 2, 3, 4, 5, 6]);
}

/// The id of a change must not depend on when livehook was started, or the bus would take it twice.
#[tokio::test]
async fn the_ids_of_changes_do_not_depend_on_reopening() {
    let steps = [Phase::Live, Phase::Paused, Phase::Live, Phase::Ended];
    let (mut restarted, stayed) = (Rig::new(), Rig::new());
    for (nth, phase) in steps.into_iter().enumerate() {
        let record = saying(&format!("step {nth}"), vec![broadcast("b1", phase)]);
        let _ = restarted.store.commit(record.clone()).await.unwrap();
        let _ = stayed.store.commit(record).await.unwrap();
        restarted = restarted.reopened();
    }
    let ids = |events: Vec<StoredEvent>| -> Vec<_> { events.into_iter().map(|e| e.event_id).collect() };
    let (mut ids, same) = (ids(restarted.events().await), ids(stayed.events().await));
    assert_eq!(ids, same);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each change has an id of its own");
}

#[tokio::test]
async fn two_stores_give_the_same_change_different_ids() {
    let (one, dir) = (Rig::new(), tempfile::tempdir().unwrap());
    let (other, _writer) = Store::open(options(&dir), [9; 32]).unwrap();
    for store in [&one.store, &other] {
        let _ = store.commit(start("b1")).await.unwrap();
    }
    let id = |events: Vec<StoredEvent>| events[0].event_id.clone();
    assert_ne!(id(one.events().await), id(other.events_after(0, 1).await.unwrap()));
}

#[tokio::test]
async fn what_is_known_survives_reopening() {
    let rig = Rig::new();
    let _ = rig.store.commit(saying("one", vec![titled("b1", "first title")])).await.unwrap();
    let _ = rig.store.commit(start("b1")).await.unwrap();
    let rig = rig.reopened();
    let _ = rig.store.commit(saying("two", vec![titled("b1", "second title")])).await.unwrap();
    let envelopes = rig.envelopes().await;
    let last = envelopes.last().unwrap();
    assert_eq!(last["type"], "live.broadcast.updated");
    assert_eq!(last["data"]["broadcast"]["state"], "live");
    assert_eq!(
        last["data"]["changes"],
        serde_json::json!({ "title": { "from": "first title", "to": "second title" } })
    );
}

#[tokio::test]
async fn one_delivery_may_lead_to_several_events_in_order() {
    let rig = Rig::new();
    let observations = vec![broadcast("b1", Phase::Live), titled("b1", "t"), broadcast("b2", Phase::Live)];
    let durable = rig.store.commit(saying("three", observations)).await.unwrap();
    assert_eq!(durable.event_types(), ["broadcast.started", "broadcast.updated", "broadcast.started"]);
    let entities: Vec<_> = rig.events().await.into_iter().map(|event| event.entity).collect();
    assert_eq!(entities, ["broadcast/b1", "broadcast/b1", "broadcast/b2"]);
}

/// Raw bytes, known state and events are one transaction: what a second reader sees is all of it or nothing.
#[tokio::test]
async fn a_delivery_that_cannot_be_compared_leaves_no_half_behind() {
    let rig = Rig::new();
    let observations = vec![broadcast("b1", Phase::Live), writing::uncomparable("b2")];
    let _ = rig.store.commit(saying("first", observations.clone())).await.unwrap();
    let observations = vec![broadcast("b3", Phase::Live), writing::uncomparable("b2")];
    let durable = rig.store.commit(saying("second", observations)).await.unwrap();
    assert_eq!(durable.event_types(), ["delivery.quarantined"]);
    // b3 was not started by it, so it can still start.
    let durable = rig.store.commit(start("b3")).await.unwrap();
    assert_eq!(durable.event_types(), ["broadcast.started"]);
    let envelopes = rig.envelopes().await;
    let sequences: Vec<_> = envelopes.iter().map(|envelope| envelope["sequence"].as_str().unwrap()).collect();
    let counted: Vec<_> = (1..=envelopes.len()).map(|nth| format!("{nth:016}")).collect();
    assert_eq!(sequences, counted, "no number was lost with what was taken back");
}

#[tokio::test]
async fn the_log_is_read_from_any_row_on() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(10).await;
    assert_eq!(rows(&rig.store.events_after(all[3], 4).await.unwrap()), all[4..8]);
    assert_eq!(rows(&rig.store.events_after(all[9], 4).await.unwrap()), [0; 0]);
    rig.store.record_acks(vec![ack(all[0], "LIVE", 1)], noon()).await.unwrap();
    assert_eq!(rows(&rig.events().await), all, "published ones stay in the log");
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_any_more_is_carried_through() {
    let rig = Rig::new();
    let mut newest = rig.store.newest_event();
    assert!(rig.store.commit(start("b1")).now_or_never().is_none(), "it is not yet on disk");
    newest.wait_for(|&row| row > 0).await.unwrap();
    assert_eq!(rig.events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_concurrent_commits_gets_its_own_proof() {
    let rig = Rig::new();
    let commits = (0..1000).map(|nth| {
        let store = rig.store.clone();
        tokio::spawn(async move { store.commit(start(&format!("b{nth}"))).await.unwrap().delivery() })
    });
    let mut deliveries = Vec::new();
    for commit in futures::future::join_all(commits).await {
        deliveries.push(commit.unwrap());
    }
    deliveries.sort();
    assert_eq!(deliveries, (1..=1000).collect::<Vec<_>>());
    assert_eq!(rows(&rig.events().await), (1..=1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_handed_over_is_committed_before_the_store_ends() {
    let rig = Rig::new();
    for nth in 0..20 {
        assert!(rig.store.commit(start(&format!("b{nth}"))).now_or_never().is_none());
    }
    assert_eq!(rig.reopened().events().await.len(), 20);
}
