//! The power of livehook's disk cut off.

use std::time::Duration;

use crate::support::{
    disk::Disk,
    load::Log,
    observer::judge,
    rig::{Chance, Rig, setting_or, skip},
};

const DISK_MIB: u64 = 256;

/// What an answered request brought is on disk, not only in the kernel's memory.
///
/// The control is the test below: the same cuts without fsync.
#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_answered() {
    let Some((rig, log)) = cut_again_and_again("a_power_cut_loses_nothing_that_was_answered", "").await
    else {
        return;
    };
    rig.expect("a store that is fsynced opens after a power cut").assert_all_published(&log).await;
}

/// Without fsync the same cuts lose something: the rig above can fail.
#[tokio::test(flavor = "multi_thread")]
async fn without_fsync_a_power_cut_loses_something() {
    let test = "without_fsync_a_power_cut_loses_something";
    let Some((rig, log)) = cut_again_and_again(test, "unsafe_no_fsync = true").await else { return };
    let rig = match rig {
        Ok(rig) => rig,
        // A store that does not open any more has lost everything that was not yet published.
        Err(why) => return eprintln!("as expected, the store did not survive: {why}"),
    };
    let verdict = judge(&log, &rig.observer().await.settle(&log, Duration::from_secs(5)).await);
    eprintln!("as expected, something was lost: {verdict}");
    assert!(!verdict.lost.is_empty(), "no cut lost anything: the power cut is not one");
}

/// Answers requests, cuts, starts again, and so on; `None` where a machine cannot do it, and `Err` with what
/// livehook said when it did not start again.
///
/// The bus goes away shortly before each cut: what is already published cannot be lost any more.
async fn cut_again_and_again(test: &str, store: &str) -> Option<(Result<Rig, String>, Log)> {
    let mut chance = Chance::new();
    let mut rig = Rig::new();
    let disk = match Disk::new(rig.home.path(), DISK_MIB) {
        Ok(disk) => disk,
        Err(why) => {
            skip(test, &why);
            return None;
        }
    };
    rig.service.setup.store_dir = disk.path().join("data");
    rig.service.setup.store = store.to_owned();
    rig.nats.restart();
    rig.service.start().await;

    let mut log = Log::default();
    for cut in 0..setting_or("LIVEHOOK_CUTS", 2) {
        let load = rig.load(format!("cut-{cut}"), Some(1000));
        load.reach(300).await;
        rig.nats.kill();
        load.reach(load.answered() + 100).await;
        tokio::time::sleep(chance.millis(50, 500)).await;
        // A machine without power answers nobody. A process that goes on for a moment could: an fsync that is
        // under way when the file system shuts down may report success.
        rig.service.signal("STOP");
        disk.cut_power();
        rig.service.kill();
        log.extend(load.stop().await);
        disk.power_on().await;
        rig.nats.restart();
        if let Err(why) = rig.service.try_start().await {
            return Some((Err(why), log));
        }
    }
    Some((Ok(rig), log))
}
