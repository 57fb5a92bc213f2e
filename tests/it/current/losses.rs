//! What was lost is there again within seconds, without a restart.

use std::{collections::BTreeSet, time::Duration};

use async_nats::jetstream::kv;
use jiff::SignedDuration;
use livehook::{
    current::BUCKET,
    model::{AccountName, Noun, Phase},
    ports::{Bus, Clock as _, SystemClock},
};

use super::rig::{Rig, Row, acme, broadcast, configured, thing};
use crate::support::nats::Nats;

#[tokio::test]
async fn a_bucket_that_is_deleted_is_filled_again() {
    let rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A"), thing("b", "B")]).await;
    rig.is_right().await;
    for _ in 0..2 {
        rig.jetstream().await.delete_key_value(BUCKET).await.unwrap();
        rig.is_right().await;
    }
    // With news at the same moment.
    rig.jetstream().await.delete_key_value(BUCKET).await.unwrap();
    rig.sweep(Noun::Channel, &[thing("a", "A two"), thing("b", "B")]).await;
    rig.is_right().await;
    rig.says("current state", "Ok").await;
}

#[tokio::test]
async fn a_bucket_that_somebody_made_anew_is_filled_again() {
    let rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A"), thing("b", "B"), thing("c", "C")]).await;
    rig.is_right().await;
    let jetstream = rig.jetstream().await;
    jetstream.delete_key_value(BUCKET).await.unwrap();
    let config = kv::Config { bucket: BUCKET.to_owned(), ..kv::Config::default() };
    jetstream.create_key_value(config).await.unwrap();
    // Sooner than anybody looks: what is put now gets a sequence that was given before.
    rig.sweep(Noun::Channel, &[thing("a", "A two"), thing("b", "B"), thing("c", "C")]).await;
    rig.is_right().await;
}

#[tokio::test]
async fn a_server_that_comes_back_empty_gets_everything_again() {
    let mut rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A"), thing("gone", "G")]).await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.is_right().await;
    rig.nats.kill();
    rig.nats.wipe();
    rig.nats.restart();
    rig.is_right().await;
    let info = rig.bucket().await.status().await.unwrap();
    assert_eq!(info.values(), 1, "no mark of what was never there");
}

#[tokio::test]
async fn a_server_that_was_set_back_gets_what_it_lost() {
    let mut rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A"), thing("b", "B"), thing("c", "C")]).await;
    rig.is_right().await;
    rig.nats.kill();
    let old = rig.nats.snapshot();
    rig.nats.restart();
    rig.sweep(Noun::Channel, &[thing("a", "A two"), thing("b", "B"), thing("d", "D")]).await;
    rig.is_right().await;
    rig.nats.kill();
    rig.nats.restore(&old);
    rig.nats.restart();
    rig.is_right().await;

    // The same while livehook is away.
    rig.stop_keeping().await;
    rig.nats.kill();
    rig.nats.restore(&old);
    rig.nats.restart();
    rig.keep().await;
    rig.is_right().await;
}

/// A deletion has no value that could be missed, but it has a sequence.
#[tokio::test]
async fn a_server_that_lost_nothing_but_a_deletion_loses_the_key_again() {
    let mut rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A"), thing("b", "B")]).await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.is_right().await;
    rig.nats.kill();
    let old = rig.nats.snapshot();
    rig.nats.restart();
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.is_right().await;
    assert_eq!(rig.state().await.len(), 1);
    rig.nats.kill();
    rig.nats.restore(&old);
    rig.nats.restart();
    assert_eq!(rig.expected().await.len(), 1);
    rig.is_right().await;
}

#[tokio::test]
async fn while_the_server_is_away_nothing_is_forgotten() {
    let mut rig = Rig::new(Nats::new()).await;
    rig.keep().await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.nats.restart();
    rig.is_right().await;
    for round in 0..3 {
        rig.nats.kill();
        let title = format!("round {round}");
        rig.sweep(Noun::Channel, &[thing("a", &title), thing("b", "B")]).await;
        rig.sweep(Noun::Broadcast, &[broadcast(&title, Phase::Live)]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        rig.nats.restart();
        rig.is_right().await;
    }
    // One that hangs.
    rig.nats.freeze(true);
    rig.sweep(Noun::Channel, &[thing("a", "after the freeze")]).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    rig.nats.freeze(false);
    rig.is_right().await;
    rig.says("current state", "Ok").await;
}

#[tokio::test]
async fn what_happened_while_livehook_was_away_is_put_at_its_start() {
    let mut rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.is_right().await;
    rig.stop_keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A two"), thing("b", "B")]).await;
    let before = rig.bucket().await.status().await.unwrap();
    rig.keep().await;
    rig.is_right().await;
    let after = rig.bucket().await.status().await.unwrap();
    let puts = after.info.state.last_sequence - before.info.state.last_sequence;
    assert_eq!(puts, 2, "what had not changed was not put again");
}

#[tokio::test]
async fn more_than_a_page_of_everything_comes_into_a_new_bucket() {
    let mut rig = Rig::new(Nats::start()).await;
    let ids: Vec<_> = (0..1234).map(|number| format!("c{number}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| thing(id, id)).collect();
    rig.sweep(Noun::Channel, &rows).await;
    let rows: Vec<_> = ids.iter().map(|id| broadcast(id, Phase::Live)).collect::<Vec<Row<'_>>>();
    rig.sweep(Noun::Broadcast, &rows).await;
    rig.keep().await;
    rig.is_right().await;
}

#[tokio::test]
async fn keys_that_nothing_is_known_of_are_deleted_and_those_of_others_stay() {
    let mut rig = Rig::new(Nats::start()).await;
    let bus = Bus::connect(rig.nats.options()).await.unwrap();
    bus.link().wait_for(|link| link.is_up).await.unwrap();
    bus.ensure_bucket(BUCKET).await.unwrap();
    let bucket = rig.bucket().await;
    let others = ["kollus.acme2.channel.x", "soop.acme.channel.x", "config", "kollus.other.channel.x"];
    let ours = ["kollus.acme.channel.forgotten", "kollus.acme.broadcast.old", "kollus.acme.settings.s"];
    for key in others.iter().chain(&ours) {
        bucket.put(*key, "{}".into()).await.unwrap();
    }
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.sweep_of(AccountName::parse("other").unwrap(), Noun::Channel, &[thing("y", "Y")]).await;
    rig.keep().await;
    let mut expected = rig.expected().await;
    expected.extend(others.map(|key| (key.to_owned(), serde_json::json!({}))));
    rig.becomes(&expected).await;
    assert_eq!(rig.store.accounts().await.unwrap(), [(acme(), "kollus")]);
}

#[tokio::test]
async fn what_is_known_of_an_account_that_left_goes_and_what_somebody_else_says_of_it_stays() {
    let other = AccountName::parse("other").unwrap();
    let mut rig = Rig::new(Nats::start()).await;
    let both = vec![configured(acme()), configured(other.clone())];
    rig.store.register_accounts(both.clone(), SystemClock.now()).await.unwrap();
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.sweep_of(other.clone(), Noun::Channel, &[thing("y", "Y")]).await;
    rig.keep().await;
    rig.is_right().await;
    rig.stop_keeping().await;

    // It is not forgotten yet, and another livehook reads it now.
    let left_at = SystemClock.now();
    rig.store.register_accounts(vec![configured(other.clone())], left_at).await.unwrap();
    rig.bucket().await.put("kollus.acme.channel.b", "{}".into()).await.unwrap();
    let mut expected = rig.expected().await;
    expected.insert("kollus.acme.channel.b".to_owned(), serde_json::json!({}));
    rig.keep().await;
    rig.sweep_of(other, Noun::Channel, &[thing("y", "Y two")]).await;
    let y = "kollus.other.channel.y".to_owned();
    expected.insert(y.clone(), rig.expected().await.remove(&y).unwrap());
    rig.becomes(&expected).await;
    rig.stop_keeping().await;

    rig.store.tidy(left_at + SignedDuration::from_hours(7 * 24 + 1)).await.unwrap();
    rig.keep().await;
    expected.remove("kollus.acme.channel.a").unwrap();
    rig.becomes(&expected).await;
    rig.stop_keeping().await;

    // It comes back, and begins anew.
    rig.store.register_accounts(both, SystemClock.now()).await.unwrap();
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.keep().await;
    expected.remove("kollus.acme.channel.b").unwrap();
    let a = "kollus.acme.channel.a".to_owned();
    expected.insert(a.clone(), rig.expected().await.remove(&a).unwrap());
    rig.becomes(&expected).await;
}

#[tokio::test]
async fn a_bucket_that_is_filled_again_does_not_show_an_account_that_left_until_it_comes_back() {
    let mut rig = Rig::keeping().await;
    rig.sweep(Noun::Channel, &[thing("a", "A")]).await;
    rig.is_right().await;
    rig.stop_keeping().await;
    let other = configured(AccountName::parse("other").unwrap());
    rig.store.register_accounts(vec![other], SystemClock.now()).await.unwrap();
    rig.jetstream().await.delete_key_value(BUCKET).await.unwrap();
    rig.keep().await;
    rig.says("current state", "Ok").await;
    assert_eq!(rig.state().await.len(), 0);
    rig.stop_keeping().await;
    rig.store.register_accounts(vec![configured(acme())], SystemClock.now()).await.unwrap();
    rig.keep().await;
    rig.is_right().await;
}

#[tokio::test]
async fn the_mark_of_a_deleted_key_can_be_removed_and_a_newer_value_stays() {
    let nats = Nats::start();
    let bus = Bus::connect(nats.options()).await.unwrap();
    let (bucket, _) = bus.ensure_bucket(BUCKET).await.unwrap();
    for key in ["kept", "deleted", "back"] {
        bucket.put(key, "{}".into()).await.unwrap();
    }
    for key in ["deleted", "back"] {
        bucket.delete(key).await.unwrap();
    }
    let keys = bucket.keys(|key| key != "kept").await.unwrap();
    let marks: BTreeSet<_> = keys.iter().filter(|key| key.is_deleted).map(|key| key.key.as_str()).collect();
    assert_eq!(marks, BTreeSet::from(["deleted", "back"]));
    bucket.put("back", "1".into()).await.unwrap();
    for mark in &keys {
        bucket.forget(mark).await.unwrap();
    }
    let mut left = bucket.keys(|_| true).await.unwrap();
    left.sort_by(|one, other| one.key.cmp(&other.key));
    let left: Vec<_> = left.iter().map(|key| (key.key.as_str(), key.is_deleted)).collect();
    assert_eq!(left, [("back", false), ("kept", false)]);
}
