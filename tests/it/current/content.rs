//! What stands in the bucket.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use livehook::model::{Noun, Phase, Verb};
use serde_json::Value;

use super::rig::{PATIENCE, Rig, State, broadcast, thing, without_revisions};

#[tokio::test]
async fn each_key_holds_what_is_believed_since_the_newest_event() {
    let rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("hall", "Main hall"), thing("강의실.1", "Lecture room")]).await;
    rig.sweep(Noun::Broadcast, &[]).await;
    rig.sweep(Noun::Broadcast, &[broadcast("b1", Phase::Live)]).await;
    rig.is_right().await;
    let before = rig.state().await;
    rig.sweep(Noun::Channel, &[thing("hall", "Great hall"), thing("강의실.1", "Lecture room")]).await;
    rig.sweep(Noun::Broadcast, &[broadcast("b1", Phase::Paused)]).await;
    rig.is_right().await;

    let state = rig.state().await;
    let keys: Vec<_> = state.keys().map(String::as_str).collect();
    let lecture_room = "kollus.acme.channel.=EA=B0=95=EC=9D=98=EC=8B=A4=2E1";
    assert_eq!(keys, ["kollus.acme.broadcast.b1", lecture_room, "kollus.acme.channel.hall"]);
    let hall = &state["kollus.acme.channel.hall"];
    assert_eq!(hall["attributes"], serde_json::json!({ "title": "Great hall" }));
    assert_eq!(hall["state"], Value::Null);
    assert_eq!(hall["updated_at"], "2026-01-14T12:03:00Z");
    let paused = &state["kollus.acme.broadcast.b1"];
    assert_eq!(paused["state"], "paused");
    for key in ["kollus.acme.broadcast.b1", "kollus.acme.channel.hall"] {
        let revision = |state: &State| state[key]["revision"].as_u64().unwrap();
        assert_eq!(revision(&state), revision(&before) + 1, "{key}");
    }
}

#[tokio::test]
async fn what_is_removed_is_deleted_and_what_has_ended_stays() {
    let rig = Rig::keeping().await;
    rig.sweep(Noun::Space, &[thing("a", "A"), thing("b", "B")]).await;
    rig.sweep(Noun::Broadcast, &[]).await;
    rig.sweep(Noun::Broadcast, &[broadcast("b1", Phase::Live)]).await;
    rig.is_right().await;
    for _ in 0..2 {
        rig.sweep(Noun::Space, &[thing("b", "B")]).await;
        rig.sweep(Noun::Broadcast, &[]).await;
    }
    rig.is_right().await;
    let state = rig.state().await;
    assert_eq!(state.keys().collect::<Vec<_>>(), ["kollus.acme.broadcast.b1", "kollus.acme.space.b"]);
    assert_eq!(state["kollus.acme.broadcast.b1"]["state"], "ended");

    // It comes back.
    rig.sweep(Noun::Space, &[thing("a", "A again"), thing("b", "B")]).await;
    rig.is_right().await;
    assert!(rig.state().await.contains_key("kollus.acme.space.a"));
}

#[tokio::test]
async fn what_viewers_do_and_settings_are_not_shown() {
    let rig = Rig::keeping().await;
    rig.tell(Noun::Playback, "p1", Verb::Progressed).await;
    rig.tell(Noun::Bookmark, "m1", Verb::Changed).await;
    rig.tell(Noun::Notice, "n1", Verb::Received).await;
    rig.sweep(Noun::Comment, &[]).await;
    rig.sweep(Noun::Comment, &[thing("c1", "hello")]).await;
    rig.sweep(Noun::Settings, &[thing("s1", "720p")]).await;
    rig.sweep(Noun::Channel, &[thing("hall", "Main hall")]).await;
    assert_eq!(rig.events().await.len(), 6);
    rig.is_right().await;
    assert_eq!(rig.state().await.keys().collect::<Vec<_>>(), ["kollus.acme.channel.hall"]);
    let info = rig.bucket().await.status().await.unwrap();
    assert_eq!(info.values(), 1, "not even marks of deleted keys");
}

#[tokio::test]
async fn who_watches_sees_the_changes_of_each_entity_in_order() {
    let rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[]).await;
    rig.says("current state", "Ok").await;
    let mut watch = rig.bucket().await.watch_all().await.unwrap();

    let ids: Vec<_> = (0..40).map(|number| format!("channel-{number}")).collect();
    for round in 0..25 {
        // Each time some are renamed, and two thirds are there.
        let titles: Vec<_> = (0..ids.len()).map(|nth| format!("title {}", (round + nth) / 4)).collect();
        let rows: Vec<_> = ids.iter().zip(&titles).map(|(id, title)| thing(id, title)).collect();
        let rows: Vec<_> = rows
            .into_iter()
            .enumerate()
            .filter(|(nth, _)| (nth + round / 5) % 3 > 0)
            .map(|(_, row)| row)
            .collect();
        rig.sweep(Noun::Channel, &rows).await;
    }
    rig.is_right().await;

    // The events of each entity, by their ids.
    let mut events = BTreeMap::new();
    for event in rig.events().await {
        let revisions: &mut Vec<_> = events.entry(event.entity).or_default();
        revisions.push(event.event_id);
    }
    assert!(events.values().any(|revisions| revisions.len() > 5), "{events:?}");
    let expected = rig.expected().await;
    let (mut last, mut first) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    let mut view = BTreeMap::new();
    while without_revisions(view.clone()) != expected {
        let entry =
            tokio::time::timeout(PATIENCE, watch.next()).await.expect("it comes to that").unwrap().unwrap();
        if entry.value.is_empty() {
            view.remove(&entry.key);
            continue;
        }
        let value: Value = serde_json::from_slice(&entry.value).unwrap();
        let revision = value["revision"].as_u64().unwrap();
        let before = last.insert(entry.key.clone(), revision);
        assert!(before < Some(revision), "{} goes from {before:?} to {revision}", entry.key);
        let entity = format!("channel/{}", entry.key.rsplit('.').next().unwrap());
        let nth = events[&entity].iter().position(|id| value["event_id"] == **id).unwrap() as u64;
        // Wherever the revisions begin, each event is one.
        assert_eq!(*first.entry(entity).or_insert(revision - nth), revision - nth);
        view.insert(entry.key, value);
    }
}

#[tokio::test]
async fn a_value_or_a_key_that_no_server_takes_holds_up_nothing_else() {
    let nats = crate::support::nats::Nats::start_with("max_payload: 8KB");
    let mut rig = Rig::new(nats).await;
    rig.keep().await;
    let (long_id, long_title) = ("k".repeat(5000), "t".repeat(9000));
    rig.sweep(Noun::Channel, &[thing("a", "short"), thing("b", "B")]).await;
    rig.is_right().await;
    let rows = [thing("a", &long_title), thing("b", "B two"), thing("c", "C"), thing(&long_id, "D")];
    rig.sweep(Noun::Channel, &rows).await;
    let mut expected = rig.expected().await;
    expected.retain(|key, _| !key.ends_with(".a") && key.len() < 1000);
    assert_eq!(expected.len(), 2);
    rig.becomes(&expected).await;
    // The same from the beginning.
    rig.jetstream().await.delete_key_value(livehook::current::BUCKET).await.unwrap();
    rig.becomes(&expected).await;
    rig.says("current state", "Ok").await;
    // Once it is short enough again, it is shown.
    rig.sweep(
        Noun::Channel,
        &[thing("a", "short again"), thing("b", "B two"), thing("c", "C"), thing(&long_id, "D")],
    )
    .await;
    let mut expected = rig.expected().await;
    expected.retain(|key, _| key.len() < 1000);
    assert_eq!(expected.len(), 3);
    rig.becomes(&expected).await;
}
