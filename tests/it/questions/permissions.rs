//! What the server's configuration lets everybody do.

use std::{path::Path, time::Duration};

use async_nats::ConnectOptions;
use livehook::ports::{
    Bus, BusOptions,
    bus::{BusError, Login},
};

use super::{
    rig::{Setup, until},
    service::{PLAY, Service, allow},
};
use crate::support::nats::Nats;

const PASSWORDS: [&str; 4] =
    ["LIVEHOOK_NATS_PASSWORD", "CONSUMER_NATS_PASSWORD", "DECIDER_NATS_PASSWORD", "SYSTEM_NATS_PASSWORD"];

fn options(nats: &Nats, user: &str, password: &str) -> BusOptions {
    let login = Login::Password { user: user.to_owned(), password: password.to_owned().into() };
    BusOptions { login, ..nats.options() }
}

async fn client(nats: &Nats, user: &str, password: &str) -> async_nats::Client {
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    options.connect(nats.url()).await.unwrap()
}

#[tokio::test]
async fn the_production_configuration_lets_deciders_reply_and_do_nothing_else() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nats-server.conf");
    let nats = Nats::start_from(&file, PASSWORDS.map(|name| (name, format!("p-{name}"))).to_vec());
    let livehook = options(&nats, "livehook", "p-LIVEHOOK_NATS_PASSWORD");
    Bus::connect(livehook.clone()).await.unwrap().check_asking().await.unwrap();

    let decider = client(&nats, "decider", "p-DECIDER_NATS_PASSWORD").await;
    let service = Service::of(decider.clone(), "ask.>", |asked| async move {
        // A second reply is not let through.
        asked.clone().reply(allow()).await;
        asked.reply(allow()).await;
    })
    .await;
    let consumer = client(&nats, "consumer", "p-CONSUMER_NATS_PASSWORD").await;
    let listener = Service::of(consumer, PLAY, |asked| asked.reply("{\"result\":\"deny\"}")).await;

    let rig = Setup { bus: Some(livehook), ..Setup::on(&nats) }.start().await;
    for _ in 0..5 {
        assert_eq!(rig.player().play("user-42").await.result(), 1);
    }
    assert_eq!(rig.decided("play", "allow", "service", ""), 5);
    assert_eq!((service.asked().len(), listener.asked().len()), (5, 0), "consumers hear no question");
    assert_eq!(rig.count("livehook_stray_replies_total", &[]), 0);

    let before = nats.count_in_log("Publish Violation");
    decider.publish("live.kollus.acme.broadcast.started", "{}".into()).await.unwrap();
    decider.publish(PLAY, "{}".into()).await.unwrap();
    decider.flush().await.unwrap();
    until("both are denied", async || nats.count_in_log("Publish Violation") - before == 2).await;
    assert_eq!(service.asked().len(), 5);
}

#[tokio::test]
async fn who_may_not_ask_is_told_at_once_and_check_finds_it() {
    let user = |permissions: &str| {
        format!(
            "authorization {{ users: [{{ user: livehook, password: \"p\", permissions {{ {permissions} }} }}] }}"
        )
    };
    let nats = Nats::start_with(&user("publish: [\"live.>\"], subscribe: [\"_INBOX.>\"]"));
    let options = options(&nats, "livehook", "p");
    let found = Bus::connect(options.clone()).await.unwrap().check_asking().await;
    assert_eq!(found, Err(BusError::Denied("ask.livehook.check".to_owned())));

    let setup = Setup::on(&nats).questions("deadline = \"5s\"");
    let rig = Setup { bus: Some(options.clone()), ..setup }.start().await;
    let got = rig.player().play("user-42").await.within(Duration::from_millis(1000));
    assert_eq!(got.result(), 0);
    assert_eq!(rig.decided("play", "deny", "policy", "bus_down"), 1);
    let line = "livehook's user may not publish to `ask.kollus.acme.play`";
    assert_eq!(rig.lines_with(&["WARN", line]), 1, "{}", rig.log());

    // It may ask, but hears no reply.
    let nats = Nats::start_with(&user("publish: [\"ask.>\"], subscribe: [\"live.>\"]"));
    let options = BusOptions { servers: vec![nats.url()], ..options };
    let found = Bus::connect(options).await.unwrap().check_asking().await.unwrap_err().to_string();
    assert!(found.contains("Permissions Violation for Subscription to \"_INBOX."), "{found}");
}

#[tokio::test]
async fn a_question_too_large_for_the_bus_is_the_policys() {
    let nats = Nats::start_with("max_payload: 2KB");
    let service = Service::replying(&nats, PLAY, allow()).await;
    let rig = Setup::on(&nats).start().await;
    let large = format!("{}&extra={}", super::player::play(1, "user-42"), "x".repeat(4000));
    let got = rig.player().post("vod-play", large).await.within(Duration::from_millis(300));
    assert_eq!(got.result(), 0);
    assert_eq!(rig.lines_with(&["WARN", "the question is too large for the bus"]), 1, "{}", rig.log());
    assert_eq!(service.asked().len(), 0);
    assert_eq!(rig.player().play("user-42").await.result(), 1);
}
