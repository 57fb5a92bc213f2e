//! livehook killed at any moment.

use std::time::Duration;

use crate::support::rig::{Chance, Rig, setting_or};

/// Every request that got its 200 is published once, however often and whenever the process died.
#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_loses_nothing_and_repeats_nothing() {
    let kills = setting_or("LIVEHOOK_KILLS", 10);
    let mut chance = Chance::new();
    let mut rig = Rig::running().await;
    let load = rig.load("kill", Some(1000));
    for _ in 0..kills {
        let answered = load.answered();
        tokio::time::sleep(chance.millis(100, 1200)).await;
        // A kill proves something only while requests are being answered.
        load.reach(answered + 50).await;
        rig.service.kill();
        rig.service.start().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let log = load.stop().await;
    rig.assert_all_published(&log).await;
}

/// A store that was half made is made again, not mistaken for a damaged one.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_its_very_first_start_it_starts_the_next_time() {
    let mut chance = Chance::new();
    let mut rig = Rig::new();
    rig.nats.restart();
    for round in 0..setting_or("LIVEHOOK_KILLS", 10) {
        rig.service.setup.store_dir = rig.home.path().join(format!("data-{round}"));
        rig.service.spawn();
        tokio::time::sleep(chance.millis(5, 120)).await;
        rig.service.kill();
        rig.service.start().await;
        rig.service.kill();
    }
}
