//! Who may do what with the bucket, and which buckets are refused.

use std::{path::Path, time::Duration};

use async_nats::{
    ConnectOptions,
    jetstream::{self, kv, stream},
};
use futures::StreamExt as _;
use livehook::{
    current::BUCKET,
    model::Noun,
    ports::{
        Bus, BusOptions,
        bus::{JsStream, Login},
    },
};

use super::rig::{PATIENCE, Rig, state_of, thing, without_revisions};
use crate::support::{canaries::canary, nats::Nats};

#[tokio::test]
async fn a_missing_bucket_is_made_as_the_contract_says() {
    let nats = Nats::start();
    let bus = Bus::connect(nats.options()).await.unwrap();
    bus.ensure_bucket(BUCKET).await.unwrap();
    let again = bus.ensure_bucket(BUCKET).await.unwrap().1;
    assert_eq!(again.last_js_sequence, 0);
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let config = jetstream.get_stream("KV_LIVE_STATE").await.unwrap().cached_info().config.clone();
    assert_eq!(config.storage, stream::StorageType::File);
    assert_eq!((config.max_messages_per_subject, config.max_age), (1, Duration::ZERO));
    assert!(config.allow_direct);
}

#[tokio::test]
async fn a_bucket_that_would_forget_is_refused_by_name_while_events_go_on() {
    let bad = [
        (kv::Config { storage: stream::StorageType::Memory, ..kv::Config::default() }, "kept in memory"),
        (kv::Config { max_age: Duration::from_secs(3600), ..kv::Config::default() }, "by their age"),
    ];
    for (config, why) in bad {
        let mut rig = Rig::new(Nats::start()).await;
        let jetstream = rig.jetstream().await;
        jetstream.create_key_value(kv::Config { bucket: BUCKET.to_owned(), ..config }).await.unwrap();
        rig.keep_and_publish_with(rig.nats.options()).await;
        rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
        rig.says("current state", why).await;
        rig.says("current state", BUCKET).await;
        rig.says("bus", "Ok").await;
        published(&rig, 1).await;
        assert_eq!(rig.state().await.len(), 0, "nothing is put into it");
        rig.sweep(Noun::Channel, &[thing("a", "A two")]).await;
        published(&rig, 2).await;

        // Moved away, and all is well.
        jetstream.delete_key_value(BUCKET).await.unwrap();
        rig.is_right().await;
        rig.says("current state", "Ok").await;
    }
}

#[tokio::test]
async fn a_bucket_that_drops_old_values_when_it_is_full_is_refused() {
    let nats = Nats::start();
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let config = stream::Config {
        name: format!("KV_{BUCKET}"),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        max_messages_per_subject: 1,
        max_bytes: 1 << 20,
        discard: stream::DiscardPolicy::Old,
        ..stream::Config::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let bus = Bus::connect(nats.options()).await.unwrap();
    let error = bus.ensure_bucket(BUCKET).await.err().expect("it is refused").to_string();
    assert!(error.contains(BUCKET) && error.contains("when it is full"), "{error}");
}

#[tokio::test]
async fn with_the_production_configuration_livehook_keeps_the_bucket_and_consumers_only_read_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nats-server.conf");
    let nats = Nats::start_from(&file, PASSWORDS.map(|name| (name, password(name))).to_vec());
    let mut rig = Rig::new(nats).await;
    rig.keep_and_publish_with(login(&rig.nats, "livehook", PASSWORDS[0])).await;
    rig.sweep(Noun::Channel, &[thing("a", "A"), thing("b", "B")]).await;

    let options = ConnectOptions::with_user_and_password("consumer".into(), password(PASSWORDS[1]));
    let consumer = jetstream::new(options.connect(rig.nats.url()).await.unwrap());
    let bucket = eventually(async || consumer.get_key_value(BUCKET).await.ok()).await;
    let is_right = async || {
        let expected = rig.expected().await;
        (without_revisions(state_of(&bucket).await) == expected).then_some(())
    };
    eventually(is_right).await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    eventually(is_right).await;
    rig.says("current state", "Ok").await;
    rig.says("bus", "Ok").await;

    let mut watch = bucket.watch_all().await.unwrap();
    rig.sweep(Noun::Channel, &[thing("a", "A two")]).await;
    let entry = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(entry.key, "kollus.acme.channel.a");

    let key = "kollus.acme.channel.a";
    let wait = Duration::from_secs(2);
    let denied = [
        tokio::time::timeout(wait, async { bucket.put(key, "{}".into()).await.is_err() }).await,
        tokio::time::timeout(wait, async { bucket.delete(key).await.is_err() }).await,
        tokio::time::timeout(wait, async { consumer.delete_key_value(BUCKET).await.is_err() }).await,
        tokio::time::timeout(wait, async { bucket.stream.purge().await.is_err() }).await,
    ];
    // The server answers in no other way than not at all.
    assert!(denied.iter().all(|answer| !matches!(answer, Ok(false))), "{denied:?}");
    eventually(is_right).await;

    // The mark that the deletion left can be removed.
    let bus = Bus::connect(login(&rig.nats, "livehook", PASSWORDS[0])).await.unwrap();
    let (kept, _) = bus.ensure_bucket(BUCKET).await.unwrap();
    let marks = kept.keys(|_| true).await.unwrap();
    let marks: Vec<_> = marks.into_iter().filter(|key| key.is_deleted).collect();
    assert_eq!(marks.len(), 1);
    kept.forget(&marks[0]).await.unwrap();
}

/// A server that was configured for a livehook without the bucket.
#[tokio::test]
async fn a_user_that_may_not_keep_the_bucket_is_named_and_publishes_all_the_same() {
    let nats = Nats::start_with(
        &r#"authorization { users: [
            { user: livehook, password: PASSWORD, permissions: {
                publish: { allow: ["live.>", "$JS.API.INFO", "$JS.API.STREAM.*.LIVE", "$JS.API.STREAM.*.LIVE_PLAYBACK", "$JS.API.STREAM.MSG.GET.*"] }
                subscribe: { allow: ["_INBOX.>"] }
            } }
            { user: all, password: all }
        ] }"#
        .replace("PASSWORD", &password(PASSWORDS[0])),
    );
    let mut rig = Rig::new(nats).await;
    let options = login(&rig.nats, "livehook", PASSWORDS[0]);
    rig.keep_and_publish_with(options.clone()).await;
    rig.says("current state", "$JS.API.STREAM.INFO.KV_LIVE_STATE").await;
    for round in 1..=20 {
        rig.sweep(Noun::Channel, &[thing("a", &format!("title {round}"))]).await;
    }
    let bus = Bus::connect(options).await.unwrap();
    eventually(async || {
        let standing = bus.stream_info(JsStream::Live).await.ok().flatten();
        standing.filter(|standing| standing.last_js_sequence == 20)
    })
    .await;
    rig.says("bus", "Ok").await;
    assert_eq!(rig.store.backlog().await.unwrap().0, 0);
}

const PASSWORDS: [&str; 4] =
    ["LIVEHOOK_NATS_PASSWORD", "CONSUMER_NATS_PASSWORD", "DECIDER_NATS_PASSWORD", "SYSTEM_NATS_PASSWORD"];

fn password(name: &str) -> String {
    match name {
        "LIVEHOOK_NATS_PASSWORD" => canary("nats-bucket-password").to_owned(),
        other => format!("p-{other}"),
    }
}

fn login(nats: &Nats, user: &str, name: &str) -> BusOptions {
    let login = Login::Password { user: user.to_owned(), password: password(name).into() };
    BusOptions { login, ..nats.options() }
}

/// Waits until the stream of events holds so many.
async fn published(rig: &Rig, count: u64) {
    let jetstream = rig.jetstream().await;
    eventually(async || {
        let stream = jetstream.get_stream("LIVE").await.ok()?;
        (stream.cached_info().state.messages == count).then_some(())
    })
    .await;
}

async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < until, "it does not come to that");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
