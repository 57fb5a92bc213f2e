//! A bus that is away, forgetful, full or closed to us: the platforms notice nothing.

use std::time::{Duration, Instant};

use async_nats::ConnectOptions;

use crate::support::{
    canaries::canary,
    load::Log,
    observer::Observer,
    rig::{Rig, assert_all_published, setting_or},
};

/// Within which a stream that lost something must be noticed.
const DETECTION_MAX: Duration = Duration::from_secs(15);

/// After which no answer may come: a platform has given up by then.
const ANSWER_MAX: Duration = Duration::from_millis(2500);

fn assert_all_answered(log: &Log) {
    assert_eq!(log.not_answered(), 0, "requests were not answered 200, of {}", log.fates.len());
    let slowest = log.timings.values().map(|timing| timing.took).max().unwrap_or_default();
    assert!(slowest <= ANSWER_MAX, "the slowest answer took {slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_the_bus_misses_nothing() {
    let mut rig = Rig::running().await;
    let load = rig.load("away", Some(1000));
    load.reach(500).await;
    rig.nats.kill();
    tokio::time::sleep(Duration::from_secs(setting_or("LIVEHOOK_AWAY_SECONDS", 3))).await;
    rig.nats.restart();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let log = load.stop().await;
    assert_all_answered(&log);
    rig.assert_all_published(&log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn started_long_after_livehook_the_bus_misses_nothing() {
    let mut rig = Rig::new();
    rig.service.start().await;
    let load = rig.load("late", Some(500));
    load.reach(500).await;
    let log = load.stop().await;
    rig.nats.restart();
    assert_all_answered(&log);
    rig.assert_all_published(&log).await;
}

/// Callbacks go on while the stream is made again, so replayed and new events of one broadcast meet.
#[tokio::test(flavor = "multi_thread")]
async fn wiped_the_bus_gets_everything_again() {
    let mut rig = Rig::running().await;
    let observer = rig.observer().await;
    let mut log = publish(&rig, &observer, "wipe", setting_or("LIVEHOOK_ACKS", 5000)).await;

    let load = rig.load("meanwhile", Some(100));
    load.reach(50).await;
    rig.nats.kill();
    rig.nats.wipe();
    rig.nats.restart();
    let began = Instant::now();
    while observer.messages().await == 0 {
        assert!(began.elapsed() < DETECTION_MAX, "the loss was not noticed\n{}", rig.service.log_tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eprintln!("the first event came back after {:?}", began.elapsed());
    log.extend(load.stop().await);
    assert_all_answered(&log);
    rig.assert_all_published(&log).await;
}

/// The server comes back with an older copy of its files: same stream, fewer messages, and the sequences
/// that it gave out are given out again.
#[tokio::test(flavor = "multi_thread")]
async fn set_back_the_bus_gets_the_rest_again() {
    let mut rig = Rig::running().await;
    let observer = rig.observer().await;
    let half = setting_or("LIVEHOOK_ACKS", 5000) / 2;
    let mut log = publish(&rig, &observer, "before", half).await;
    rig.nats.kill();
    let older = rig.nats.snapshot();
    rig.nats.restart();
    log.extend(publish(&rig, &observer, "after", half).await);

    let load = rig.load("meanwhile", Some(100));
    load.reach(50).await;
    rig.nats.kill();
    rig.nats.restore(&older);
    rig.nats.restart();
    let began = Instant::now();
    while observer.messages().await < 2 * half {
        assert!(
            began.elapsed() < 2 * DETECTION_MAX,
            "the loss was not made good\n{}",
            rig.service.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    log.extend(load.stop().await);
    assert_all_answered(&log);
    rig.assert_all_published(&log).await;
}

/// The operator gives the stream more room, in the configuration and at the server.
#[tokio::test(flavor = "multi_thread")]
async fn full_the_bus_gets_the_rest_when_there_is_room() {
    let mut rig = Rig::new();
    let bus = rig.service.setup.bus.clone();
    rig.service.setup.bus = format!("{bus}[bus.live]\nmax_bytes = 262144\n");
    rig.nats.restart();
    rig.service.start().await;
    let load = rig.load("full", Some(500));
    load.reach(2000).await;
    let log = load.stop().await;
    assert_all_answered(&log);
    let observer = rig.observer().await;
    let held = observer.messages().await;
    assert!(held < 1000, "the stream was not full: it holds {held} messages");

    let mut config = observer.js_stream().await.cached_info().config.clone();
    config.max_bytes = 64 << 20;
    observer.context().update_stream(&config).await.expect("the stream can be changed");
    rig.service.kill();
    rig.service.setup.bus = format!("{bus}[bus.live]\nmax_bytes = {}\n", 64 << 20);
    rig.service.start().await;
    rig.assert_all_published(&log).await;
}

/// The operator grants the right to publish while both run.
#[tokio::test(flavor = "multi_thread")]
async fn closed_to_us_the_bus_gets_everything_once_it_opens() {
    const LIVEHOOK: &str = canary("nats-livehook-password");
    const OBSERVER: &str = "pass-observer";
    let users = |permissions: &str| {
        format!(
            "authorization {{ users: [ {{ user: livehook, password: {LIVEHOOK}{permissions} }}, \
             {{ user: observer, password: {OBSERVER} }} ] }}"
        )
    };
    let mut rig = Rig::new();
    rig.nats.configure(&users(", permissions: { publish: { deny: \"live.>\" } }"));
    rig.service.setup.bus = format!(
        "[bus]\nservers = [\"{}\"]\nuser = \"livehook\"\npassword = {{ file = \"password\" }}\n",
        rig.nats.url()
    );
    std::fs::write(rig.home.path().join("password"), LIVEHOOK).expect("the test's directory is writable");
    rig.nats.restart();
    rig.service.start().await;
    let load = rig.load("closed", Some(200));
    load.reach(400).await;
    let login = ConnectOptions::with_user_and_password("observer".to_owned(), OBSERVER.to_owned());
    let observer = Observer::connect_with(&rig.nats.url(), login).await;
    assert_eq!(observer.messages().await, 0, "the bus was not closed to us");

    rig.nats.configure(&users(""));
    rig.nats.reload();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let log = load.stop().await;
    assert_all_answered(&log);
    assert_all_published(&observer, &log, &rig.service).await;
}

/// Sends so many callbacks as fast as they are answered, and waits until the stream holds them.
async fn publish(rig: &Rig, observer: &Observer, label: &str, requests: u64) -> Log {
    let held = observer.messages().await;
    let load = rig.load(label, None);
    load.reach(requests as usize).await;
    let log = load.stop().await;
    let began = Instant::now();
    while observer.messages().await < held + log.answered() as u64 {
        assert!(began.elapsed() < Duration::from_secs(60), "the bus lags behind\n{}", rig.service.log_tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    log
}
