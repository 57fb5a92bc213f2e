//! The JetStream streams: made as the contract says, and refused when they are something else.

use std::time::Duration;

use async_nats::jetstream::stream::{DiscardPolicy, RetentionPolicy, StorageType};
use livehook::ports::{
    Bus,
    bus::{BusError, JsStream, Login, PublishError},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use super::rig::client;
use crate::support::nats::Nats;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn missing_streams_are_made_as_the_contract_says() {
    let nats = Nats::start();
    let bus = Bus::connect(nats.options()).await.unwrap();
    bus.ensure_streams().await.unwrap();
    bus.ensure_streams().await.unwrap();

    let server = client(&nats.options()).await;
    for (name, age, subject) in [
        ("LIVE", 30 * 24 * HOUR, "live.*.*.broadcast.*"),
        ("LIVE_PLAYBACK", 7 * 24 * HOUR, "live.*.*.download.*"),
    ] {
        let config = server.get_stream(name).await.unwrap().cached_info().config.clone();
        assert_eq!((config.max_age, config.duplicate_window), (age, 6 * HOUR), "{name}");
        assert_eq!(
            (config.storage, config.retention, config.discard),
            (StorageType::File, RetentionPolicy::Limits, DiscardPolicy::New)
        );
        assert!(config.deny_delete && config.deny_purge && config.allow_direct, "{name}");
        assert!(config.subjects.contains(&subject.to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_stream_that_differs_is_refused_by_name_and_left_as_it_is() {
    let nats = Nats::start();
    let server = client(&nats.options()).await;
    let bus = Bus::connect(nats.options()).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let mut config = server.get_stream("LIVE").await.unwrap().cached_info().config.clone();
    config.duplicate_window = 2 * Duration::from_secs(60);
    server.update_stream(&config).await.unwrap();

    let error = bus.ensure_streams().await.unwrap_err();
    let BusError::Drift(drift) = &error else { panic!("{error}") };
    assert_eq!((drift.js_stream, drift.field), (JsStream::Live, "duplicate_window"));
    let text = error.to_string();
    for part in ["LIVE", "duplicate_window", "120s", "21600s", "nats stream edit"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    let after = server.get_stream("LIVE").await.unwrap().cached_info().config.clone();
    assert_eq!(after.duplicate_window, config.duplicate_window);
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_with_the_remedy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (read, mut write) = socket.into_split();
        let info = r#"INFO {"server_id":"X","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576,"jetstream":true}"#;
        write.write_all(format!("{info}\r\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line == "PING" {
                write.write_all(b"PONG\r\n").await.unwrap();
            }
        }
    });
    let bus = Bus::connect(livehook::ports::BusOptions::new(vec![url])).await.unwrap();
    let error = bus.ensure_streams().await.unwrap_err();
    assert_eq!(error, BusError::OldServer { found: "2.9.10".to_owned() });
    let text = error.to_string();
    assert!(
        text.contains("2.9.10") && text.contains("2.10.27") && text.contains("get-nats-server.sh"),
        "{text}"
    );
}

#[tokio::test]
async fn connecting_does_not_wait_for_a_server() {
    let mut nats = Nats::new();
    let bus = Bus::connect(nats.options()).await.unwrap();
    assert!(!bus.link().borrow().is_up);
    nats.restart();
    bus.link().wait_for(|link| link.is_up).await.unwrap();
    bus.ensure_streams().await.unwrap();
}

#[tokio::test]
async fn the_production_configuration_lets_livehook_publish_and_consumers_only_read() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nats-server.conf");
    let environment =
        ["LIVEHOOK_NATS_PASSWORD", "CONSUMER_NATS_PASSWORD", "DECIDER_NATS_PASSWORD", "SYSTEM_NATS_PASSWORD"];
    let nats = Nats::start_from(&file, environment.map(|name| (name, format!("p-{name}"))).to_vec());
    let login = |user: &str, name: &str| Login::Password {
        user: user.to_owned(),
        password: format!("p-{name}").into(),
    };

    let options = livehook::ports::BusOptions { login: login("livehook", environment[0]), ..nats.options() };
    let bus = Bus::connect(options).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let route = "loopback.acme.channel.updated";
    let ack = bus.publish(JsStream::Live, route, "id-1", "{}".into()).await.unwrap();
    assert_eq!((ack.js_sequence, ack.is_duplicate), (1, false));
    let again = bus.publish(JsStream::Live, route, "id-1", "{}".into()).await.unwrap();
    assert_eq!((again.js_sequence, again.is_duplicate), (1, true));
    assert_eq!(bus.message_id_at(JsStream::Live, 1).await.unwrap().as_deref(), Some("id-1"));
    assert_eq!(bus.message_id_at(JsStream::Live, 2).await.unwrap(), None);

    let options = livehook::ports::BusOptions { login: login("consumer", environment[1]), ..nats.options() };
    let consumer = Bus::connect(options).await.unwrap();
    consumer.check_server_version().await.unwrap();
    let denied = consumer.publish(JsStream::Live, route, "id-2", "{}".into()).await.unwrap_err();
    assert_eq!(denied, PublishError::PermissionDenied(format!("live.{route}")));
    assert_eq!(consumer.stream_info(JsStream::Live).await.unwrap().unwrap().last_js_sequence, 1);
    assert_eq!(consumer.message_id_at(JsStream::Live, 1).await.unwrap().as_deref(), Some("id-1"));
}
