//! The publisher's rules: order, pauses, what is set aside, the end.

use std::time::Duration;

use livehook::{
    health::Condition,
    model::Noun,
    ports::{
        BusOptions,
        bus::{JsStream, Login},
    },
};

use super::rig::{Rig, client};
use crate::support::nats::Nats;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_many_lanes_arrive_once_and_in_order() {
    let mut rig = Rig::new(Nats::start());
    rig.commit_many(600, 37).await;
    for number in 0..100 {
        rig.commit(Noun::Playback, &format!("viewer-{}", number % 5)).await;
    }
    rig.publish().await;
    rig.all_published().await;
    rig.assert_published().await;
    assert_eq!(rig.held(JsStream::LivePlayback).await.len(), 100);
    rig.bus_says("Ok").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_stream_holds_its_events_back_and_no_others() {
    let rig = Rig::publishing().await;
    rig.until("the streams are there", async || {
        client(&rig.nats.options()).await.get_stream("LIVE_PLAYBACK").await.is_ok()
    })
    .await;
    let server = client(&rig.nats.options()).await;
    let mut config = server.get_stream("LIVE_PLAYBACK").await.unwrap().cached_info().config.clone();
    config.max_bytes = 8000;
    server.update_stream(&config).await.unwrap();

    for number in 0..30 {
        rig.commit(Noun::Playback, &format!("viewer-{}", number % 3)).await;
    }
    rig.bus_says("JetStream stream LIVE_PLAYBACK is full: raise its max_bytes").await;
    rig.commit_many(20, 4).await;
    rig.until("the others are published", async || rig.held_or_none(JsStream::Live).await == 20).await;
    assert!(rig.waiting().await > 0);

    config.max_bytes = -1;
    server.update_stream(&config).await.unwrap();
    rig.all_published().await;
    rig.assert_published().await;
    rig.bus_says("Ok").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_permission_it_says_so_and_tries_once_a_second() {
    let users = |more: &str| {
        format!(
            r#"authorization {{ users: [
                {{ user: admin, password: "p" }}
                {{ user: livehook, password: "p", permissions {{ publish: [ "$JS.>" {more} ], subscribe: ["_INBOX.>"] }} }}
            ] }}"#
        )
    };
    let mut rig = Rig::new(Nats::start_with(&users("")));
    let login = Login::Password { user: "livehook".to_owned(), password: "p".to_owned().into() };
    rig.publish_with(BusOptions { login, ..rig.nats.options() }).await;
    rig.commit_many(30, 10).await;
    rig.bus_says("livehook's user may not publish to `live.loopback.acme.channel.updated`").await;
    let before = rig.nats.count_in_log("Publish Violation");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let tries = rig.nats.count_in_log("Publish Violation") - before;
    assert!((1..=3).contains(&tries), "{tries} tries in 3 s");
    assert_eq!(rig.waiting().await, 30);

    rig.nats.configure(&users(", \"live.>\""));
    rig.nats.restart();
    rig.all_published().await;
    rig.bus_says("Ok").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_too_large_for_the_bus_is_set_aside_and_those_behind_it_go_on() {
    let mut rig = Rig::new(Nats::start_with("max_payload: 16KB"));
    rig.publish().await;
    rig.commit(Noun::Channel, "lane").await;
    rig.commit_with(Noun::Channel, "lane", &"x".repeat(20_000)).await;
    rig.commit(Noun::Channel, "other").await;
    rig.commit_with(Noun::Channel, "lane-2", "x").await;
    // Its change names the large title as well.
    rig.all_published().await;
    let held = rig.held(JsStream::Live).await;
    let committed = rig.committed().await;
    let wanted: Vec<_> = [0, 2, 3].iter().map(|&index: &usize| committed[index].event_id.clone()).collect();
    let mut found: Vec<_> = held.into_iter().map(|(id, _)| id).collect();
    found.sort();
    let mut sorted = wanted;
    sorted.sort();
    assert_eq!(found, sorted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_is_away_is_told_with_its_address_and_without_logins() {
    let mut rig = Rig::new(Nats::new());
    let url = rig.nats.url().replace("nats://", "nats://somebody:secret@");
    rig.publish_with(BusOptions { servers: vec![url], ..rig.nats.options() }).await;
    rig.commit_many(5, 5).await;
    rig.bus_says(&format!("no connection to the bus at {}", rig.nats.url())).await;
    assert!(!format!("{:?}", rig.health.conditions()).contains("secret"));
    rig.nats.restart();
    rig.all_published().await;
    assert_eq!(rig.bus_condition(), Some(Condition::Ok));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_not_as_it_must_be_is_not_published_to() {
    let mut rig = Rig::new(Nats::start());
    let server = client(&rig.nats.options()).await;
    let foreign = async_nats::jetstream::stream::Config {
        name: "LIVE".to_owned(),
        subjects: vec!["live.>".to_owned()],
        ..Default::default()
    };
    server.create_stream(&foreign).await.unwrap();
    rig.commit_many(5, 5).await;
    rig.publish().await;
    rig.bus_says("JetStream stream LIVE has subjects live.>, livehook needs").await;
    assert_eq!((rig.waiting().await, rig.held(JsStream::Live).await.len()), (5, 0));

    server.delete_stream("LIVE").await.unwrap();
    rig.all_published().await;
    rig.assert_published().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_end_what_is_in_flight_is_kept() {
    let mut rig = Rig::publishing().await;
    rig.commit_many(300, 50).await;
    rig.stop_publishing().await;
    let waiting = rig.waiting().await as usize;
    assert_eq!(
        rig.held_or_none(JsStream::Live).await as usize,
        300 - waiting,
        "every stored event is in the ledger"
    );
    rig.publish().await;
    rig.all_published().await;
    rig.assert_published().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_has_exactly_the_headers_of_the_contract() {
    let rig = Rig::publishing().await;
    rig.commit(Noun::Channel, "lane").await;
    rig.all_published().await;
    let stream = client(&rig.nats.options()).await.get_stream("LIVE").await.unwrap();
    let message = stream.get_raw_message(1).await.unwrap();
    let mut headers: Vec<_> =
        message.headers.iter().map(|(name, values)| format!("{name}: {}", values[0])).collect();
    headers.sort();
    let id = &rig.committed().await[0].event_id;
    assert_eq!(
        headers,
        [
            "Content-Type: application/cloudevents+json".to_owned(),
            "Nats-Expected-Stream: LIVE".to_owned(),
            format!("Nats-Msg-Id: {id}"),
        ]
    );
    assert_eq!(message.subject.as_str(), "live.loopback.acme.channel.updated");
}
