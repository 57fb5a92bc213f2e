//! A server that dies, forgets, or goes back in time.

use std::time::Duration;

use livehook::{
    model::Noun,
    ports::{BusOptions, bus::JsStream},
};

use super::rig::Rig;
use crate::support::nats::Nats;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_ends_up_with_everything_once_and_in_order() {
    let mut rig = Rig::publishing().await;
    rig.commit_many(150, 15).await;
    rig.nats.kill();
    rig.commit_many(100, 15).await;
    rig.nats.restart();
    rig.commit_many(150, 15).await;
    rig.nats.restart();
    rig.commit_many(50, 15).await;
    rig.all_published().await;
    rig.assert_published().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_empty_gets_everything_again_with_the_same_ids() {
    let mut rig = Rig::publishing().await;
    rig.commit_many(200, 10).await;
    rig.commit(Noun::Playback, "viewer").await;
    rig.all_published().await;
    rig.nats.kill();
    rig.nats.wipe();
    rig.nats.restart();
    rig.all_held_again(201).await;
    rig.assert_published().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_its_last_minutes_gets_exactly_those_again() {
    let mut rig = Rig::publishing().await;
    rig.commit_many(100, 10).await;
    rig.all_published().await;
    rig.nats.kill();
    let snapshot = rig.nats.snapshot();
    rig.nats.restart();
    rig.commit_many(57, 10).await;
    rig.all_published().await;
    rig.nats.kill();
    rig.nats.restore(&snapshot);
    rig.nats.restart();
    let most = rig.all_held_again(157).await;
    assert!(most <= 57, "{most} were to be published again");
    rig.assert_published().await;
}

/// What is newer than the lost tail may not take its place: another stream at the same sequences.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_while_nothing_was_published_is_seen_at_the_next_start() {
    let mut rig = Rig::publishing().await;
    rig.commit_many(40, 4).await;
    rig.all_published().await;
    rig.stop_publishing().await;
    rig.nats.kill();
    rig.nats.wipe();
    rig.nats.restart();
    rig.commit_many(60, 4).await;
    rig.publish().await;
    rig.until("all is there", async || {
        rig.waiting().await == 0 && rig.held_or_none(JsStream::Live).await == 100
    })
    .await;
    rig.assert_published().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_that_were_never_kept_lead_to_no_second_copy() {
    let mut rig = Rig::publishing().await;
    rig.commit_many(60, 6).await;
    rig.all_published().await;
    rig.stop_publishing().await;
    assert_eq!(rig.store.forget_acks_above("LIVE", 20).await.unwrap(), 40);
    rig.publish().await;
    rig.all_published().await;
    rig.assert_published().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishes_that_were_stored_but_not_acknowledged_in_time_are_stored_once() {
    let mut rig = Rig::new(Nats::start());
    rig.publish_with(BusOptions { answer_timeout: Duration::from_millis(300), ..rig.nats.options() }).await;
    rig.commit_many(20, 10).await;
    rig.all_published().await;
    rig.nats.freeze(true);
    rig.commit_many(40, 10).await;
    rig.bus_says("no PubAck came in time").await;
    rig.nats.freeze(false);
    rig.all_published().await;
    rig.assert_published().await;
    rig.bus_says("Ok").await;
}
