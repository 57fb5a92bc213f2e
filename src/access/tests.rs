//! One token, many users.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

fn granted(token: &str, version: u64) -> Access {
    Access::Granted(Grant { token: token.into(), version })
}

fn shown(access: &AccessToken) -> Option<String> {
    access.grant().map(|grant| grant.token.expose_secret().to_owned())
}

#[tokio::test]
async fn users_see_what_the_keeper_puts_there() {
    let (mut access, keeping) = AccessToken::kept(None, true, Access::Missing("connect it".to_owned()));
    assert!(matches!(access.now(), Access::Missing(why) if why == "connect it"));
    keeping.put(Access::Renewing);
    assert!(access.is_renewing() && shown(&access).is_none());
    keeping.put(granted("first", 1));
    access.changed().await;
    assert_eq!(shown(&access).as_deref(), Some("first"));
    drop(keeping);
    let waited = tokio::time::timeout(Duration::from_millis(20), access.changed()).await;
    assert!(waited.is_err(), "what nobody keeps never changes");
    assert_eq!(shown(&access).as_deref(), Some("first"));
}

#[tokio::test]
async fn a_refusal_counts_once_and_only_for_its_version() {
    let (access, mut keeping) = AccessToken::kept(None, true, granted("third", 3));
    access.refuse(2);
    keeping.refusal().await;
    assert!(keeping.is_refused(2) && !keeping.is_refused(3), "an older token was refused");
    access.refuse(3);
    access.clone().refuse(3);
    keeping.refusal().await;
    assert!(keeping.is_refused(3));
    let again = tokio::time::timeout(Duration::from_millis(20), keeping.refusal()).await;
    assert!(again.is_err(), "the second refusal of the same token is no news");
}

#[test]
fn a_fixed_token_is_never_missing_later() {
    assert_eq!(shown(&AccessToken::fixed(Some("x".into()), "")).as_deref(), Some("x"));
    let missing = AccessToken::fixed(None, "set accounts.acme.token");
    assert!(matches!(missing.now(), Access::Missing(why) if why == "set accounts.acme.token"));
    assert!(!missing.is_renewable());
}

#[test]
fn no_token_is_shown() {
    let access = AccessToken::fixed(Some("hidden".into()), "");
    assert!(!format!("{access:?} {:?}", access.grant()).contains("hidden"));
}

#[test]
fn an_acceptance_takes_an_earlier_refusal_back() {
    let (access, keeping) = AccessToken::kept(None, false, granted("own", 0));
    assert!(!keeping.is_accepted(0) && !keeping.is_refused(0), "nothing was heard yet");
    access.refuse(0);
    assert!(keeping.is_refused(0));
    access.accept(0);
    assert!(keeping.is_accepted(0) && !keeping.is_refused(0));
    access.refuse(0);
    assert!(keeping.is_refused(0) && !keeping.is_accepted(0));
}
