//! A process that is started again and again asks no more often than one that runs.

use super::support::*;
use crate::{
    access::AccessToken,
    health::Condition,
    poll::Account,
    ports::{HttpError, HttpResponse},
};

/// Starts it again every minute; returns at which times something was asked.
async fn restarted(rig: &mut Rig, accounts: impl Fn() -> Vec<Account>, minutes: usize) -> Vec<f64> {
    for _ in 0..minutes {
        rig.restart(accounts());
        rig.run(60).await;
    }
    rig.sent().into_iter().map(|sent| sent.at).collect()
}

fn with_token(token: &str) -> Vec<Account> {
    let mut acme = account("acme", descriptor(LIMITS), &[("short", 60), ("third", 60)]);
    acme.access = AccessToken::fixed(Some(token.into()), "");
    vec![acme]
}

fn refused(_: &str) -> Result<HttpResponse, HttpError> {
    status(401, None)
}

#[tokio::test]
async fn a_closed_service_is_still_looked_at_every_six_hours() {
    let accounts = || vec![account("acme", closed(), &[("short", 60)])];
    let mut rig = Rig::new(accounts(), |_| Err(HttpError::Unreachable));
    let at = restarted(&mut rig, accounts, 13 * 60).await;
    assert_eq!(at.len(), 3, "{at:?}");
    assert!(matches!(rig.sources(), Some(Condition::Degraded(_))), "it is told after each start");
}

#[tokio::test]
async fn a_refused_credential_is_still_tried_every_quarter_of_an_hour() {
    let mut rig = Rig::new(with_token("hidden"), refused);
    let at = restarted(&mut rig, || with_token("hidden"), 60).await;
    assert!((6..=8).contains(&at.len()), "two watches: {at:?}");
    assert!(matches!(rig.sources(), Some(Condition::Degraded(_))));
}

#[tokio::test]
async fn another_credential_or_another_address_is_tried_at_once() {
    let mut rig = Rig::new(with_token("hidden"), refused);
    restarted(&mut rig, || with_token("hidden"), 1).await;
    let at = restarted(&mut rig, || with_token("another"), 1).await;
    assert_eq!(at.len(), 2, "{at:?}");
    let elsewhere = || {
        let mut accounts = with_token("another");
        accounts[0].base_url = "https://other.example.com".parse().unwrap();
        accounts
    };
    let at = restarted(&mut rig, elsewhere, 1).await;
    assert_eq!(at.len(), 2, "{at:?}");
    assert_eq!(restarted(&mut rig, elsewhere, 10).await.len(), 0);
}

#[tokio::test]
async fn who_had_no_access_token_and_has_one_now_does_not_wait() {
    let accounts = |token: Option<&str>| {
        let mut acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
        acme.settings.service_account = "needs a token".to_owned();
        acme.access = AccessToken::fixed(token.map(Into::into), "");
        vec![acme]
    };
    let mut rig = Rig::new(accounts(None), |_| rows(&[], 1));
    assert_eq!(restarted(&mut rig, || accounts(None), 3).await.len(), 0);
    assert!(!restarted(&mut rig, || accounts(Some("hidden")), 1).await.is_empty());
}

#[tokio::test]
async fn an_account_that_rests_still_does() {
    let accounts = || {
        let watches = [("short", 10), ("third", 10), ("fourth", 10)];
        vec![account("acme", descriptor(WIDE), &watches)]
    };
    let mut rig = Rig::new(accounts(), |_| status(503, Some("1800")));
    let at = restarted(&mut rig, accounts, 25).await;
    assert_eq!(at.len(), 1, "{at:?}");
    rig.answer(|_| rows(&[], 1));
    assert!(restarted(&mut rig, accounts, 10).await.len() > 20);
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_it_did_not_run_stops_nothing() {
    let mut rig = Rig::new(with_token("hidden"), refused);
    restarted(&mut rig, || with_token("hidden"), 1).await;
    rig.rounds.clear();
    rig.clock.advance(-jiff::SignedDuration::from_hours(24 * 365));
    rig.restart(with_token("hidden"));
    rig.run(7 * 3600).await;
    assert!(!rig.sent().is_empty());
}
