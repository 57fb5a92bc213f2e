//! Sweeps that fail: nothing changes, and the platform is left alone for long enough.

use super::support::*;
use crate::{access::AccessToken, health::Condition, platform::Limits, ports::HttpError};

/// Every way in which an answer can say nothing.
fn failures() -> Vec<(&'static str, Box<Answering>)> {
    vec![
        ("500", Box::new(|_| status(500, None))),
        ("404", Box::new(|_| status(404, None))),
        ("302", Box::new(|_| status(302, None))),
        ("cut", Box::new(|_| Err(HttpError::Broken))),
        ("slow", Box::new(|_| Err(HttpError::TimedOut))),
        ("bomb", Box::new(|_| Err(HttpError::TooLarge))),
        ("login page", Box::new(|_| html())),
        ("another shape", Box::new(|_| body(serde_json::json!({ "items": [] })))),
        ("a defect of ours", Box::new(|_| body(serde_json::json!({ "panic": true })))),
    ]
}

#[tokio::test]
async fn a_sweep_that_fails_half_way_changes_nothing() {
    for (name, mut failure) in failures() {
        let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &[("short", 3_600)])], move |path| {
            if path == "/short?page=3" { failure(path) } else { rows(&["a", "b"], 4) }
        });
        while rig.board.snapshot().iter().all(|account| account.watches[0].failures == 0) {
            rig.run(1).await;
        }
        assert_eq!(rig.paths().len(), 3, "{name}");
        assert_eq!(rig.event_types().await, Vec::<String>::new(), "{name}");
        let watch = &rig.board.snapshot()[0].watches[0];
        assert_eq!((watch.last_success_at, watch.under_way), (None, None), "{name}");
        assert!(watch.last_failure.as_ref().is_some_and(|why| !why.is_empty()), "{name}");
        let account = crate::model::AccountName::parse("acme").unwrap();
        let standing = rig.store.watch_standing(&account, "short").await.unwrap();
        assert_eq!((standing.cursor, standing.failures), (None, 1), "{name}");

        // What is there is there when it can be read.
        rig.answer(|_| rows(&["a", "b"], 4));
        rig.run(6 * 3_600 + 60).await;
        assert_eq!(rig.event_types().await, ["broadcast.discovered"; 2], "{name}");
        assert_eq!(rig.board.snapshot()[0].watches[0].failures, 0, "{name}");
    }
}

#[tokio::test]
async fn three_failures_in_a_row_are_told_and_so_is_the_recovery() {
    let mut rig =
        Rig::new(vec![account("acme", descriptor(LIMITS), &[("short", 60)])], |_| status(500, None));
    rig.run(200).await;
    assert_eq!(rig.event_types().await, ["source.degraded"]);
    let Some(Condition::Degraded(why)) = rig.sources() else { panic!("nobody is told") };
    assert_eq!(why, "library/acme short: the platform answered with status 500");
    rig.answer(|_| rows(&[], 1));
    rig.run(700).await;
    assert_eq!(rig.event_types().await, ["source.degraded", "source.recovered"]);
    assert_eq!(rig.sources(), Some(Condition::Ok));
}

#[tokio::test]
async fn failures_are_repeated_after_longer_and_longer_waits() {
    let mut rig =
        Rig::new(vec![account("acme", descriptor(LIMITS), &[("short", 60)])], |_| Err(HttpError::Broken));
    rig.run(12_000).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    let waits: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((5.0..16.0).contains(&waits[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| (5.0..=601.0).contains(wait)), "{waits:?}");
    assert!(waits.iter().skip(5).any(|wait| *wait > 120.0), "{waits:?}");
    assert!(waits.len() > 20, "{waits:?}");
}

/// One cell that cannot be written: the store itself is well.
const REFUSE_B1: &str = "CREATE TRIGGER refuse BEFORE INSERT ON sighting WHEN NEW.entity = 'broadcast/b1'
    BEGIN SELECT raise(ABORT, 'it is refused'); END";

#[tokio::test]
async fn a_sweep_that_cannot_be_kept_is_told_and_read_less_and_less_often() {
    let watches = [("short", 60), ("third", 60)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |path| {
        rows(if path.starts_with("/short") { &["b1"] } else { &["b2"] }, 1)
    });
    rig.tamper(REFUSE_B1);
    rig.run(3_600).await;
    let sent = rig.sent();
    let short: Vec<_> =
        sent.iter().filter(|sent| sent.path.starts_with("/short")).map(|sent| sent.at).collect();
    // At first it is read again soon, in case that helps.
    let waits: Vec<_> = short.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[..2].iter().all(|wait| (5.0..8.0).contains(wait)), "{waits:?}");
    assert!((10..40).contains(&short.len()), "{} times an hour", short.len());
    assert_eq!(rig.event_types().await, ["broadcast.discovered", "source.degraded"]);
    let why = "livehook cannot keep what it reads: writing it failed: it is refused";
    let board = rig.board.snapshot();
    let [short, third] = &board[0].watches[..] else { panic!("{board:?}") };
    assert_eq!(short.last_failure.as_deref(), Some(why));
    assert_eq!(
        (third.failures, third.last_failure.as_deref()),
        (0, None),
        "it has nothing to do with the platform"
    );
    assert_eq!(rig.sources(), Some(Condition::Degraded(format!("library/acme short: {why}"))));

    rig.tamper("DROP TRIGGER refuse");
    rig.run(700).await;
    let types = rig.event_types().await;
    assert_eq!(types[2..], ["broadcast.discovered", "source.recovered"]);
    assert_eq!(rig.sources(), Some(Condition::Ok));
}

#[tokio::test]
async fn a_confirmation_that_cannot_be_kept_is_given_up() {
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &[("short", 10_800)])], |path| {
        if path.contains("page=") { rows(&[], 1) } else { rows(&["b1"], 1) }
    });
    rig.run(61).await;
    rig.sent();
    rig.tamper(
        "CREATE TRIGGER refuse BEFORE INSERT ON known BEGIN SELECT raise(ABORT, 'it is refused'); END",
    );
    let acme = crate::model::AccountName::parse("acme").unwrap();
    rig.wakes.wake(&acme, crate::platform::Wake { watches: &["short"], target: "b1".to_owned() });
    rig.run(1_200).await;
    // Put off twice, then tried again twice.
    assert_eq!(rig.sent().len(), 5);
    let board = &rig.board.snapshot()[0];
    assert_eq!((board.confirmations_waiting, board.watches[0].failures), (0, 0));
}

#[tokio::test]
async fn a_list_that_is_only_ever_seen_in_part_is_named() {
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &[("short", 60)])], |_| {
        body(serde_json::json!({ "rows": ["a"], "is_partial": true }))
    });
    rig.run(8 * 60).await;
    assert_eq!(rig.board.snapshot()[0].watches[0].partial_lists, [""; 0]);
    rig.run(4 * 60).await;
    assert_eq!(rig.board.snapshot()[0].watches[0].partial_lists, ["all"]);
    assert_eq!(rig.event_types().await, ["broadcast.discovered"]);
    assert_eq!(rig.sources(), Some(Condition::Ok), "it can be read");
    rig.answer(|_| rows(&["a"], 1));
    rig.run(70).await;
    assert_eq!(rig.board.snapshot()[0].watches[0].partial_lists, [""; 0]);
}

#[tokio::test]
async fn too_many_requests_silence_everybody_who_shares_the_budget() {
    let descriptor = descriptor(WIDE);
    let mut elsewhere = account("elsewhere", descriptor, &[("short", 10)]);
    elsewhere.base_url = "https://other.example.com".parse().unwrap();
    let accounts = vec![
        account("acme", descriptor, &[("short", 10)]),
        account("beta", descriptor, &[("short", 10)]),
        elsewhere,
    ];
    let mut limited_at = 0;
    let mut rig = Rig::new(accounts, move |_| {
        limited_at += 1;
        if limited_at == 30 { status(429, Some("300")) } else { rows(&[], 1) }
    });
    rig.run(600).await;
    let sent = rig.sent();
    let told_at = sent[29].at;
    let host = &sent[29].host;
    let behind: Vec<_> = sent[30..].iter().filter(|sent| sent.host == *host).collect();
    assert!(behind[0].at >= told_at + 300.0, "{} after {told_at}", behind[0].at);
    assert!(behind[0].at < told_at + 330.0);
    let others = sent[30..].iter().filter(|sent| sent.host != *host && sent.at < told_at + 300.0);
    assert!(others.count() > 20);
}

#[tokio::test]
async fn a_platform_in_trouble_silences_the_account_only() {
    let descriptor = descriptor(WIDE);
    let mut acme = account("acme", descriptor, &[("short", 10), ("third", 10)]);
    acme.base_url = "https://api.example.com/acme".parse().unwrap();
    let beta = account("beta", descriptor, &[("short", 10)]);
    let mut rig = Rig::new(vec![acme, beta], |path| {
        if path.starts_with("/acme/short") { status(503, Some("200")) } else { rows(&[], 1) }
    });
    rig.run(190).await;
    let sent = rig.sent();
    let told_at = sent.iter().find(|sent| sent.path.starts_with("/acme/short")).unwrap().at;
    assert!(!sent.iter().any(|sent| sent.path.starts_with("/acme") && sent.at > told_at));
    assert!(sent.iter().filter(|sent| !sent.path.starts_with("/acme")).count() > 10);
    assert!(rig.board.snapshot()[0].rests_until.is_some());
}

#[tokio::test]
async fn when_everything_fails_one_sweep_at_a_time_probes() {
    let watches = [("long", 10_800), ("third", 3_600), ("fourth", 600), ("short", 60)];
    // Sweeps that take eight seconds, tried again after ten: without a breaker the short ones would interrupt
    // the long ones.
    let limits = Limits { backoff_max_seconds: 10, ..WIDE };
    let mut rig = Rig::new(vec![account("acme", descriptor(limits), &watches)], |path| {
        if path.ends_with("page=40") { Err(HttpError::Broken) } else { rows(&[], 40) }
    });
    let mut failed = 0;
    while failed < 5 {
        rig.run(1).await;
        failed = rig.board.snapshot()[0].watches.iter().map(|watch| watch.failures).sum();
    }
    rig.sent();
    for _ in 0..2_000 {
        rig.run(1).await;
        let under_way =
            rig.board.snapshot()[0].watches.iter().filter(|watch| watch.under_way.is_some()).count();
        assert!(under_way <= 1, "{under_way} sweeps are under way");
    }
    let sent = rig.sent();
    assert!(sent.len() > 1_000, "it is probed");
    // Each probe is read to its end before the next one begins.
    let first = sent.iter().position(|sent| sent.path.ends_with("page=1")).unwrap();
    for probe in sent[first..].chunks_exact(40) {
        let watch = probe[0].path.split('?').next().unwrap();
        let expected: Vec<_> = (1..=40).map(|page| format!("{watch}?page={page}")).collect();
        assert_eq!(probe.iter().map(|sent| sent.path.clone()).collect::<Vec<_>>(), expected);
    }

    rig.answer(|_| rows(&[], 1));
    rig.run(120).await;
    assert!(rig.board.snapshot()[0].watches.iter().all(|watch| watch.failures == 0), "all are read again");
}

#[tokio::test]
async fn a_closed_service_is_looked_at_every_six_hours() {
    let mut rig =
        Rig::new(vec![account("acme", closed(), &[("short", 60)])], |_| Err(HttpError::Unreachable));
    rig.run(13 * 3_600).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    assert_eq!(at.len(), 3, "{at:?}");
    assert!((6.0 * 3_600.0..6.1 * 3_600.0).contains(&(at[1] - at[0])));
    assert!(matches!(rig.sources(), Some(Condition::Degraded(_))));
}

#[tokio::test]
async fn without_an_access_token_nothing_is_asked_and_the_remedy_is_told() {
    let mut acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
    acme.settings.service_account = "needs a token".to_owned();
    let mut rig = Rig::new(vec![acme], |_| rows(&[], 1));
    rig.run(4 * 3_600).await;
    assert_eq!(rig.sent().len(), 0);
    let watch = &rig.board.snapshot()[0].watches[0];
    assert_eq!(watch.last_failure.as_deref(), Some("no access token: set accounts.acme.token"));
    assert!((4..=5).contains(&watch.failures), "asked again every hour");
    let why = "library/acme short: no access token: set accounts.acme.token".to_owned();
    assert_eq!(rig.sources(), Some(Condition::Degraded(why)));
}

#[tokio::test]
async fn a_credential_that_is_refused_is_tried_again_after_a_quarter_of_an_hour() {
    let mut acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
    acme.access = AccessToken::fixed(Some("hidden".into()), "");
    let mut rig = Rig::new(vec![acme], |_| status(401, None));
    rig.run(3_600).await;
    assert_eq!(rig.sent().len(), 4);
    assert!(matches!(rig.sources(), Some(Condition::Degraded(_))));
}

#[tokio::test]
async fn a_list_without_an_end_is_left_after_a_thousand_requests() {
    let mut rig =
        Rig::new(vec![account("acme", descriptor(WIDE), &[("long", 10_800)])], |_| rows(&["a"], u64::MAX));
    while rig.board.snapshot().iter().all(|account| account.watches[0].failures == 0) {
        rig.run(1).await;
    }
    assert_eq!(rig.sent().len(), 1_000);
    assert_eq!(rig.event_types().await, Vec::<String>::new());
}
