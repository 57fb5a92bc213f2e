//! What is told of an exchange, once it was answered.

use std::time::Duration;

use futures::StreamExt;
use livehook::ports::Bus;
use serde_json::{Value, json};

use super::{
    player::{download, play},
    rig::{Setup, USER_KEY, until},
    service::{PLAY, Service},
};
use crate::{schemas, support::nats::Nats};

#[tokio::test]
async fn exchanges_come_out_on_jetstream_as_events() {
    let nats = Nats::start();
    let reply = json!({ "result": "allow", "expires_at": 1893455999, "reason": "subscriber" }).to_string();
    let _service = Service::replying(&nats, PLAY, reply).await;
    let mut rig = Setup::on(&nats).start().await;
    rig.publish(nats.options()).await;
    let player = rig.player();
    player.play("user-42").await.data();
    player.post("download", download(["vnCVPyVx", "Qm4TzW1k"])).await.data();
    player.post("next-episode", "mck=vnCVPyVx&client_user_id=user-42").await.data();
    until("all is committed", async || rig.event_types().await.len() == 4).await;

    let bus = Bus::connect(nats.options()).await.unwrap();
    let published = bus.replay("live.kollus.acme.*.*").await.unwrap();
    let events: Vec<_> =
        tokio::time::timeout(Duration::from_secs(10), published.take(4).collect()).await.unwrap();
    let mut decisions = Vec::new();
    for received in &events {
        let event: Value = serde_json::from_slice(&received.payload).unwrap();
        schemas::assert_valid(&event);
        assert_eq!((&event["via"], &event["proof"]), (&json!("callback"), &json!("url-token")));
        let noun = event["type"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let data = &event["data"][noun];
        assert_eq!(data["client_user_id"], "user-42");
        assert!(data["decision"]["latency_ms"].as_u64().unwrap() < 5000);
        assert_eq!(data["decision"]["question_id"].as_str().unwrap().len(), 32);
        let told = received.subject.strip_prefix("live.kollus.acme.").unwrap();
        let decision = &data["decision"];
        decisions.push(format!("{told} {} {}", decision["result"], decision["decided_by"]));
        assert!(!event.to_string().contains(USER_KEY));
    }
    decisions.sort();
    assert_eq!(
        decisions,
        [
            "download.denied \"deny\" \"policy\"",
            "download.denied \"deny\" \"policy\"",
            "playback.authorized \"allow\" \"service\"",
            "playback.next_requested \"deny\" \"policy\"",
        ]
    );
    let told: Vec<_> = rig.events().await;
    let play = told.iter().find(|event| event["type"] == "live.playback.authorized").unwrap();
    assert_eq!(play["data"]["playback"]["decision"]["terms"], json!({ "expires_at": 1893455999 }));
    assert_eq!(play["data"]["playback"]["decision"]["reason"], "subscriber");
}

#[tokio::test]
async fn each_exchange_is_one_event_however_soon_it_is_repeated() {
    let rig = Setup::without_bus().start().await;
    for _ in 0..3 {
        rig.player().play("user-42").await.data();
    }
    until("all is committed", async || rig.event_types().await.len() == 3).await;
    let ids: std::collections::BTreeSet<_> =
        rig.events().await.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(rig.event_types().await, ["playback.denied"; 3]);
    assert_eq!(rig.count("livehook_events_total", &[("type", "playback.denied")]), 3);
}

/// The store is stuck for longer than a delivery may take; players do not notice.
#[tokio::test]
async fn a_store_that_does_not_answer_keeps_no_player_waiting() {
    let nats = Nats::start();
    let _service = Service::allowing(&nats, PLAY, Duration::from_millis(5)).await;
    let rig = Setup::on(&nats).start().await;
    let rival = rusqlite::Connection::open(rig.dir.path().join("data/livehook.sqlite")).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    let player = rig.player();
    for number in 0..20 {
        let got = player.play(&format!("user-{number}")).await;
        assert_eq!(got.within(Duration::from_millis(300)).result(), 1);
    }
    // The control: what waits for the store does wait.
    let delivered = player.post("bookmark", "media_content_key=vnCVPyVx&position=10&client_user_id=u").await;
    assert_eq!(delivered.status, 503);
    assert!(delivered.took > Duration::from_millis(1900), "{delivered:?}");
    assert_eq!(player.play("user-20").await.within(Duration::from_millis(300)).result(), 1);
    rival.execute_batch("ROLLBACK").unwrap();
    until("all is committed", async || {
        let types = rig.event_types().await;
        types.iter().filter(|told| *told == "playback.authorized").count() == 21
    })
    .await;
    assert_eq!(rig.count("livehook_exchanges_dropped_total", &[]), 0);
}

/// What cannot be kept in memory until the store comes back is dropped and counted, and everybody is answered.
#[tokio::test]
async fn more_exchanges_than_memory_may_hold_are_dropped_and_counted() {
    const PLAYERS: usize = 700;
    let rig = Setup::without_bus().start().await;
    let rival = rusqlite::Connection::open(rig.dir.path().join("data/livehook.sqlite")).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    let player = rig.player();
    // 700 bodies of 60 KB are more than 32 MiB.
    let fields: String = (0..4).map(|number| format!("&extra{number}={}", "x".repeat(15_000))).collect();
    let body = format!("{}{fields}", play(1, "user-42"));
    for _ in 0..PLAYERS {
        assert_eq!(player.post("vod-play", body.clone()).await.result(), 0);
    }
    let dropped = rig.count("livehook_exchanges_dropped_total", &[("why", "behind")]);
    assert!((100..300).contains(&dropped), "{dropped} are dropped");
    let line = ["WARN", "kollus/acme: a player was answered, but no event will tell of it: more is waiting"];
    assert!((1..=3).contains(&rig.lines_with(&line)), "{}", rig.log());
    rival.execute_batch("ROLLBACK").unwrap();
    let kept = PLAYERS as u64 - dropped;
    assert_eq!(rig.count("livehook_exchanges_dropped_total", &[]), dropped);
    until("the rest is committed", async || rig.count("livehook_events_total", &[]) == kept).await;
}

#[tokio::test]
async fn while_draining_players_are_answered_and_what_they_were_told_is_committed() {
    let nats = Nats::start();
    let _service = Service::allowing(&nats, PLAY, Duration::from_millis(200)).await;
    let mut rig = Setup::on(&nats).start().await;
    let player = rig.player();
    assert_eq!(player.play("user-1").await.result(), 1);
    // On a connection that is open already: new ones are not accepted any more.
    let (waiting, late) = tokio::join!(player.play("user-2"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rig.draining.cancel();
        player.play("user-2").await
    });
    assert_eq!(waiting.result(), 1);
    drop(late);
    rig.ending.cancel();
    let recording = rig.recording.take().unwrap();
    tokio::time::timeout(Duration::from_secs(5), recording).await.expect("it ends").unwrap();
    let types = rig.event_types().await;
    assert!(types.len() >= 2 && types.iter().all(|told| told == "playback.authorized"), "{types:?}");
}
