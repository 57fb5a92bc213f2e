//! A disk that is full.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{
    disk::Disk,
    load::{Fate, Load},
    rig::{Rig, skip},
};

/// 503 while there is no room, never a 200 that does not last, and 200 again when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_503_and_never_a_false_200() {
    let mut rig = Rig::new();
    let disk = match Disk::new(rig.home.path(), 96) {
        Ok(disk) => disk,
        Err(why) => return skip("a_full_disk_is_a_503_and_never_a_false_200", &why),
    };
    rig.service.setup.store_dir = disk.path().join("data");
    rig.nats.restart();
    rig.service.start().await;

    let load = rig.load("full", Some(300));
    load.reach(200).await;
    let ballast = disk.path().join("ballast");
    fill(&ballast);
    until(&load, Duration::from_secs(60), |fate| fate == Fate::Refused(503)).await;

    fs::remove_file(&ballast).expect("the ballast can be thrown off");
    let began = Instant::now();
    let answered = load.answered();
    load.reach(answered + 100).await;
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?} to recover", began.elapsed());

    let log = load.stop().await;
    let strange = log.count(|fate| !matches!(fate, Fate::Answered | Fate::Refused(503)));
    assert_eq!(strange, 0, "requests were neither answered 200 nor 503");
    rig.service.kill();
    rig.service.start().await;
    rig.assert_all_published(&log).await;
}

async fn until(load: &Load, within: Duration, is_it: impl Fn(Fate) -> bool) {
    let began = Instant::now();
    while load.count(&is_it) == 0 {
        assert!(began.elapsed() < within, "it did not happen within {within:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("the disk can be written to");
    for size in [1 << 20, 4096] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
