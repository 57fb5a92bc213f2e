//! The bus is away, breaks, comes back.

use std::time::Duration;

use super::{
    rig::{Setup, until},
    service::{PLAY, Service, allow},
};
use crate::support::nats::Nats;

/// Far below the deadline of these tests.
const AT_ONCE: Duration = Duration::from_millis(500);
const LONG: &str = "deadline = \"5s\"";

#[tokio::test]
async fn without_a_bus_the_policy_decides_at_once() {
    let rig = Setup::without_bus().questions(LONG).start().await;
    assert_eq!(rig.player().play("user-42").await.within(AT_ONCE).result(), 0);
    assert_eq!(rig.decided("play", "deny", "policy", "bus_down"), 1);
    assert_eq!(rig.lines_with(&["WARN", "no bus is configured; on_no_answer decides: deny"]), 1);
}

#[tokio::test]
async fn a_bus_that_is_away_is_not_waited_for_and_one_that_comes_is_asked() {
    let mut nats = Nats::new();
    let rig = Setup::on(&nats).questions(LONG).start().await;
    assert_eq!(rig.player().play("user-42").await.within(AT_ONCE).result(), 0);
    assert_eq!(rig.decided("play", "deny", "policy", "bus_down"), 1);
    assert_eq!(rig.lines_with(&["WARN", "there is no connection to the bus; on_no_answer decides: deny"]), 1);

    for round in 1..=2 {
        nats.restart();
        let service = Service::replying(&nats, PLAY, allow()).await;
        let player = rig.player();
        until("the service decides", async || player.play("user-42").await.result() == 1).await;
        assert_eq!(rig.decided("play", "allow", "service", ""), round);
        // What was asked while the bus was away was not kept for it.
        assert_eq!(service.asked().len(), 1);

        nats.kill();
        until("the bus is missed", async || player.play("user-42").await.within(AT_ONCE).result() == 0).await;
        drop(service);
    }
}

#[tokio::test]
async fn who_waits_when_the_bus_breaks_is_answered_then() {
    let mut nats = Nats::start();
    let service = Service::start(&nats, PLAY, async |_| {}).await;
    let rig = Setup::on(&nats).questions(LONG).start().await;
    let player = rig.player();
    let (got, ()) = tokio::join!(player.play("user-42"), async {
        until("it was asked", async || service.asked().len() == 1).await;
        nats.kill();
    });
    assert_eq!(got.within(Duration::from_secs(2)).result(), 0);
    assert_eq!(rig.decided("play", "deny", "policy", "bus_down"), 1);
}

#[tokio::test]
async fn a_bus_that_hangs_is_a_timeout() {
    let nats = Nats::start();
    let _service = Service::replying(&nats, PLAY, allow()).await;
    let rig = Setup::on(&nats).start().await;
    assert_eq!(rig.player().play("user-42").await.result(), 1);
    nats.freeze(true);
    let player = rig.player();
    let many = futures::future::join_all((0..20).map(|_| player.play("user-42"))).await;
    nats.freeze(false);
    for got in many {
        assert_eq!(got.within(Duration::from_millis(900)).result(), 0);
    }
    assert_eq!(rig.decided("play", "deny", "policy", "timeout"), 20);
    // Their replies come now, and are not taken for those to others.
    until("all replies came", async || rig.count("livehook_stray_replies_total", &[("why", "late")]) == 20)
        .await;
    assert_eq!(rig.player().play("user-43").await.result(), 1);
}
