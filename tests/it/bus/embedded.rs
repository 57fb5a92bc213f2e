//! The embedded server: a real child, supervised.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use livehook::{
    health::{Condition, Health},
    ports::{
        Bus, BusOptions, EmbeddedServer, SystemEntropy,
        bus::{BusError, JsStream, Login, PublishError},
        embedded::EmbeddedOptions,
    },
};
use secrecy::ExposeSecret;

use crate::support::{nats, remains::tempdir};

fn options(dir: &Path) -> EmbeddedOptions {
    EmbeddedOptions { binary: Some(nats::binary()), dir: dir.join("nats"), port: None, path: String::new() }
}

async fn start(dir: &Path, health: &Health) -> EmbeddedServer {
    EmbeddedServer::start(options(dir), &SystemEntropy, health.clone()).await.unwrap()
}

async fn bus(server: &EmbeddedServer, login: Login) -> Bus {
    Bus::connect(BusOptions { login, ..BusOptions::new(vec![server.url()]) }).await.unwrap()
}

fn pid(dir: &Path) -> u32 {
    fs::read_to_string(dir.join("nats/nats-server.pid")).unwrap().trim().parse().unwrap()
}

fn is_running(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

#[tokio::test]
async fn it_takes_events_shows_them_to_consumers_and_ends_when_told() {
    let dir = tempdir();
    let server = start(dir.path(), &Health::default()).await;
    let ours = bus(&server, server.login()).await;
    ours.ensure_streams().await.unwrap();
    ours.publish(JsStream::Live, "loopback.acme.channel.updated", "id-1", "{}".into()).await.unwrap();

    let (user, password) = server.consumer();
    assert_eq!(fs::read_to_string(server.consumer_password_file()).unwrap(), password.expose_secret());
    let consumer = bus(&server, Login::Password { user: user.to_owned(), password }).await;
    consumer.check_server_version().await.unwrap();
    assert_eq!(consumer.message_id_at(JsStream::Live, 1).await.unwrap().as_deref(), Some("id-1"));
    let denied = consumer.publish(JsStream::Live, "loopback.acme.channel.updated", "id-2", "{}".into()).await;
    assert!(matches!(denied, Err(PublishError::PermissionDenied(_))), "{denied:?}");

    let pid = pid(dir.path());
    server.stop().await;
    assert!(!is_running(pid));
    assert!(!dir.path().join("nats/nats-server.pid").exists());

    let again = start(dir.path(), &Health::default()).await;
    let ours = bus(&again, again.login()).await;
    assert_eq!(ours.stream_info(JsStream::Live).await.unwrap().unwrap().last_js_sequence, 1);
    again.stop().await;
}

#[tokio::test]
async fn nobody_else_can_read_its_files() {
    let dir = tempdir();
    let server = start(dir.path(), &Health::default()).await;
    let mode =
        |name: &str| fs::metadata(dir.path().join("nats").join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("."), 0o700);
    for name in ["nats-server.conf", "livehook.password", "consumer.password"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn it_is_started_again_when_it_dies() {
    let dir = tempdir();
    let health = Health::default();
    let server = start(dir.path(), &health).await;
    let ours = bus(&server, server.login()).await;
    ours.ensure_streams().await.unwrap();
    let first = pid(dir.path());
    assert!(Command::new("kill").args(["-9", &first.to_string()]).status().unwrap().success());

    let mut link = ours.link();
    tokio::time::timeout(Duration::from_secs(10), link.wait_for(|link| link.connects == 2))
        .await
        .unwrap()
        .unwrap();
    ours.ensure_streams().await.unwrap();
    assert_ne!(pid(dir.path()), first);
    assert_eq!(health.conditions(), [("nats-server", Condition::Ok)]);
    server.stop().await;
}

#[tokio::test]
async fn one_that_was_left_behind_is_ended_and_a_stranger_is_not() {
    let dir = tempdir();
    start(dir.path(), &Health::default()).await.stop().await;
    let configuration = dir.path().canonicalize().unwrap().join("nats/nats-server.conf");
    let mut leftover = Command::new(nats::binary())
        .args(["--config".as_ref(), configuration.as_os_str()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid_file = dir.path().join("nats/nats-server.pid");
    while fs::metadata(&pid_file).map_or(0, |metadata| metadata.size()) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let server = start(dir.path(), &Health::default()).await;
    assert!(leftover.try_wait().unwrap().is_some(), "it is still there");
    assert!(is_running(pid(dir.path())));
    server.stop().await;

    let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(&pid_file, stranger.id().to_string()).unwrap();
    start(dir.path(), &Health::default()).await.stop().await;
    assert!(stranger.try_wait().unwrap().is_none(), "a process that is none of ours was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn an_old_or_missing_program_is_refused_with_the_remedy() {
    let dir = tempdir();
    let old = dir.path().join("nats-server");
    fs::write(&old, "#!/bin/sh\necho nats-server: v2.9.10\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = async |binary: Option<&Path>, path: &Path| {
        let options = EmbeddedOptions {
            binary: binary.map(Path::to_owned),
            path: path.display().to_string(),
            ..options(dir.path())
        };
        match EmbeddedServer::start(options, &SystemEntropy, Health::default()).await {
            Err(error @ BusError::Embedded(_)) => error.to_string(),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it was started"),
        }
    };
    let empty = tempdir();
    for (text, parts) in [
        (refused(Some(&old), empty.path()).await, ["2.9.10", "2.10.27", "get-nats-server.sh"]),
        (refused(None, dir.path()).await, ["2.9.10", "2.10.27", "get-nats-server.sh"]),
        (refused(None, empty.path()).await, ["on PATH", "get-nats-server.sh", "bus.nats_server"]),
        (
            refused(Some(Path::new("/nowhere")), empty.path()).await,
            ["/nowhere", "get-nats-server.sh", "bus.nats_server"],
        ),
    ] {
        for part in parts {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }
    assert!(!dir.path().join("nats").exists(), "nothing is written before the program is known to be right");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let dir = tempdir();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = EmbeddedOptions { port: Some(port), ..options(dir.path()) };
    let error =
        EmbeddedServer::start(options, &SystemEntropy, Health::default()).await.err().unwrap().to_string();
    assert!(error.contains(&port.to_string()) && error.contains("nats-server.log"), "{error}");
}
