//! The program on a disk that is full or dead, on a bus without JetStream: viewers do not notice.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Duration,
};

use super::{player::Player, rig::until, service::Service};
use crate::support::{
    disk::Disk,
    load::{Fate, Load, Log, Plan, live_state_body, play_body},
    rig::{Rig, skip},
};

const PLAY: &str = "ask.kollus.acme.play";
/// A server that has JetStream, but not for livehook.
const WITHOUT_JETSTREAM: &str = "accounts { A { users: [{ user: a, password: a }] } }\nno_auth_user: a";

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_and_no_jetstream_every_viewer_is_answered_in_time() {
    let mut rig = Rig::new();
    let disk = match Disk::new(rig.home.path(), 96) {
        Ok(disk) => disk,
        Err(why) => return skip("with_a_full_disk_and_no_jetstream_every_viewer_is_answered_in_time", &why),
    };
    rig.service.setup.store_dir = disk.path().join("data");
    rig.service.setup = rig.service.setup.clone().asking("deny");
    rig.nats.configure(WITHOUT_JETSTREAM);
    rig.nats.restart();
    let decider = Service::allowing(&rig.nats, PLAY, Duration::from_millis(5)).await;
    rig.service.start().await;
    fill(&disk.path().join("ballast"));
    // The control: whoever needs the store notices.
    let refused = load(&rig, "live-state", live_state_body, "full", 200);
    until("deliveries are refused", async || refused.count(|fate| fate == Fate::Refused(503)) > 0).await;
    refused.stop().await;

    // What the machine itself takes, with whatever else runs there: requests that need neither store nor bus.
    let machine = p99(&load(&rig, "vod-play", |_| String::new(), "machine", 200).finish().await);
    let asked = load(&rig, "vod-play", play_body, "viewers", 200).finish().await;
    assert_eq!((asked.fates.len(), asked.not_answered()), (1000, 0), "{}", rig.service.log_tail());
    let viewers = p99(&asked);
    eprintln!(
        "vod-play on a full disk, without JetStream, 200 a second: p99 {viewers:?}, of that the machine {machine:?}"
    );
    assert!(
        viewers < machine + Duration::from_millis(200),
        "p99 is {viewers:?}, of an empty request {machine:?}"
    );
    let metrics = metrics(&rig).await;
    let by_service = "livehook_questions_total{platform=\"kollus\",question=\"play\",decision=\"allow\",decided_by=\"service\",why=\"\"} 1000";
    assert!(metrics.contains(by_service), "{metrics}");
    assert!(metrics.contains("livehook_exchanges_dropped_total{why=\"full\"}"), "{metrics}");
    let dropped = "a player was answered, but no event will tell of it: the store is full";
    assert!(log(&rig).matches(dropped).count() >= 1, "{}", rig.service.log_tail());
    assert_eq!(decider.asked().len(), 1000);

    // Started again on the full disk, it answers as well.
    rig.service.kill();
    rig.service.spawn();
    let player = Player::at(rig.service.public, &rig.service.callback("acme", ""));
    until("it answers", async || player.try_play("user-42").await == Some(1)).await;

    // Callbacks are taken again when there is room.
    fs::remove_file(disk.path().join("ballast")).unwrap();
    let accepted = load(&rig, "live-state", live_state_body, "room", 50);
    until("deliveries are accepted", async || accepted.answered() > 10).await;
    accepted.stop().await;
}

/// A disk that fails ends the service, so that it is started again; not while there are players to answer.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_dead_disk_players_are_answered_until_somebody_stops_it() {
    for asks in [true, false] {
        let mut rig = Rig::new();
        let disk = match Disk::new(rig.home.path(), 96) {
            Ok(disk) => disk,
            Err(why) => return skip("with_a_dead_disk_players_are_answered_until_somebody_stops_it", &why),
        };
        rig.service.setup.store_dir = disk.path().join("data");
        if asks {
            rig.service.setup = rig.service.setup.clone().asking("deny");
        }
        rig.nats.restart();
        let _decider = Service::allowing(&rig.nats, PLAY, Duration::from_millis(5)).await;
        rig.service.start().await;
        let before = load(&rig, "live-state", live_state_body, "before", 100);
        before.reach(20).await;
        before.stop().await;
        disk.cut_power();
        let after = load(&rig, "live-state", live_state_body, "after", 100);
        if !asks {
            // The control: nobody asks, so it ends and says why.
            let status = rig.service.ended(Duration::from_secs(30)).await;
            assert!(!status.success());
            assert!(log(&rig).contains("the store failed"), "{}", rig.service.log_tail());
            after.stop().await;
            continue;
        }
        until("deliveries are refused", async || after.count(|fate| fate == Fate::Refused(503)) > 10).await;
        after.stop().await;
        until("it is not ready", async || rig.service.get("/readyz").await == Some(503)).await;
        assert_eq!(rig.service.get("/healthz").await, Some(200));

        let asked = load(&rig, "vod-play", play_body, "viewers", 200).finish().await;
        assert_eq!((asked.fates.len(), asked.not_answered()), (1000, 0), "{}", rig.service.log_tail());
        let by_service = "decision=\"allow\",decided_by=\"service\",why=\"\"} 1000";
        let metrics = metrics(&rig).await;
        assert!(metrics.contains(by_service), "{metrics}");
        assert!(metrics.contains("livehook_exchanges_dropped_total{why=\"failed\"} 1000"), "{metrics}");
        assert_eq!(log(&rig).matches("Players are answered, callbacks are refused").count(), 1);

        rig.service.signal("TERM");
        let status = rig.service.ended(Duration::from_secs(40)).await;
        assert_eq!(status.code(), Some(4), "{}", rig.service.log_tail());
        assert!(rig.service.log_tail().contains("check the disk, then start livehook again"));
    }
}

/// 1,000 requests at this rate.
fn load(
    rig: &Rig,
    callback: &str,
    body: fn(&crate::support::load::Fact) -> String,
    label: &str,
    rate: u32,
) -> Load {
    Load::start(Plan {
        address: rig.service.public,
        path: rig.service.callback("acme", callback),
        body,
        rate: Some(rate),
        connections: 32,
        requests: Some(1000),
        label: label.to_owned(),
    })
}

fn p99(log: &Log) -> Duration {
    let mut times: Vec<_> = log.timings.values().map(|timing| timing.took).collect();
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

async fn metrics(rig: &Rig) -> String {
    let client = reqwest::Client::builder().build().unwrap();
    let answer = client.get(format!("http://{}/metrics", rig.service.admin)).send();
    answer.await.unwrap().text().await.unwrap()
}

fn log(rig: &Rig) -> String {
    fs::read_to_string(rig.home.path().join("livehook.log")).unwrap()
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("the disk can be written to");
    for size in [1 << 20, 4096] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
