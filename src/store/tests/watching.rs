//! How watches fare, what requests cost, who is at which platform.

use serde_json::json;

use super::{sweeps::*, *};
use crate::store::{ConfiguredAccount, FailedSweep, Retry, WatchStanding};

fn acme() -> AccountName {
    AccountName::parse("acme").unwrap()
}

fn failed(at: i64) -> FailedSweep {
    FailedSweep {
        account: acme(),
        platform: "kollus",
        watch: "channels",
        at: minute(at),
        reason: "the platform answered with status 503".to_owned(),
        retry: Some(retry(at + 5)),
    }
}

fn retry(at: i64) -> Retry {
    Retry { at: minute(at), is_lasting: true, asked_as: "a fingerprint".to_owned() }
}

#[tokio::test]
async fn the_third_failure_in_a_row_is_told_once_and_the_next_success_as_well() {
    let mut rig = Rig::new();
    rig.swept(channels(0, &["a"])).await;
    for round in 0..2 {
        let start = 20 * round;
        for nth in 1..=6 {
            let types = rig.store.sweep_failed(failed(start + nth)).await.unwrap();
            assert_eq!(types, if nth == 3 { vec!["source.degraded"] } else { vec![] }, "failure {nth}");
            rig = rig.reopened();
        }
        assert_eq!(rig.swept(channels(start + 7, &["a"])).await, ["source.recovered"]);
        assert_eq!(rig.swept(channels(start + 8, &["a"])).await, [""; 0]);
    }
    let events = rig.envelopes().await;
    let [_, degraded, recovered, ..] = &events[..] else { panic!("{events:?}") };
    assert_eq!(degraded["subject"], "source/channels");
    assert_eq!((&degraded["via"], &degraded["proof"]), (&json!("internal"), &json!("internal")));
    assert_eq!(
        degraded["data"]["source"],
        json!({
            "id": "channels",
            "watch": "channels",
            "reason": "the platform answered with status 503",
            "failures": 3,
            "last_success_at": "2026-01-14T12:00:05Z"
        })
    );
    assert_eq!(recovered["data"]["source"]["failures"], 0);
    assert_eq!(recovered["data"]["source"]["last_success_at"], "2026-01-14T12:07:05Z");
}

#[tokio::test]
async fn two_failures_are_no_news() {
    let rig = Rig::new();
    for round in 0..3 {
        for nth in 0..2 {
            assert_eq!(rig.store.sweep_failed(failed(10 * round + nth)).await.unwrap(), [""; 0]);
        }
        let types = rig.swept(channels(10 * round + 3, &["a"])).await;
        assert!(!types.contains(&"source.recovered".to_owned()), "{types:?}");
    }
}

#[tokio::test]
async fn a_confirmation_does_not_make_up_for_failures() {
    let rig = Rig::new();
    for nth in 0..3 {
        rig.store.sweep_failed(failed(nth)).await.unwrap();
    }
    let mut confirmation = channels(4, &["a"]);
    confirmation.is_confirmation = true;
    assert_eq!(rig.swept(confirmation).await, ["channel.discovered"]);
    assert_eq!(rig.store.watch_standing(&acme(), "channels").await.unwrap().failures, 3);
}

#[tokio::test]
async fn a_failure_changes_nothing_else() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b"])).await;
    rig.swept(channels(1, &["a"])).await;
    for nth in 2..9 {
        rig.store.sweep_failed(failed(nth)).await.unwrap();
    }
    let listed = rig.store.listed(&acme(), "channels").await.unwrap();
    assert_eq!(listed.get("all").unwrap().len(), 2);
    assert_eq!(rig.swept(channels(9, &["a"])).await, ["channel.removed", "source.recovered"]);
}

#[tokio::test]
async fn how_a_watch_fares_survives_reopening() {
    let rig = Rig::new();
    let nothing = rig.store.watch_standing(&acme(), "channels").await.unwrap();
    assert_eq!(nothing, WatchStanding::default());
    let mut record = channels(0, &["a"]);
    record.requests = 17;
    record.findings.cursor = Some(json!({ "after": "abc" }));
    rig.swept(record).await;
    // Leaves the cursor as it is.
    rig.swept(channels(1, &["a"])).await;
    rig.store.sweep_failed(failed(2)).await.unwrap();
    let rig = rig.reopened();
    let standing = rig.store.watch_standing(&acme(), "channels").await.unwrap();
    assert_eq!(
        standing,
        WatchStanding {
            cursor: Some(json!({ "after": "abc" })),
            last_success_at: Some(minute(1) + SignedDuration::from_secs(5)),
            last_requests: 1,
            last_failure_at: Some(minute(2)),
            last_failure: Some("the platform answered with status 503".to_owned()),
            failures: 1,
            retry: Some(retry(7)),
        }
    );
    rig.store.sweep_failed(FailedSweep { retry: None, ..failed(3) }).await.unwrap();
    assert_eq!(rig.store.watch_standing(&acme(), "channels").await.unwrap().retry, None);
    rig.store.sweep_failed(failed(4)).await.unwrap();
    rig.swept(channels(5, &["a"])).await;
    assert_eq!(rig.store.watch_standing(&acme(), "channels").await.unwrap().retry, None);
    let other = rig.store.watch_standing(&acme(), "broadcasts").await.unwrap();
    assert_eq!(other, WatchStanding::default());
}

#[tokio::test]
async fn lists_are_told_apart_and_ids_are_whole() {
    let rig = Rig::new();
    let mut record = channels(0, &["a/b", "c"]);
    record.findings.sightings[1].scope = Some("special".into());
    rig.swept(record).await;
    let listed = rig.store.listed(&acme(), "channels").await.unwrap();
    assert_eq!(listed.scopes().count(), 2);
    let holds = |scope: &str, id: &str| listed.get(scope).unwrap().contains(id);
    assert!(holds("all", "a/b") && holds("special", "c"), "{listed:?}");
    assert_eq!(rig.store.listed(&acme(), "broadcasts").await.unwrap().scopes().count(), 0);
    let nobody = AccountName::parse("nobody").unwrap();
    assert_eq!(rig.store.listed(&nobody, "channels").await.unwrap().scopes().count(), 0);
}

#[tokio::test]
async fn requests_are_remembered_as_long_as_they_count() {
    let rig = Rig::new();
    assert_eq!(rig.store.budget("host").await.unwrap(), []);
    let minute_before = |at: Timestamp| at - SignedDuration::from_mins(1);
    // Two in the same moment are two.
    for at in [minute(0), minute(0), minute(1), minute(2)] {
        rig.store.spend("host", at, minute_before(at)).await.unwrap();
    }
    rig.store.spend("other", minute(0), minute(0)).await.unwrap();
    let rig = rig.reopened();
    assert_eq!(rig.store.budget("host").await.unwrap(), [minute(1), minute(2)]);
    assert_eq!(rig.store.budget("other").await.unwrap(), [minute(0)]);
    rig.store.spend("other", minute(0), minute(0)).await.unwrap();
    assert_eq!(rig.store.budget("other").await.unwrap(), [minute(0), minute(0)]);
}

#[tokio::test]
async fn a_fingerprint_is_the_same_in_one_store_and_another_in_each() {
    let rig = Rig::new();
    let fingerprint = rig.store.fingerprint("a secret");
    assert_eq!(fingerprint.len(), 16);
    assert!(fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(fingerprint, rig.store.fingerprint("another secret"));
    let rig = rig.reopened();
    assert_eq!(rig.store.fingerprint("a secret"), fingerprint);
    let dir = tempfile::tempdir().unwrap();
    let (other, _writer) = Store::open(options(&dir), [9; 32]).unwrap();
    assert_ne!(other.fingerprint("a secret"), fingerprint);
}

#[tokio::test]
async fn accounts_are_registered_each_time_the_store_is_opened() {
    let rig = Rig::new();
    let other = AccountName::parse("other").unwrap();
    let configured = |name: &AccountName, platform, watches: &[&'static str]| ConfiguredAccount {
        name: name.clone(),
        platform,
        watches: watches.to_vec(),
    };
    // One that is called and read comes twice.
    let accounts = vec![
        configured(&acme(), "kollus", &[]),
        configured(&other, "soop", &["broadcasts"]),
        configured(&acme(), "kollus", &["channels"]),
    ];
    for _ in 0..2 {
        rig.store.register_accounts(accounts.clone(), noon()).await.unwrap();
    }
    assert_eq!(rig.store.accounts().await.unwrap(), [(acme(), "kollus"), (other, "soop")]);
    assert_eq!(rig.reopened().store.accounts().await.unwrap(), []);
}
