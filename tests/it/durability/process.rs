//! Signals, a second process, a damaged store.

use std::{fs, time::Duration};

use crate::support::{
    load::Fate,
    rig::Rig,
    service::{Service, Setup},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_signal_drains_and_ends_well() {
    let mut rig = Rig::running().await;
    let load = rig.load("drain", Some(200));
    load.reach(200).await;
    rig.service.signal("TERM");
    let status = rig.service.ended(Duration::from_secs(20)).await;
    let log = load.stop().await;
    assert!(status.success(), "it ended with {status}\n{}", rig.service.log_tail());
    assert_eq!(log.count(|fate| fate == Fate::Unanswered), 0, "requests were left without an answer");
    rig.service.start().await;
    rig.assert_all_published(&log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_signal_ends_it_at_once() {
    let mut rig = Rig::running().await;
    let load = rig.load("hurry", Some(200));
    load.reach(200).await;
    rig.service.signal("TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.service.signal("TERM");
    rig.service.ended(Duration::from_secs(2)).await;
    let log = load.stop().await;
    rig.service.start().await;
    rig.assert_all_published(&log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_store_is_refused() {
    let rig = Rig::running().await;
    let home = rig.home.path().join("second");
    fs::create_dir(&home).expect("the test's directory is writable");
    let mut second = Service::new(Setup { home, ..rig.service.setup.clone() });
    second.spawn();
    let status = second.ended(Duration::from_secs(10)).await;
    assert!(!status.success(), "the second process ended with {status}");
    let said = second.log_tail();
    assert!(said.contains("another livehook is using the store"), "it said: {said}");
    assert_eq!(rig.service.get("/readyz").await, Some(200), "the first one suffered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_refused_and_left_as_it_is() {
    let mut rig = Rig::running().await;
    let load = rig.load("damage", None);
    load.reach(500).await;
    load.stop().await;
    rig.service.stop().await;
    let file = rig.service.setup.store_dir.join("livehook.sqlite");
    let mut bytes = fs::read(&file).expect("the store is a file");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xa5);
    fs::write(&file, &bytes).expect("the store can be damaged");

    rig.service.spawn();
    let status = rig.service.ended(Duration::from_secs(10)).await;
    assert!(!status.success(), "it started with a damaged store: {status}");
    let said = rig.service.log_tail();
    assert!(said.contains("damaged") && said.contains("livehook.sqlite"), "it said: {said}");
    let now = fs::read(&file).expect("the store is still there");
    let changed = (0..bytes.len().max(now.len())).find(|&at| bytes.get(at) != now.get(at));
    assert_eq!(changed, None, "the damaged file was changed at this place");
}
